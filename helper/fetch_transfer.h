/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One HTTP request with libcurl. Only the request decides its options, not files or the
 * environment.
 */
#ifndef FETCH_TRANSFER_H
#define FETCH_TRANSFER_H

#include "base/http_message.h"

struct transfer;

/* Starts libcurl. Call it once, after giving up privileges. NULL on failure. */
struct transfer *transfer_new(void);
void transfer_free(struct transfer **transfer);

/*
 * Sends a request. Connections are kept for the next one. Always fills RET_RESPONSE; its body is
 * borrowed until the next call.
 */
void transfer_ask(struct transfer *transfer, const struct ksa_request *request,
                  struct ksa_response *ret_response);

#endif

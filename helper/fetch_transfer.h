/* SPDX-License-Identifier: BSD-2-Clause */
/* One HTTP request by libcurl, and nothing that anybody but the request has a say in. */
#ifndef FETCH_TRANSFER_H
#define FETCH_TRANSFER_H

#include "base/http_message.h"

struct transfer;

/* Once, after privileges were given up: starts libcurl. NULL on failure. */
struct transfer *transfer_new(void);
void transfer_free(struct transfer **transfer);

/*
 * Asks. Connections are kept for the next request. Always fills RET_RESPONSE, whose body is
 * borrowed until the next call.
 */
void transfer_ask(struct transfer *transfer, const struct ksa_request *request,
                  struct ksa_response *ret_response);

#endif

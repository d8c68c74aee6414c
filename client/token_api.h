/* SPDX-License-Identifier: BSD-2-Clause */
/* A token for one host, requested from an API server with a token that the job has. */
#ifndef KSA_CLIENT_TOKEN_API_H
#define KSA_CLIENT_TOKEN_API_H

#include <stdint.h>

#include "base/error.h"
#include "base/secret.h"

struct token_request {
        const char *audience;   /* the only one of the new token */
        int64_t seconds;        /* its lifetime */
        const char *server;     /* https://HOST[:PORT] */
        const char *ca_file;    /* PEM; NULL: the system's trust anchors */
        const char *token_file; /* the token that the request is made with, for the same account */
};

/*
 * Requests the token: for the account of the token in the file, and bound to the same Pod if that one is. The
 * result is checked: it has this audience alone, this account and this Pod. A request that the server could
 * not serve (429, 500 and above) is repeated once.
 *
 * ret_token  owned by the caller (ksa_secret_free)
 *
 * KSA_FILE_UNREADABLE                   a file cannot be read, or is too large
 * errors of ksa_token_parse(), KSA_WRONG_AUDIENCE  the token in the file is not usable for this
 * errors of ksa_api_ask(), KSA_API_BROKEN          no token, or another one than the request asked for
 * KSA_MEMORY
 */
enum ksa_reason token_api_request(const struct token_request *request,
                                  struct ksa_secret **ret_token,
                                  struct ksa_error *err) KSA_MUST_CHECK;

#endif

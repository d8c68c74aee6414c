/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TokenRequest: a host's credential requests its successor, and a job a token for one host. Pure. The token
 * in the response passes through jansson: the program calls ksa_json_wipes() first.
 */
#ifndef KSA_TOKEN_REQUEST_H
#define KSA_TOKEN_REQUEST_H

#include <stdint.h>

#include "base/error.h"
#include "base/macros.h"
#include "base/secret.h"
#include "token/token.h"

/*
 * The path of the TokenRequest for CURRENT's account. The caller frees it; NULL when memory runs out, or if
 * CURRENT does not name a valid account.
 */
char *ksa_token_request_path(const struct ksa_token *current) KSA_MUST_CHECK;

/*
 * The body: a token that lives for SECONDS. NULL when memory runs out.
 *
 * audience  the only one of the token; NULL: the API server issues a token for itself
 * pod_of    a token: the new one is bound to the same Pod, if it is bound to one; may be NULL
 */
struct ksa_secret *ksa_token_request_body(int64_t seconds, const char *audience,
                                          const struct ksa_token *pod_of) KSA_MUST_CHECK;

/*
 * The token in a response with status 201: complete, for the same account as CURRENT, and not expired at NOW.
 *
 * ret_secret  owned by the caller (ksa_secret_free)
 *
 * KSA_API_BROKEN, KSA_MEMORY
 */
enum ksa_reason ksa_token_request_read(const char *body, size_t length,
                                       const struct ksa_token *current, int64_t now,
                                       struct ksa_secret **ret_secret,
                                       struct ksa_error *err) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether what a token claims is good enough: audience, times, lifetime, subject. Pure. */
#ifndef KSA_CLAIMS_H
#define KSA_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/macros.h"
#include "config/types.h"
#include "token/token.h"

/* Clocks may differ by this much, the edges included, as for the API server (go-jose's leeway). */
#define KSA_LEEWAY 60

/* Whether API servers often have this audience, which tokens without another one carry. */
bool ksa_is_api_audience(const char *audience);

/* The first audience of TOKEN that is one of ACCEPTED, borrowed; NULL for none. */
const char *ksa_claims_accepted(const struct ksa_token *token, const struct ksa_list *accepted);

/*
 * One audience, and it is one of ACCEPTED; or several with one of them, if SEVERAL.
 * KSA_NO_AUDIENCE; KSA_WRONG_AUDIENCE where none of them is; KSA_SEVERAL_AUDIENCES
 */
enum ksa_reason ksa_claims_audience(const struct ksa_token *token, const struct ksa_list *accepted,
                                    bool several, struct ksa_error *err) KSA_MUST_CHECK;

/* exp, nbf and iat are all there, and NOW fits. KSA_BAD_CLAIMS, KSA_EXPIRED, KSA_NOT_YET_VALID */
enum ksa_reason ksa_claims_times(const struct ksa_token *token, int64_t now,
                                 struct ksa_error *err) KSA_MUST_CHECK;

/* exp - iat is at most MAX seconds. KSA_LIFETIME */
enum ksa_reason ksa_claims_lifetime(const struct ksa_token *token, uint64_t max,
                                    struct ksa_error *err) KSA_MUST_CHECK;

/*
 * kubernetes.io names an account in the way of Kubernetes, and sub is the same account
 * (the API server never compares them). KSA_BAD_CLAIMS, KSA_BAD_SUBJECT
 */
enum ksa_reason ksa_claims_subject(const struct ksa_token *token,
                                   struct ksa_error *err) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of a token's claims: audience, times, lifetime, subject. Pure. */
#ifndef KSA_CLAIMS_H
#define KSA_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/macros.h"
#include "config/types.h"
#include "token/token.h"

/* Tolerated difference of clocks in seconds, inclusive; as in the API server (go-jose's leeway). */
#define KSA_LEEWAY 60

/* Whether AUDIENCE is a common audience of API servers, which tokens get by default. */
bool ksa_is_api_audience(const char *audience);

/*
 * Returns the first audience of TOKEN that is in ACCEPTED, borrowed from TOKEN; NULL without one.
 */
const char *ksa_claims_accepted(const struct ksa_token *token, const struct ksa_list *accepted);

/*
 * Requires exactly one audience, from ACCEPTED. With SEVERAL, one of several is enough.
 *
 * KSA_NO_AUDIENCE
 * KSA_WRONG_AUDIENCE     only audiences that are not in ACCEPTED
 * KSA_SEVERAL_AUDIENCES
 */
enum ksa_reason ksa_claims_audience(const struct ksa_token *token, const struct ksa_list *accepted,
                                    bool several, struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Requires exp, nbf and iat, and compares them with NOW (seconds since 1970). KSA_BAD_CLAIMS,
 * KSA_EXPIRED, KSA_NOT_YET_VALID
 */
enum ksa_reason ksa_claims_times(const struct ksa_token *token, int64_t now,
                                 struct ksa_error *err) KSA_MUST_CHECK;

/* Requires exp - iat to be at most MAX seconds. KSA_LIFETIME */
enum ksa_reason ksa_claims_lifetime(const struct ksa_token *token, uint64_t max,
                                    struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Requires valid Kubernetes names in kubernetes.io and the same account in sub. The API server does
 * not compare them. KSA_BAD_CLAIMS, KSA_BAD_SUBJECT
 */
enum ksa_reason ksa_claims_subject(const struct ksa_token *token,
                                   struct ksa_error *err) KSA_MUST_CHECK;

#endif

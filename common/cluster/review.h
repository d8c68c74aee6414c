/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reviews of a token by the cluster: TokenReview (is the token still valid?) and
 * SubjectAccessReview (does RBAC allow the login?). Builds the request's body and checks the
 * response's. Pure; ksa_claims_subject() must have accepted the token.
 */
#ifndef KSA_REVIEW_H
#define KSA_REVIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/macros.h"
#include "base/secret.h"
#include "token/token.h"

/* Paths at the API server, for POST. */
#define KSA_REVIEW_PATH "/apis/authentication.k8s.io/v1/tokenreviews"
#define KSA_ACCESS_PATH "/apis/authorization.k8s.io/v1/subjectaccessreviews"

/*
 * Returns the body of a TokenReview, in a secret because it contains the token. The caller frees
 * it. AUDIENCE is the audience of the token that this host accepts. NULL if memory runs out.
 */
struct ksa_secret *ksa_review_request(const struct ksa_token *token,
                                      const char *audience) KSA_MUST_CHECK;

/*
 * Checks the body of a response with status 200 or 201.
 *
 * body  the token in it is overwritten, because jansson would make copies that are not wiped
 *
 * KSA_OK              the API server accepts the token for AUDIENCE, and found the same account,
 *                     Pod and jti in it
 * KSA_REVIEW_REFUSED  it does not accept the token, or could not check it
 * KSA_REVIEW_DIFFERS  it found another account (also system:anonymous), audience, Pod or jti
 * KSA_API_BROKEN      not a TokenReview: invalid JSON, another kind, a member of the wrong type
 * KSA_MEMORY
 */
enum ksa_reason ksa_review_check(const struct ksa_token *token, const char *audience, char *body,
                                 size_t length, struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Returns the body of a SubjectAccessReview: may the token's account VERB the host NAME
 * (hosts.ksa.dev) in its own namespace? It has the groups that the API server would set. The caller
 * frees it. NULL if memory runs out.
 */
struct ksa_secret *ksa_access_request(const struct ksa_token *token, const char *verb,
                                      const char *name) KSA_MUST_CHECK;

/*
 * Checks the body of a response with status 200 or 201.
 *
 * ret_why  why RBAC does not allow it, in the API server's words, cut, in printable ASCII; may be ""
 *
 * KSA_OK           *RET_ALLOWED: allowed, and without an evaluationError
 * KSA_RBAC_DENIED  an authorizer denied it explicitly
 * KSA_API_BROKEN   not a SubjectAccessReview
 * KSA_MEMORY
 */
#define KSA_WHY_SIZE 161
enum ksa_reason ksa_access_check(const char *body, size_t length, bool *ret_allowed,
                                 char ret_why[KSA_WHY_SIZE], struct ksa_error *err) KSA_MUST_CHECK;

#endif

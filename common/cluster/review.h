/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the cluster is asked about a token, and what its answer is worth: TokenReview (is it still
 * good?) and SubjectAccessReview (does RBAC let its account in?). Pure; tokens come here after
 * ksa_claims_subject() found them good.
 */
#ifndef KSA_REVIEW_H
#define KSA_REVIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/macros.h"
#include "base/secret.h"
#include "token/token.h"

/* Where the API server takes them, by POST. */
#define KSA_REVIEW_PATH "/apis/authentication.k8s.io/v1/tokenreviews"
#define KSA_ACCESS_PATH "/apis/authorization.k8s.io/v1/subjectaccessreviews"

/*
 * The body of a TokenReview; in a secret, because the token is in it. AUDIENCE is the one of the
 * token's that this host accepts. NULL when memory runs out.
 */
struct ksa_secret *ksa_review_request(const struct ksa_token *token,
                                      const char *audience) KSA_MUST_CHECK;

/*
 * Judges the body of the answer, of status 200 or 201.
 *
 * body  the token, which the answer repeats, is blotted out in it, so that jansson makes no copy
 *       that nobody wipes
 *
 * KSA_OK              the API server accepts the token, for AUDIENCE, and sees the same account,
 *                     Pod and jti in it
 * KSA_REVIEW_REFUSED  it does not accept it, or could not check it
 * KSA_REVIEW_DIFFERS  it sees another account (system:anonymous too), audience, Pod or jti
 * KSA_API_BROKEN      no TokenReview: no JSON, another kind, a member of a wrong type
 * KSA_MEMORY
 */
enum ksa_reason ksa_review_check(const struct ksa_token *token, const char *audience, char *body,
                                 size_t length, struct ksa_error *err) KSA_MUST_CHECK;

/*
 * The body of a SubjectAccessReview: may the token's account VERB the host NAME (hosts.ksa.dev) in
 * its own namespace? With the groups that the API server itself would give it. NULL when memory
 * runs out.
 */
struct ksa_secret *ksa_access_request(const struct ksa_token *token, const char *verb,
                                      const char *name) KSA_MUST_CHECK;

/*
 * Judges the body of the answer, of status 200 or 201.
 *
 * ret_said  of a no: the API server's own reason or error, cut, in printable ASCII; "" if it gives none
 *
 * KSA_OK           *RET_ALLOWED says whether RBAC allows it, all of its rules having been looked at
 * KSA_RBAC_DENIED  an authorizer forbids it, whatever others say
 * KSA_API_BROKEN   no SubjectAccessReview
 * KSA_MEMORY
 */
#define KSA_SAID_SIZE 161
enum ksa_reason ksa_access_check(const char *body, size_t length, bool *ret_allowed,
                                 char ret_said[KSA_SAID_SIZE],
                                 struct ksa_error *err) KSA_MUST_CHECK;

#endif

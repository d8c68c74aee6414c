/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an API server is asked about this host itself: SelfSubjectReview (whom it takes it for;
 * Kubernetes 1.28 and later) and SelfSubjectAccessReview (what it lets it do). Pure.
 */
#ifndef KSA_SELF_REVIEW_H
#define KSA_SELF_REVIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/macros.h"
#include "base/secret.h"

/* Where it is posted to, and what. */
#define KSA_SELF_REVIEW_PATH "/apis/authentication.k8s.io/v1/selfsubjectreviews"
#define KSA_SELF_REVIEW_BODY \
        "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"SelfSubjectReview\"}"

/*
 * The name of the user in an answer of status 201.
 *
 * ret_user  owned by the caller (free)
 *
 * KSA_API_BROKEN, KSA_MEMORY
 */
enum ksa_reason ksa_self_review_read(const char *body, size_t length, char **ret_user,
                                     struct ksa_error *err) KSA_MUST_CHECK;

#define KSA_SELF_ACCESS_PATH "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

/* What this host would do. */
struct ksa_self_access {
        const char *verb; /* NULL: create */
        const char *group, *resource;
        const char *subresource, *namespace, *name; /* or NULL */
};

/* The body of the question whether this host may. NULL when memory runs out. */
struct ksa_secret *ksa_self_access_request(const struct ksa_self_access *access) KSA_MUST_CHECK;

/*
 * Judges the body of the answer, of status 201: *RET_ALLOWED says whether it may.
 *
 * KSA_API_BROKEN  no SelfSubjectAccessReview
 * KSA_MEMORY
 */
enum ksa_reason ksa_self_access_check(const char *body, size_t length, bool *ret_allowed,
                                      struct ksa_error *err) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of this host about itself: SelfSubjectReview (the user that the API server sees; Kubernetes 1.28
 * and later) and SelfSubjectAccessReview (what RBAC allows this user). Pure.
 */
#ifndef KSA_SELF_REVIEW_H
#define KSA_SELF_REVIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/macros.h"
#include "base/secret.h"

/* The path and body of the POST. */
#define KSA_SELF_REVIEW_PATH "/apis/authentication.k8s.io/v1/selfsubjectreviews"
#define KSA_SELF_REVIEW_BODY \
        "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"SelfSubjectReview\"}"

/*
 * The name of the user in a response with status 201.
 *
 * ret_user  owned by the caller (free)
 *
 * KSA_API_BROKEN, KSA_MEMORY
 */
enum ksa_reason ksa_self_review_read(const char *body, size_t length, char **ret_user,
                                     struct ksa_error *err) KSA_MUST_CHECK;

#define KSA_SELF_ACCESS_PATH "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

/* An action of this host. */
struct ksa_self_access {
        const char *verb; /* NULL: create */
        const char *group, *resource;
        const char *subresource, *namespace, *name; /* or NULL */
};

/* The body of the request whether RBAC allows ACCESS. NULL when memory runs out. */
struct ksa_secret *ksa_self_access_request(const struct ksa_self_access *access) KSA_MUST_CHECK;

/*
 * Reads the body of the response, with status 201.
 *
 * KSA_API_BROKEN  not a SelfSubjectAccessReview
 * KSA_MEMORY
 */
enum ksa_reason ksa_self_access_check(const char *body, size_t length, bool *ret_allowed,
                                      struct ksa_error *err) KSA_MUST_CHECK;

#endif

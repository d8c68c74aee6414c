/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SelfSubjectReview: whom an API server takes this host for. Kubernetes 1.28 and later. Pure. */
#ifndef KSA_SELF_REVIEW_H
#define KSA_SELF_REVIEW_H

#include <stddef.h>

#include "error.h"
#include "macros.h"

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

#endif

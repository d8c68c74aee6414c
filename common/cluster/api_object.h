/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects of the Kubernetes API as JSON: what is sent, and what comes back with a status. */
#ifndef KSA_CLUSTER_API_OBJECT_H
#define KSA_CLUSTER_API_OBJECT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/macros.h"
#include "base/secret.h"

/*
 * An object of this kind and version, and its status, which is an object too.
 *
 * ret_object  owned by the caller (ksa_json_free)
 * ret_status  borrowed from it
 *
 * KSA_API_BROKEN  the answer is something else, such as a Status
 * KSA_MEMORY
 */
enum ksa_reason ksa_api_object_load(const char *bytes, size_t length, const char *kind,
                                    const char *version, json_t **ret_object, json_t **ret_status,
                                    struct ksa_error *err) KSA_MUST_CHECK;

/* VALUE, which is taken over, as JSON; NULL when memory runs out, or already did (VALUE NULL). */
struct ksa_secret *ksa_api_object_write(json_t *value) KSA_MUST_CHECK;

/* Whether a member is missing, or of its type: a text, true or false, an array of texts. */
bool ksa_api_object_may_be_text(const json_t *value);
bool ksa_api_object_may_be_flag(const json_t *value);
bool ksa_api_object_may_be_texts(const json_t *value);

#endif

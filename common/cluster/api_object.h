/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects of the Kubernetes API as JSON: requests, and responses with a status. */
#ifndef KSA_CLUSTER_API_OBJECT_H
#define KSA_CLUSTER_API_OBJECT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/macros.h"
#include "base/secret.h"

/*
 * Parses an object of KIND and VERSION that has a status, itself an object.
 *
 * ret_object  owned by the caller (ksa_json_free)
 * ret_status  borrowed from it
 *
 * KSA_API_BROKEN  another object, such as a Status, or no object
 * KSA_MEMORY
 */
enum ksa_reason ksa_api_object_load(const char *bytes, size_t length, const char *kind,
                                    const char *version, json_t **ret_object, json_t **ret_status,
                                    struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Serializes VALUE and releases it. The caller frees the result. NULL if memory runs out or VALUE
 * is NULL.
 */
struct ksa_secret *ksa_api_object_write(json_t *value) KSA_MUST_CHECK;

/* Whether a member is absent or has its type: a string, a boolean, an array of strings. */
bool ksa_api_object_may_be_text(const json_t *value);
bool ksa_api_object_may_be_flag(const json_t *value);
bool ksa_api_object_may_be_texts(const json_t *value);

#endif

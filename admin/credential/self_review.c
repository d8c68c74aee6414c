/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/credential/self_review.h"

#include <string.h>

#include "cluster/api_object.h"
#include "token/json.h"

#define ACCESS_KIND    "SelfSubjectAccessReview"
#define ACCESS_VERSION "authorization.k8s.io/v1"

enum ksa_reason ksa_self_review_read(const char *body, size_t length, char **ret_user,
                                     struct ksa_error *err)
{
        KSA_CLEANUP(ksa_json_free) json_t *answer = NULL;
        json_t *status;
        enum ksa_reason reason =
                ksa_api_object_load(body, length, "SelfSubjectReview", "authentication.k8s.io/v1",
                                    &answer, &status, err);

        if (reason != KSA_OK)
                return reason;
        const char *name = ksa_json_text(json_object_get(status, "userInfo"), "username");
        if (name == NULL)
                return ksa_fail(err, KSA_API_BROKEN, "the SelfSubjectReview does not name a user");
        char *copy = strdup(name);
        if (copy == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        *ret_user = copy;
        return KSA_OK;
}

struct ksa_secret *ksa_self_access_request(const struct ksa_self_access *access)
{
        return ksa_api_object_write(
                json_pack("{s:s, s:s, s:{s:{s:s, s:s, s:s, s:s*, s:s*, s:s*}}}", "apiVersion",
                          ACCESS_VERSION, "kind", ACCESS_KIND, "spec", "resourceAttributes", "verb",
                          access->verb != NULL ? access->verb : "create", "group", access->group,
                          "resource", access->resource, "subresource", access->subresource,
                          "namespace", access->namespace, "name", access->name));
}

enum ksa_reason ksa_self_access_check(const char *body, size_t length, bool *ret_allowed,
                                      struct ksa_error *err)
{
        KSA_CLEANUP(ksa_json_free) json_t *answer = NULL;
        json_t *status;
        enum ksa_reason reason = ksa_api_object_load(body, length, ACCESS_KIND, ACCESS_VERSION,
                                                     &answer, &status, err);

        if (reason != KSA_OK)
                return reason;
        const json_t *allowed = json_object_get(status, "allowed");
        const json_t *denied = json_object_get(status, "denied");
        if (!json_is_boolean(allowed) || !ksa_api_object_may_be_flag(denied))
                return ksa_fail(err, KSA_API_BROKEN,
                                "the " ACCESS_KIND " has a member of the wrong type");
        *ret_allowed = json_is_true(allowed) && !json_is_true(denied);
        return KSA_OK;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "self_review.h"

#include <string.h>

#include "json.h"
#include "object.h"

enum ksa_reason ksa_self_review_read(const char *body, size_t length, char **ret_user,
                                     struct ksa_error *err)
{
        KSA_CLEANUP(ksa_json_free) json_t *answer = NULL;
        json_t *status;
        enum ksa_reason reason = ksa_object_load(body, length, "SelfSubjectReview",
                                                 "authentication.k8s.io/v1", &answer, &status, err);

        if (reason != KSA_OK)
                return reason;
        const char *name = ksa_json_text(json_object_get(status, "userInfo"), "username");
        if (name == NULL)
                return ksa_fail(err, KSA_API_BROKEN, "the SelfSubjectReview names nobody");
        char *copy = strdup(name);
        if (copy == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        *ret_user = copy;
        return KSA_OK;
}

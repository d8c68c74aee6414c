/* SPDX-License-Identifier: BSD-2-Clause */
#include "cluster/api_object.h"

#include <string.h>

#include "token/json.h"

static bool is(const json_t *object, const char *member, const char *expected)
{
        const char *text = ksa_json_text(object, member);

        return text != NULL && strcmp(text, expected) == 0;
}

enum ksa_reason ksa_api_object_load(const char *bytes, size_t length, const char *kind,
                                    const char *version, json_t **ret_object, json_t **ret_status,
                                    struct ksa_error *err)
{
        struct ksa_error inner = {0};
        json_t *object = NULL;
        enum ksa_reason reason = ksa_json_load_document(bytes, length, &object, &inner);

        if (reason != KSA_OK)
                return ksa_fail(err, reason == KSA_MEMORY ? reason : KSA_API_BROKEN,
                                "the answer is not a valid %s: %s", kind, inner.text);
        json_t *status = json_object_get(object, "status");
        if (!is(object, "kind", kind) || !is(object, "apiVersion", version))
                reason = ksa_fail(err, KSA_API_BROKEN, "the answer is not a %s of %s", kind,
                                  version);
        else if (!json_is_object(status))
                reason = ksa_fail(err, KSA_API_BROKEN, "the %s has no status", kind);
        if (reason != KSA_OK) {
                ksa_json_free(&object);
                return reason;
        }
        *ret_object = object;
        *ret_status = status;
        return KSA_OK;
}

struct ksa_secret *ksa_api_object_write(json_t *value)
{
        const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY;
        size_t room, size = value != NULL ? json_dumpb(value, NULL, 0, flags) : 0;
        struct ksa_secret *text = size > 0 ? ksa_secret_new(size) : NULL;

        if (text != NULL && json_dumpb(value, ksa_secret_tail(text, &room), size, flags) == size)
                ksa_secret_extend(text, size);
        else
                ksa_secret_free(&text);
        ksa_json_free(&value);
        return text;
}

bool ksa_api_object_may_be_text(const json_t *value)
{
        return value == NULL || json_is_string(value);
}

bool ksa_api_object_may_be_flag(const json_t *value)
{
        return value == NULL || json_is_boolean(value);
}

bool ksa_api_object_may_be_texts(const json_t *value)
{
        if (value != NULL && !json_is_array(value))
                return false;
        for (size_t i = 0; i < json_array_size(value); i++) {
                if (!json_is_string(json_array_get(value, i)))
                        return false;
        }
        return true;
}

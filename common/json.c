/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json.h"

#include <stdbool.h>

/* Whether brackets outside strings nest at most KSA_JSON_DEPTH deep. */
static bool is_shallow(const char *bytes, size_t length)
{
        bool in_string = false;
        size_t depth = 0;

        for (size_t i = 0; i < length; i++) {
                char c = bytes[i];

                if (in_string && c == '\\')
                        i++;
                else if (c == '"')
                        in_string = !in_string;
                else if (!in_string && (c == '{' || c == '['))
                        depth++;
                else if (!in_string && (c == '}' || c == ']') && depth > 0)
                        depth--;
                if (depth > KSA_JSON_DEPTH)
                        return false;
        }
        return true;
}

enum ksa_reason ksa_json_load(const char *bytes, size_t length, json_t **ret_object,
                              struct ksa_error *err)
{
        if (!is_shallow(bytes, length))
                return ksa_fail(err, KSA_NOT_A_TOKEN, "JSON nested deeper than %d", KSA_JSON_DEPTH);

        json_error_t unread; /* its text quotes the input */
        json_t *value = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &unread);

        if (value == NULL)
                return json_error_code(&unread) == json_error_out_of_memory
                               ? ksa_fail(err, KSA_MEMORY, "out of memory")
                               : ksa_fail(err, KSA_NOT_A_TOKEN, "no valid JSON");
        if (!json_is_object(value)) {
                json_decref(value);
                return ksa_fail(err, KSA_NOT_A_TOKEN, "JSON, but no object");
        }
        *ret_object = value;
        return KSA_OK;
}

void ksa_json_free(json_t **value)
{
        json_decref(*value);
        *value = NULL;
}

const char *ksa_json_text(const json_t *object, const char *member)
{
        return json_string_value(json_object_get(object, member));
}

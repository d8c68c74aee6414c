/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/accounts/json_list.h"

#include <stdlib.h>
#include <string.h>

#include "token/json.h"

/* The position after the string that begins AT. */
static size_t end_of_string(const char *bytes, size_t length, size_t at)
{
        for (at++; at < length && bytes[at] != '"'; at++)
                at += bytes[at] == '\\';
        return at < length ? at + 1 : length;
}

/* Empties the array that begins AT. Returns the position after it, or LENGTH if it does not end. */
static size_t empty_array(char *bytes, size_t length, size_t at)
{
        const size_t begin = at;
        size_t depth = 0;

        while (at < length) {
                const char byte = bytes[at];

                at = byte == '"' ? end_of_string(bytes, length, at) : at + 1;
                if (byte == '[' || byte == '{')
                        depth++;
                else if ((byte == ']' || byte == '}') && --depth == 0) {
                        memset(bytes + begin + 1, ' ', at - begin - 2);
                        return at;
                }
        }
        return length;
}

static size_t skip_spaces(const char *bytes, size_t length, size_t at)
{
        while (at < length && bytes[at] != '\0' && strchr(" \t\r\n", bytes[at]) != NULL)
                at++;
        return at;
}

static void leave_out(char *bytes, size_t length)
{
        static const char name[] = "\"managedFields\"";

        for (size_t at = 0; at < length;) {
                const size_t begin = at;

                if (bytes[at] != '"') {
                        at++;
                        continue;
                }
                at = end_of_string(bytes, length, at);
                if (at - begin != sizeof(name) - 1 ||
                    memcmp(bytes + begin, name, sizeof(name) - 1) != 0)
                        continue;
                at = skip_spaces(bytes, length, at);
                if (at < length && bytes[at] == ':')
                        at = skip_spaces(bytes, length, at + 1);
                if (at < length && bytes[at] == '[')
                        at = empty_array(bytes, length, at);
        }
}

enum ksa_reason ksa_json_load_list(const char *bytes, size_t length, json_t **ret_list,
                                   struct ksa_error *err)
{
        char *copy = malloc(length + 1);

        if (copy == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        memcpy(copy, bytes, length);
        leave_out(copy, length);
        enum ksa_reason reason = ksa_json_load_document(copy, length, ret_list, err);
        free(copy);
        return reason;
}

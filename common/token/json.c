/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/json.h"

#include <stdbool.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"

/* Whether brackets outside of strings nest at most KSA_JSON_DEPTH deep. */
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

static enum ksa_reason load(const char *bytes, size_t length, json_t **ret_object,
                            json_error_t *ret_where, struct ksa_error *err)
{
        ret_where->line = 0;
        if (!is_shallow(bytes, length))
                return ksa_fail(err, KSA_NOT_A_TOKEN, "JSON nested deeper than %d", KSA_JSON_DEPTH);

        json_t *value = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, ret_where);

        if (value == NULL)
                return json_error_code(ret_where) == json_error_out_of_memory
                               ? ksa_fail(err, KSA_MEMORY, "out of memory")
                               : ksa_fail(err, KSA_NOT_A_TOKEN, "not valid JSON");
        ret_where->line = 0;
        if (!json_is_object(value)) {
                json_decref(value);
                return ksa_fail(err, KSA_NOT_A_TOKEN, "JSON, but not an object");
        }
        *ret_object = value;
        return KSA_OK;
}

enum ksa_reason ksa_json_load(const char *bytes, size_t length, json_t **ret_object,
                              struct ksa_error *err)
{
        json_error_t where; /* its text quotes the input: never log it */

        return load(bytes, length, ret_object, &where, err);
}

/* --- Values that jansson rejects -------------------------------------------- */

static size_t digits_at(const char *bytes, size_t length, size_t at)
{
        size_t end = at;

        while (end < length && bytes[end] >= '0' && bytes[end] <= '9')
                end++;
        return end - at;
}

/* Returns the length of the number (RFC 8259 section 6) at AT; 0: not a number. */
static size_t number_at(const char *bytes, size_t length, size_t at)
{
        size_t end = at + (bytes[at] == '-');
        size_t digits = digits_at(bytes, length, end);

        if (digits == 0)
                return 0;
        end += bytes[end] == '0' ? 1 : digits;
        digits = end < length && bytes[end] == '.' ? digits_at(bytes, length, end + 1) : 0;
        end += digits > 0 ? digits + 1 : 0;
        if (end < length && (bytes[end] == 'e' || bytes[end] == 'E')) {
                size_t sign = end + 1 < length && (bytes[end + 1] == '+' || bytes[end + 1] == '-');

                digits = digits_at(bytes, length, end + 1 + sign);
                end += digits > 0 ? 1 + sign + digits : 0;
        }
        return end - at;
}

/*
 * Whether jansson rejects the number as too large; it decides. A short number without an exponent
 * is never too large.
 */
static bool is_too_large(const char *number, size_t length)
{
        json_error_t where;

        if (length < sizeof("1e309") - 1 || (length <= 18 && memchr(number, 'e', length) == NULL &&
                                             memchr(number, 'E', length) == NULL))
                return false;
        json_t *value = json_loadb(number, length, JSON_DECODE_ANY, &where);
        json_decref(value);
        return value == NULL && json_error_code(&where) == json_error_numeric_overflow;
}

static size_t replace_number(char *bytes, size_t length, size_t at)
{
        static const char fraction[] = "0.5";
        size_t count = number_at(bytes, length, at);

        if (is_too_large(bytes + at, count)) {
                memset(bytes + at, ' ', count);
                memcpy(bytes + at, fraction, sizeof(fraction) - 1);
        }
        return at + (count > 0 ? count : 1);
}

/* Returns the code unit of the escape \uXXXX at AT; -1: not such an escape. */
static long unit_at(const char *bytes, size_t length, size_t at)
{
        long unit = 0;

        if (length - at < 6 || bytes[at] != '\\' || bytes[at + 1] != 'u')
                return -1;
        for (size_t i = at + 2; i < at + 6; i++) {
                char c = bytes[i];

                if (c >= '0' && c <= '9')
                        unit = unit * 16 + (c - '0');
                else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
                        unit = unit * 16 + ((c | 0x20) - 'a' + 10);
                else
                        return -1;
        }
        return unit;
}

/* Returns the position after the escape at AT, which is replaced if jansson would reject it. */
static size_t replace_escape(char *bytes, size_t length, size_t at)
{
        static const char replacement[] = {'\\', 'u', 'f', 'f', 'f', 'd'};
        long unit = unit_at(bytes, length, at);

        if (unit < 0)
                return at + 2;
        if (unit >= 0xd800 && unit <= 0xdbff) {
                long low = unit_at(bytes, length, at + 6);

                if (low >= 0xdc00 && low <= 0xdfff)
                        return at + 12;
        }
        if (unit == 0 || (unit >= 0xd800 && unit <= 0xdfff))
                memcpy(bytes + at, replacement, sizeof(replacement));
        return at + 6;
}

void ksa_json_replace(char *bytes, size_t length)
{
        bool in_string = false;

        for (size_t at = 0; at < length;) {
                char c = bytes[at];

                if (in_string && c == '\\') {
                        at = replace_escape(bytes, length, at);
                } else if (!in_string && (c == '-' || (c >= '0' && c <= '9'))) {
                        at = replace_number(bytes, length, at);
                } else {
                        in_string = in_string != (c == '"');
                        at++;
                }
        }
}

/* --- Documents ---------------------------------------------------------------- */

/* Names the format of a text that is not JSON; NULL if it is unknown. */
static const char *other_form(const char *bytes, size_t length)
{
        static const char pem[] = "-----BEGIN ", private_key[] = "PRIVATE KEY-----";
        size_t at = 0;

        /* A byte order mark, or a zero byte among the first two: UTF-16 encodes ASCII so. */
        if (length >= 2 && ((bytes[0] == '\xff' && bytes[1] == '\xfe') ||
                            (bytes[0] == '\xfe' && bytes[1] == '\xff') ||
                            (bytes[0] == '\0') != (bytes[1] == '\0')))
                return "UTF-16, as PowerShell's > writes it, instead of UTF-8";
        while (at < length && bytes[at] != '\0' && strchr(" \t\r\n", bytes[at]) != NULL)
                at++;
        if (at == length)
                return "empty";
        if (bytes[at] == '<')
                return "HTML or XML instead of JSON";
        if (length - at < sizeof(pem) - 1 || memcmp(bytes + at, pem, sizeof(pem) - 1) != 0)
                return NULL;
        return memmem(bytes, length, private_key, sizeof(private_key) - 1) != NULL
                       ? "PEM with a private key instead of JSON"
                       : "PEM instead of JSON; convert it with ksactl keys convert";
}

/* Reports a Status, an API server's error response, with its message. */
static enum ksa_reason check_kind(const json_t *object, struct ksa_error *err)
{
        const char *kind = ksa_json_text(object, "kind");
        const char *message = ksa_json_text(object, "message");
        char quoted[KSA_VERIFIED_SIZE];

        if (kind == NULL || strcmp(kind, "Status") != 0)
                return KSA_OK;
        if (message == NULL || strstr(message, "eyJ") != NULL) /* it may quote a token */
                return ksa_fail(err, KSA_NOT_A_TOKEN, "it is a Status of an API server");
        return ksa_fail(err, KSA_NOT_A_TOKEN, "it is a Status of an API server: \"%s\"",
                        ksa_text_quote(message, quoted, sizeof(quoted)));
}

enum ksa_reason ksa_json_load_document(const char *bytes, size_t length, json_t **ret_object,
                                       struct ksa_error *err)
{
        static const char mark[] = "\xef\xbb\xbf";
        KSA_CLEANUP(ksa_secret_free) struct ksa_secret *copy = ksa_secret_new(length);
        json_error_t where;
        json_t *object = NULL;
        size_t room;

        if (copy == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        if (length >= sizeof(mark) - 1 && memcmp(bytes, mark, sizeof(mark) - 1) == 0) {
                bytes += sizeof(mark) - 1;
                length -= sizeof(mark) - 1;
        }
        char *text = ksa_secret_tail(copy, &room);
        if (length > 0)
                memcpy(text, bytes, length);
        ksa_secret_extend(copy, length);
        ksa_json_replace(text, length);

        enum ksa_reason reason = load(text, length, &object, &where, err);
        const char *form = reason == KSA_NOT_A_TOKEN ? other_form(bytes, length) : NULL;
        if (form != NULL)
                return ksa_fail(err, reason, "it is %s", form);
        if (reason == KSA_NOT_A_TOKEN && where.line > 0)
                return ksa_fail(err, reason, "it is not valid JSON at line %d, column %d",
                                where.line, where.column);
        if (reason == KSA_OK)
                reason = check_kind(object, err);
        if (reason == KSA_OK)
                *ret_object = object;
        else
                ksa_json_free(&object);
        return reason;
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

/* SPDX-License-Identifier: BSD-2-Clause */
/* json.c: one object, not too deep, nothing twice, and no word of the library in an error. */
#include "token/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

static enum ksa_reason load_by(enum ksa_reason (*loader)(const char *, size_t, json_t **,
                                                         struct ksa_error *),
                               const char *bytes, size_t length, struct ksa_error *err)
{
        /* A copy without a NUL after it: the sanitizers see a byte too many. */
        char *copy = malloc(length + 1);
        json_t *object = NULL;

        assert_non_null(copy);
        memcpy(copy + 1, bytes, length);
        enum ksa_reason reason = loader(copy + 1, length, &object, err);
        assert_int_equal(reason == KSA_OK, object != NULL);
        if (object != NULL)
                ksa_json_free(&object);
        assert_null(object);
        free(copy);
        return reason;
}

static enum ksa_reason load(const char *bytes, size_t length, struct ksa_error *err)
{
        return load_by(ksa_json_load, bytes, length, err);
}

static enum ksa_reason load_text(const char *text)
{
        struct ksa_error error = {0};
        enum ksa_reason reason = load(text, strlen(text), &error);

        assert_int_equal(reason == KSA_OK, error.text[0] == '\0');
        return reason;
}

static void test_objects(void **state)
{
        static const char *const texts[] = {
                "{}",
                " {\"a\" : 1}\n",
                "{\"a\":{\"a\":{\"a\":1}}}",
                "{\"a\":\"[[[[[[[[[[[[[[[[[[[[\"}",
                "{\"a\":\"\\\"[[[[[[[[[[[[[[[[[[[[\"}",
                "{\"a\":\"\\\\\",\"b\":[]}",
                "{\"a\":\"\\u00e4\xc3\xa4\"}",
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(texts); i++)
                if (load_text(texts[i]) != KSA_OK)
                        fail_msg("%s", texts[i]);
}

static void test_what_is_none(void **state)
{
        static const char *const texts[] = {
                "",
                " ",
                "{",
                "}",
                "{}}",
                "{}{}",
                "{} x",
                "[]",
                "[{}]",
                "7",
                "\"a\"",
                "null",
                "true",
                "{a:1}",
                "{'a':1}",
                "{\"a\":1,}",
                "{\"a\":01}",
                "{\"a\":+1}",
                "{\"a\":NaN}",
                "{\"a\":1e999}",
                "{\"a\":9223372036854775808}",
                "{\"a\":1} // x",
                "{\"a\":1,\"a\":1}",
                "{\"a\":1,\"\\u0061\":2}",
                "{\"b\":{\"a\":1,\"a\":1}}",
                "{\"b\":[{\"a\":1,\"a\":1}]}",
                "{\"a\":\"\xff\"}",
                "{\"a\":\"\xc0\x80\"}",
                "{\"a\":\"\xed\xa0\x80\"}",
                "{\"a\":\"\\ud800\"}",
                "{\"a\":\"\\u0000\"}",
                "{\"\\u0000\":1}",
                "{\"a\":\"\n\"}",
                "\xef\xbb\xbf{}",
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(texts); i++)
                if (load_text(texts[i]) != KSA_NOT_A_TOKEN)
                        fail_msg("%s", texts[i]);
}

static void test_nul_bytes(void **state)
{
        (void)state;
        assert_int_equal(load("{}\0", 3, NULL), KSA_NOT_A_TOKEN);
        assert_int_equal(load("\0{}", 3, NULL), KSA_NOT_A_TOKEN);
        assert_int_equal(load("{\"a\":\"b\0c\"}", 11, NULL), KSA_NOT_A_TOKEN);
        assert_int_equal(load("{\"a\0\":1}", 8, NULL), KSA_NOT_A_TOKEN);
}

/* {"a": and DEPTH - 1 brackets, closed again. */
static enum ksa_reason nested(size_t depth, const char *open, const char *close)
{
        char *text = NULL;
        size_t length;
        FILE *out = open_memstream(&text, &length);

        assert_non_null(out);
        for (size_t i = 0; i < depth; i++)
                (void)fprintf(out, "%s", i == 0 ? "{\"a\":" : open);
        (void)fputs("1", out);
        for (size_t i = 0; i < depth; i++)
                (void)fputs(i == depth - 1 ? "}" : close, out);
        assert_int_equal(fclose(out), 0);
        enum ksa_reason reason = load(text, length, NULL);
        free(text);
        return reason;
}

static void test_depth(void **state)
{
        (void)state;
        assert_int_equal(nested(KSA_JSON_DEPTH, "[", "]"), KSA_OK);
        assert_int_equal(nested(KSA_JSON_DEPTH + 1, "[", "]"), KSA_NOT_A_TOKEN);
        assert_int_equal(nested(KSA_JSON_DEPTH, "{\"a\":", "}"), KSA_OK);
        assert_int_equal(nested(KSA_JSON_DEPTH + 1, "{\"a\":", "}"), KSA_NOT_A_TOKEN);
        assert_int_equal(nested(100000, "[", "]"), KSA_NOT_A_TOKEN);
        /* Closing brackets that open nothing buy no depth. */
        struct ksa_error error = {0};
        static const char text[] = "]]]]]]]]]]]]]]]]]]]][[[[[[[[[[[[[[[[[[[[";
        assert_int_equal(load(text, strlen(text), &error), KSA_NOT_A_TOKEN);
        assert_non_null(strstr(error.text, "nested deeper"));
}

/* A bracket after an escaped quote, at the very end, in a string that never ends. */
static void test_depth_around_strings(void **state)
{
        (void)state;
        assert_int_equal(load_text("{\"a\":\"\\"), KSA_NOT_A_TOKEN);
        assert_int_equal(load_text("{\"a\":\""), KSA_NOT_A_TOKEN);
        assert_int_equal(load_text("\\\"[[[[[[[[[[[[[[[[[[[["), KSA_NOT_A_TOKEN);
}

static void test_errors_quote_nothing(void **state)
{
        static const char *const texts[] = {"{\"hunter2\":}", "{\"hunter2\":1,\"hunter2\":1}",
                                            "{hunter2", "\"hunter2\"", "hunter2"};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(texts); i++) {
                struct ksa_error error = {0};

                assert_int_equal(load(texts[i], strlen(texts[i]), &error), KSA_NOT_A_TOKEN);
                assert_null(strstr(error.text, "hunter"));
                assert_string_not_equal(error.text, "");
        }
}

static void test_texts_of_members(void **state)
{
        static const char text[] = "{\"a\":\"x\",\"b\":7,\"c\":null,\"d\":[\"x\"]}";
        json_t *object = NULL;

        (void)state;
        assert_int_equal(ksa_json_load(text, strlen(text), &object, NULL), KSA_OK);
        assert_string_equal(ksa_json_text(object, "a"), "x");
        assert_null(ksa_json_text(object, "b"));
        assert_null(ksa_json_text(object, "c"));
        assert_null(ksa_json_text(object, "d"));
        assert_null(ksa_json_text(object, "e"));
        assert_null(ksa_json_text(NULL, "a"));
        ksa_json_free(&object);
        ksa_json_free(&object);
}

/* --- Documents ---------------------------------------------------------------- */

/* Texts before and after, of one length. Unchanged without a second one. */
static void test_replaced(void **state)
{
        static const char *const rows[][2] = {
                {"{\"a\":9223372036854775808}", "{\"a\":0.5                }"},
                {"{\"a\":-9223372036854775809}", "{\"a\":0.5                 }"},
                {"[1e400,-1e400]", "[0.5  ,0.5   ]"},
                {"{\"a\":1E+309,\"b\":9e308}", "{\"a\":0.5   ,\"b\":0.5  }"},
                {"{\"a\":1.7976931348623159e308}", "{\"a\":0.5                   }"},
                {"\"\\u0000\"", "\"\\ufffd\""},
                {"\"\\ud800\"", "\"\\ufffd\""},
                {"\"\\uDFFF\\u0041\"", "\"\\ufffd\\u0041\""},
                {"\"\\udbff\\ud800\\udc00\"", "\"\\ufffd\\ud800\\udc00\""},
                {"\"\\ud800\\n\"", "\"\\ufffd\\n\""},
                {"\"\\\\\\u0000\"", "\"\\\\\\ufffd\""},
                /* texts that jansson accepts */
                {"{\"a\":9223372036854775807,\"b\":-9223372036854775808}", NULL},
                {"{\"a\":1.7976931348623157e308,\"b\":1e-400,\"c\":0e999}", NULL},
                {"\"\\ud83d\\ude00\\u0001\\ufffd\"", NULL},
                {"\"1e400 \\\\u0000\"", NULL},
                /* invalid JSON stays invalid */
                {"{\"a\":1e400e}", "{\"a\":0.5  e}"},
                {"{\"a\":01e400}", "{\"a\":00.5  }"},
                {"{\"a\":.1e}", NULL},
                {"[-,1.,1e,1e+,+1]", NULL},
                {"\"\\u00\"", NULL},
                {"\"\\u000", NULL},
                {"\"\\ud800\\udc0", "\"\\ufffd\\udc0"},
                {"\"\\", NULL},
                {"-", NULL},
                {"1e", NULL},
                {"", NULL},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                const char *wanted = rows[i][1] != NULL ? rows[i][1] : rows[i][0];
                const size_t length = strlen(rows[i][0]);
                /* Of its own size: the sanitizers see a byte too many. */
                char *text = malloc(length + 1);

                assert_non_null(text);
                memcpy(text + 1, rows[i][0], length);
                ksa_json_replace(text + 1, length);
                assert_int_equal(strlen(wanted), length);
                if (memcmp(text + 1, wanted, length) != 0)
                        fail_msg("%s became %.*s", rows[i][0], (int)length, text + 1);
                free(text);
        }
}

static enum ksa_reason load_document(const char *bytes, size_t length, struct ksa_error *err)
{
        return load_by(ksa_json_load_document, bytes, length, err);
}

/* A document may have values that a token must not, in a member that ksa does not read. */
static void test_documents(void **state)
{
        static const struct {
                const char *text;
                bool is_object;
        } rows[] = {
                {"{\"a\":1e400}", true},
                {"\xef\xbb\xbf{}", true},
                {"{\"a\":18446744073709551615,\"b\":{\"c\":\"\\ud800\"}}", true},
                {"{\"\\u0000\":1}", true},
                {"{\"\\u0000\":1,\"\\ufffd\":2}", false}, /* one member twice */
                {"\xef\xbb\xbf\xef\xbb\xbf{}", false},
                {"{\"a\":1,\"a\":1e400}", false},
                {"{\"a\":01e400}", false},
                {"{\"a\":1e400 5}", false},
                {"{\"a\":-}", false},
                {"{\"a\":\"\\u00\"}", false},
                {"{\"a\":\"\xff\"}", false},
                {"[1e400]", false},
                {"\xef\xbb\xbf", false},
                {"{\"kind\":\"Status\"}", false},
                {"{\"kind\":\"Status\",\"message\":7}", false},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                const char *text = rows[i].text;

                if ((load_document(text, strlen(text), NULL) == KSA_OK) != rows[i].is_object)
                        fail_msg("%s", text);
                if (rows[i].is_object)
                        assert_int_equal(load(text, strlen(text), NULL), KSA_NOT_A_TOKEN);
        }
}

/* A reader that takes null for an absent member does not take a replaced number for one. */
static void test_replaced_is_not_absent(void **state)
{
        static const char text[] = "{\"a\":1e400,\"b\":18446744073709551615,\"c\":\"\\u0000\"}";
        json_t *object = NULL;

        (void)state;
        assert_int_equal(ksa_json_load_document(text, strlen(text), &object, NULL), KSA_OK);
        for (const char *name = "a"; name != NULL; name = *name == 'a' ? "b" : NULL) {
                const json_t *value = json_object_get(object, name);

                assert_false(json_is_null(value) || json_is_integer(value));
                assert_null(ksa_json_text(object, name));
        }
        assert_string_equal(ksa_json_text(object, "c"), "\xef\xbf\xbd");
        ksa_json_free(&object);
}

/* A literal and its length, NUL bytes within counted. */
#define BYTES(literal) (literal), sizeof(literal) - 1

/* The administrator gets the kind of the file, and the place of the first error. */
static void test_other_forms_are_named(void **state)
{
        static const struct {
                const char *bytes;
                size_t length;
                const char *name;
        } rows[] = {
                {BYTES(""), "empty"},
                {BYTES(" \r\n\t"), "empty"},
                {BYTES("\xef\xbb\xbf\n"), "empty"},
                {BYTES("\xff\xfe{\0}\0"), "UTF-16"},
                {BYTES("\xfe\xff\0{\0}"), "UTF-16"},
                {BYTES("{\0}\0"), "UTF-16"},
                {BYTES("\0{\0}"), "UTF-16"},
                {BYTES("\n<!DOCTYPE html>"), "HTML"},
                {BYTES("<?xml"), "HTML"},
                {BYTES("-----BEGIN PUBLIC KEY-----\nAAAA\n"), "PEM"},
                {BYTES("-----BEGIN RSA PRIVATE KEY-----\n"), "private key"},
                {BYTES("{\n \"a\": 1,\n \"b\" 2}"), "line 3, column 6"},
                {BYTES("\xef\xbb\xbf{\"a\" 2}"), "line 1, column 6"},
                {BYTES("{\"kind\":\"Status\",\"message\":\"x\\ny\"}"), "\"x\\x0ay\""},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_error error = {0};

                assert_int_equal(load_document(rows[i].bytes, rows[i].length, &error),
                                 KSA_NOT_A_TOKEN);
                if (strstr(error.text, rows[i].name) == NULL)
                        fail_msg("%s: %s", rows[i].name, error.text);
        }
}

/* The message of a Status is a text of others: a long one is cut, and one with a token's bytes left out. */
static void test_message_of_a_status(void **state)
{
        char text[2048], message[1025];
        struct ksa_error error = {0};

        (void)state;
        memset(message, 'm', sizeof(message) - 1);
        message[sizeof(message) - 1] = '\0';
        (void)snprintf(text, sizeof(text), "{\"kind\":\"Status\",\"message\":\"%s\"}", message);
        assert_int_equal(load_document(text, strlen(text), &error), KSA_NOT_A_TOKEN);
        assert_non_null(strstr(error.text, "mmm"));
        assert_true(strlen(error.text) < 256);
        static const char token[] = "{\"kind\":\"Status\",\"message\":\"bad eyJhbGciOi\"}";
        assert_int_equal(load_document(token, strlen(token), &error), KSA_NOT_A_TOKEN);
        assert_null(strstr(error.text, "eyJ"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_objects),
                cmocka_unit_test(test_what_is_none),
                cmocka_unit_test(test_nul_bytes),
                cmocka_unit_test(test_depth),
                cmocka_unit_test(test_depth_around_strings),
                cmocka_unit_test(test_errors_quote_nothing),
                cmocka_unit_test(test_texts_of_members),
                cmocka_unit_test(test_replaced),
                cmocka_unit_test(test_documents),
                cmocka_unit_test(test_replaced_is_not_absent),
                cmocka_unit_test(test_other_forms_are_named),
                cmocka_unit_test(test_message_of_a_status),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

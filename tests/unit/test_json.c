/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json.c: one object, not too deep, nothing twice, and no word of the library in an error. */
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

static enum ksa_reason load(const char *bytes, size_t length, struct ksa_error *err)
{
        /* A copy without a NUL behind it: the sanitizers see a byte too many. */
        char *copy = malloc(length + 1);
        json_t *object = NULL;

        assert_non_null(copy);
        memcpy(copy + 1, bytes, length);
        enum ksa_reason reason = ksa_json_load(copy + 1, length, &object, err);
        assert_int_equal(reason == KSA_OK, object != NULL);
        if (object != NULL)
                ksa_json_free(&object);
        assert_null(object);
        free(copy);
        return reason;
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

/* A bracket behind an escaped quote, at the very end, in a string that never ends. */
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
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

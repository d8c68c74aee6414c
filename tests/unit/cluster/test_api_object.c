/* SPDX-License-Identifier: BSD-2-Clause */
/* api_object.c: valid objects of the API with a status, and the types of their members. */
#include "cluster/api_object.h"

#include <string.h>

#include "support/support.h"
#include "token/json.h"

static enum ksa_reason load(const char *text, json_t **ret_object, json_t **ret_status)
{
        struct ksa_error error = {0};
        enum ksa_reason reason = ksa_api_object_load(text, strlen(text), "Thing", "v1", ret_object,
                                                     ret_status, &error);

        assert_int_equal(reason == KSA_OK, error.text[0] == '\0');
        return reason;
}

static void test_load(void **state)
{
        json_t *object = NULL, *status = NULL;

        (void)state;
        assert_int_equal(load("{\"status\":{\"a\":\"b\"},\"apiVersion\":\"v1\",\"kind\":\"Thing\"}",
                              &object, &status),
                         KSA_OK);
        assert_string_equal(ksa_json_text(status, "a"), "b");
        ksa_json_free(&object);
}

static void test_what_is_none(void **state)
{
        static const char *const texts[] = {
                "",
                "[]",
                "{}",
                "{\"kind\":\"Thing\",\"apiVersion\":\"v1\",\"status\":{}",
                "{\"kind\":\"Thing\",\"apiVersion\":\"v1\",\"status\":{}}x",
                "{\"kind\":\"Thing\",\"apiVersion\":\"v1\",\"status\":{},\"status\":{}}",
                "{\"kind\":\"Thing\",\"apiVersion\":\"v1\",\"status\":{\"a\":1,\"a\":1}}",
                "{\"kind\":\"Thing\",\"apiVersion\":\"v1\"}",
                "{\"kind\":\"Thing\",\"apiVersion\":\"v1\",\"status\":\"Failure\"}",
                "{\"kind\":\"Thing\",\"apiVersion\":\"v1\",\"status\":[]}",
                "{\"kind\":\"Thing\",\"apiVersion\":\"v1\",\"status\":null}",
                "{\"kind\":\"Thing\",\"apiVersion\":\"v2\",\"status\":{}}",
                "{\"kind\":\"Thing\",\"status\":{}}",
                "{\"kind\":\"thing\",\"apiVersion\":\"v1\",\"status\":{}}",
                "{\"kind\":[\"Thing\"],\"apiVersion\":\"v1\",\"status\":{}}",
                "{\"apiVersion\":\"v1\",\"status\":{}}",
                "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\"}",
                "Too many requests, please try again later.\n",
        };
        json_t *object = NULL, *status = NULL;

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(texts); i++) {
                if (load(texts[i], &object, &status) != KSA_API_BROKEN)
                        fail_msg("%s", texts[i]);
                assert_null(object);
                assert_null(status);
        }
}

static void test_write(void **state)
{
        struct ksa_secret *text =
                ksa_api_object_write(json_pack("{s:s, s:[i]}", "a", "b\"\\\n", "c", 1));

        (void)state;
        assert_string_equal(ksa_secret_bytes(text), "{\"a\":\"b\\\"\\\\\\n\",\"c\":[1]}");
        assert_int_equal(ksa_secret_length(text), strlen(ksa_secret_bytes(text)));
        ksa_secret_free(&text);
        text = ksa_api_object_write(json_string("x"));
        assert_string_equal(ksa_secret_bytes(text), "\"x\"");
        ksa_secret_free(&text);
        assert_null(ksa_api_object_write(NULL));
}

static void test_types(void **state)
{
        static const struct {
                const char *text;
                bool may_be_text, may_be_flag, may_be_texts;
        } rows[] = {
                {"\"\"", true, false, false},
                {"true", false, true, false},
                {"false", false, true, false},
                {"[]", false, false, true},
                {"[\"a\",\"b\"]", false, false, true},
                {"[\"a\",1]", false, false, false},
                {"[null]", false, false, false},
                {"[[\"a\"]]", false, false, false},
                {"{}", false, false, false},
                {"null", false, false, false},
                {"0", false, false, false},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                json_t *value = json_loads(rows[i].text, JSON_DECODE_ANY, NULL);

                assert_non_null(value);
                assert_int_equal(ksa_api_object_may_be_text(value), rows[i].may_be_text);
                assert_int_equal(ksa_api_object_may_be_flag(value), rows[i].may_be_flag);
                assert_int_equal(ksa_api_object_may_be_texts(value), rows[i].may_be_texts);
                json_decref(value);
        }
        assert_true(ksa_api_object_may_be_text(NULL));
        assert_true(ksa_api_object_may_be_flag(NULL));
        assert_true(ksa_api_object_may_be_texts(NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_load),
                cmocka_unit_test(test_what_is_none),
                cmocka_unit_test(test_write),
                cmocka_unit_test(test_types),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

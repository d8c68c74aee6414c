/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reason.c, error.c, json.c, index.c, network.c: what everything stands on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "index.h"
#include "json.h"
#include "network.h"
#include "support.h"

static void test_reasons(void **state)
{
        (void)state;
        for (unsigned i = 0; i < KSA_REASON_COUNT; i++) {
                enum ksa_reason reason = (enum ksa_reason)i;

                assert_int_not_equal(ksa_reason_outcome(reason), KSA_ALLOW);
                assert_true(strlen(ksa_reason_word(reason)) > 3);
                assert_true(strlen(ksa_reason_text(reason)) > 10);
                assert_non_null(ksa_reason_remedy(reason));
                for (unsigned n = 0; n < i; n++)
                        assert_string_not_equal(ksa_reason_word((enum ksa_reason)n),
                                                ksa_reason_word(reason));
        }
        assert_int_equal(ksa_reason_outcome(KSA_OK), KSA_DENY);
        assert_int_equal(ksa_reason_outcome((enum ksa_reason)12345), KSA_DENY);
        assert_int_equal(KSA_DENY, 0);
        assert_string_equal(ksa_reason_word(KSA_OK), "ok");
}

static void test_errors(void **state)
{
        struct ksa_error error = {0};
        char text[2000];

        (void)state;
        errno = EXDEV;
        assert_int_equal(ksa_fail(&error, KSA_EXPIRED, "%s %d", "for", 4), KSA_EXPIRED);
        ksa_error_at(&error, "/etc/ksa/ksa.conf", 7);
        assert_int_equal(errno, EXDEV);
        assert_string_equal(error.text, "for 4");
        assert_string_equal(error.file, "/etc/ksa/ksa.conf");
        assert_int_equal(error.line, 7);
        memset(text, 'x', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        assert_int_equal(ksa_fail(&error, KSA_EXPIRED, "%s", text), KSA_EXPIRED);
        assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
        assert_int_equal(ksa_fail(NULL, KSA_MEMORY, "x"), KSA_MEMORY);
        ksa_error_at(NULL, "x", 1);
}

static void test_json(void **state)
{
        static const char *const good[] = {"{}", "{\"a\":1}", " {\"a\":[[{}]]} ", "{\"a\":\"[[[[\"}"};
        static const char *const bad[] = {"",           "[]",        "1",        "null",
                                          "{",          "{}{}",      "{\"a\":1,\"a\":1}",
                                          "{\"a\":{\"b\":1,\"b\":2}}", "{\"a\":\"\\u0000\"}",
                                          "{\"\\u0000\":1}",           "{\"a\":\"\xff\"}",
                                          "{'a':1}",    "{\"a\":01}", "{\"a\":NaN}",
                                          "{\"a\":[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}"};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(good); i++) {
                json_t *object = NULL;

                assert_int_equal(ksa_json_load(good[i], strlen(good[i]), &object, NULL), KSA_OK);
                ksa_json_free(&object);
                assert_null(object);
        }
        for (size_t i = 0; i < KSA_COUNT(bad); i++) {
                struct ksa_error error = {0};
                json_t *object = NULL;

                assert_int_equal(ksa_json_load(bad[i], strlen(bad[i]), &object, &error),
                                 KSA_NOT_A_TOKEN);
                assert_null(object);
                assert_string_not_equal(error.text, "");
        }
        json_t *object = NULL;
        assert_int_equal(ksa_json_load("{}\0", 3, &object, NULL), KSA_NOT_A_TOKEN);
}

/* The library quotes what it could not read; that may be a token. */
static void test_json_error_quotes_nothing(void **state)
{
        static const char text[] = "{\"a\":hunter2}";
        struct ksa_error error = {0};
        json_t *object = NULL;

        (void)state;
        assert_int_equal(ksa_json_load(text, strlen(text), &object, &error), KSA_NOT_A_TOKEN);
        assert_null(strstr(error.text, "hunter2"));
}

static void test_index(void **state)
{
        struct ksa_index index = {0};
        uint32_t position, number;

        (void)state;
        for (uint32_t i = 0; i < 10000; i++)
                assert_true(ksa_index_add(&index, i % 100, i));
        for (uint32_t hash = 0; hash < 100; hash++) {
                uint32_t expected = hash;

                position = ksa_index_find(&index, hash);
                while (ksa_index_next(&index, hash, &position, &number)) {
                        assert_int_equal(number, expected);
                        expected += 100;
                }
                assert_int_equal(expected, 10000 + hash);
        }
        position = ksa_index_find(&index, 12345);
        assert_false(ksa_index_next(&index, 12345, &position, &number));
        ksa_index_clear(&index);
        position = ksa_index_find(&index, 1);
        assert_false(ksa_index_next(&index, 1, &position, &number));
        const char *const one[] = {"ab", "c"}, *const other[] = {"a", "bc"};
        assert_true(ksa_index_hash(one, 2) != ksa_index_hash(other, 2));
}

static bool lies_in(const char *network, const char *address)
{
        struct ksa_network outer, inner;

        assert_true(ksa_network_parse(network, &outer));
        return ksa_address_parse(address, &inner) && ksa_network_contains(&outer, &inner);
}

static void test_networks(void **state)
{
        static const char *const bad[] = {"",        "10.0.0.0/33", "10.0.0.1/8", "10.0.0/8",
                                          "host",    "10.0.0.0/",   "10.0.0.0/08", "fd00::/129",
                                          "fd00::1/8", "10.0.0.0/8x", "/8", "010.0.0.0/8",
                                          "10.0.0.0/-1", "10.0.0.0/ 8"};
        struct ksa_network network;

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(bad); i++)
                assert_false(ksa_network_parse(bad[i], &network));
        assert_true(lies_in("10.0.0.0/8", "10.255.0.1"));
        assert_false(lies_in("10.0.0.0/8", "11.0.0.1"));
        assert_true(lies_in("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert_false(lies_in("::/0", "10.1.2.3"));
        assert_false(lies_in("0.0.0.0/0", "fd00::1"));
        assert_true(lies_in("fd00::/8", "fd12::1"));
        assert_true(lies_in("fe80::/10", "fe80::1%eth0"));
        assert_true(lies_in("192.0.2.1", "192.0.2.1"));
        assert_false(lies_in("192.0.2.1", "192.0.2.2"));
        assert_false(lies_in("0.0.0.0/0", "build-9.example.com"));
        assert_false(lies_in("0.0.0.0/0", ""));
        assert_false(lies_in("0.0.0.0/0", "10.1.2.3 "));
        assert_true(lies_in("10.0.0.0/9", "10.127.255.255"));
        assert_false(lies_in("10.0.0.0/9", "10.128.0.0"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_reasons),
                cmocka_unit_test(test_errors),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_json_error_quotes_nothing),
                cmocka_unit_test(test_index),
                cmocka_unit_test(test_networks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* token.c: the claims as they are read; whether they are good enough is claims.c's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/signer.h"
#include "support/support.h"

static const unsigned char zeros[64];

static enum ksa_reason parse_payload(const char *payload, struct ksa_token *ret_token,
                                     struct ksa_secret **ret_text, struct ksa_error *err)
{
        *ret_text = token_of("{\"alg\":\"ES256\",\"kid\":\"k1\"}", payload, zeros, 64);
        return ksa_token_parse(*ret_text, ret_token, err);
}

static void expect(const char *payload, enum ksa_reason wanted)
{
        struct ksa_token token;
        struct ksa_secret *text;
        struct ksa_error error = {0};
        enum ksa_reason reason = parse_payload(payload, &token, &text, &error);

        if (reason != wanted)
                fail_msg("%s: %s (%s)", payload, ksa_reason_name(reason), error.text);
        ksa_token_clear(&token);
        ksa_secret_free(&text);
}

/* --- One member of a wrong type --------------------------------------------- */

static void test_texts(void **state)
{
        static const char *const members[] = {"iss",
                                              "sub",
                                              "jti",
                                              "kubernetes.io/namespace",
                                              "kubernetes.io/serviceaccount/name",
                                              "kubernetes.io/serviceaccount/uid",
                                              "kubernetes.io/pod/name",
                                              "kubernetes.io/pod/uid",
                                              "kubernetes.io/secret/name",
                                              "kubernetes.io/secret/uid",
                                              "kubernetes.io/node/name",
                                              "kubernetes.io/node/uid"};
        static const char *const wrong[] = {"null", "1", "1.5", "true", "[]", "[\"a\"]", "{}"};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(members); i++) {
                for (size_t n = 0; n < KSA_COUNT(wrong); n++) {
                        char *payload = claims_with(members[i], wrong[n]);

                        expect(payload, KSA_BAD_CLAIMS);
                        free(payload);
                }
                char *nul = claims_with(members[i], "\"a\\u0000b\"");
                expect(nul, KSA_NOT_A_TOKEN);
                free(nul);
        }
}

static void test_objects(void **state)
{
        static const char *const members[] = {"kubernetes.io", "kubernetes.io/serviceaccount",
                                              "kubernetes.io/pod", "kubernetes.io/secret",
                                              "kubernetes.io/node"};
        static const char *const wrong[] = {"null", "1", "\"a\"", "[]", "true"};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(members); i++) {
                for (size_t n = 0; n < KSA_COUNT(wrong); n++) {
                        char *payload = claims_with(members[i], wrong[n]);

                        expect(payload, KSA_BAD_CLAIMS);
                        free(payload);
                }
        }
}

/* --- Times ------------------------------------------------------------------ */

static const struct {
        const char *value;
        enum ksa_reason reason;
} times[] = {
        {"0", KSA_OK},
        {"1795464267", KSA_OK},
        {"253402300799", KSA_OK},
        {"253402300800", KSA_BAD_CLAIMS},
        {"9223372036854775807", KSA_BAD_CLAIMS},
        {"-1", KSA_BAD_CLAIMS},
        {"-9223372036854775808", KSA_BAD_CLAIMS},
        {"\"1795464267\"", KSA_BAD_CLAIMS},
        {"1795464267.0", KSA_BAD_CLAIMS},
        {"1795464267.5", KSA_BAD_CLAIMS},
        {"1e9", KSA_BAD_CLAIMS},
        {"null", KSA_BAD_CLAIMS},
        {"true", KSA_BAD_CLAIMS},
        {"[1795464267]", KSA_BAD_CLAIMS},
        {"{}", KSA_BAD_CLAIMS},
        /* Not even JSON numbers that jansson takes. */
        {"9223372036854775808", KSA_NOT_A_TOKEN},
        {"18446744073709551617", KSA_NOT_A_TOKEN},
        {"-9223372036854775809", KSA_NOT_A_TOKEN},
        {"1e999", KSA_NOT_A_TOKEN},
        {"0x10", KSA_NOT_A_TOKEN},
        {"01", KSA_NOT_A_TOKEN},
        {"+1", KSA_NOT_A_TOKEN},
        {"NaN", KSA_NOT_A_TOKEN},
        {"", KSA_NOT_A_TOKEN},
};

static void test_times(void **state)
{
        static const char *const members[] = {"exp", "nbf", "iat"};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(members); i++) {
                for (size_t n = 0; n < KSA_COUNT(times); n++) {
                        char payload[128];

                        (void)snprintf(payload, sizeof(payload), "{\"%s\":%s}", members[i],
                                       times[n].value);
                        expect(payload, times[n].reason);
                }
        }
}

static void test_times_land_where_they_belong(void **state)
{
        struct ksa_token token;
        struct ksa_secret *text;
        struct ksa_error error = {0};

        (void)state;
        assert_int_equal(parse_payload("{\"exp\":3,\"nbf\":1,\"iat\":2}", &token, &text, &error),
                         KSA_OK);
        assert_int_equal(token.exp.seconds, 3);
        assert_int_equal(token.nbf.seconds, 1);
        assert_int_equal(token.iat.seconds, 2);
        ksa_token_clear(&token);
        ksa_secret_free(&text);
}

/* --- Audiences -------------------------------------------------------------- */

static const struct {
        const char *payload;
        enum ksa_reason reason;
        size_t count;
} audiences[] = {
        {"{}", KSA_OK, 0},
        {"{\"aud\":[]}", KSA_OK, 0},
        {"{\"aud\":\"a\"}", KSA_OK, 1},
        {"{\"aud\":[\"a\"]}", KSA_OK, 1},
        {"{\"aud\":[\"a\",\"b\"]}", KSA_OK, 2},
        {"{\"aud\":[\"a\",\"a\"]}", KSA_OK, 2}, /* two, though the same */
        {"{\"aud\":\"\"}", KSA_OK, 1},
        {"{\"aud\":null}", KSA_BAD_CLAIMS, 0},
        {"{\"aud\":1}", KSA_BAD_CLAIMS, 0},
        {"{\"aud\":{}}", KSA_BAD_CLAIMS, 0},
        {"{\"aud\":{\"a\":\"b\"}}", KSA_BAD_CLAIMS, 0},
        {"{\"aud\":[1]}", KSA_BAD_CLAIMS, 0},
        {"{\"aud\":[null]}", KSA_BAD_CLAIMS, 0},
        {"{\"aud\":[[\"a\"]]}", KSA_BAD_CLAIMS, 0},
        {"{\"aud\":[\"a\",1]}", KSA_BAD_CLAIMS, 1},
        {"{\"aud\":[\"a\\u0000\"]}", KSA_NOT_A_TOKEN, 0},
};

static void test_audiences(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(audiences); i++) {
                struct ksa_token token;
                struct ksa_secret *text;
                struct ksa_error error = {0};
                enum ksa_reason reason = parse_payload(audiences[i].payload, &token, &text, &error);

                if (reason != audiences[i].reason || token.audiences.count != audiences[i].count)
                        fail_msg("%s: %s, %zu audiences", audiences[i].payload,
                                 ksa_reason_name(reason), token.audiences.count);
                ksa_token_clear(&token);
                ksa_secret_free(&text);
        }
}

static void test_at_most_32_audiences(void **state)
{
        (void)state;
        for (size_t count = KSA_AUDIENCES_MAX; count <= KSA_AUDIENCES_MAX + 1; count++) {
                char payload[512];
                size_t length = (size_t)snprintf(payload, sizeof(payload), "{\"aud\":[\"a\"");

                for (size_t i = 1; i < count; i++)
                        length += (size_t)snprintf(payload + length, sizeof(payload) - length,
                                                   ",\"a\"");
                (void)snprintf(payload + length, sizeof(payload) - length, "]}");
                expect(payload, count > KSA_AUDIENCES_MAX ? KSA_BAD_CLAIMS : KSA_OK);
        }
}

/* --- Invalid JSON ----------------------------------------------------------- */

static const char *const not_json[] = {
        "",
        "{",
        "}",
        "{}{}",
        "{} x",
        "[]",
        "[{}]",
        "null",
        "\"{}\"",
        "{\"iss\":\"a\",}",
        "{iss:\"a\"}",
        "{\"iss\":\"a\",\"iss\":\"a\"}",
        "{\"iss\":\"a\",\"iss\":\"b\"}",
        "{\"iss\":\"a\",\"\\u0069ss\":\"b\"}", /* the same name in another spelling */
        "{\"kubernetes.io\":{\"namespace\":\"a\",\"namespace\":\"b\"}}",
        "{\"kubernetes.io\":{\"pod\":{\"name\":\"a\",\"name\":\"b\"}}}",
        "{\"x\":[{\"a\":[{\"b\":1,\"b\":1}]}]}",
        "{\"iss\":\"\xff\"}",
        "{\"iss\":\"\xc0\xaf\"}",     /* an over-long slash */
        "{\"iss\":\"\xed\xa0\x80\"}", /* half a surrogate pair */
        "{\"iss\":\"\\ud800\"}",
        "{\"\\u0000\":1}",
        "{\"iss\":\"a\nb\"}",
        "{\"iss\":\"a\" /* comment */}",
};

static void test_not_json(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(not_json); i++)
                expect(not_json[i], KSA_NOT_A_TOKEN);
}

/* An unknown claim is not a reason to refuse: a newer API server may add some. */
static void test_unknown_claims_are_ignored(void **state)
{
        static const char *const members[] = {"nonce", "kubernetes.io/node",
                                              "kubernetes.io/warnafter", "kubernetes.io/secret",
                                              "kubernetes.io/serviceaccount/more"};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(members); i++) {
                char *payload = claims_with(members[i], "{\"a\":[1.5,null]}");

                expect(payload, KSA_OK);
                free(payload);
        }
}

/* A log line has the known claims, even if a later claim is wrong. */
static void test_facts_before_a_failure_are_kept(void **state)
{
        struct ksa_token token;
        struct ksa_secret *text;
        struct ksa_error error = {0};
        char *payload = claims_with("exp", "\"soon\"");

        (void)state;
        assert_int_equal(parse_payload(payload, &token, &text, &error), KSA_BAD_CLAIMS);
        assert_string_equal(token.kid, "k1");
        assert_string_equal(token.iss, ISSUER);
        assert_int_equal(token.audiences.count, 1);
        assert_false(token.exp.given);
        ksa_token_clear(&token);
        ksa_secret_free(&text);
        free(payload);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_objects),
                cmocka_unit_test(test_times),
                cmocka_unit_test(test_times_land_where_they_belong),
                cmocka_unit_test(test_audiences),
                cmocka_unit_test(test_at_most_32_audiences),
                cmocka_unit_test(test_not_json),
                cmocka_unit_test(test_unknown_claims_are_ignored),
                cmocka_unit_test(test_facts_before_a_failure_are_kept),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

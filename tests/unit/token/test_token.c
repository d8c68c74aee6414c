/* SPDX-License-Identifier: BSD-2-Clause */
/* token.c: the shape of a token and its header; test_token_claims.c has the claims. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/signer.h"
#include "support/support.h"

static const unsigned char zeros[1024];

/* --- Algorithms ------------------------------------------------------------- */

static void test_algorithm_names(void **state)
{
        static const char *const others[] = {"",      "none",  "None",  "rs256", "RS256 ", "RS384",
                                             "RS512", "PS256", "HS256", "EdDSA", "ES256K"};

        (void)state;
        assert_int_equal(ksa_algorithm_find("RS256"), KSA_RS256);
        assert_int_equal(ksa_algorithm_find("ES256"), KSA_ES256);
        assert_int_equal(ksa_algorithm_find("ES384"), KSA_ES384);
        assert_int_equal(ksa_algorithm_find("ES512"), KSA_ES512);
        assert_string_equal(ksa_algorithm_name(KSA_ES384), "ES384");
        for (size_t i = 0; i < KSA_COUNT(others); i++)
                assert_int_equal(ksa_algorithm_find(others[i]), KSA_ALGORITHM_NONE);
}

/* The same text, or both none. */
static void assert_same(const char *text, const char *wanted)
{
        assert_int_equal(text == NULL, wanted == NULL);
        if (wanted != NULL)
                assert_string_equal(text, wanted);
}

/* --- A good one ------------------------------------------------------------- */

static void test_all_that_a_token_says(void **state)
{
        struct ksa_token token;
        struct ksa_error error = {0};
        char *claims = claims_with("kubernetes.io/pod", "{\"name\":\"job-1\",\"uid\":\"u-2\"}");
        struct ksa_secret *text =
                token_of("{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"JWT\"}", claims, zeros, 64);

        (void)state;
        assert_int_equal(ksa_token_parse(text, &token, &error), KSA_OK);
        assert_int_equal(token.algorithm, KSA_ES256);
        assert_string_equal(token.kid, "k1");
        assert_string_equal(token.iss, ISSUER);
        assert_string_equal(token.sub, "system:serviceaccount:ci:deployer");
        assert_string_equal(token.jti, "360a28dd-aad8-410c-9da1-8297ad167b1e");
        assert_int_equal(token.audiences.count, 1);
        assert_string_equal(ksa_list_text(&token.audiences, 0), AUDIENCE);
        assert_true(token.exp.given && token.nbf.given && token.iat.given);
        assert_int_equal(token.exp.seconds, NOW + 600);
        assert_int_equal(token.nbf.seconds, NOW);
        assert_int_equal(token.iat.seconds, NOW);
        assert_string_equal(token.namespace, "ci");
        assert_string_equal(token.account, "deployer");
        assert_string_equal(token.account_uid, "055340be-da7c-4afd-8213-e998a1704706");
        assert_string_equal(token.pod, "job-1");
        assert_string_equal(token.pod_uid, "u-2");
        assert_int_equal(ksa_secret_length(token.signature), 64);
        /* Header, dot and payload are what was signed. */
        assert_ptr_equal(token.compact, ksa_secret_bytes(text));
        assert_int_equal(token.compact[token.signed_length], '.');
        assert_null(strchr(token.compact + token.signed_length + 1, '.'));
        ksa_token_clear(&token);
        assert_null(token.signature);
        ksa_secret_free(&text);
        free(claims);
}

/* A fact that the token does not have is NULL or not given, and nothing else is wrong with it. */
static void test_a_token_that_says_nothing(void **state)
{
        struct ksa_token token;
        struct ksa_error error = {0};
        struct ksa_secret *text = token_of("{\"alg\":\"ES256\"}", "{}", zeros, 64);

        (void)state;
        assert_int_equal(ksa_token_parse(text, &token, &error), KSA_OK);
        assert_null(token.kid);
        assert_null(token.iss);
        assert_null(token.sub);
        assert_null(token.jti);
        assert_int_equal(token.audiences.count, 0);
        assert_false(token.exp.given || token.nbf.given || token.iat.given);
        assert_null(token.namespace);
        assert_null(token.account);
        assert_null(token.account_uid);
        assert_null(token.pod);
        assert_null(token.pod_uid);
        assert_string_equal(ksa_token_bound(&token), "none");
        ksa_token_clear(&token);
        ksa_secret_free(&text);
}

/* TokenRequest binds a token to one object; a token of a Pod names its node since Kubernetes 1.30. */
static void test_what_a_token_is_bound_to(void **state)
{
        static const struct {
                const char *member, *value, *kind;
                const char *pod, *secret, *node, *node_uid;
        } rows[] = {
                {"kubernetes.io/pod", "{\"name\":\"a\",\"uid\":\"u\"}", "pod", "a", NULL, NULL,
                 NULL},
                {"kubernetes.io/pod", "{\"uid\":\"u\"}", "pod", NULL, NULL, NULL, NULL},
                {"kubernetes.io/secret", "{\"name\":\"b\",\"uid\":\"u\"}", "secret", NULL, "b",
                 NULL, NULL},
                {"kubernetes.io/node", "{\"name\":\"c\",\"uid\":\"v\"}", "node", NULL, NULL, "c",
                 "v"},
                {"kubernetes.io",
                 "{\"node\":{\"name\":\"c\",\"uid\":\"v\"},\"pod\":{\"name\":\"a\"}}", "pod", "a",
                 NULL, "c", "v"},
                {"kubernetes.io/node", "{}", "none", NULL, NULL, NULL, NULL},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                char *claims = claims_with(rows[i].member, rows[i].value);
                struct ksa_secret *text = token_of("{\"alg\":\"ES256\"}", claims, zeros, 64);
                struct ksa_token token;

                assert_int_equal(ksa_token_parse(text, &token, NULL), KSA_OK);
                assert_string_equal(ksa_token_bound(&token), rows[i].kind);
                assert_same(token.pod, rows[i].pod);
                assert_same(token.secret, rows[i].secret);
                assert_same(token.node, rows[i].node);
                assert_same(token.node_uid, rows[i].node_uid);
                ksa_token_clear(&token);
                ksa_secret_free(&text);
                free(claims);
        }
}

/* --- Shape ------------------------------------------------------------------ */

#define HEADER "eyJhbGciOiJFUzI1NiJ9" /* {"alg":"ES256"} */
#define EMPTY  "e30"                  /* {} */
#define SIGNATURE                                     \
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
/* 86 characters whose last one has unused bits set. */
#define NOT_CANONICAL                                 \
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"

static const struct {
        const char *text;
        enum ksa_reason reason;
} shapes[] = {
        {HEADER "." EMPTY "." SIGNATURE, KSA_OK},
        {"", KSA_NOT_A_TOKEN},
        {" ", KSA_NOT_A_TOKEN},
        {"hunter2", KSA_NOT_A_TOKEN},
        {".", KSA_NOT_A_TOKEN},
        {"..", KSA_NOT_A_TOKEN},
        {"...", KSA_NOT_A_TOKEN},
        {"....", KSA_NOT_A_TOKEN},
        {"a.b.c", KSA_NOT_A_TOKEN},
        {HEADER, KSA_CUT_SHORT},
        {"eyJ", KSA_CUT_SHORT},
        {HEADER "." EMPTY, KSA_CUT_SHORT},
        {HEADER "." EMPTY ".", KSA_CUT_SHORT},
        {HEADER "." EMPTY ".AAAA", KSA_CUT_SHORT},
        {HEADER "." EMPTY ".A", KSA_CUT_SHORT},
        {HEADER ".." SIGNATURE, KSA_NOT_A_TOKEN},
        {"." EMPTY "." SIGNATURE, KSA_NOT_A_TOKEN},
        {HEADER "." EMPTY "." SIGNATURE ".", KSA_NOT_A_TOKEN},
        {HEADER "." EMPTY "." SIGNATURE ".AAAA", KSA_NOT_A_TOKEN},
        {HEADER "." EMPTY "." SIGNATURE ".AAAA.AAAA", KSA_NOT_A_TOKEN},
        {HEADER "." EMPTY "." SIGNATURE ".AAAA.AAAA.AAAA", KSA_NOT_A_TOKEN},
        {" " HEADER "." EMPTY "." SIGNATURE, KSA_NOT_A_TOKEN},
        {HEADER "." EMPTY "." SIGNATURE " ", KSA_NOT_A_TOKEN},
        {HEADER "." EMPTY "." SIGNATURE "\n", KSA_NOT_A_TOKEN},
        {"Bearer " HEADER "." EMPTY "." SIGNATURE, KSA_NOT_A_TOKEN},
        {HEADER "=." EMPTY "." SIGNATURE, KSA_NOT_A_TOKEN},
        {HEADER "." EMPTY "=." SIGNATURE, KSA_NOT_A_TOKEN},
        {HEADER "." EMPTY "." SIGNATURE "==", KSA_NOT_A_TOKEN},
        {HEADER "." EMPTY "." NOT_CANONICAL, KSA_NOT_A_TOKEN},
        {HEADER ".e31." SIGNATURE, KSA_NOT_A_TOKEN}, /* not canonical */
        {HEADER ".e+0." SIGNATURE, KSA_NOT_A_TOKEN},
        {HEADER ".e/0." SIGNATURE, KSA_NOT_A_TOKEN},
        {HEADER ".W10." SIGNATURE, KSA_NOT_A_TOKEN},    /* [] */
        {HEADER ".MQ." SIGNATURE, KSA_NOT_A_TOKEN},     /* 1 */
        {HEADER ".IiI." SIGNATURE, KSA_NOT_A_TOKEN},    /* "" */
        {HEADER ".bnVsbA." SIGNATURE, KSA_NOT_A_TOKEN}, /* null */
        {"W10." EMPTY "." SIGNATURE, KSA_NOT_A_TOKEN},  /* [] as header */
        {HEADER ".e30g." SIGNATURE, KSA_OK},            /* a space after the object */
        {HEADER ".e317fQ." SIGNATURE, KSA_NOT_A_TOKEN}, /* {}{} */
        {"eyJhbGciOiJFUzI1NiJ9Cg." EMPTY "." SIGNATURE, KSA_OK},
};

static enum ksa_reason parse(const struct ksa_secret *text, struct ksa_error *err)
{
        struct ksa_token token;
        enum ksa_reason reason = ksa_token_parse(text, &token, err);

        ksa_token_clear(&token);
        return reason;
}

static void test_shapes(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(shapes); i++) {
                struct ksa_secret *text = secret_of(shapes[i].text);
                struct ksa_error error = {0};
                enum ksa_reason reason = parse(text, &error);

                if (reason != shapes[i].reason)
                        fail_msg("%s: %s (%s)", shapes[i].text, ksa_reason_name(reason),
                                 error.text);
                ksa_secret_free(&text);
        }
}

static void test_nul_inside(void **state)
{
        static const char with_nul[] = HEADER "." EMPTY ".\0" SIGNATURE;
        struct ksa_secret *text = ksa_secret_new(sizeof(with_nul));

        (void)state;
        assert_true(ksa_secret_append(text, with_nul, sizeof(with_nul) - 1));
        assert_int_equal(parse(text, NULL), KSA_NOT_A_TOKEN);
        ksa_secret_free(&text);
}

/* Cut anywhere, a token is never taken for another. */
static void test_cut_at_every_byte(void **state)
{
        char *claims = claims_with(NULL, NULL);
        struct ksa_secret *whole =
                token_of("{\"alg\":\"ES256\",\"kid\":\"k1\"}", claims, zeros, 64);

        (void)state;
        for (size_t length = 3; length < ksa_secret_length(whole); length++) {
                struct ksa_secret *text = ksa_secret_new(length);

                assert_true(ksa_secret_append(text, ksa_secret_bytes(whole), length));
                assert_int_equal(parse(text, NULL), KSA_CUT_SHORT);
                ksa_secret_free(&text);
        }
        ksa_secret_free(&whole);
        free(claims);
}

/* A token of exactly LENGTH bytes; its last character would not be canonical among the rest. */
static struct ksa_secret *token_of_length(size_t length)
{
        static const char head[] = "eyJhbGciOiJSUzI1NiJ9." EMPTY "."; /* RS256 */
        struct ksa_secret *text = ksa_secret_new(length);
        size_t room;

        assert_non_null(text);
        assert_true(ksa_secret_append(text, head, sizeof(head) - 1));
        char *tail = ksa_secret_tail(text, &room);
        memset(tail, 'A', room);
        tail[room - 1] = '-';
        ksa_secret_extend(text, room);
        return text;
}

static void test_lengths_where_others_cut(void **state)
{
        static const struct {
                size_t length;
                enum ksa_reason reason;
        } rows[] = {{511, KSA_CUT_SHORT},
                    {1022, KSA_NOT_A_TOKEN},
                    {1023, KSA_CUT_SHORT},
                    {1024, KSA_CUT_SHORT}};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_secret *text = token_of_length(rows[i].length);
                struct ksa_error error = {0};

                assert_int_equal(parse(text, &error), rows[i].reason);
                assert_int_equal(strstr(error.text, "ksa-askpass") != NULL, rows[i].length == 1023);
                ksa_secret_free(&text);
        }
}

/* 16384 bytes are parsed, 16385 are not read. */
static void test_longest_token(void **state)
{
        (void)state;
        for (size_t length = KSA_TOKEN_MAX; length <= KSA_TOKEN_MAX + 1; length++) {
                struct ksa_secret *text = token_of_length(length);
                enum ksa_reason reason = parse(text, NULL);

                if (length > KSA_TOKEN_MAX)
                        assert_int_equal(reason, KSA_TOKEN_TOO_LONG);
                else
                        assert_int_not_equal(reason, KSA_TOKEN_TOO_LONG);
                ksa_secret_free(&text);
        }
}

/* The shortest signature of each algorithm, and a byte less. */
static void test_shortest_signatures(void **state)
{
        static const struct {
                const char *header;
                size_t length;
        } rows[] = {{"{\"alg\":\"RS256\"}", 256},
                    {"{\"alg\":\"ES256\"}", 64},
                    {"{\"alg\":\"ES384\"}", 96},
                    {"{\"alg\":\"ES512\"}", 132}};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_secret *text = token_of(rows[i].header, "{}", zeros, rows[i].length);

                assert_int_equal(parse(text, NULL), KSA_OK);
                ksa_secret_free(&text);
                text = token_of(rows[i].header, "{}", zeros, rows[i].length - 1);
                assert_int_equal(parse(text, NULL), KSA_CUT_SHORT);
                ksa_secret_free(&text);
        }
}

/* --- Header ----------------------------------------------------------------- */

static const struct {
        const char *header;
        enum ksa_reason reason;
} headers[] = {
        {"{\"alg\":\"ES256\",\"kid\":\"k1\"}", KSA_OK},
        {"{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"JWT\"}", KSA_OK},
        {"{\"kid\":\"k1\",\"alg\":\"ES256\"}", KSA_OK},
        {"{\"alg\":\"ES256\",\"kid\":\"\"}", KSA_OK}, /* no kid: refused where the key is sought */
        {"{}", KSA_BAD_ALGORITHM},
        {"{\"alg\":null}", KSA_BAD_ALGORITHM},
        {"{\"alg\":256}", KSA_BAD_ALGORITHM},
        {"{\"alg\":[\"ES256\"]}", KSA_BAD_ALGORITHM},
        {"{\"alg\":\"\"}", KSA_BAD_ALGORITHM},
        {"{\"alg\":\"none\"}", KSA_BAD_ALGORITHM},
        {"{\"alg\":\"nOnE\"}", KSA_BAD_ALGORITHM},
        {"{\"alg\":\"es256\"}", KSA_BAD_ALGORITHM},
        {"{\"alg\":\"HS256\"}", KSA_BAD_ALGORITHM},
        {"{\"alg\":\"PS256\"}", KSA_BAD_ALGORITHM},
        {"{\"alg\":\"RS384\"}", KSA_BAD_ALGORITHM},
        {"{\"alg\":\"ES256K\"}", KSA_BAD_ALGORITHM},
        {"{\"alg\":\"EdDSA\"}", KSA_BAD_ALGORITHM},
        {"{\"alg\":\"ES256\\u0000\"}", KSA_NOT_A_TOKEN},
        {"{\"alg\":\"ES256\",\"typ\":\"jwt\"}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"typ\":\"\"}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"typ\":null}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"typ\":1}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"cty\":\"JWT\"}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"crit\":[\"exp\"]}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"crit\":[]}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"jku\":\"https://evil\"}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"jwk\":{}}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"x5u\":\"https://evil\"}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"x5c\":[]}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"x5t\":\"\"}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"b64\":false}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"zip\":\"DEF\"}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"enc\":\"A256GCM\"}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"Kid\":\"k1\"}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"\":\"\"}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"kid\":null}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"kid\":7}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"kid\":\"a b\"}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"kid\":\"a\\nb\"}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"kid\":\"\xc3\xa4\"}", KSA_BAD_HEADER},
        {"{\"alg\":\"ES256\",\"alg\":\"ES256\"}", KSA_NOT_A_TOKEN},
        {"{\"alg\":\"ES256\",\"kid\":\"a\",\"kid\":\"b\"}", KSA_NOT_A_TOKEN},
        {"{\"alg\":\"ES256\"", KSA_NOT_A_TOKEN},
        {"{'alg':'ES256'}", KSA_NOT_A_TOKEN},
        {"\xef\xbb\xbf{\"alg\":\"ES256\"}", KSA_NOT_A_TOKEN},
};

static void test_headers(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(headers); i++) {
                struct ksa_secret *text = token_of(headers[i].header, "{}", zeros, 64);
                struct ksa_error error = {0};
                enum ksa_reason reason = parse(text, &error);

                if (reason != headers[i].reason)
                        fail_msg("%s: %s (%s)", headers[i].header, ksa_reason_name(reason),
                                 error.text);
                ksa_secret_free(&text);
        }
}

static void test_kid_has_at_most_1024_bytes(void **state)
{
        (void)state;
        for (size_t length = KSA_KID_MAX; length <= KSA_KID_MAX + 1; length++) {
                char kid[KSA_KID_MAX + 2], header[KSA_KID_MAX + 64];

                memset(kid, 'k', length);
                kid[length] = '\0';
                (void)snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%s\"}", kid);
                struct ksa_secret *text = token_of(header, "{}", zeros, 64);
                assert_int_equal(parse(text, NULL), length > KSA_KID_MAX ? KSA_BAD_HEADER : KSA_OK);
                ksa_secret_free(&text);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_algorithm_names),
                cmocka_unit_test(test_all_that_a_token_says),
                cmocka_unit_test(test_a_token_that_says_nothing),
                cmocka_unit_test(test_what_a_token_is_bound_to),
                cmocka_unit_test(test_shapes),
                cmocka_unit_test(test_nul_inside),
                cmocka_unit_test(test_cut_at_every_byte),
                cmocka_unit_test(test_lengths_where_others_cut),
                cmocka_unit_test(test_longest_token),
                cmocka_unit_test(test_shortest_signatures),
                cmocka_unit_test(test_headers),
                cmocka_unit_test(test_kid_has_at_most_1024_bytes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

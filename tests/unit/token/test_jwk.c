/* SPDX-License-Identifier: BSD-2-Clause */
/* jwk.c: valid keys, and numbers that OpenSSL would accept although they are not a key. */
#include "token/jwk.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/signer.h"
#include "support/support.h"
#include "token/json.h"

static struct signer signers[KSA_ALGORITHM_COUNT];

static int make_signers(void **state)
{
        (void)state;
        for (unsigned i = KSA_RS256; i < KSA_ALGORITHM_COUNT; i++)
                signers[i] = signer_new((enum ksa_algorithm)i, "k");
        return 0;
}

static int free_signers(void **state)
{
        (void)state;
        for (unsigned i = KSA_RS256; i < KSA_ALGORITHM_COUNT; i++)
                signer_free(&signers[i]);
        return 0;
}

static enum ksa_reason read_entry(const json_t *entry, struct ksa_jwk *ret_jwk)
{
        struct ksa_error error = {0};
        enum ksa_reason reason = ksa_jwk_read(entry, ret_jwk, &error);

        assert_int_equal(reason == KSA_OK, error.text[0] == '\0');
        assert_true(reason == KSA_OK || reason == KSA_KEYS_UNUSABLE);
        return reason;
}

static json_t *entry_of(enum ksa_algorithm algorithm)
{
        char *text = signer_jwk(&signers[algorithm]);
        json_t *entry = json_loads(text, 0, NULL);

        assert_non_null(entry);
        free(text);
        return entry;
}

static void good_key(enum ksa_algorithm algorithm, struct ksa_jwk *ret_jwk)
{
        json_t *entry = entry_of(algorithm);

        assert_int_equal(read_entry(entry, ret_jwk), KSA_OK);
        json_decref(entry);
}

/* --- ksa_jwk_read ----------------------------------------------------------- */

static void test_every_algorithm(void **state)
{
        static const unsigned bits[] = {
                [KSA_RS256] = 2048, [KSA_ES256] = 256, [KSA_ES384] = 384, [KSA_ES512] = 521};

        (void)state;
        for (unsigned i = KSA_RS256; i < KSA_ALGORITHM_COUNT; i++) {
                struct ksa_error error = {0};
                struct ksa_jwk jwk;
                EVP_PKEY *key = NULL;

                good_key((enum ksa_algorithm)i, &jwk);
                assert_int_equal(jwk.algorithm, i);
                assert_int_equal(ksa_jwk_bits(&jwk), bits[i]);
                assert_int_equal(ksa_jwk_key(&jwk, &key, &error), KSA_OK);
                assert_int_equal(EVP_PKEY_eq(key, signers[i].key), 1);
                EVP_PKEY_free(key);
        }
}

/* A member of a good entry that becomes VALUE (JSON), or goes where VALUE is NULL. */
static const struct {
        enum ksa_algorithm algorithm;
        const char *member, *value;
        bool usable;
} member_rows[] = {
        /* use and alg may be missing: RFC 7517 sections 4.2 and 4.4 */
        {KSA_RS256, "use", NULL, true},
        {KSA_RS256, "alg", NULL, true},
        {KSA_ES256, "use", NULL, true},
        {KSA_ES256, "alg", NULL, true},
        {KSA_ES256, "x5c", "[\"AAAA\"]", true},
        {KSA_RS256, "kid", NULL, true}, /* the set checks names */
        {KSA_RS256, "use", "\"enc\"", false},
        {KSA_RS256, "use", "\"\"", false},
        {KSA_RS256, "use", "null", false},
        {KSA_RS256, "use", "[\"sig\"]", false},
        /* RFC 7517 section 4.3 */
        {KSA_RS256, "key_ops", "[\"verify\"]", true},
        {KSA_ES256, "key_ops", "[\"sign\",\"verify\"]", true},
        {KSA_RS256, "key_ops", "[\"encrypt\"]", false},
        {KSA_RS256, "key_ops", "[\"Verify\"]", false},
        {KSA_RS256, "key_ops", "[]", false},
        {KSA_RS256, "key_ops", "\"verify\"", false},
        {KSA_RS256, "key_ops", "{\"verify\":\"verify\"}", false},
        {KSA_RS256, "key_ops", "null", false},
        {KSA_RS256, "alg", "\"RS512\"", false},
        {KSA_RS256, "alg", "\"PS256\"", false},
        {KSA_RS256, "alg", "\"ES256\"", false},
        {KSA_RS256, "alg", "\"rs256\"", false},
        {KSA_RS256, "alg", "null", false},
        {KSA_ES256, "alg", "\"ES384\"", false},
        {KSA_ES256, "alg", "\"HS256\"", false},
        {KSA_RS256, "kty", NULL, false},
        {KSA_RS256, "kty", "\"oct\"", false},
        {KSA_RS256, "kty", "\"OKP\"", false},
        {KSA_RS256, "kty", "\"rsa\"", false},
        {KSA_RS256, "kty", "\"EC\"", false},
        {KSA_RS256, "kty", "7", false},
        {KSA_ES256, "kty", "\"RSA\"", false},
        {KSA_ES256, "crv", NULL, false},
        {KSA_ES256, "crv", "\"P-384\"", false},
        {KSA_ES256, "crv", "\"secp256k1\"", false},
        {KSA_ES256, "crv", "\"prime256v1\"", false},
        {KSA_ES256, "crv", "256", false},
        {KSA_RS256, "n", NULL, false},
        {KSA_RS256, "n", "17", false},
        {KSA_RS256, "n", "\"\"", false},
        {KSA_RS256, "n", "\"Aw\"", false},
        {KSA_RS256, "n", "\"+/+/\"", false},
        {KSA_RS256, "n", "\"AQ==\"", false},
        {KSA_RS256, "e", NULL, false},
        {KSA_RS256, "e", "65537", false},
        {KSA_RS256, "e", "\"\"", false},
        {KSA_RS256, "e", "\"AQAB=\"", false},
        {KSA_RS256, "e", "\"AQ\"", false},     /* 1 */
        {KSA_RS256, "e", "\"Ag\"", false},     /* 2 */
        {KSA_RS256, "e", "\"Aw\"", true},      /* 3 */
        {KSA_RS256, "e", "\"AQAA\"", false},   /* 65536 */
        {KSA_RS256, "e", "\"AAEAAQ\"", false}, /* 65537 with a zero in front */
        {KSA_RS256, "e", "\"_____w\"", true},  /* 2^32 - 1 */
        {KSA_RS256, "e", "\"AQAAAAE\"", false},
        {KSA_ES256, "x", NULL, false},
        {KSA_ES256, "y", NULL, false},
        {KSA_ES256, "x", "\"\"", false},
        {KSA_ES256, "y", "\"AAAA\"", false},
};

static void test_members(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(member_rows); i++) {
                json_t *entry = entry_of(member_rows[i].algorithm);
                const char *member = member_rows[i].member, *value = member_rows[i].value;
                struct ksa_jwk jwk;

                if (value == NULL)
                        (void)json_object_del(entry, member);
                else
                        (void)json_object_set_new(entry, member,
                                                  json_loads(value, JSON_DECODE_ANY, NULL));
                if ((read_entry(entry, &jwk) == KSA_OK) != member_rows[i].usable)
                        fail_msg("%s = %s", member, value);
                json_decref(entry);
        }
}

static void test_entries_that_are_no_object(void **state)
{
        static const char *const texts[] = {"[]", "\"RSA\"", "7", "null", "{}"};
        struct ksa_jwk jwk;

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(texts); i++) {
                json_t *entry = json_loads(texts[i], JSON_DECODE_ANY, NULL);

                assert_int_equal(read_entry(entry, &jwk), KSA_KEYS_UNUSABLE);
                json_decref(entry);
        }
}

/* --- ksa_jwk_decode --------------------------------------------------------- */

static enum ksa_reason decode(enum ksa_algorithm algorithm, const void *first, size_t first_length,
                              const void *second, size_t second_length, struct ksa_jwk *ret_jwk)
{
        char *texts[] = {base64url_of(first, first_length), base64url_of(second, second_length)};
        enum ksa_reason reason = ksa_jwk_decode(algorithm, texts[0], strlen(texts[0]), texts[1],
                                                strlen(texts[1]), ret_jwk, NULL);

        free(texts[0]);
        free(texts[1]);
        return reason;
}

/* An n whose first and last byte are given and whose others are FF. */
static const struct {
        size_t length;
        unsigned char top, last;
        unsigned bits; /* 0: refused */
} modulus_rows[] = {
        {256, 0x80, 0x01, 2048}, {256, 0xff, 0xff, 2048},  {256, 0x7f, 0xff, 0},
        {256, 0x80, 0x02, 0},    {256, 0x00, 0xff, 0},     {257, 0x00, 0xff, 0},
        {257, 0x01, 0xff, 2049}, {255, 0xff, 0xff, 0},     {512, 0xff, 0xff, 4096},
        {512, 0x40, 0x01, 4095}, {1024, 0xff, 0xff, 8192}, {1025, 0x01, 0xff, 0},
        {1026, 0xff, 0xff, 0},   {2000, 0xff, 0xff, 0},    {1, 0x03, 0x03, 0},
};

static void test_sizes_of_rsa(void **state)
{
        static const unsigned char e[] = {1, 0, 1};
        unsigned char n[2000];

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(modulus_rows); i++) {
                struct ksa_jwk jwk;
                size_t length = modulus_rows[i].length;
                unsigned bits = modulus_rows[i].bits;

                memset(n, 0xff, sizeof(n));
                n[0] = modulus_rows[i].top;
                n[length - 1] = modulus_rows[i].last;
                if (decode(KSA_RS256, n, length, e, sizeof(e), &jwk) !=
                    (bits != 0 ? KSA_OK : KSA_KEYS_UNUSABLE))
                        fail_msg("row %zu", i);
                if (bits != 0)
                        assert_int_equal(ksa_jwk_bits(&jwk), bits);
        }
}

/* n = 3 in 256 bytes: OpenSSL makes a key of it. */
static void test_a_small_number_padded(void **state)
{
        static const unsigned char n[256] = {[255] = 3}, e[] = {1, 0, 1};
        struct ksa_jwk jwk;

        (void)state;
        assert_int_equal(decode(KSA_RS256, n, sizeof(n), e, sizeof(e), &jwk), KSA_KEYS_UNUSABLE);
}

static void test_widths_of_coordinates(void **state)
{
        static const size_t widths[] = {[KSA_ES256] = 32, [KSA_ES384] = 48, [KSA_ES512] = 66};

        (void)state;
        for (unsigned i = KSA_ES256; i < KSA_ALGORITHM_COUNT; i++) {
                static const unsigned char bytes[80] = {1};
                struct ksa_jwk jwk;
                enum ksa_algorithm algorithm = (enum ksa_algorithm)i;
                size_t width = widths[i];

                assert_int_equal(decode(algorithm, bytes, width, bytes, width, &jwk), KSA_OK);
                for (size_t wrong = width - 1; wrong <= width + 1; wrong += 2) {
                        assert_int_equal(decode(algorithm, bytes, wrong, bytes, width, &jwk),
                                         KSA_KEYS_UNUSABLE);
                        assert_int_equal(decode(algorithm, bytes, width, bytes, wrong, &jwk),
                                         KSA_KEYS_UNUSABLE);
                }
                assert_int_equal(decode(algorithm, "", 0, "", 0, &jwk), KSA_KEYS_UNUSABLE);
        }
}

/* --- ksa_jwk_key ------------------------------------------------------------ */

static void refuse_key(const struct ksa_jwk *jwk)
{
        struct ksa_error error = {0};
        EVP_PKEY *key = NULL;

        assert_int_equal(ksa_jwk_key(jwk, &key, &error), KSA_KEYS_UNUSABLE);
        assert_null(key);
        assert_string_not_equal(error.text, "");
        assert_int_equal(ERR_peek_error(), 0);
}

static void test_points_that_are_none(void **state)
{
        (void)state;
        for (unsigned i = KSA_ES256; i < KSA_ALGORITHM_COUNT; i++) {
                struct ksa_jwk jwk, good;

                good_key((enum ksa_algorithm)i, &good);
                jwk = good;
                jwk.first[jwk.first_length - 1] ^= 1;
                refuse_key(&jwk);
                jwk = good;
                jwk.second[0] ^= 1;
                refuse_key(&jwk);
                jwk = good;
                memset(jwk.first, 0, jwk.first_length);
                memset(jwk.second, 0, jwk.second_length);
                refuse_key(&jwk);
                memset(jwk.first, 0xff, jwk.first_length);
                memset(jwk.second, 0xff, jwk.second_length);
                refuse_key(&jwk);
                jwk = good; /* a point of another curve, and of none */
                jwk.algorithm = i == KSA_ES256 ? KSA_ES384 : KSA_ES256;
                refuse_key(&jwk);
                jwk.algorithm = KSA_ALGORITHM_NONE;
                refuse_key(&jwk);
        }
}

/* The queue is the host program's: its entries stay, and nothing is added. */
static void test_the_error_queue_stays(void **state)
{
        struct ksa_jwk jwk;
        EVP_PKEY *key = NULL;

        (void)state;
        good_key(KSA_ES256, &jwk);
        jwk.second[0] ^= 1;
        ERR_raise(ERR_LIB_USER, 42);
        assert_int_equal(ksa_jwk_key(&jwk, &key, NULL), KSA_KEYS_UNUSABLE);
        assert_int_equal(ERR_GET_REASON(ERR_get_error()), 42);
        assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_algorithm),
                cmocka_unit_test(test_members),
                cmocka_unit_test(test_entries_that_are_no_object),
                cmocka_unit_test(test_sizes_of_rsa),
                cmocka_unit_test(test_a_small_number_padded),
                cmocka_unit_test(test_widths_of_coordinates),
                cmocka_unit_test(test_points_that_are_none),
                cmocka_unit_test(test_the_error_queue_stays),
        };

        return cmocka_run_group_tests(tests, make_signers, free_signers);
}

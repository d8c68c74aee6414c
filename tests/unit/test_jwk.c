/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jwk.c: numbers that are no key. */
#include "jwk.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "signer.h"
#include "support.h"

static enum ksa_reason read_entry(const char *text, struct ksa_jwk *ret_key)
{
        struct ksa_error error = {0};
        json_t *entry = NULL;

        assert_int_equal(ksa_json_load(text, strlen(text), &entry, NULL), KSA_OK);
        enum ksa_reason reason = ksa_jwk_read(entry, ret_key, &error);
        assert_int_equal(reason == KSA_OK, error.text[0] == '\0');
        json_decref(entry);
        return reason;
}

static void test_good(void **state)
{
        (void)state;
        for (unsigned i = KSA_RS256; i < KSA_ALGORITHM_COUNT; i++) {
                struct signer signer = signer_new((enum ksa_algorithm)i, "k");
                char *text = signer_jwk(&signer);
                struct ksa_jwk key;
                EVP_PKEY *made = NULL;

                assert_int_equal(read_entry(text, &key), KSA_OK);
                assert_int_equal(key.algorithm, i);
                assert_int_equal(ksa_jwk_bits(&key), EVP_PKEY_get_bits(signer.key));
                assert_int_equal(ksa_jwk_key(&key, &made, NULL), KSA_OK);
                assert_int_equal(EVP_PKEY_eq(made, signer.key), 1);
                EVP_PKEY_free(made);
                free(text);
                signer_free(&signer);
        }
}

/* An RSA key of LENGTH bytes 0xff, the first and the last as given, and this e. */
static enum ksa_reason read_rsa(size_t length, unsigned char first, unsigned char last, const char *e)
{
        unsigned char n[1100];
        char *text = NULL;
        struct ksa_jwk key;

        memset(n, 0xff, length);
        n[0] = first;
        n[length - 1] = last;
        char *number = base64url_of(n, length);
        assert_true(asprintf(&text, "{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":\"%s\",\"e\":\"%s\"}", number,
                             e) > 0);
        enum ksa_reason reason = read_entry(text, &key);
        free(number);
        free(text);
        return reason;
}

static void test_rsa_numbers(void **state)
{
        (void)state;
        assert_int_equal(read_rsa(256, 0xff, 0xff, "AQAB"), KSA_OK);
        assert_int_equal(read_rsa(256, 0x80, 0xff, "AQAB"), KSA_OK);
        assert_int_equal(read_rsa(1024, 0xff, 0xff, "AQAB"), KSA_OK);
        assert_int_equal(read_rsa(256, 0x7f, 0xff, "AQAB"), KSA_KEYS_UNUSABLE); /* 2047 bits */
        assert_int_equal(read_rsa(255, 0xff, 0xff, "AQAB"), KSA_KEYS_UNUSABLE);
        assert_int_equal(read_rsa(256, 0x00, 0xff, "AQAB"), KSA_KEYS_UNUSABLE); /* padded */
        assert_int_equal(read_rsa(257, 0x00, 0xff, "AQAB"), KSA_KEYS_UNUSABLE);
        assert_int_equal(read_rsa(1025, 0x01, 0xff, "AQAB"), KSA_KEYS_UNUSABLE); /* 8193 bits */
        assert_int_equal(read_rsa(256, 0xff, 0xfe, "AQAB"), KSA_KEYS_UNUSABLE); /* even */
        assert_int_equal(read_rsa(256, 0xff, 0xff, "Aw"), KSA_OK);              /* 3 */
        assert_int_equal(read_rsa(256, 0xff, 0xff, "_____w"), KSA_OK);          /* 2^32 - 1 */
        assert_int_equal(read_rsa(256, 0xff, 0xff, "AQ"), KSA_KEYS_UNUSABLE);   /* 1 */
        assert_int_equal(read_rsa(256, 0xff, 0xff, "Ag"), KSA_KEYS_UNUSABLE);   /* 2 */
        assert_int_equal(read_rsa(256, 0xff, 0xff, "AQAA"), KSA_KEYS_UNUSABLE); /* 65536 */
        assert_int_equal(read_rsa(256, 0xff, 0xff, "AAEAAQ"), KSA_KEYS_UNUSABLE); /* padded */
        assert_int_equal(read_rsa(256, 0xff, 0xff, "AQAAAAE"), KSA_KEYS_UNUSABLE); /* 2^32 + 1 */
        assert_int_equal(read_rsa(256, 0xff, 0xff, ""), KSA_KEYS_UNUSABLE);
        assert_int_equal(read_rsa(256, 0xff, 0xff, "AQAB="), KSA_KEYS_UNUSABLE);
}

static void test_points(void **state)
{
        struct signer signer = signer_new(KSA_ES256, "k");
        char *text = signer_jwk(&signer);
        struct ksa_jwk key, changed;
        EVP_PKEY *made = NULL;

        (void)state;
        assert_int_equal(read_entry(text, &key), KSA_OK);
        changed = key;
        changed.second[31] ^= 1; /* off the curve */
        assert_int_equal(ksa_jwk_key(&changed, &made, NULL), KSA_KEYS_UNUSABLE);
        changed = key;
        memset(changed.first, 0, 32);
        memset(changed.second, 0, 32);
        assert_int_equal(ksa_jwk_key(&changed, &made, NULL), KSA_KEYS_UNUSABLE);
        changed = key;
        memset(changed.first, 0xff, 32); /* larger than the field */
        assert_int_equal(ksa_jwk_key(&changed, &made, NULL), KSA_KEYS_UNUSABLE);
        changed = key;
        changed.algorithm = KSA_ES384;
        assert_int_equal(ksa_jwk_key(&changed, &made, NULL), KSA_KEYS_UNUSABLE);
        changed.algorithm = KSA_ALGORITHM_NONE;
        assert_int_not_equal(ksa_jwk_key(&changed, &made, NULL), KSA_OK);
        assert_null(made);
        assert_int_equal(ERR_peek_error(), 0);
        free(text);
        signer_free(&signer);
}

static void test_entries_for_something_else(void **state)
{
        static const char *const entries[] = {
                "{}",
                "{\"kty\":\"RSA\"}",
                "{\"kty\":1}",
                "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"AAAA\"}",
                "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":1,\"y\":2}",
                "{\"kty\":\"EC\",\"x\":\"AAAA\",\"y\":\"AAAA\"}",
                "{\"kty\":\"oct\",\"k\":\"AAAA\",\"alg\":\"HS256\"}",
        };
        struct ksa_jwk key;

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(entries); i++)
                assert_int_equal(read_entry(entries[i], &key), KSA_KEYS_UNUSABLE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_rsa_numbers),
                cmocka_unit_test(test_points),
                cmocka_unit_test(test_entries_for_something_else),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

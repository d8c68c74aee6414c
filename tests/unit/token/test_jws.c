/* SPDX-License-Identifier: BSD-2-Clause */
/* jws.c: one signature, good and bad in every way. */
#include "token/jws.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "support/signer.h"
#include "support/support.h"
#include "token/json.h"

static struct signer signers[KSA_ALGORITHM_COUNT], other;

static int make_signers(void **state)
{
        (void)state;
        for (unsigned i = KSA_RS256; i < KSA_ALGORITHM_COUNT; i++)
                signers[i] = signer_new((enum ksa_algorithm)i, "k");
        other = signer_new(KSA_ES256, "k");
        return 0;
}

static int free_signers(void **state)
{
        (void)state;
        for (unsigned i = KSA_RS256; i < KSA_ALGORITHM_COUNT; i++)
                signer_free(&signers[i]);
        signer_free(&other);
        return 0;
}

static struct ksa_jwk key_of(const struct signer *signer)
{
        char *text = signer_jwk(signer);
        json_t *entry = NULL;
        struct ksa_jwk key;

        assert_int_equal(ksa_json_load(text, strlen(text), &entry, NULL), KSA_OK);
        assert_int_equal(ksa_jwk_read(entry, &key, NULL), KSA_OK);
        json_decref(entry);
        free(text);
        return key;
}

static enum ksa_reason verify_text(const struct ksa_secret *text, const struct signer *signer)
{
        struct ksa_jwk key = key_of(signer);
        struct ksa_token token;

        enum ksa_reason reason = ksa_token_parse(text, &token, NULL);
        if (reason == KSA_OK)
                reason = ksa_jws_verify(&token, &key, NULL);
        ksa_token_clear(&token);
        /* The queue of errors is the host program's. */
        assert_int_equal(ERR_peek_error(), 0);
        return reason;
}

/* A token of SIGNER's whose signature is these bytes. */
static enum ksa_reason verify_bytes(const struct signer *signer, const void *bytes, size_t length)
{
        char header[64];

        (void)snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"k\"}",
                       ksa_algorithm_name(signer->algorithm));
        struct ksa_secret *token = token_of(header, "{}", bytes, length);
        enum ksa_reason reason = verify_text(token, signer);
        ksa_secret_free(&token);
        return reason;
}

static void test_good(void **state)
{
        (void)state;
        for (unsigned i = KSA_RS256; i < KSA_ALGORITHM_COUNT; i++) {
                struct ksa_secret *token = signer_token(&signers[i], NULL, "{}");

                assert_int_equal(verify_text(token, &signers[i]), KSA_OK);
                ksa_secret_free(&token);
        }
}

static void test_key_of_another_kind_or_owner(void **state)
{
        (void)state;
        for (unsigned i = KSA_RS256; i < KSA_ALGORITHM_COUNT; i++) {
                struct ksa_secret *token = signer_token(&signers[i], NULL, "{}");

                for (unsigned n = KSA_RS256; n < KSA_ALGORITHM_COUNT; n++) {
                        if (n != i)
                                assert_int_equal(verify_text(token, &signers[n]), KSA_KEY_MISMATCH);
                }
                assert_int_equal(verify_text(token, &other),
                                 i == KSA_ES256 ? KSA_BAD_SIGNATURE : KSA_KEY_MISMATCH);
                ksa_secret_free(&token);
        }
}

/* The bytes of a good signature over the token that verify_bytes() makes. */
static size_t good_signature(const struct signer *signer, unsigned char *out)
{
        char header[64], signed_text[256];

        (void)snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"k\"}",
                       ksa_algorithm_name(signer->algorithm));
        char *first = base64url_of(header, strlen(header)), *second = base64url_of("{}", 2);
        (void)snprintf(signed_text, sizeof(signed_text), "%s.%s", first, second);
        size_t length = signer_sign(signer, signed_text, strlen(signed_text), out);
        free(first);
        free(second);
        return length;
}

static void test_length_is_exact(void **state)
{
        unsigned char bytes[1024 + 1] = {0};

        (void)state;
        for (unsigned i = KSA_RS256; i < KSA_ALGORITHM_COUNT; i++) {
                size_t length = good_signature(&signers[i], bytes);

                bytes[length] = 0;
                assert_int_equal(verify_bytes(&signers[i], bytes, length), KSA_OK);
                assert_int_equal(verify_bytes(&signers[i], bytes, length - 1), KSA_CUT_SHORT);
                assert_int_equal(verify_bytes(&signers[i], bytes, length + 1), KSA_BAD_SIGNATURE);
                assert_int_equal(verify_bytes(&signers[i], bytes + 1, length), KSA_BAD_SIGNATURE);
        }
}

static void test_every_changed_byte_is_seen(void **state)
{
        unsigned char bytes[1024];

        (void)state;
        for (unsigned i = KSA_RS256; i < KSA_ALGORITHM_COUNT; i++) {
                size_t length = good_signature(&signers[i], bytes);

                for (size_t n = 0; n < length; n += 7) {
                        bytes[n] ^= 1;
                        assert_int_equal(verify_bytes(&signers[i], bytes, length),
                                         KSA_BAD_SIGNATURE);
                        bytes[n] ^= 1;
                }
        }
}

/* FIPS 186-5, D.1: the order of P-256. */
static const unsigned char order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
                                        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                        0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
                                        0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};

static void test_numbers_out_of_range(void **state)
{
        unsigned char bytes[64], good[1024];

        (void)state;
        (void)good_signature(&signers[KSA_ES256], good);
        memset(bytes, 0, sizeof(bytes));
        assert_int_equal(verify_bytes(&signers[KSA_ES256], bytes, 64), KSA_BAD_SIGNATURE);
        memset(bytes, 0xff, sizeof(bytes));
        assert_int_equal(verify_bytes(&signers[KSA_ES256], bytes, 64), KSA_BAD_SIGNATURE);
        for (unsigned half = 0; half < 2; half++) { /* r, then s */
                memcpy(bytes, good, sizeof(bytes));
                memcpy(bytes + (size_t)32 * half, order, 32);
                assert_int_equal(verify_bytes(&signers[KSA_ES256], bytes, 64), KSA_BAD_SIGNATURE);
                memset(bytes + (size_t)32 * half, 0, 32);
                assert_int_equal(verify_bytes(&signers[KSA_ES256], bytes, 64), KSA_BAD_SIGNATURE);
        }
}

static void test_errors_of_the_host_program_stay(void **state)
{
        struct ksa_secret *token = signer_token(&other, NULL, "{}");
        struct ksa_jwk key = key_of(&signers[KSA_ES256]);
        struct ksa_token parsed;

        (void)state;
        assert_int_equal(ksa_token_parse(token, &parsed, NULL), KSA_OK);
        ERR_raise(ERR_LIB_USER, 7);
        unsigned long mine = ERR_peek_last_error();
        assert_int_equal(ksa_jws_verify(&parsed, &key, NULL), KSA_BAD_SIGNATURE);
        assert_int_equal(ERR_peek_last_error(), mine);
        assert_int_equal(ERR_get_error(), mine);
        assert_int_equal(ERR_get_error(), 0);
        ksa_token_clear(&parsed);
        ksa_secret_free(&token);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_key_of_another_kind_or_owner),
                cmocka_unit_test(test_length_is_exact),
                cmocka_unit_test(test_every_changed_byte_is_seen),
                cmocka_unit_test(test_numbers_out_of_range),
                cmocka_unit_test(test_errors_of_the_host_program_stay),
        };

        return cmocka_run_group_tests(tests, make_signers, free_signers);
}

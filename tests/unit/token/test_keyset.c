/* SPDX-License-Identifier: BSD-2-Clause */
/* keyset.c: a JWKS, the cached form, and how old it may be. */
#include "token/keyset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/signer.h"
#include "support/support.h"

static struct signer signers[3];
static char *jwks;
static const char *issuers[] = {"https://a.example.com", "https://b.example.com"};
static const struct ksa_cluster cluster = {
        .name = "prod",
        .issuer = {.items = issuers, .count = 2},
        .keys = "api",
        .api_server = "https://10.0.0.1:6443",
        .api_ca_file = "/etc/ksa/prod-ca.crt",
        .keys_max_stale = 1000,
};

static int set_up(void **state)
{
        (void)state;
        signers[0] = signer_new(KSA_RS256, "one");
        signers[1] = signer_new(KSA_ES256, "two");
        signers[2] = signer_new(KSA_ES512, "three");
        jwks = signer_jwks(signers, 3);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        for (size_t i = 0; i < 3; i++)
                signer_free(&signers[i]);
        free(jwks);
        return 0;
}

static enum ksa_reason parse(const char *text, struct ksa_keyset **ret_keyset)
{
        struct ksa_error error = {0};
        enum ksa_reason reason = ksa_keyset_parse(text, strlen(text), ret_keyset, &error);

        assert_int_equal(reason == KSA_OK, error.text[0] == '\0');
        return reason;
}

static enum ksa_reason parse_cached(const char *text, size_t length, const struct ksa_cluster *of,
                                    int64_t now, struct ksa_keyset **ret_keyset)
{
        struct ksa_error error = {0};
        enum ksa_reason reason = ksa_keyset_parse_cached(text, length, of, now, ret_keyset, &error);

        assert_int_equal(reason == KSA_OK, error.text[0] == '\0');
        return reason;
}

static char *cached_form(void)
{
        struct ksa_keyset *keyset = NULL;

        assert_int_equal(parse(jwks, &keyset), KSA_OK);
        char *text = ksa_keyset_format(keyset, &cluster, NOW, 3600);
        assert_non_null(text);
        ksa_keyset_free(&keyset);
        return text;
}

static void check_keys(const struct ksa_keyset *keyset)
{
        static const char *const kids[] = {"one", "two", "three"};
        static const enum ksa_algorithm algorithms[] = {KSA_RS256, KSA_ES256, KSA_ES512};
        struct ksa_jwk key;

        assert_int_equal(ksa_keyset_count(keyset), 3);
        for (size_t i = 0; i < 3; i++) {
                assert_int_equal(ksa_keyset_find(keyset, kids[i], &key, NULL), KSA_OK);
                assert_int_equal(key.algorithm, algorithms[i]);
        }
        static const char *const unknown[] = {"", "on", "onee", "One", "four", "one two"};
        for (size_t i = 0; i < KSA_COUNT(unknown); i++)
                assert_int_equal(ksa_keyset_find(keyset, unknown[i], &key, NULL), KSA_UNKNOWN_KID);
}

static void test_jwks(void **state)
{
        struct ksa_keyset *keyset = NULL;

        (void)state;
        assert_int_equal(parse(jwks, &keyset), KSA_OK);
        check_keys(keyset);
        assert_int_equal(ksa_keyset_fetched(keyset), 0);
        ksa_keyset_free(&keyset);
        assert_null(keyset);
}

static void test_jwks_that_is_none(void **state)
{
        static const char *const texts[] = {
                "",       "{}", "[]", "{\"keys\":{}}", "{\"keys\":[]}", "{\"keys\":[],\"keys\":[]}",
                "<html>",
        };
        struct ksa_keyset *keyset = NULL;

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(texts); i++) {
                assert_int_equal(parse(texts[i], &keyset), KSA_KEYS_UNUSABLE);
                assert_null(keyset);
        }
}

/* Entries for something else are skipped, and named: the others are used. */
static void test_unsuitable_entries(void **state)
{
        static const char *const entries[] = {
                "{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"x\"}",
                "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\",\"kid\":\"x\"}",
                "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AAAA\",\"y\":\"AAAA\",\"kid\":\"x\"}",
                "{\"kty\":\"RSA\",\"use\":\"enc\",\"n\":\"AAAA\",\"e\":\"AQAB\",\"kid\":\"x\"}",
                "{\"kty\":\"RSA\",\"n\":\"wwww\",\"e\":\"AQAB\",\"kid\":\"x\"}",
                "{\"kty\":\"RSA\",\"kid\":\"x\"}",
                "{\"kid\":\"x\"}",
        };
        char *good = signer_jwk(&signers[1]);

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(entries); i++) {
                struct ksa_keyset *keyset = NULL;
                struct ksa_error error = {0};
                struct ksa_jwk key;
                char text[2048];

                (void)snprintf(text, sizeof(text), "{\"keys\":[%s,%s]}", entries[i], good);
                assert_int_equal(parse(text, &keyset), KSA_OK);
                assert_int_equal(ksa_keyset_find(keyset, "two", &key, NULL), KSA_OK);
                assert_int_equal(ksa_keyset_find(keyset, "x", &key, &error), KSA_KEYS_UNUSABLE);
                assert_string_not_equal(error.text, "");
                ksa_keyset_free(&keyset);
        }
        free(good);
}

/* --- Several entries of one kid ---------------------------------------------- */

/* A set of the entries that are not NULL, as a JWKS or, with CACHED, as it is read back from a cache. */
static struct ksa_keyset *set_of(const char *first, const char *second, const char *third,
                                 bool cached)
{
        struct ksa_keyset *keyset = NULL;
        char *text = NULL;

        assert_true(asprintf(&text, "{\"keys\":[%s%s%s%s%s]}", first, second != NULL ? "," : "",
                             second != NULL ? second : "", third != NULL ? "," : "",
                             third != NULL ? third : "") > 0);
        assert_int_equal(parse(text, &keyset), KSA_OK);
        free(text);
        if (!cached)
                return keyset;
        text = ksa_keyset_format(keyset, &cluster, NOW, 3600);
        ksa_keyset_free(&keyset);
        assert_int_equal(parse_cached(text, strlen(text), &cluster, NOW, &keyset), KSA_OK);
        free(text);
        return keyset;
}

static void test_identical_entries_count_once(void **state)
{
        char *one = signer_jwk(&signers[0]), *two = signer_jwk(&signers[1]);

        (void)state;
        for (int cached = 0; cached < 2; cached++) {
                struct ksa_keyset *keyset = set_of(one, two, one, cached != 0);
                struct ksa_jwk key;
                const char *kid;

                assert_int_equal(ksa_keyset_count(keyset), 2);
                assert_int_equal(ksa_keyset_count_usable(keyset), 2);
                assert_int_equal(ksa_keyset_entry(keyset, 0, &kid, &key, NULL), KSA_OK);
                assert_string_equal(kid, "one");
                assert_int_equal(ksa_keyset_entry(keyset, 1, &kid, &key, NULL), KSA_OK);
                assert_string_equal(kid, "two");
                assert_int_equal(ksa_keyset_find(keyset, "one", &key, NULL), KSA_OK);
                ksa_keyset_free(&keyset);
        }
        free(one);
        free(two);
}

static void test_two_keys_of_one_kid_make_that_kid_ambiguous_and_no_other(void **state)
{
        const struct signer twins[] = {signer_new(KSA_RS256, "twin"),
                                       signer_new(KSA_ES256, "twin")};
        char *left = signer_jwk(&twins[0]), *right = signer_jwk(&twins[1]);
        char *two = signer_jwk(&signers[1]);

        (void)state;
        for (int cached = 0; cached < 2; cached++) {
                struct ksa_keyset *keyset = set_of(left, right, two, cached != 0);
                struct ksa_error error = {0};
                struct ksa_jwk key;
                const char *kid;

                assert_int_equal(ksa_keyset_find(keyset, "two", &key, NULL), KSA_OK);
                assert_int_equal(ksa_keyset_find(keyset, "twin", &key, &error), KSA_AMBIGUOUS_KID);
                assert_string_not_equal(error.text, "");
                for (size_t i = 0; i < 2; i++)
                        assert_int_equal(ksa_keyset_entry(keyset, i, &kid, &key, NULL),
                                         KSA_AMBIGUOUS_KID);
                assert_int_equal(ksa_keyset_count(keyset), 3);
                assert_int_equal(ksa_keyset_count_usable(keyset), 1);
                ksa_keyset_free(&keyset);
        }
        free(left);
        free(right);
        free(two);
        for (size_t i = 0; i < KSA_COUNT(twins); i++)
                signer_free(&(struct signer){.key = twins[i].key});
}

/* A point that is not on the curve. */
static char *off_the_curve(const char *kid)
{
        char *text = NULL, coordinate[44];

        memset(coordinate, 'A', 42);
        (void)strcpy(coordinate + 42, "E");
        assert_true(asprintf(&text,
                             "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"%s\",\"x\":\"%s\","
                             "\"y\":\"%s\"}",
                             kid, coordinate, coordinate) > 0);
        return text;
}

static void test_entries_that_verify_nothing_leave_their_kid_to_the_key(void **state)
{
        char *point = off_the_curve("two"), *enc = NULL, *good = signer_jwk(&signers[1]);
        struct signer other = signer_new(KSA_RS256, "two");
        char *plain = signer_jwk(&other);

        (void)state;
        assert_true(asprintf(&enc, "{\"key_ops\":[\"encrypt\"],%s", plain + 1) > 0);
        const char *const useless[] = {
                "{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"two\"}",
                "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\",\"kid\":\"two\"}",
                "{\"kty\":\"RSA\",\"use\":\"enc\",\"n\":\"AAAA\",\"e\":\"AQAB\",\"kid\":\"two\"}",
                "{\"kid\":\"two\"}",
                enc,
                point,
        };
        for (size_t i = 0; i < 2 * KSA_COUNT(useless); i++) {
                const char *entry = useless[i / 2];
                struct ksa_keyset *keyset = i % 2 == 0 ? set_of(entry, good, entry, false)
                                                       : set_of(good, entry, entry, false);
                struct ksa_jwk key;
                const char *kid;

                if (ksa_keyset_find(keyset, "two", &key, NULL) != KSA_OK)
                        fail_msg("%s", entry);
                assert_int_equal(key.algorithm, KSA_ES256);
                assert_int_equal(ksa_keyset_count_usable(keyset), 1);
                assert_int_equal(ksa_keyset_entry(keyset, 2, &kid, &key, NULL), KSA_KEYS_UNUSABLE);
                ksa_keyset_free(&keyset);
        }
        free(point);
        free(enc);
        free(good);
        free(plain);
        signer_free(&other);
}

/* Sets as real servers published them, and the kid in each that a token named. */
static void test_found_sets(void **state)
{
        static const char rsa[] = "UCIPQcmMi_GruAvFCC9tBWvGSNpafu4IkaEcTrAs8Hw";
        static const struct {
                const char *file, *kid;
                enum ksa_reason reason;
        } rows[] = {
                {"jwks-same-key-twice.json", rsa, KSA_OK},
                {"jwks-sig-and-enc-of-one-kid.json", rsa, KSA_OK},
                {"jwks-duplicate-among-unusable.json", rsa, KSA_OK},
                {"jwks-duplicate-among-unusable.json", "q", KSA_KEYS_UNUSABLE},
                {"jwks-key-ops-encrypt.json", rsa, KSA_KEYS_UNUSABLE},
                {"jwks-number-over-int64.json", rsa, KSA_OK},
                {"jwks-nul-escape-in-extra.json", rsa, KSA_OK},
                {"jwks-utf8-bom.json", rsa, KSA_OK},
                {"jwks-powershell-utf16.json", rsa, KSA_KEYS_UNUSABLE},
                {"jwks-is-a-status.json", rsa, KSA_KEYS_UNUSABLE},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_keyset *keyset = NULL;
                struct ksa_jwk key;
                char path[256];

                (void)snprintf(path, sizeof(path), KSA_TEST_DATA "/found/%s", rows[i].file);
                char *text = read_whole(path);
                enum ksa_reason reason = parse(text, &keyset);
                if (reason == KSA_OK)
                        reason = ksa_keyset_find(keyset, rows[i].kid, &key, NULL);
                if (reason != rows[i].reason)
                        fail_msg("%s: %s", rows[i].file, ksa_reason_name(reason));
                ksa_keyset_free(&keyset);
                free(text);
        }
}

/* --- The cached form ---------------------------------------------------------- */

static void test_round_trip(void **state)
{
        char *text = cached_form();
        struct ksa_keyset *keyset = NULL;

        (void)state;
        assert_int_equal(parse_cached(text, strlen(text), &cluster, NOW, &keyset), KSA_OK);
        check_keys(keyset);
        assert_int_equal(ksa_keyset_fetched(keyset), NOW);
        assert_int_equal(ksa_keyset_max_age(keyset), 3600);
        char *again = ksa_keyset_format(keyset, &cluster, NOW, 3600);
        assert_string_equal(again, text);
        free(again);
        ksa_keyset_free(&keyset);
        free(text);
}

static void test_cut_at_every_byte(void **state)
{
        char *text = cached_form();
        struct ksa_keyset *keyset = NULL;

        (void)state;
        for (size_t length = 0; length < strlen(text); length++) {
                char *cut = strndup(text, length);

                assert_int_not_equal(parse_cached(cut, length, &cluster, NOW, &keyset), KSA_OK);
                assert_null(keyset);
                free(cut);
        }
        free(text);
}

static void test_age(void **state)
{
        char *text = cached_form();
        static const struct {
                int64_t age;
                enum ksa_reason reason;
        } rows[] = {{0, KSA_OK},
                    {1000, KSA_OK},
                    {1001, KSA_KEYS_STALE},
                    {-KSA_KEYSET_AHEAD, KSA_OK}, /* fetched for a login that waited for it */
                    {-KSA_KEYSET_AHEAD - 1, KSA_KEYS_STALE},
                    {-86400, KSA_KEYS_STALE},
                    {86400, KSA_KEYS_STALE}};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_keyset *keyset = NULL;

                assert_int_equal(
                        parse_cached(text, strlen(text), &cluster, NOW + rows[i].age, &keyset),
                        rows[i].reason);
                ksa_keyset_free(&keyset);
        }
        free(text);
}

/* A set that was fetched for another configuration is ignored. */
static void test_bound_to_its_configuration(void **state)
{
        char *text = cached_form();
        struct ksa_cluster changed[6];

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(changed); i++)
                changed[i] = cluster;
        changed[0].issuer.count = 1;
        changed[1].keys = "discover";
        changed[2].api_server = "https://10.0.0.2:6443";
        changed[3].api_ca_file = NULL;
        changed[4].keys_ca_file = "/etc/ksa/prod-ca.crt";
        changed[5].api_server = NULL;
        for (size_t i = 0; i < KSA_COUNT(changed); i++) {
                struct ksa_keyset *keyset = NULL;

                assert_int_equal(parse_cached(text, strlen(text), &changed[i], NOW, &keyset),
                                 KSA_KEYS_UNUSABLE);
        }
        free(text);
}

static char *replaced(const char *text, const char *old, const char *new)
{
        const char *at = strstr(text, old);
        char *result = NULL;

        assert_non_null(at);
        assert_true(asprintf(&result, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old)) >
                    0);
        return result;
}

static void test_damaged(void **state)
{
        static const char *const changes[][2] = {
                {"ksa-keys 1\n", "ksa-keys 2\n"},
                {"ksa-keys 1\n", ""},
                {"end 3\n", "end 2\n"},
                {"end 3\n", "end 3\nkey"},
                {"end 3\n", "end 3"},
                {"key RS256 ", "key ES256 "},
                {"key RS256 ", "key HS256 "},
                {"key RS256 ", "key  RS256 "},
                {"fetched 1795464267", "fetched x"},
                {"fetched 1795464267\n", ""},
                {"max_age 3600", "max_age -1"},
                {" AQAB\n", " AQAB \n"},
                {" AQAB\n", "\n"},
                {" AQAB\n", " AQ==\n"},
        };
        char *text = cached_form();

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(changes); i++) {
                struct ksa_keyset *keyset = NULL;
                struct ksa_jwk key;
                char *damaged = replaced(text, changes[i][0], changes[i][1]);
                enum ksa_reason reason =
                        parse_cached(damaged, strlen(damaged), &cluster, NOW, &keyset);

                /* A line is looked at when its key is wanted. */
                if (reason == KSA_OK)
                        reason = ksa_keyset_find(keyset, "one", &key, NULL);
                if (reason == KSA_OK)
                        fail_msg("%s for %s", changes[i][1], changes[i][0]);
                ksa_keyset_free(&keyset);
                free(damaged);
        }
        free(text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_jwks),
                cmocka_unit_test(test_jwks_that_is_none),
                cmocka_unit_test(test_unsuitable_entries),
                cmocka_unit_test(test_identical_entries_count_once),
                cmocka_unit_test(test_two_keys_of_one_kid_make_that_kid_ambiguous_and_no_other),
                cmocka_unit_test(test_entries_that_verify_nothing_leave_their_kid_to_the_key),
                cmocka_unit_test(test_found_sets),
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_cut_at_every_byte),
                cmocka_unit_test(test_age),
                cmocka_unit_test(test_bound_to_its_configuration),
                cmocka_unit_test(test_damaged),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}

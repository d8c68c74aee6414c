/* SPDX-License-Identifier: BSD-2-Clause */
/* A key set, as a JWKS and in the cached form; usable keys survive a round trip. */
#include <openssl/err.h>
#include <openssl/evp.h>

#include "document.h"
#include "fuzz.h"
#include "token/keyset.h"

#define NOW 1795464267

static const char *issuers[] = {"https://issuer.example.com"};
static const struct ksa_cluster cluster = {
        .name = "prod",
        .issuer = {.items = issuers, .count = 1},
        .keys = "api",
        .api_server = "https://10.0.0.1:6443",
        .keys_max_stale = 86400,
};

/*
 * The number of keys that are distinct and usable. Those of an ambiguous kid, which are kept too, are added
 * to *AMBIGUOUS.
 */
static size_t use_keys(const struct ksa_keyset *keyset, size_t *ambiguous)
{
        size_t usable = 0;

        for (size_t i = 0; i < ksa_keyset_count(keyset); i++) {
                const char *kid = NULL;
                struct ksa_error error = {0};
                struct ksa_jwk jwk, found;
                EVP_PKEY *key = NULL;

                enum ksa_reason reason = ksa_keyset_entry(keyset, i, &kid, &jwk, &error);
                if (reason == KSA_AMBIGUOUS_KID) {
                        MUST(ksa_keyset_find(keyset, kid, &found, &error) == KSA_AMBIGUOUS_KID);
                        ++*ambiguous;
                }
                if (reason != KSA_OK)
                        continue;
                usable++;
                MUST(kid[0] != '\0' && ksa_keyset_find(keyset, kid, &found, &error) == KSA_OK);
                MUST(ksa_jwk_is_same(&found, &jwk));
                if (i < 4 && ksa_jwk_key(&jwk, &key, &error) == KSA_OK)
                        MUST(ksa_jwk_bits(&jwk) >= 256);
                EVP_PKEY_free(key);
        }
        return usable;
}

static void check_round_trip(const struct ksa_keyset *keyset)
{
        size_t ambiguous = 0, kept = 0;
        const size_t usable = use_keys(keyset, &ambiguous);
        struct ksa_keyset *again = NULL;
        struct ksa_error error = {0};
        char *text = ksa_keyset_format(keyset, &cluster, NOW - 10, 3600);

        MUST(text != NULL);
        enum ksa_reason reason =
                ksa_keyset_parse_cached(text, strlen(text), &cluster, NOW, &again, &error);
        MUST((reason == KSA_OK) == (usable + ambiguous > 0));
        MUST(ambiguous != 1);
        MUST(reason != KSA_OK || (use_keys(again, &kept) == usable && kept == ambiguous));
        ksa_keyset_free(&again);
        free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct ksa_keyset *keyset = NULL;
        struct ksa_error error = {0};
        char *text = calloc(1, size + 1);

        MUST(text != NULL);
        if (size > 0)
                memcpy(text, data, size);
        json_t *document = load_again(text, size);
        if (ksa_keyset_parse(text, size, &keyset, &error) == KSA_OK) {
                MUST(json_array_size(json_object_get(document, "keys")) >=
                     ksa_keyset_count(keyset));
                check_round_trip(keyset);
        }
        json_decref(document);
        ksa_keyset_free(&keyset);
        if (ksa_keyset_parse_cached(text, size, &cluster, NOW, &keyset, &error) == KSA_OK) {
                MUST(ksa_keyset_fetched(keyset) <= NOW);
                MUST(ksa_keyset_fetched(keyset) >= NOW - 86400);
                MUST(ksa_keyset_max_age(keyset) >= 0);
                check_round_trip(keyset);
        }
        ksa_keyset_free(&keyset);
        MUST(ERR_peek_error() == 0);
        free(text);
        return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ksactl keys: what key sets hold, and PEM to JWKS. The only file that reads PEM. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "jwk.h"
#include "keyset.h"
#include "ksactl.h"
#include "text.h"

/* --- keys show -------------------------------------------------------------- */

static void add_key(const struct ksa_keyset *keyset, size_t position, json_t *keys)
{
        struct ksa_error error = {0};
        struct ksa_jwk jwk;
        EVP_PKEY *key = NULL;
        const char *kid;
        enum ksa_reason reason = ksa_keyset_entry(keyset, position, &kid, &jwk, &error);
        bool sound = reason == KSA_OK;

        if (sound && ksa_jwk_key(&jwk, &key, &error) != KSA_OK)
                reason = error.reason;
        EVP_PKEY_free(key);
        (void)json_array_append_new(
                keys,
                json_pack("{s:s, s:s?, s:o, s:b, s:s?}", "kid", kid, "algorithm",
                          sound ? ksa_algorithm_name(jwk.algorithm) : NULL, "bits",
                          sound ? json_integer((json_int_t)ksa_jwk_bits(&jwk)) : json_null(),
                          "usable", reason == KSA_OK, "why", reason == KSA_OK ? NULL : error.text));
}

static json_t *show_cluster(const struct ksa_cluster *cluster, const struct ksa_env *env,
                            bool *ret_usable)
{
        struct ksa_error error = {0};
        struct ksa_keyset *keyset = NULL;
        json_t *keys = json_array();
        int64_t fetched = 0;

        *ret_usable = ksa_keyset_open(cluster, env, &keyset, &error) == KSA_OK;
        if (*ret_usable) {
                for (size_t i = 0; i < ksa_keyset_count(keyset); i++)
                        add_key(keyset, i, keys);
                fetched = ksa_keyset_fetched(keyset);
        }
        ksa_keyset_free(&keyset);
        return json_pack("{s:s, s:s, s:o, s:s?, s:o}", "cluster", cluster->name, "source",
                         cluster->keys, "fetched",
                         fetched != 0 ? json_integer(fetched) : json_null(), "problem",
                         *ret_usable ? NULL : error.text, "keys", keys);
}

static void print_cluster(const json_t *cluster)
{
        const char *problem = json_string_value(json_object_get(cluster, "problem"));
        const json_t *keys = json_object_get(cluster, "keys");

        (void)printf("%s (%s)\n", json_string_value(json_object_get(cluster, "cluster")),
                     json_string_value(json_object_get(cluster, "source")));
        if (problem != NULL)
                (void)printf("  %s\n", problem);
        for (size_t i = 0; i < json_array_size(keys); i++) {
                const json_t *key = json_array_get(keys, i);
                const char *algorithm = json_string_value(json_object_get(key, "algorithm"));
                const char *why = json_string_value(json_object_get(key, "why"));
                char kid[KSA_QUOTED_SIZE];

                (void)printf("  %s  %s",
                             ksa_text_quote(json_string_value(json_object_get(key, "kid")), kid,
                                            sizeof(kid)),
                             algorithm != NULL ? algorithm : "-");
                if (algorithm != NULL)
                        (void)printf(" %lld bits",
                                     (long long)json_integer_value(json_object_get(key, "bits")));
                (void)printf("%s%s\n", why != NULL ? "  not used: " : "", why != NULL ? why : "");
        }
}

static int show(const struct ksa_config *config, const struct ksa_env *env, const char *wanted,
                bool json)
{
        json_t *shown = json_array();
        bool found = wanted == NULL;
        int status = EXIT_GOOD;

        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++) {
                bool usable;

                if (wanted != NULL && strcmp(config->clusters[i].name, wanted) != 0)
                        continue;
                found = true;
                json_t *cluster = show_cluster(&config->clusters[i], env, &usable);
                if (!usable)
                        status = EXIT_DENIED;
                if (!json)
                        print_cluster(cluster);
                (void)json_array_append_new(shown, cluster);
        }
        if (!found) {
                (void)fprintf(stderr, "ksactl: there is no [cluster %s]\n", wanted);
                status = EXIT_BROKEN;
        }
        if (json && found)
                return print_json(shown) ? status : EXIT_BROKEN;
        json_decref(shown);
        return status;
}

static int keys_show(const struct words *arguments)
{
        const char *config_file = NULL, *wanted = NULL;
        bool json = false;
        const struct flag flags[] = {{"--config", &config_file, NULL}, {"--json", NULL, &json}};
        struct ksa_host_env host;
        struct ksa_config *config = NULL;
        struct ksa_error error = {0};
        char *path;

        if (!read_flags(arguments, flags, KSA_COUNT(flags), &wanted, 1) ||
            !fill_host(&host, config_file, &path))
                return EXIT_BROKEN;
        int status = EXIT_BROKEN;
        if (ksa_config_load(&host.env, NULL, &config, &error) == KSA_OK)
                status = show(config, &host.env, wanted, json);
        else
                print_error(&error);
        ksa_config_free(&config);
        free(path);
        return status;
}

/* --- keys convert ----------------------------------------------------------- */

/* As the API server names a key: the SHA-256 of its SubjectPublicKeyInfo (keyIDFromPublicKey). */
static bool kid_of(EVP_PKEY *key, char kid[KSA_BASE64URL_ENCODED(32)])
{
        unsigned char *der = NULL, digest[32];
        int length = i2d_PUBKEY(key, &der);
        bool made = length > 0 &&
                    EVP_Digest(der, (size_t)length, digest, NULL, EVP_sha256(), NULL) == 1;

        OPENSSL_free(der);
        if (made)
                ksa_base64url_encode(digest, sizeof(digest), kid);
        return made;
}

/* A number of the key in base64url, WIDTH bytes wide or as wide as it is. Freed by the caller. */
static char *number_of(EVP_PKEY *key, const char *parameter, int width)
{
        BIGNUM *number = NULL;

        if (EVP_PKEY_get_bn_param(key, parameter, &number) != 1)
                return NULL;
        if (width == 0)
                width = BN_num_bytes(number);
        unsigned char *bytes = malloc((size_t)width);
        char *text = malloc(KSA_BASE64URL_ENCODED((size_t)width));
        if (bytes != NULL && text != NULL && BN_bn2binpad(number, bytes, width) == width) {
                ksa_base64url_encode(bytes, (size_t)width, text);
        } else {
                free(text);
                text = NULL;
        }
        free(bytes);
        BN_free(number);
        return text;
}

static json_t *rsa_entry(EVP_PKEY *key, const char *kid)
{
        char *n = number_of(key, OSSL_PKEY_PARAM_RSA_N, 0);
        char *e = number_of(key, OSSL_PKEY_PARAM_RSA_E, 0);
        json_t *entry = n == NULL || e == NULL
                                ? NULL
                                : json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "use", "sig", "kty",
                                            "RSA", "kid", kid, "alg", "RS256", "n", n, "e", e);

        free(n);
        free(e);
        return entry;
}

static json_t *ec_entry(EVP_PKEY *key, const char *kid)
{
        int bits = EVP_PKEY_get_bits(key), width = (bits + 7) / 8;
        const char *curve = bits == 256 ? "P-256" : bits == 384 ? "P-384" : "P-521";
        const char *algorithm = bits == 256 ? "ES256" : bits == 384 ? "ES384" : "ES512";
        char *x = number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, width);
        char *y = number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, width);
        json_t *entry = x == NULL || y == NULL
                                ? NULL
                                : json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "use", "sig",
                                            "kty", "EC", "kid", kid, "crv", curve, "alg", algorithm,
                                            "x", x, "y", y);

        free(x);
        free(y);
        return entry;
}

/* Adds KEY, or says why a login would not use it. */
static bool convert_key(EVP_PKEY *key, json_t *keys)
{
        char kid[KSA_BASE64URL_ENCODED(32)];
        struct ksa_jwk jwk;
        struct ksa_error error = {0};
        char group[32] = "";
        size_t length;
        json_t *entry = NULL;

        if (!kid_of(key, kid))
                return false;
        if (EVP_PKEY_is_a(key, "RSA"))
                entry = rsa_entry(key, kid);
        else if (EVP_PKEY_get_group_name(key, group, sizeof(group), &length) == 1 &&
                 (strcmp(group, "prime256v1") == 0 || strcmp(group, "secp384r1") == 0 ||
                  strcmp(group, "secp521r1") == 0))
                entry = ec_entry(key, kid);
        if (entry == NULL)
                (void)ksa_fail(&error, KSA_KEYS_UNUSABLE, "neither RSA nor P-256, P-384, P-521");
        else if (ksa_jwk_read(entry, &jwk, &error) == KSA_OK)
                return json_array_append_new(keys, entry) == 0;
        json_decref(entry);
        (void)fprintf(stderr, "ksactl: key %s: %s\n", kid, error.text);
        return false;
}

/* The next key; NULL at the end, and with a message for what is no key. */
static EVP_PKEY *read_pem(BIO *in, bool *ret_end)
{
        char *name = NULL, *header = NULL;
        unsigned char *bytes = NULL;
        long length = 0;
        EVP_PKEY *key = NULL;

        if (PEM_read_bio(in, &name, &header, &bytes, &length) != 1) {
                *ret_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
                if (!*ret_end)
                        (void)fputs("ksactl: a PEM block is cut short or damaged\n", stderr);
                return NULL;
        }
        const unsigned char *at = bytes;
        if (strcmp(name, "PUBLIC KEY") == 0) {
                key = d2i_PUBKEY(NULL, &at, length);
        } else if (strcmp(name, "RSA PUBLIC KEY") == 0) {
                key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, length);
        } else if (strcmp(name, "CERTIFICATE") == 0) {
                X509 *certificate = d2i_X509(NULL, &at, length);

                key = certificate == NULL ? NULL : X509_get_pubkey(certificate);
                X509_free(certificate);
        }
        if (key == NULL)
                (void)fprintf(stderr, "ksactl: this %s holds no public key\n", name);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(bytes, (size_t)length);
        return key;
}

static int keys_convert(const struct words *arguments)
{
        const char *file = NULL;
        bool good = true, end = false;

        if (!read_flags(arguments, NULL, 0, &file, 1))
                return EXIT_BROKEN;
        BIO *in = file == NULL ? NULL : BIO_new_file(file, "r");
        if (in == NULL) {
                (void)fprintf(stderr, "ksactl: keys convert: %s cannot be read\n",
                              file != NULL ? file : "no file: it");
                return EXIT_BROKEN;
        }
        json_t *keys = json_array();
        while (good) {
                EVP_PKEY *key = read_pem(in, &end);

                if (end)
                        break;
                good = key != NULL && convert_key(key, keys);
                EVP_PKEY_free(key);
        }
        BIO_free(in);
        if (good && json_array_size(keys) > 0)
                return print_json(json_pack("{s:o}", "keys", keys)) ? EXIT_GOOD : EXIT_BROKEN;
        if (good)
                (void)fprintf(stderr, "ksactl: %s holds no PEM public key\n", file);
        json_decref(keys);
        return EXIT_BROKEN;
}

int command_keys(const struct words *arguments)
{
        if (arguments->count >= 1) {
                struct words rest = {arguments->count - 1, arguments->words + 1};

                if (strcmp(arguments->words[0], "show") == 0)
                        return keys_show(&rest);
                if (strcmp(arguments->words[0], "convert") == 0)
                        return keys_convert(&rest);
        }
        (void)fputs("usage: ksactl keys show [CLUSTER] | keys convert FILE\n", stderr);
        return EXIT_BROKEN;
}

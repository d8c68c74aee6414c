/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ksactl keys convert: PEM to JWKS. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jwk.h"
#include "ksactl.h"
#include "text.h"

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

int keys_convert(const struct words *arguments)
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

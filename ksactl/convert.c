/* SPDX-License-Identifier: BSD-2-Clause */
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

#include "base/secret.h"
#include "base/text.h"
#include "ksactl.h"
#include "token/json.h"
#include "token/jwk.h"
#include "token/keyset.h"

/* The kid of a key in API servers: the SHA-256 of its SubjectPublicKeyInfo (keyIDFromPublicKey). */
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

/* A number of the key in base64url, in WIDTH bytes, or 0 for as many as it needs. Freed by the caller. */
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

/* Whether KEYS has the key with this KID, which is a digest of the whole key. */
static bool has_key(const json_t *keys, const char *kid)
{
        for (size_t i = 0; i < json_array_size(keys); i++) {
                if (strcmp(ksa_json_text(json_array_get(keys, i), "kid"), kid) == 0)
                        return true;
        }
        return false;
}

/* KEY as an entry; NULL, with a message, for a key that logins cannot use. */
static json_t *entry_of(EVP_PKEY *key, const char *kid)
{
        struct ksa_error error = {0};
        struct ksa_jwk jwk;
        char group[32] = "";
        size_t length;
        json_t *entry = NULL;

        if (EVP_PKEY_is_a(key, "RSA"))
                entry = rsa_entry(key, kid);
        else if (EVP_PKEY_get_group_name(key, group, sizeof(group), &length) == 1 &&
                 (strcmp(group, "prime256v1") == 0 || strcmp(group, "secp384r1") == 0 ||
                  strcmp(group, "secp521r1") == 0))
                entry = ec_entry(key, kid);
        if (entry == NULL)
                (void)ksa_fail(&error, KSA_KEYS_UNUSABLE, "not RSA, P-256, P-384 or P-521");
        else if (ksa_jwk_read(entry, &jwk, &error) == KSA_OK)
                return entry;
        json_decref(entry);
        (void)fprintf(stderr, "ksactl: key %s is skipped: %s\n", kid, error.text);
        return NULL;
}

/* Adds the public half of KEY, unless KEYS has it or logins cannot use it. False after an error. */
static bool add_key(EVP_PKEY *key, bool is_private, json_t *keys)
{
        char kid[KSA_BASE64URL_ENCODED(32)];

        if (!kid_of(key, kid))
                return false;
        if (is_private)
                (void)fprintf(stderr,
                              "ksactl: key %s is private; the output has only its public half\n",
                              kid);
        if (has_key(keys, kid))
                return true;
        json_t *entry = entry_of(key, kid);
        return entry == NULL || json_array_append_new(keys, entry) == 0;
}

/* --- PEM ---------------------------------------------------------------------- */

/* Memory of OpenSSL, which wipes it. */
struct block {
        char *name, *header;
        unsigned char *bytes;
        long length;
};

static void clear_block(struct block *block)
{
        OPENSSL_secure_free(block->name);
        OPENSSL_secure_free(block->header);
        OPENSSL_secure_clear_free(block->bytes, (size_t)block->length);
        *block = (struct block){.name = NULL};
}

static bool is_private(const struct block *block)
{
        static const char end[] = "PRIVATE KEY";
        size_t length = strlen(block->name);

        return length >= sizeof(end) - 1 &&
               strcmp(block->name + length - (sizeof(end) - 1), end) == 0;
}

/* The key of a block, or NULL. */
static EVP_PKEY *decode_block(const struct block *block)
{
        const unsigned char *at = block->bytes;
        EVP_PKEY *key = NULL;

        if (strcmp(block->name, "PUBLIC KEY") == 0)
                return d2i_PUBKEY(NULL, &at, block->length);
        if (strcmp(block->name, "RSA PUBLIC KEY") == 0)
                return d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, block->length);
        if (is_private(block))
                return d2i_AutoPrivateKey(NULL, &at, block->length);
        if (strcmp(block->name, "CERTIFICATE") == 0) {
                X509 *certificate = d2i_X509(NULL, &at, block->length);

                key = certificate == NULL ? NULL : X509_get_pubkey(certificate);
                X509_free(certificate);
        }
        return key;
}

/* Adds the key of a block; false, with a message, if it does not contain one. */
static bool add_block(const struct block *block, json_t *keys)
{
        /* openssl ecparam -genkey writes the curve before the key, which names it too. */
        if (strcmp(block->name, "EC PARAMETERS") == 0)
                return true;
        if (is_private(block) && (strncmp(block->name, "ENCRYPTED ", 10) == 0 ||
                                  strstr(block->header, "ENCRYPTED") != NULL)) {
                (void)fputs("ksactl: a private key is encrypted; convert the output of openssl "
                            "pkey -in FILE -pubout\n",
                            stderr);
                return false;
        }
        EVP_PKEY *key = decode_block(block);
        if (key == NULL)
                (void)fprintf(stderr, "ksactl: this %s does not contain a %s key\n", block->name,
                              is_private(block) ? "readable" : "public");
        bool added = key != NULL && add_key(key, is_private(block), keys);
        EVP_PKEY_free(key);
        return added;
}

/* Adds the keys of all blocks; false, with a message, if one is damaged. */
static bool add_blocks(BIO *in, json_t *keys)
{
        struct block block = {.name = NULL};
        bool good = true;

        while (good && PEM_read_bio_ex(in, &block.name, &block.header, &block.bytes, &block.length,
                                       PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) == 1) {
                good = add_block(&block, keys);
                clear_block(&block);
        }
        if (good && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
                (void)fputs("ksactl: a PEM block is cut short or damaged\n", stderr);
                return false;
        }
        return good;
}

int keys_convert(const struct args *arguments)
{
        KSA_CLEANUP(ksa_secret_free) struct ksa_secret *text = NULL;
        const char *file = arguments->names[0];

        text = read_secret(file, KSA_KEYSET_BYTES_MAX);
        if (text != NULL && ksa_secret_length(text) > KSA_KEYSET_BYTES_MAX)
                (void)fprintf(stderr, "ksactl: %s is larger than 1 MiB\n", file);
        if (text == NULL || ksa_secret_length(text) > KSA_KEYSET_BYTES_MAX)
                return EXIT_BROKEN;
        json_t *keys = json_array();
        BIO *in = BIO_new_mem_buf(ksa_secret_bytes(text), (int)ksa_secret_length(text));
        bool good = in != NULL && add_blocks(in, keys);
        BIO_free(in);
        if (good && json_array_size(keys) > 0)
                return print_json(json_pack("{s:o}", "keys", keys)) ? EXIT_GOOD : EXIT_BROKEN;
        if (good)
                (void)fprintf(stderr, "ksactl: %s has no PEM key that a login can use\n", file);
        json_decref(keys);
        return EXIT_BROKEN;
}

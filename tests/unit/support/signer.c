/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/signer.h"

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/support.h"

static const struct {
        const char *curve, *name, *digest;
        size_t width;
} shapes[KSA_ALGORITHM_COUNT] = {
        [KSA_RS256] = {NULL, NULL, "SHA256", 0},
        [KSA_ES256] = {"prime256v1", "P-256", "SHA256", 32},
        [KSA_ES384] = {"secp384r1", "P-384", "SHA384", 48},
        [KSA_ES512] = {"secp521r1", "P-521", "SHA512", 66},
};

struct signer signer_new(enum ksa_algorithm algorithm, const char *kid)
{
        const char *curve = shapes[algorithm].curve;
        struct signer signer = {.algorithm = algorithm, .kid = kid};

        signer.key = curve == NULL ? EVP_RSA_gen(2048) : EVP_EC_gen(curve);
        assert_non_null(signer.key);
        return signer;
}

void signer_free(struct signer *signer)
{
        EVP_PKEY_free(signer->key);
        signer->key = NULL;
}

char *base64url_of(const void *bytes, size_t length)
{
        char *text = malloc(KSA_BASE64URL_ENCODED(length));

        assert_non_null(text);
        ksa_base64url_encode(bytes, length, text);
        return text;
}

/* A number of the key, big-endian, WIDTH bytes or as many as it takes, in base64url. */
static char *number_of(const struct signer *signer, const char *name, size_t width)
{
        unsigned char bytes[1024];
        BIGNUM *number = NULL;

        assert_int_equal(EVP_PKEY_get_bn_param(signer->key, name, &number), 1);
        if (width == 0)
                width = (size_t)BN_num_bytes(number);
        assert_int_equal(BN_bn2binpad(number, bytes, (int)width), (int)width);
        BN_free(number);
        return base64url_of(bytes, width);
}

char *signer_jwk(const struct signer *signer)
{
        size_t width = shapes[signer->algorithm].width;
        char *first, *second, *text = NULL;

        if (width == 0) {
                first = number_of(signer, OSSL_PKEY_PARAM_RSA_N, 0);
                second = number_of(signer, OSSL_PKEY_PARAM_RSA_E, 0);
                assert_true(asprintf(&text,
                                     "{\"use\":\"sig\",\"kty\":\"RSA\",\"kid\":\"%s\","
                                     "\"alg\":\"RS256\",\"n\":\"%s\",\"e\":\"%s\"}",
                                     signer->kid, first, second) > 0);
        } else {
                first = number_of(signer, OSSL_PKEY_PARAM_EC_PUB_X, width);
                second = number_of(signer, OSSL_PKEY_PARAM_EC_PUB_Y, width);
                assert_true(asprintf(&text,
                                     "{\"use\":\"sig\",\"kty\":\"EC\",\"kid\":\"%s\","
                                     "\"crv\":\"%s\",\"alg\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"}",
                                     signer->kid, shapes[signer->algorithm].name,
                                     ksa_algorithm_name(signer->algorithm), first, second) > 0);
        }
        free(first);
        free(second);
        return text;
}

char *signer_jwks(const struct signer *signers, size_t count)
{
        char *text = NULL;
        size_t length;
        FILE *out = open_memstream(&text, &length);

        assert_non_null(out);
        (void)fputs("{\"keys\":[", out);
        for (size_t i = 0; i < count; i++) {
                char *entry = signer_jwk(&signers[i]);

                (void)fprintf(out, "%s%s", i == 0 ? "" : ",", entry);
                free(entry);
        }
        (void)fputs("]}", out);
        assert_int_equal(fclose(out), 0);
        return text;
}

/* RFC 7518 section 3.4: DER becomes R and S, each as wide as the field. */
static size_t from_der(const unsigned char *der, size_t length, size_t width, unsigned char *out)
{
        ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)length);

        assert_non_null(signature);
        assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, (int)width), (int)width);
        assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + width, (int)width),
                         (int)width);
        ECDSA_SIG_free(signature);
        return 2 * width;
}

size_t signer_sign(const struct signer *signer, const char *text, size_t length, unsigned char *out)
{
        unsigned char bytes[1024];
        size_t written = sizeof(bytes), width = shapes[signer->algorithm].width;
        EVP_MD_CTX *context = EVP_MD_CTX_new();

        assert_non_null(context);
        assert_int_equal(EVP_DigestSignInit_ex(context, NULL, shapes[signer->algorithm].digest,
                                               NULL, NULL, signer->key, NULL),
                         1);
        assert_int_equal(
                EVP_DigestSign(context, bytes, &written, (const unsigned char *)text, length), 1);
        EVP_MD_CTX_free(context);
        if (width != 0)
                return from_der(bytes, written, width, out);
        memcpy(out, bytes, written);
        return written;
}

struct ksa_secret *token_of(const char *header, const char *payload, const void *signature,
                            size_t signature_length)
{
        char *parts[3] = {base64url_of(header, strlen(header)),
                          base64url_of(payload, strlen(payload)),
                          base64url_of(signature, signature_length)};
        char *text = NULL;

        assert_true(asprintf(&text, "%s.%s.%s", parts[0], parts[1], parts[2]) > 0);
        struct ksa_secret *token = secret_of(text);
        for (size_t i = 0; i < KSA_COUNT(parts); i++)
                free(parts[i]);
        free(text);
        return token;
}

struct ksa_secret *signer_token(const struct signer *signer, const char *header,
                                const char *payload)
{
        unsigned char signature[1024];
        char made[2048];

        (void)snprintf(made, sizeof(made), "{\"alg\":\"%s\",\"kid\":\"%s\"}",
                       ksa_algorithm_name(signer->algorithm), signer->kid);
        if (header == NULL)
                header = made;
        struct ksa_secret *unsigned_token = token_of(header, payload, "", 0);
        /* All but the last dot. */
        size_t length = signer_sign(signer, ksa_secret_bytes(unsigned_token),
                                    ksa_secret_length(unsigned_token) - 1, signature);
        ksa_secret_free(&unsigned_token);
        return token_of(header, payload, signature, length);
}

static json_t *default_claims(void)
{
        json_t *claims = json_pack(
                "{s:[s], s:I, s:I, s:s, s:s, s:{s:s, s:{s:s, s:s}}, s:I, s:s}", "aud", AUDIENCE,
                "exp", (json_int_t)NOW + 600, "iat", (json_int_t)NOW, "iss", ISSUER, "jti",
                "360a28dd-aad8-410c-9da1-8297ad167b1e", "kubernetes.io", "namespace", "ci",
                "serviceaccount", "name", "deployer", "uid", "055340be-da7c-4afd-8213-e998a1704706",
                "nbf", (json_int_t)NOW, "sub", "system:serviceaccount:ci:deployer");

        assert_non_null(claims);
        return claims;
}

char *claims_with(const char *member, const char *value)
{
        json_t *claims = default_claims(), *object = claims;
        const char *slash;

        while (member != NULL && (slash = strchr(member, '/')) != NULL) {
                char name[64];

                (void)snprintf(name, sizeof(name), "%.*s", (int)(slash - member), member);
                if (json_object_get(object, name) == NULL)
                        assert_int_equal(json_object_set_new(object, name, json_object()), 0);
                object = json_object_get(object, name);
                member = slash + 1;
        }
        if (member != NULL && value == NULL) {
                assert_int_equal(json_object_del(object, member), 0);
        } else if (member != NULL) {
                json_t *parsed = json_loads(value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

                assert_non_null(parsed);
                assert_int_equal(json_object_set_new(object, member, parsed), 0);
        }
        char *text = json_dumps(claims, JSON_COMPACT);
        assert_non_null(text);
        json_decref(claims);
        return text;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/jwk.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/text.h"
#include "token/json.h"

/* The curves of RFC 7518 section 6.2.1.1, each with its only algorithm. */
static const struct curve {
        enum ksa_algorithm algorithm;
        const char *name;  /* in a JWK */
        const char *group; /* in OpenSSL */
        unsigned bits;
        size_t width; /* bytes of a coordinate */
} curves[] = {
        {KSA_ES256, "P-256", "P-256", 256, 32},
        {KSA_ES384, "P-384", "P-384", 384, 48},
        {KSA_ES512, "P-521", "P-521", 521, 66},
};

static const struct curve *curve_of(enum ksa_algorithm algorithm)
{
        for (size_t i = 0; i < KSA_COUNT(curves); i++) {
                if (curves[i].algorithm == algorithm)
                        return &curves[i];
        }
        return NULL;
}

static enum ksa_algorithm algorithm_of_curve(const char *name)
{
        for (size_t i = 0; name != NULL && i < KSA_COUNT(curves); i++) {
                if (strcmp(curves[i].name, name) == 0)
                        return curves[i].algorithm;
        }
        return KSA_ALGORITHM_NONE;
}

bool ksa_jwk_is_same(const struct ksa_jwk *left, const struct ksa_jwk *right)
{
        return left->algorithm == right->algorithm && left->first_length == right->first_length &&
               left->second_length == right->second_length &&
               memcmp(left->first, right->first, left->first_length) == 0 &&
               memcmp(left->second, right->second, left->second_length) == 0;
}

static enum ksa_reason unusable(struct ksa_error *err, const char *why)
{
        return ksa_fail(err, KSA_KEYS_UNUSABLE, "%s", why);
}

unsigned ksa_jwk_bits(const struct ksa_jwk *jwk)
{
        const struct curve *curve = curve_of(jwk->algorithm);
        unsigned bits = (unsigned)jwk->first_length * 8;

        if (curve != NULL)
                return curve->bits;
        for (unsigned char top = jwk->first[0]; bits > 0 && (top & 0x80) == 0;
             top = (unsigned char)(top << 1 | 1))
                bits--;
        return bits;
}

/* OpenSSL accepts e = 1, an even n, and n = 3 padded to 256 bytes. */
static enum ksa_reason check_rsa(const struct ksa_jwk *jwk, struct ksa_error *err)
{
        if (jwk->first_length == 0 || jwk->first[0] == 0)
                return unusable(err, "n is empty or begins with a zero byte");
        if (ksa_jwk_bits(jwk) < KSA_RSA_BITS_MIN || ksa_jwk_bits(jwk) > KSA_RSA_BITS_MAX)
                return ksa_fail(err, KSA_KEYS_UNUSABLE, "RSA key of %u bits, not %d to %d",
                                ksa_jwk_bits(jwk), KSA_RSA_BITS_MIN, KSA_RSA_BITS_MAX);
        if ((jwk->first[jwk->first_length - 1] & 1) == 0)
                return unusable(err, "n is even");
        if (jwk->second_length == 0 || jwk->second_length > 4 || jwk->second[0] == 0)
                return unusable(err, "e is not between 3 and 2^32-1");
        if ((jwk->second[jwk->second_length - 1] & 1) == 0 ||
            (jwk->second_length == 1 && jwk->second[0] < 3))
                return unusable(err, "e is even or 1");
        return KSA_OK;
}

static bool decode(const char *text, size_t length, unsigned char *out, size_t room,
                   size_t *ret_length)
{
        /* The decoder may write two bytes more than it returns. */
        unsigned char bytes[KSA_RSA_BITS_MAX / 8 + 2];

        if (KSA_BASE64URL_DECODED(length) > sizeof(bytes) ||
            !ksa_base64url_decode(text, length, bytes, ret_length) || *ret_length > room)
                return false;
        memcpy(out, bytes, *ret_length);
        return true;
}

enum ksa_reason ksa_jwk_decode(enum ksa_algorithm algorithm, const char *first, size_t first_length,
                               const char *second, size_t second_length, struct ksa_jwk *ret_jwk,
                               struct ksa_error *err)
{
        const struct curve *curve = curve_of(algorithm);

        ret_jwk->algorithm = algorithm;
        if (!decode(first, first_length, ret_jwk->first, sizeof(ret_jwk->first),
                    &ret_jwk->first_length) ||
            !decode(second, second_length, ret_jwk->second, sizeof(ret_jwk->second),
                    &ret_jwk->second_length))
                return unusable(err, "its numbers are not base64url, or too long");
        if (curve == NULL)
                return check_rsa(ret_jwk, err);
        /* RFC 7518 section 6.2.1.2: coordinates have the full width of the field. */
        if (ret_jwk->first_length != curve->width || ret_jwk->second_length != curve->width)
                return unusable(err, "x or y does not have the length of the curve");
        return KSA_OK;
}

/* Whether MEMBER is absent or equals TEXT. */
static bool absent_or(const json_t *entry, const char *member, const char *text)
{
        const char *value = ksa_json_text(entry, member);

        return json_object_get(entry, member) == NULL ||
               (value != NULL && strcmp(value, text) == 0);
}

/* RFC 7517 section 4.3: key_ops, if present, must contain "verify". */
static bool may_verify(const json_t *entry)
{
        const json_t *operations = json_object_get(entry, "key_ops");

        for (size_t i = 0; i < json_array_size(operations); i++) {
                const char *operation = json_string_value(json_array_get(operations, i));

                if (operation != NULL && strcmp(operation, "verify") == 0)
                        return true;
        }
        return operations == NULL;
}

enum ksa_reason ksa_jwk_read(const json_t *entry, struct ksa_jwk *ret_jwk, struct ksa_error *err)
{
        const char *kty = ksa_json_text(entry, "kty");
        bool rsa = kty != NULL && strcmp(kty, "RSA") == 0;
        enum ksa_algorithm algorithm = KSA_RS256;

        if (!rsa && (kty == NULL || strcmp(kty, "EC") != 0))
                return unusable(err, "kty is neither RSA nor EC");
        if (!rsa)
                algorithm = algorithm_of_curve(ksa_json_text(entry, "crv"));
        if (algorithm == KSA_ALGORITHM_NONE)
                return unusable(err, "crv is not P-256, P-384 or P-521");
        if (!absent_or(entry, "use", "sig"))
                return unusable(err, "use is not sig");
        if (!may_verify(entry))
                return unusable(err, "key_ops does not contain verify");
        if (!absent_or(entry, "alg", ksa_algorithm_name(algorithm)))
                return ksa_fail(err, KSA_KEYS_UNUSABLE, "alg is not %s",
                                ksa_algorithm_name(algorithm));

        const char *first = ksa_json_text(entry, rsa ? "n" : "x");
        const char *second = ksa_json_text(entry, rsa ? "e" : "y");
        if (first == NULL || second == NULL)
                return unusable(err, "its numbers are missing");
        return ksa_jwk_decode(algorithm, first, strlen(first), second, strlen(second), ret_jwk,
                              err);
}

/* --- Conversion to OpenSSL ---------------------------------------------------- */

/* OSSL_PARAM integers have native byte order. */
static void to_native(const unsigned char *bytes, size_t length, unsigned char *out)
{
        for (size_t i = 0; i < length; i++) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
                out[i] = bytes[length - 1 - i];
#else
                out[i] = bytes[i];
#endif
        }
}

static EVP_PKEY *from_data(const char *type, OSSL_PARAM *parameters)
{
        EVP_PKEY *key = NULL;
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

        if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
            EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
                key = NULL;
        EVP_PKEY_CTX_free(context);
        return key;
}

static EVP_PKEY *rsa_key(const struct ksa_jwk *jwk)
{
        unsigned char n[sizeof(jwk->first)], e[sizeof(jwk->second)];

        to_native(jwk->first, jwk->first_length, n);
        to_native(jwk->second, jwk->second_length, e);
        OSSL_PARAM parameters[] = {
                OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, jwk->first_length),
                OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e, jwk->second_length),
                OSSL_PARAM_construct_end(),
        };
        return from_data("RSA", parameters);
}

static EVP_PKEY *ec_key(const struct ksa_jwk *jwk)
{
        /* SEC 1 section 2.3.3: 04, x, y. OpenSSL checks that the point is on the curve. */
        unsigned char point[1 + 2 * sizeof(jwk->second)] = {4};
        size_t width = jwk->first_length;
        char group[8];

        memcpy(point + 1, jwk->first, width);
        memcpy(point + 1 + width, jwk->second, width);
        (void)strncpy(group, curve_of(jwk->algorithm)->group, sizeof(group) - 1);
        group[sizeof(group) - 1] = '\0';
        OSSL_PARAM parameters[] = {
                OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * width),
                OSSL_PARAM_construct_end(),
        };
        return from_data("EC", parameters);
}

enum ksa_reason ksa_jwk_key(const struct ksa_jwk *jwk, EVP_PKEY **ret_key, struct ksa_error *err)
{
        if (jwk->algorithm == KSA_ALGORITHM_NONE)
                return unusable(err, "it is not a key");
        /* OpenSSL's error queue is the host program's. */
        (void)ERR_set_mark();
        EVP_PKEY *key = curve_of(jwk->algorithm) != NULL ? ec_key(jwk) : rsa_key(jwk);
        (void)ERR_pop_to_mark();
        if (key == NULL)
                return unusable(err, "its numbers are not a valid public key");
        *ret_key = key;
        return KSA_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* One public key of a key set (RFC 7517, RFC 7518 section 6). */
#ifndef KSA_JWK_H
#define KSA_JWK_H

#include <openssl/types.h>

#include "base/error.h"
#include "base/macros.h"
#include "token/token.h"

/* Larger RSA keys are rejected: they would slow down logins. */
#define KSA_RSA_BITS_MIN 2048
#define KSA_RSA_BITS_MAX 8192

/* The numbers of a key, big-endian, as in the JWK. */
struct ksa_jwk {
        enum ksa_algorithm algorithm; /* the only one that this key verifies */
        size_t first_length, second_length;
        unsigned char first[KSA_RSA_BITS_MAX / 8]; /* RSA: n; EC: x */
        unsigned char second[66];                  /* RSA: e; EC: y (P-521 is the longest) */
};

/*
 * Reads the key in one entry of a JWKS.
 *
 * KSA_KEYS_UNUSABLE  cannot verify one of our algorithms: another kty, use, key_ops, alg or curve, an
 *                    RSA key outside the limits, or invalid numbers; ERR names it
 */
enum ksa_reason ksa_jwk_read(const json_t *entry, struct ksa_jwk *ret_jwk,
                             struct ksa_error *err) KSA_MUST_CHECK;

/* Decodes a key whose numbers are FIRST and SECOND in base64url; the lengths are in characters. */
enum ksa_reason ksa_jwk_decode(enum ksa_algorithm algorithm, const char *first, size_t first_length,
                               const char *second, size_t second_length, struct ksa_jwk *ret_jwk,
                               struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Converts the key for OpenSSL, without PEM or DER, which cost as much as 17 and 6 verifications.
 *
 * ret_key  owned by the caller (EVP_PKEY_free)
 *
 * KSA_KEYS_UNUSABLE  the point is not on the curve
 */
enum ksa_reason ksa_jwk_key(const struct ksa_jwk *jwk, EVP_PKEY **ret_key,
                            struct ksa_error *err) KSA_MUST_CHECK;

/* Whether both are the same key, with the same algorithm. */
bool ksa_jwk_is_same(const struct ksa_jwk *left, const struct ksa_jwk *right);

/* Returns the bits of an RSA key's n, or of an EC key's curve. */
unsigned ksa_jwk_bits(const struct ksa_jwk *jwk);

#endif

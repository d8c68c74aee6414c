/* SPDX-License-Identifier: BSD-2-Clause */
/* One public key of a key set (RFC 7517, RFC 7518 section 6). */
#ifndef KSA_JWK_H
#define KSA_JWK_H

#include <openssl/types.h>

#include "base/error.h"
#include "base/macros.h"
#include "token/token.h"

/* RSA of at most 8192 bits; more costs a login too much time. */
#define KSA_RSA_BITS_MIN 2048
#define KSA_RSA_BITS_MAX 8192

/* The numbers of a key, big-endian, as the JWK has them. */
struct ksa_jwk {
        enum ksa_algorithm algorithm; /* the one that this key verifies */
        size_t first_length, second_length;
        unsigned char first[KSA_RSA_BITS_MAX / 8]; /* RSA: n; EC: x */
        unsigned char second[66];                  /* RSA: e; EC: y, of P-521 at most */
};

/*
 * The key in one entry of a JWKS.
 *
 * KSA_KEYS_UNUSABLE  no key that verifies one of our algorithms: another kty, use, key_ops, alg
 *                    or curve, RSA of an unfit size, numbers that are no key; ERR says which
 */
enum ksa_reason ksa_jwk_read(const json_t *entry, struct ksa_jwk *ret_jwk,
                             struct ksa_error *err) KSA_MUST_CHECK;

/* The key whose numbers are FIRST and SECOND in base64url (LENGTH bytes each). */
enum ksa_reason ksa_jwk_decode(enum ksa_algorithm algorithm, const char *first, size_t first_length,
                               const char *second, size_t second_length, struct ksa_jwk *ret_jwk,
                               struct ksa_error *err) KSA_MUST_CHECK;

/*
 * The key as OpenSSL wants it: without PEM or DER, which cost 17 and 6 verifications.
 *
 * ret_key  owned by the caller (EVP_PKEY_free)
 *
 * KSA_KEYS_UNUSABLE  a point that is not on the curve
 */
enum ksa_reason ksa_jwk_key(const struct ksa_jwk *jwk, EVP_PKEY **ret_key,
                            struct ksa_error *err) KSA_MUST_CHECK;

/* Whether both are the same key. */
bool ksa_jwk_is_same(const struct ksa_jwk *left, const struct ksa_jwk *right);

/* Bits of an RSA key's n, or of an EC key's curve. */
unsigned ksa_jwk_bits(const struct ksa_jwk *jwk);

#endif

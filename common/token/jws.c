/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/jws.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/text.h"

static const char *digest_of(enum ksa_algorithm algorithm)
{
        switch (algorithm) {
        case KSA_RS256:
        case KSA_ES256:
                return "SHA256";
        case KSA_ES384:
                return "SHA384";
        case KSA_ES512:
                return "SHA512";
        case KSA_ALGORITHM_NONE:
        case KSA_ALGORITHM_COUNT:
        default:
                return NULL;
        }
}

/* Verifies SIGNATURE, in OpenSSL's form, over the signed part. */
static enum ksa_reason verify(const struct ksa_token *token, EVP_PKEY *key,
                              const unsigned char *signature, size_t length, struct ksa_error *err)
{
        enum ksa_reason reason = KSA_BAD_SIGNATURE;
        char kid[KSA_UNVERIFIED_SIZE];
        EVP_MD_CTX *context = EVP_MD_CTX_new();

        if (context == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        if (EVP_DigestVerifyInit_ex(context, NULL, digest_of(token->algorithm), NULL, NULL, key,
                                    NULL) != 1)
                reason = ksa_fail(err, KSA_INTERNAL, "OpenSSL cannot verify %s",
                                  ksa_algorithm_name(token->algorithm));
        else if (EVP_DigestVerify(context, signature, length, (const unsigned char *)token->compact,
                                  token->signed_length) == 1)
                reason = KSA_OK;
        else
                reason = ksa_fail(err, KSA_BAD_SIGNATURE, "the signature does not match key \"%s\"",
                                  ksa_text_quote(token->kid, kid, sizeof(kid)));
        EVP_MD_CTX_free(context);
        return reason;
}

/*
 * Converts R and S, each as wide as the field (RFC 7518 section 3.4), to the DER form of OpenSSL.
 */
static unsigned char *der_of(const unsigned char *bytes, size_t width, int *ret_length)
{
        unsigned char *der = NULL;
        ECDSA_SIG *signature = ECDSA_SIG_new();
        BIGNUM *r = BN_bin2bn(bytes, (int)width, NULL);
        BIGNUM *s = BN_bin2bn(bytes + width, (int)width, NULL);

        if (signature == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(signature, r, s) != 1) {
                BN_clear_free(r);
                BN_clear_free(s);
        } else {
                *ret_length = i2d_ECDSA_SIG(signature, &der);
        }
        ECDSA_SIG_free(signature); /* wipes r and s */
        return der;
}

static enum ksa_reason check_length(size_t length, size_t wanted, struct ksa_error *err)
{
        if (length < wanted)
                return ksa_fail(err, KSA_CUT_SHORT, "the signature has %zu of %zu bytes", length,
                                wanted);
        if (length > wanted)
                return ksa_fail(err, KSA_BAD_SIGNATURE, "the signature has %zu bytes, not %zu",
                                length, wanted);
        return KSA_OK;
}

static enum ksa_reason verify_rsa(const struct ksa_token *token, const struct ksa_jwk *jwk,
                                  EVP_PKEY *key, struct ksa_error *err)
{
        size_t length = ksa_secret_length(token->signature);
        enum ksa_reason reason = check_length(length, jwk->first_length, err);

        if (reason != KSA_OK)
                return reason;
        return verify(token, key, (const unsigned char *)ksa_secret_bytes(token->signature), length,
                      err);
}

static enum ksa_reason verify_ecdsa(const struct ksa_token *token, const struct ksa_jwk *jwk,
                                    EVP_PKEY *key, struct ksa_error *err)
{
        size_t length = ksa_secret_length(token->signature), width = jwk->first_length;
        enum ksa_reason reason = check_length(length, 2 * width, err);
        int der_length = 0;

        if (reason != KSA_OK)
                return reason;
        unsigned char *der = der_of((const unsigned char *)ksa_secret_bytes(token->signature),
                                    width, &der_length);
        if (der == NULL || der_length <= 0)
                reason = ksa_fail(err, KSA_MEMORY, "out of memory");
        else
                reason = verify(token, key, der, (size_t)der_length, err);
        OPENSSL_clear_free(der, der_length > 0 ? (size_t)der_length : 0);
        return reason;
}

enum ksa_reason ksa_jws_verify(const struct ksa_token *token, const struct ksa_jwk *jwk,
                               struct ksa_error *err)
{
        EVP_PKEY *key = NULL;

        if (token->algorithm != jwk->algorithm)
                return ksa_fail(err, KSA_KEY_MISMATCH, "the token has alg %s, its key is for %s",
                                ksa_algorithm_name(token->algorithm),
                                ksa_algorithm_name(jwk->algorithm));
        enum ksa_reason reason = ksa_jwk_key(jwk, &key, err);
        if (reason != KSA_OK)
                return reason;
        /* An invalid signature leaves errors in OpenSSL's queue, which is the host program's. */
        (void)ERR_set_mark();
        reason = jwk->algorithm == KSA_RS256 ? verify_rsa(token, jwk, key, err)
                                             : verify_ecdsa(token, jwk, key, err);
        (void)ERR_pop_to_mark();
        EVP_PKEY_free(key);
        return reason;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys, key sets and tokens as an API server makes them, and as an attacker does. */
#ifndef KSA_TEST_SIGNER_H
#define KSA_TEST_SIGNER_H

#include <openssl/types.h>
#include <stddef.h>

#include "base/secret.h"
#include "token/token.h"

#define ISSUER   "https://kubernetes.default.svc.cluster.local"
#define AUDIENCE "ssh://build-7.example.com"
#define NOW      1795464267

struct signer {
        enum ksa_algorithm algorithm;
        const char *kid;
        EVP_PKEY *key;
};

/* A new key; RSA of 2048 bits. */
struct signer signer_new(enum ksa_algorithm algorithm, const char *kid);
void signer_free(struct signer *signer);

/* The public key as an entry of a JWKS, and COUNT of them as a JWKS. The caller frees them. */
char *signer_jwk(const struct signer *signer);
char *signer_jwks(const struct signer *signers, size_t count);

/* Signs in the form of a JWS; how many bytes went to OUT, which has room for 1024. */
size_t signer_sign(const struct signer *signer, const char *text, size_t length,
                   unsigned char *out);

/* A token. HEADER NULL: {"alg":"ALGORITHM","kid":"KID"}. */
struct ksa_secret *signer_token(const struct signer *signer, const char *header,
                                const char *payload);

/* The same in pieces: text of base64url, and three parts with a signature of any bytes. */
char *base64url_of(const void *bytes, size_t length);
struct ksa_secret *token_of(const char *header, const char *payload, const void *signature,
                            size_t signature_length);

/*
 * The claims of prod:ci/deployer, valid from NOW for 600 s, with one member changed:
 * "kubernetes.io/serviceaccount/name" becomes VALUE, which is JSON, or goes where VALUE
 * is NULL. MEMBER NULL: as they are. The caller frees them.
 */
char *claims_with(const char *member, const char *value);

#endif

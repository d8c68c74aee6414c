/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A compact JWS (RFC 7515 section 7.1) taken apart, and its claims as plain facts.
 * Nothing here is trusted: a fact is worth what the signature over it is worth.
 */
#ifndef KSA_TOKEN_H
#define KSA_TOKEN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "base/macros.h"
#include "base/secret.h"

/* The API server sets no limit; the longest names with RSA of 4096 bits make 3515 bytes. */
#define KSA_TOKEN_MAX 16384
/* Shorter than any: the claims of a service account token and the shortest signature make about 450 bytes. */
#define KSA_TOKEN_MIN 256
/* The kid of an external signer has at most 1024 characters (Kubernetes externaljwt api.proto). */
#define KSA_KID_MAX 1024
/* A TokenRequest names a handful at most. */
#define KSA_AUDIENCES_MAX 32

/* What Kubernetes signs with (pkg/serviceaccount/jwt.go); zero is none of them. */
enum ksa_algorithm {
        KSA_ALGORITHM_NONE = 0,
        KSA_RS256,
        KSA_ES256,
        KSA_ES384,
        KSA_ES512,
        KSA_ALGORITHM_COUNT,
};

/* "RS256", and back (KSA_ALGORITHM_NONE for any other name). */
const char *ksa_algorithm_name(enum ksa_algorithm algorithm);
enum ksa_algorithm ksa_algorithm_find(const char *name);

/* A time that the token may not have. */
struct ksa_time {
        bool given;
        int64_t seconds; /* since 1970 */
};

/* Texts are NULL where the token has none, and live as long as the token. */
struct ksa_token {
        const char *compact;          /* borrowed from the secret */
        size_t signed_length;         /* header, dot, payload */
        struct ksa_secret *signature; /* decoded */

        enum ksa_algorithm algorithm;
        const char *kid;

        const char *iss;
        const char *sub;
        const char *jti;
        struct ksa_list audiences; /* const char * */
        struct ksa_time exp, nbf, iat;
        const char *namespace;
        const char *account;
        const char *account_uid;
        const char *pod;
        const char *pod_uid;

        json_t *header, *payload; /* what the texts point into */
};

/*
 * Takes TEXT apart, strictly: three parts in base64url and nothing beside them; a
 * header with alg, kid and typ alone; claims of the right types.
 *
 * text       borrowed; must outlive the token
 * ret_token  filled as far as it went even on failure, so that a log line can say
 *            what is known; always ksa_token_clear() it
 *
 * KSA_NOT_A_TOKEN, KSA_CUT_SHORT, KSA_TOKEN_TOO_LONG   not a compact JWS
 * KSA_BAD_HEADER, KSA_BAD_ALGORITHM, KSA_BAD_CLAIMS    one, but none that Kubernetes makes
 * KSA_MEMORY
 */
enum ksa_reason ksa_token_parse(const struct ksa_secret *text, struct ksa_token *ret_token,
                                struct ksa_error *err) KSA_MUST_CHECK;

void ksa_token_clear(struct ksa_token *token);

#endif

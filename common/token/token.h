/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parses a compact JWS (RFC 7515 section 7.1) into plain facts. They are untrusted until the
 * signature is verified.
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

/*
 * In bytes. The API server has no limit; the longest names with RSA of 4096 bits give 3515 bytes.
 */
#define KSA_TOKEN_MAX 16384
/* The smallest possible token: claims and the shortest signature take about 450 bytes. */
#define KSA_TOKEN_MIN 256
/* The limit for kids of external signers, in characters (Kubernetes externaljwt api.proto). */
#define KSA_KID_MAX 1024
/* A TokenRequest names a few at most. */
#define KSA_AUDIENCES_MAX 32

/* The algorithms of Kubernetes (pkg/serviceaccount/jwt.go). Zero is not valid. */
enum ksa_algorithm {
        KSA_ALGORITHM_NONE = 0,
        KSA_RS256,
        KSA_ES256,
        KSA_ES384,
        KSA_ES512,
        KSA_ALGORITHM_COUNT,
};

/* The name, such as "RS256", and the reverse; KSA_ALGORITHM_NONE for any other name. */
const char *ksa_algorithm_name(enum ksa_algorithm algorithm);
enum ksa_algorithm ksa_algorithm_find(const char *name);

/* A time; GIVEN is false if the token does not have it. */
struct ksa_time {
        bool given;
        int64_t seconds; /* since 1970 */
};

/* Texts are NULL if the token does not have them. They live as long as the token. */
struct ksa_token {
        const char *compact;          /* borrowed from the secret */
        size_t signed_length;         /* header, dot and payload in bytes */
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
        const char *secret;
        const char *secret_uid;
        const char *node; /* of the Pod, too (Kubernetes 1.30 and later) */
        const char *node_uid;

        json_t *header, *payload; /* own the texts */
};

/*
 * Parses TEXT strictly: three parts in base64url and nothing else; a header with only alg, kid and
 * typ; claims of the right types.
 *
 * text       borrowed; must outlive the token
 * ret_token  on failure it contains what was parsed so far, for the log line; ksa_token_clear() it always
 *
 * KSA_NOT_A_TOKEN, KSA_CUT_SHORT, KSA_TOKEN_TOO_LONG  not a compact JWS
 * KSA_BAD_HEADER, KSA_BAD_ALGORITHM, KSA_BAD_CLAIMS   a JWS, but not a Kubernetes token
 * KSA_MEMORY
 */
enum ksa_reason ksa_token_parse(const struct ksa_secret *text, struct ksa_token *ret_token,
                                struct ksa_error *err) KSA_MUST_CHECK;

/* The kind of object that TOKEN is bound to: "pod", "secret", "node" or "none". Static. */
const char *ksa_token_bound(const struct ksa_token *token);

void ksa_token_clear(struct ksa_token *token);

#endif

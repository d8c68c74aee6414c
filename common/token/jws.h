/* SPDX-License-Identifier: BSD-2-Clause */
/* Verifies the signature of a token. */
#ifndef KSA_JWS_H
#define KSA_JWS_H

#include "base/error.h"
#include "base/macros.h"
#include "token/jwk.h"
#include "token/token.h"

/*
 * Verifies TOKEN's signature with KEY (RFC 7515 section 5.2). The key determines the algorithm; the
 * token's "alg" must be the same and never selects it.
 *
 * KSA_OK             valid; the claims are not checked
 * KSA_KEY_MISMATCH   the token names another algorithm
 * KSA_CUT_SHORT      the signature is too short
 * KSA_BAD_SIGNATURE
 * KSA_KEYS_UNUSABLE  KEY is not valid
 * KSA_MEMORY, KSA_INTERNAL
 */
enum ksa_reason ksa_jws_verify(const struct ksa_token *token, const struct ksa_jwk *key,
                               struct ksa_error *err) KSA_MUST_CHECK;

#endif

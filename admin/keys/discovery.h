/* SPDX-License-Identifier: BSD-2-Clause */
/* Where an issuer says its keys are: OpenID Connect Discovery 1.0, section 4. Pure. */
#ifndef KSA_DISCOVERY_H
#define KSA_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/macros.h"

/* Longer than any that an API server or a provider gives. */
#define KSA_JWKS_URI_MAX 2048

/*
 * Where the document of ISSUER is: below it, less one slash at its end (section 4). The caller
 * frees it; NULL when memory runs out.
 */
char *ksa_discovery_url(const char *issuer) KSA_MUST_CHECK;

/*
 * The jwks_uri of the document, whose issuer is ISSUER byte for byte (section 4.3). It is https,
 * and names its server in a way that all parsers read alike.
 *
 * ret_jwks_uri  owned by the caller (free)
 *
 * KSA_API_BROKEN, KSA_MEMORY
 */
enum ksa_reason ksa_discovery_read(const char *body, size_t length, const char *issuer,
                                   char **ret_jwks_uri, struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Whether two URLs name the same server and port by https: a credential of the one may go to the
 * other. An authority that is odd in any way is the same as none.
 */
bool ksa_same_origin(const char *left, const char *right);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The address of an issuer's keys: OpenID Connect Discovery 1.0, section 4. Pure. */
#ifndef KSA_DISCOVERY_H
#define KSA_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/macros.h"

/* Longer than the URLs of API servers and providers. */
#define KSA_JWKS_URI_MAX 2048

/*
 * The URL of the document of ISSUER: below it, without one slash at its end (section 4). The caller frees it;
 * NULL when memory runs out.
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
 * Whether two https URLs name the same server and port, so that a credential of one may go to the other.
 * False if either has an unusual authority.
 */
bool ksa_same_origin(const char *left, const char *right);

#endif

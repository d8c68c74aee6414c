/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public keys of one cluster: a JWKS file of the administrator's, or the cached
 * form of what was fetched.
 *
 * The cached form is text, one key a line, so that a login reads the one line it
 * needs and not a JSON document:
 *
 *   ksa-keys 1
 *   issuer https://kubernetes.default.svc.cluster.local
 *   keys api
 *   api_server https://10.0.0.1:6443
 *   api_ca_file /etc/ksa/prod-ca.crt
 *   keys_ca_file -
 *   fetched 1795464266
 *   max_age 3600
 *   key RS256 KID N E
 *   key ES256 KID X Y
 *   end 2
 *
 * The lines up to keys_ca_file are the configuration it was fetched for: where they
 * differ from today's, the file is ignored. Without its end line it is ignored too.
 */
#ifndef KSA_KEYSET_H
#define KSA_KEYSET_H

#include "base/env.h"
#include "base/error.h"
#include "base/macros.h"
#include "config/types.h"
#include "token/jwk.h"

#define KSA_KEYSET_BYTES_MAX ((size_t)1024 * 1024)
/* A cluster publishes two to four keys; a login scans all of them. */
#define KSA_KEYSET_KEYS_MAX 256
/*
 * Seconds by which a set may be newer than now: a login reads the clock once, before it waits for the
 * refresh that brings the set.
 */
#define KSA_KEYSET_AHEAD 60

struct ksa_keyset;

/*
 * Reads the key set of CLUSTER: the file that `keys = file:` names, or the cache.
 *
 * ret_keyset  owned by the caller (ksa_keyset_free)
 *
 * KSA_FILE_MISSING, KSA_FILE_UNSAFE, KSA_FILE_UNREADABLE
 * KSA_KEYS_UNUSABLE   not a key set, or fetched for another configuration
 * KSA_KEYS_STALE      cached longer ago than keys_max_stale, or further in the future than
 *                     KSA_KEYSET_AHEAD
 * KSA_MEMORY
 */
enum ksa_reason ksa_keyset_open(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                struct ksa_keyset **ret_keyset,
                                struct ksa_error *err) KSA_MUST_CHECK;

/* The same from bytes: a JWKS (RFC 7517 section 5), and the cached form. */
enum ksa_reason ksa_keyset_parse(const char *bytes, size_t length, struct ksa_keyset **ret_keyset,
                                 struct ksa_error *err) KSA_MUST_CHECK;
enum ksa_reason ksa_keyset_parse_cached(const char *bytes, size_t length,
                                        const struct ksa_cluster *cluster, int64_t now,
                                        struct ksa_keyset **ret_keyset,
                                        struct ksa_error *err) KSA_MUST_CHECK;

void ksa_keyset_free(struct ksa_keyset **keyset);

/*
 * The key named KID. Entries that cannot verify (for encryption, of another type, malformed) are skipped.
 *
 * KSA_UNKNOWN_KID    the set has no such entry
 * KSA_KEYS_UNUSABLE  it has only entries that cannot verify; ERR says why of the first
 * KSA_AMBIGUOUS_KID  it has two different keys of that kid
 */
enum ksa_reason ksa_keyset_find(const struct ksa_keyset *keyset, const char *kid,
                                struct ksa_jwk *ret_jwk, struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Every entry in the order of the set, also those that cannot verify; a key that is repeated under the same
 * kid counts once. *RET_KID is "" where there is none.
 *
 * KSA_KEYS_UNUSABLE, KSA_AMBIGUOUS_KID  as for ksa_keyset_find()
 */
size_t ksa_keyset_count(const struct ksa_keyset *keyset);
enum ksa_reason ksa_keyset_entry(const struct ksa_keyset *keyset, size_t position,
                                 const char **ret_kid, struct ksa_jwk *ret_jwk,
                                 struct ksa_error *err) KSA_MUST_CHECK;

/*
 * The kid of the first entry of a JWKS with a private part (d, or k of a symmetric key), "" where it has no
 * kid; NULL if there is no such entry. A repeated key is looked at too.
 */
const char *ksa_keyset_private_kid(const struct ksa_keyset *keyset);

/* How many of them a login could use. */
size_t ksa_keyset_count_usable(const struct ksa_keyset *keyset);

/* When it was fetched and for how long it was said to be fresh; 0 for a file. */
int64_t ksa_keyset_fetched(const struct ksa_keyset *keyset);
int64_t ksa_keyset_max_age(const struct ksa_keyset *keyset);

/*
 * The usable keys of KEYSET in the cached form. Allocated, owned by the caller (free);
 * NULL when memory runs out.
 */
char *ksa_keyset_format(const struct ksa_keyset *keyset, const struct ksa_cluster *cluster,
                        int64_t fetched, int64_t max_age) KSA_MUST_CHECK;

#endif

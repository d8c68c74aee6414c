/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public keys of one cluster: a JWKS file of the administrator, or the cached form of fetched
 * keys.
 *
 * The cached form is text with one key a line, so that a login parses only the line it needs, not a
 * JSON document:
 *
 *     ksa-keys 1
 *     issuer https://kubernetes.default.svc.cluster.local
 *     keys api
 *     api_server https://10.0.0.1:6443
 *     api_ca_file /etc/ksa/prod-ca.crt
 *     keys_ca_file -
 *     fetched 1795464266
 *     max_age 3600
 *     key RS256 KID N E
 *     key ES256 KID X Y
 *     end 2
 *
 * The lines up to keys_ca_file are the configuration at the time of the fetch. If they differ from
 * the present one, or the end line is missing, the file is ignored.
 */
#ifndef KSA_KEYSET_H
#define KSA_KEYSET_H

#include "base/env.h"
#include "base/error.h"
#include "base/macros.h"
#include "config/types.h"
#include "token/jwk.h"

#define KSA_KEYSET_BYTES_MAX ((size_t)1024 * 1024)
/* A cluster publishes two to four keys. A login scans all of them. */
#define KSA_KEYSET_KEYS_MAX 256
/*
 * Tolerated seconds between now and a later fetch time: a login reads the clock once, before it
 * waits for a refresh.
 */
#define KSA_KEYSET_AHEAD 60

struct ksa_keyset;

/*
 * Reads the key set of CLUSTER: the file of `keys = file:`, or the cache.
 *
 * ret_keyset  owned by the caller (ksa_keyset_free)
 *
 * KSA_FILE_MISSING, KSA_FILE_UNSAFE, KSA_FILE_UNREADABLE
 * KSA_KEYS_UNUSABLE  not a key set, or fetched for another configuration
 * KSA_KEYS_STALE     fetched longer ago than keys_max_stale, or by KSA_KEYSET_AHEAD in the future
 * KSA_MEMORY
 */
enum ksa_reason ksa_keyset_open(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                struct ksa_keyset **ret_keyset,
                                struct ksa_error *err) KSA_MUST_CHECK;

/* The same from bytes in memory: a JWKS (RFC 7517 section 5), and the cached form. */
enum ksa_reason ksa_keyset_parse(const char *bytes, size_t length, struct ksa_keyset **ret_keyset,
                                 struct ksa_error *err) KSA_MUST_CHECK;
enum ksa_reason ksa_keyset_parse_cached(const char *bytes, size_t length,
                                        const struct ksa_cluster *cluster, int64_t now,
                                        struct ksa_keyset **ret_keyset,
                                        struct ksa_error *err) KSA_MUST_CHECK;

void ksa_keyset_free(struct ksa_keyset **keyset);

/*
 * Finds the key named KID. Entries that cannot verify (for encryption, of another type, malformed)
 * are skipped.
 *
 * KSA_UNKNOWN_KID    the set has no entry with this kid
 * KSA_KEYS_UNUSABLE  it has only entries that cannot verify; ERR explains the first
 * KSA_AMBIGUOUS_KID  it has two different keys with this kid
 */
enum ksa_reason ksa_keyset_find(const struct ksa_keyset *keyset, const char *kid,
                                struct ksa_jwk *ret_jwk, struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Reads entries in the order of the set, including those that cannot verify. A key that is repeated
 * under the same kid counts once. *RET_KID is "" if it is missing.
 *
 * KSA_KEYS_UNUSABLE, KSA_AMBIGUOUS_KID  as for ksa_keyset_find()
 */
size_t ksa_keyset_count(const struct ksa_keyset *keyset);
enum ksa_reason ksa_keyset_entry(const struct ksa_keyset *keyset, size_t position,
                                 const char **ret_kid, struct ksa_jwk *ret_jwk,
                                 struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Returns the kid of the first entry of a JWKS with a private part (d, or k of a symmetric key), ""
 * if the entry has no kid. NULL if all keys are public. Repeated keys are checked too.
 */
const char *ksa_keyset_private_kid(const struct ksa_keyset *keyset);

/* Returns the number of keys that a login can use. */
size_t ksa_keyset_count_usable(const struct ksa_keyset *keyset);

/* The time of the fetch in seconds since 1970, and max-age in seconds; 0 for a file. */
int64_t ksa_keyset_fetched(const struct ksa_keyset *keyset);
int64_t ksa_keyset_max_age(const struct ksa_keyset *keyset);

/*
 * Returns the usable keys of KEYSET in the cached form, owned by the caller (free). NULL if memory
 * runs out.
 */
char *ksa_keyset_format(const struct ksa_keyset *keyset, const struct ksa_cluster *cluster,
                        int64_t fetched, int64_t max_age) KSA_MUST_CHECK;

#endif

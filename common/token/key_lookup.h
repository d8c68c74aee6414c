/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the cluster whose key set has a token's key, among all clusters with the token's issuer. An
 * unknown kid may start one refresh, of the clusters that could have signed the token.
 */
#ifndef KSA_TOKEN_KEY_LOOKUP_H
#define KSA_TOKEN_KEY_LOOKUP_H

#include "base/env.h"
#include "config/types.h"
#include "token/jwk.h"

struct ksa_key_found {
        const struct ksa_cluster *cluster; /* NULL if no set has the key */
        struct ksa_jwk key;
        int64_t fetched; /* seconds since 1970; 0: a file, which never becomes stale */
};

/*
 * Looks up KID in the key sets of all clusters with ISSUER. Clusters without a usable set are
 * skipped, unless no cluster has one.
 *
 * KSA_UNKNOWN_KID    no set has the key, or only as an unusable entry
 * KSA_AMBIGUOUS_KID  two sets have it, or one has different keys with this kid
 * KSA_MEMORY
 * the result of ksa_keyset_open() if no cluster of ISSUER has a usable set
 */
enum ksa_reason ksa_key_lookup_find(const struct ksa_config *config, const struct ksa_env *env,
                                    const char *issuer, const char *kid,
                                    struct ksa_key_found *ret_found,
                                    struct ksa_error *err) KSA_MUST_CHECK;

/* Whether a refresh could change the result FOUND. */
bool ksa_key_lookup_may_be_old(enum ksa_reason found);

/*
 * Returns the first cluster of ISSUER that could be refreshed: its set is fetched, and FITS returns
 * true. The name is borrowed from CONFIG; NULL without such a cluster.
 */
const char *ksa_key_lookup_may_refresh(const struct ksa_config *config, const char *issuer,
                                       bool (*fits)(const struct ksa_cluster *cluster,
                                                    void *context),
                                       void *context);

/*
 * Refreshes the key sets of the clusters of ISSUER for which FITS returns true. FITS keeps out
 * tokens that could not log in with any key: they must not cause requests. Returns whether a
 * refresh was attempted: then look up the key again, even after an error, which is in ERR.
 */
bool ksa_key_lookup_refresh(const struct ksa_config *config, const struct ksa_env *env,
                            const char *issuer,
                            bool (*fits)(const struct ksa_cluster *cluster, void *context),
                            void *context, struct ksa_error *err);

/*
 * Appends to ERR's text when and why the last refresh failed, for the first cluster of ISSUER with
 * a fetched set whose last refresh failed.
 */
void ksa_key_lookup_add_failure(const struct ksa_config *config, const struct ksa_env *env,
                                const char *issuer, struct ksa_error *err);

#endif

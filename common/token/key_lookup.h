/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one cluster, of those that share an issuer, whose key set has a token's key. A kid that none has
 * is worth one refresh, of the clusters that the token could be of.
 */
#ifndef KSA_TOKEN_KEY_LOOKUP_H
#define KSA_TOKEN_KEY_LOOKUP_H

#include "base/env.h"
#include "config/types.h"
#include "token/jwk.h"

struct ksa_key_found {
        const struct ksa_cluster *cluster; /* NULL where there is none */
        struct ksa_jwk key;
        int64_t fetched; /* 0: a file, which is never out of date */
};

/*
 * Looks KID up in the key sets of all clusters that have ISSUER. A cluster without a usable set takes
 * no part, unless it is all there is.
 *
 * KSA_UNKNOWN_KID    no set has it, or has it for something else
 * KSA_AMBIGUOUS_KID  two sets have, or one has different keys of it
 * KSA_MEMORY
 * and what ksa_keyset_open() says, where no cluster of that issuer has a usable set
 */
enum ksa_reason ksa_key_lookup_find(const struct ksa_config *config, const struct ksa_env *env,
                                    const char *issuer, const char *kid,
                                    struct ksa_key_found *ret_found,
                                    struct ksa_error *err) KSA_MUST_CHECK;

/* Whether FOUND could be helped: the key may be in a set that is not here yet. */
bool ksa_key_lookup_may_be_old(enum ksa_reason found);

/*
 * The first cluster of ISSUER that a refresh would be of: its set is fetched, and FITS returns true for it.
 * Its name is borrowed from CONFIG; NULL for none.
 */
const char *ksa_key_lookup_may_refresh(const struct ksa_config *config, const char *issuer,
                                       bool (*fits)(const struct ksa_cluster *cluster,
                                                    void *context),
                                       void *context);

/*
 * Has the key sets refreshed of the clusters of ISSUER that FITS says the token could be of: nobody
 * should be able to make us ask with a token that could not let him in. Whether anybody was asked to:
 * the sets may be others then, whatever came of it. ERR tells what went wrong.
 */
bool ksa_key_lookup_refresh(const struct ksa_config *config, const struct ksa_env *env,
                            const char *issuer,
                            bool (*fits)(const struct ksa_cluster *cluster, void *context),
                            void *context, struct ksa_error *err);

/*
 * Adds to the text of ERR when and why the last refresh failed, of the first cluster of ISSUER whose set is
 * fetched and whose last one did.
 */
void ksa_key_lookup_add_failure(const struct ksa_config *config, const struct ksa_env *env,
                                const char *issuer, struct ksa_error *err);

#endif

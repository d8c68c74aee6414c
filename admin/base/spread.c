/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/base/spread.h"

#include "base/hash_index.h"

/* The last step of MurmurHash3: names that differ in one digit differ in the highest bits, too. */
static uint64_t mix(uint64_t hash)
{
        hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
        hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
        return hash ^ hash >> 33;
}

int64_t ksa_spread_share(const struct ksa_env *env, const struct ksa_cluster *cluster,
                         const char *purpose, int64_t moment, int64_t seconds)
{
        const char *const texts[] = {env->host_name, cluster->name, purpose};
        uint64_t hash = mix(ksa_hash_index_hash(texts, KSA_COUNT(texts)));
        uint64_t share = mix(hash ^ (uint64_t)moment) >> 32;

        if (seconds <= 0)
                return 0;
        /* An interval has at most KSA_SECONDS_MAX, below 2^38: in two steps, it overflows nowhere. */
        return (int64_t)(((uint64_t)seconds >> 16) * share >> 16) +
               (int64_t)(((uint64_t)seconds & 0xffff) * share >> 32);
}

int64_t ksa_spread_started(const struct ksa_env *env)
{
        return env->now - env->uptime() / 1000;
}

int64_t ksa_spread_start(const struct ksa_env *env, const struct ksa_cluster *cluster,
                         const char *purpose, int64_t due, int64_t seconds)
{
        int64_t first =
                ksa_spread_started(env) + ksa_spread_share(env, cluster, purpose, 0, seconds);

        return due > first ? due : first;
}

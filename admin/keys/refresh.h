/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One refresh of one cluster's cached key set. One process at a time does it, and whoever asks too often
 * is held off, all processes together:
 *
 *   RUN/clusters/CLUSTER.lock     held from before the look at the stamp to the end
 *   RUN/clusters/CLUSTER.stamp    when the last attempt began: env.uptime in decimal
 *   RUN/clusters/CLUSTER.failure  why the last attempt failed, if it did (cluster_files.h)
 *   CACHE/CLUSTER/keys            the set, replaced whole, and only by one with a usable key
 */
#ifndef KSA_REFRESH_H
#define KSA_REFRESH_H

#include "base/env.h"
#include "config/types.h"
#include "token/keyset.h"

/* Milliseconds between two attempts, where one should wait (RFC 7517 leaves it to us). */
#define KSA_COOLDOWN 30000

/* A key set is fresh for as long as its server says, but at least this many seconds. */
#define KSA_FRESH_MIN 300

/* Seconds after its start in which a host without a usable set, or with one that is too old, is due. */
#define KSA_START_SPREAD 1800

/* When a refresh is wanted at all. */
struct ksa_refresh_request {
        unsigned milliseconds; /* for all questions of the environment */
        bool cooldown;         /* not where the last attempt is less than KSA_COOLDOWN ago */
        bool if_due;           /* only where ksa_refresh_next() has passed */
        bool if_older;         /* only where the set was fetched longer than AGE seconds ago */
        uint64_t age;
};

struct ksa_refreshed {
        bool asked;    /* false: there was nothing to do */
        bool replaced; /* the new set has no key of the old one, which was usable */
        bool changed;  /* it has another key under a kid of the old one's */
        size_t keys;   /* in the new set, that a login could use */
        int64_t max_age;
        int64_t next; /* when it should be fetched anew */
};

/*
 * Fetches the key set of CLUSTER, whose keys are not in a file, where REQUEST says so.
 *
 * What ksa_key_source_fetch() says, and what file_write.h says: the old set stays then.
 */
enum ksa_reason ksa_refresh(const struct ksa_cluster *cluster, const struct ksa_env *env,
                            const struct ksa_refresh_request *request,
                            struct ksa_refreshed *ret_refreshed,
                            struct ksa_error *err) KSA_MUST_CHECK;

/*
 * When a set that was FETCHED then (0: there is no usable one), and said to be fresh for MAX_AGE, is due
 * to be fetched again. Each host has its own time in the second half of the interval, and after its start.
 * It is never later than half of keys_max_stale after FETCHED, unless the host started later than that.
 */
int64_t ksa_refresh_next(const struct ksa_cluster *cluster, const struct ksa_env *env,
                         int64_t fetched, int64_t max_age);

/* Forgets the cached set, and the last attempt with its failure. What file_write.h says. */
enum ksa_reason ksa_refresh_purge(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                  struct ksa_error *err) KSA_MUST_CHECK;

#endif

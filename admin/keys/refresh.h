/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One refresh of one cluster's cached key set. One process at a time refreshes a set, and all processes share
 * one cooldown:
 *
 *   RUN/clusters/CLUSTER.lock     held from before the stamp is read until the end
 *   RUN/clusters/CLUSTER.stamp    when the last attempt began: env.uptime in decimal
 *   RUN/clusters/CLUSTER.failure  why the last attempt failed, if it did (cluster_files.h)
 *   CACHE/CLUSTER/keys            the set, replaced as a whole, and only by one with a usable key
 */
#ifndef KSA_REFRESH_H
#define KSA_REFRESH_H

#include "base/env.h"
#include "config/types.h"
#include "token/keyset.h"

/* Milliseconds between two attempts with cooldown (RFC 7517 sets no time). */
#define KSA_COOLDOWN 30000

/* A key set is fresh for as long as its server says, but at least this many seconds. */
#define KSA_FRESH_MIN 300

/* Seconds after its start within which a host without a usable set, or with an old one, refreshes it. */
#define KSA_START_SPREAD 1800

/* The conditions of a refresh. */
struct ksa_refresh_request {
        unsigned milliseconds; /* for all requests of the environment */
        bool cooldown;         /* not if the last attempt is less than KSA_COOLDOWN ago */
        bool if_due;           /* only after ksa_refresh_next() */
        bool if_older;         /* only if the set was fetched more than AGE seconds ago */
        uint64_t age;
};

struct ksa_refreshed {
        bool asked;    /* false: the conditions were not met */
        bool replaced; /* the new set has no key of the old one, which was usable */
        bool changed;  /* it has another key under a kid of the old one's */
        size_t keys;   /* usable ones in the new set */
        int64_t max_age;
        int64_t next; /* when it should be fetched again */
};

/*
 * Fetches the key set of CLUSTER, whose keys are not in a file, if the conditions of REQUEST are met. After
 * an error the old set stays.
 *
 * The reasons of ksa_key_source_fetch() and file_write.h
 */
enum ksa_reason ksa_refresh(const struct ksa_cluster *cluster, const struct ksa_env *env,
                            const struct ksa_refresh_request *request,
                            struct ksa_refreshed *ret_refreshed,
                            struct ksa_error *err) KSA_MUST_CHECK;

/*
 * When a set that was FETCHED then (0: there is no usable one) is due again, if its server calls it fresh for
 * MAX_AGE seconds. Each host has its own time in the second half of the interval, and after its start. It is
 * never later than half of keys_max_stale after FETCHED, unless the host started later than that.
 */
int64_t ksa_refresh_next(const struct ksa_cluster *cluster, const struct ksa_env *env,
                         int64_t fetched, int64_t max_age);

/* Removes the cached set, the stamp and the failure. The reasons of file_write.h. */
enum ksa_reason ksa_refresh_purge(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                  struct ksa_error *err) KSA_MUST_CHECK;

#endif

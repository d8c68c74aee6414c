/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When each of many hosts does what all of them do once an interval, so that an API server is not asked by
 * all at once. Nothing is random: the same host, cluster and moment give the same share.
 */
#ifndef KSA_SPREAD_H
#define KSA_SPREAD_H

#include "base/env.h"
#include "config/types.h"

/*
 * This host's share of SECONDS, from 0 up to it, for CLUSTER and PURPOSE, such as "keys". MOMENT is when the
 * interval began: with the same share each time, hosts that began together would meet again and again at the
 * common multiples of their intervals, because a timer rounds these to its own.
 */
int64_t ksa_spread_share(const struct ksa_env *env, const struct ksa_cluster *cluster,
                         const char *purpose, int64_t moment, int64_t seconds);

/* When this host started, by the clock of ENV; seconds since 1970. */
int64_t ksa_spread_started(const struct ksa_env *env);

/*
 * DUE, but not before this host's share of SECONDS after its start: hosts that were off together are due
 * together when they start.
 */
int64_t ksa_spread_start(const struct ksa_env *env, const struct ksa_cluster *cluster,
                         const char *purpose, int64_t due, int64_t seconds);

#endif

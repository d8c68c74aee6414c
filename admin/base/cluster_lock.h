/* SPDX-License-Identifier: BSD-2-Clause */
/* The locks of a cluster: RUN/clusters/NAME.SUFFIX. */
#ifndef KSA_CLUSTER_LOCK_H
#define KSA_CLUSTER_LOCK_H

#include "token/cluster_files.h"

/* Waits for the lock with SUFFIX; creates the directories first. Reasons and RET_LOCK as in file_write.h. */
enum ksa_reason ksa_cluster_lock(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                 const char *suffix, int *ret_lock,
                                 struct ksa_error *err) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lock files and stamps of a cluster, in a directory that holds no other files: RUN/clusters/NAME.SUFFIX.
 * A cluster may have any name, so it must never share a directory with names that ksa chose itself, such as
 * RUN/accounts.lock.
 */
#ifndef KSA_CLUSTER_LOCK_H
#define KSA_CLUSTER_LOCK_H

#include <limits.h>

#include "env.h"
#include "section.h"

/* The path of the file with SUFFIX, such as ".stamp". KSA_FILE_UNREADABLE if it is too long. */
enum ksa_reason ksa_cluster_path(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                 const char *suffix, char out[PATH_MAX],
                                 struct ksa_error *err) KSA_MUST_CHECK;

/* Waits for the lock with SUFFIX; creates the directories first. Reasons and RET_LOCK as in file_write.h. */
enum ksa_reason ksa_cluster_lock(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                 const char *suffix, int *ret_lock,
                                 struct ksa_error *err) KSA_MUST_CHECK;

#endif

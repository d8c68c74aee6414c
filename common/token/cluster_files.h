/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of a cluster in RUN/clusters: locks, time stamps, and why its last refresh failed. The
 * directory holds no other files. A cluster may have any name, so files named after it must not
 * share a directory with files that ksa names, such as RUN/accounts.lock.
 */
#ifndef KSA_TOKEN_CLUSTER_FILES_H
#define KSA_TOKEN_CLUSTER_FILES_H

#include <limits.h>

#include "base/env.h"
#include "config/types.h"

/*
 * Writes the path of the file with SUFFIX, such as ".stamp". KSA_FILE_UNREADABLE if it is too long.
 */
enum ksa_reason ksa_cluster_path(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                 const char *suffix, char out[PATH_MAX],
                                 struct ksa_error *err) KSA_MUST_CHECK;

/* The last failure of a refresh: seconds since 1970, a space, the text of the error, a newline. */
#define KSA_FAILURE_SUFFIX ".failure"
/* Largest size of that file, with a number of 20 digits. */
#define KSA_FAILURE_FILE_MAX (KSA_ERROR_SIZE + 22)

/* Room for its text in a message. */
#define KSA_FAILURE_SIZE 257

/*
 * Describes the last failure of CLUSTER's refresh as "312 s ago: TEXT", cut and in printable ASCII.
 * For messages only. False, and OUT untouched, if the last refresh succeeded or the caller may not
 * read the file.
 */
bool ksa_cluster_failure(const struct ksa_cluster *cluster, const struct ksa_env *env,
                         char out[KSA_FAILURE_SIZE]) KSA_MUST_CHECK;

#endif

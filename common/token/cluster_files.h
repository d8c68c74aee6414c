/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of a cluster in RUN/clusters, a directory that holds no other files: locks, stamps, and why its
 * last refresh failed. A cluster may have any name, so it must never share a directory with names that ksa
 * chose itself, such as RUN/accounts.lock.
 */
#ifndef KSA_TOKEN_CLUSTER_FILES_H
#define KSA_TOKEN_CLUSTER_FILES_H

#include <limits.h>

#include "base/env.h"
#include "config/types.h"

/* The path of the file with SUFFIX, such as ".stamp". KSA_FILE_UNREADABLE if it is too long. */
enum ksa_reason ksa_cluster_path(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                 const char *suffix, char out[PATH_MAX],
                                 struct ksa_error *err) KSA_MUST_CHECK;

/* The file with when and why the last refresh failed: seconds since 1970, a space, the error's text. */
#define KSA_FAILURE_SUFFIX ".failure"
/* Bytes of that file: a number of 20 digits, a space, a text and its newline. */
#define KSA_FAILURE_FILE_MAX (KSA_ERROR_SIZE + 22)

/* Room for what a message says of it. */
#define KSA_FAILURE_SIZE 257

/*
 * When and why the last refresh of CLUSTER failed, as "312 s ago: TEXT", cut and in printable ASCII. It is
 * for messages alone. False, and OUT untouched, if it did not fail, or the caller may not read it.
 */
bool ksa_cluster_failure(const struct ksa_cluster *cluster, const struct ksa_env *env,
                         char out[KSA_FAILURE_SIZE]) KSA_MUST_CHECK;

#endif

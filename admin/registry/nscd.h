/* SPDX-License-Identifier: BSD-2-Clause */
/* glibc's cache of users and groups, which keeps the answers of a registry that was replaced. */
#ifndef KSA_NSCD_H
#define KSA_NSCD_H

#include "base/env.h"
#include "base/error.h"
#include "base/macros.h"

/*
 * Invalidates nscd's caches of passwd and group, as useradd does, where nscd has a socket. Takes more than a
 * second there, and at most seven.
 *
 * KSA_HELPER  nscd could not be run, did not end in time, or failed
 */
enum ksa_reason ksa_nscd_invalidate(const struct ksa_env *env,
                                    struct ksa_error *err) KSA_MUST_CHECK;

#endif

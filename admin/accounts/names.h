/* SPDX-License-Identifier: BSD-2-Clause */
/* The name and the number that a service account has on every host, without a server. */
#ifndef KSA_ACCOUNTS_NAMES_H
#define KSA_ACCOUNTS_NAMES_H

#include "base/error.h"
#include "base/macros.h"
#include "config/types.h"
#include "registry/registry.h"

#define KSA_GROUP_PREFIX "k8s-"

/*
 * The uid: the first eight bytes of SHA-256 over the three texts, each ended by a NUL, as a number
 * (the most significant byte first), modulo the size of RANGE. If no account may have that one
 * (systemd uses some inside the default range), the same with one more NUL, sixteen times at most. The gid
 * of a namespace's group is that of the account "". KSA_INTERNAL if OpenSSL fails.
 */
enum ksa_reason ksa_account_uid(const char *cluster, const char *namespace, const char *account,
                                const struct ksa_uid_range *range, uint32_t *ret_uid,
                                struct ksa_error *err) KSA_MUST_CHECK;

/*
 * The user's name: namespace_account. One of more than 32 bytes is cut to 22 and ended by "__" and
 * eight characters (a-z, 2-7) of the hash; nothing that was not cut holds "__". The group's:
 * k8s-namespace, cut alike.
 */
#define KSA_NAME_SIZE (KSA_ACCOUNT_NAME_MAX + 1)
enum ksa_reason ksa_account_name(const char *cluster, const char *namespace, const char *account,
                                 char ret_name[KSA_NAME_SIZE],
                                 struct ksa_error *err) KSA_MUST_CHECK;
enum ksa_reason ksa_namespace_group(const char *cluster, const char *namespace,
                                    char ret_name[KSA_NAME_SIZE],
                                    struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Why no user may have that name, a constant text: too long, looks like a number, an unsafe character, a
 * well-known system name. Returns NULL for a valid name.
 */
const char *ksa_account_name_fault(const char *name);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* An account as a source has it, the list of an API server or a leader's file: checked, then desired. */
#ifndef KSA_ACCOUNTS_SOURCE_ITEM_H
#define KSA_ACCOUNTS_SOURCE_ITEM_H

#include "admin/accounts/desired.h"

/* More accounts than one host can be meant to have; etcd holds few clusters with as many. */
#define KSA_ACCOUNTS_MAX ((size_t)1048576)
/* Bytes of a Kubernetes uid: an API server makes UUIDs, which have 36. */
#define KSA_ACCOUNT_UID_MAX 128

struct ksa_account_origin {
        const struct ksa_accounts *source;
        const char *namespace; /* the only one that was asked for; NULL for all */
};

/*
 * Adds a copy of SAID to LIST if the source covers it; its cluster and source are those of ORIGIN.
 *
 * KSA_API_BROKEN  an invalid name or uid, a namespace that was not asked for; KSA_MEMORY
 */
enum ksa_reason ksa_account_item_add(const struct ksa_account_origin *origin,
                                     const struct ksa_desired *said, struct ksa_desired_list *list,
                                     struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Checks the items of LIST from position FIRST on, all of one source: KSA_API_BROKEN if there are more than
 * KSA_ACCOUNTS_MAX, or an account is in it twice; KSA_MEMORY.
 */
enum ksa_reason ksa_account_items_check(const struct ksa_desired_list *list, size_t first,
                                        struct ksa_error *err) KSA_MUST_CHECK;

/* The only form of a time in an object of the Kubernetes API, such as 2026-11-24T09:30:00Z (RFC 3339). */
bool ksa_account_time(const char *text, int64_t *ret_seconds) KSA_MUST_CHECK;

#endif

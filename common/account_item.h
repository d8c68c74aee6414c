/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a source says of one account, whether a list of an API server or a file: checked, then wanted. */
#ifndef KSA_ACCOUNT_ITEM_H
#define KSA_ACCOUNT_ITEM_H

#include "wanted.h"

/* More accounts than one host can be meant to have; etcd holds few clusters with as many. */
#define KSA_ACCOUNTS_MAX ((size_t)1048576)
/* Bytes of a Kubernetes uid: an API server makes UUIDs, which have 36. */
#define KSA_ACCOUNT_UID_MAX 128

/* Who says it. */
struct ksa_account_origin {
        const struct ksa_accounts *source;
        unsigned rank;              /* of the source */
        struct ksa_uid_range range; /* for who asks for a uid */
        const char *namespace;      /* the only one that was asked for; NULL for all */
};

/* What it says. */
struct ksa_account_said {
        const char *namespace, *account, *uid;
        int64_t created;
        const char *user, *user_uid; /* what it asks for by annotations; NULL for nothing */
};

/*
 * Adds the account to LIST where the source covers it, with a fault where it asks for what it may not have.
 *
 * KSA_API_BROKEN  names that are none, a namespace that nobody asked for, no uid; KSA_MEMORY
 */
enum ksa_reason ksa_account_item_add(const struct ksa_account_origin *origin,
                                     const struct ksa_account_said *said,
                                     struct ksa_wanted_list *list,
                                     struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Judges what LIST has from position FIRST on, all of one source: KSA_API_BROKEN where it is more than
 * KSA_ACCOUNTS_MAX, or has an account twice; KSA_MEMORY.
 */
enum ksa_reason ksa_account_items_judge(const struct ksa_wanted_list *list, size_t first,
                                        struct ksa_error *err) KSA_MUST_CHECK;

/* The only form of a time in an object of the Kubernetes API, such as 2026-11-24T09:30:00Z (RFC 3339). */
bool ksa_account_time(const char *text, int64_t *ret_seconds) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of the registry: from the accounts that it has, those that are wanted, and who has names and numbers
 * on this host already, to the accounts that it will have, with the reason for each change. Pure.
 */
#ifndef KSA_ACCOUNT_PLAN_H
#define KSA_ACCOUNT_PLAN_H

#include "local.h"
#include "wanted.h"

enum ksa_change {
        KSA_CHANGE_ADDED = 1,
        KSA_CHANGE_RETURNED,  /* was removed, and is wanted again: the same Kubernetes uid */
        KSA_CHANGE_REMOVED,   /* no source has it any more */
        KSA_CHANGE_RECREATED, /* another Kubernetes uid: refused until accepted */
        KSA_CHANGE_ACCEPTED,  /* by the administrator, or by recreated = accept */
        KSA_CHANGE_RETIRED,
        KSA_CHANGE_CONTESTED, /* refused until the administrator decides */
        KSA_CHANGE_RENAMED,
        KSA_CHANGE_RENUMBERED,
        KSA_CHANGE_MODIFIED, /* home, shell, groups */
        KSA_CHANGE_REFUSED,  /* has no local user, and got none */
        KSA_CHANGE_WARNING,  /* has one, less something: a group */
        KSA_CHANGE_COUNT,
};

struct ksa_plan_change {
        enum ksa_change change;
        const struct ksa_account_record
                *record;  /* as it will be; what was refused as it would have been */
        char why[512];    /* in words; "" where the change says it all */
        char remedy[256]; /* "" for none */
};

/* What an administrator asks for, beside what follows from the sources. */
enum ksa_plan_wish {
        KSA_WISH_NONE = 0,
        KSA_WISH_ACCEPT, /* the account made again, contested or retired, of this user */
        KSA_WISH_RETIRE,
};

struct ksa_plan_input {
        const struct ksa_registry *before; /* zeroed where there is none yet */
        const struct ksa_wanted_list *wanted;
        const struct ksa_local *local;
        struct ksa_uid_range range;
        int64_t now;
        enum ksa_plan_wish wish;
        const char *user; /* whom the wish is about */
};

struct ksa_plan {
        struct ksa_account_record *accounts; /* ordered by name */
        size_t account_count;
        struct ksa_group_record *groups; /* ordered by name */
        size_t group_count;
        struct ksa_plan_change *changes; /* what differs from before, refusals and warnings too */
        size_t change_count;
        size_t removals;
        bool differs; /* from the registry before; else there is nothing to write */
        /* Why it should not be done without --force; "" where it may. */
        char guard[256];
        struct ksa_list memory; /* char *: what the records point into beside the input */
};

/*
 * The plan borrows texts of the input, which must outlive it.
 *
 * ret_plan  ksa_plan_free() it
 *
 * KSA_ACCOUNT_UNKNOWN  there is no such user to accept or retire, or nothing to accept
 * KSA_REGISTRY         the registry before is damaged
 * KSA_INTERNAL, KSA_MEMORY
 */
enum ksa_reason ksa_plan_make(const struct ksa_plan_input *input, struct ksa_plan **ret_plan,
                              struct ksa_error *err) KSA_MUST_CHECK;
void ksa_plan_free(struct ksa_plan **plan);

/* "added", "removed", … */
const char *ksa_change_word(enum ksa_change change);
/* "active", "retired", … */
const char *ksa_account_state_word(enum ksa_account_state state);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The next registry, from the one before, the accounts that should have users, and the owners of names and
 * numbers on this host. The holder keeps: a newcomer gets its name and uid only if no other has or had them.
 * Pure, except for lookups in NSS (local_users.h).
 */
#ifndef KSA_ACCOUNTS_PLAN_H
#define KSA_ACCOUNTS_PLAN_H

#include "admin/accounts/changes.h"
#include "admin/accounts/arena.h"
#include "base/error.h"

struct ksa_plan {
        struct ksa_account_record *accounts; /* ordered by name */
        size_t account_count;
        struct ksa_group_record *groups; /* ordered by name; also those without a member */
        size_t group_count;
        struct ksa_plan_change *changes;
        size_t change_count;
        bool differs;            /* from the registry before; else nothing needs to be written */
        struct ksa_arena memory; /* of texts and groups of the records */
};

/*
 * The plan borrows texts of the input, which must outlive it.
 *
 * ret_plan  ksa_plan_free() it
 *
 * KSA_ACCOUNT_UNKNOWN  the user to enable or disable does not exist, or is enabled or disabled already
 * KSA_DISABLED         it cannot be enabled here
 * KSA_REGISTRY         the registry before is damaged
 * KSA_INTERNAL, KSA_MEMORY
 */
enum ksa_reason ksa_plan_make(const struct ksa_plan_input *input, struct ksa_plan **ret_plan,
                              struct ksa_error *err) KSA_MUST_CHECK;
void ksa_plan_free(struct ksa_plan **plan);

#endif

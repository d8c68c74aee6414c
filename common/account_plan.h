/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of the registry: from the accounts that it has, those that are wanted, and who has
 * names and numbers on this host already, to the accounts that it will have, with the reason for each
 * change. Pure, but for what local.h asks of NSS.
 */
#ifndef KSA_ACCOUNT_PLAN_H
#define KSA_ACCOUNT_PLAN_H

#include "account_change.h"
#include "arena.h"
#include "local.h"
#include "wanted.h"

struct ksa_plan {
        struct ksa_account_record *accounts; /* ordered by name */
        size_t account_count;
        struct ksa_group_record *groups; /* ordered by name; also those without a member */
        size_t group_count;
        struct ksa_plan_change *changes; /* what differs from before, refusals and warnings too */
        size_t change_count;
        bool differs; /* from the registry before; else there is nothing to write */
        /* What was too much at once, and stays as it was; "" and 0 for nothing. */
        char guard[256];
        size_t held;
        size_t removals;         /* of listed accounts that would be, held ones too */
        struct ksa_arena memory; /* what the records point into beside the input */
};

/*
 * The plan borrows texts of the input, which must outlive it.
 *
 * ret_plan  ksa_plan_free() it
 *
 * KSA_ACCOUNT_UNKNOWN  there is no such user to accept or retire, or nothing to accept
 * KSA_CONTESTED        who is to be accepted cannot be, and why
 * KSA_REGISTRY         the registry before is damaged
 * KSA_INTERNAL, KSA_MEMORY
 */
enum ksa_reason ksa_plan_make(const struct ksa_plan_input *input, struct ksa_plan **ret_plan,
                              struct ksa_error *err) KSA_MUST_CHECK;
void ksa_plan_free(struct ksa_plan **plan);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account_guard.h"

#include <stdio.h>

/* A user that was there and might go: not one that the administrator retired. */
static bool was_there(const struct ksa_draft_entry *entry)
{
        return ksa_draft_has_user(entry) && entry->before->state != KSA_ACCOUNT_RETIRED;
}

static bool is_removed(const struct ksa_draft_entry *entry)
{
        return was_there(entry) && entry->after.state == KSA_ACCOUNT_REMOVED;
}

static bool is_there(const struct ksa_draft_entry *entry)
{
        return entry->after.state != 0 && entry->after.state != KSA_ACCOUNT_REMOVED &&
               entry->after.state != KSA_ACCOUNT_RETIRED;
}

/* Who could log in, and will not: a source, or another uid_range, disputes what it has. */
static bool is_locked_out(const struct ksa_draft_entry *entry)
{
        return ksa_draft_has_user(entry) && entry->before->state == KSA_ACCOUNT_ACTIVE &&
               entry->after.state == KSA_ACCOUNT_CONTESTED;
}

/* Whether a namespace loses the last of the accounts that a source listed. */
static bool is_emptied(const struct ksa_draft *draft, const struct ksa_draft_group *group)
{
        size_t removed = 0, left = 0;

        for (size_t i = group->first; i < group->end; i++) {
                const struct ksa_draft_entry *entry = &draft->entries[i];

                if (is_removed(entry) && (entry->before->flags & KSA_ACCOUNT_DECLARED) == 0)
                        removed++;
                if (is_there(entry) && (entry->after.flags & KSA_ACCOUNT_DECLARED) == 0)
                        left++;
        }
        return removed > 0 && left == 0;
}

void ksa_account_guard(struct ksa_draft *draft, size_t *ret_removals, char *ret_guard, size_t size)
{
        size_t there = 0, removed = 0, emptied = 0, locked_out = 0;
        const struct ksa_draft_group *first = NULL;

        for (size_t i = 0; i < draft->entry_count; i++) {
                there += was_there(&draft->entries[i]);
                removed += is_removed(&draft->entries[i]);
                locked_out += is_locked_out(&draft->entries[i]);
        }
        for (size_t i = 0; i < draft->group_count; i++) {
                if (!is_emptied(draft, &draft->groups[i]))
                        continue;
                first = first == NULL ? &draft->groups[i] : first;
                emptied++;
        }
        *ret_removals = removed;
        ret_guard[0] = '\0';
        /* Of one account a tenth is always less: a host with few would never lose any by itself. */
        if (removed > 1 && removed > there / 10)
                (void)snprintf(ret_guard, size,
                               "%zu of %zu accounts would be removed, more than a tenth", removed,
                               there);
        else if (locked_out > 1 && locked_out > there / 10)
                (void)snprintf(ret_guard, size,
                               "%zu of %zu accounts would be refused until each is accepted, more "
                               "than a tenth: was uid_range changed?",
                               locked_out, there);
        else if (first != NULL)
                (void)snprintf(
                        ret_guard, size, "all accounts of the namespace %.150s would be removed%s",
                        ksa_draft_account(draft, first->claim.cluster, first->claim.namespace, "*"),
                        emptied > 1 ? ", and of others" : "");
}

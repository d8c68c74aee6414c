/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account_guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
               entry->after.state == KSA_ACCOUNT_CONTESTED &&
               entry->before->uid == entry->after.uid &&
               strcmp(entry->before->name, entry->after.name) == 0;
}

static bool is_listed(const struct ksa_account_record *record)
{
        return (record->flags & KSA_ACCOUNT_DECLARED) == 0;
}

/* Of one account a tenth is always less: a host with few would never lose any by itself. */
static bool is_too_much(size_t part, size_t whole)
{
        return part > 1 && part > whole / 10;
}

/* What a namespace had, and loses. */
struct loss {
        size_t there, removed;
        bool emptied; /* of the last of the accounts that a source listed */
};

static struct loss loss_of(const struct ksa_draft *draft, const struct ksa_draft_group *group)
{
        struct loss loss = {0};
        size_t listed = 0, left = 0;

        for (size_t i = group->first; i < group->end; i++) {
                const struct ksa_draft_entry *entry = &draft->entries[i];

                loss.there += was_there(entry);
                loss.removed += is_removed(entry);
                listed += is_removed(entry) && is_listed(entry->before);
                left += is_there(entry) && is_listed(&entry->after);
        }
        loss.emptied = listed > 0 && left == 0;
        return loss;
}

/* --- Holding -------------------------------------------------------------------------- */

struct guard {
        struct ksa_draft *draft;
        const char **taken; /* names that [account] sections have from now on, in order */
        size_t taken_count;
        struct loss all;
        size_t locked_out, held;
        const struct ksa_draft_group *emptied; /* the first */
        size_t emptied_count;
};

static int by_text(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Stays as it is. Not where an [account] section took its name: that is the administrator's word. */
static void hold(struct guard *guard, struct ksa_draft_entry *entry)
{
        if (guard->taken_count > 0 &&
            bsearch(&entry->before->name, guard->taken, guard->taken_count, sizeof(*guard->taken),
                    by_text) != NULL)
                return;
        entry->why = entry->after.state == KSA_ACCOUNT_REMOVED
                             ? "no source has it any more, and too many would go at once"
                             : "it would be contested, and too many would be at once";
        entry->remedy = "ksactl accounts sync --force, if it is meant";
        entry->after = *entry->before;
        entry->held = true;
        guard->held++;
}

static void hold_removed(struct guard *guard, size_t first, size_t end)
{
        for (size_t i = first; i < end; i++) {
                struct ksa_draft_entry *entry = &guard->draft->entries[i];

                if (is_removed(entry) && !entry->held)
                        hold(guard, entry);
        }
}

/*
 * Of those who are removed, the namespaces that lose too much: whoever empties his own must not keep other
 * accounts from being removed. What is too much without one such namespace is held altogether.
 */
static void hold_removals(struct guard *guard)
{
        struct ksa_draft *draft = guard->draft;
        bool too_much = is_too_much(guard->all.removed, guard->all.there);

        for (size_t i = 0; i < draft->group_count; i++) {
                struct ksa_draft_group *group = &draft->groups[i];
                struct loss loss = loss_of(draft, group);

                if (loss.emptied || (too_much && is_too_much(loss.removed, loss.there)))
                        hold_removed(guard, group->first, group->end);
        }
        if (is_too_much(guard->all.removed - guard->held, guard->all.there))
                hold_removed(guard, 0, draft->entry_count);
}

static void hold_locked_out(struct guard *guard)
{
        for (size_t i = 0; i < guard->draft->entry_count; i++) {
                if (is_locked_out(&guard->draft->entries[i]))
                        hold(guard, &guard->draft->entries[i]);
        }
}

/* --- The guard ------------------------------------------------------------------------ */

static void count(struct guard *guard)
{
        struct ksa_draft *draft = guard->draft;

        for (size_t i = 0; i < draft->entry_count; i++) {
                const struct ksa_draft_entry *entry = &draft->entries[i];

                guard->all.there += was_there(entry);
                guard->all.removed += is_removed(entry);
                guard->locked_out += is_locked_out(entry);
                if (ksa_draft_is_declared(entry) && is_there(entry))
                        guard->taken[guard->taken_count++] = entry->after.name;
        }
        qsort(guard->taken, guard->taken_count, sizeof(*guard->taken), by_text);
        for (size_t i = 0; i < draft->group_count; i++) {
                if (!loss_of(draft, &draft->groups[i]).emptied)
                        continue;
                guard->emptied = guard->emptied == NULL ? &draft->groups[i] : guard->emptied;
                guard->emptied_count++;
        }
}

static void tell(const struct guard *guard, char *out, size_t size)
{
        const struct ksa_draft_group *emptied = guard->emptied;

        if (is_too_much(guard->all.removed, guard->all.there))
                (void)snprintf(out, size, "%zu of %zu accounts would be removed, more than a tenth",
                               guard->all.removed, guard->all.there);
        else if (is_too_much(guard->locked_out, guard->all.there))
                (void)snprintf(out, size,
                               "%zu of %zu accounts would be refused until each is accepted, more "
                               "than a tenth: was uid_range changed?",
                               guard->locked_out, guard->all.there);
        else if (emptied != NULL)
                (void)snprintf(out, size, "all accounts of the namespace %.150s would be removed%s",
                               ksa_draft_account(guard->draft, emptied->claim.cluster,
                                                 emptied->claim.namespace, "*"),
                               guard->emptied_count > 1 ? ", and of others" : "");
}

enum ksa_reason ksa_account_guard(struct ksa_draft *draft, struct ksa_guarded *ret_guarded,
                                  struct ksa_error *err)
{
        struct guard guard = {.draft = draft,
                              .taken = calloc(draft->entry_count + 1, sizeof(char *))};

        if (guard.taken == NULL)
                return ksa_fail(err, KSA_MEMORY, "memory ran out over the plan");
        *ret_guarded = (struct ksa_guarded){0};
        count(&guard);
        if (!draft->input->force) {
                tell(&guard, ret_guarded->why, sizeof(ret_guarded->why));
                hold_removals(&guard);
                if (is_too_much(guard.locked_out, guard.all.there))
                        hold_locked_out(&guard);
        }
        ret_guarded->removals = guard.all.removed;
        ret_guarded->held = guard.held;
        free(guard.taken);
        return KSA_OK;
}

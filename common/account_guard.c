/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account_guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account_claim.h"

static bool is_listed(const struct ksa_account_record *record)
{
        return (record->flags & KSA_ACCOUNT_DECLARED) == 0;
}

/* A user that was there and might go: not one that the administrator retired. */
static bool was_there(const struct ksa_draft_entry *entry)
{
        return ksa_draft_has_user(entry) && entry->before->state != KSA_ACCOUNT_RETIRED;
}

/*
 * What a source listed can go by a mistake of a selector, a file or a tenant. A section that was taken
 * out is the administrator's own word, also where all of them were: it is how rights are taken back, and
 * where that was the mistake, the sections bring the same users back, with the same names and uids.
 * Held, they would have these rights still, and a tenant could bring the hold about.
 */
static bool was_listed(const struct ksa_draft_entry *entry)
{
        return was_there(entry) && is_listed(entry->before);
}

static bool is_removed(const struct ksa_draft_entry *entry)
{
        return was_listed(entry) && entry->after.state == KSA_ACCOUNT_REMOVED;
}

static bool is_there(const struct ksa_draft_entry *entry)
{
        return entry->after.state != 0 && entry->after.state != KSA_ACCOUNT_REMOVED &&
               entry->after.state != KSA_ACCOUNT_RETIRED;
}

/* Of one account a tenth is always less: a host with few would never lose any by itself. */
static bool is_too_much(size_t part, size_t whole)
{
        return part > 1 && part > whole / 10;
}

/* What a namespace had of listed accounts, and loses. */
struct loss {
        size_t there, removed;
        bool emptied; /* of the last of them */
};

static struct loss loss_of(const struct ksa_draft *draft, const struct ksa_draft_group *group)
{
        struct loss loss = {0};
        size_t left = 0;

        for (size_t i = group->first; i < group->end; i++) {
                const struct ksa_draft_entry *entry = &draft->entries[i];

                loss.there += was_listed(entry);
                loss.removed += is_removed(entry);
                left += is_there(entry) && is_listed(&entry->after);
        }
        loss.emptied = loss.removed > 0 && left == 0;
        return loss;
}

/* --- Who may be held ------------------------------------------------------------------ */

struct guard {
        struct ksa_draft *draft;
        /* What accounts and groups ask for, in order. */
        const char **names;
        uint32_t *numbers;
        size_t asked_count;
        struct loss all;
        size_t there, moved, held;
        const struct ksa_draft_group *emptied; /* the first */
        size_t emptied_count;
};

static int by_text(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_number(const void *a, const void *b)
{
        const uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;

        return (one > other) - (one < other);
}

static bool is_name_disputed(const struct guard *guard, const struct ksa_draft_entry *entry)
{
        const char *const *name = &entry->before->name;
        const char *why = NULL;

        if (entry->wanted == NULL)
                return bsearch(name, guard->names, guard->asked_count, sizeof(*guard->names),
                               by_text) != NULL;
        return strcmp(entry->claim.name, *name) != 0 ||
               ksa_claim_name(guard->draft, entry, &why) != KSA_MAY;
}

/*
 * Whether somebody else wants the name or number that it has: an [account] section, by the administrator's
 * word, or an account that may have it on another host already, so that two would be let in as one. It
 * asks for that number itself no more.
 */
static bool is_disputed(const struct guard *guard, const struct ksa_draft_entry *entry)
{
        const struct ksa_account_record *before = entry->before;
        const struct ksa_local *local = guard->draft->input->local;
        char who[KSA_WHO_SIZE];

        return is_name_disputed(guard, entry) ||
               bsearch(&before->uid, guard->numbers, guard->asked_count, sizeof(*guard->numbers),
                       by_number) != NULL ||
               ksa_local_has_user(local, before->name, false, who) ||
               ksa_local_has_group(local, before->name, false, who) ||
               ksa_local_has_number(local, before->uid, false, who);
}

/* Whether its number follows from the configuration alone, now and before: no annotation moves it. */
static bool is_computed(const struct ksa_draft_entry *entry)
{
        const struct ksa_accounts *source = entry->wanted->source;

        return entry->wanted->uid == 0 &&
               (entry->before->wanted_uid == 0 || source == NULL || !source->annotations);
}

/*
 * Who could log in, and will not, for nothing but that another uid_range computes another number. What
 * tenants bring about by annotations is neither counted nor held: they could make it too much, and be let
 * in by what is disputed.
 */
static bool is_moved(const struct guard *guard, const struct ksa_draft_entry *entry)
{
        return was_there(entry) && entry->before->state == KSA_ACCOUNT_ACTIVE &&
               entry->after.state == KSA_ACCOUNT_CONTESTED && entry->fault == NULL &&
               entry->claim.number != entry->before->uid && is_computed(entry) &&
               !ksa_claim_is_recreated(entry) && !is_disputed(guard, entry);
}

/* --- Holding -------------------------------------------------------------------------- */

/* Stays as it is, and the registry remembers why. */
static void hold(struct guard *guard, struct ksa_draft_entry *entry, unsigned flag, const char *why)
{
        entry->why = why;
        entry->remedy = "ksactl accounts sync --force (or import --force), if it is meant";
        entry->after = *entry->before;
        entry->after.flags &= ~(KSA_ACCOUNT_HELD | KSA_ACCOUNT_MOVED);
        entry->after.flags |= flag;
        entry->held = true;
        guard->held++;
}

static void hold_removed(struct guard *guard, size_t first, size_t end)
{
        for (size_t i = first; i < end; i++) {
                struct ksa_draft_entry *entry = &guard->draft->entries[i];

                if (is_removed(entry) && !entry->held && !is_disputed(guard, entry))
                        hold(guard, entry, KSA_ACCOUNT_HELD,
                             "no source has it any more, and too many would go at once");
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

static void hold_moved(struct guard *guard)
{
        for (size_t i = 0; i < guard->draft->entry_count; i++) {
                if (is_moved(guard, &guard->draft->entries[i]))
                        hold(guard, &guard->draft->entries[i], KSA_ACCOUNT_MOVED,
                             "it would be contested, and too many would be at once");
        }
}

/* --- The guard ------------------------------------------------------------------------ */

/* A run that did not ask the source knows no more of who is held than the one before. */
static void carry(struct ksa_draft_entry *entry)
{
        struct ksa_account_record *after = &entry->after;

        after->flags &= ~(KSA_ACCOUNT_HELD | KSA_ACCOUNT_MOVED);
        if (was_there(entry) && entry->wanted != NULL && entry->wanted->kept && is_there(entry))
                after->flags |= entry->before->flags & KSA_ACCOUNT_HELD;
}

static void note(struct guard *guard, const struct ksa_claim *claim)
{
        if (!claim->counts)
                return;
        guard->names[guard->asked_count] = claim->name;
        guard->numbers[guard->asked_count] = claim->number;
        guard->asked_count++;
}

static void note_all(struct guard *guard)
{
        const struct ksa_draft *draft = guard->draft;

        for (size_t i = 0; i < draft->entry_count; i++)
                note(guard, &draft->entries[i].claim);
        for (size_t i = 0; i < draft->group_count; i++)
                note(guard, &draft->groups[i].claim);
        qsort(guard->names, guard->asked_count, sizeof(*guard->names), by_text);
        qsort(guard->numbers, guard->asked_count, sizeof(*guard->numbers), by_number);
}

static void count(struct guard *guard)
{
        struct ksa_draft *draft = guard->draft;

        for (size_t i = 0; i < draft->entry_count; i++) {
                const struct ksa_draft_entry *entry = &draft->entries[i];

                guard->there += was_there(entry);
                guard->all.there += was_listed(entry);
                guard->all.removed += is_removed(entry);
                guard->moved += is_moved(guard, entry);
        }
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
                (void)snprintf(out, size,
                               "%zu of %zu listed accounts would be removed, more than a tenth",
                               guard->all.removed, guard->all.there);
        else if (is_too_much(guard->moved, guard->there))
                (void)snprintf(out, size,
                               "%zu of %zu accounts would be refused until each is accepted, more "
                               "than a tenth: was uid_range changed?",
                               guard->moved, guard->there);
        else if (emptied != NULL)
                (void)snprintf(out, size, "all accounts of the namespace %.150s would be removed%s",
                               ksa_draft_account(guard->draft, emptied->claim.cluster,
                                                 emptied->claim.namespace, "*"),
                               guard->emptied_count > 1 ? ", and of others" : "");
}

static void judge(struct guard *guard, char *why, size_t size)
{
        for (size_t i = 0; i < guard->draft->entry_count; i++)
                carry(&guard->draft->entries[i]);
        note_all(guard);
        count(guard);
        if (guard->draft->input->force)
                return;
        tell(guard, why, size);
        hold_removals(guard);
        if (is_too_much(guard->moved, guard->there))
                hold_moved(guard);
        if (guard->held == 0)
                why[0] = '\0';
}

enum ksa_reason ksa_account_guard(struct ksa_draft *draft, struct ksa_guarded *ret_guarded,
                                  struct ksa_error *err)
{
        const size_t room = draft->entry_count + draft->group_count + 1;
        struct guard guard = {
                .draft = draft,
                .names = calloc(room, sizeof(*guard.names)),
                .numbers = calloc(room, sizeof(*guard.numbers)),
        };
        enum ksa_reason reason = KSA_OK;

        *ret_guarded = (struct ksa_guarded){0};
        if (guard.names == NULL || guard.numbers == NULL)
                reason = ksa_fail(err, KSA_MEMORY, "memory ran out over the plan");
        else
                judge(&guard, ret_guarded->why, sizeof(ret_guarded->why));
        ret_guarded->removals = guard.all.removed;
        ret_guarded->held = guard.held;
        free(guard.names);
        free(guard.numbers);
        return reason;
}

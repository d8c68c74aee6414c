/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account_plan.h"

#include <stdlib.h>
#include <string.h>

#include "account_claim.h"
#include "account_diff.h"
#include "account_draft.h"
#include "account_group.h"
#include "account_guard.h"
#include "account_judge.h"

static enum ksa_reason no_memory(struct ksa_error *err)
{
        return ksa_fail(err, KSA_MEMORY, "memory ran out over the plan");
}

/* --- The administrator's wish -------------------------------------------------------- */

/* The record of a user: the one that lives, or one that was removed; NULL where there never was one. */
static const struct ksa_account_record *find_user(const struct ksa_draft *draft, const char *user)
{
        const struct ksa_account_record *record, *found = NULL;
        size_t position = 0;

        while ((record = ksa_draft_with_name(draft, user, &position)) != NULL) {
                if (record->state != KSA_ACCOUNT_REMOVED)
                        return record;
                found = record;
        }
        return found;
}

static enum ksa_reason find_subject(struct ksa_draft *draft, struct ksa_error *err)
{
        bool accept = draft->input->wish == KSA_WISH_ACCEPT;
        const char *user = draft->input->user;
        const struct ksa_account_record *record;
        const char *quoted;

        if (draft->input->wish == KSA_WISH_NONE)
                return KSA_OK;
        record = find_user(draft, user);
        quoted = ksa_draft_quote(draft, user);
        if (record == NULL)
                return ksa_fail(err, KSA_ACCOUNT_UNKNOWN,
                                "ksa has made no user '%s'; ksactl accounts list shows those that "
                                "it has made, ksactl accounts sync those that it refuses",
                                quoted);
        if (record->state == KSA_ACCOUNT_REMOVED)
                return ksa_fail(
                        err, KSA_ACCOUNT_UNKNOWN,
                        "the user '%s' was removed, for no source has its account any more: it does "
                        "not resolve, and its name and uid stay its own; should a source have it "
                        "again, ksactl accounts sync brings it back",
                        quoted);
        struct ksa_draft_entry *entry =
                ksa_draft_find(draft, record->cluster, record->namespace, record->account);
        if (!accept && record->state == KSA_ACCOUNT_RETIRED)
                return ksa_fail(err, KSA_ACCOUNT_UNKNOWN,
                                "'%s' is retired already; ksactl accounts accept %s takes it back",
                                quoted, quoted);
        if (accept && record->state == KSA_ACCOUNT_ACTIVE)
                return ksa_fail(err, KSA_ACCOUNT_UNKNOWN,
                                "there is nothing to accept: '%s' is active; accept is for users "
                                "that are recreated, contested or retired",
                                quoted);
        if (accept && entry->wanted == NULL)
                return ksa_fail(
                        err, KSA_ACCOUNT_UNKNOWN,
                        "there is nothing to accept: no source has the account of '%s' any "
                        "more; once its cluster or an [account] section has it again, ksactl "
                        "accounts sync and then accept",
                        quoted);
        draft->subject = entry;
        entry->accept = accept;
        /* One word decides one matter: who is taken back may turn out to be contested. */
        entry->overrules = accept && record->state == KSA_ACCOUNT_CONTESTED;
        return KSA_OK;
}

/* Whether the administrator's word came to something. */
static enum ksa_reason check_accepted(struct ksa_draft *draft, struct ksa_error *err)
{
        const struct ksa_draft_entry *entry = draft->subject;

        if (entry == NULL || !entry->accept || entry->before->state == KSA_ACCOUNT_RETIRED ||
            entry->after.state != entry->before->state)
                return KSA_OK;
        return ksa_fail(err, KSA_CONTESTED, "'%s' cannot be accepted as it is: %s",
                        ksa_draft_quote(draft, draft->input->user), entry->why);
}

/* --- The records afterwards ----------------------------------------------------------- */

struct result {
        const struct ksa_account_record *record;
        struct ksa_draft_entry *entry; /* whose it is; NULL for a former name or uid */
};

static int by_name(const void *a, const void *b)
{
        const struct ksa_account_record *one = ((const struct result *)a)->record;
        const struct ksa_account_record *other = ((const struct result *)b)->record;
        int order = strcmp(one->name, other->name);

        if (order != 0)
                return order;
        if (one->state != other->state)
                return one->state < other->state ? -1 : 1;
        return one->uid < other->uid ? -1 : one->uid > other->uid;
}

static bool is_same_user(const struct ksa_account_record *one,
                         const struct ksa_account_record *other)
{
        return one->uid == other->uid && strcmp(one->name, other->name) == 0;
}

/* All records that there will be, not yet in order; RESULTS has room for them. */
static size_t gather(struct ksa_draft *draft, struct result *results)
{
        const struct ksa_account_record *formers = draft->formers.items;
        size_t count = 0;

        for (size_t i = 0; i < draft->entry_count; i++) {
                struct ksa_draft_entry *entry = &draft->entries[i];

                if (entry->after.state != 0)
                        results[count++] = (struct result){&entry->after, entry};
                for (size_t n = 1; n < entry->record_count; n++) {
                        /* It has this name and uid again: no need to keep them for it. */
                        if (is_same_user(entry->records[n], &entry->after))
                                draft->differs = true;
                        else
                                results[count++] = (struct result){entry->records[n], NULL};
                }
        }
        for (size_t i = 0; i < draft->formers.count; i++)
                results[count++] = (struct result){&formers[i], NULL};
        if (draft->formers.count > 0)
                draft->differs = true;
        return count;
}

static enum ksa_reason put_accounts(struct ksa_draft *draft, struct ksa_plan *plan,
                                    struct ksa_error *err)
{
        size_t room = draft->entry_count + draft->record_count + draft->formers.count + 1;
        struct result *results = calloc(room, sizeof(*results));

        if (results == NULL)
                return no_memory(err);
        plan->account_count = gather(draft, results);
        plan->accounts = calloc(plan->account_count + 1, sizeof(*plan->accounts));
        if (plan->accounts != NULL)
                qsort(results, plan->account_count, sizeof(*results), by_name);
        for (size_t i = 0; plan->accounts != NULL && i < plan->account_count; i++) {
                plan->accounts[i] = *results[i].record;
                if (results[i].entry != NULL)
                        results[i].entry->place = i;
        }
        free(results);
        return plan->accounts == NULL ? no_memory(err) : KSA_OK;
}

static int group_by_name(const void *a, const void *b)
{
        const struct ksa_group_record *one = a, *other = b;

        return strcmp(one->name, other->name);
}

static enum ksa_reason put_groups(struct ksa_draft *draft, struct ksa_plan *plan,
                                  struct ksa_error *err)
{
        plan->groups = calloc(draft->group_count + 1, sizeof(*plan->groups));
        if (plan->groups == NULL)
                return no_memory(err);
        for (size_t i = 0; i < draft->group_count; i++) {
                const struct ksa_draft_group *group = &draft->groups[i];

                if (group->gid == NULL)
                        continue;
                plan->groups[plan->group_count++] = (struct ksa_group_record){
                        .name = group->claim.name,
                        .gid = *group->gid,
                        .cluster = group->claim.cluster,
                        .namespace = group->claim.namespace,
                };
                if (group->before == NULL)
                        draft->differs = true;
        }
        qsort(plan->groups, plan->group_count, sizeof(*plan->groups), group_by_name);
        return KSA_OK;
}

/* What was refused has no record: one as it would have been. */
static const struct ksa_account_record *record_of(struct ksa_draft *draft, struct ksa_plan *plan,
                                                  const struct ksa_draft_entry *entry)
{
        if (entry->after.state != 0)
                return &plan->accounts[entry->place];
        struct ksa_account_record *record = ksa_arena_room(draft->arena, sizeof(*record));
        if (record != NULL) {
                *record = entry->after;
                record->state = KSA_ACCOUNT_ACTIVE;
        }
        return record;
}

static enum ksa_reason put_changes(struct ksa_draft *draft, struct ksa_plan *plan,
                                   struct ksa_error *err)
{
        const struct ksa_draft_change *changes = draft->changes.items;

        plan->changes = calloc(draft->changes.count + 1, sizeof(*plan->changes));
        if (plan->changes == NULL)
                return no_memory(err);
        plan->change_count = draft->changes.count;
        for (size_t i = 0; i < plan->change_count; i++)
                plan->changes[i] = (struct ksa_plan_change){
                        .change = changes[i].change,
                        .record = record_of(draft, plan, changes[i].entry),
                        .why = changes[i].why,
                        .remedy = changes[i].remedy,
                };
        return KSA_OK;
}

/* --- The plan -------------------------------------------------------------------------- */

static enum ksa_reason guard(struct ksa_draft *draft, struct ksa_plan *plan, struct ksa_error *err)
{
        struct ksa_guarded guarded;
        enum ksa_reason reason = ksa_account_guard(draft, &guarded, err);

        if (reason != KSA_OK)
                return reason;
        memcpy(plan->guard, guarded.why, sizeof(plan->guard));
        plan->held = guarded.held;
        plan->removals = guarded.removals;
        return KSA_OK;
}

static enum ksa_reason decide(struct ksa_draft *draft, struct ksa_plan *plan, struct ksa_error *err)
{
        enum ksa_reason reason = ksa_draft_load(draft, err);

        if (reason == KSA_OK)
                reason = find_subject(draft, err);
        if (reason == KSA_OK)
                reason = ksa_claims_make(draft, err);
        if (reason != KSA_OK)
                return reason;
        for (size_t i = 0; i < draft->entry_count; i++)
                ksa_account_judge(draft, &draft->entries[i]);
        reason = check_accepted(draft, err);
        if (reason == KSA_OK)
                reason = guard(draft, plan, err);
        if (reason == KSA_OK)
                reason = ksa_account_groups(draft, err);
        if (reason != KSA_OK)
                return reason;
        for (size_t i = 0; i < draft->entry_count; i++)
                ksa_account_diff(draft, &draft->entries[i]);
        reason = put_accounts(draft, plan, err);
        if (reason == KSA_OK)
                reason = put_groups(draft, plan, err);
        if (reason == KSA_OK)
                reason = put_changes(draft, plan, err);
        if (reason == KSA_OK && draft->arena->failed)
                reason = no_memory(err);
        plan->differs = draft->differs;
        return reason;
}

enum ksa_reason ksa_plan_make(const struct ksa_plan_input *input, struct ksa_plan **ret_plan,
                              struct ksa_error *err)
{
        struct ksa_plan *plan = calloc(1, sizeof(*plan));

        if (plan == NULL)
                return no_memory(err);
        struct ksa_draft draft = {.input = input, .arena = &plan->memory};
        enum ksa_reason reason = decide(&draft, plan, err);
        ksa_draft_clear(&draft);
        if (reason == KSA_OK)
                *ret_plan = plan;
        else
                ksa_plan_free(&plan);
        return reason;
}

void ksa_plan_free(struct ksa_plan **plan)
{
        if (*plan == NULL)
                return;
        free((*plan)->accounts);
        free((*plan)->groups);
        free((*plan)->changes);
        ksa_arena_clear(&(*plan)->memory);
        free(*plan);
        *plan = NULL;
}

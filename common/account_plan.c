/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account_plan.h"

#include <stdlib.h>
#include <string.h>

#include "plan_allocate.h"
#include "plan_decide.h"

static enum ksa_reason no_memory(struct ksa_error *err)
{
        return ksa_fail(err, KSA_MEMORY, "out of memory");
}

/* --- The administrator's wish ----------------------------------------------- */

static enum ksa_reason find_subject(struct ksa_plan_state *state, struct ksa_error *err)
{
        const struct ksa_plan_input *input = state->input;

        for (size_t i = 0; input->wish != KSA_WISH_NONE && i < state->entry_count; i++) {
                struct ksa_plan_entry *entry = &state->entries[i];

                if (entry->before != NULL && strcmp(entry->before->name, input->user) == 0)
                        state->subject = entry;
        }
        if (input->wish == KSA_WISH_NONE)
                return KSA_OK;
        const char *user = ksa_plan_quote(state, input->user);
        if (state->subject == NULL)
                return ksa_fail(err, KSA_ACCOUNT_UNKNOWN,
                                "there is no user %s of ksa; ksactl accounts list --all shows "
                                "those that there are",
                                user);
        const unsigned reasons = state->subject->before->reasons;
        if (input->wish == KSA_WISH_DISABLE && (reasons & KSA_DISABLED_ADMINISTRATOR) != 0)
                return ksa_fail(err, KSA_ACCOUNT_UNKNOWN,
                                "%s is disabled by the administrator already", user);
        if (input->wish == KSA_WISH_ENABLE && reasons == 0)
                return ksa_fail(err, KSA_ACCOUNT_UNKNOWN, "%s is not disabled", user);
        return KSA_OK;
}

static enum ksa_reason check_enabled(const struct ksa_plan_state *state, struct ksa_error *err)
{
        const struct ksa_plan_entry *entry = state->subject;

        if (state->input->wish != KSA_WISH_ENABLE || entry->after.reasons == 0)
                return KSA_OK;
        if (entry->request.why != NULL)
                return ksa_fail(err, KSA_DISABLED, "\"%s\" cannot be enabled: %s",
                                entry->after.name, entry->request.why);
        return ksa_fail(err, KSA_DISABLED,
                        "\"%s\" is disabled on the leader; enable it there, or write source = api",
                        entry->after.name);
}

/* --- The records afterwards ------------------------------------------------- */

struct result {
        const struct ksa_account_record *record;
        struct ksa_plan_entry *entry; /* NULL for a former name or uid */
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

/* RESULTS has room for all records that there will be. */
static size_t gather(struct ksa_plan_state *state, struct result *results)
{
        const struct ksa_account_record *formers = state->formers.items;
        size_t count = 0;

        for (size_t i = 0; i < state->entry_count; i++) {
                struct ksa_plan_entry *entry = &state->entries[i];
                const struct ksa_account_record *after = &entry->after;

                if (after->state != 0)
                        results[count++] = (struct result){after, entry};
                for (size_t n = 0; n < entry->former_count; n++) {
                        const struct ksa_account_record *former = entry->formers[n];

                        /* It has this name and uid again. */
                        if (former->uid == after->uid && strcmp(former->name, after->name) == 0)
                                state->differs = true;
                        else
                                results[count++] = (struct result){former, NULL};
                }
        }
        for (size_t i = 0; i < state->formers.count; i++)
                results[count++] = (struct result){&formers[i], NULL};
        return count;
}

static enum ksa_reason put_accounts(struct ksa_plan_state *state, struct ksa_plan *plan,
                                    struct ksa_error *err)
{
        size_t room = state->entry_count + state->records.count + state->formers.count + 1;
        struct result *results = calloc(room, sizeof(*results));

        if (results == NULL)
                return no_memory(err);
        plan->account_count = gather(state, results);
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
        return strcmp(((const struct ksa_group_record *)a)->name,
                      ((const struct ksa_group_record *)b)->name);
}

static enum ksa_reason put_groups(const struct ksa_plan_state *state, struct ksa_plan *plan,
                                  struct ksa_error *err)
{
        plan->groups = calloc(state->group_count + 1, sizeof(*plan->groups));
        if (plan->groups == NULL)
                return no_memory(err);
        for (size_t i = 0; i < state->group_count; i++) {
                const struct ksa_plan_group *group = &state->groups[i];

                if (group->gid != NULL)
                        plan->groups[plan->group_count++] =
                                (struct ksa_group_record){.name = group->request.name,
                                                          .gid = *group->gid,
                                                          .cluster = group->party.cluster,
                                                          .namespace = group->party.namespace};
        }
        qsort(plan->groups, plan->group_count, sizeof(*plan->groups), group_by_name);
        return KSA_OK;
}

/* A refused account has no record: one as it would have been. */
static const struct ksa_account_record *record_of(struct ksa_plan_state *state,
                                                  const struct ksa_plan *plan,
                                                  const struct ksa_plan_entry *entry)
{
        if (entry->after.state != 0)
                return &plan->accounts[entry->place];
        struct ksa_account_record *record = ksa_arena_room(state->arena, sizeof(*record));
        if (record != NULL) {
                *record = entry->after;
                record->state = KSA_ACCOUNT_ACTIVE;
        }
        return record;
}

static enum ksa_reason put_changes(struct ksa_plan_state *state, struct ksa_plan *plan,
                                   struct ksa_error *err)
{
        const struct ksa_noted_change *changes = state->changes.items;

        plan->change_count = state->changes.count;
        plan->changes = calloc(plan->change_count + 1, sizeof(*plan->changes));
        if (plan->changes == NULL)
                return no_memory(err);
        for (size_t i = 0; i < plan->change_count; i++)
                plan->changes[i] = (struct ksa_plan_change){
                        .change = changes[i].change,
                        .refusal = changes[i].refusal,
                        .record = record_of(state, plan, changes[i].entry),
                        .why = changes[i].why,
                        .remedy = changes[i].remedy,
                };
        return KSA_OK;
}

/* --- The plan --------------------------------------------------------------- */

static enum ksa_reason make(struct ksa_plan_state *state, struct ksa_plan *plan,
                            struct ksa_error *err)
{
        enum ksa_reason reason = ksa_plan_state_load(state, err);

        if (reason == KSA_OK)
                reason = find_subject(state, err);
        if (reason == KSA_OK)
                reason = ksa_plan_allocate(state, err);
        if (reason != KSA_OK)
                return reason;
        for (size_t i = 0; i < state->entry_count; i++)
                ksa_plan_decide(state, &state->entries[i]);
        reason = check_enabled(state, err);
        if (reason == KSA_OK)
                reason = ksa_plan_groups(state, err);
        if (reason != KSA_OK)
                return reason;
        for (size_t i = 0; i < state->entry_count; i++)
                ksa_plan_report(state, &state->entries[i]);
        reason = put_accounts(state, plan, err);
        if (reason == KSA_OK)
                reason = put_groups(state, plan, err);
        if (reason == KSA_OK)
                reason = put_changes(state, plan, err);
        if (reason == KSA_OK && state->arena->failed)
                reason = no_memory(err);
        plan->differs = state->differs;
        return reason;
}

enum ksa_reason ksa_plan_make(const struct ksa_plan_input *input, struct ksa_plan **ret_plan,
                              struct ksa_error *err)
{
        struct ksa_plan *plan = calloc(1, sizeof(*plan));

        if (plan == NULL)
                return no_memory(err);
        struct ksa_plan_state state = {.input = input, .arena = &plan->memory};
        enum ksa_reason reason = make(&state, plan, err);
        ksa_plan_state_clear(&state);
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

/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/accounts/plan.h"

#include <stdlib.h>
#include <string.h>

#include "admin/accounts/plan_state.h"

static enum ksa_reason no_memory(struct ksa_error *err)
{
        return ksa_fail(err, KSA_MEMORY, "out of memory");
}

/* --- The administrator's decision ------------------------------------------- */

static enum ksa_reason find_subject(struct ksa_plan_state *state, struct ksa_error *err)
{
        const struct ksa_plan_input *input = state->input;

        for (size_t i = 0; input->action != KSA_ACTION_NONE && i < state->entry_count; i++) {
                struct ksa_plan_entry *entry = &state->entries[i];

                if (entry->before != NULL && strcmp(entry->before->name, input->user) == 0)
                        state->subject = entry;
        }
        if (input->action == KSA_ACTION_NONE)
                return KSA_OK;
        const char *user = ksa_plan_quote(state, input->user);
        if (state->subject == NULL)
                return ksa_fail(err, KSA_ACCOUNT_UNKNOWN,
                                "there is no user %s of ksa; ksactl accounts list --all shows "
                                "those that there are",
                                user);
        const unsigned reasons = state->subject->before->reasons;
        if (input->action == KSA_ACTION_DISABLE && (reasons & KSA_DISABLED_ADMINISTRATOR) != 0)
                return ksa_fail(err, KSA_ACCOUNT_UNKNOWN,
                                "%s is disabled by the administrator already", user);
        if (input->action == KSA_ACTION_ENABLE && reasons == 0)
                return ksa_fail(err, KSA_ACCOUNT_UNKNOWN, "%s is not disabled", user);
        return KSA_OK;
}

static enum ksa_reason check_enabled(const struct ksa_plan_state *state, struct ksa_error *err)
{
        const struct ksa_plan_entry *entry = state->subject;

        if (state->input->action != KSA_ACTION_ENABLE || entry->after.reasons == 0)
                return KSA_OK;
        if (entry->request.why != NULL)
                return ksa_fail(err, KSA_DISABLED, "\"%s\" cannot be enabled: %s",
                                entry->after.name, entry->request.why);
        return ksa_fail(err, KSA_DISABLED,
                        "\"%s\" is disabled on the leader; enable it there, or write source = api",
                        entry->after.name);
}

/* --- The records afterwards ------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
        const struct ksa_account_record *one = a, *other = b;
        int order = strcmp(one->name, other->name);

        if (order != 0)
                return order;
        if (one->state != other->state)
                return one->state < other->state ? -1 : 1;
        return one->uid < other->uid ? -1 : one->uid > other->uid;
}

static int group_by_name(const void *a, const void *b)
{
        return strcmp(((const struct ksa_group_record *)a)->name,
                      ((const struct ksa_group_record *)b)->name);
}

/* Moves the results from STATE, to which former names have been added already. */
static void put(struct ksa_plan_state *state, struct ksa_plan *plan)
{
        struct ksa_list groups = {.count = 0};

        for (size_t i = 0; i < state->entry_count; i++) {
                const struct ksa_account_record *after = &state->entries[i].after;

                if (after->state != 0)
                        ksa_plan_add(state, &state->records, after, sizeof(*after));
        }
        for (size_t i = 0; i < state->group_count; i++) {
                const struct ksa_plan_group *group = &state->groups[i];
                const struct ksa_group_record record = {.name = group->request.name,
                                                        .gid = group->gid,
                                                        .cluster = group->party.cluster,
                                                        .namespace = group->party.namespace};

                if (group->gid != 0)
                        ksa_plan_add(state, &groups, &record, sizeof(record));
        }
        plan->accounts = state->records.items;
        plan->account_count = state->records.count;
        plan->groups = groups.items;
        plan->group_count = groups.count;
        plan->changes = state->changes.items;
        plan->change_count = state->changes.count;
        state->records.items = state->changes.items = NULL;
        if (plan->account_count > 0)
                qsort(plan->accounts, plan->account_count, sizeof(*plan->accounts), by_name);
        if (plan->group_count > 0)
                qsort(plan->groups, plan->group_count, sizeof(*plan->groups), group_by_name);
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
        put(state, plan);
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

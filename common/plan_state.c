/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan_state.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

static enum ksa_reason no_memory(struct ksa_error *err)
{
        return ksa_fail(err, KSA_MEMORY, "out of memory");
}

/* --- Order ------------------------------------------------------------------ */

int ksa_party_compare(const struct ksa_party *one, const struct ksa_party *other)
{
        int order = strcmp(one->cluster, other->cluster);

        if (order == 0)
                order = strcmp(one->namespace, other->namespace);
        return order != 0 ? order : strcmp(one->account, other->account);
}

#define PARTY(item)        ((struct ksa_party){(item)->cluster, (item)->namespace, (item)->account})
#define GROUP_PARTY(item)  ((struct ksa_party){(item)->cluster, (item)->namespace, ""})
#define POINTED(type, item) (*(const struct type *const *)(item))

/* Items of one array, in the order that they have there. */
static int by_place(const void *one, const void *other)
{
        return ((uintptr_t)one > (uintptr_t)other) - ((uintptr_t)one < (uintptr_t)other);
}

/* The main record of an account comes before its former names. */
static int by_account(const void *a, const void *b)
{
        const struct ksa_account_record *one = POINTED(ksa_account_record, a);
        const struct ksa_account_record *other = POINTED(ksa_account_record, b);
        const struct ksa_party left = PARTY(one), right = PARTY(other);
        int order = ksa_party_compare(&left, &right);

        if (order == 0)
                order = (int)(one->flags & KSA_ACCOUNT_FORMER) -
                        (int)(other->flags & KSA_ACCOUNT_FORMER);
        return order != 0 ? order : by_place(one, other);
}

/* The section first, then the listed account, then reservations. */
static int desired_by_account(const void *a, const void *b)
{
        const struct ksa_desired *one = POINTED(ksa_desired, a), *other = POINTED(ksa_desired, b);
        const struct ksa_party left = PARTY(one), right = PARTY(other);
        int order = ksa_party_compare(&left, &right);

        if (order == 0)
                order = (one->section == NULL) - (other->section == NULL);
        if (order == 0)
                order = (int)one->leader - (int)other->leader;
        return order != 0 ? order : by_place(one, other);
}

static int group_by_namespace(const void *a, const void *b)
{
        const struct ksa_party left = GROUP_PARTY(POINTED(ksa_group_record, a));
        const struct ksa_party right = GROUP_PARTY(POINTED(ksa_group_record, b));

        return ksa_party_compare(&left, &right);
}

static int leader_by_namespace(const void *a, const void *b)
{
        const struct ksa_party left = GROUP_PARTY(POINTED(ksa_desired_group, a));
        const struct ksa_party right = GROUP_PARTY(POINTED(ksa_desired_group, b));

        return ksa_party_compare(&left, &right);
}

void *ksa_plan_sorted(const void *items, size_t count, size_t size,
                      int (*compare)(const void *a, const void *b))
{
        const void **pointers = calloc(count + 1, sizeof(*pointers));

        for (size_t i = 0; pointers != NULL && i < count; i++)
                pointers[i] = (const char *)items + i * size;
        if (pointers != NULL)
                qsort(pointers, count, sizeof(*pointers), compare);
        return pointers;
}

/* --- The registry before ---------------------------------------------------- */

static enum ksa_reason read_registry(struct ksa_plan_state *state, struct ksa_error *err)
{
        const struct ksa_registry *before = state->input->before;
        struct ksa_account_record record, *account;
        struct ksa_group_record found, *group;
        enum ksa_registry_answer answer;
        size_t position = 0;

        while ((answer = ksa_registry_next(before, &position, &record)) == KSA_REGISTRY_FOUND) {
                account = ksa_list_next(&state->records, sizeof(*account));
                if (account == NULL)
                        return no_memory(err);
                *account = record;
                state->records.count++;
        }
        position = 0;
        while (answer == KSA_REGISTRY_NOT_FOUND &&
               (answer = ksa_registry_next_group(before, &position, &found)) ==
                       KSA_REGISTRY_FOUND) {
                group = ksa_list_next(&state->old_groups, sizeof(*group));
                if (group == NULL)
                        return no_memory(err);
                *group = found;
                state->old_groups.count++;
                answer = KSA_REGISTRY_NOT_FOUND;
        }
        return answer == KSA_REGISTRY_NOT_FOUND
                       ? KSA_OK
                       : ksa_fail(err, KSA_REGISTRY, "the registry is damaged");
}

static enum ksa_reason sort_all(struct ksa_plan_state *state, struct ksa_error *err)
{
        const struct ksa_desired_list *desired = state->input->desired;

        state->by_account = ksa_plan_sorted(state->records.items, state->records.count,
                                            sizeof(struct ksa_account_record), by_account);
        state->by_namespace = ksa_plan_sorted(state->old_groups.items, state->old_groups.count,
                                              sizeof(struct ksa_group_record), group_by_namespace);
        state->desired = ksa_plan_sorted(desired->items, desired->count, sizeof(*desired->items),
                                         desired_by_account);
        state->leader_groups =
                ksa_plan_sorted(desired->groups.items, desired->groups.count,
                                sizeof(struct ksa_desired_group), leader_by_namespace);
        return state->by_account != NULL && state->by_namespace != NULL && state->desired != NULL &&
                               state->leader_groups != NULL
                       ? KSA_OK
                       : no_memory(err);
}

/* --- Entries ---------------------------------------------------------------- */

/* Takes the desired items of ENTRY's account from *AT on. */
static void take_desired(struct ksa_plan_state *state, struct ksa_plan_entry *entry, size_t *at)
{
        for (const struct ksa_desired *one; (one = state->desired[*at]) != NULL; ++*at) {
                const struct ksa_party party = PARTY(one);

                if (ksa_party_compare(&party, &entry->party) != 0)
                        return;
                if (one->section != NULL) {
                        entry->section = one;
                } else if (one->leader < KSA_LEADER_REMOVED) {
                        entry->item = one;
                } else {
                        if (entry->reserved_count++ == 0)
                                entry->reserved = &state->desired[*at];
                }
        }
}

/* The same of its records. */
static void take_records(struct ksa_plan_state *state, struct ksa_plan_entry *entry, size_t *at)
{
        for (const struct ksa_account_record *one; (one = state->by_account[*at]) != NULL; ++*at) {
                const struct ksa_party party = PARTY(one);

                if (ksa_party_compare(&party, &entry->party) != 0)
                        return;
                if (entry->before == NULL) {
                        entry->before = one;
                } else {
                        if (entry->former_count++ == 0)
                                entry->formers = &state->by_account[*at];
                }
        }
}

static enum ksa_reason make_entries(struct ksa_plan_state *state, struct ksa_error *err)
{
        size_t at_desired = 0, at_record = 0;

        state->entries = calloc(state->input->desired->count + state->records.count + 1,
                                sizeof(*state->entries));
        if (state->entries == NULL)
                return no_memory(err);
        for (;;) {
                const struct ksa_desired *item = state->desired[at_desired];
                const struct ksa_account_record *record = state->by_account[at_record];
                struct ksa_plan_entry *entry = &state->entries[state->entry_count];

                if (item == NULL && record == NULL)
                        return KSA_OK;
                struct ksa_party other = {"", "", ""};
                if (record != NULL)
                        entry->party = other = PARTY(record);
                if (item != NULL) {
                        const struct ksa_party party = PARTY(item);

                        if (record == NULL || ksa_party_compare(&party, &other) < 0)
                                entry->party = party;
                }
                take_desired(state, entry, &at_desired);
                take_records(state, entry, &at_record);
                state->entry_count++;
        }
}

/* Ties the entries of GROUP's namespace to it, from *AT on. */
static void take_entries(struct ksa_plan_state *state, struct ksa_plan_group *group, size_t *at)
{
        group->first = *at;
        for (; *at < state->entry_count; ++*at) {
                struct ksa_plan_entry *entry = &state->entries[*at];
                const struct ksa_party party = GROUP_PARTY(&entry->party);

                if (ksa_party_compare(&party, &group->party) != 0)
                        break;
                entry->group = group;
                if (entry->before != NULL)
                        group->left += entry->former_count + !ksa_plan_is_desired(entry);
        }
        group->end = *at;
}

static enum ksa_reason make_groups(struct ksa_plan_state *state, struct ksa_error *err)
{
        size_t entry = 0, old = 0, leader = 0;

        state->groups = calloc(state->entry_count + state->old_groups.count + 1,
                               sizeof(*state->groups));
        if (state->groups == NULL)
                return no_memory(err);
        while (entry < state->entry_count || state->by_namespace[old] != NULL) {
                struct ksa_plan_group *group = &state->groups[state->group_count++];
                const struct ksa_group_record *record = state->by_namespace[old];
                const struct ksa_desired_group *desired;
                struct ksa_party party = {"", "", ""};

                if (record != NULL)
                        group->party = party = GROUP_PARTY(record);
                if (entry < state->entry_count) {
                        const struct ksa_party next = GROUP_PARTY(&state->entries[entry].party);

                        if (record == NULL || ksa_party_compare(&next, &party) < 0)
                                group->party = next;
                }
                if (record != NULL && ksa_party_compare(&group->party, &party) == 0) {
                        group->before = record;
                        old++;
                }
                take_entries(state, group, &entry);
                for (; (desired = state->leader_groups[leader]) != NULL; leader++) {
                        party = GROUP_PARTY(desired);
                        if (ksa_party_compare(&party, &group->party) > 0)
                                break;
                        if (ksa_party_compare(&party, &group->party) == 0)
                                group->desired = desired;
                }
        }
        return KSA_OK;
}

enum ksa_reason ksa_plan_state_load(struct ksa_plan_state *state, struct ksa_error *err)
{
        enum ksa_reason reason = read_registry(state, err);

        if (reason == KSA_OK)
                reason = sort_all(state, err);
        if (reason == KSA_OK)
                reason = make_entries(state, err);
        if (reason == KSA_OK)
                reason = make_groups(state, err);
        return reason;
}

void ksa_plan_state_clear(struct ksa_plan_state *state)
{
        free(state->records.items);
        free(state->old_groups.items);
        free(state->by_account);
        free(state->by_namespace);
        free(state->desired);
        free(state->leader_groups);
        free(state->entries);
        free(state->groups);
        free(state->claims.items);
        free(state->claims_by_name);
        free(state->claims_by_number);
        free(state->formers.items);
        free(state->changes.items);
        memset(state, 0, sizeof(*state));
}

/* --- What others ask -------------------------------------------------------- */

bool ksa_plan_is_desired(const struct ksa_plan_entry *entry)
{
        return entry->section != NULL || entry->item != NULL;
}

bool ksa_plan_has_user(const struct ksa_plan_entry *entry)
{
        return entry->before != NULL && entry->before->state != KSA_ACCOUNT_REMOVED;
}

const char *ksa_plan_quote(struct ksa_plan_state *state, const char *name)
{
        char quoted[KSA_QUOTED_SIZE];

        return ksa_arena_text(state->arena, "\"%s\"", ksa_text_quote(name, quoted, sizeof(quoted)));
}

const char *ksa_plan_party(struct ksa_plan_state *state, const struct ksa_party *party)
{
        char quoted[KSA_QUOTED_SIZE];
        const bool group = party->account[0] == '\0';
        const char *text =
                ksa_arena_text(state->arena, "%s:%s%s%s", party->cluster, party->namespace,
                               group ? "" : "/", party->account);

        return ksa_arena_text(state->arena, "%s%s", group ? "the group of " : "",
                              ksa_text_quote(text, quoted, sizeof(quoted)));
}

void ksa_plan_note(struct ksa_plan_state *state, enum ksa_change change, enum ksa_refusal refusal,
                   const struct ksa_plan_entry *entry, const char *why, const char *remedy)
{
        struct ksa_noted_change *place = ksa_list_next(&state->changes, sizeof(*place));

        if (place == NULL) {
                state->arena->failed = true;
                return;
        }
        *place = (struct ksa_noted_change){change, refusal, entry, why == NULL ? "" : why,
                                           remedy == NULL ? "" : remedy};
        state->changes.count++;
}

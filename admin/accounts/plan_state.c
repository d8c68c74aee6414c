/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/accounts/plan_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* --- Pieces ----------------------------------------------------------------- */

/* Anything that is known of a party, in the order in which it is looked at. */
enum kind { OLD_GROUP, LEADER_GROUP, RECORD, FORMER, SECTION, ITEM, RESERVED };

struct piece {
        struct ksa_party party;
        enum kind kind;
        const void *what;
};

static int compare_namespaces(const struct ksa_party *one, const struct ksa_party *other)
{
        int order = strcmp(one->cluster, other->cluster);

        return order != 0 ? order : strcmp(one->namespace, other->namespace);
}

static int compare(const void *a, const void *b)
{
        const struct piece *one = a, *other = b;
        int order = compare_namespaces(&one->party, &other->party);

        if (order == 0)
                order = strcmp(one->party.account, other->party.account);
        if (order == 0)
                order = (int)one->kind - (int)other->kind;
        return order != 0 ? order : (one->what > other->what) - (one->what < other->what);
}

void ksa_plan_add(struct ksa_plan_state *state, struct ksa_list *list, const void *item,
                  size_t size)
{
        void *place = ksa_list_next(list, size);

        if (place == NULL) {
                state->arena->failed = true;
                return;
        }
        memcpy(place, item, size);
        list->count++;
}

static void add_piece(struct ksa_plan_state *state, struct ksa_list *pieces, const char *cluster,
                      const char *namespace, const char *account, enum kind kind, const void *what)
{
        const struct piece piece = {{cluster, namespace, account}, kind, what};

        ksa_plan_add(state, pieces, &piece, sizeof(piece));
}

static void *keep(struct ksa_plan_state *state, const void *item, size_t size)
{
        void *place = ksa_arena_room(state->arena, size);

        return place == NULL ? NULL : memcpy(place, item, size);
}

/* The name of a cluster of the registry from now on. */
static const char *cluster_of(struct ksa_plan_state *state, const char *cluster)
{
        const struct ksa_plan_input *input = state->input;

        if (input->old_cluster == NULL || strcmp(cluster, input->old_cluster) != 0)
                return cluster;
        state->differs = true;
        return input->new_cluster;
}

static enum ksa_registry_answer read_registry(struct ksa_plan_state *state, struct ksa_list *pieces)
{
        const struct ksa_registry *before = state->input->before;
        struct ksa_account_record account;
        struct ksa_group_record group;
        enum ksa_registry_answer answer;
        size_t position = 0;

        while ((answer = ksa_registry_next(before, &position, &account)) == KSA_REGISTRY_FOUND) {
                const bool former = (account.flags & KSA_ACCOUNT_FORMER) != 0;

                account.cluster = cluster_of(state, account.cluster);
                add_piece(state, pieces, account.cluster, account.namespace, account.account,
                          former ? FORMER : RECORD, keep(state, &account, sizeof(account)));
        }
        position = 0;
        while (answer == KSA_REGISTRY_NOT_FOUND &&
               ksa_registry_next_group(before, &position, &group) != KSA_REGISTRY_NOT_FOUND) {
                group.cluster = cluster_of(state, group.cluster);
                add_piece(state, pieces, group.cluster, group.namespace, "", OLD_GROUP,
                          keep(state, &group, sizeof(group)));
        }
        return answer;
}

static void read_desired(struct ksa_plan_state *state, struct ksa_list *pieces)
{
        const struct ksa_desired_list *desired = state->input->desired;
        const struct ksa_desired_group *groups = desired->groups.items;

        for (size_t i = 0; i < desired->count; i++) {
                const struct ksa_desired *one = &desired->items[i];

                add_piece(state, pieces, one->cluster, one->namespace, one->account,
                          one->section != NULL                ? SECTION
                          : one->leader >= KSA_LEADER_REMOVED ? RESERVED
                                                              : ITEM,
                          one);
        }
        for (size_t i = 0; i < desired->groups.count; i++)
                add_piece(state, pieces, groups[i].cluster, groups[i].namespace, "", LEADER_GROUP,
                          &groups[i]);
}

/* --- Entries and groups ----------------------------------------------------- */

static void take(struct ksa_plan_state *state, const struct piece *piece,
                 struct ksa_plan_group *group, struct ksa_plan_entry *entry)
{
        const void *what = piece->what;

        if (piece->kind == OLD_GROUP) {
                state->twice = state->twice || group->before != NULL;
                group->before = what;
                return;
        }
        if (piece->kind == LEADER_GROUP) {
                group->desired = what;
                return;
        }
        if (entry == NULL) {
                state->twice =
                        true; /* an account without a name: no registry and no source has one */
                return;
        }
        switch (piece->kind) {
        case OLD_GROUP:
        case LEADER_GROUP:
                return;
        case RECORD:
                state->twice = state->twice || entry->before != NULL;
                entry->before = what;
                return;
        case FORMER:
                ksa_plan_add(state, &entry->formers, &what, sizeof(what));
                return;
        case SECTION:
                entry->section = what;
                return;
        case ITEM:
                entry->item = what;
                return;
        case RESERVED:
                ksa_plan_add(state, &entry->reserved, &what, sizeof(what));
                return;
        }
}

/* PIECES are ordered: those of a namespace's group come before those of its accounts. */
static void take_all(struct ksa_plan_state *state, const struct piece *pieces, size_t count)
{
        struct ksa_plan_group *group = NULL;
        struct ksa_plan_entry *entry = NULL;

        for (size_t i = 0; i < count; i++) {
                const struct ksa_party *party = &pieces[i].party;

                if (group == NULL || compare_namespaces(&group->party, party) != 0) {
                        group = &state->groups[state->group_count++];
                        group->party = (struct ksa_party){party->cluster, party->namespace, ""};
                        group->first = group->end = state->entry_count;
                        entry = NULL;
                }
                if (party->account[0] != '\0' &&
                    (entry == NULL || strcmp(entry->party.account, party->account) != 0)) {
                        entry = &state->entries[state->entry_count++];
                        entry->party = *party;
                        entry->group = group;
                        group->end = state->entry_count;
                }
                take(state, &pieces[i], group, entry);
        }
        for (size_t i = 0; i < state->entry_count; i++) {
                entry = &state->entries[i];
                if (entry->before != NULL)
                        entry->group->left += entry->formers.count + !ksa_plan_is_desired(entry);
        }
}

enum ksa_reason ksa_plan_state_load(struct ksa_plan_state *state, struct ksa_error *err)
{
        struct ksa_list pieces = {.count = 0};
        const enum ksa_registry_answer answer = read_registry(state, &pieces);

        read_desired(state, &pieces);
        if (pieces.count > 0)
                qsort(pieces.items, pieces.count, sizeof(struct piece), compare);
        state->entries = ksa_arena_room(state->arena, (pieces.count + 1) * sizeof(*state->entries));
        state->groups = ksa_arena_room(state->arena, (pieces.count + 1) * sizeof(*state->groups));
        if (!state->arena->failed)
                take_all(state, pieces.items, pieces.count);
        free(pieces.items);
        if (answer == KSA_REGISTRY_BROKEN || state->twice)
                return ksa_fail(err, KSA_REGISTRY,
                                state->twice ? "an account or group is in the registry twice"
                                             : "the registry is damaged");
        if (state->input->old_cluster != NULL && !state->differs)
                return ksa_fail(err, KSA_ACCOUNT_UNKNOWN, "there is no user of a cluster \"%s\"",
                                state->input->old_cluster);
        return state->arena->failed ? ksa_fail(err, KSA_MEMORY, "out of memory") : KSA_OK;
}

void ksa_plan_state_clear(struct ksa_plan_state *state)
{
        for (size_t i = 0; i < state->entry_count; i++) {
                free(state->entries[i].reserved.items);
                free(state->entries[i].formers.items);
        }
        free(state->claims.items);
        free(state->claims_by_name);
        free(state->claims_by_number);
        free(state->records.items);
        free(state->changes.items);
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
        const char *text = ksa_arena_text(state->arena, "%s:%s%s%s", party->cluster,
                                          party->namespace, group ? "" : "/", party->account);

        return ksa_arena_text(state->arena, "%s%s", group ? "the group of " : "",
                              ksa_text_quote(text, quoted, sizeof(quoted)));
}

void ksa_plan_note(struct ksa_plan_state *state, enum ksa_change change, enum ksa_refusal refusal,
                   const struct ksa_plan_entry *entry, const char *why, const char *remedy)
{
        const struct ksa_plan_change noted = {change, refusal, &entry->after,
                                              why == NULL ? "" : why, remedy == NULL ? "" : remedy};

        ksa_plan_add(state, &state->changes, &noted, sizeof(noted));
}

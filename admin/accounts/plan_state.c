/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/accounts/plan_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* --- Pieces ----------------------------------------------------------------- */

/* Facts about a party, in the order in which take() reads them. */
enum kind {
        OLD_GROUP,
        MERGED_GROUP,
        LEADER_GROUP,
        RECORD,
        MERGED_RECORD,
        FORMER,
        SECTION,
        ITEM,
        LEADER_REMOVED,
        LEADER_FORMER,
};

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

const void *ksa_plan_keep(struct ksa_plan_state *state, const void *item, size_t size)
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

/* Whether the registry has the new name of a cluster already, because a sync ran before the renaming. */
static bool is_merged(const struct ksa_plan_state *state, const char *cluster)
{
        const char *name = state->input->new_cluster;

        return name != NULL && strcmp(cluster, name) == 0;
}

static enum ksa_registry_answer read_registry(struct ksa_plan_state *state, struct ksa_list *pieces)
{
        const struct ksa_registry *before = state->input->before;
        struct ksa_account_record account;
        struct ksa_group_record group;
        enum ksa_registry_answer answer;
        size_t position = 0;

        while ((answer = ksa_registry_next(before, &position, &account)) == KSA_REGISTRY_FOUND) {
                const enum kind kind = (account.flags & KSA_ACCOUNT_FORMER) != 0 ? FORMER
                                       : is_merged(state, account.cluster)       ? MERGED_RECORD
                                                                                 : RECORD;

                account.cluster = cluster_of(state, account.cluster);
                add_piece(state, pieces, account.cluster, account.namespace, account.account, kind,
                          ksa_plan_keep(state, &account, sizeof(account)));
        }
        position = 0;
        while (answer == KSA_REGISTRY_NOT_FOUND &&
               ksa_registry_next_group(before, &position, &group) != KSA_REGISTRY_NOT_FOUND) {
                const enum kind kind = is_merged(state, group.cluster) ? MERGED_GROUP : OLD_GROUP;

                group.cluster = cluster_of(state, group.cluster);
                add_piece(state, pieces, group.cluster, group.namespace, "", kind,
                          ksa_plan_keep(state, &group, sizeof(group)));
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
                          : one->leader == KSA_LEADER_REMOVED ? LEADER_REMOVED
                          : one->leader == KSA_LEADER_FORMER  ? LEADER_FORMER
                                                              : ITEM,
                          one);
        }
        for (size_t i = 0; i < desired->groups.count; i++)
                add_piece(state, pieces, groups[i].cluster, groups[i].namespace, "", LEADER_GROUP,
                          &groups[i]);
}

/* --- Entries and groups ----------------------------------------------------- */

static void take_group(struct ksa_plan_state *state, const struct piece *piece,
                       struct ksa_plan_group *group)
{
        if (piece->kind > LEADER_GROUP) {
                /* an account without a name: no registry and no source has one */
                state->twice = true;
        } else if (piece->kind == LEADER_GROUP) {
                group->desired = piece->what;
        } else if (group->before == NULL) {
                group->before = piece->what;
        } else {
                state->twice = state->twice || piece->kind == OLD_GROUP || group->merged != NULL;
                group->merged = piece->what;
        }
}

static void take(struct ksa_plan_state *state, const struct piece *piece,
                 struct ksa_plan_entry *entry)
{
        const void *what = piece->what;
        const struct ksa_account_record *record = what;

        switch (piece->kind) {
        case RECORD:
        case MERGED_RECORD:
                if (entry->before == NULL) {
                        entry->before = record;
                        return;
                }
                state->twice = state->twice || piece->kind == RECORD || entry->merged != NULL;
                entry->merged = record;
                ksa_plan_add_former(state, entry, entry->before, record->name, record->uid);
                return;
        case FORMER:
                /* A repetition is not written again. */
                if (ksa_plan_is_former(entry, record->name, record->uid))
                        state->differs = true;
                else
                        ksa_plan_add(state, &entry->formers, &what, sizeof(what));
                return;
        case SECTION:
                entry->section = what;
                return;
        case ITEM:
                entry->item = entry->item == NULL ? what : entry->item;
                return;
        case LEADER_REMOVED:
                entry->removed = what;
                return;
        case LEADER_FORMER:
                ksa_plan_add(state, &entry->leader_formers, &what, sizeof(what));
                return;
        case OLD_GROUP:
        case MERGED_GROUP:
        case LEADER_GROUP: /* they have no account */
                return;
        }
}

/* A group has no former records: one of its accounts keeps the name and gid of the merged one. */
static void merge_group(struct ksa_plan_state *state, struct ksa_plan_group *group)
{
        for (size_t i = group->first; group->merged != NULL && i < group->end; i++) {
                struct ksa_plan_entry *entry = &state->entries[i];

                if (entry->before != NULL) {
                        ksa_plan_add_former(state, entry, entry->before, group->merged->name,
                                            group->merged->gid);
                        return;
                }
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
                if (entry == NULL)
                        take_group(state, &pieces[i], group);
                else
                        take(state, &pieces[i], entry);
        }
        for (size_t i = 0; i < state->group_count; i++)
                merge_group(state, &state->groups[i]);
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
                free(state->entries[i].leader_formers.items);
                free(state->entries[i].formers.items);
        }
        free(state->claims.items);
        free(state->claims_by_name);
        free(state->claims_by_number);
        free(state->records.items);
        free(state->changes.items);
}

/* --- Shared by the parts of a plan ------------------------------------------ */

bool ksa_plan_is_desired(const struct ksa_plan_entry *entry)
{
        return entry->section != NULL || entry->item != NULL;
}

bool ksa_plan_has_user(const struct ksa_plan_entry *entry)
{
        return entry->before != NULL && entry->before->state != KSA_ACCOUNT_REMOVED;
}

const struct ksa_desired *ksa_plan_in_source(const struct ksa_plan_entry *entry)
{
        return entry->item != NULL ? entry->item : entry->removed;
}

void ksa_plan_options(const struct ksa_plan_entry *entry, const char **ret_home,
                      const char **ret_shell)
{
        *ret_home = *ret_shell = NULL;
        if (entry->section != NULL) {
                *ret_home = entry->section->section->home;
                *ret_shell = entry->section->section->shell;
        } else if (entry->item != NULL) {
                *ret_home = entry->item->source->home;
                *ret_shell = entry->item->source->shell;
        }
}

bool ksa_plan_is_same_user(const struct ksa_account_record *record, const char *name, uint32_t uid)
{
        return record->uid == uid && strcmp(record->name, name) == 0;
}

bool ksa_plan_is_former(const struct ksa_plan_entry *entry, const char *name, uint32_t uid)
{
        const struct ksa_account_record *const *formers = entry->formers.items;

        for (size_t i = 0; i < entry->formers.count; i++) {
                if (ksa_plan_is_same_user(formers[i], name, uid))
                        return true;
        }
        return false;
}

void ksa_plan_add_former(struct ksa_plan_state *state, struct ksa_plan_entry *entry,
                         const struct ksa_account_record *record, const char *name, uint32_t uid)
{
        struct ksa_account_record former = *record;

        if (ksa_plan_is_same_user(record, name, uid) || ksa_plan_is_former(entry, name, uid))
                return;
        former.name = name;
        former.uid = uid;
        former.state = KSA_ACCOUNT_REMOVED;
        former.reasons = 0;
        former.flags = KSA_ACCOUNT_FORMER;
        former.changed = state->input->now;
        former.new_account_uid = "";
        former.groups = NULL;
        former.group_count = 0;
        const void *kept = ksa_plan_keep(state, &former, sizeof(former));
        ksa_plan_add(state, &entry->formers, &kept, sizeof(kept));
        state->differs = true;
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

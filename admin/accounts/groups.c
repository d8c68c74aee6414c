/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups of namespaces, and those that [account] sections name. */
#include <string.h>

#include "admin/accounts/plan_state.h"

#define GROUP_REMEDY "an [account] section can name another group"

static bool is_active(const struct ksa_plan_entry *entry)
{
        return entry->after.state == KSA_ACCOUNT_ACTIVE;
}

static bool is_mapped(const struct ksa_plan_state *state, uint32_t gid)
{
        return ksa_id_map_has(&ksa_local_ids(state->input->local)->gids, gid, gid);
}

/* --- Groups of namespaces --------------------------------------------------- */

/* Whether GROUP may have members. If not, its request has the reason. */
static bool check_group(struct ksa_plan_state *state, struct ksa_plan_group *group)
{
        struct ksa_allocation *request = &group->request;

        if (group->before == NULL)
                return ksa_plan_check_range(state, request) &&
                       ksa_plan_check_name(state, &group->party, false, request) &&
                       ksa_plan_check_number(state, &group->party, false, request);
        request->why = ksa_plan_conflict(state, request->name, request->number, false);
        if (request->why != NULL)
                request->refusal = KSA_REFUSAL_NAME_LOCAL;
        else if (!is_mapped(state, request->number)) {
                request->why = "its gid is not mapped in this user namespace";
                request->refusal = KSA_REFUSAL_UNMAPPED;
        }
        return request->why == NULL;
}

/* A group that has lost its members stays, because files have its gid. A new one needs an active account. */
static void decide_group(struct ksa_plan_state *state, struct ksa_plan_group *group)
{
        const struct ksa_plan_entry *member = NULL;
        size_t members = 0;

        for (size_t i = group->first; i < group->end; i++) {
                if (!is_active(&state->entries[i]))
                        continue;
                member = member == NULL ? &state->entries[i] : member;
                members++;
        }
        if (group->before != NULL)
                group->gid = group->before->gid;
        if (members == 0)
                return;
        if (check_group(state, group)) {
                state->differs = state->differs || group->gid == 0;
                group->gid = group->request.number;
        } else {
                ksa_plan_note(state, KSA_CHANGE_WARNING, group->request.refusal, member,
                              ksa_arena_text(state->arena,
                                             "the %zu accounts of its namespace are not in the "
                                             "group %s: %s",
                                             members, ksa_plan_quote(state, group->request.name),
                                             group->request.why),
                              GROUP_REMEDY);
        }
        if (group->before != NULL && group->desired != NULL &&
            group->desired->gid != group->before->gid)
                ksa_plan_note(state, KSA_CHANGE_WARNING, KSA_REFUSAL_UID_DIFFERS, member,
                              ksa_arena_text(state->arena,
                                             "the group %s keeps the gid %u; its gid on the leader "
                                             "is %u",
                                             ksa_plan_quote(state, group->before->name),
                                             group->before->gid, group->desired->gid),
                              GROUP_REMEDY);
}

/* --- Groups that an [account] section names --------------------------------- */

static bool find_gid(const struct ksa_plan_state *state, const char *name, uint32_t *ret_gid)
{
        for (size_t i = 0; i < state->group_count; i++) {
                const struct ksa_plan_group *group = &state->groups[i];

                if (group->gid != 0 && strcmp(group->request.name, name) == 0) {
                        *ret_gid = group->gid;
                        return group->request.why == NULL;
                }
        }
        return ksa_local_gid(state->input->local, name, ret_gid);
}

/* Why the account may not be in the group. Returns NULL if it may. */
static const char *check_named(const struct ksa_plan_state *state, struct ksa_plan_entry *entry,
                               const char *name, uint32_t *ret_gid, const char **ret_remedy)
{
        *ret_remedy = "remove it from groups in the [account] section";
        if (entry->after.group_count == KSA_ACCOUNT_GROUPS_MAX)
                return "it is in too many groups";
        if (!find_gid(state, name, ret_gid)) {
                *ret_remedy = "create it (groupadd), or correct groups in the [account] section";
                return "this host has no such group";
        }
        if (*ret_gid == 0)
                return "it is root's";
        if (!is_mapped(state, *ret_gid))
                return "its gid is not mapped in this user namespace, so its members could not log in";
        if (*ret_gid >= 1000 && !ksa_uid_is_usable(*ret_gid))
                return "its gid is one that no group should have";
        if (ksa_local_is_powerful(name, *ret_gid)) {
                if (!entry->section->section->allow_powerful_groups) {
                        *ret_remedy = "write allow_powerful_groups = yes to allow it";
                        return "its members may become root";
                }
                entry->after.flags |= KSA_ACCOUNT_POWERFUL;
        }
        return NULL;
}

static bool has_gid(const struct ksa_account_record *record, uint32_t gid)
{
        for (uint32_t i = 0; i < record->group_count; i++) {
                if (record->groups[i] == gid)
                        return true;
        }
        return false;
}

static void add_named(struct ksa_plan_state *state, struct ksa_plan_entry *entry)
{
        const struct ksa_list *list = &entry->section->section->groups;
        struct ksa_account_record *after = &entry->after;
        uint32_t *gids = ksa_arena_room(state->arena, KSA_ACCOUNT_GROUPS_MAX * sizeof(*gids));

        if (gids == NULL)
                return;
        if (after->group_count > 0)
                gids[0] = after->groups[0];
        after->groups = gids;
        for (size_t i = 0; i < list->count; i++) {
                const char *name = ksa_list_text(list, i), *remedy;
                uint32_t gid = 0;
                const char *why = check_named(state, entry, name, &gid, &remedy);

                if (why != NULL)
                        ksa_plan_note(state, KSA_CHANGE_WARNING, KSA_REFUSAL_GROUP, entry,
                                      ksa_arena_text(state->arena, "it is not in the group %s: %s",
                                                     ksa_plan_quote(state, name), why),
                                      remedy);
                else if (gid != after->uid && !has_gid(after, gid))
                        gids[after->group_count++] = gid;
        }
}

enum ksa_reason ksa_plan_groups(struct ksa_plan_state *state, struct ksa_error *err)
{
        for (size_t i = 0; i < state->group_count; i++)
                decide_group(state, &state->groups[i]);
        for (size_t i = 0; i < state->entry_count; i++) {
                struct ksa_plan_entry *entry = &state->entries[i];
                const struct ksa_plan_group *group = entry->group;

                if (!is_active(entry))
                        continue;
                entry->after.flags &= ~KSA_ACCOUNT_POWERFUL;
                entry->after.groups = &group->gid;
                entry->after.group_count = group->request.why == NULL;
                if (entry->section != NULL && entry->section->section->groups.count > 0)
                        add_named(state, entry);
        }
        return state->arena->failed ? ksa_fail(err, KSA_MEMORY, "out of memory") : KSA_OK;
}

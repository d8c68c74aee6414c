/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account_group.h"

#include <stdlib.h>
#include <string.h>

#include "account_claim.h"
#include "account_name.h"

/* --- Groups of namespaces ----------------------------------------------------------- */

static bool is_active(const struct ksa_draft_entry *entry)
{
        return entry->after.state == KSA_ACCOUNT_ACTIVE;
}

/*
 * Why the group is of no use: another has its name or number on this host, or its gid is not mapped.
 * NULL if it is free. By its name a group may stand in sudoers: that is what it is for. By its number
 * it may not before there is the group: a namespace's name is found for it.
 */
static const char *local_group(struct ksa_draft *draft, const struct ksa_claim *claim, bool fresh)
{
        const struct ksa_local *local = draft->input->local;
        char who[KSA_WHO_SIZE];

        if (ksa_local_has_user(local, claim->name, fresh, who) ||
            ksa_local_has_group(local, claim->name, fresh, who))
                return ksa_arena_text(draft->arena, "the name '%s' is that of %s", claim->name,
                                      who);
        if (ksa_local_has_number(local, claim->number, fresh, who))
                return ksa_arena_text(draft->arena, "the gid %u is that of %s", claim->number, who);
        if (fresh && ksa_local_speaks_of_number(local, claim->number, who))
                return ksa_arena_text(draft->arena, "the gid %u would have rights here by %s",
                                      claim->number, who);
        if (!ksa_local_maps_gid(local, claim->number))
                return ksa_arena_text(draft->arena,
                                      "the gid %u is not mapped in this user namespace",
                                      claim->number);
        return NULL;
}

static void make_gid(struct ksa_draft *draft, struct ksa_draft_group *group)
{
        uint32_t *gid = ksa_arena_room(draft->arena, sizeof(*gid));

        if (gid != NULL)
                *gid = group->claim.number;
        group->gid = gid;
}

/*
 * A group that there is stays, with or without members: files have its gid, which nobody else must
 * get. A new one is made where an account is in it.
 */
static void decide(struct ksa_draft *draft, struct ksa_draft_group *group)
{
        const struct ksa_draft_entry *member = NULL;
        size_t members = 0;

        for (size_t i = group->first; i < group->end; i++) {
                if (!is_active(&draft->entries[i]))
                        continue;
                member = member == NULL ? &draft->entries[i] : member;
                members++;
        }
        if (group->before != NULL)
                make_gid(draft, group);
        if (members == 0)
                return;
        if (group->before == NULL)
                group->why = ksa_claim_group(draft, group);
        if (group->why == NULL)
                group->why = local_group(draft, &group->claim, group->before == NULL);
        if (group->why == NULL && group->gid == NULL)
                make_gid(draft, group);
        if (group->why == NULL)
                return;
        ksa_draft_tell(draft, KSA_CHANGE_WARNING, member,
                       ksa_arena_text(draft->arena,
                                      "the accounts of its namespace (%zu) are not in the group "
                                      "'%s': %s",
                                      members, group->claim.name, group->why),
                       "an [account] section can name another group");
}

/* --- Groups that an [account] section names ------------------------------------------ */

static int by_name(const void *a, const void *b)
{
        return strcmp((*(struct ksa_draft_group *const *)a)->claim.name,
                      (*(struct ksa_draft_group *const *)b)->claim.name);
}

static int has_name(const void *name, const void *group)
{
        return strcmp(name, (*(struct ksa_draft_group *const *)group)->claim.name);
}

/* The groups that there are, ordered by name. */
struct names {
        struct ksa_draft_group **groups;
        size_t count;
};

static bool find_gid(const struct ksa_draft *draft, const struct names *names, const char *name,
                     uint32_t *ret_gid)
{
        struct ksa_draft_group *const *group = bsearch(name, names->groups, names->count,
                                                       sizeof(struct ksa_draft_group *), has_name);

        if (group == NULL)
                return ksa_local_gid(draft->input->local, name, ret_gid);
        *ret_gid = *(*group)->gid;
        return true;
}

/* What files say of the name may be no right: it is a member's of another group, an owner's of ids. */
static bool is_of_sudoers(const char *who)
{
        static const char end[] = " of sudoers";
        size_t length = strlen(who);

        return length >= strlen(end) && strcmp(who + length - strlen(end), end) == 0;
}

/* By what ksa_local_is_powerful() takes it for powerful. */
static const char *tell_powerful(struct ksa_draft *draft, const char *name, uint32_t gid)
{
        const struct ksa_local *local = draft->input->local;
        char who[KSA_WHO_SIZE];

        if ((ksa_local_speaks_of_name(local, name, who) && is_of_sudoers(who)) ||
            (ksa_local_speaks_of_number(local, gid, who) && is_of_sudoers(who)))
                return ksa_arena_text(draft->arena, "to be in it may amount to root, by %s", who);
        if (gid < 1000)
                return ksa_arena_text(draft->arena,
                                      "to be in it may amount to root: its gid, %u, is one of the "
                                      "system's, below 1000",
                                      gid);
        return "to be in it may amount to root, by its name (as docker's does) or a word of sudoers";
}

/* Why an account cannot be in a group, and what helps; NULL where it can. */
static const char *judge_group(struct ksa_draft *draft, struct ksa_draft_entry *entry,
                               const struct names *names, const char *name, uint32_t *ret_gid,
                               const char **ret_remedy)
{
        bool allowed = entry->wanted->section->allow_powerful_groups;
        uint32_t gid = 0;

        *ret_remedy = "take it out of groups in the [account] section";
        if (!find_gid(draft, names, name, &gid)) {
                *ret_remedy = "create it (groupadd), or correct groups in the [account] section";
                return "this host has no such group";
        }
        if (gid == 0)
                return "it is root's";
        if (!ksa_local_maps_gid(draft->input->local, gid))
                return "its gid is not mapped in this user namespace, so its members could not log in";
        if (gid >= 1000 && !ksa_uid_is_usable(gid))
                return "its gid is one that nobody should have";
        if (ksa_local_is_powerful(draft->input->local, name, gid)) {
                if (!allowed) {
                        *ret_remedy = "allow_powerful_groups = yes, if you mean it";
                        return tell_powerful(draft, name, gid);
                }
                entry->after.flags |= KSA_ACCOUNT_POWERFUL;
        }
        *ret_gid = gid;
        return NULL;
}

static bool has_gid(const uint32_t *gids, uint32_t count, uint32_t gid)
{
        for (uint32_t i = 0; i < count; i++) {
                if (gids[i] == gid)
                        return true;
        }
        return false;
}

static void add_declared(struct ksa_draft *draft, struct ksa_draft_entry *entry,
                         const struct names *names)
{
        const struct ksa_list *list = &entry->wanted->section->groups;
        struct ksa_account_record *after = &entry->after;
        uint32_t count = after->group_count;
        uint32_t *gids = ksa_arena_room(draft->arena, KSA_ACCOUNT_GROUPS_MAX * sizeof(*gids));

        if (gids == NULL)
                return;
        if (count > 0)
                gids[0] = after->groups[0];
        for (size_t i = 0; i < list->count; i++) {
                const char *name = ksa_list_text(list, i);
                uint32_t gid = 0;
                const char *remedy = "take some out of groups in the [account] section";
                const char *why = count == KSA_ACCOUNT_GROUPS_MAX
                                          ? "it is in too many groups"
                                          : judge_group(draft, entry, names, name, &gid, &remedy);

                if (why != NULL)
                        ksa_draft_tell(draft, KSA_CHANGE_WARNING, entry,
                                       ksa_arena_text(draft->arena,
                                                      "it is not in the group '%s': %s",
                                                      ksa_draft_quote(draft, name), why),
                                       remedy);
                else if (gid != after->uid && !has_gid(gids, count, gid))
                        gids[count++] = gid;
        }
        after->groups = gids;
        after->group_count = count;
}

enum ksa_reason ksa_account_groups(struct ksa_draft *draft, struct ksa_error *err)
{
        struct names names = {
                .groups = calloc(draft->group_count + 1, sizeof(struct ksa_draft_group *))};

        if (names.groups == NULL)
                return ksa_fail(err, KSA_MEMORY, "memory ran out over the groups");
        for (size_t i = 0; i < draft->group_count; i++) {
                decide(draft, &draft->groups[i]);
                if (draft->groups[i].gid != NULL && draft->groups[i].why == NULL)
                        names.groups[names.count++] = &draft->groups[i];
        }
        qsort(names.groups, names.count, sizeof(struct ksa_draft_group *), by_name);
        for (size_t i = 0; i < draft->group_count; i++) {
                const struct ksa_draft_group *group = &draft->groups[i];

                for (size_t n = group->first; n < group->end; n++) {
                        struct ksa_draft_entry *entry = &draft->entries[n];

                        if (!is_active(entry) || entry->held)
                                continue;
                        entry->after.groups = group->why == NULL ? group->gid : NULL;
                        entry->after.group_count = entry->after.groups == NULL ? 0 : 1;
                        if (ksa_draft_is_declared(entry) &&
                            entry->wanted->section->groups.count > 0)
                                add_declared(draft, entry, &names);
                }
        }
        free(names.groups);
        return KSA_OK;
}

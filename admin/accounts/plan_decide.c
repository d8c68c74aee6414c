/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/accounts/plan_state.h"

#include <string.h>

/* --- Names and numbers that an account has for good -------------------------- */

/* The former records that the account still needs. */
static void write_formers(struct ksa_plan_state *state, const struct ksa_plan_entry *entry)
{
        const struct ksa_account_record *const *formers = entry->formers.items;

        for (size_t i = 0; i < entry->formers.count; i++) {
                if (ksa_plan_is_same_user(&entry->after, formers[i]->name, formers[i]->uid))
                        state->differs = true;
                else
                        ksa_plan_add(state, &state->records, formers[i], sizeof(*formers[i]));
        }
}

/* A removed account of the leader, as this host's record. */
static struct ksa_account_record removed_record(const struct ksa_plan_state *state,
                                                const struct ksa_desired *item)
{
        return (struct ksa_account_record){
                .name = item->name,
                .uid = item->uid,
                .state = KSA_ACCOUNT_REMOVED,
                .reasons = item->disabled ? KSA_DISABLED_LEADER : 0,
                .home = "/nonexistent",
                .shell = "/bin/sh",
                .cluster = item->cluster,
                .namespace = item->namespace,
                .account = item->account,
                .account_uid = item->account_uid,
                .new_account_uid = "",
                .created = item->created,
                .changed = state->input->now,
        };
}

/*
 * Whether the account may keep a name and uid that it has on the leader without a user. If not, reports the
 * other owner: files that it left on a shared file system belong to that one here.
 */
static bool check_reserved(struct ksa_plan_state *state, const struct ksa_plan_entry *entry,
                           const struct ksa_desired *item)
{
        struct ksa_allocation request = {.name = item->name, .number = item->uid};

        if (ksa_plan_check_range(state, &request) &&
            ksa_plan_check_name(state, &entry->party, false, &request) &&
            ksa_plan_check_number(state, &entry->party, false, &request))
                return true;
        const struct ksa_account_record record = removed_record(state, item);
        const struct ksa_plan_change change = {
                KSA_CHANGE_REFUSED, request.refusal, ksa_plan_keep(state, &record, sizeof(record)),
                ksa_arena_text(state->arena, "%s are not kept for it here: %s",
                               item->leader == KSA_LEADER_REMOVED
                                       ? "it is removed on the leader; its name and uid"
                                       : "a former name and uid of it on the leader",
                               request.why),
                ""};
        ksa_plan_add(state, &state->changes, &change, sizeof(change));
        return false;
}

static void reserve(struct ksa_plan_state *state, struct ksa_plan_entry *entry,
                    const struct ksa_desired *item)
{
        const struct ksa_account_record *after = &entry->after;

        if (after->state != 0 && !ksa_plan_is_same_user(after, item->name, item->uid) &&
            !ksa_plan_is_former(entry, item->name, item->uid) && check_reserved(state, entry, item))
                ksa_plan_add_former(state, entry, after, item->name, item->uid);
}

/* Names and uids that are the account's on the leader. Others may have them here: then they stay theirs. */
static void reserve_all(struct ksa_plan_state *state, struct ksa_plan_entry *entry)
{
        const struct ksa_desired *const *formers = entry->leader_formers.items;
        const struct ksa_desired *removed = entry->removed;

        if (removed != NULL && entry->after.state != 0) {
                reserve(state, entry, removed);
        } else if (removed != NULL && !ksa_plan_is_desired(entry) &&
                   check_reserved(state, entry, removed)) {
                entry->after = removed_record(state, removed);
                state->differs = true;
        }
        for (size_t i = 0; i < entry->leader_formers.count; i++)
                reserve(state, entry, formers[i]);
}

/* --- Home and shell --------------------------------------------------------- */

/* A section names the home itself; a source, the directory of the homes. */
static void set_home(struct ksa_plan_state *state, struct ksa_plan_entry *entry)
{
        struct ksa_account_record *after = &entry->after;
        const char *home, *shell;

        ksa_plan_options(entry, &home, &shell);
        after->shell = shell == NULL || *shell == '\0' ? "/bin/sh" : shell;
        if (entry->section != NULL && home != NULL) {
                after->home = home;
                return;
        }
        if (home == NULL || *home == '\0')
                home = "/home";
        size_t length = strlen(home);
        while (length > 0 && home[length - 1] == '/')
                length--;
        after->home = ksa_arena_text(state->arena, "%.*s/%s", (int)length, home, after->name);
}

/* --- Reasons ---------------------------------------------------------------- */

/* Which Kubernetes uid the user belongs to. That of [account], or of the leader, replaces another. */
static void set_account_uid(struct ksa_plan_entry *entry, bool enable)
{
        const struct ksa_desired *item = ksa_plan_in_source(entry);
        struct ksa_account_record *after = &entry->after;
        /* Without account_uid in its section, the account is the one that the source lists. */
        const bool declared = entry->section != NULL && entry->section->account_uid[0] != '\0';

        if (!declared && (item == NULL || item->kept)) {
                if (enable && after->new_account_uid[0] != '\0') {
                        after->account_uid = after->new_account_uid;
                        after->new_account_uid = "";
                }
                return;
        }
        const char *listed = declared ? entry->section->account_uid : item->account_uid;
        const bool same = entry->before == NULL || after->account_uid[0] == '\0' ||
                          strcmp(after->account_uid, listed) == 0;
        if (declared || same || item->leader != KSA_LEADER_NONE || item->source->recreated) {
                after->account_uid = listed;
                after->new_account_uid = "";
        } else {
                after->new_account_uid = listed;
        }
}

/* Whether the account's namespace follows a leader, read in this run or not. */
static bool has_leader(const struct ksa_plan_state *state, const struct ksa_plan_entry *entry)
{
        const struct ksa_config *config = state->input->config;

        for (size_t i = 0; i < config->counts[KSA_SECTION_ACCOUNTS]; i++) {
                const struct ksa_accounts *source = &config->account_sources[i];

                if (strcmp(source->name, entry->party.cluster) == 0)
                        return ksa_accounts_file(source) != NULL &&
                               ksa_source_covers(source, entry->party.namespace);
        }
        return false;
}

/* A reason that the administrator can lift here stays until then. */
static void set_reasons(struct ksa_plan_state *state, struct ksa_plan_entry *entry)
{
        const struct ksa_desired *item = ksa_plan_in_source(entry);
        const bool subject = entry == state->subject;
        const bool enable = subject && state->input->action == KSA_ACTION_ENABLE;
        struct ksa_account_record *after = &entry->after;
        unsigned reasons = after->reasons & ~KSA_DISABLED_RECREATED;

        if (entry->merged != NULL)
                reasons |=
                        entry->merged->reasons & (KSA_DISABLED_ADMINISTRATOR | KSA_DISABLED_LEADER);
        if (enable)
                reasons &= has_leader(state, entry) ? KSA_DISABLED_LEADER : 0;
        if (subject && state->input->action == KSA_ACTION_DISABLE)
                reasons |= KSA_DISABLED_ADMINISTRATOR;
        if (item != NULL && item->leader != KSA_LEADER_NONE)
                reasons &= ~KSA_DISABLED_LEADER;
        if (item != NULL && item->disabled)
                reasons |= KSA_DISABLED_LEADER;
        set_account_uid(entry, enable);
        if (after->new_account_uid[0] != '\0')
                reasons |= KSA_DISABLED_RECREATED;
        if (entry->before != NULL && ksa_plan_is_desired(entry))
                entry->request.why = ksa_plan_conflict(state, after->name, after->uid,
                                                       !ksa_plan_has_user(entry));
        else
                entry->request.why = NULL;
        if (entry->request.why != NULL)
                reasons |= KSA_DISABLED_CONFLICT;
        after->reasons = reasons;
}

/* --- One account ------------------------------------------------------------ */

static void set_state(struct ksa_plan_state *state, struct ksa_plan_entry *entry)
{
        const struct ksa_account_record *before = entry->before;
        struct ksa_account_record *after = &entry->after;

        after->state = !ksa_plan_is_desired(entry) ? KSA_ACCOUNT_REMOVED
                       : after->reasons != 0       ? KSA_ACCOUNT_DISABLED
                                                   : KSA_ACCOUNT_ACTIVE;
        if (before == NULL || before->state != after->state || before->reasons != after->reasons)
                after->changed = state->input->now;
        after->flags &= KSA_ACCOUNT_POWERFUL;
        after->flags |= (entry->section != NULL ? KSA_ACCOUNT_DECLARED : 0) |
                        (entry->item != NULL ? KSA_ACCOUNT_LISTED : 0);
        if (after->state != KSA_ACCOUNT_ACTIVE) {
                after->groups = NULL;
                after->group_count = 0;
                after->flags &= ~KSA_ACCOUNT_POWERFUL;
        }
}

static void warn(struct ksa_plan_state *state, const struct ksa_plan_entry *entry,
                 const struct ksa_allocation *request, const char *keeps)
{
        ksa_plan_note(state, KSA_CHANGE_WARNING, request->refusal, entry,
                      ksa_arena_text(state->arena, "it keeps %s: %s", keeps, request->why),
                      request->remedy);
}

/* An [account] section, and the leader, may give it another name; only `uid =` another uid. */
static void change_user(struct ksa_plan_state *state, struct ksa_plan_entry *entry)
{
        const struct ksa_account_record *before = entry->before;
        const bool declared = entry->section != NULL;
        struct ksa_allocation request = entry->request;
        const struct ksa_desired *item = ksa_plan_in_source(entry);
        const uint32_t leader_uid = item != NULL ? item->uid : 0;

        if (request.refusal != KSA_REFUSAL_NONE) {
                warn(state, entry, &request, "its name and uid");
                return;
        }
        if (strcmp(before->name, request.name) != 0) {
                if (ksa_plan_check_name(state, &entry->party, declared, &request))
                        entry->after.name = request.name;
                else
                        warn(state, entry, &request,
                             ksa_arena_text(state->arena, "the name %s",
                                            ksa_plan_quote(state, before->name)));
        }
        request.refusal = KSA_REFUSAL_NONE;
        if (before->uid != request.number) {
                if (ksa_plan_check_number(state, &entry->party, declared, &request))
                        entry->after.uid = request.number;
                else
                        warn(state, entry, &request,
                             ksa_arena_text(state->arena, "the uid %u", before->uid));
        }
        if (leader_uid != 0 && leader_uid != entry->after.uid &&
            (!declared || entry->section->uid == 0))
                ksa_plan_note(state, KSA_CHANGE_WARNING, KSA_REFUSAL_UID_DIFFERS, entry,
                              ksa_arena_text(state->arena,
                                             "it keeps the uid %u; its uid on the leader is %u",
                                             entry->after.uid, leader_uid),
                              ksa_arena_text(state->arena,
                                             "declare it in an [account] section with uid = %u, "
                                             "and chown its files",
                                             leader_uid));
        ksa_plan_add_former(state, entry, &entry->after, before->name, before->uid);
}

static void decide_desired(struct ksa_plan_state *state, struct ksa_plan_entry *entry)
{
        const struct ksa_desired *first = entry->section ? entry->section : entry->item;
        struct ksa_account_record *after = &entry->after;

        if (first == NULL)
                return; /* nothing desires it: no user */
        if (entry->before == NULL) {
                *after = (struct ksa_account_record){
                        .name = entry->request.name,
                        .uid = entry->request.number,
                        .cluster = first->cluster,
                        .namespace = first->namespace,
                        .account = first->account,
                        .account_uid = first->account_uid,
                        .new_account_uid = "",
                };
                if (!ksa_plan_check_newcomer(state, entry))
                        return;
        } else {
                change_user(state, entry);
        }
        if (entry->item != NULL)
                after->created = entry->item->created;
        if (entry->before == NULL || entry->request.refusal != KSA_REFUSAL_UNUSABLE)
                set_home(state, entry);
        set_reasons(state, entry);
        set_state(state, entry);
}

void ksa_plan_decide(struct ksa_plan_state *state, struct ksa_plan_entry *entry)
{
        if (entry->before != NULL)
                entry->after = *entry->before;
        if (ksa_plan_is_desired(entry)) {
                decide_desired(state, entry);
        } else if (entry->before != NULL) {
                set_reasons(state, entry);
                set_state(state, entry);
        }
        reserve_all(state, entry);
        write_formers(state, entry);
}

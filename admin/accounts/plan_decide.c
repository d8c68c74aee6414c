/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/accounts/plan_state.h"

#include <string.h>

/* --- Names and numbers that an account has for good -------------------------- */

static bool is_same_user(const struct ksa_account_record *record, const char *name, uint32_t uid)
{
        return record->uid == uid && strcmp(record->name, name) == 0;
}

/* Keeps a name and uid of the account from all others. */
static void leave(struct ksa_plan_state *state, const struct ksa_plan_entry *entry,
                  const char *name, uint32_t uid)
{
        const struct ksa_account_record *const *formers = entry->formers.items;
        struct ksa_account_record former = entry->after;

        if (is_same_user(&entry->after, name, uid))
                return;
        for (size_t i = 0; i < entry->formers.count; i++) {
                if (is_same_user(formers[i], name, uid))
                        return;
        }
        former.name = name;
        former.uid = uid;
        former.state = KSA_ACCOUNT_REMOVED;
        former.reasons = 0;
        former.flags = KSA_ACCOUNT_FORMER;
        former.changed = state->input->now;
        former.new_account_uid = "";
        former.groups = NULL;
        former.group_count = 0;
        ksa_plan_add(state, &state->records, &former, sizeof(former));
        state->differs = true;
}

/* The former records that the account still needs. */
static void keep_formers(struct ksa_plan_state *state, const struct ksa_plan_entry *entry)
{
        const struct ksa_account_record *const *formers = entry->formers.items;

        for (size_t i = 0; i < entry->formers.count; i++) {
                if (is_same_user(formers[i], entry->after.name, entry->after.uid))
                        state->differs = true;
                else
                        ksa_plan_add(state, &state->records, formers[i], sizeof(*formers[i]));
        }
}

/* Names and uids that are the account's on the leader. Others may have them here: then they stay theirs. */
static void reserve(struct ksa_plan_state *state, struct ksa_plan_entry *entry)
{
        const struct ksa_desired *const *reserved = entry->reserved.items;
        const struct ksa_uid_range *range = &state->input->config->host.uid_range;

        for (size_t i = 0; i < entry->reserved.count; i++) {
                const struct ksa_desired *item = reserved[i];
                struct ksa_allocation request = {.name = item->name, .number = item->uid};

                if (entry->before != NULL && is_same_user(entry->before, item->name, item->uid))
                        continue;
                if (!ksa_uid_is_usable(item->uid) || item->uid < range->min ||
                    item->uid > range->max ||
                    !ksa_plan_check_name(state, &entry->party, false, &request) ||
                    !ksa_plan_check_number(state, &entry->party, false, &request))
                        continue;
                if (entry->after.state != 0)
                        leave(state, entry, item->name, item->uid);
                if (entry->after.state != 0 || ksa_plan_is_desired(entry) ||
                    item->leader != KSA_LEADER_REMOVED)
                        continue;
                entry->after = (struct ksa_account_record){
                        .name = item->name,
                        .uid = item->uid,
                        .state = KSA_ACCOUNT_REMOVED,
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
                state->differs = true;
        }
}

/* --- Home and shell --------------------------------------------------------- */

static const char *or_else(const char *text, const char *otherwise)
{
        return text == NULL || text[0] == '\0' ? otherwise : text;
}

/* A section names the home itself; a source, the directory of the homes. */
static void set_home(struct ksa_plan_state *state, struct ksa_plan_entry *entry)
{
        const struct ksa_account *section = entry->section ? entry->section->section : NULL;
        const struct ksa_accounts *source = entry->item ? entry->item->source : NULL;
        struct ksa_account_record *after = &entry->after;
        const char *directory =
                section != NULL || source == NULL ? "/home" : or_else(source->home, "/home");
        const char *shell = section != NULL  ? section->shell
                            : source != NULL ? source->shell
                                             : NULL;
        size_t length = strlen(directory);

        after->shell = or_else(shell, "/bin/sh");
        if (section != NULL && section->home != NULL) {
                after->home = section->home;
                return;
        }
        while (length > 0 && directory[length - 1] == '/')
                length--;
        after->home = ksa_arena_text(state->arena, "%.*s/%s", (int)length, directory, after->name);
}

/* --- Reasons ---------------------------------------------------------------- */

/* Which Kubernetes uid the user belongs to. The administrator's word and the leader's replace it. */
static void set_account_uid(struct ksa_plan_entry *entry, bool enable)
{
        const struct ksa_desired *item = entry->item;
        struct ksa_account_record *after = &entry->after;
        /* A section without account_uid does not say whose user it is: the source does. */
        const bool told = entry->section != NULL && entry->section->account_uid[0] != '\0';

        if (!told && item == NULL)
                return;
        if (!told && item->kept) {
                if (enable && after->new_account_uid[0] != '\0') {
                        after->account_uid = after->new_account_uid;
                        after->new_account_uid = "";
                }
                return;
        }
        const char *listed = told ? entry->section->account_uid : item->account_uid;
        const bool same = entry->before == NULL || after->account_uid[0] == '\0' ||
                          strcmp(after->account_uid, listed) == 0;
        if (told || same || item->leader != KSA_LEADER_NONE || item->source->recreated) {
                after->account_uid = listed;
                after->new_account_uid = "";
        } else {
                after->new_account_uid = listed;
        }
}

static bool has_leader(const struct ksa_plan_entry *entry)
{
        return entry->item != NULL && ksa_accounts_file(entry->item->source) != NULL;
}

/* A reason that the administrator can lift here stays until then. */
static void set_reasons(struct ksa_plan_state *state, struct ksa_plan_entry *entry)
{
        const bool subject = entry == state->subject;
        const bool enable = subject && state->input->wish == KSA_WISH_ENABLE;
        struct ksa_account_record *after = &entry->after;
        unsigned reasons = after->reasons & ~KSA_DISABLED_RECREATED;

        if (enable)
                reasons &= has_leader(entry) ? KSA_DISABLED_LEADER : 0;
        if (subject && state->input->wish == KSA_WISH_DISABLE)
                reasons |= KSA_DISABLED_ADMINISTRATOR;
        if (!ksa_plan_is_desired(entry)) {
                const bool recreated = after->new_account_uid[0] != '\0' && !enable;

                after->reasons = reasons | (recreated ? KSA_DISABLED_RECREATED : 0);
                if (enable && after->new_account_uid[0] != '\0')
                        after->account_uid = after->new_account_uid;
                if (enable)
                        after->new_account_uid = "";
                return;
        }
        set_account_uid(entry, enable);
        if (entry->item != NULL && entry->item->leader != KSA_LEADER_NONE)
                reasons &= ~KSA_DISABLED_LEADER;
        if (entry->item != NULL && entry->item->leader == KSA_LEADER_DISABLED)
                reasons |= KSA_DISABLED_LEADER;
        if (after->new_account_uid[0] != '\0')
                reasons |= KSA_DISABLED_RECREATED;
        entry->request.why = entry->before == NULL
                                     ? NULL
                                     : ksa_plan_conflict(state, after->name, after->uid,
                                                         !ksa_plan_has_user(entry));
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
        uint32_t leader_uid = entry->item != NULL ? entry->item->uid : 0;

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
        leave(state, entry, before->name, before->uid);
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
        reserve(state, entry);
        keep_formers(state, entry);
}

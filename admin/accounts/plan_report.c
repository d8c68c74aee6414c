/* SPDX-License-Identifier: BSD-2-Clause */
/* The changes of an account, as messages. */
#include <string.h>

#include "admin/accounts/plan_state.h"

static bool same(const char *one, const char *other)
{
        return strcmp(one, other) == 0;
}

static bool same_groups(const struct ksa_account_record *one,
                        const struct ksa_account_record *other)
{
        return one->group_count == other->group_count &&
               (one->group_count == 0 ||
                memcmp(one->groups, other->groups, one->group_count * sizeof(*one->groups)) == 0);
}

static bool same_record(const struct ksa_account_record *one,
                        const struct ksa_account_record *other)
{
        return same(one->name, other->name) && one->uid == other->uid &&
               one->state == other->state && one->reasons == other->reasons &&
               one->flags == other->flags && one->changed == other->changed &&
               same(one->home, other->home) && same(one->shell, other->shell) &&
               same(one->account_uid, other->account_uid) &&
               same(one->new_account_uid, other->new_account_uid) &&
               one->created == other->created && same_groups(one, other);
}

/* --- Texts ------------------------------------------------------------------ */

/* Adds a clause to WHY. */
static const char *add(struct ksa_plan_state *state, const char *why, const char *what)
{
        return ksa_arena_text(state->arena, "%s%s%s", why, *why == '\0' ? "" : "; ", what);
}

static const char *add_changed(struct ksa_plan_state *state, const char *why, const char *what,
                               const char *before, const char *after)
{
        if (same(before, after))
                return why;
        return add(state, why,
                   ksa_arena_text(state->arena, "%s %s, was %s", what, ksa_plan_quote(state, after),
                                  ksa_plan_quote(state, before)));
}

static const char *source_text(struct ksa_plan_state *state, const struct ksa_plan_entry *entry)
{
        if (entry->section != NULL)
                return ksa_arena_text(state->arena, "[account %s] declares it",
                                      entry->section->section->name);
        return ksa_arena_text(state->arena, "listed in %s:%s", entry->party.cluster,
                              entry->party.namespace);
}

/* Adds that its groups may amount to root. */
static const char *with_powerful(struct ksa_plan_state *state, const struct ksa_plan_entry *entry,
                                 const char *why)
{
        if ((entry->after.flags & KSA_ACCOUNT_POWERFUL) == 0)
                return why;
        return add(state, why, "it is in groups that may amount to root, as its section allows");
}

static const char *disabled_why(struct ksa_plan_state *state, const struct ksa_plan_entry *entry)
{
        const struct ksa_account_record *after = &entry->after;
        const char *why = "";

        if ((after->reasons & KSA_DISABLED_ADMINISTRATOR) != 0)
                why = add(state, why, "the administrator disabled it");
        if ((after->reasons & KSA_DISABLED_RECREATED) != 0)
                why = add(state, why,
                          ksa_arena_text(state->arena,
                                         "it was re-created: its Kubernetes uid was %s and is %s",
                                         ksa_plan_quote(state, after->account_uid),
                                         ksa_plan_quote(state, after->new_account_uid)));
        if ((after->reasons & KSA_DISABLED_CONFLICT) != 0)
                why = add(state, why,
                          entry->request.why != NULL
                                  ? entry->request.why
                                  : "its name or uid was that of a local user, group or "
                                    "subordinate range");
        if ((after->reasons & KSA_DISABLED_LEADER) != 0)
                why = add(state, why, "it is disabled on the leader");
        return why;
}

static const char *disabled_remedy(struct ksa_plan_state *state, const struct ksa_plan_entry *entry)
{
        const struct ksa_account_record *after = &entry->after;
        const char *before = "";

        if ((after->reasons & ~KSA_DISABLED_LEADER) == 0)
                return "enable it on the leader: ksactl accounts enable";
        if ((after->reasons & KSA_DISABLED_CONFLICT) != 0 && entry->request.why != NULL)
                before = "remove that user, group or range, then ";
        else if ((after->reasons & KSA_DISABLED_RECREATED) != 0)
                before = "if it may have the files of the account before: ";
        return ksa_arena_text(state->arena, "%sksactl accounts enable %s", before, after->name);
}

/* --- Changes ---------------------------------------------------------------- */

static void report_state(struct ksa_plan_state *state, const struct ksa_plan_entry *entry)
{
        const struct ksa_account_record *before = entry->before, *after = &entry->after;
        const bool was = before != NULL && before->state == KSA_ACCOUNT_DISABLED;
        const bool undecided =
                (after->reasons & (KSA_DISABLED_RECREATED | KSA_DISABLED_CONFLICT)) != 0;

        if (after->state == KSA_ACCOUNT_ACTIVE) {
                if (was)
                        ksa_plan_note(state, KSA_CHANGE_ENABLED, KSA_REFUSAL_NONE, entry,
                                      with_powerful(state, entry, ""), NULL);
                return;
        }
        if (after->state == KSA_ACCOUNT_REMOVED)
                return;
        if (!was || (after->reasons & ~before->reasons) != 0 ||
            !same(before->new_account_uid, after->new_account_uid))
                ksa_plan_note(state, KSA_CHANGE_DISABLED, KSA_REFUSAL_NONE, entry,
                              disabled_why(state, entry), disabled_remedy(state, entry));
        else if (undecided)
                ksa_plan_note(state, KSA_CHANGE_WARNING, KSA_REFUSAL_NONE, entry,
                              ksa_arena_text(state->arena, "it stays disabled: %s",
                                             disabled_why(state, entry)),
                              disabled_remedy(state, entry));
}

static void report_user(struct ksa_plan_state *state, const struct ksa_plan_entry *entry)
{
        const struct ksa_account_record *before = entry->before, *after = &entry->after;

        if (entry->merged != NULL)
                ksa_plan_note(state, KSA_CHANGE_RENUMBERED, KSA_REFUSAL_NONE, entry,
                              ksa_arena_text(state->arena,
                                             "the user %s (uid %u) of the same account is a former "
                                             "one of it now",
                                             ksa_plan_quote(state, entry->merged->name),
                                             entry->merged->uid),
                              ksa_arena_text(state->arena, "find / -xdev -uid %u lists its files",
                                             entry->merged->uid));
        if (!same(before->name, after->name))
                ksa_plan_note(state, KSA_CHANGE_RENAMED, KSA_REFUSAL_NONE, entry,
                              ksa_arena_text(state->arena, "it was called %s",
                                             ksa_plan_quote(state, before->name)),
                              NULL);
        if (before->uid != after->uid)
                ksa_plan_note(state, KSA_CHANGE_RENUMBERED, KSA_REFUSAL_NONE, entry,
                              ksa_arena_text(state->arena,
                                             "its uid was %u, which its files still have",
                                             before->uid),
                              ksa_arena_text(state->arena, "find / -xdev -uid %u lists them",
                                             before->uid));
}

static void report_rest(struct ksa_plan_state *state, const struct ksa_plan_entry *entry)
{
        const struct ksa_account_record *before = entry->before, *after = &entry->after;
        const bool active = before->state == KSA_ACCOUNT_ACTIVE && after->state == before->state;
        const char *why = "";

        why = add_changed(state, why, "Kubernetes uid", before->account_uid, after->account_uid);
        why = add_changed(state, why, "home", before->home, after->home);
        why = add_changed(state, why, "shell", before->shell, after->shell);
        if (active && !same_groups(before, after))
                why = with_powerful(state, entry, add(state, why, "other groups"));
        if (before->state == after->state && (before->reasons & ~after->reasons) != 0)
                why = add(state, why, "fewer reasons to disable it");
        if (after->state == KSA_ACCOUNT_REMOVED && (after->reasons & ~before->reasons) != 0)
                why = add(state, why, disabled_why(state, entry));
        if ((before->flags ^ after->flags) & KSA_ACCOUNT_DECLARED && ksa_plan_is_desired(entry))
                why = add(state, why, source_text(state, entry));
        if (*why != '\0')
                ksa_plan_note(state, KSA_CHANGE_MODIFIED, KSA_REFUSAL_NONE, entry, why, NULL);
}

static void report_known(struct ksa_plan_state *state, const struct ksa_plan_entry *entry)
{
        const struct ksa_account_record *before = entry->before, *after = &entry->after;
        const bool was_removed = before->state == KSA_ACCOUNT_REMOVED;

        if (!same_record(before, after))
                state->differs = true;
        if (was_removed && after->state != KSA_ACCOUNT_REMOVED)
                ksa_plan_note(state, KSA_CHANGE_RETURNED, KSA_REFUSAL_NONE, entry,
                              with_powerful(state, entry, source_text(state, entry)), NULL);
        if (!was_removed && after->state == KSA_ACCOUNT_REMOVED)
                ksa_plan_note(state, KSA_CHANGE_REMOVED, KSA_REFUSAL_NONE, entry,
                              "no source lists it; its name and uid stay its own", NULL);
        report_state(state, entry);
        report_user(state, entry);
        report_rest(state, entry);
}

void ksa_plan_report(struct ksa_plan_state *state, const struct ksa_plan_entry *entry)
{
        const struct ksa_allocation *request = &entry->request;

        if (entry->before != NULL) {
                report_known(state, entry);
        } else if (entry->after.state == 0) {
                if (ksa_plan_is_desired(entry))
                        ksa_plan_note(state, KSA_CHANGE_REFUSED, request->refusal, entry,
                                      request->why, request->remedy);
        } else if (entry->after.state == KSA_ACCOUNT_REMOVED) {
                ksa_plan_note(state, KSA_CHANGE_REMOVED, KSA_REFUSAL_NONE, entry,
                              "it is removed on the leader; its name and uid are its own", NULL);
        } else {
                state->differs = true;
                ksa_plan_note(state, KSA_CHANGE_ADDED, KSA_REFUSAL_NONE, entry,
                              with_powerful(state, entry, source_text(state, entry)), NULL);
                report_state(state, entry);
        }
}

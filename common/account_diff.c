/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account_diff.h"

#include <string.h>

#define HOLDS (KSA_ACCOUNT_HELD | KSA_ACCOUNT_MOVED)

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

static bool same_source(const struct ksa_account_record *one,
                        const struct ksa_account_record *other)
{
        return same(one->account_uid, other->account_uid) &&
               same(one->new_account_uid, other->new_account_uid) &&
               same(one->wanted_name, other->wanted_name) && one->wanted_uid == other->wanted_uid &&
               one->created == other->created && (one->flags & ~HOLDS) == (other->flags & ~HOLDS);
}

static bool same_holds(const struct ksa_account_record *one, const struct ksa_account_record *other)
{
        return (one->flags & HOLDS) == (other->flags & HOLDS);
}

static bool same_record(const struct ksa_account_record *one,
                        const struct ksa_account_record *other)
{
        return same(one->name, other->name) && one->uid == other->uid &&
               one->state == other->state && one->changed == other->changed &&
               same(one->home, other->home) && same(one->shell, other->shell) &&
               same_source(one, other) && same_holds(one, other) && same_groups(one, other);
}

/* The state is another one. */
static void tell_state(struct ksa_draft *draft, const struct ksa_draft_entry *entry)
{
        const char *why = entry->why;

        switch (entry->after.state) {
        case KSA_ACCOUNT_REMOVED:
                ksa_draft_tell(draft, KSA_CHANGE_REMOVED, entry, "no source has it any more", NULL);
                return;
        case KSA_ACCOUNT_RETIRED:
                ksa_draft_tell(draft, KSA_CHANGE_RETIRED, entry, NULL, NULL);
                return;
        case KSA_ACCOUNT_RECREATED:
                ksa_draft_tell(draft, KSA_CHANGE_RECREATED, entry, why, entry->remedy);
                return;
        case KSA_ACCOUNT_CONTESTED:
                ksa_draft_tell(draft, KSA_CHANGE_CONTESTED, entry, why, entry->remedy);
                return;
        case KSA_ACCOUNT_ACTIVE:
        case KSA_ACCOUNT_STATE_COUNT:
                break;
        }
        if (entry->before->state == KSA_ACCOUNT_REMOVED)
                return; /* has been told */
        if (entry->accept)
                ksa_draft_tell(draft, KSA_CHANGE_ACCEPTED, entry, "by the administrator", NULL);
        else if (entry->before->state == KSA_ACCOUNT_RECREATED &&
                 same(entry->before->account_uid, entry->after.account_uid))
                ksa_draft_tell(draft, KSA_CHANGE_RETURNED, entry,
                               "its Kubernetes uid is again the one that it had", NULL);
        else
                ksa_draft_tell(draft, KSA_CHANGE_ACCEPTED, entry, "by the configuration", NULL);
}

static void tell_identity(struct ksa_draft *draft, const struct ksa_draft_entry *entry)
{
        const struct ksa_account_record *before = entry->before, *after = &entry->after;

        /* What the administrator accepted was told with the state. */
        if (!same(before->account_uid, after->account_uid) && !entry->accept)
                ksa_draft_tell(draft, KSA_CHANGE_ACCEPTED, entry,
                               ksa_arena_text(draft->arena,
                                              "its Kubernetes uid was '%s' and is '%s', accepted "
                                              "by %s",
                                              ksa_draft_quote(draft, before->account_uid),
                                              ksa_draft_quote(draft, after->account_uid),
                                              ksa_draft_is_declared(entry) ? "its [account] section"
                                                                           : "recreated = accept"),
                               NULL);
        if (!same(before->name, after->name))
                ksa_draft_tell(draft, KSA_CHANGE_RENAMED, entry,
                               ksa_arena_text(draft->arena, "it was called '%s'", before->name),
                               NULL);
        if (before->uid != after->uid)
                ksa_draft_tell(draft, KSA_CHANGE_RENUMBERED, entry,
                               ksa_arena_text(draft->arena,
                                              "its uid was %u, and files that it made stay that "
                                              "one's",
                                              before->uid),
                               ksa_arena_text(draft->arena,
                                              "find / -xdev -uid %u shows them; chown, if they are "
                                              "to be its own",
                                              before->uid));
}

static void tell_modified(struct ksa_draft *draft, const struct ksa_draft_entry *entry)
{
        const struct ksa_account_record *before = entry->before, *after = &entry->after;
        const char *home = same(before->home, after->home)
                                   ? ""
                                   : ksa_arena_text(draft->arena, "home %s, was %s; ", after->home,
                                                    before->home);
        const char *shell = same(before->shell, after->shell)
                                    ? ""
                                    : ksa_arena_text(draft->arena, "shell %s, was %s; ",
                                                     after->shell, before->shell);
        const char *why = ksa_arena_text(
                draft->arena, "%s%s%s%s%s", home, shell,
                same_holds(before, after) ? "" : "it is held no more; ",
                same_groups(before, after) ? "" : "its groups; ",
                same_source(before, after) ? ""
                                           : "what is kept of it: when it was made, what it asks "
                                             "for, who decided; ");
        size_t length = strlen(why);

        ksa_draft_tell(
                draft, KSA_CHANGE_MODIFIED, entry,
                ksa_arena_text(draft->arena, "%.*s", length < 2 ? 0 : (int)(length - 2), why),
                NULL);
}

/* Whether a difference was told since; what is told each time is none. */
static bool is_told(const struct ksa_draft *draft, size_t since)
{
        const struct ksa_draft_change *changes = draft->changes.items;

        for (size_t i = since; i < draft->changes.count; i++) {
                if (ksa_change_is_new(changes[i].change))
                        return true;
        }
        return false;
}

static void tell_known(struct ksa_draft *draft, const struct ksa_draft_entry *entry)
{
        const struct ksa_account_record *before = entry->before, *after = &entry->after;
        size_t told = draft->changes.count;

        if (entry->held) {
                ksa_draft_tell(draft, KSA_CHANGE_HELD, entry, entry->why, entry->remedy);
                /* The registry remembers it: until the next run nobody else would tell. */
                draft->differs = draft->differs || !same_record(before, after);
                return;
        }
        if (before->state == KSA_ACCOUNT_REMOVED && after->state == KSA_ACCOUNT_REMOVED) {
                if (entry->why != NULL)
                        ksa_draft_tell(draft, KSA_CHANGE_REFUSED, entry, entry->why, entry->remedy);
        } else if (before->state == KSA_ACCOUNT_REMOVED) {
                ksa_draft_tell(draft, KSA_CHANGE_RETURNED, entry, NULL, NULL);
        }
        if (before->state != after->state)
                tell_state(draft, entry);
        else if (entry->why != NULL && after->state == KSA_ACCOUNT_RECREATED &&
                 !same(before->new_account_uid, after->new_account_uid))
                ksa_draft_tell(draft, KSA_CHANGE_RECREATED, entry, entry->why, entry->remedy);
        else if (entry->why != NULL && after->state != KSA_ACCOUNT_REMOVED)
                ksa_draft_tell(draft, KSA_CHANGE_WARNING, entry,
                               ksa_arena_text(draft->arena, "it stays %s: %s",
                                              ksa_account_state_word(after->state), entry->why),
                               entry->remedy);
        tell_identity(draft, entry);
        if (same_record(before, after))
                return;
        draft->differs = true;
        bool other = !same(before->home, after->home) || !same(before->shell, after->shell);
        if (other || !is_told(draft, told))
                tell_modified(draft, entry);
}

void ksa_account_diff(struct ksa_draft *draft, const struct ksa_draft_entry *entry)
{
        if (entry->before != NULL) {
                tell_known(draft, entry);
        } else if (entry->after.state == 0) {
                ksa_draft_tell(draft, KSA_CHANGE_REFUSED, entry, entry->why, entry->remedy);
        } else {
                ksa_draft_tell(draft, KSA_CHANGE_ADDED, entry, NULL, NULL);
                draft->differs = true;
        }
}

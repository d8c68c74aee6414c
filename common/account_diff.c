/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account_diff.h"

#include <string.h>
#include <time.h>

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

/* --- Words ----------------------------------------------------------------------- */

static const char *text_of_source(struct ksa_draft *draft, const struct ksa_draft_entry *entry)
{
        if (ksa_draft_is_declared(entry))
                return ksa_arena_text(draft->arena, "[account %s] declares it",
                                      entry->wanted->section->name);
        return ksa_arena_text(draft->arena, "listed in %s:%s", entry->claim.cluster,
                              entry->claim.namespace);
}

static bool has_group(const struct ksa_account_record *record, uint32_t gid)
{
        for (uint32_t i = 0; i < record->group_count; i++) {
                if (record->groups[i] == gid)
                        return true;
        }
        return false;
}

/* The name by which the [account] section has a group of this host; NULL where it names none with GID. */
static const char *name_in_section(const struct ksa_draft *draft,
                                   const struct ksa_draft_entry *entry, uint32_t gid)
{
        if (!ksa_draft_is_declared(entry))
                return NULL;
        const struct ksa_list *list = &entry->wanted->section->groups;
        for (size_t i = 0; i < list->count; i++) {
                const char *name = ksa_list_text(list, i);
                uint32_t found = 0;

                if (ksa_local_gid(draft->input->local, name, &found) && found == gid)
                        return name;
        }
        return NULL;
}

/* NULL where neither the registry nor the section knows it. */
static const char *name_of_group(const struct ksa_draft *draft, const struct ksa_draft_entry *entry,
                                 uint32_t gid)
{
        const struct ksa_group_record *before = ksa_draft_group_with_gid(draft, gid);

        if (before != NULL)
                return before->name;
        for (size_t i = 0; i < draft->group_count; i++) {
                if (draft->groups[i].gid != NULL && *draft->groups[i].gid == gid)
                        return draft->groups[i].claim.name;
        }
        return name_in_section(draft, entry, gid);
}

/* "docker(999)", as id(1) has it the other way round; the bare gid of a group without a name. */
static const char *text_of_group(struct ksa_draft *draft, const struct ksa_draft_entry *entry,
                                 uint32_t gid)
{
        const char *name = name_of_group(draft, entry, gid);

        return name == NULL
                       ? ksa_arena_text(draft->arena, "%u", gid)
                       : ksa_arena_text(draft->arena, "%s(%u)", ksa_draft_quote(draft, name), gid);
}

/* " +web(8000) -docker(999)": what AFTER has and BEFORE has not, with SIGN before each. */
static const char *add_groups(struct ksa_draft *draft, const struct ksa_draft_entry *entry,
                              const char *text, char sign)
{
        const struct ksa_account_record *with = sign == '+' ? &entry->after : entry->before;
        const struct ksa_account_record *without = sign == '+' ? entry->before : &entry->after;

        for (uint32_t i = 0; i < with->group_count; i++) {
                if (!has_group(without, with->groups[i]))
                        text = ksa_arena_text(draft->arena, "%s %c%s", text, sign,
                                              text_of_group(draft, entry, with->groups[i]));
        }
        return text;
}

/* WHY, and which groups that amount to root it enters now: only allow_powerful_groups gives those. */
static const char *with_powerful(struct ksa_draft *draft, const struct ksa_draft_entry *entry,
                                 const char *why)
{
        const char *names = "", *end = "";

        if ((entry->after.flags & KSA_ACCOUNT_POWERFUL) == 0)
                return why;
        for (uint32_t i = 0; i < entry->after.group_count; i++) {
                uint32_t gid = entry->after.groups[i];
                const char *name = name_of_group(draft, entry, gid);

                if (name == NULL || !ksa_local_is_powerful(draft->input->local, name, gid) ||
                    (entry->before != NULL && has_group(entry->before, gid)))
                        continue;
                end = *names == '\0' ? "" : "s";
                names = ksa_arena_text(draft->arena, "%s%s%s", names, *names == '\0' ? "" : ", ",
                                       ksa_draft_quote(draft, name));
        }
        return *names == '\0' ? why
                              : ksa_arena_text(draft->arena,
                                               "%s, with the powerful group%s %s, as its section "
                                               "allows",
                                               why, end, names);
}

/* --- Changes ---------------------------------------------------------------------- */

/* The state is another one. */
static void tell_state(struct ksa_draft *draft, const struct ksa_draft_entry *entry)
{
        const char *why = entry->why;

        switch (entry->after.state) {
        case KSA_ACCOUNT_REMOVED:
                ksa_draft_tell(draft, KSA_CHANGE_REMOVED, entry, "no source has it any more", NULL);
                return;
        case KSA_ACCOUNT_RETIRED:
                ksa_draft_tell(draft, KSA_CHANGE_RETIRED, entry, "by the administrator", NULL);
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
                ksa_draft_tell(draft, KSA_CHANGE_ACCEPTED, entry,
                               with_powerful(draft, entry, "by the administrator"), NULL);
        else if (entry->before->state == KSA_ACCOUNT_RECREATED &&
                 same(entry->before->account_uid, entry->after.account_uid))
                ksa_draft_tell(draft, KSA_CHANGE_RETURNED, entry,
                               with_powerful(draft, entry,
                                             "its Kubernetes uid is again the one that it had"),
                               NULL);
        else
                ksa_draft_tell(draft, KSA_CHANGE_ACCEPTED, entry,
                               with_powerful(draft, entry, "by the configuration"), NULL);
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

/* Adds a clause to WHY. */
static const char *add(struct ksa_draft *draft, const char *why, const char *what)
{
        return ksa_arena_text(draft->arena, "%s%s%s", why, *why == '\0' ? "" : "; ", what);
}

static const char *text_of_groups(struct ksa_draft *draft, const struct ksa_draft_entry *entry)
{
        const char *text = add_groups(draft, entry, "", '+');

        text = add_groups(draft, entry, text, '-');
        if (*text == '\0')
                return "groups in another order";
        return with_powerful(draft, entry, ksa_arena_text(draft->arena, "groups%s", text));
}

static const char *text_of_time(struct ksa_draft *draft, int64_t seconds)
{
        const time_t when = (time_t)seconds;
        struct tm parts;
        char text[40];

        if (seconds == 0 || gmtime_r(&when, &parts) == NULL ||
            strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
                return "unknown";
        return ksa_arena_text(draft->arena, "%s", text);
}

/* What it asks for otherwise: of a listed account its annotations, of a declared one its section. */
static const char *add_wanted(struct ksa_draft *draft, const struct ksa_draft_entry *entry,
                              const char *why)
{
        const struct ksa_account_record *before = entry->before, *after = &entry->after;

        if (!same(before->wanted_name, after->wanted_name))
                why = add(draft, why,
                          *after->wanted_name == '\0'
                                  ? "it asks for no name any more"
                                  : ksa_arena_text(draft->arena, "it asks for the name '%s'",
                                                   ksa_draft_quote(draft, after->wanted_name)));
        if (before->wanted_uid != after->wanted_uid)
                why = add(draft, why,
                          after->wanted_uid == 0
                                  ? "it asks for no uid any more"
                                  : ksa_arena_text(draft->arena, "it asks for the uid %u",
                                                   after->wanted_uid));
        return why;
}

/* What no program sees, and later runs decide by. */
static const char *add_kept(struct ksa_draft *draft, const struct ksa_draft_entry *entry,
                            const char *why)
{
        const struct ksa_account_record *before = entry->before, *after = &entry->after;
        const uint32_t flags = before->flags ^ after->flags;

        if (before->created != after->created)
                why = add(draft, why,
                          ksa_arena_text(draft->arena, "created %s, was %s",
                                         text_of_time(draft, after->created),
                                         text_of_time(draft, before->created)));
        why = add_wanted(draft, entry, why);
        if (!same(before->new_account_uid, after->new_account_uid) &&
            *after->new_account_uid != '\0')
                why = add(draft, why,
                          ksa_arena_text(draft->arena, "its Kubernetes uid is now '%s'",
                                         ksa_draft_quote(draft, after->new_account_uid)));
        if ((flags & KSA_ACCOUNT_DECLARED) != 0 && entry->wanted != NULL)
                why = add(draft, why, text_of_source(draft, entry));
        if ((flags & KSA_ACCOUNT_SETTLED) != 0)
                why = add(draft, why,
                          (after->flags & KSA_ACCOUNT_SETTLED) != 0
                                  ? "settled by the administrator against other claims"
                                  : "no longer settled against other claims");
        if ((flags & KSA_ACCOUNT_POWERFUL) != 0 && same_groups(before, after))
                why = add(draft, why,
                          (after->flags & KSA_ACCOUNT_POWERFUL) != 0
                                  ? "a group that it is in amounts to root now"
                                  : "no group that it is in amounts to root any more");
        return why;
}

static void tell_modified(struct ksa_draft *draft, const struct ksa_draft_entry *entry)
{
        const struct ksa_account_record *before = entry->before, *after = &entry->after;
        const char *why = "";

        if (!same(before->home, after->home))
                why = add(
                        draft, why,
                        ksa_arena_text(draft->arena, "home %s, was %s", after->home, before->home));
        if (!same(before->shell, after->shell))
                why = add(draft, why,
                          ksa_arena_text(draft->arena, "shell %s, was %s", after->shell,
                                         before->shell));
        if (!same_groups(before, after) && before->state == after->state)
                why = add(draft, why, text_of_groups(draft, entry));
        if (!same_holds(before, after))
                why = add(draft, why, "it is held no more");
        ksa_draft_tell(draft, KSA_CHANGE_MODIFIED, entry, add_kept(draft, entry, why), NULL);
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
                ksa_draft_tell(draft, KSA_CHANGE_RETURNED, entry,
                               with_powerful(draft, entry, text_of_source(draft, entry)), NULL);
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
        /* Groups go and come with the state, which was told. */
        bool other = !same(before->home, after->home) || !same(before->shell, after->shell) ||
                     (before->state == after->state && !same_groups(before, after));
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
                ksa_draft_tell(draft, KSA_CHANGE_ADDED, entry,
                               with_powerful(draft, entry, text_of_source(draft, entry)), NULL);
                draft->differs = true;
        }
}

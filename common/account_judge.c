/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account_judge.h"

#include <string.h>

#include "account_claim.h"

#define UID_REMEDY                                                              \
        "give it a uid of its own: an [account] section with uid = NUMBER, or " \
        "the annotation ksa.dev/uid"
#define NAME_REMEDY                                                           \
        "give it a name of its own: an [account NAME] section that declares " \
        "it, or the annotation ksa.dev/user"
#define SECTION_UID_REMEDY  "correct uid in its [account] section, or give it one that is nobody's"
#define SECTION_NAME_REMEDY "call its section, and so its user, by another name, or free this one"
#define MAP_REMEDY          "set uid_range in [host], or uid in its [account] section, to uids within %s"
#define ROOM_REMEDY                                                              \
        "let the source list only those that log in here, by a label (selector " \
        "in [accounts]), or declare it in an [account] section"

/* --- What the host says ------------------------------------------------------------ */

/*
 * What the account has not now (FRESH) is asked of directories too; what it never had (FIRST), of
 * the files that give rights by a name or number (sudoers, members of groups, subordinate ids),
 * which were not written for it. An [account] section may declare a name that stands in either.
 */
struct question {
        bool fresh, first;
};

static struct question question_of(const struct ksa_draft_entry *entry, bool same)
{
        return (struct question){
                .fresh = !same || !ksa_draft_has_user(entry),
                .first = !same && !ksa_draft_is_declared(entry),
        };
}

/* An active user keeps its uid on a host that lost the map for it: check and status report it. */
static bool is_mapped(const struct ksa_draft *draft, const struct ksa_draft_entry *entry)
{
        const struct ksa_account_record *before = entry->before;

        return (before != NULL && before->state == KSA_ACCOUNT_ACTIVE &&
                before->uid == entry->claim.number) ||
               ksa_local_maps(draft->input->local, entry->claim.number);
}

/* Why the number is of no use: another has it, or it is not mapped. NULL if it is free. */
static const char *local_number(struct ksa_draft *draft, const struct ksa_draft_entry *entry)
{
        const struct ksa_local *local = draft->input->local;
        uint32_t uid = entry->claim.number;
        const struct question ask =
                question_of(entry, entry->before != NULL && entry->before->uid == uid);
        char who[KSA_WHO_SIZE];

        if (ksa_local_has_number(local, uid, ask.fresh, who))
                return ksa_arena_text(draft->arena, "the uid %u is that of %s", uid, who);
        if (ask.first && ksa_local_speaks_of_number(local, uid, who))
                return ksa_arena_text(draft->arena, "the uid %u would have rights here by %s", uid,
                                      who);
        return is_mapped(draft, entry) ? NULL
                                       : ksa_arena_text(draft->arena,
                                                        "the uid %u is not mapped in this user "
                                                        "namespace, so its logins would fail",
                                                        uid);
}

static const char *local_name(struct ksa_draft *draft, const struct ksa_draft_entry *entry)
{
        const struct ksa_local *local = draft->input->local;
        const char *name = entry->claim.name;
        const struct question ask =
                question_of(entry, entry->before != NULL && strcmp(entry->before->name, name) == 0);
        bool nss = ask.fresh && !ksa_draft_is_declared(entry);
        char who[KSA_WHO_SIZE];

        if (ksa_local_has_user(local, name, nss, who) || ksa_local_has_group(local, name, nss, who))
                return ksa_arena_text(draft->arena, "the name '%s' is that of %s", name, who);
        if (ask.first && ksa_local_speaks_of_name(local, name, who))
                return ksa_arena_text(draft->arena, "the name '%s' would have rights here by %s",
                                      name, who);
        return NULL;
}

/* --- What it may have --------------------------------------------------------------- */

/* Why it may not have the number that it asks for; NULL where it may. */
static const char *check_number(struct ksa_draft *draft, const struct ksa_draft_entry *entry)
{
        const char *why = NULL;

        if (ksa_claim_number(draft, entry, &why) != KSA_MAY)
                return why;
        return local_number(draft, entry);
}

static const char *check_name(struct ksa_draft *draft, const struct ksa_draft_entry *entry)
{
        const char *why = entry->before == NULL ? NULL : ksa_claim_room(draft, entry);

        if (why != NULL)
                return why;
        if (ksa_claim_name(draft, entry, &why) != KSA_MAY)
                return why;
        return local_name(draft, entry);
}

/* --- What it becomes ---------------------------------------------------------------- */

static void dispute(struct ksa_draft *draft, struct ksa_draft_entry *entry, const char *why)
{
        entry->why =
                entry->why == NULL ? why : ksa_arena_text(draft->arena, "%s; %s", entry->why, why);
}

static void refuse(struct ksa_draft_entry *entry, const char *why, const char *remedy)
{
        entry->why = why;
        entry->remedy = remedy;
        if (entry->before != NULL)
                entry->after = *entry->before;
        else
                entry->after.state = 0;
}

static const char *number_remedy(struct ksa_draft *draft, const struct ksa_draft_entry *entry)
{
        char mapped[KSA_ID_MAP_TEXT];

        if (!is_mapped(draft, entry))
                return ksa_arena_text(draft->arena, MAP_REMEDY,
                                      ksa_local_tell_mapped(draft->input->local, mapped));
        return ksa_draft_is_declared(entry) ? SECTION_UID_REMEDY : UID_REMEDY;
}

/* An [account] section gives it a name of its own already. */
static const char *name_remedy(const struct ksa_draft_entry *entry)
{
        return ksa_draft_is_declared(entry) ? SECTION_NAME_REMEDY : NAME_REMEDY;
}

static void set_state(const struct ksa_draft *draft, struct ksa_draft_entry *entry,
                      enum ksa_account_state state)
{
        struct ksa_account_record *after = &entry->after;

        after->state = state;
        if (entry->before == NULL || entry->before->state != state)
                after->changed = draft->input->now;
        if (state != KSA_ACCOUNT_ACTIVE) {
                after->groups = NULL;
                after->group_count = 0;
                after->flags &= ~KSA_ACCOUNT_POWERFUL;
        }
}

/* Nobody wants it: it stays on record, so that its name and uid stay its own. */
static void remove_user(struct ksa_draft *draft, struct ksa_draft_entry *entry)
{
        struct ksa_account_record *after = &entry->after;

        if (entry->before == NULL)
                return;
        *after = *entry->before;
        if (after->state == KSA_ACCOUNT_REMOVED || after->state == KSA_ACCOUNT_RETIRED)
                return;
        set_state(draft, entry, KSA_ACCOUNT_REMOVED);
        after->flags &= KSA_ACCOUNT_DECLARED;
        after->new_account_uid = "";
        /* The latest of its records is the one that it comes back as, whatever the clock says. */
        if (entry->record_count > 1 && after->changed <= entry->records[1]->changed)
                after->changed = entry->records[1]->changed + 1;
}

/* The record as it will be where it has what it asks for. */
static void fill(struct ksa_draft_entry *entry)
{
        const struct ksa_wanted *wanted = entry->wanted;
        bool recreated = entry->before != NULL && ksa_claim_is_recreated(entry);
        int64_t changed = entry->before == NULL ? 0 : entry->before->changed;

        entry->after = (struct ksa_account_record){
                .name = entry->claim.name,
                .uid = entry->claim.number,
                .state = KSA_ACCOUNT_ACTIVE,
                .flags = ksa_draft_is_declared(entry) ? KSA_ACCOUNT_DECLARED : 0,
                .home = wanted->home,
                .shell = wanted->shell[0] == '\0' ? "/bin/sh" : wanted->shell,
                .cluster = wanted->cluster,
                .namespace = wanted->namespace,
                .account = wanted->account,
                .account_uid = recreated ? entry->before->account_uid : wanted->account_uid,
                .new_account_uid = recreated ? wanted->account_uid : "",
                .wanted_name = wanted->name,
                .wanted_uid = wanted->uid,
                .created = wanted->created,
                .changed = changed,
        };
}

/* A section names the home itself; a source, the folder of the homes. */
static void set_home(struct ksa_draft *draft, struct ksa_draft_entry *entry)
{
        const char *folder = entry->wanted->home;
        size_t length = strlen(folder);

        if (ksa_draft_is_declared(entry) && length > 0) {
                entry->after.home = folder;
                return;
        }
        if (length == 0) {
                folder = "/home";
                length = strlen(folder);
        }
        while (length > 0 && folder[length - 1] == '/')
                length--;
        const char *before = entry->before == NULL ? "" : entry->before->home;
        size_t name = strlen(entry->after.name);
        if (strlen(before) == length + 1 + name && strncmp(before, folder, length) == 0 &&
            before[length] == '/' && strcmp(before + length + 1, entry->after.name) == 0)
                entry->after.home = before;
        else
                entry->after.home = ksa_arena_text(draft->arena, "%.*s/%s", (int)length, folder,
                                                   entry->after.name);
}

/* A number that it did not have: files stay the old one's, so it moves by an administrator's word alone. */
static void judge_number(struct ksa_draft *draft, struct ksa_draft_entry *entry, const char *why)
{
        uint32_t had = entry->before->uid, asked = entry->claim.number;
        bool told = entry->overrules || (ksa_draft_is_declared(entry) && entry->wanted->uid != 0);

        if (had == asked || (told && why == NULL)) {
                if (why != NULL)
                        dispute(draft, entry, why);
                return;
        }
        entry->after.uid = had;
        dispute(draft, entry,
                ksa_arena_text(draft->arena,
                               "its uid here is %u, whose files it has, and would now be %u%s%s",
                               had, asked, why == NULL ? "" : "; ", why == NULL ? "" : why));
}

/* False where it has no name at all that it could come back with. */
static bool judge_name(struct ksa_draft *draft, struct ksa_draft_entry *entry, const char *why)
{
        const char *had = entry->before->name, *asked = entry->claim.name;

        if (why == NULL)
                return true;
        if (!ksa_draft_has_user(entry) && ksa_claim_lost_name(draft, entry))
                return false;
        entry->after.name = had;
        if (strcmp(had, asked) == 0)
                dispute(draft, entry, why);
        else
                dispute(draft, entry,
                        ksa_arena_text(draft->arena, "it should now be called '%s', but %s", asked,
                                       why));
        return true;
}

/* Leaves a name or uid behind, as a record that keeps it from everybody else. */
static void leave_behind(struct ksa_draft *draft, const struct ksa_draft_entry *entry)
{
        const struct ksa_account_record *before = entry->before;

        if (before->uid == entry->after.uid && strcmp(before->name, entry->after.name) == 0)
                return;
        struct ksa_account_record *former = ksa_list_next(&draft->formers, sizeof(*former));
        if (former == NULL) {
                draft->arena->failed = true;
                return;
        }
        *former = *before;
        former->flags &= KSA_ACCOUNT_DECLARED;
        former->groups = NULL;
        former->group_count = 0;
        former->new_account_uid = "";
        if (before->state != KSA_ACCOUNT_REMOVED)
                former->changed = draft->input->now;
        former->state = KSA_ACCOUNT_REMOVED;
        draft->formers.count++;
}

static void set_remedy(struct ksa_draft *draft, struct ksa_draft_entry *entry)
{
        const char *user = entry->after.name;

        if (entry->after.state == KSA_ACCOUNT_RECREATED)
                entry->remedy =
                        ksa_arena_text(draft->arena,
                                       "if it is meant to have the files of the one before: "
                                       "ksactl accounts accept %s",
                                       user);
        else if (entry->after.state == KSA_ACCOUNT_CONTESTED &&
                 entry->after.uid != entry->claim.number)
                entry->remedy = ksa_arena_text(
                        draft->arena,
                        "ksactl accounts accept %s gives it the uid %u where nobody has that, and its "
                        "files stay the old one's; to keep %u: uid_range as it was, or uid = %u in an "
                        "[account %s] section; ksactl accounts retire %s decides against it",
                        user, entry->claim.number, entry->after.uid, entry->after.uid, user, user);
        else if (entry->after.state == KSA_ACCOUNT_CONTESTED)
                entry->remedy = ksa_arena_text(draft->arena,
                                               "ksactl accounts accept %s decides for it, "
                                               "ksactl accounts retire %s against it",
                                               user, user);
}

/* Of an [account] without account_uid nobody knows whose user it was. */
static const char *tell_recreated(struct ksa_draft *draft, const struct ksa_draft_entry *entry)
{
        const char *was = entry->before->account_uid;
        const char *is = ksa_draft_quote(draft, entry->wanted->account_uid);

        if (*was == '\0')
                return ksa_arena_text(
                        draft->arena,
                        "it had its user by an [account] without account_uid, so it may be "
                        "another one now: its Kubernetes uid is '%s'",
                        is);
        return ksa_arena_text(draft->arena,
                              "it was deleted and made again: its Kubernetes uid was '%s' and is "
                              "'%s'",
                              ksa_draft_quote(draft, was), is);
}

/* An account with a record: it keeps what it has, and comes to what it asks for where it may. */
static void judge_known(struct ksa_draft *draft, struct ksa_draft_entry *entry,
                        const char *number_why, const char *name_why)
{
        const struct ksa_account_record *before = entry->before;
        bool recreated = ksa_claim_is_recreated(entry);

        judge_number(draft, entry, number_why);
        if (!judge_name(draft, entry, name_why)) {
                refuse(entry, name_why, name_remedy(entry));
                return;
        }
        bool kept = before->uid == entry->after.uid && strcmp(before->name, entry->after.name) == 0;
        if (entry->overrules ||
            (ksa_draft_has_user(entry) && kept && (before->flags & KSA_ACCOUNT_SETTLED) != 0))
                entry->after.flags |= KSA_ACCOUNT_SETTLED;
        /*
         * A contest ends by the administrator's word: who contested it may be of a cluster that was not asked
         * this time.
         */
        if (entry->why == NULL && before->state == KSA_ACCOUNT_CONTESTED && !entry->overrules &&
            !ksa_draft_is_declared(entry))
                dispute(draft, entry, "it was contested before, and nobody has decided yet");
        enum ksa_account_state state = entry->why != NULL ? KSA_ACCOUNT_CONTESTED
                                       : recreated        ? KSA_ACCOUNT_RECREATED
                                                          : KSA_ACCOUNT_ACTIVE;
        if (recreated)
                dispute(draft, entry, tell_recreated(draft, entry));
        set_state(draft, entry, state);
        leave_behind(draft, entry);
        set_remedy(draft, entry);
}

static void judge_newcomer(struct ksa_draft *draft, struct ksa_draft_entry *entry,
                           const char *number_why, const char *name_why)
{
        const char *no_room = ksa_claim_room(draft, entry);

        if (no_room != NULL)
                refuse(entry, no_room, ROOM_REMEDY);
        else if (name_why != NULL)
                refuse(entry, name_why, name_remedy(entry));
        else if (number_why != NULL)
                refuse(entry, number_why, number_remedy(draft, entry));
        else
                set_state(draft, entry, KSA_ACCOUNT_ACTIVE);
}

static void judge_faulty(struct ksa_draft *draft, struct ksa_draft_entry *entry)
{
        const char *remedy = "mend it where it is asked for, in the [account] section or the "
                             "annotations, or decide on the host that exported it";

        if (entry->before == NULL || !ksa_draft_has_user(entry)) {
                refuse(entry, entry->fault, remedy);
                return;
        }
        entry->after = *entry->before;
        entry->why = entry->fault;
        entry->remedy = remedy;
        set_state(draft, entry, KSA_ACCOUNT_CONTESTED);
}

void ksa_account_judge(struct ksa_draft *draft, struct ksa_draft_entry *entry)
{
        bool retire = entry == draft->subject && draft->input->wish == KSA_WISH_RETIRE;
        bool retired = entry->before != NULL && entry->before->state == KSA_ACCOUNT_RETIRED;

        if (retire && entry->before != NULL) {
                entry->after = *entry->before;
                set_state(draft, entry, KSA_ACCOUNT_RETIRED);
                return;
        }
        if (entry->wanted == NULL || (retired && !entry->accept)) {
                remove_user(draft, entry);
                return;
        }
        fill(entry);
        if (entry->fault != NULL) {
                judge_faulty(draft, entry);
                return;
        }
        const char *number_why = check_number(draft, entry);
        const char *name_why = check_name(draft, entry);
        if (entry->before != NULL)
                judge_known(draft, entry, number_why, name_why);
        else
                judge_newcomer(draft, entry, number_why, name_why);
        if (entry->after.state != KSA_ACCOUNT_REMOVED)
                set_home(draft, entry);
}

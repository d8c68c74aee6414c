/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account_claim.h"

#include <string.h>

/* "prod:ci/deployer", or "the group of prod:ci". */
static const char *claimant(struct ksa_draft *draft, const struct ksa_claim *claim)
{
        if (claim->account[0] != '\0')
                return ksa_draft_account(draft, claim->cluster, claim->namespace, claim->account);
        return ksa_draft_quote(draft, ksa_arena_text(draft->arena, "the group of %s:%s",
                                                     claim->cluster, claim->namespace));
}

static const char *among_equals(const struct ksa_claim *first, const struct ksa_claim *claim)
{
        return first->created != claim->created ? "is older" : "comes first by its name";
}

/* Why FIRST comes before CLAIM. */
static const char *better_number(struct ksa_draft *draft, const char *what,
                                 const struct ksa_claim *claim)
{
        const struct ksa_claim *first = claim->first_number;
        enum ksa_claim_kind kind = ksa_claim_kind(first);
        const char *how = among_equals(first, claim);

        if (kind != ksa_claim_kind(claim))
                how = kind == KSA_CLAIM_DECLARED
                              ? "stands in an [account] section of its own"
                              : "has it by computation, which an annotation does not outdo";
        return ksa_arena_text(draft->arena, "%s asks for %s too, and %s", claimant(draft, first),
                              what, how);
}

static const char *better_name(struct ksa_draft *draft, const char *what,
                               const struct ksa_claim *claim)
{
        const struct ksa_claim *first = claim->first_name;
        const char *how = among_equals(first, claim);

        if (first->rank != claim->rank)
                how = first->rank == 0 ? "stands in an [account] section of its own"
                                       : "is of a source that stands before in the configuration";
        return ksa_arena_text(draft->arena, "%s asks for %s too, and %s", claimant(draft, first),
                              what, how);
}

static const char *owned(struct ksa_draft *draft, const char *what,
                         const struct ksa_account_record *owner)
{
        const struct ksa_draft_entry *entry =
                ksa_draft_find(draft, owner->cluster, owner->namespace, owner->account);
        bool gone = owner->state == KSA_ACCOUNT_REMOVED ||
                    (owner->state != KSA_ACCOUNT_RETIRED && entry != NULL && entry->wanted == NULL);

        return ksa_arena_text(
                draft->arena,
                gone ? "%s was given to %s on this host, and is given to no other"
                     : "%s is that of %s on this host",
                what, ksa_draft_account(draft, owner->cluster, owner->namespace, owner->account));
}

static const char *owned_by_group(struct ksa_draft *draft, const char *what,
                                  const struct ksa_group_record *owner)
{
        return ksa_arena_text(draft->arena, "%s is that of the group '%s' on this host", what,
                              owner->name);
}

static const char *uid_words(struct ksa_draft *draft, uint32_t uid)
{
        return ksa_arena_text(draft->arena, "the uid %u", uid);
}

static const char *name_words(struct ksa_draft *draft, const char *name)
{
        return ksa_arena_text(draft->arena, "the name '%s'", name);
}

/* Whether the first claim is ENTRY's own, or one that it need not yield to: it has (OWN) what was SETTLED. */
static bool comes_first(const struct ksa_draft_entry *entry, const struct ksa_claim *first,
                        bool own, bool settled)
{
        return first == NULL || first == &entry->claim || (own && (settled || entry->overrules));
}

/* The administrator decided for what it has now, not for what it may come to ask for. */
static bool is_settled(const struct ksa_draft_entry *entry)
{
        return ksa_draft_has_user(entry) && (entry->before->flags & KSA_ACCOUNT_SETTLED) != 0;
}

enum ksa_verdict ksa_claim_number(struct ksa_draft *draft, const struct ksa_draft_entry *entry,
                                  const char **ret_why)
{
        uint32_t number = entry->claim.number;
        const struct ksa_group_record *group = ksa_draft_group_with_gid(draft, number);
        const struct ksa_account_record *owner;
        size_t position = 0;
        bool own = false;

        if (group != NULL) {
                *ret_why = owned_by_group(draft, uid_words(draft, number), group);
                return KSA_MAY_NOT;
        }
        while ((owner = ksa_draft_with_uid(draft, number, &position)) != NULL) {
                if (!ksa_draft_is_of(owner, &entry->claim)) {
                        *ret_why = owned(draft, uid_words(draft, number), owner);
                        return KSA_MAY_NOT;
                }
                own = true;
        }
        if (comes_first(entry, entry->claim.first_number, own,
                        is_settled(entry) && entry->before->uid == number))
                return KSA_MAY;
        *ret_why = better_number(draft, uid_words(draft, number), &entry->claim);
        return own ? KSA_DISPUTE : KSA_MAY_NOT;
}

/*
 * Whether OWNER's name may be ENTRY's: by an [account] section alone, once nobody wants OWNER any
 * more. The former name of an account that lives is never given away.
 */
static bool may_inherit(const struct ksa_draft *draft, const struct ksa_draft_entry *entry,
                        const struct ksa_account_record *owner)
{
        const struct ksa_draft_entry *other =
                ksa_draft_find(draft, owner->cluster, owner->namespace, owner->account);

        if (!ksa_draft_is_declared(entry) || other == NULL || other->wanted != NULL)
                return false;
        return other->before->state != KSA_ACCOUNT_RETIRED;
}

enum ksa_verdict ksa_claim_name(struct ksa_draft *draft, const struct ksa_draft_entry *entry,
                                const char **ret_why)
{
        const char *name = entry->claim.name;
        const struct ksa_group_record *group = ksa_draft_group_with_name(draft, name);
        bool holder = ksa_draft_has_user(entry) && strcmp(entry->before->name, name) == 0;
        const struct ksa_account_record *owner;
        size_t position = 0;
        bool own = holder;

        if (group != NULL) {
                *ret_why = owned_by_group(draft, name_words(draft, name), group);
                return KSA_MAY_NOT;
        }
        while (!holder && (owner = ksa_draft_with_name(draft, name, &position)) != NULL) {
                if (ksa_draft_is_of(owner, &entry->claim)) {
                        own = true;
                } else if (!may_inherit(draft, entry, owner)) {
                        *ret_why = owned(draft, name_words(draft, name), owner);
                        return KSA_MAY_NOT;
                }
        }
        if (comes_first(entry, entry->claim.first_name, own, is_settled(entry) && holder))
                return KSA_MAY;
        *ret_why = better_name(draft, name_words(draft, name), &entry->claim);
        return own ? KSA_DISPUTE : KSA_MAY_NOT;
}

bool ksa_claim_lost_name(const struct ksa_draft *draft, const struct ksa_draft_entry *entry)
{
        const struct ksa_account_record *other;
        size_t position = 0;

        while ((other = ksa_draft_with_name(draft, entry->before->name, &position)) != NULL) {
                if (other->state != KSA_ACCOUNT_REMOVED && !ksa_draft_is_of(other, &entry->claim))
                        return true;
        }
        return false;
}

/* More than anybody means: who annotates an account anew for each run would fill the registry. */
enum { FORMERS_MAX = 8 };
/* And so would who makes accounts and deletes them, all day. */
enum { REMOVED_MAX = 10000 };

const char *ksa_claim_room(struct ksa_draft *draft, const struct ksa_draft_entry *entry)
{
        const struct ksa_account_record *before = entry->before;

        if (ksa_draft_is_declared(entry))
                return NULL;
        if (before == NULL && entry->group->removed >= REMOVED_MAX)
                return ksa_arena_text(draft->arena,
                                      "accounts of its namespace left %zu names and uids behind "
                                      "already, which are kept for ever",
                                      entry->group->removed);
        if (before != NULL && entry->record_count > FORMERS_MAX &&
            strcmp(before->name, entry->claim.name) != 0)
                return ksa_arena_text(draft->arena, "it left %zu names and uids behind already",
                                      entry->record_count - 1);
        return NULL;
}

const char *ksa_claim_group(struct ksa_draft *draft, const struct ksa_draft_group *group)
{
        const struct ksa_claim *claim = &group->claim;
        const char *name = ksa_arena_text(draft->arena, "the name '%s'", claim->name);
        const char *gid = ksa_arena_text(draft->arena, "the gid %u", claim->number);
        const struct ksa_group_record *other = ksa_draft_group_with_name(draft, claim->name);
        const struct ksa_account_record *owner;
        size_t position = 0;

        if (other != NULL)
                return ksa_arena_text(
                        draft->arena, "%s is that of the group of %s on this host", name,
                        ksa_draft_quote(draft, ksa_arena_text(draft->arena, "%s:%s", other->cluster,
                                                              other->namespace)));
        other = ksa_draft_group_with_gid(draft, claim->number);
        if (other != NULL)
                return owned_by_group(draft, gid, other);
        owner = ksa_draft_with_name(draft, claim->name, &position);
        if (owner != NULL)
                return owned(draft, name, owner);
        position = 0;
        owner = ksa_draft_with_uid(draft, claim->number, &position);
        if (owner != NULL)
                return owned(draft, gid, owner);
        if (claim->first_name != claim)
                return better_name(draft, name, claim);
        if (claim->first_number != claim)
                return better_number(draft, gid, claim);
        return ksa_uid_is_usable(claim->number)
                       ? NULL
                       : ksa_arena_text(draft->arena, "no group may have %s", gid);
}

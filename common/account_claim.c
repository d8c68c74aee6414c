/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account_claim.h"

#include <stdlib.h>
#include <string.h>

#include "account_name.h"
#include "text.h"

/* --- What is asked for ------------------------------------------------------------ */

/* Bytes of one text that the registry takes. */
enum { TEXT_MAX = 1024 };

static bool is_storable(const char *text, const char *not_in_it)
{
        return strlen(text) <= TEXT_MAX && (text[0] == '\0' || ksa_is_graphic(text)) &&
               strpbrk(text, not_in_it) == NULL;
}

/*
 * What no host could take. It depends on the source alone, so that such an account asks for nothing
 * anywhere.
 */
static const char *find_fault(struct ksa_draft *draft, const struct ksa_draft_entry *entry)
{
        const struct ksa_wanted *wanted = entry->wanted;
        const struct ksa_uid_range *range = &draft->input->range;
        const char *fault;

        if (wanted->fault != NULL && wanted->fault[0] != '\0')
                return wanted->fault;
        if (!is_storable(wanted->cluster, ":/") || !is_storable(wanted->namespace, ":/") ||
            !is_storable(wanted->account, ":/") || !is_storable(wanted->account_uid, ":") ||
            !is_storable(wanted->home, ":") || !is_storable(wanted->shell, ":") ||
            wanted->account[0] == '\0' || strlen(wanted->home) > TEXT_MAX - KSA_NAME_SIZE)
                return "a text of it has bytes, or a length, that no user's may have";
        if (wanted->section == NULL && wanted->account_uid[0] == '\0')
                return "its source does not say its Kubernetes uid";
        if (wanted->section == NULL && strcmp(wanted->account, "default") == 0)
                return "every Pod that names no account has this one";
        if (entry->claim.name == NULL)
                return NULL;
        fault = ksa_account_name_fault(entry->claim.name);
        if (fault != NULL)
                return ksa_arena_text(draft->arena, "no user may be called '%s': %s",
                                      ksa_draft_quote(draft, entry->claim.name), fault);
        if (!ksa_uid_is_usable(entry->claim.number))
                return ksa_arena_text(draft->arena, "no account may have the uid %u",
                                      entry->claim.number);
        if (wanted->section == NULL &&
            (entry->claim.number < range->min || entry->claim.number > range->max))
                return ksa_arena_text(draft->arena, "the uid %u is outside uid_range %u-%u",
                                      entry->claim.number, range->min, range->max);
        return NULL;
}

bool ksa_claim_is_recreated(const struct ksa_draft_entry *entry)
{
        const struct ksa_wanted *wanted = entry->wanted;
        const struct ksa_account_record *before = entry->before;

        if (before == NULL || wanted->section != NULL ||
            (wanted->source != NULL && wanted->source->recreated) ||
            strcmp(before->account_uid, wanted->account_uid) == 0)
                return false;
        /* Accepted is the one that the administrator was shown. */
        return !entry->accept || strcmp(before->new_account_uid, wanted->account_uid) != 0;
}

static enum ksa_reason ask_for(struct ksa_draft *draft, struct ksa_draft_entry *entry,
                               struct ksa_error *err)
{
        const struct ksa_wanted *wanted = entry->wanted;
        struct ksa_claim *claim = &entry->claim;
        char name[KSA_NAME_SIZE];
        enum ksa_reason reason = KSA_OK;

        entry->fault = find_fault(draft, entry);
        claim->rank = wanted->rank;
        claim->created = wanted->created;
        if (claim->created <= 0)
                claim->created = INT64_MAX;
        claim->name = wanted->name;
        claim->number = wanted->uid;
        claim->asked = wanted->uid != 0 && wanted->section == NULL;
        if (claim->name[0] == '\0' || entry->fault != NULL) {
                reason = ksa_account_name(claim->cluster, claim->namespace, claim->account, name,
                                          err);
                if (reason == KSA_OK)
                        claim->name = ksa_arena_text(draft->arena, "%s", name);
        }
        if (reason == KSA_OK && (claim->number == 0 || entry->fault != NULL))
                reason = ksa_account_uid(claim->cluster, claim->namespace, claim->account,
                                         &draft->input->range, &claim->number, err);
        if (reason == KSA_OK && entry->fault == NULL)
                entry->fault = find_fault(draft, entry);
        /* Whoever was retired asks for nothing any more; its name and uid stay its own. */
        claim->counts = entry->fault == NULL &&
                        (entry->before == NULL || entry->before->state != KSA_ACCOUNT_RETIRED ||
                         entry->accept);
        return reason;
}

/*
 * A namespace's group is as old as its oldest account, and stands in the configuration where its first
 * source does. An [account] section declares one account, and not the group that it will be in.
 */
static enum ksa_reason ask_for_group(struct ksa_draft *draft, struct ksa_draft_group *group,
                                     struct ksa_error *err)
{
        struct ksa_claim *claim = &group->claim;
        char name[KSA_NAME_SIZE];

        claim->created = INT64_MAX;
        claim->rank = UINT32_MAX;
        for (size_t i = group->first; i < group->end; i++) {
                const struct ksa_claim *member = &draft->entries[i].claim;

                if (!member->counts)
                        continue;
                claim->counts = true;
                if (member->created < claim->created)
                        claim->created = member->created;
                if (member->rank > 0 && member->rank < claim->rank)
                        claim->rank = member->rank;
        }
        if (group->before != NULL) {
                claim->name = group->before->name;
                claim->number = group->before->gid;
                return KSA_OK;
        }
        if (!claim->counts)
                return KSA_OK;
        enum ksa_reason reason = ksa_namespace_group(claim->cluster, claim->namespace, name, err);
        if (reason != KSA_OK)
                return reason;
        claim->name = ksa_arena_text(draft->arena, "%s", name);
        return ksa_account_uid(claim->cluster, claim->namespace, "", &draft->input->range,
                               &claim->number, err);
}

/* --- Who is first ----------------------------------------------------------------- */

enum ksa_claim_kind ksa_claim_kind(const struct ksa_claim *claim)
{
        if (claim->rank == 0)
                return KSA_CLAIM_DECLARED;
        return claim->asked ? KSA_CLAIM_ASKED : KSA_CLAIM_COMPUTED;
}

static int by_age(const struct ksa_claim *one, const struct ksa_claim *other)
{
        int order;

        if (one->created != other->created)
                return one->created < other->created ? -1 : 1;
        order = strcmp(one->namespace, other->namespace);
        if (order == 0)
                order = strcmp(one->account, other->account);
        return order != 0 ? order : strcmp(one->cluster, other->cluster);
}

/*
 * No source comes before another: whoever makes accounts in one cluster can find a name that comes to
 * the number of another cluster's account. An annotation asks for anybody's number without a search.
 */
static int by_number(const void *a, const void *b)
{
        const struct ksa_claim *one = *(struct ksa_claim *const *)a;
        const struct ksa_claim *other = *(struct ksa_claim *const *)b;
        enum ksa_claim_kind kind = ksa_claim_kind(one), other_kind = ksa_claim_kind(other);

        if (one->number != other->number)
                return one->number < other->number ? -1 : 1;
        if (kind != other_kind)
                return kind < other_kind ? -1 : 1;
        return by_age(one, other);
}

static int by_name(const void *a, const void *b)
{
        const struct ksa_claim *one = *(struct ksa_claim *const *)a;
        const struct ksa_claim *other = *(struct ksa_claim *const *)b;
        int order = strcmp(one->name, other->name);

        if (order != 0)
                return order;
        if (one->rank != other->rank)
                return one->rank < other->rank ? -1 : 1;
        return by_age(one, other);
}

static enum ksa_reason find_first(struct ksa_draft *draft, struct ksa_error *err)
{
        struct ksa_claim **claims =
                calloc(draft->entry_count + draft->group_count + 1, sizeof(struct ksa_claim *));
        size_t count = 0;

        if (claims == NULL)
                return ksa_fail(err, KSA_MEMORY, "memory ran out over the plan");
        for (size_t i = 0; i < draft->entry_count; i++) {
                if (draft->entries[i].claim.counts)
                        claims[count++] = &draft->entries[i].claim;
        }
        for (size_t i = 0; i < draft->group_count; i++) {
                if (draft->groups[i].claim.counts)
                        claims[count++] = &draft->groups[i].claim;
        }
        qsort(claims, count, sizeof(struct ksa_claim *), by_number);
        for (size_t i = 0; i < count; i++) {
                bool same = i > 0 && claims[i]->number == claims[i - 1]->number;
                claims[i]->first_number = same ? claims[i - 1]->first_number : claims[i];
        }
        qsort(claims, count, sizeof(struct ksa_claim *), by_name);
        for (size_t i = 0; i < count; i++) {
                bool same = i > 0 && strcmp(claims[i]->name, claims[i - 1]->name) == 0;
                claims[i]->first_name = same ? claims[i - 1]->first_name : claims[i];
        }
        free(claims);
        return KSA_OK;
}

enum ksa_reason ksa_claims_make(struct ksa_draft *draft, struct ksa_error *err)
{
        for (size_t i = 0; i < draft->entry_count; i++) {
                struct ksa_draft_entry *entry = &draft->entries[i];
                enum ksa_reason reason =
                        entry->wanted == NULL ? KSA_OK : ask_for(draft, entry, err);

                if (reason != KSA_OK)
                        return reason;
        }
        for (size_t i = 0; i < draft->group_count; i++) {
                enum ksa_reason reason = ask_for_group(draft, &draft->groups[i], err);

                if (reason != KSA_OK)
                        return reason;
        }
        return find_first(draft, err);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/accounts/plan_state.h"

#include <stdlib.h>
#include <string.h>

#include "admin/accounts/names.h"
#include "base/text.h"

/* Records of one namespace without a user: a tenant can create and delete accounts all day. */
enum { LEFT_MAX = 10000 };
/* Bytes of a text in the registry. */
enum { TEXT_MAX = 1024 };

static void refuse(struct ksa_allocation *request, enum ksa_refusal refusal, bool declared,
                   const char *why)
{
        static const struct {
                const char *listed, *declared;
        } remedies[KSA_REFUSAL_COUNT] = {
                [KSA_REFUSAL_UNUSABLE] = {"declare it in an [account] section",
                                          "correct its [account] section"},
                [KSA_REFUSAL_FULL] = {"select the accounts that log in here by a label (selector "
                                      "in [accounts]), or declare it in an [account] section",
                                      ""},
                [KSA_REFUSAL_RANGE] = {"set uid_range in [host] as on the leader, or write uid in "
                                       "an [account] section",
                                       ""},
                [KSA_REFUSAL_NAME_TAKEN] = {"declare it in an [account NAME] section with another "
                                            "name",
                                            "give its [account] section another name"},
                [KSA_REFUSAL_NUMBER_TAKEN] =
                        {"declare it in an [account] section with uid = NUMBER",
                         "write another uid in its [account] section"},
        };
        size_t row = refusal;

        if (refusal == KSA_REFUSAL_NAME_LOCAL)
                row = KSA_REFUSAL_NAME_TAKEN;
        else if (refusal == KSA_REFUSAL_NUMBER_LOCAL)
                row = KSA_REFUSAL_NUMBER_TAKEN;
        request->refusal = refusal;
        request->why = why;
        request->remedy = declared ? remedies[row].declared : remedies[row].listed;
}

/* --- Requests --------------------------------------------------------------- */

/* A path in the configuration may have a colon, a field of passwd(5) may not. Readers check other texts. */
static bool is_text_usable(const struct ksa_plan_entry *entry)
{
        const char *texts[2];

        ksa_plan_options(entry, &texts[0], &texts[1]);
        for (size_t i = 0; i < KSA_COUNT(texts); i++) {
                if (texts[i] != NULL &&
                    (strchr(texts[i], ':') != NULL || strlen(texts[i]) > TEXT_MAX - KSA_NAME_SIZE))
                        return false;
        }
        return true;
}

/* Refuses a request that is invalid on every host, and a leader's uid outside this host's uid_range. */
static void check_request(struct ksa_plan_state *state, struct ksa_plan_entry *entry)
{
        const struct ksa_desired *item = ksa_plan_in_source(entry);
        struct ksa_allocation *request = &entry->request;
        const bool declared = entry->section != NULL;
        const uint32_t uid = request->number;
        const char *fault = ksa_account_name_fault(request->name);

        if (!is_text_usable(entry))
                refuse(request, KSA_REFUSAL_UNUSABLE, declared,
                       "its home or shell is too long or has a colon");
        else if (fault != NULL)
                refuse(request, KSA_REFUSAL_UNUSABLE, declared,
                       ksa_arena_text(state->arena, "no user may be called %s: %s",
                                      ksa_plan_quote(state, request->name), fault));
        else if (!ksa_uid_is_usable(uid))
                refuse(request, KSA_REFUSAL_UNUSABLE, declared,
                       ksa_arena_text(state->arena, "no account may have the uid %u", uid));
        else if (entry->before == NULL && item != NULL && item->uid == uid &&
                 (!declared || entry->section->uid == 0))
                (void)ksa_plan_check_range(state, request);
}

static enum ksa_reason request_entry(struct ksa_plan_state *state, struct ksa_plan_entry *entry,
                                     struct ksa_error *err)
{
        const struct ksa_desired *section = entry->section, *item = ksa_plan_in_source(entry);
        const struct ksa_account_record *before = entry->before;
        const struct ksa_party *party = &entry->party;
        struct ksa_allocation *request = &entry->request;
        enum ksa_reason reason = KSA_OK;
        char name[KSA_NAME_SIZE];

        if (!ksa_plan_is_desired(entry))
                return KSA_OK;
        request->name = section != NULL         ? section->name
                        : item->name[0] != '\0' ? item->name
                        : before != NULL        ? before->name
                                                : NULL;
        request->number = section != NULL && section->uid != 0 ? section->uid
                          : before != NULL                     ? before->uid
                          : item != NULL                       ? item->uid
                                                               : 0;
        if (request->name == NULL) {
                reason = ksa_account_name(party->cluster, party->namespace, party->account, name,
                                          err);
                if (reason != KSA_OK)
                        return reason;
                request->name = ksa_arena_text(state->arena, "%s", name);
        }
        if (request->number == 0)
                reason = ksa_account_uid(party->cluster, party->namespace, party->account,
                                         &state->input->config->host.uid_range, &request->number,
                                         err);
        if (reason == KSA_OK)
                check_request(state, entry);
        return reason;
}

static enum ksa_reason request_group(struct ksa_plan_state *state, struct ksa_plan_group *group,
                                     struct ksa_error *err)
{
        const struct ksa_party *party = &group->party;
        struct ksa_allocation *request = &group->request;
        char name[KSA_NAME_SIZE];

        if (group->before != NULL) {
                request->name = group->before->name;
                request->number = group->before->gid;
                return KSA_OK;
        }
        if (group->desired != NULL) {
                request->name = group->desired->name;
                request->number = group->desired->gid;
                return KSA_OK;
        }
        enum ksa_reason reason = ksa_namespace_group(party->cluster, party->namespace, name, err);
        if (reason != KSA_OK)
                return reason;
        request->name = ksa_arena_text(state->arena, "%s", name);
        return ksa_account_uid(party->cluster, party->namespace, "",
                               &state->input->config->host.uid_range, &request->number, err);
}

/* --- Claims ----------------------------------------------------------------- */

/* An account of unknown age comes last. */
static int64_t created_of(const struct ksa_plan_entry *entry)
{
        const struct ksa_desired *item = ksa_plan_in_source(entry);

        return item != NULL && item->created > 0 ? item->created : INT64_MAX;
}

static void claim(struct ksa_plan_state *state, struct ksa_claim claim)
{
        ksa_plan_add(state, &state->claims, &claim, sizeof(claim));
}

static void claim_entry(struct ksa_plan_state *state, const struct ksa_plan_entry *entry)
{
        const struct ksa_account_record *before = entry->before;
        const struct ksa_account_record *const *formers = entry->formers.items;
        const struct ksa_desired *const *leader_formers = entry->leader_formers.items;
        struct ksa_claim one = {.party = &entry->party, .given = true, .gone = true};

        for (size_t i = 0; i < entry->formers.count; i++) {
                one.name = formers[i]->name;
                one.number = formers[i]->uid;
                claim(state, one);
        }
        if (before != NULL)
                claim(state, (struct ksa_claim){.party = &entry->party,
                                                .name = before->name,
                                                .number = before->uid,
                                                .given = true,
                                                .gone = before->state == KSA_ACCOUNT_REMOVED});
        one.given = false;
        one.section = entry->section == NULL ? NULL : entry->section->section;
        one.created = created_of(entry);
        for (size_t i = 0; i < entry->leader_formers.count; i++) {
                one.name = leader_formers[i]->name;
                one.number = leader_formers[i]->uid;
                claim(state, one);
        }
        if (entry->removed != NULL) {
                one.name = entry->removed->name;
                one.number = entry->removed->uid;
                claim(state, one);
        }
        one.name = entry->request.name;
        one.number = entry->request.number;
        if (ksa_plan_is_desired(entry) && entry->request.refusal != KSA_REFUSAL_UNUSABLE)
                claim(state, one);
}

/* A namespace with an account requests a group, which is as old as its oldest account. */
static void claim_group(struct ksa_plan_state *state, const struct ksa_plan_group *group)
{
        struct ksa_claim one = {.party = &group->party,
                                .name = group->request.name,
                                .number = group->request.number,
                                .given = group->before != NULL,
                                .created = INT64_MAX};
        bool requested = false;

        for (size_t i = group->first; i < group->end; i++) {
                const int64_t created = created_of(&state->entries[i]);

                requested = requested || ksa_plan_is_desired(&state->entries[i]);
                one.created = created < one.created ? created : one.created;
        }
        if (requested || one.given)
                claim(state, one);
}

/* Given names and numbers come first, then sections, then by creation, namespace, name and cluster. */
static int by_order(const struct ksa_claim *one, const struct ksa_claim *other)
{
        int order;

        if (one->given || other->given)
                return (int)other->given - (int)one->given;
        if (one->section != other->section) {
                if (one->section == NULL || other->section == NULL)
                        return one->section == NULL ? 1 : -1;
                return one->section < other->section ? -1 : 1;
        }
        if (one->created != other->created)
                return one->created < other->created ? -1 : 1;
        order = strcmp(one->party->namespace, other->party->namespace);
        if (order == 0)
                order = strcmp(one->party->account, other->party->account);
        return order != 0 ? order : strcmp(one->party->cluster, other->party->cluster);
}

static int by_name(const void *a, const void *b)
{
        const struct ksa_claim *one = *(const struct ksa_claim *const *)a;
        const struct ksa_claim *other = *(const struct ksa_claim *const *)b;
        int order = strcmp(one->name, other->name);

        return order != 0 ? order : by_order(one, other);
}

static int by_number(const void *a, const void *b)
{
        const struct ksa_claim *one = *(const struct ksa_claim *const *)a;
        const struct ksa_claim *other = *(const struct ksa_claim *const *)b;

        if (one->number != other->number)
                return one->number < other->number ? -1 : 1;
        return by_order(one, other);
}

/* The claims in order, and a NULL. */
static const struct ksa_claim **sorted(const struct ksa_list *claims,
                                       int (*compare)(const void *a, const void *b))
{
        const struct ksa_claim **pointers =
                calloc(claims->count + 1, sizeof(const struct ksa_claim *));

        for (size_t i = 0; pointers != NULL && i < claims->count; i++)
                pointers[i] = (const struct ksa_claim *)claims->items + i;
        if (pointers != NULL)
                qsort(pointers, claims->count, sizeof(const struct ksa_claim *), compare);
        return pointers;
}

enum ksa_reason ksa_plan_allocate(struct ksa_plan_state *state, struct ksa_error *err)
{
        enum ksa_reason reason = KSA_OK;

        for (size_t i = 0; reason == KSA_OK && i < state->entry_count; i++) {
                reason = request_entry(state, &state->entries[i], err);
                claim_entry(state, &state->entries[i]);
        }
        for (size_t i = 0; reason == KSA_OK && i < state->group_count; i++) {
                reason = request_group(state, &state->groups[i], err);
                claim_group(state, &state->groups[i]);
        }
        if (reason != KSA_OK)
                return reason;
        state->claims_by_name = sorted(&state->claims, by_name);
        state->claims_by_number = sorted(&state->claims, by_number);
        if (state->claims_by_name == NULL || state->claims_by_number == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        return KSA_OK;
}

/* The first claim to a name, or to a number if NAME is NULL. Returns NULL if no party has a claim to it. */
static const struct ksa_claim *owner_of(const struct ksa_plan_state *state, const char *name,
                                        uint32_t number)
{
        const struct ksa_claim **claims =
                name != NULL ? state->claims_by_name : state->claims_by_number;
        size_t low = 0, high = state->claims.count;

        while (low < high) {
                const size_t middle = low + (high - low) / 2;
                const struct ksa_claim *one = claims[middle];
                const bool before =
                        name != NULL ? strcmp(one->name, name) < 0 : one->number < number;

                if (before)
                        low = middle + 1;
                else
                        high = middle;
        }
        const struct ksa_claim *found = claims[low];
        if (found == NULL)
                return NULL;
        return (name != NULL ? strcmp(found->name, name) == 0 : found->number == number) ? found
                                                                                         : NULL;
}

/* --- Checks ----------------------------------------------------------------- */

bool ksa_plan_check_range(struct ksa_plan_state *state, struct ksa_allocation *request)
{
        const struct ksa_uid_range *range = &state->input->config->host.uid_range;
        const uint32_t uid = request->number;

        if (ksa_uid_is_usable(uid) && uid >= range->min && uid <= range->max)
                return true;
        refuse(request, KSA_REFUSAL_RANGE, false,
               ksa_arena_text(
                       state->arena,
                       "its number on the leader, %u, is reserved or outside uid_range %u-%u", uid,
                       range->min, range->max));
        return false;
}

/* Why PARTY may not have WHAT, such as "the uid 5". Returns NULL if no other party has a claim to it. */
static const char *taken(struct ksa_plan_state *state, const struct ksa_party *party,
                         const struct ksa_claim *owner, const char *what)
{
        if (owner == NULL || owner->party == party)
                return NULL;
        const char *who = ksa_plan_party(state, owner->party);
        if (!owner->given)
                return ksa_arena_text(state->arena, "%s asks for %s too, and comes first", who,
                                      what);
        return ksa_arena_text(state->arena,
                              owner->gone ? "%s was given to %s, and is never given to another"
                                          : "%s belongs to %s",
                              what, who);
}

/* Whether OWNER is the same account in a cluster that is not configured. */
static bool is_renamed_cluster(const struct ksa_plan_state *state, const struct ksa_party *party,
                               const struct ksa_party *owner)
{
        return ksa_config_cluster(state->input->config, owner->cluster) == NULL &&
               strcmp(party->namespace, owner->namespace) == 0 &&
               strcmp(party->account, owner->account) == 0;
}

bool ksa_plan_check_name(struct ksa_plan_state *state, const struct ksa_party *party, bool declared,
                         struct ksa_allocation *request)
{
        const struct ksa_local *local = state->input->local;
        const char *name = request->name;
        const char *what = ksa_arena_text(state->arena, "the name %s", ksa_plan_quote(state, name));
        const struct ksa_claim *owner = owner_of(state, name, 0);
        const char *why = taken(state, party, owner, what);
        char who[KSA_WHO_SIZE];

        if (why != NULL) {
                refuse(request, KSA_REFUSAL_NAME_TAKEN, declared, why);
                if (is_renamed_cluster(state, party, owner->party))
                        request->remedy = ksa_arena_text(
                                state->arena,
                                "if the cluster was renamed: ksactl accounts rename-cluster %s %s",
                                owner->party->cluster, party->cluster);
                return false;
        }
        if (!ksa_local_has_name(local, name, !declared, who) &&
            (declared || !ksa_local_gives_ids(local, name, request->number, who)))
                return true;
        refuse(request, KSA_REFUSAL_NAME_LOCAL, declared,
               ksa_arena_text(state->arena, "%s is that of %s", what, who));
        return false;
}

bool ksa_plan_check_number(struct ksa_plan_state *state, const struct ksa_party *party,
                           bool declared, struct ksa_allocation *request)
{
        const struct ksa_local *local = state->input->local;
        const struct ksa_id_maps *ids = ksa_local_ids(local);
        const bool group = party->account[0] == '\0';
        const char *what =
                ksa_arena_text(state->arena, "the %s %u", group ? "gid" : "uid", request->number);
        const char *why = taken(state, party, owner_of(state, NULL, request->number), what);
        char who[KSA_WHO_SIZE], mapped[KSA_ID_MAP_TEXT];

        if (why != NULL) {
                refuse(request, KSA_REFUSAL_NUMBER_TAKEN, declared, why);
        } else if (ksa_local_has_number(local, request->number, true, who)) {
                refuse(request, KSA_REFUSAL_NUMBER_LOCAL, declared,
                       ksa_arena_text(state->arena, "%s is that of %s", what, who));
        } else if (!ksa_id_map_has(&ids->gids, request->number, request->number) ||
                   !(group || ksa_id_map_has(&ids->uids, request->number, request->number))) {
                refuse(request, KSA_REFUSAL_UNMAPPED, declared,
                       ksa_arena_text(state->arena, "%s is not mapped in this user namespace",
                                      what));
                request->remedy = ksa_arena_text(
                        state->arena,
                        "set uid_range in [host], or uid in an [account] section, to uids within %s",
                        ksa_id_map_tell(&ids->uids, mapped));
        }
        return request->refusal == KSA_REFUSAL_NONE;
}

bool ksa_plan_check_newcomer(struct ksa_plan_state *state, struct ksa_plan_entry *entry)
{
        struct ksa_allocation *request = &entry->request;
        const bool declared = entry->section != NULL;

        if (request->refusal != KSA_REFUSAL_NONE)
                return false;
        if (!declared && entry->group->left >= LEFT_MAX) {
                refuse(request, KSA_REFUSAL_FULL, false,
                       ksa_arena_text(state->arena,
                                      "accounts of its namespace have left %zu names and uids "
                                      "behind, which are never given again",
                                      entry->group->left));
                return false;
        }
        return ksa_plan_check_name(state, &entry->party, declared, request) &&
               ksa_plan_check_number(state, &entry->party, declared, request);
}

const char *ksa_plan_conflict(struct ksa_plan_state *state, const char *name, uint32_t number,
                              bool fresh)
{
        const struct ksa_local *local = state->input->local;
        char who[KSA_WHO_SIZE];

        if (ksa_local_has_name(local, name, fresh, who))
                return ksa_arena_text(state->arena, "its name is that of %s", who);
        if (ksa_local_has_number(local, number, fresh, who))
                return ksa_arena_text(state->arena, "its number %u is in use by %s", number, who);
        return NULL;
}

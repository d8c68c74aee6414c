/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account_draft.h"

#include <stdlib.h>
#include <string.h>

static enum ksa_reason no_memory(struct ksa_error *err)
{
        return ksa_fail(err, KSA_MEMORY, "memory ran out over the plan");
}

/* --- Order ---------------------------------------------------------------------- */

static int compare_accounts(const char *const one[3], const char *const other[3])
{
        for (size_t i = 0; i < 3; i++) {
                int order = strcmp(one[i], other[i]);

                if (order != 0)
                        return order;
        }
        return 0;
}

#define ACCOUNT_OF(item)                                            \
        (const char *const[3])                                      \
        {                                                           \
                (item)->cluster, (item)->namespace, (item)->account \
        }
#define NAMESPACE_OF(item)                             \
        (const char *const[3])                         \
        {                                              \
                (item)->cluster, (item)->namespace, "" \
        }

static int numbers(uint64_t one, uint64_t other)
{
        return one < other ? -1 : one > other;
}

/* Of one account the living record first, then the one that was removed last. */
static int by_account(const void *a, const void *b)
{
        const struct ksa_account_record *one = *(const struct ksa_account_record *const *)a;
        const struct ksa_account_record *other = *(const struct ksa_account_record *const *)b;
        int order = compare_accounts(ACCOUNT_OF(one), ACCOUNT_OF(other));

        if (order == 0)
                order = numbers(one->state == KSA_ACCOUNT_REMOVED,
                                other->state == KSA_ACCOUNT_REMOVED);
        if (order == 0 && one->changed != other->changed)
                order = one->changed > other->changed ? -1 : 1;
        return order != 0 ? order : numbers((uintptr_t)one, (uintptr_t)other);
}

static int by_name(const void *a, const void *b)
{
        const struct ksa_account_record *one = *(const struct ksa_account_record *const *)a;
        const struct ksa_account_record *other = *(const struct ksa_account_record *const *)b;

        return strcmp(one->name, other->name);
}

static int by_uid(const void *a, const void *b)
{
        const struct ksa_account_record *one = *(const struct ksa_account_record *const *)a;
        const struct ksa_account_record *other = *(const struct ksa_account_record *const *)b;

        return numbers(one->uid, other->uid);
}

static int group_by_name(const void *a, const void *b)
{
        return strcmp((*(const struct ksa_group_record *const *)a)->name,
                      (*(const struct ksa_group_record *const *)b)->name);
}

static int group_by_gid(const void *a, const void *b)
{
        return numbers((*(const struct ksa_group_record *const *)a)->gid,
                       (*(const struct ksa_group_record *const *)b)->gid);
}

static int group_by_namespace(const void *a, const void *b)
{
        const struct ksa_group_record *one = *(const struct ksa_group_record *const *)a;
        const struct ksa_group_record *other = *(const struct ksa_group_record *const *)b;

        return compare_accounts(NAMESPACE_OF(one), NAMESPACE_OF(other));
}

/* Of one account what is declared first, then as the sources stand. */
static int wanted_by_account(const void *a, const void *b)
{
        const struct ksa_wanted *one = *(const struct ksa_wanted *const *)a;
        const struct ksa_wanted *other = *(const struct ksa_wanted *const *)b;
        int order = compare_accounts(ACCOUNT_OF(one), ACCOUNT_OF(other));

        if (order == 0)
                order = numbers(one->rank, other->rank);
        if (order == 0)
                order = strcmp(one->name, other->name);
        return order != 0 ? order : numbers((uintptr_t)one, (uintptr_t)other);
}

/* --- The registry before --------------------------------------------------------- */

static enum ksa_reason read_accounts(struct ksa_draft *draft, struct ksa_error *err)
{
        struct ksa_list list = {0};
        struct ksa_account_record record;
        enum ksa_registry_answer answer;
        size_t position = 0;

        while ((answer = ksa_registry_next(draft->input->before, &position, &record)) ==
               KSA_REGISTRY_FOUND) {
                struct ksa_account_record *place = ksa_list_next(&list, sizeof(record));

                if (place == NULL)
                        break;
                *place = record;
                list.count++;
        }
        draft->records = list.items;
        draft->record_count = list.count;
        if (answer == KSA_REGISTRY_FOUND)
                return no_memory(err);
        return answer == KSA_REGISTRY_NOT_FOUND
                       ? KSA_OK
                       : ksa_fail(err, KSA_REGISTRY, "an account in the registry is damaged");
}

static enum ksa_reason read_groups(struct ksa_draft *draft, struct ksa_error *err)
{
        struct ksa_list list = {0};
        struct ksa_group_record group;
        enum ksa_registry_answer answer;
        size_t position = 0;

        while ((answer = ksa_registry_next_group(draft->input->before, &position, &group)) ==
               KSA_REGISTRY_FOUND) {
                struct ksa_group_record *place = ksa_list_next(&list, sizeof(group));

                if (place == NULL)
                        break;
                *place = group;
                list.count++;
        }
        draft->old_groups = list.items;
        draft->old_group_count = list.count;
        if (answer == KSA_REGISTRY_FOUND)
                return no_memory(err);
        return answer == KSA_REGISTRY_NOT_FOUND
                       ? KSA_OK
                       : ksa_fail(err, KSA_REGISTRY, "a group in the registry is damaged");
}

/* Pointers to COUNT items of SIZE bytes, in order; NULL when memory runs out. */
static void *sorted(const void *items, size_t count, size_t size,
                    int (*compare)(const void *a, const void *b))
{
        const void **pointers = calloc(count + 1, sizeof(*pointers));

        for (size_t i = 0; pointers != NULL && i < count; i++)
                pointers[i] = (const char *)items + i * size;
        if (pointers != NULL)
                qsort(pointers, count, sizeof(*pointers), compare);
        return pointers;
}

static enum ksa_reason sort_records(struct ksa_draft *draft, struct ksa_error *err)
{
        size_t size = sizeof(*draft->records), count = draft->record_count;

        draft->by_account = sorted(draft->records, count, size, by_account);
        draft->by_name = sorted(draft->records, count, size, by_name);
        draft->by_uid = sorted(draft->records, count, size, by_uid);
        size = sizeof(*draft->old_groups);
        count = draft->old_group_count;
        draft->groups_by_name = sorted(draft->old_groups, count, size, group_by_name);
        draft->groups_by_gid = sorted(draft->old_groups, count, size, group_by_gid);
        draft->groups_by_namespace = sorted(draft->old_groups, count, size, group_by_namespace);
        return draft->by_account != NULL && draft->by_name != NULL && draft->by_uid != NULL &&
                               draft->groups_by_name != NULL && draft->groups_by_gid != NULL &&
                               draft->groups_by_namespace != NULL
                       ? KSA_OK
                       : no_memory(err);
}

/* --- Entries --------------------------------------------------------------------- */

/* The records of one account are one entry's, from *POSITION on, which is moved on. */
static enum ksa_reason take_records(const struct ksa_draft *draft, size_t *position,
                                    struct ksa_draft_entry *entry, struct ksa_error *err)
{
        const struct ksa_account_record *const *records = draft->by_account + *position;
        const struct ksa_account_record *first = records[0];
        size_t count = 1;

        while (*position + count < draft->record_count &&
               compare_accounts(ACCOUNT_OF(first), ACCOUNT_OF(records[count])) == 0)
                count++;
        if (count > 1 && records[1]->state != KSA_ACCOUNT_REMOVED)
                return ksa_fail(err, KSA_REGISTRY,
                                "the registry has two users of one account: '%s' and '%s'",
                                first->name, records[1]->name);
        entry->records = records;
        entry->record_count = count;
        entry->before = first;
        *position += count;
        return KSA_OK;
}

/* The next account in the order of both lists. */
static enum ksa_reason next_entry(const struct ksa_draft *draft,
                                  const struct ksa_wanted *const *wanted, size_t *at_wanted,
                                  size_t *at_record, struct ksa_draft_entry *entry,
                                  struct ksa_error *err)
{
        const struct ksa_wanted *item = wanted[*at_wanted]; /* NULL behind the last */
        bool has_record = *at_record < draft->record_count;
        const struct ksa_account_record *record = has_record ? draft->by_account[*at_record] : NULL;
        int order = 0;

        if (item != NULL && has_record)
                order = compare_accounts(ACCOUNT_OF(item), ACCOUNT_OF(record));
        if (item != NULL && order <= 0) {
                entry->wanted = item;
                entry->claim.cluster = item->cluster;
                entry->claim.namespace = item->namespace;
                entry->claim.account = item->account;
                /* What stands behind it for the same account has less of a say, and none here. */
                while (wanted[*at_wanted] != NULL &&
                       compare_accounts(ACCOUNT_OF(item), ACCOUNT_OF(wanted[*at_wanted])) == 0)
                        ++*at_wanted;
        }
        if (has_record && order >= 0) {
                entry->claim.cluster = record->cluster;
                entry->claim.namespace = record->namespace;
                entry->claim.account = record->account;
                return take_records(draft, at_record, entry, err);
        }
        return KSA_OK;
}

static enum ksa_reason make_entries(struct ksa_draft *draft, struct ksa_error *err)
{
        const struct ksa_wanted_list *list = draft->input->wanted;
        const struct ksa_wanted **wanted =
                sorted(list->items, list->count, sizeof(*list->items), wanted_by_account);
        enum ksa_reason reason = KSA_OK;
        size_t at_wanted = 0, at_record = 0;

        if (wanted == NULL)
                return no_memory(err);
        draft->entries = calloc(list->count + draft->record_count + 1, sizeof(*draft->entries));
        if (draft->entries == NULL) {
                free(wanted);
                return no_memory(err);
        }
        draft->entry_count = 0;
        while (reason == KSA_OK && (wanted[at_wanted] != NULL || at_record < draft->record_count))
                reason = next_entry(draft, wanted, &at_wanted, &at_record,
                                    &draft->entries[draft->entry_count++], err);
        free(wanted);
        return reason;
}

/* Behind the last entry of the namespace of the one at FIRST. */
static size_t end_of_namespace(const struct ksa_draft *draft, size_t first)
{
        const struct ksa_claim *claim = &draft->entries[first].claim;
        size_t end = first + 1;

        while (end < draft->entry_count &&
               strcmp(claim->cluster, draft->entries[end].claim.cluster) == 0 &&
               strcmp(claim->namespace, draft->entries[end].claim.namespace) == 0)
                end++;
        return end;
}

/* Ties the entries of a namespace to it, and counts what they left behind. */
static void take_entries(struct ksa_draft *draft, struct ksa_draft_group *group)
{
        for (size_t i = group->first; i < group->end; i++) {
                struct ksa_draft_entry *entry = &draft->entries[i];

                entry->group = group;
                group->removed += entry->record_count - ksa_draft_has_user(entry);
        }
}

/* A group for each namespace that has an entry or a group. */
static enum ksa_reason make_groups(struct ksa_draft *draft, struct ksa_error *err)
{
        size_t entry = 0, old = 0;

        draft->groups =
                calloc(draft->entry_count + draft->old_group_count + 1, sizeof(*draft->groups));
        if (draft->groups == NULL)
                return no_memory(err);
        while (entry < draft->entry_count || old < draft->old_group_count) {
                struct ksa_draft_group *group = &draft->groups[draft->group_count++];
                const struct ksa_claim *claim =
                        entry < draft->entry_count ? &draft->entries[entry].claim : NULL;
                const struct ksa_group_record *record =
                        old < draft->old_group_count ? draft->groups_by_namespace[old] : NULL;
                int order = claim == NULL ? 1
                            : record == NULL
                                    ? -1
                                    : compare_accounts(NAMESPACE_OF(claim), NAMESPACE_OF(record));

                if (claim != NULL && order <= 0) {
                        group->claim.cluster = claim->cluster;
                        group->claim.namespace = claim->namespace;
                } else if (record != NULL) {
                        group->claim.cluster = record->cluster;
                        group->claim.namespace = record->namespace;
                }
                group->claim.account = "";
                group->first = entry;
                if (order <= 0)
                        entry = end_of_namespace(draft, entry);
                group->end = entry;
                take_entries(draft, group);
                if (order >= 0) {
                        group->before = record;
                        old++;
                }
        }
        return KSA_OK;
}

enum ksa_reason ksa_draft_load(struct ksa_draft *draft, struct ksa_error *err)
{
        enum ksa_reason reason = read_accounts(draft, err);

        if (reason == KSA_OK)
                reason = read_groups(draft, err);
        if (reason == KSA_OK)
                reason = sort_records(draft, err);
        if (reason == KSA_OK)
                reason = make_entries(draft, err);
        if (reason == KSA_OK)
                reason = make_groups(draft, err);
        return reason;
}

void ksa_draft_clear(struct ksa_draft *draft)
{
        free(draft->records);
        free(draft->by_account);
        free(draft->by_name);
        free(draft->by_uid);
        free(draft->old_groups);
        free(draft->groups_by_gid);
        free(draft->groups_by_name);
        free(draft->groups_by_namespace);
        free(draft->entries);
        free(draft->groups);
        free(draft->formers.items);
        free(draft->changes.items);
        memset(draft, 0, sizeof(*draft));
}

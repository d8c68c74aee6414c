/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account_draft.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

/* --- Finding --------------------------------------------------------------------- */

static int entry_order(const void *key, const void *item)
{
        const struct ksa_claim *wanted = key;
        const struct ksa_claim *claim = &((const struct ksa_draft_entry *)item)->claim;
        int order = strcmp(wanted->cluster, claim->cluster);

        if (order == 0)
                order = strcmp(wanted->namespace, claim->namespace);
        return order != 0 ? order : strcmp(wanted->account, claim->account);
}

struct ksa_draft_entry *ksa_draft_find(const struct ksa_draft *draft, const char *cluster,
                                       const char *namespace, const char *account)
{
        const struct ksa_claim key = {
                .cluster = cluster, .namespace = namespace, .account = account};

        return bsearch(&key, draft->entries, draft->entry_count, sizeof(*draft->entries),
                       entry_order);
}

/* Where the pointers that are not before KEY begin. */
static size_t lower_bound(const void *pointers, size_t count, const void *key,
                          int (*compare)(const void *key, const void *item))
{
        const void *const *items = pointers;
        size_t low = 0, high = count;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (compare(key, items[middle]) > 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static int record_name(const void *key, const void *item)
{
        return strcmp(key, ((const struct ksa_account_record *)item)->name);
}

static int record_uid(const void *key, const void *item)
{
        uint32_t uid = *(const uint32_t *)key,
                 other = ((const struct ksa_account_record *)item)->uid;

        return uid < other ? -1 : uid > other;
}

static int group_name(const void *key, const void *item)
{
        return strcmp(key, ((const struct ksa_group_record *)item)->name);
}

static int group_gid(const void *key, const void *item)
{
        uint32_t gid = *(const uint32_t *)key, other = ((const struct ksa_group_record *)item)->gid;

        return gid < other ? -1 : gid > other;
}

const struct ksa_account_record *ksa_draft_with_name(const struct ksa_draft *draft,
                                                     const char *name, size_t *position)
{
        size_t at = lower_bound(draft->by_name, draft->record_count, name, record_name) + *position;

        if (at >= draft->record_count || strcmp(draft->by_name[at]->name, name) != 0)
                return NULL;
        ++*position;
        return draft->by_name[at];
}

const struct ksa_account_record *ksa_draft_with_uid(const struct ksa_draft *draft, uint32_t uid,
                                                    size_t *position)
{
        size_t at = lower_bound(draft->by_uid, draft->record_count, &uid, record_uid) + *position;

        if (at >= draft->record_count || draft->by_uid[at]->uid != uid)
                return NULL;
        ++*position;
        return draft->by_uid[at];
}

const struct ksa_group_record *ksa_draft_group_with_name(const struct ksa_draft *draft,
                                                         const char *name)
{
        size_t at = lower_bound(draft->groups_by_name, draft->old_group_count, name, group_name);

        return at < draft->old_group_count && strcmp(draft->groups_by_name[at]->name, name) == 0
                       ? draft->groups_by_name[at]
                       : NULL;
}

const struct ksa_group_record *ksa_draft_group_with_gid(const struct ksa_draft *draft, uint32_t gid)
{
        size_t at = lower_bound(draft->groups_by_gid, draft->old_group_count, &gid, group_gid);

        return at < draft->old_group_count && draft->groups_by_gid[at]->gid == gid
                       ? draft->groups_by_gid[at]
                       : NULL;
}

/* --- Small questions ------------------------------------------------------------- */

bool ksa_draft_is_of(const struct ksa_account_record *record, const struct ksa_claim *claim)
{
        return strcmp(record->account, claim->account) == 0 &&
               strcmp(record->namespace, claim->namespace) == 0 &&
               strcmp(record->cluster, claim->cluster) == 0;
}

bool ksa_draft_has_user(const struct ksa_draft_entry *entry)
{
        return entry->before != NULL && entry->before->state != KSA_ACCOUNT_REMOVED;
}

bool ksa_draft_is_declared(const struct ksa_draft_entry *entry)
{
        return entry->wanted != NULL && entry->wanted->section != NULL;
}

/* --- Words ----------------------------------------------------------------------- */

const char *ksa_draft_quote(struct ksa_draft *draft, const char *text)
{
        char quoted[KSA_QUOTED_SIZE];

        return ksa_arena_text(draft->arena, "%s", ksa_text_quote(text, quoted, sizeof(quoted)));
}

const char *ksa_draft_account(struct ksa_draft *draft, const char *cluster, const char *namespace,
                              const char *account)
{
        return ksa_draft_quote(
                draft, ksa_arena_text(draft->arena, "%s:%s/%s", cluster, namespace, account));
}

void ksa_draft_tell(struct ksa_draft *draft, enum ksa_change change,
                    const struct ksa_draft_entry *entry, const char *why, const char *remedy)
{
        struct ksa_draft_change *place = ksa_list_next(&draft->changes, sizeof(*place));

        if (place == NULL) {
                draft->arena->failed = true;
                return;
        }
        *place = (struct ksa_draft_change){
                .change = change,
                .entry = entry,
                .why = why == NULL ? "" : why,
                .remedy = remedy == NULL ? "" : remedy,
        };
        draft->changes.count++;
}

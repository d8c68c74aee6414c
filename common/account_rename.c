/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gives all that the registry has of a cluster another name. */
#include <stdlib.h>
#include <string.h>

#include "account_sync.h"
#include "registry_replace.h"
#include "registry_write.h"
#include "text.h"

struct content {
        struct ksa_list accounts, groups, sources; /* records of the registry */
};

#define ADD(list, record)                                                        \
        do {                                                                     \
                void *place_ = ksa_list_next(list, sizeof(record));              \
                                                                                 \
                if (place_ == NULL)                                              \
                        return ksa_fail(err, KSA_MEMORY, "out of memory");       \
                memcpy(place_, &(record), sizeof(record));                       \
                (list)->count++;                                                 \
        } while (0)

/* The registry is whole: ksa_sync_begin(). */
static enum ksa_reason read_all(const struct ksa_registry *before, struct content *content,
                                struct ksa_error *err)
{
        struct ksa_account_record account;
        struct ksa_group_record group;
        struct ksa_source_record source;
        size_t position = 0;

        while (ksa_registry_next(before, &position, &account) == KSA_REGISTRY_FOUND)
                ADD(&content->accounts, account);
        position = 0;
        while (ksa_registry_next_group(before, &position, &group) == KSA_REGISTRY_FOUND)
                ADD(&content->groups, group);
        position = 0;
        while (ksa_registry_next_source(before, &position, &source) == KSA_REGISTRY_FOUND)
                ADD(&content->sources, source);
        return KSA_OK;
}

static bool has_group(const struct content *content, const char *cluster, const char *namespace)
{
        const struct ksa_group_record *groups = content->groups.items;

        for (size_t i = 0; i < content->groups.count; i++) {
                if (strcmp(groups[i].cluster, cluster) == 0 &&
                    strcmp(groups[i].namespace, namespace) == 0)
                        return true;
        }
        return false;
}

/* Renames in place. Returns whether there was anything of OLD; *RET_BOTH, whether it is under NEW too. */
static bool rename_all(const struct ksa_registry *before, struct content *content, const char *old,
                       const char *new, bool *ret_both)
{
        struct ksa_account_record *accounts = content->accounts.items, other;
        struct ksa_group_record *groups = content->groups.items;
        struct ksa_source_record *sources = content->sources.items;
        bool found = false, both = false;

        for (size_t i = 0; i < content->accounts.count; i++) {
                struct ksa_account_record *one = &accounts[i];

                if (strcmp(one->cluster, old) != 0)
                        continue;
                both = both || ksa_registry_by_account(before, new, one->namespace, one->account,
                                                       &other) != KSA_REGISTRY_NOT_FOUND;
                one->cluster = new;
                found = true;
        }
        for (size_t i = 0; i < content->groups.count; i++) {
                if (strcmp(groups[i].cluster, old) != 0)
                        continue;
                both = both || has_group(content, new, groups[i].namespace);
                groups[i].cluster = new;
                found = true;
        }
        for (size_t i = content->sources.count; i-- > 0;) {
                if (strcmp(sources[i].cluster, new) == 0)
                        sources[i] = sources[--content->sources.count];
        }
        for (size_t i = 0; i < content->sources.count; i++) {
                if (strcmp(sources[i].cluster, old) == 0)
                        sources[i].cluster = new;
        }
        *ret_both = both;
        return found;
}

static enum ksa_reason write_all(struct ksa_sync *sync, const struct content *content,
                                 struct ksa_error *err)
{
        const struct ksa_registry_content written = {.accounts = content->accounts.items,
                                                     .account_count = content->accounts.count,
                                                     .groups = content->groups.items,
                                                     .group_count = content->groups.count,
                                                     .sources = content->sources.items,
                                                     .source_count = content->sources.count};
        unsigned char *bytes = NULL;
        size_t size = 0;
        enum ksa_reason reason = ksa_registry_build(&written, sync->env->now, &bytes, &size, err);

        if (reason == KSA_OK)
                reason = ksa_registry_replace(sync->env, bytes, size, &sync->warning, err);
        free(bytes);
        return reason;
}

enum ksa_reason ksa_sync_rename_cluster(struct ksa_sync *sync, const char *old, const char *new,
                                        struct ksa_error *err)
{
        struct content content = {.accounts = {NULL, 0}};
        bool both = false;
        enum ksa_reason reason = read_all(&sync->before, &content, err);

        if (reason == KSA_OK && !rename_all(&sync->before, &content, old, new, &both))
                reason = ksa_fail(err, KSA_ACCOUNT_UNKNOWN, "there is no user of a cluster \"%s\"",
                                  old);
        else if (reason == KSA_OK && both)
                reason = ksa_fail(err, KSA_CONFIG_INVALID,
                                  "an account or group is in the registry under both names, with "
                                  "two uids");
        if (reason == KSA_OK)
                reason = write_all(sync, &content, err);
        free(content.accounts.items);
        free(content.groups.items);
        free(content.sources.items);
        return reason;
}

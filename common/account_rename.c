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

/* Renames in place. Returns how many records were of the cluster OLD, and how many are of NEW already. */
static size_t rename_all(struct content *content, const char *old, const char *new, size_t *ret_new)
{
        struct ksa_account_record *accounts = content->accounts.items;
        struct ksa_group_record *groups = content->groups.items;
        struct ksa_source_record *sources = content->sources.items;
        size_t found = 0, others = 0;

        for (size_t i = 0; i < content->accounts.count; i++) {
                others += strcmp(accounts[i].cluster, new) == 0;
                if (strcmp(accounts[i].cluster, old) == 0) {
                        accounts[i].cluster = new;
                        found++;
                }
        }
        for (size_t i = 0; i < content->groups.count; i++) {
                if (strcmp(groups[i].cluster, old) == 0)
                        groups[i].cluster = new;
        }
        /* When it was listed under the new name does not matter: its next list is read soon. */
        for (size_t i = content->sources.count; i-- > 0;) {
                if (strcmp(sources[i].cluster, old) == 0 || strcmp(sources[i].cluster, new) == 0)
                        sources[i] = sources[--content->sources.count];
        }
        *ret_new = others;
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
        size_t others = 0;
        enum ksa_reason reason = read_all(&sync->before, &content, err);

        if (reason == KSA_OK && rename_all(&content, old, new, &others) == 0)
                reason = ksa_fail(err, KSA_ACCOUNT_UNKNOWN, "there is no user of a cluster \"%s\"",
                                  old);
        else if (reason == KSA_OK && others > 0)
                reason = ksa_fail(err, KSA_CONFIG_INVALID,
                                  "the cluster \"%s\" has users of its own already", new);
        if (reason == KSA_OK)
                reason = write_all(sync, &content, err);
        free(content.accounts.items);
        free(content.groups.items);
        free(content.sources.items);
        return reason;
}

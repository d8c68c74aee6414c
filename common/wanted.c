/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wanted.h"

#include <stdlib.h>
#include <string.h>

bool ksa_wanted_add(struct ksa_wanted_list *list, const struct ksa_wanted *item)
{
        if (list->count == list->room) {
                size_t room = list->room == 0 ? 64 : list->room * 2;
                struct ksa_wanted *items = reallocarray(list->items, room, sizeof(*items));

                if (items == NULL)
                        return false;
                list->items = items;
                list->room = room;
        }
        list->items[list->count++] = *item;
        return true;
}

const char *ksa_wanted_keep(struct ksa_wanted_list *list, const char *text)
{
        char **place = ksa_list_next(&list->texts, sizeof(*place));

        if (place == NULL)
                return NULL;
        *place = strdup(text);
        if (*place == NULL)
                return NULL;
        list->texts.count++;
        return *place;
}

void ksa_wanted_clear(struct ksa_wanted_list *list)
{
        for (size_t i = 0; i < list->texts.count; i++)
                free(((char **)list->texts.items)[i]);
        free(list->texts.items);
        free(list->items);
        memset(list, 0, sizeof(*list));
}

static const char *or_empty(const char *text)
{
        return text == NULL ? "" : text;
}

static enum ksa_reason add(struct ksa_wanted_list *list, const struct ksa_wanted *item,
                           struct ksa_error *err)
{
        if (!ksa_wanted_add(list, item))
                return ksa_fail(err, KSA_MEMORY, "memory ran out over the accounts");
        return KSA_OK;
}

enum ksa_reason ksa_wanted_declared(const struct ksa_config *config, struct ksa_wanted_list *list,
                                    struct ksa_error *err)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_ACCOUNT]; i++) {
                const struct ksa_account *section = &config->accounts[i];
                const struct ksa_wanted item = {
                        .cluster = section->account.cluster,
                        .namespace = section->account.namespace,
                        .account = section->account.name,
                        .account_uid = or_empty(section->account_uid),
                        .name = section->name,
                        .uid = (uint32_t)section->uid,
                        .home = or_empty(section->home),
                        .shell = or_empty(section->shell),
                        .section = section,
                        .fault = "",
                };
                enum ksa_reason reason = add(list, &item, err);

                if (reason != KSA_OK)
                        return reason;
        }
        return KSA_OK;
}

/* Whether the registry's account is one that SOURCE listed, and would still. */
static bool is_known(const struct ksa_accounts *source, const struct ksa_account_record *record)
{
        return record->state != KSA_ACCOUNT_REMOVED &&
               (record->flags & KSA_ACCOUNT_DECLARED) == 0 &&
               strcmp(record->cluster, source->name) == 0 &&
               ksa_source_covers(source, record->namespace, record->account);
}

/* With annotations = no, a name or uid that an annotation once asked for is asked for no more. */
static struct ksa_wanted as_known(const struct ksa_accounts *source, unsigned rank,
                                  const struct ksa_account_record *record)
{
        const char *last_seen =
                record->new_account_uid[0] != '\0' ? record->new_account_uid : record->account_uid;

        return (struct ksa_wanted){
                .cluster = record->cluster,
                .namespace = record->namespace,
                .account = record->account,
                .account_uid = last_seen,
                .created = record->created,
                .name = source->annotations ? record->wanted_name : "",
                .uid = source->annotations ? record->wanted_uid : 0,
                .home = or_empty(source->home),
                .shell = or_empty(source->shell),
                .source = source,
                .rank = rank,
                .fault = "",
                .kept = true,
        };
}

enum ksa_reason ksa_wanted_known(const struct ksa_config *config, const struct ksa_accounts *source,
                                 unsigned rank, const struct ksa_registry *registry,
                                 struct ksa_wanted_list *list, struct ksa_error *err)
{
        struct ksa_account_record record;
        size_t position = 0;

        (void)config;
        for (;;) {
                enum ksa_registry_answer answer = ksa_registry_next(registry, &position, &record);

                if (answer == KSA_REGISTRY_NOT_FOUND)
                        return KSA_OK;
                if (answer != KSA_REGISTRY_FOUND)
                        return ksa_fail(err, KSA_REGISTRY, "the registry is damaged");
                if (!is_known(source, &record))
                        continue;
                const struct ksa_wanted item = as_known(source, rank, &record);
                enum ksa_reason reason = add(list, &item, err);
                if (reason != KSA_OK)
                        return reason;
        }
}

bool ksa_source_covers(const struct ksa_accounts *source, const char *namespace,
                       const char *account)
{
        /* Every namespace has it, and every Pod that names no account. */
        if (strcmp(account, "default") == 0)
                return false;
        return ksa_list_has(&source->namespaces, "*") ||
               ksa_list_has(&source->namespaces, namespace);
}

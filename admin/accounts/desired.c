/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/accounts/desired.h"

#include <stdlib.h>
#include <string.h>

enum ksa_reason ksa_desired_add(struct ksa_desired_list *list, const struct ksa_desired *item,
                                struct ksa_error *err)
{
        struct ksa_list items = {.items = list->items, .count = list->count};
        struct ksa_desired *place = ksa_list_next(&items, sizeof(*place));

        if (place != NULL)
                list->items = items.items;
        if (place == NULL || list->texts.failed)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        list->items[list->count++] = *item;
        return KSA_OK;
}

const char *ksa_desired_keep(struct ksa_desired_list *list, const char *text)
{
        return ksa_arena_text(&list->texts, "%s", text);
}

void ksa_desired_clear(struct ksa_desired_list *list)
{
        ksa_arena_clear(&list->texts);
        free(list->groups.items);
        free(list->items);
        memset(list, 0, sizeof(*list));
}

enum ksa_reason ksa_desired_declared(const struct ksa_config *config, struct ksa_desired_list *list,
                                     struct ksa_error *err)
{
        enum ksa_reason reason = KSA_OK;

        for (size_t i = 0; reason == KSA_OK && i < config->counts[KSA_SECTION_ACCOUNT]; i++) {
                const struct ksa_account *section = &config->accounts[i];

                reason = ksa_desired_add(list,
                                         &(struct ksa_desired){
                                                 .cluster = section->account.cluster,
                                                 .namespace = section->account.namespace,
                                                 .account = section->account.name,
                                                 .account_uid = section->account_uid == NULL
                                                                        ? ""
                                                                        : section->account_uid,
                                                 .name = section->name,
                                                 .uid = (uint32_t)section->uid,
                                                 .section = section,
                                         },
                                         err);
        }
        return reason;
}

enum ksa_reason ksa_desired_known(const struct ksa_accounts *source, const char *cluster,
                                  const struct ksa_registry *registry,
                                  struct ksa_desired_list *list, struct ksa_error *err)
{
        struct ksa_account_record record;
        enum ksa_registry_answer answer;
        enum ksa_reason reason = KSA_OK;
        size_t position = 0;

        while (reason == KSA_OK && (answer = ksa_registry_next(registry, &position, &record)) !=
                                           KSA_REGISTRY_NOT_FOUND) {
                if (answer == KSA_REGISTRY_BROKEN)
                        return ksa_fail(err, KSA_REGISTRY, "the registry is damaged");
                if ((record.flags & KSA_ACCOUNT_LISTED) == 0 ||
                    strcmp(record.cluster, cluster) != 0 ||
                    !ksa_source_covers(source, record.namespace))
                        continue;
                reason = ksa_desired_add(list,
                                         &(struct ksa_desired){.cluster = source->name,
                                                               .namespace = record.namespace,
                                                               .account = record.account,
                                                               .account_uid = record.account_uid,
                                                               .created = record.created,
                                                               .name = "",
                                                               .source = source,
                                                               .kept = true},
                                         err);
        }
        return reason;
}

bool ksa_source_covers(const struct ksa_accounts *source, const char *namespace)
{
        return ksa_list_has(&source->namespaces, "*") ||
               ksa_list_has(&source->namespaces, namespace);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/types.h"

#include <stdlib.h>
#include <string.h>

static const char *const section_names[KSA_SECTION_COUNT] = {
        [KSA_SECTION_HOST] = "host",       [KSA_SECTION_CLUSTER] = "cluster",
        [KSA_SECTION_SERVICE] = "service", [KSA_SECTION_RULE] = "rule",
        [KSA_SECTION_ACCOUNT] = "account", [KSA_SECTION_ACCOUNTS] = "accounts",
};

const char *ksa_section_name(enum ksa_section section)
{
        return section_names[section];
}

bool ksa_section_is_named(enum ksa_section section)
{
        return section != KSA_SECTION_HOST;
}

/* --- Sections ---------------------------------------------------------------- */

void **ksa_config_array(struct ksa_config *config, enum ksa_section section, size_t *ret_size)
{
        static const size_t sizes[KSA_SECTION_COUNT] = {
                [KSA_SECTION_HOST] = sizeof(struct ksa_host),
                [KSA_SECTION_CLUSTER] = sizeof(struct ksa_cluster),
                [KSA_SECTION_SERVICE] = sizeof(struct ksa_service),
                [KSA_SECTION_RULE] = sizeof(struct ksa_rule),
                [KSA_SECTION_ACCOUNT] = sizeof(struct ksa_account),
                [KSA_SECTION_ACCOUNTS] = sizeof(struct ksa_accounts),
        };
        *ret_size = sizes[section];
        switch (section) {
        case KSA_SECTION_CLUSTER:
                return (void **)&config->clusters;
        case KSA_SECTION_SERVICE:
                return (void **)&config->services;
        case KSA_SECTION_RULE:
                return (void **)&config->rules;
        case KSA_SECTION_ACCOUNT:
                return (void **)&config->accounts;
        case KSA_SECTION_ACCOUNTS:
                return (void **)&config->account_sources;
        case KSA_SECTION_HOST:
        case KSA_SECTION_COUNT:
        default:
                return NULL;
        }
}

uint64_t ksa_section_hash(enum ksa_section section, const char *name)
{
        const char *const key[] = {ksa_section_name(section), name};

        return ksa_hash_index_hash(key, KSA_COUNT(key));
}

const struct ksa_section_head *ksa_config_find(const struct ksa_config *config,
                                               enum ksa_section section, const char *name)
{
        uint64_t hash = ksa_section_hash(section, name);
        uint32_t position = ksa_hash_index_find(&config->names, hash), number;

        while (ksa_hash_index_next(&config->names, hash, &position, &number)) {
                if (number >= config->counts[section])
                        continue;
                const struct ksa_section_head *head = ksa_config_section(config, section, number);
                if (head != NULL && strcmp(head->name, name) == 0)
                        return head;
        }
        return NULL;
}

void *ksa_config_section(const struct ksa_config *config, enum ksa_section section, size_t position)
{
        /* Sections are read-only for callers, except the loader, which owns them. */
        struct ksa_config *owned = (struct ksa_config *)(uintptr_t)config;
        size_t size;
        void **array = ksa_config_array(owned, section, &size);

        if (position >= config->counts[section])
                return NULL;
        return array == NULL ? (void *)&owned->host : (char *)*array + position * size;
}

struct ksa_location ksa_option_location(const void *section, const char *option, size_t position)
{
        const struct ksa_section_head *head = section;
        const struct ksa_option_line *lines = head->lines.items;
        struct ksa_location location = head->location;

        for (size_t i = 0; i < head->lines.count; i++) {
                if (strcmp(lines[i].option, option) == 0 && lines[i].first <= position)
                        location.line = lines[i].line;
        }
        return location;
}

const char *ksa_cluster_key_file(const struct ksa_cluster *cluster)
{
        return strncmp(cluster->keys, "file:", 5) == 0 ? cluster->keys + 5 : NULL;
}

const char *ksa_accounts_file(const struct ksa_accounts *source)
{
        return source->source != NULL && strncmp(source->source, "file:", 5) == 0
                       ? source->source + 5
                       : NULL;
}

const char *ksa_service_in_rules(const char *name)
{
        return strcmp(name, "sudo-i") == 0 ? "sudo" : name;
}

const struct ksa_service *ksa_config_service(const struct ksa_config *config, const char *name)
{
        return (const struct ksa_service *)(const void *)ksa_config_find(
                config, KSA_SECTION_SERVICE, ksa_service_in_rules(name));
}

const struct ksa_cluster *ksa_config_cluster(const struct ksa_config *config, const char *name)
{
        return (const struct ksa_cluster *)(const void *)ksa_config_find(config,
                                                                         KSA_SECTION_CLUSTER, name);
}

const struct ksa_account *ksa_config_account(const struct ksa_config *config, const char *name)
{
        return (const struct ksa_account *)(const void *)ksa_config_find(config,
                                                                         KSA_SECTION_ACCOUNT, name);
}

bool ksa_service_is_local(const char *name)
{
        static const char *const local[] = {"sudo",  "sudo-i", "su",    "su-l",    "cron",
                                            "crond", "atd",    "login", "polkit-1"};

        for (size_t i = 0; i < KSA_COUNT(local); i++) {
                if (strcmp(name, local[i]) == 0)
                        return true;
        }
        return false;
}

bool ksa_config_keep(struct ksa_config *config, char *text)
{
        char **location = ksa_list_next(&config->texts, sizeof(text));

        if (location == NULL) {
                free(text);
                return false;
        }
        *location = text;
        config->texts.count++;
        return true;
}

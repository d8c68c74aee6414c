/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/load.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "config/ini.h"
#include "config/rule.h"
#include "config/value.h"

/* Of one file. More rules can be split over files in conf.d. */
#define FILE_MAX_BYTES ((size_t)1024 * 1024)

_Static_assert(sizeof(uint64_t) * CHAR_BIT >= 64, "a bit for each option");

struct loader {
        const struct ksa_env *env;
        struct ksa_config *config;
        struct ksa_diagnostics *diagnostics;
        const char *file;      /* the file that is being read */
        enum ksa_section kind; /* of the current section */
        void *section;         /* the current section; NULL: keys belong to no section */
        bool skipping;         /* the section's header was invalid; its keys are not reported */
};

static enum ksa_section section_kind(const char *name)
{
        for (unsigned kind = 0; kind < KSA_SECTION_COUNT; kind++) {
                if (strcmp(name, ksa_section_name((enum ksa_section)kind)) == 0)
                        return (enum ksa_section)kind;
        }
        return KSA_SECTION_COUNT;
}

static void out_of_memory(struct loader *loader)
{
        ksa_diagnostics_add(loader->diagnostics, KSA_MEMORY, loader->file, 0, "out of memory");
}

static void set_defaults(enum ksa_section kind, void *section)
{
        for (size_t i = 0; i < ksa_option_count; i++) {
                const struct ksa_option *option = &ksa_options[i];
                char text[64];
                bool memory;

                if (option->section != kind || option->default_value == NULL)
                        continue;
                (void)snprintf(text, sizeof(text), "%s", option->default_value);
                /* Defaults in the table are valid: test_option.c parses each one. */
                (void)!ksa_option_set(option, text, section, &memory);
        }
}

/*
 * Appends a zeroed section and adds NAME to the index. NULL if memory runs out, which is reported.
 */
static void *add_section(struct loader *loader, const char *name)
{
        struct ksa_config *config = loader->config;
        size_t size;
        void **array = ksa_config_array(config, loader->kind, &size);

        if (array == NULL)
                return &config->host;
        struct ksa_list list = {.items = *array, .count = config->counts[loader->kind]};
        void *section = ksa_list_next(&list, size);
        if (list.items != NULL)
                *array = list.items;
        if (section == NULL ||
            !ksa_hash_index_add(&config->names, ksa_section_hash(loader->kind, name),
                                (uint32_t)list.count)) {
                out_of_memory(loader);
                return NULL;
        }
        memset(section, 0, size);
        return section;
}

static void begin_section(struct loader *loader, const struct ksa_ini_item *item, unsigned line)
{
        struct ksa_config *config = loader->config;
        enum ksa_section kind = section_kind(item->kind);
        const struct ksa_section_head *earlier = NULL;

        loader->section = NULL;
        loader->skipping = true;
        if (kind == KSA_SECTION_COUNT) {
                ksa_diagnostics_add_with_remedy(
                        loader->diagnostics, KSA_CONFIG_INVALID,
                        "write [host], [cluster NAME], [service NAME], [rule NAME], "
                        "[account NAME] or [accounts CLUSTER]",
                        loader->file, line, "unknown section [%s]", item->kind);
                return;
        }
        if (ksa_section_is_named(kind) != (*item->name != '\0')) {
                ksa_diagnostics_add(loader->diagnostics, KSA_CONFIG_INVALID, loader->file, line,
                                    ksa_section_is_named(kind) ? "[%s] needs a name"
                                                               : "[%s] takes no name",
                                    item->kind);
                return;
        }
        if (kind != KSA_SECTION_HOST)
                earlier = ksa_config_find(config, kind, item->name);
        else if (config->counts[kind] > 0)
                earlier = ksa_config_section(config, kind, 0);
        if (earlier != NULL) {
                ksa_diagnostics_add(loader->diagnostics, KSA_CONFIG_INVALID, loader->file, line,
                                    "[%s%s%s] is already in %s line %u", item->kind,
                                    *item->name != '\0' ? " " : "", item->name,
                                    earlier->location.file, earlier->location.line);
                return;
        }
        loader->kind = kind;
        loader->section = add_section(loader, item->name);
        if (loader->section == NULL)
                return;
        struct ksa_section_head *head = loader->section;
        head->name = item->name;
        head->location = (struct ksa_location){loader->file, line};
        set_defaults(kind, loader->section);
        config->counts[kind]++;
        loader->skipping = false;
}

static void value_misfits(struct loader *loader, const struct ksa_option *option, const char *value,
                          unsigned line)
{
        const struct ksa_kind *kind = option->kind;
        const struct ksa_mistake *mistake =
                ksa_value_mistake(value, (option->flags & KSA_OPTION_LIST) != 0);
        char limits[64] = "", shown[160];

        /* A mistyped URL may contain a password. */
        if (loader->kind == KSA_SECTION_CLUSTER)
                value = ksa_text_url(value, shown, sizeof(shown));
        if (mistake != NULL) {
                ksa_diagnostics_add_with_remedy(
                        loader->diagnostics, KSA_CONFIG_INVALID, mistake->remedy, loader->file,
                        line, "%s: %s: \"%.128s\"", option->name, mistake->text, value);
                return;
        }
        if (option->max != 0)
                (void)snprintf(limits, sizeof(limits), "; from %llu to %llu",
                               (unsigned long long)option->min, (unsigned long long)option->max);
        ksa_diagnostics_add(loader->diagnostics, KSA_CONFIG_INVALID, loader->file, line,
                            "%s: \"%.128s\" is not a valid %s (expected %s%s)", option->name, value,
                            kind->name, kind->allowed != NULL ? kind->allowed : kind->syntax,
                            limits);
}

static void set_option(struct loader *loader, const struct ksa_ini_item *item, unsigned line)
{
        struct ksa_section_head *head = loader->section;
        const struct ksa_option *option = ksa_option_find(loader->kind, item->key);
        /* The item points into this file's buffer, so it may be modified. */
        char *value = (char *)(uintptr_t)item->value;
        bool memory = false;

        if (option == NULL && loader->kind == KSA_SECTION_ACCOUNTS &&
            strcmp(item->key, "annotations") == 0) {
                ksa_diagnostics_add(
                        loader->diagnostics, KSA_CONFIG_INVALID, loader->file, line,
                        "annotations: accounts no longer choose names and uids; write an "
                        "[account NAME] section with uid = NUMBER for each that needs them");
                return;
        }
        if (option == NULL) {
                ksa_diagnostics_add(loader->diagnostics, KSA_CONFIG_INVALID, loader->file, line,
                                    "[%s] has no option %s", ksa_section_name(loader->kind),
                                    item->key);
                return;
        }
        uint64_t bit = UINT64_C(1) << (option - ksa_options);
        if ((head->given & bit) != 0 && (option->flags & KSA_OPTION_LIST) == 0) {
                ksa_diagnostics_add(loader->diagnostics, KSA_CONFIG_INVALID, loader->file, line,
                                    "%s appears twice in this section", item->key);
                return;
        }
        head->given |= bit;
        const char *misfit = ksa_value_has_placeholder(value)
                                     ? value
                                     : ksa_option_set(option, value, head, &memory);
        if (memory)
                out_of_memory(loader);
        else if (misfit != NULL)
                value_misfits(loader, option, misfit, line);
}

static void read_lines(struct loader *loader, char *bytes, size_t length)
{
        struct ksa_ini ini;
        struct ksa_ini_item item;

        loader->section = NULL;
        loader->skipping = false;
        ksa_ini_start(&ini, bytes, length);
        for (;;) {
                struct ksa_error error = {0};

                if (ksa_ini_next(&ini, &item, &error) != KSA_OK) {
                        ksa_diagnostics_add(loader->diagnostics, error.reason, loader->file,
                                            ini.line, "%s", error.text);
                        if (ini.is_header) { /* the keys below do not belong to the section above */
                                loader->section = NULL;
                                loader->skipping = true;
                        }
                        continue;
                }
                if (item.kind != NULL)
                        begin_section(loader, &item, ini.line);
                else if (item.key == NULL)
                        return;
                else if (loader->section != NULL)
                        set_option(loader, &item, ini.line);
                else if (!loader->skipping)
                        ksa_diagnostics_add(loader->diagnostics, KSA_CONFIG_INVALID, loader->file,
                                            ini.line, "%s appears before the first section",
                                            item.key);
        }
}

/*
 * Reads one file. Takes ownership of PATH, which messages use as long as the configuration lives.
 */
static void read_file(struct loader *loader, char *path)
{
        struct ksa_error error = {0};
        char *bytes;
        size_t length;

        if (path == NULL || !ksa_config_keep(loader->config, path)) {
                out_of_memory(loader);
                return;
        }
        loader->file = path;
        if (ksa_file_read(path, loader->env->owner, FILE_MAX_BYTES, &bytes, &length, &error) !=
            KSA_OK) {
                ksa_diagnostics_add(loader->diagnostics, error.reason, path, 0, "%s", error.text);
                return;
        }
        if (!ksa_config_keep(loader->config, bytes)) {
                out_of_memory(loader);
                return;
        }
        read_lines(loader, bytes, length);
}

static void read_directory(struct loader *loader)
{
        const char *main_file = loader->env->config_file;
        const char *slash = strrchr(main_file, '/');
        int directory_length = slash == NULL ? 0 : (int)(slash - main_file);
        struct ksa_error error = {0};
        char directory[PATH_MAX];
        char **names = NULL;

        (void)snprintf(directory, sizeof(directory), "%.*s/conf.d", directory_length, main_file);
        enum ksa_reason reason =
                ksa_file_list(directory, loader->env->owner, ".conf", &names, &error);
        if (reason == KSA_FILE_MISSING)
                return;
        if (reason != KSA_OK) {
                ksa_diagnostics_add(loader->diagnostics, reason, directory, 0, "%s", error.text);
                return;
        }
        for (size_t i = 0; names[i] != NULL; i++) {
                char *path = NULL;

                if (asprintf(&path, "%s/%s", directory, names[i]) < 0)
                        path = NULL;
                read_file(loader, path);
        }
        ksa_file_names_free(&names);
}

enum ksa_reason ksa_config_load(const struct ksa_env *env,
                                const struct ksa_diagnostic_handler *handler,
                                struct ksa_config **ret_config, struct ksa_error *err)
{
        struct ksa_diagnostics diagnostics = {.handler = handler};
        struct ksa_config *config = calloc(1, sizeof(*config));

        if (config == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        struct loader loader = {.env = env, .config = config, .diagnostics = &diagnostics};
        config->host.name = "";
        read_file(&loader, strdup(env->config_file));
        read_directory(&loader);
        ksa_config_expand(config, env, &diagnostics);
        ksa_config_validate(config, env, &diagnostics);
        if (!ksa_rule_index_build(config))
                out_of_memory(&loader);
        if (diagnostics.first.reason != KSA_UNREACHED) {
                if (err != NULL)
                        *err = diagnostics.first;
                ksa_config_free(&config);
                return diagnostics.first.reason;
        }
        *ret_config = config;
        return KSA_OK;
}

static void free_lists(enum ksa_section kind, void *section)
{
        for (size_t i = 0; i < ksa_option_count; i++) {
                if (ksa_options[i].section == kind && (ksa_options[i].flags & KSA_OPTION_LIST) != 0)
                        free(((struct ksa_list *)(void *)((char *)section + ksa_options[i].offset))
                                     ->items);
        }
}

void ksa_config_free(struct ksa_config **config)
{
        struct ksa_config *gone = *config;

        if (gone == NULL)
                return;
        free_lists(KSA_SECTION_HOST, &gone->host);
        for (unsigned kind = KSA_SECTION_CLUSTER; kind < KSA_SECTION_COUNT; kind++) {
                size_t size;
                void **array = ksa_config_array(gone, (enum ksa_section)kind, &size);

                for (size_t i = 0; i < gone->counts[kind]; i++)
                        free_lists((enum ksa_section)kind, (char *)*array + i * size);
                free(*array);
        }
        ksa_hash_index_clear(&gone->names);
        ksa_hash_index_clear(&gone->rule_index);
        for (size_t i = 0; i < gone->texts.count; i++)
                free(((char **)gone->texts.items)[i]);
        free(gone->texts.items);
        free(gone);
        *config = NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/load.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "config/correct.h"
#include "config/expand.h"
#include "config/foreign.h"
#include "config/ini.h"
#include "config/option.h"
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
        ksa_diagnostics_add(loader->diagnostics, KSA_MEMORY, (struct ksa_location){loader->file, 0},
                            ksa_reason_remedy(KSA_MEMORY), "out of memory");
}

/* Reports an error of the configuration at LINE of the file that is being read. */
#define ADD_ERROR(loader, line, remedy, ...)                           \
        ksa_diagnostics_add((loader)->diagnostics, KSA_CONFIG_INVALID, \
                            (struct ksa_location){(loader)->file, line}, remedy, __VA_ARGS__)

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

/* Keeps the header of a section that is not valid: references to the section are no errors. */
static void keep_header(struct loader *loader, const char *text)
{
        struct ksa_list *headers = &loader->diagnostics->headers;
        const char **header = ksa_list_next(headers, sizeof(*header));

        loader->section = NULL;
        loader->skipping = true;
        if (header == NULL) {
                out_of_memory(loader);
                return;
        }
        *header = text;
        headers->count++;
}

/* Reports a header whose kind is unknown, or that has a name too many or too few. */
static void reject_header(struct loader *loader, const struct ksa_ini *ini,
                          const struct ksa_ini_item *item, enum ksa_section kind)
{
        char remedy[KSA_REMEDY_MAX + 1], line[KSA_INI_LINE + 4];

        (void)snprintf(line, sizeof(line), "[%s %s]", item->kind, item->name);
        if (!ksa_correct_header(line, strlen(line), remedy))
                (void)snprintf(remedy, sizeof(remedy), KSA_INI_SECTIONS);
        if (kind == KSA_SECTION_COUNT)
                ADD_ERROR(loader, ini->line, remedy, "unknown section [%s]", item->kind);
        else
                ADD_ERROR(loader, ini->line, remedy,
                          ksa_section_is_named(kind) ? "[%s] needs a name" : "[%s] takes no name",
                          item->kind);
        keep_header(loader, item->name);
}

static void begin_section(struct loader *loader, const struct ksa_ini *ini,
                          const struct ksa_ini_item *item)
{
        struct ksa_config *config = loader->config;
        enum ksa_section kind = section_kind(item->kind);
        const struct ksa_section_head *earlier = NULL;

        if (kind == KSA_SECTION_COUNT || ksa_section_is_named(kind) != (*item->name != '\0')) {
                reject_header(loader, ini, item, kind);
                return;
        }
        loader->section = NULL;
        loader->skipping = true;
        if (kind != KSA_SECTION_HOST)
                earlier = ksa_config_find(config, kind, item->name);
        else if (config->counts[kind] > 0)
                earlier = ksa_config_section(config, kind, 0);
        if (earlier != NULL) {
                ADD_ERROR(loader, ini->line,
                          kind == KSA_SECTION_HOST
                                  ? "move its lines to the first [host]"
                                  : "choose another name, or remove one of the two",
                          "[%s%s%s] is already in %s line %u", item->kind,
                          *item->name != '\0' ? " " : "", item->name, earlier->location.file,
                          earlier->location.line);
                return;
        }
        loader->kind = kind;
        loader->section = add_section(loader, item->name);
        if (loader->section == NULL)
                return;
        struct ksa_section_head *head = loader->section;
        head->name = item->name;
        head->location = (struct ksa_location){loader->file, ini->line};
        set_defaults(kind, loader->section);
        config->counts[kind]++;
        loader->skipping = false;
}

/* --- Options ---------------------------------------------------------------- */

static void value_misfits(struct loader *loader, const struct ksa_option *option, const char *value,
                          unsigned line)
{
        const struct ksa_kind *kind = option->kind;
        const struct ksa_mistake *mistake =
                ksa_value_mistake(value, (option->flags & KSA_OPTION_LIST) != 0);
        char limits[64] = "", shown[160], remedy[KSA_REMEDY_MAX + 1];

        ksa_option_remedy(option, loader->config, value, remedy);
        /* A mistyped URL may contain a password. */
        if (loader->kind == KSA_SECTION_CLUSTER)
                value = ksa_text_url(value, shown, sizeof(shown));
        if (mistake != NULL) {
                ADD_ERROR(loader, line, mistake->remedy, "%s: %s: \"%.128s\"", option->name,
                          mistake->text, value);
                return;
        }
        if (option->max != 0)
                (void)snprintf(limits, sizeof(limits), "; from %llu to %llu",
                               (unsigned long long)option->min, (unsigned long long)option->max);
        ADD_ERROR(loader, line, remedy, "%s: \"%.128s\" is not a valid %s (expected %s%s)",
                  option->name, value, kind->name,
                  kind->allowed != NULL ? kind->allowed : kind->syntax, limits);
}

/* Records that a line of the section is about OPTION. Returns whether it is the first. */
static bool note_option(struct loader *loader, const struct ksa_option *option, unsigned line)
{
        struct ksa_section_head *head = loader->section;
        bool is_list = (option->flags & KSA_OPTION_LIST) != 0;
        const struct ksa_list *values =
                (const struct ksa_list *)(const void *)((char *)loader->section + option->offset);
        struct ksa_option_line *next = ksa_list_next(&head->lines, sizeof(*next));
        bool is_first = (head->given & ksa_option_bit(option)) == 0;

        head->given |= ksa_option_bit(option);
        if (next == NULL) {
                out_of_memory(loader);
                return true;
        }
        *next = (struct ksa_option_line){option->name, is_list ? values->count : 0, line};
        head->lines.count++;
        return is_first;
}

/* Records that a line about OPTION is not valid. */
static void note_fault(struct loader *loader, const struct ksa_option *option)
{
        struct ksa_section_head *head = loader->section;

        head->given |= ksa_option_bit(option);
        head->faulty |= ksa_option_bit(option);
}

/* The only kind of section that has an option of that name; KSA_SECTION_COUNT: none, or several. */
static enum ksa_section section_with(const char *name)
{
        enum ksa_section found = KSA_SECTION_COUNT;

        for (size_t i = 0; i < ksa_option_count; i++) {
                if (strcmp(ksa_options[i].name, name) != 0)
                        continue;
                if (found != KSA_SECTION_COUNT)
                        return KSA_SECTION_COUNT;
                found = ksa_options[i].section;
        }
        return found;
}

/* Writes the names of all options of the section. */
static void list_options(enum ksa_section section, char out[KSA_REMEDY_MAX + 1])
{
        size_t at = (size_t)snprintf(out, KSA_REMEDY_MAX + 1, "write one of:");

        for (size_t i = 0; i < ksa_option_count; i++) {
                size_t length = strlen(ksa_options[i].name) + 1;

                if (ksa_options[i].section != section || at + length > KSA_REMEDY_MAX)
                        continue;
                (void)snprintf(out + at, KSA_REMEDY_MAX + 1 - at, " %s", ksa_options[i].name);
                at += length;
        }
}

static void reject_key(struct loader *loader, const char *key, unsigned line)
{
        const char *kind = ksa_section_name(loader->kind);
        const struct ksa_option *near = ksa_option_near(loader->kind, key);
        enum ksa_section other = section_with(key);
        char remedy[KSA_REMEDY_MAX + 1];

        if (loader->kind == KSA_SECTION_ACCOUNTS && strcmp(key, "annotations") == 0) {
                ADD_ERROR(loader, line,
                          "write an [account NAME] section with uid = NUMBER for each account that "
                          "needs them",
                          "annotations: accounts no longer choose names and uids");
                return;
        }
        if (other != KSA_SECTION_COUNT)
                (void)snprintf(remedy, sizeof(remedy), "move the line to [%s%s]",
                               ksa_section_name(other), ksa_section_is_named(other) ? " NAME" : "");
        else if (near != NULL)
                (void)snprintf(remedy, sizeof(remedy), "did you mean \"%s\"?", near->name);
        else
                list_options(loader->kind, remedy);
        ADD_ERROR(loader, line, remedy, "[%s] has no option %s", kind, key);
        if (near != NULL)
                note_fault(loader, near);
}

static void set_option(struct loader *loader, const struct ksa_ini_item *item, unsigned line)
{
        const struct ksa_option *option = ksa_option_find(loader->kind, item->key);
        /* The item points into this file's buffer, so it may be modified. */
        char *value = (char *)(uintptr_t)item->value;
        bool memory = false;

        if (option == NULL) {
                reject_key(loader, item->key, line);
                return;
        }
        const struct ksa_location earlier = ksa_option_location(loader->section, option->name, 0);
        if (!note_option(loader, option, line) && (option->flags & KSA_OPTION_LIST) == 0) {
                ADD_ERROR(loader, line, "remove one of the two lines",
                          "%s appears twice in this section: line %u has it already", item->key,
                          earlier.line);
                return;
        }
        const char *misfit = ksa_value_has_placeholder(value)
                                     ? value
                                     : ksa_option_set(option, value, loader->section, &memory);
        if (memory) {
                out_of_memory(loader);
        } else if (misfit != NULL) {
                note_fault(loader, option);
                value_misfits(loader, option, misfit, line);
        }
}

/* --- Files ------------------------------------------------------------------ */

/* Reports a line that is neither a section nor an option. */
static void reject_line(struct loader *loader, const struct ksa_ini *ini, struct ksa_error *error)
{
        const struct ksa_option *option = NULL;
        char remedy[KSA_REMEDY_MAX + 1];
        bool is_known = false;

        if (ini->is_header) {
                is_known = ksa_correct_header(ini->text, ini->length, remedy);
        } else if (loader->section != NULL) {
                option = ksa_correct_option(loader->kind, ini->text, ini->length);
                is_known =
                        option != NULL && ksa_correct_line(option, ini->text, ini->length, remedy);
        }
        ADD_ERROR(loader, ini->line, is_known ? remedy : error->remedy, "%s", error->text);
        if (option != NULL)
                note_fault(loader, option);
        if (ini->is_header) /* the keys below do not belong to the section above */
                keep_header(loader, ini->text);
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
                        reject_line(loader, &ini, &error);
                        continue;
                }
                if (item.kind != NULL) {
                        begin_section(loader, &ini, &item);
                } else if (item.key == NULL) {
                        return;
                } else if (loader->section != NULL) {
                        set_option(loader, &item, ini.line);
                } else if (!loader->skipping) {
                        ADD_ERROR(loader, ini.line,
                                  "write the header of its section above the line, such as [host]",
                                  "%s appears before the first section", item.key);
                        loader->skipping = true; /* the other lines are the same mistake */
                }
        }
}

/* Reports a file that is not a configuration as a whole. */
static void reject_file(struct loader *loader, const struct ksa_foreign *foreign)
{
        const char *word = strstr(foreign->remedy, "FILE");
        char remedy[KSA_REMEDY_MAX + 1];

        if (word == NULL)
                (void)snprintf(remedy, sizeof(remedy), "%s", foreign->remedy);
        else
                (void)snprintf(remedy, sizeof(remedy), "%.*s%s%s", (int)(word - foreign->remedy),
                               foreign->remedy, loader->file, word + 4);
        ADD_ERROR(loader, foreign->line, remedy, "%s", foreign->text);
        loader->diagnostics->is_partial = true;
}

/*
 * Reads one file. Takes ownership of PATH, which messages use as long as the configuration lives.
 */
static void read_file(struct loader *loader, char *path)
{
        struct ksa_foreign foreign;
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
                ksa_diagnostics_add_error(loader->diagnostics, path, &error);
                loader->diagnostics->is_partial = true;
                return;
        }
        if (!ksa_config_keep(loader->config, bytes)) {
                out_of_memory(loader);
                return;
        }
        if (ksa_foreign_find(bytes, length, &foreign))
                reject_file(loader, &foreign);
        else
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
                ksa_diagnostics_add_error(loader->diagnostics, directory, &error);
                loader->diagnostics->is_partial = true;
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
        /* A directory on the way to both would be reported twice. */
        if (diagnostics.first.reason == KSA_UNREACHED ||
            diagnostics.first.reason == KSA_CONFIG_INVALID)
                read_directory(&loader);
        ksa_config_expand(config, env, &diagnostics);
        ksa_config_validate(config, env, &diagnostics);
        if (!ksa_rule_index_build(config))
                out_of_memory(&loader);
        free(diagnostics.headers.items);
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
        free(((struct ksa_section_head *)section)->lines.items);
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

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration file: each key and value is the text of its reported line. An
 * accepted file has no comment after a value, and no value outside its alphabet.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "base/env.h"
#include "config/load.h"
#include "config/ini.h"
#include "config/option.h"
#include "fuzz.h"

static char path[64];

static void remove_directory(void)
{
        (void)unlink(path);
        *strrchr(path, '/') = '\0';
        (void)rmdir(path);
}

static void write_file(const uint8_t *data, size_t size)
{
        if (path[0] == '\0') {
                (void)snprintf(path, sizeof(path), "/dev/shm/ksa-fuzz-XXXXXX");
                MUST(mkdtemp(path) != NULL);
                strcat(path, "/ksa.conf");
                MUST(atexit(remove_directory) == 0);
        }
        FILE *file = fopen(path, "wb");
        MUST(file != NULL);
        MUST(fwrite(data, 1, size, file) == size);
        MUST(fclose(file) == 0);
}

/* Line NUMBER of the input, from 1; not terminated. */
static const char *find_line(const char *text, size_t size, unsigned number, size_t *ret_length)
{
        const char *end = text + size;

        for (unsigned line = 1; line < number; line++) {
                text = memchr(text, '\n', (size_t)(end - text));
                MUST(text != NULL);
                text++;
        }
        const char *stop = text == end ? NULL : memchr(text, '\n', (size_t)(end - text));
        *ret_length = (size_t)((stop != NULL ? stop : end) - text);
        return text;
}

static void check_item(const char *text, size_t size, unsigned number,
                       const struct ksa_ini_item *item)
{
        size_t length;
        const char *line = find_line(text, size, number, &length);

        MUST(length <= 1024);
        if (item->key != NULL) {
                size_t key = strlen(item->key), value = strlen(item->value);

                MUST(value > 0 && key + value < length);
                MUST(memcmp(line, item->key, key) == 0);
                MUST(memmem(line + key, length - key, item->value, value) != NULL);
        } else {
                MUST(line[0] == '[');
                MUST(memmem(line, length, item->name, strlen(item->name)) != NULL);
        }
}

static void check_reader(const uint8_t *data, size_t size)
{
        struct ksa_ini ini;
        struct ksa_ini_item item;
        struct ksa_error error;
        char *text = calloc(1, size + 1), *cut = calloc(1, size + 1);
        unsigned last = 0;

        MUST(text != NULL && cut != NULL);
        if (size > 0) {
                memcpy(text, data, size);
                memcpy(cut, data, size);
        }
        ksa_ini_start(&ini, cut, size);
        for (;;) {
                memset(&error, 0, sizeof(error));
                enum ksa_reason reason = ksa_ini_next(&ini, &item, &error);

                MUST(reason == KSA_OK || error.text[0] != '\0');
                if (reason == KSA_OK && item.kind == NULL && item.key == NULL)
                        break;
                MUST(ini.line > last);
                last = ini.line;
                if (reason == KSA_OK)
                        check_item(text, size, ini.line, &item);
        }
        free(text);
        free(cut);
}

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789-"
#define URI   ALNUM "-._~:/?[]@!&()*+=%"
#define PATHS "/._-+@:=~%"

static bool is_made_of(const char *text, const char *alphabet)
{
        return text[0] != '\0' && text[strspn(text, alphabet)] == '\0';
}

/* Of a user, a group or a service. */
static bool is_name(const char *name, bool may_end_in_dollar)
{
        size_t length = strspn(name, ALNUM "_.-@+");

        return length > 0 && strchr("-+.@", name[0]) == NULL &&
               (name[length] == '\0' || (may_end_in_dollar && strcmp(name + length, "$") == 0));
}

static bool is_pattern(const struct ksa_pattern *pattern)
{
        const char *namespace = pattern->namespace, *name = pattern->name;

        return is_made_of(pattern->cluster, ALNUM "._-") &&
               (strcmp(namespace, "*") == 0 || is_made_of(namespace, LOWER)) &&
               (strcmp(name, "*") == 0 || is_made_of(name, LOWER "."));
}

/* The options whose values are texts, by the name of their kind; other values cannot hold a text. */
static bool is_valid(const struct ksa_option *option, const void *place)
{
        const char *kind = option->kind->name;
        const char *text = *(const char *const *)place;

        if (strcmp(kind, "account") == 0)
                return is_pattern(place);
        if (strcmp(kind, "user name") == 0)
                return strcmp(text, "@own") == 0 || is_name(text, true);
        if (strcmp(kind, "group name") == 0 || strcmp(kind, "PAM service") == 0)
                return is_name(text, kind[0] == 'g');
        if (strcmp(kind, "path") == 0)
                return text[0] == '/' && is_made_of(text, ALNUM PATHS);
        if (strcmp(kind, "source of accounts") == 0)
                return strcmp(text, "api") == 0 ||
                       (strncmp(text, "file:/", 6) == 0 && is_made_of(text, ALNUM PATHS));
        if (strcmp(kind, "uid") == 0)
                return is_made_of(text, ALNUM "-");
        if (strcmp(kind, "label selector") == 0)
                return is_made_of(text, ALNUM " -_./=!,()");
        if (strcmp(kind, "host name") == 0)
                return is_made_of(text, LOWER ".");
        if (strcmp(kind, "namespace") == 0)
                return strcmp(text, "*") == 0 || is_made_of(text, LOWER);
        return is_made_of(text, URI); /* audience, issuer, URL, source of keys */
}

/* Whether the values of OPTION are texts or patterns, not numbers, names of an enumeration or networks. */
static bool holds_text(const struct ksa_option *option)
{
        static const char *const others[] = {"duration", "number", "range of uids", "value",
                                             "network"};

        for (size_t i = 0; i < KSA_COUNT(others); i++) {
                if (strcmp(option->kind->name, others[i]) == 0)
                        return false;
        }
        return true;
}

static void check_option(const struct ksa_option *option, const struct ksa_section_head *section)
{
        const char *place = (const char *)section + option->offset;
        const struct ksa_list *list = (const void *)place;

        if (!holds_text(option) || !ksa_option_given(section, option))
                return;
        if ((option->flags & KSA_OPTION_LIST) == 0) {
                MUST(is_valid(option, place));
                return;
        }
        MUST(list->count > 0);
        for (size_t i = 0; i < list->count; i++)
                MUST(is_valid(option, (const char *)list->items + i * option->kind->size));
}

static void check_values(const struct ksa_config *config)
{
        for (size_t i = 0; i < ksa_option_count; i++) {
                enum ksa_section kind = ksa_options[i].section;

                if (kind == KSA_SECTION_HOST)
                        check_option(&ksa_options[i],
                                     (const struct ksa_section_head *)&config->host);
                for (size_t n = 0; kind != KSA_SECTION_HOST && n < config->counts[kind]; n++)
                        check_option(&ksa_options[i], ksa_config_section(config, kind, n));
        }
        for (unsigned kind = KSA_SECTION_CLUSTER; kind < KSA_SECTION_COUNT; kind++) {
                for (size_t n = 0; n < config->counts[kind]; n++) {
                        const struct ksa_section_head *section =
                                ksa_config_section(config, (enum ksa_section)kind, n);

                        MUST(is_made_of(section->name, ALNUM "._-"));
                        MUST(kind != KSA_SECTION_CLUSTER || section->name[0] != '.');
                }
        }
}

/* In an accepted file "#" begins a line, and ";" is only in such lines. */
static void check_comments(const char *text, size_t size)
{
        const char *end = text + size;

        while (text < end) {
                const char *feed = memchr(text, '\n', (size_t)(end - text));
                size_t length = (size_t)((feed != NULL ? feed : end) - text);

                MUST(text[0] == '#' ||
                     (memchr(text, '#', length) == NULL && memchr(text, ';', length) == NULL));
                text += length + 1;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct ksa_config *config = NULL;
        struct ksa_error error = {0};

        check_reader(data, size);
        write_file(data, size);
        struct ksa_env env = {.now = 1795464267,
                              .owner = getuid(),
                              .config_file = path,
                              .cache_dir = "/nowhere",
                              .host_name = "build-7",
                              .reference = "00000000"};
        if (ksa_config_load(&env, NULL, &config, &error) == KSA_OK) {
                MUST(config->host.audience.count > 0);
                check_values(config);
                check_comments((const char *)data, size);
        } else {
                MUST(config == NULL && error.text[0] != '\0');
        }
        ksa_config_free(&config);
        return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration file: each key and value is the text of the line that it is said to stand in. An
 * accepted file has no comment after a value, and no value outside its alphabet.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "base/env.h"
#include "config/load.h"
#include "config/ini.h"
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
#define URI   ALNUM "-._~:/?[]@!&()*+=%"

static void check_text(const char *text, const char *alphabet)
{
        MUST(text == NULL || (text[0] != '\0' && text[strspn(text, alphabet)] == '\0'));
}

static void check_texts(const struct ksa_list *list, const char *alphabet)
{
        for (size_t i = 0; i < list->count; i++)
                check_text(ksa_list_text(list, i), alphabet);
}

static void check_names(const struct ksa_list *list, bool may_end_in_dollar)
{
        for (size_t i = 0; i < list->count; i++) {
                const char *name = ksa_list_text(list, i);
                size_t length = strspn(name, ALNUM "_.-@+");

                MUST(length > 0 && strchr("-+.~", name[0]) == NULL);
                MUST(name[0] != '@' || (may_end_in_dollar && strcmp(name, "@own") == 0));
                MUST(name[length] == '\0' ||
                     (may_end_in_dollar && strcmp(name + length, "$") == 0));
        }
}

static void check_values(const struct ksa_config *config)
{
        static const char paths[] = ALNUM "/._-+@:=~%";

        check_texts(&config->host.audience, URI);
        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++) {
                const struct ksa_cluster *cluster = &config->clusters[i];

                check_texts(&cluster->issuer, URI);
                check_text(cluster->keys, URI);
                check_text(cluster->api_server, URI);
                check_text(cluster->proxy, URI);
                check_text(cluster->api_ca_file, paths);
                check_text(cluster->credential_file, paths);
        }
        for (size_t i = 0; i < config->counts[KSA_SECTION_SERVICE]; i++)
                check_texts(&config->services[i].audience, URI);
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                const struct ksa_rule *rule = &config->rules[i];

                check_text(rule->account_uid, ALNUM "-");
                check_names(&rule->user, true);
                check_names(&rule->service, false);
                check_texts(&rule->audience, URI);
        }
        for (size_t i = 0; i < config->counts[KSA_SECTION_ACCOUNT]; i++) {
                const struct ksa_account *account = &config->accounts[i];

                check_names(&account->groups, true);
                MUST(!ksa_list_has(&account->groups, "@own"));
                check_text(account->home, paths);
                check_text(account->shell, paths);
        }
        for (size_t i = 0; i < config->counts[KSA_SECTION_ACCOUNTS]; i++)
                check_text(config->account_sources[i].selector, ALNUM " -_./=!,()");
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

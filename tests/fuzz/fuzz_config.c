/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration file: each key and value is the text of the line that it is said to stand in. */
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "env.h"
#include "fuzz.h"
#include "ini.h"

static char path[64];

static void remove_folder(void)
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
                MUST(atexit(remove_folder) == 0);
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
        if (ksa_config_load(&env, NULL, &config, &error) == KSA_OK)
                MUST(config->host.audience.count > 0);
        else
                MUST(config == NULL && error.text[0] != '\0');
        ksa_config_free(&config);
        return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/support.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Long after the start. */
static int64_t a_month(void)
{
        return INT64_C(30) * 86400 * 1000;
}

int workdir_setup(void **state)
{
        struct workdir *workdir = calloc(1, sizeof(*workdir));

        assert_non_null(workdir);
        (void)snprintf(workdir->directory, sizeof(workdir->directory), "/tmp/ksa-unit-XXXXXX");
        assert_non_null(mkdtemp(workdir->directory));
        (void)snprintf(workdir->config_file, sizeof(workdir->config_file), "%s/ksa.conf",
                       workdir->directory);
        workdir->env = (struct ksa_env){.now = 1795464267,
                                        .uptime = a_month,
                                        .owner = getuid(),
                                        .config_file = workdir->config_file,
                                        .cache_dir = workdir->directory,
                                        .host_name = "build-7.example.com",
                                        .reference = "00000000"};
        *state = workdir;
        return 0;
}

static int remove_one(const char *path, const struct stat *status __attribute__((unused)),
                      int kind __attribute__((unused)), struct FTW *ftw __attribute__((unused)))
{
        return remove(path);
}

int workdir_teardown(void **state)
{
        struct workdir *workdir = *state;

        (void)nftw(workdir->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        free(workdir);
        return 0;
}

void workdir_write(const struct workdir *workdir, const char *name, const char *text)
{
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", workdir->directory, name);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(chmod(path, 0644), 0);
}

void workdir_directory(const struct workdir *workdir, const char *name)
{
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", workdir->directory, name);
        assert_int_equal(mkdir(path, 0755), 0);
}

enum ksa_reason workdir_load(struct workdir *workdir, const char *text,
                             struct ksa_config **ret_config, struct ksa_error *err)
{
        workdir_write(workdir, "ksa.conf", text);
        return ksa_config_load(&workdir->env, NULL, ret_config, err);
}

char *read_whole(const char *path)
{
        FILE *file = fopen(path, "r");
        char *bytes = calloc(1, 1 << 20);

        assert_non_null(file);
        assert_non_null(bytes);
        (void)!fread(bytes, 1, (1 << 20) - 1, file);
        assert_int_equal(fclose(file), 0);
        return bytes;
}

struct ksa_secret *secret_of(const char *text)
{
        struct ksa_secret *secret = ksa_secret_new(strlen(text));

        assert_non_null(secret);
        assert_true(ksa_secret_append(secret, text, strlen(text)));
        return secret;
}

/* Marsaglia's xorshift, 32 bits. */
uint32_t next_random(uint32_t *seed)
{
        *seed ^= *seed << 13;
        *seed ^= *seed >> 17;
        *seed ^= *seed << 5;
        return *seed;
}

void check_between(int64_t value, int64_t low, int64_t high, const char *file, int line)
{
        if (value >= low && value <= high)
                return;
        print_error("%lld is not from %lld to %lld\n", (long long)value, (long long)low,
                    (long long)high);
        _fail(file, line);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the unit tests: a temporary directory, files in it, an environment. */
#ifndef KSA_TEST_SUPPORT_H
#define KSA_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/secret.h"
#include "config/load.h"
#include "login/login.h"

struct workdir {
        char directory[64];
        char config_file[96];
        struct ksa_env env;
};

/* Creates the directory and an environment in it; cmocka's setup and teardown. */
int workdir_setup(void **state);
int workdir_teardown(void **state);

/* Writes DIRECTORY/NAME, mode 0644. */
void workdir_write(const struct workdir *workdir, const char *name, const char *text);

/* Creates DIRECTORY/NAME, mode 0755. */
void workdir_directory(const struct workdir *workdir, const char *name);

/* Writes ksa.conf and loads it; the reason and the error of the load. */
enum ksa_reason workdir_load(struct workdir *workdir, const char *text,
                             struct ksa_config **ret_config, struct ksa_error *err);

/* A whole file, NUL at its end; the caller frees it. */
char *read_whole(const char *path);

struct ksa_secret *secret_of(const char *text);

/* Numbers that look random and are the same in each run; *SEED is not 0. */
uint32_t next_random(uint32_t *seed);

/* VALUE is from LOW to HIGH. cmocka 2 deprecates assert_in_range for functions that 1.1 does not have. */
#define assert_between(value, low, high) \
        check_between((int64_t)(value), (int64_t)(low), (int64_t)(high), __FILE__, __LINE__)
void check_between(int64_t value, int64_t low, int64_t high, const char *file, int line);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* used_tokens.c: which marks go, and that nothing else does. */
#include "admin/keys/used_tokens.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/support.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static bool is_there(const struct workdir *workdir, const char *name)
{
        struct stat status;
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/used/%s", workdir->directory, name);
        return lstat(path, &status) == 0;
}

static void test_sweep(void **state)
{
        struct workdir *workdir = *state;
        /* NOW is 1795464267: a token is accepted 60 s after its exp, and its mark stays an hour more. */
        static const struct {
                const char *name;
                bool goes;
        } rows[] = {
                {"1795460606-" HASH, true},
                {"1795460607-" HASH, false},
                {"1795464267-" HASH, false},
                {"0-" HASH, true},
                {"1-" HASH, true},
                {"01-" HASH, false},
                {"-1-" HASH, false},
                {"-" HASH, false},
                {"1-" HASH "0", false},
                {"1-0011", false},
                {"1-00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff", false},
                {"99999999999999999999-" HASH, false},
                {"readme", false},
        };
        char directory[128], path[256];
        struct ksa_error error = {0};
        size_t removed = 99;

        (void)snprintf(directory, sizeof(directory), "%s/used", workdir->directory);
        workdir->env.used_dir = directory;
        assert_int_equal(ksa_used_tokens_sweep(&workdir->env, &removed, &error), KSA_OK);
        assert_int_equal(removed, 0); /* a missing directory is fine */
        workdir_directory(workdir, "used");
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                (void)snprintf(path, sizeof(path), "used/%s", rows[i].name);
                workdir_write(workdir, path, "");
        }
        assert_int_equal(ksa_used_tokens_sweep(&workdir->env, &removed, &error), KSA_OK);
        assert_int_equal(removed, 3);
        for (size_t i = 0; i < KSA_COUNT(rows); i++)
                assert_int_equal(is_there(workdir, rows[i].name), !rows[i].goes);
}

/* NOW is 1795464267. A file that is not a mark is not counted, and stays. */
static void test_count(void **state)
{
        static const char *const names[] = {"1795377866-" HASH, "1795377867-" HASH,
                                            "1795464267-" HASH, "1-" HASH,
                                            "1-0011",           "readme"};
        struct workdir *workdir = *state;
        struct ksa_error error = {0};
        struct ksa_used_tokens used = {99, 99};
        char directory[128], path[256];

        (void)snprintf(directory, sizeof(directory), "%s/used", workdir->directory);
        workdir->env.used_dir = directory;
        assert_int_equal(ksa_used_tokens_count(&workdir->env, &used, &error), KSA_OK);
        assert_int_equal(used.count, 0); /* no directory is fine */
        workdir_directory(workdir, "used");
        for (size_t i = 0; i < KSA_COUNT(names); i++) {
                (void)snprintf(path, sizeof(path), "used/%s", names[i]);
                workdir_write(workdir, path, "");
        }
        assert_int_equal(ksa_used_tokens_count(&workdir->env, &used, &error), KSA_OK);
        assert_int_equal(used.count, 4);
        assert_int_equal(used.old, 2);
        for (size_t i = 0; i < KSA_COUNT(names); i++)
                assert_true(is_there(workdir, names[i]));
        assert_int_equal(chmod(directory, 0777), 0);
        used.count = 99;
        assert_int_equal(ksa_used_tokens_count(&workdir->env, &used, &error), KSA_FILE_UNSAFE);
        assert_int_equal(used.count, 99);
}

/* A mark that cannot be removed does not keep the others. */
static void test_what_cannot_be_removed(void **state)
{
        struct workdir *workdir = *state;
        char directory[128];
        struct ksa_error error = {0};
        size_t removed;

        (void)snprintf(directory, sizeof(directory), "%s/used", workdir->directory);
        workdir->env.used_dir = directory;
        workdir_directory(workdir, "used");
        workdir_directory(workdir, "used/1-" HASH);
        workdir_write(workdir, "used/2-" HASH, "");
        assert_int_equal(ksa_used_tokens_sweep(&workdir->env, &removed, &error),
                         KSA_FILE_UNWRITABLE);
        assert_int_equal(removed, 1);
        assert_false(is_there(workdir, "2-" HASH));
}

static void test_a_directory_that_others_can_write(void **state)
{
        struct workdir *workdir = *state;
        char directory[128];
        struct ksa_error error = {0};
        size_t removed;

        (void)snprintf(directory, sizeof(directory), "%s/used", workdir->directory);
        workdir->env.used_dir = directory;
        workdir_directory(workdir, "used");
        workdir_write(workdir, "used/1-" HASH, "");
        assert_int_equal(chmod(directory, 0777), 0);
        assert_int_equal(ksa_used_tokens_sweep(&workdir->env, &removed, &error), KSA_FILE_UNSAFE);
        assert_true(is_there(workdir, "1-" HASH));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, workdir_setup, workdir_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_sweep),
                TEST(test_count),
                TEST(test_what_cannot_be_removed),
                TEST(test_a_directory_that_others_can_write),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

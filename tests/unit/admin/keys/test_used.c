/* SPDX-License-Identifier: GPL-2.0-or-later */
/* used.c: which marks go, and that nothing else does. */
#include "admin/keys/used.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/support.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static bool is_there(const struct place *place, const char *name)
{
        struct stat status;
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/used/%s", place->folder, name);
        return lstat(path, &status) == 0;
}

static void test_sweep(void **state)
{
        struct place *place = *state;
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
        char folder[128], path[256];
        struct ksa_error error = {0};
        size_t removed = 99;

        (void)snprintf(folder, sizeof(folder), "%s/used", place->folder);
        place->env.used_dir = folder;
        assert_int_equal(ksa_used_sweep(&place->env, &removed, &error), KSA_OK);
        assert_int_equal(removed, 0); /* no folder is fine */
        place_folder(place, "used");
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                (void)snprintf(path, sizeof(path), "used/%s", rows[i].name);
                place_write(place, path, "");
        }
        assert_int_equal(ksa_used_sweep(&place->env, &removed, &error), KSA_OK);
        assert_int_equal(removed, 3);
        for (size_t i = 0; i < KSA_COUNT(rows); i++)
                assert_int_equal(is_there(place, rows[i].name), !rows[i].goes);
}

/* NOW is 1795464267. What is not a mark is not counted, and every file stays. */
static void test_count(void **state)
{
        static const char *const names[] = {"1795377866-" HASH, "1795377867-" HASH,
                                            "1795464267-" HASH, "1-" HASH,
                                            "1-0011",           "readme"};
        struct place *place = *state;
        struct ksa_error error = {0};
        struct ksa_used used = {99, 99};
        char folder[128], path[256];

        (void)snprintf(folder, sizeof(folder), "%s/used", place->folder);
        place->env.used_dir = folder;
        assert_int_equal(ksa_used_count(&place->env, &used, &error), KSA_OK);
        assert_int_equal(used.count, 0); /* no directory is fine */
        place_folder(place, "used");
        for (size_t i = 0; i < KSA_COUNT(names); i++) {
                (void)snprintf(path, sizeof(path), "used/%s", names[i]);
                place_write(place, path, "");
        }
        assert_int_equal(ksa_used_count(&place->env, &used, &error), KSA_OK);
        assert_int_equal(used.count, 4);
        assert_int_equal(used.old, 2);
        for (size_t i = 0; i < KSA_COUNT(names); i++)
                assert_true(is_there(place, names[i]));
        assert_int_equal(chmod(folder, 0777), 0);
        used.count = 99;
        assert_int_equal(ksa_used_count(&place->env, &used, &error), KSA_FILE_UNSAFE);
        assert_int_equal(used.count, 99);
}

/* What cannot be removed does not keep the others. */
static void test_what_cannot_be_removed(void **state)
{
        struct place *place = *state;
        char folder[128];
        struct ksa_error error = {0};
        size_t removed;

        (void)snprintf(folder, sizeof(folder), "%s/used", place->folder);
        place->env.used_dir = folder;
        place_folder(place, "used");
        place_folder(place, "used/1-" HASH);
        place_write(place, "used/2-" HASH, "");
        assert_int_equal(ksa_used_sweep(&place->env, &removed, &error), KSA_FILE_UNWRITABLE);
        assert_int_equal(removed, 1);
        assert_false(is_there(place, "2-" HASH));
}

static void test_a_folder_that_others_can_write(void **state)
{
        struct place *place = *state;
        char folder[128];
        struct ksa_error error = {0};
        size_t removed;

        (void)snprintf(folder, sizeof(folder), "%s/used", place->folder);
        place->env.used_dir = folder;
        place_folder(place, "used");
        place_write(place, "used/1-" HASH, "");
        assert_int_equal(chmod(folder, 0777), 0);
        assert_int_equal(ksa_used_sweep(&place->env, &removed, &error), KSA_FILE_UNSAFE);
        assert_true(is_there(place, "1-" HASH));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_sweep),
                TEST(test_count),
                TEST(test_what_cannot_be_removed),
                TEST(test_a_folder_that_others_can_write),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

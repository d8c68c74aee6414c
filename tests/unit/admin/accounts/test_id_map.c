/* SPDX-License-Identifier: BSD-2-Clause */
/* id_map.c: the kernel's map, and nothing that only looks like one. */
#include "admin/accounts/id_map.h"

#include <stdio.h>
#include <string.h>

#include "support/support.h"

static enum ksa_reason read_map(struct workdir *workdir, const char *text, struct ksa_id_map *map)
{
        struct ksa_error error = {0};
        char path[96];

        workdir_write(workdir, "uid_map", text);
        (void)snprintf(path, sizeof(path), "%s/uid_map", workdir->directory);
        return ksa_id_map_read(path, map, &error);
}

/* A kernel without user namespaces, and the first one. */
static void test_all_ids_are_mapped(void **state)
{
        struct ksa_error error = {0};
        struct ksa_id_map map;

        for (int i = 0; i < 3; i++) {
                const char *path = i == 0 ? NULL : "/nonexistent/uid_map";

                if (i == 2)
                        assert_int_equal(
                                read_map(*state, "         0          0 4294967295\n", &map),
                                KSA_OK);
                else
                        assert_int_equal(ksa_id_map_read(path, &map, &error), KSA_OK);
                assert_true(ksa_id_map_has(&map, 0, UINT32_MAX - 1));
                assert_true(ksa_id_map_has(&map, 1879048192, 2147483647));
        }
}

static void test_ids_outside_are_not_mapped(void **state)
{
        struct ksa_id_map map;
        char text[KSA_ID_MAP_TEXT];

        assert_int_equal(read_map(*state, "0 100000 65536\n", &map), KSA_OK);
        assert_true(ksa_id_map_has(&map, 0, 65535));
        assert_false(ksa_id_map_has(&map, 65535, 65536));
        assert_false(ksa_id_map_has(&map, 1879048192, 1879048192));
        assert_string_equal(ksa_id_map_tell(&map, text), "0-65535");
        /* Rootless: root is the user, and the others are subordinate; in any order. */
        assert_int_equal(read_map(*state, "1 100000 65536\n0 1000 1\n", &map), KSA_OK);
        assert_true(ksa_id_map_has(&map, 0, 65536));
        assert_false(ksa_id_map_has(&map, 0, 65537));
        assert_string_equal(ksa_id_map_tell(&map, text), "1-65536");
        assert_int_equal(read_map(*state, "0 0 10\n20 20 10\n", &map), KSA_OK);
        assert_false(ksa_id_map_has(&map, 5, 25));
        assert_int_equal(read_map(*state, "4294967295 0 1\n", &map), KSA_OK);
        assert_true(ksa_id_map_has(&map, UINT32_MAX, UINT32_MAX));
        assert_false(ksa_id_map_has(&map, 0, 0));
        /* Before it was written. */
        assert_int_equal(read_map(*state, "", &map), KSA_OK);
        assert_false(ksa_id_map_has(&map, 0, 0));
        assert_string_equal(ksa_id_map_tell(&map, text), "no ids");
}

static void test_what_is_no_map_is_refused(void **state)
{
        static const char *const bad[] = {
                "\n",
                "0 0\n",
                "0 0 0\n",
                "0 0 1 1\n",
                "0 0 1",
                "-1 0 1\n",
                "0 0 4294967297\n",
                "1 0 4294967296\n",
                "4294967296 0 1\n",
                "0 4294967296 1\n",
                "0 0 0x10\n",
                "0 0 1k\n",
                "0\t0\t1\n",
                "0 0 65536\n\n",
                "# 0 0 1\n",
        };
        struct ksa_id_map map = {.count = 17};

        for (size_t i = 0; i < KSA_COUNT(bad); i++) {
                if (read_map(*state, bad[i], &map) != KSA_FILE_UNREADABLE)
                        fail_msg("row %zu", i);
                assert_int_equal(map.count, 17);
        }
}

/* As many lines as the kernel takes, and one more. */
static void test_most_lines(void **state)
{
        char text[(KSA_ID_MAP_LINES + 1) * 16] = "";
        struct ksa_id_map map;
        size_t length = 0;

        for (size_t i = 0; i < KSA_ID_MAP_LINES; i++)
                length += (size_t)snprintf(text + length, sizeof(text) - length, "%zu 0 1\n", i);
        assert_int_equal(read_map(*state, text, &map), KSA_OK);
        assert_true(ksa_id_map_has(&map, 0, KSA_ID_MAP_LINES - 1));
        (void)snprintf(text + length, sizeof(text) - length, "9999 0 1\n");
        assert_int_equal(read_map(*state, text, &map), KSA_FILE_UNREADABLE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, workdir_setup, workdir_teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_all_ids_are_mapped),
                TEST(test_ids_outside_are_not_mapped),
                TEST(test_what_is_no_map_is_refused),
                TEST(test_most_lines),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

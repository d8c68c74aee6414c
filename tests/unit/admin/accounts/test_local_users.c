/* SPDX-License-Identifier: BSD-2-Clause */
/* local_users.c, local_files.c: the owner of a name or a number on a host. */
#include "admin/accounts/local_users.h"

#include <stdio.h>
#include <string.h>

#include "support/support.h"

struct paths {
        char passwd[96], group[96], subuid[96], subgid[96];
};

static struct ksa_local_files files_of(const struct workdir *workdir, struct paths *paths)
{
        (void)snprintf(paths->passwd, sizeof(paths->passwd), "%s/passwd", workdir->directory);
        (void)snprintf(paths->group, sizeof(paths->group), "%s/group", workdir->directory);
        (void)snprintf(paths->subuid, sizeof(paths->subuid), "%s/subuid", workdir->directory);
        (void)snprintf(paths->subgid, sizeof(paths->subgid), "%s/subgid", workdir->directory);
        return (struct ksa_local_files){.passwd = paths->passwd,
                                        .group = paths->group,
                                        .subuid = paths->subuid,
                                        .subgid = paths->subgid};
}

static struct ksa_local *read_place(const struct workdir *workdir, bool ask_nss)
{
        static struct paths paths; /* the messages borrow them */
        struct ksa_local_files files = files_of(workdir, &paths);
        struct ksa_local *local = NULL;
        struct ksa_error err = {0};

        files.ask_nss = ask_nss;
        if (ksa_local_read(&files, &local, &err) != KSA_OK)
                fail_msg("%s", err.text);
        return local;
}

static void test_nothing_there(void **state)
{
        struct ksa_local *local = read_place(*state, false);
        char who[KSA_WHO_SIZE];
        uint32_t gid = 7;

        assert_false(ksa_local_has_name(local, "root", true, who));
        assert_false(ksa_local_has_number(local, 0, true, who));
        assert_false(ksa_local_gives_ids(local, "root", 0, who));
        assert_false(ksa_local_gid(local, "root", &gid));
        assert_int_equal(gid, 7);
        ksa_local_free(&local);
        ksa_local_free(&local);
}

static void test_users_and_groups(void **state)
{
        struct workdir *workdir = *state;
        struct paths paths;
        struct ksa_local_files files = files_of(workdir, &paths);
        struct ksa_local *local = NULL;
        struct ksa_error err = {0};
        char who[KSA_WHO_SIZE];
        uint32_t gid = 0;

        workdir_write(workdir, "passwd",
                      "root:x:0:0::/root:/bin/sh\nci_deployer:x:5000:6000::/:/bin/sh\n"
                      "broken line\nlast:x:7000:7000::/:/bin/sh");
        workdir_write(workdir, "group", "root:x:0:\nweb:x:8000:a,b\ndocker:x:2000:\n");
        assert_int_equal(ksa_local_read(&files, &local, &err), KSA_OK);
        assert_true(ksa_local_has_name(local, "ci_deployer", false, who));
        assert_ptr_equal(strstr(who, "the user 'ci_deployer' of "), who);
        assert_non_null(strstr(who, "/passwd"));
        assert_true(ksa_local_has_name(local, "last", false, who));
        assert_ptr_equal(strstr(who, "the user 'last' of "), who);
        assert_false(ksa_local_has_name(local, "ci_deploye", false, who));
        assert_true(ksa_local_has_name(local, "web", false, who));
        assert_true(ksa_local_has_number(local, 5000, false, who));
        assert_true(ksa_local_has_number(local, 6000, false, who)); /* a gid that no group has */
        assert_true(ksa_local_has_number(local, 8000, false, who));
        assert_true(ksa_local_has_number(local, 0, false, who));
        assert_false(ksa_local_has_number(local, 5001, false, who));
        assert_true(ksa_local_gid(local, "web", &gid));
        assert_int_equal(gid, 8000);
        assert_false(ksa_local_is_powerful("web", 8000));
        assert_true(ksa_local_is_powerful("web", 999));
        assert_true(ksa_local_is_powerful("docker", 2000));
        ksa_local_free(&local);
}

static void test_subordinate_ids(void **state)
{
        struct workdir *workdir = *state;
        char who[KSA_WHO_SIZE];

        workdir_write(workdir, "subuid",
                      "# people write remarks\n\na:100000:65536\nb:90000:200000\nc:95000:10\n"
                      "#d:400000:1\ne:500000:0\nf:4294967295:1\n");
        workdir_write(workdir, "subgid", "a:1900000000:65536\n");
        struct ksa_local *local = read_place(workdir, false);

        assert_false(ksa_local_has_number(local, 89999, false, who));
        assert_true(ksa_local_has_number(local, 90000, false, who));
        assert_true(ksa_local_has_number(local, 165536, false, who)); /* after a, inside b */
        assert_true(ksa_local_has_number(local, 289999, false, who));
        assert_false(ksa_local_has_number(local, 290000, false, who));
        assert_true(ksa_local_has_number(local, 400000, false, who)); /* a range to shadow-utils */
        assert_false(ksa_local_has_number(local, 500000, false, who));
        assert_true(ksa_local_has_number(local, 1900000000, false, who));
        assert_true(ksa_local_has_number(local, 1900065535, false, who));
        assert_false(ksa_local_has_number(local, 1900065536, false, who));
        assert_true(ksa_local_has_number(local, UINT32_MAX, false, who));
        ksa_local_free(&local);
}

/* An unreadable file might have the range of an account. */
static void test_damaged_subordinate_ids(void **state)
{
        static const char *const damaged[] = {"a:1900000000\n",    "a\n",          ":5:5\n",
                                              "a:-5:5\n",          "a:0x7000:5\n", "a:5:5:5\n",
                                              "a:5:99999999999\n", "ok:5:5\na:5:"};
        struct workdir *workdir = *state;
        struct paths paths;
        struct ksa_local_files files = files_of(workdir, &paths);

        for (size_t i = 0; i < KSA_COUNT(damaged); i++) {
                struct ksa_local *local = NULL;
                struct ksa_error err = {0};

                workdir_write(workdir, "subuid", damaged[i]);
                if (ksa_local_read(&files, &local, &err) != KSA_FILE_UNREADABLE)
                        fail_msg("read: %s", damaged[i]);
                assert_null(local);
                assert_int_equal(err.line, i == KSA_COUNT(damaged) - 1 ? 2 : 1);
                assert_string_equal(err.file, paths.subuid);
        }
}

/*
 * Subordinate ids were not written for a newcomer of that name or number. The members of groups are
 * not read.
 */
static void test_owners_of_ids(void **state)
{
        struct workdir *workdir = *state;
        char who[KSA_WHO_SIZE];

        workdir_write(workdir, "group", "docker:x:990:alice,ci_deployer\n");
        workdir_write(workdir, "subuid", "ci_gone:100000:65536\n");
        workdir_write(workdir, "subgid", "1879048192:165536:65536\n");
        struct ksa_local *local = read_place(workdir, false);

        assert_true(ksa_local_gives_ids(local, "ci_gone", 5000, who));
        assert_non_null(strstr(who, "the subordinate ids of 'ci_gone' of "));
        assert_true(ksa_local_gives_ids(local, "ci_other", 1879048192, who));
        assert_false(ksa_local_gives_ids(local, "ci_deployer", 990, who));
        assert_false(ksa_local_has_name(local, "ci_deployer", false, who));
        ksa_local_free(&local);
}

/* On any machine: it has a root. */
static void test_nss(void **state)
{
        struct ksa_local *local = read_place(*state, true);
        char who[KSA_WHO_SIZE];
        uint32_t gid = 9;

        assert_true(ksa_local_has_name(local, "root", true, who));
        assert_string_equal(who, "the user 'root' of NSS");
        assert_true(ksa_local_has_name(local, "root", true, who));
        assert_true(ksa_local_has_number(local, 0, true, who));
        assert_false(ksa_local_has_name(local, "root", false, who));
        assert_false(ksa_local_has_name(local, "no-such-user-here", true, who));
        assert_false(ksa_local_has_number(local, 1999999999, true, who));
        assert_true(ksa_local_gid(local, "root", &gid));
        assert_int_equal(gid, 0);
        ksa_local_free(&local);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_nothing_there, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_users_and_groups, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_subordinate_ids, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_damaged_subordinate_ids, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_owners_of_ids, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_nss, workdir_setup, workdir_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

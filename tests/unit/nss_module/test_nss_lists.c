/* SPDX-License-Identifier: BSD-2-Clause */
/* nss_module: groups of a user, members of a group, users and groups one after the other. */
#include "../../nss_module/nss_ksa.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/nss_registry.h"

#define ERRNO 4242 /* of no account */

static const char *const resolving[] = {"ci_active", "ci_remade", "ci_retired", "ci_torn"};

/* The last answer, for the checks. */
struct answer {
        struct passwd user;
        struct group group;
        int error;
        char buffer[512];
};

/* --- Supplementary groups ---------------------------------------------------------------- */

struct groups {
        long start, size;
        gid_t *gids;
        int error;
};

static enum nss_status init_groups(struct groups *groups, const char *name, gid_t primary,
                                   long limit)
{
        errno = ERRNO;
        groups->error = ERRNO;
        return _nss_ksa_initgroups_dyn(name, primary, &groups->start, &groups->size, &groups->gids,
                                       limit, &groups->error);
}

static struct groups room(long size)
{
        struct groups groups = {.size = size, .gids = calloc((size_t)size + 1, sizeof(gid_t))};

        assert_non_null(groups.gids);
        return groups;
}

static void test_supplementary_groups(void **state)
{
        (void)state;
        for (long size = 0; size < 6; size++) {
                struct groups groups = room(size);

                if (size > 0)
                        groups.gids[groups.start++] = UID_FIRST; /* glibc begins with the primary */
                assert_int_equal(init_groups(&groups, "ci_active", UID_FIRST, 0),
                                 NSS_STATUS_SUCCESS);
                assert_int_equal(groups.start, 2 + (size > 0));
                assert_true(groups.size >= groups.start);
                assert_int_equal(groups.gids[groups.start - 2], GID_CI);
                assert_int_equal(groups.gids[groups.start - 1], 1500);
                free(groups.gids);
        }
}

static void test_primary_group_is_none_of_them(void **state)
{
        struct groups groups = room(4);

        (void)state;
        assert_int_equal(init_groups(&groups, "ci_active", GID_CI, 0), NSS_STATUS_SUCCESS);
        assert_int_equal(groups.start, 1);
        assert_int_equal(groups.gids[0], 1500);
        free(groups.gids);
}

static void test_limit_of_supplementary_groups(void **state)
{
        (void)state;
        for (long limit = 1; limit < 4; limit++) {
                struct groups groups = room(1);

                assert_int_equal(init_groups(&groups, "ci_active", UID_FIRST, limit),
                                 NSS_STATUS_SUCCESS);
                assert_int_equal(groups.start, limit < 2 ? limit : 2);
                assert_true(groups.size <= limit);
                free(groups.gids);
        }
}

static void test_who_is_not_active_has_no_supplementary_groups(void **state)
{
        struct groups groups = room(4);

        (void)state;
        for (size_t i = 1; i < KSA_COUNT(resolving); i++)
                assert_int_equal(init_groups(&groups, resolving[i], 1, 0), NSS_STATUS_SUCCESS);
        assert_int_equal(init_groups(&groups, "ci_gone", 1, 0), NSS_STATUS_NOTFOUND);
        assert_int_equal(init_groups(&groups, "root", 0, 0), NSS_STATUS_NOTFOUND);
        assert_int_equal(groups.error, ENOENT);
        assert_int_equal(groups.start, 0);
        free(groups.gids);
}

/* --- All of them ------------------------------------------------------------------------------ */

static enum nss_status next_user(struct answer *answer, size_t size)
{
        errno = answer->error = ERRNO;
        return _nss_ksa_getpwent_r(&answer->user, answer->buffer, size, &answer->error);
}

static enum nss_status next_group(struct answer *answer, size_t size)
{
        errno = answer->error = ERRNO;
        return _nss_ksa_getgrent_r(&answer->group, answer->buffer, size, &answer->error);
}

/* One whose buffer was too small stays the next one. */
static void test_users_one_after_the_other(void **state)
{
        struct answer answer;

        (void)state;
        for (int round = 0; round < 2; round++) {
                assert_int_equal(_nss_ksa_setpwent(0), NSS_STATUS_SUCCESS);
                for (size_t i = 0; i < KSA_COUNT(resolving); i++) {
                        assert_int_equal(next_user(&answer, 8), NSS_STATUS_TRYAGAIN);
                        assert_int_equal(answer.error, ERANGE);
                        assert_int_equal(next_user(&answer, sizeof(answer.buffer)),
                                         NSS_STATUS_SUCCESS);
                        assert_string_equal(answer.user.pw_name, resolving[i]);
                        assert_int_equal(errno, ERRNO);
                }
                for (int i = 0; i < 2; i++) {
                        assert_int_equal(next_user(&answer, sizeof(answer.buffer)),
                                         NSS_STATUS_NOTFOUND);
                        assert_int_equal(answer.error, ENOENT);
                }
        }
        assert_int_equal(_nss_ksa_endpwent(), NSS_STATUS_SUCCESS);
        assert_int_equal(errno, ERRNO);
}

static void test_groups_one_after_the_other(void **state)
{
        struct answer answer;

        (void)state;
        assert_int_equal(_nss_ksa_setgrent(0), NSS_STATUS_SUCCESS);
        for (size_t i = 0; i <= KSA_COUNT(resolving); i++) {
                assert_int_equal(next_group(&answer, 8), NSS_STATUS_TRYAGAIN);
                assert_int_equal(answer.error, ERANGE);
                assert_int_equal(next_group(&answer, sizeof(answer.buffer)), NSS_STATUS_SUCCESS);
                assert_string_equal(answer.group.gr_name,
                                    i < KSA_COUNT(resolving) ? resolving[i] : "k8s-ci");
        }
        assert_int_equal(next_group(&answer, sizeof(answer.buffer)), NSS_STATUS_NOTFOUND);
        assert_int_equal(answer.error, ENOENT);
        assert_int_equal(_nss_ksa_endgrent(), NSS_STATUS_SUCCESS);
}

static void test_enumeration_sees_one_file(void **state)
{
        struct answer answer;

        (void)state;
        assert_int_equal(_nss_ksa_setpwent(0), NSS_STATUS_SUCCESS);
        accounts_put_many();
        accounts_next_second();
        assert_int_equal(next_user(&answer, sizeof(answer.buffer)), NSS_STATUS_SUCCESS);
        assert_string_equal(answer.user.pw_name, "ci_active");
        assert_int_equal(_nss_ksa_setpwent(0), NSS_STATUS_SUCCESS);
        assert_int_equal(next_user(&answer, sizeof(answer.buffer)), NSS_STATUS_SUCCESS);
        assert_string_equal(answer.user.pw_name, "many_000");
        assert_int_equal(_nss_ksa_endpwent(), NSS_STATUS_SUCCESS);
}

static void test_large_group(void **state)
{
        struct group group;
        size_t size = 16;
        char *buffer = NULL;
        enum nss_status status;
        int error;

        (void)state;
        accounts_put_many();
        accounts_next_second();
        do { /* as glibc does */
                size *= 2;
                free(buffer);
                buffer = malloc(size);
                assert_non_null(buffer);
                status = _nss_ksa_getgrnam_r("k8s-ci", &group, buffer, size, &error);
        } while (status == NSS_STATUS_TRYAGAIN && error == ERANGE);
        assert_int_equal(status, NSS_STATUS_SUCCESS);
        for (unsigned i = 0; i < MANY_COUNT; i++) {
                char name[16];

                (void)snprintf(name, sizeof(name), "many_%03u", i);
                assert_string_equal(group.gr_mem[i], name);
        }
        assert_null(group.gr_mem[MANY_COUNT]);
        free(buffer);
}

static int setup(void **state)
{
        if (accounts_setup(state) != 0)
                return -1;
        accounts_put("");
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_supplementary_groups),
                cmocka_unit_test(test_primary_group_is_none_of_them),
                cmocka_unit_test(test_limit_of_supplementary_groups),
                cmocka_unit_test(test_who_is_not_active_has_no_supplementary_groups),
                cmocka_unit_test(test_users_one_after_the_other),
                cmocka_unit_test(test_groups_one_after_the_other),
                cmocka_unit_test(test_enumeration_sees_one_file),
                cmocka_unit_test(test_large_group),
        };

        /* The module believes a file of root's alone. */
        return geteuid() != 0 ? 77 : cmocka_run_group_tests(tests, setup, accounts_teardown);
}

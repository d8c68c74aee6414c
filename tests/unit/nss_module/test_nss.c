/* SPDX-License-Identifier: BSD-2-Clause */
/* nss_module: the lookups that find a user, and the content of the caller's buffer. */
#include "../../nss_module/nss_ksa.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>
#include <unistd.h>

#include "support/nss_registry.h"

#define UNTOUCHED 0x5a
#define ERRNO     4242 /* of no account */

static const char *const resolving[] = {"ci_active", "ci_remade", "ci_retired", "ci_torn"};

struct answer {
        enum nss_status status;
        int error;
        struct passwd user;
        struct group group;
        alignas(16) char buffer[512];
};

static struct answer fresh(void)
{
        struct answer answer = {.error = ERRNO};

        memset(answer.buffer, UNTOUCHED, sizeof(answer.buffer));
        errno = ERRNO;
        return answer;
}

static void check(const struct answer *answer, enum nss_status status, int error)
{
        assert_int_equal(answer->status, status);
        assert_int_equal(answer->error, error);
        assert_int_equal(errno, ERRNO);
}

static void by_name(struct answer *ret_answer, const char *name)
{
        *ret_answer = fresh();
        ret_answer->status = _nss_ksa_getpwnam_r(name, &ret_answer->user, ret_answer->buffer,
                                                 sizeof(ret_answer->buffer), &ret_answer->error);
}

static void by_uid(struct answer *ret_answer, uid_t uid)
{
        *ret_answer = fresh();
        ret_answer->status = _nss_ksa_getpwuid_r(uid, &ret_answer->user, ret_answer->buffer,
                                                 sizeof(ret_answer->buffer), &ret_answer->error);
}

static void group_by_name(struct answer *ret_answer, const char *name)
{
        *ret_answer = fresh();
        ret_answer->status = _nss_ksa_getgrnam_r(name, &ret_answer->group, ret_answer->buffer,
                                                 sizeof(ret_answer->buffer), &ret_answer->error);
}

static void group_by_gid(struct answer *ret_answer, gid_t gid)
{
        *ret_answer = fresh();
        ret_answer->status = _nss_ksa_getgrgid_r(gid, &ret_answer->group, ret_answer->buffer,
                                                 sizeof(ret_answer->buffer), &ret_answer->error);
}

/* --- Who is answered ------------------------------------------------------------- */

static void test_user(void **state)
{
        struct answer answer;

        (void)state;
        for (int way = 0; way < 2; way++) {
                if (way == 0)
                        by_name(&answer, "ci_active");
                else
                        by_uid(&answer, UID_FIRST);
                check(&answer, NSS_STATUS_SUCCESS, ERRNO);
                assert_string_equal(answer.user.pw_name, "ci_active");
                assert_string_equal(answer.user.pw_passwd, "*");
                assert_int_equal(answer.user.pw_uid, UID_FIRST);
                assert_int_equal(answer.user.pw_gid, UID_FIRST);
                assert_string_equal(answer.user.pw_gecos, "prod/ci/active");
                assert_string_equal(answer.user.pw_dir, "/home/ci_active");
                assert_string_equal(answer.user.pw_shell, "/bin/sh");
        }
}

/* They own files, so they have names; and they may not log in. */
static void test_who_is_not_active_resolves_without_a_shell(void **state)
{
        struct answer answer;

        (void)state;
        for (size_t i = 1; i < KSA_COUNT(resolving); i++) {
                by_name(&answer, resolving[i]);
                check(&answer, NSS_STATUS_SUCCESS, ERRNO);
                assert_string_equal(answer.user.pw_shell, KSA_NOLOGIN);
        }
}

static void test_who_was_removed_is_not_found(void **state)
{
        struct answer answer;

        (void)state;
        by_name(&answer, "ci_gone");
        check(&answer, NSS_STATUS_NOTFOUND, ENOENT);
        by_uid(&answer, UID_FIRST + 1);
        check(&answer, NSS_STATUS_NOTFOUND, ENOENT);
        group_by_name(&answer, "ci_gone");
        check(&answer, NSS_STATUS_NOTFOUND, ENOENT);
        group_by_gid(&answer, UID_FIRST + 1);
        check(&answer, NSS_STATUS_NOTFOUND, ENOENT);
}

static void test_who_is_not_ours(void **state)
{
        static const char *const names[] = {"",
                                            "root",
                                            "CI_ACTIVE",
                                            "ci_active ",
                                            "ci_active:",
                                            "ci_active\n",
                                            "\x01",
                                            "ci_activ",
                                            "ci_\xc3\xa4",
                                            "a_name_of_thirty_three_characters",
                                            "k8s-c"};
        static const uint32_t numbers[] = {0,     1,     999,        1000,
                                           61184, 65534, UINT32_MAX, UID_FIRST + 99};
        char name[4096];
        struct answer answer;

        (void)state;
        memset(name, 'a', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        by_name(&answer, name);
        check(&answer, NSS_STATUS_NOTFOUND, ENOENT);
        for (size_t i = 0; i < KSA_COUNT(names); i++) {
                by_name(&answer, names[i]);
                check(&answer, NSS_STATUS_NOTFOUND, ENOENT);
                group_by_name(&answer, names[i]);
                check(&answer, NSS_STATUS_NOTFOUND, ENOENT);
        }
        for (size_t i = 0; i < KSA_COUNT(numbers); i++) {
                by_uid(&answer, numbers[i]);
                check(&answer, NSS_STATUS_NOTFOUND, ENOENT);
                group_by_gid(&answer, numbers[i]);
                check(&answer, NSS_STATUS_NOTFOUND, ENOENT);
        }
        by_name(&answer, "k8s-ci"); /* a group is not a user */
        check(&answer, NSS_STATUS_NOTFOUND, ENOENT);
        by_uid(&answer, GID_CI);
        check(&answer, NSS_STATUS_NOTFOUND, ENOENT);
}

/* --- Groups ------------------------------------------------------------------------ */

static void test_own_group_has_no_members(void **state)
{
        struct answer answer;

        (void)state;
        for (int way = 0; way < 2; way++) {
                if (way == 0)
                        group_by_name(&answer, "ci_active");
                else
                        group_by_gid(&answer, UID_FIRST);
                check(&answer, NSS_STATUS_SUCCESS, ERRNO);
                assert_string_equal(answer.group.gr_name, "ci_active");
                assert_string_equal(answer.group.gr_passwd, "*");
                assert_int_equal(answer.group.gr_gid, UID_FIRST);
                assert_null(answer.group.gr_mem[0]);
        }
}

static void test_group_of_a_namespace_lists_who_is_active(void **state)
{
        struct answer answer;

        (void)state;
        for (int way = 0; way < 2; way++) {
                if (way == 0)
                        group_by_name(&answer, "k8s-ci");
                else
                        group_by_gid(&answer, GID_CI);
                check(&answer, NSS_STATUS_SUCCESS, ERRNO);
                assert_string_equal(answer.group.gr_name, "k8s-ci");
                assert_int_equal(answer.group.gr_gid, GID_CI);
                assert_string_equal(answer.group.gr_mem[0], "ci_active");
                assert_null(answer.group.gr_mem[1]);
        }
}

/* --- The caller's buffer --------------------------------------------------------------- */

enum question { USER_NAME, USER_UID, GROUP_NAME, GROUP_GID, NAMESPACE_GROUP, QUESTION_COUNT };

static void ask(struct answer *answer, enum question question, char *buffer, size_t size)
{
        struct passwd *user = &answer->user;
        struct group *group = &answer->group;
        int *error = &answer->error;

        switch (question) {
        case USER_NAME:
                answer->status = _nss_ksa_getpwnam_r("ci_active", user, buffer, size, error);
                break;
        case USER_UID:
                answer->status = _nss_ksa_getpwuid_r(UID_FIRST, user, buffer, size, error);
                break;
        case GROUP_NAME:
                answer->status = _nss_ksa_getgrnam_r("ci_active", group, buffer, size, error);
                break;
        case GROUP_GID:
                answer->status = _nss_ksa_getgrgid_r(UID_FIRST, group, buffer, size, error);
                break;
        case NAMESPACE_GROUP:
                answer->status = _nss_ksa_getgrnam_r("k8s-ci", group, buffer, size, error);
                break;
        case QUESTION_COUNT:
                fail();
        }
}

/* The size of the texts and pointers of an answer, computed without the module. */
static size_t needed(enum question question, size_t misaligned)
{
        const size_t padding = (sizeof(char *) - misaligned) % sizeof(char *);

        switch (question) {
        case USER_NAME:
        case USER_UID:
                return sizeof("ci_active") + sizeof("*") + sizeof("prod/ci/active") +
                       sizeof("/home/ci_active") + sizeof("/bin/sh");
        case GROUP_NAME:
        case GROUP_GID:
                return padding + sizeof(char *) + sizeof("ci_active") + sizeof("*");
        case NAMESPACE_GROUP:
                return padding + 2 * sizeof(char *) + sizeof("k8s-ci") + sizeof("*") +
                       sizeof("ci_active");
        case QUESTION_COUNT:
                break;
        }
        return 0;
}

static void check_untouched(const char *bytes, size_t count)
{
        for (size_t i = 0; i < count; i++)
                assert_int_equal(bytes[i], UNTOUCHED);
}

static void check_length(enum question question, size_t misaligned, size_t size)
{
        struct answer answer = fresh();
        size_t wanted = needed(question, misaligned);
        char *buffer = answer.buffer + misaligned;

        ask(&answer, question, buffer, size);
        check_untouched(answer.buffer, misaligned);
        check_untouched(buffer + size, sizeof(answer.buffer) - misaligned - size);
        if (size >= wanted) {
                check(&answer, NSS_STATUS_SUCCESS, ERRNO);
                return;
        }
        check(&answer, NSS_STATUS_TRYAGAIN, ERANGE);
        check_untouched(buffer, size);
        assert_null(answer.user.pw_name);
        assert_null(answer.group.gr_name);
}

static void test_each_length_of_the_buffer(void **state)
{
        (void)state;
        for (enum question question = USER_NAME; question < QUESTION_COUNT; question++)
                for (size_t misaligned = 0; misaligned < sizeof(char *); misaligned++)
                        for (size_t size = 0; size < 128; size++)
                                check_length(question, misaligned, size);
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
                cmocka_unit_test(test_user),
                cmocka_unit_test(test_who_is_not_active_resolves_without_a_shell),
                cmocka_unit_test(test_who_was_removed_is_not_found),
                cmocka_unit_test(test_who_is_not_ours),
                cmocka_unit_test(test_own_group_has_no_members),
                cmocka_unit_test(test_group_of_a_namespace_lists_who_is_active),
                cmocka_unit_test(test_each_length_of_the_buffer),
        };

        /* The module believes a file of root's alone. */
        return geteuid() != 0 ? 77 : cmocka_run_group_tests(tests, setup, accounts_teardown);
}

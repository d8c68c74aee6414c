/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.c: every host and every version computes the same: the vectors never change.
 */
#include "admin/accounts/names.h"

#include <stdio.h>
#include <string.h>

#include "support/support.h"

static const struct ksa_uid_range usual = {1879048192, 2147483647};

static const char *name_of(const char *cluster, const char *namespace, const char *account)
{
        static char name[KSA_NAME_SIZE];
        struct ksa_error err = {0};

        memset(name, 'x', sizeof(name));
        assert_int_equal(ksa_account_name(cluster, namespace, account, name, &err), KSA_OK);
        assert_true(strlen(name) <= KSA_ACCOUNT_NAME_MAX);
        return name;
}

static uint32_t uid_of(const char *namespace, const char *account, struct ksa_uid_range range)
{
        struct ksa_error err = {0};
        uint32_t uid = 0;

        assert_int_equal(ksa_account_uid("prod", namespace, account, &range, &uid, &err), KSA_OK);
        assert_between(uid, range.min, range.max);
        return uid;
}

/* As python3's hashlib has them. */
static void test_fixed_uids(void **state)
{
        (void)state;
        assert_int_equal(uid_of("ci", "deployer", usual), 1970371981);
        assert_int_equal(uid_of("ci", "default", usual), 1922075719);
        assert_int_equal(uid_of("ci", "", usual), 1951146985);
        assert_int_equal(uid_of("kube-system", "a.b", usual), 2110214855);
        assert_int_equal(uid_of("1", "2", usual), 2146168650);
        assert_int_equal(
                uid_of("nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
                       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                       usual),
                1906419418);
        assert_int_equal(uid_of("ci", "deployer", (struct ksa_uid_range){60000, 61183}), 60557);
}

static void test_fixed_names(void **state)
{
        char group[KSA_NAME_SIZE];
        struct ksa_error err = {0};

        (void)state;
        assert_string_equal(name_of("prod", "ci", "deployer"), "ci_deployer");
        assert_string_equal(name_of("prod", "ci", "a.b.c"), "ci_a.b.c");
        assert_string_equal(name_of("prod", "1ci", "2"), "1ci_2");
        assert_string_equal(name_of("prod", "1", "2"), "1_2");
        assert_string_equal(name_of("prod", "root", "root"), "root_root");
        assert_string_equal(name_of("prod", "ci", "default"), "ci_default");
        assert_string_equal(name_of("prod", "ci", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
                            "ci_aaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        assert_string_equal(name_of("prod", "ci", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
                            "ci_aaaaaaaaaaaaaaaaaaa__w3pjax4w");
        assert_string_equal(name_of("prod", "ci", "deploy-the-whole-of-the-shop-front"),
                            "ci_deploy-the-whole-of__zdzkz6fk");
        assert_string_equal(
                name_of("prod", "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
                        "x"),
                "nnnnnnnnnnnnnnnnnnnnnn__bjyqy5fa");
        assert_int_equal(ksa_namespace_group("prod", "ci", group, &err), KSA_OK);
        assert_string_equal(group, "k8s-ci");
}

/* 32 bytes fit as they are; 33 are cut to 22, and two that begin alike end differently. */
static void test_length(void **state)
{
        char account[254], first[KSA_NAME_SIZE];

        (void)state;
        for (size_t length = 1; length <= 253; length++) {
                memset(account, 'a', length);
                account[length] = '\0';
                const char *name = name_of("prod", "ci", account);
                assert_int_equal(strlen(name), length + 3 > 32 ? 32 : length + 3);
                assert_int_equal(strstr(name, "__") != NULL, length + 3 > 32);
                assert_null(ksa_account_name_fault(name));
        }
        (void)snprintf(first, sizeof(first), "%s", name_of("prod", "ci", account));
        account[252] = 'b';
        assert_string_not_equal(name_of("prod", "ci", account), first);
        assert_memory_equal(name_of("prod", "ci", account), first, 24);
        account[252] = 'a';
        assert_string_not_equal(name_of("test", "ci", account), first);
        assert_string_equal(name_of("prod", "ci", account), first);
}

static void test_long_namespaces(void **state)
{
        static const char namespace[] =
                "a23456789-123456789-123456789-123456789-123456789-123456789-123";
        char group[KSA_NAME_SIZE], user[KSA_NAME_SIZE];
        struct ksa_error err = {0};

        (void)state;
        assert_int_equal(strlen(namespace), 63);
        (void)snprintf(user, sizeof(user), "%s", name_of("prod", namespace, "a"));
        assert_int_equal(strlen(user), 32);
        assert_memory_equal(user, "a23456789-123456789-12__", 24);
        assert_int_equal(ksa_namespace_group("prod", namespace, group, &err), KSA_OK);
        assert_int_equal(strlen(group), 32);
        assert_memory_equal(group, "k8s-a23456789-12345678__", 24);
        assert_null(ksa_account_name_fault(group));
}

/* ("ab", "c") is not ("a", "bc"), and a group is not an account. */
static void test_uid_parts_do_not_run_together(void **state)
{
        (void)state;
        assert_int_not_equal(uid_of("ab", "c", usual), uid_of("a", "bc", usual));
        assert_int_not_equal(uid_of("ab", "", usual), uid_of("a", "b", usual));
}

static void test_range(void **state)
{
        static const struct ksa_uid_range ranges[] = {
                {5000, 5000}, {5000, 5001}, {1000, UINT32_MAX - 1}, {1879048192, 2147483647}};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(ranges); i++)
                for (unsigned n = 0; n < 100; n++) {
                        char account[16];

                        (void)snprintf(account, sizeof(account), "a%u", n);
                        (void)uid_of("ci", account, ranges[i]);
                }
        assert_int_equal(uid_of("ci", "a", ranges[0]), 5000);
}

static void test_refused_names(void **state)
{
        static const char *const refused[] = {
                "",
                "root",
                "Root",
                "ROOT",
                "daemon",
                "sudo",
                "wheel",
                "docker",
                "lxd",
                "nobody",
                "postgres",
                "systemd-oom",
                "_apt",
                "_",
                "42",
                "0",
                "0x1f",
                "1e5",
                "10.1",
                "1-2",
                "-rf",
                ".",
                "..",
                ".profile",
                "a b",
                "a:b",
                "a/b",
                "a\nb",
                "a,b",
                "a$",
                "a@b",
                "a+b",
                "a\\b",
                "a%b",
                "#12",
                "%sudo",
                "all",
                "ALL",
                "\xc3\xa4",
                "a\x7f",
                "admin",
                "sync",
                "abcdefghijklmnopqrstuvwxyz0123456",
                "sudo-rs",
                "1879048192",
        };
        static const char *const fine[] = {
                "ci_deployer",
                "deploy-bot",
                "a",
                "ci_a.b",
                "1ci_x",
                "1_2",
                "Deploy",
                "root_x",
                "k8s-ci",
                "systemd-x_y",
                "roots",
                "x0",
                "docker-in-docker_a",
                "abcdefghijklmnopqrstuvwxyz012345",
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(refused); i++) {
                if (ksa_account_name_fault(refused[i]) == NULL)
                        fail_msg("'%s' is taken for a name", refused[i]);
        }
        for (size_t i = 0; i < KSA_COUNT(fine); i++) {
                if (ksa_account_name_fault(fine[i]) != NULL)
                        fail_msg("'%s': %s", fine[i], ksa_account_name_fault(fine[i]));
        }
}

/* Bug: one account in four thousand was refused, because its hash is a number of systemd's. */
static void test_a_uid_that_nobody_may_have_is_drawn_again(void **state)
{
        const struct ksa_uid_range unusable = {61184, 65519};

        (void)state;
        /* The first hash gives 2147368757. */
        assert_int_equal(uid_of("ci", "a18804", usual), 1909267546);
        /* Without another uid the plan refuses the account. */
        assert_false(ksa_uid_is_usable(uid_of("ci", "a", unusable)));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fixed_uids),
                cmocka_unit_test(test_fixed_names),
                cmocka_unit_test(test_length),
                cmocka_unit_test(test_long_namespaces),
                cmocka_unit_test(test_uid_parts_do_not_run_together),
                cmocka_unit_test(test_range),
                cmocka_unit_test(test_a_uid_that_nobody_may_have_is_drawn_again),
                cmocka_unit_test(test_refused_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

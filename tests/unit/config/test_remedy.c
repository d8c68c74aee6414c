/* SPDX-License-Identifier: BSD-2-Clause */
/* remedy.c and remedy_number.c: what to type in place of a value that is not valid. */
#include <string.h>

#include "config/load.h"
#include "config/option.h"
#include "support/signer.h"
#include "support/support.h"

#define CONFIG                                                                   \
        "[host]\naudience = " AUDIENCE "\n[cluster Prod]\nissuer = " ISSUER "\n" \
        "keys = file:/etc/ksa/prod.jwks\n"

static const struct row {
        enum ksa_section section;
        const char *option, *value, *remedy;
} rows[] = {
#define ROW(section, option, value, remedy)                  \
        {                                                    \
                KSA_SECTION_##section, option, value, remedy \
        }
        /* accounts */
        ROW(RULE, "account", "ci/deployer", "write Prod:ci/deployer"),
        ROW(RULE, "account", "ci:deployer", "write Prod:ci/deployer"),
        ROW(RULE, "account", "deployer", "write Prod:NAMESPACE/deployer"),
        ROW(RULE, "account", "Prod:deployer", "write Prod:NAMESPACE/deployer"),
        ROW(RULE, "account", "Prod:ci:deployer", "write Prod:ci/deployer"),
        ROW(RULE, "account", "Prod/ci/deployer", "write Prod:ci/deployer"),
        ROW(RULE, "account", "other:CI/Deployer", "write other:ci/deployer"),
        ROW(RULE, "account", "Prod:CI/Deployer", "write Prod:ci/deployer"),
        ROW(RULE, "account", "*:ci/deployer", "write Prod:ci/deployer"),
        ROW(RULE, "account", "system:serviceaccount:ci:deployer", "write Prod:ci/deployer"),
        ROW(RULE, "account", "system:serviceaccounts:ci", "write Prod:ci/*"),
        ROW(RULE, "account", "Prod:ci/ci-*",
            "\"*\" stands for a whole name: write Prod:ci/*, or list the accounts"),
        ROW(RULE, "account", "ci-*/a",
            "\"*\" stands for a whole name: write Prod:*/a, or list the accounts"),
        ROW(RULE, "account", "Prod:c_i/a",
            "write CLUSTER:NAMESPACE/NAME, with the names that kubectl get serviceaccounts -A prints"),
        ROW(RULE, "account", ":/",
            "write CLUSTER:NAMESPACE/NAME, with the names that kubectl get serviceaccounts -A prints"),
        ROW(RULE, "account", "a/b/c/d",
            "write CLUSTER:NAMESPACE/NAME, with the names that kubectl get serviceaccounts -A prints"),
        ROW(ACCOUNTS, "namespaces", "ci-*",
            "list the namespaces; \"*\" alone stands for all of them"),
        ROW(ACCOUNTS, "namespaces", "CI", "write ci"),
        ROW(ACCOUNTS, "namespaces", "c_i", "write the names that kubectl get namespaces prints"),
        /* words */
        ROW(RULE, "once", "true", "write yes"),
        ROW(RULE, "once", "Off", "write no"),
        ROW(RULE, "rbac", "maybe", "write one of: yes | no"),
        ROW(RULE, "review", "required", "write require"),
        ROW(RULE, "review", "Prefer", "write prefer"),
        ROW(RULE, "review", "yes", "write one of: never | prefer | require"),
        ROW(RULE, "bound", "Pod", "write pod"),
        ROW(RULE, "bound", "pods", "write pod"),
        ROW(ACCOUNTS, "recreated", "acept", "write accept"),
        /* users and services */
        ROW(RULE, "user", "*", "list the users; @own is the user that ksa creates for the account"),
        ROW(RULE, "user", "%wheel", "list the users of the group: ksa does not read groups"),
        ROW(RULE, "user", ":", "write a name of /etc/passwd or /etc/group"),
        ROW(RULE, "service", "/etc/pam.d/sshd", "write sshd"),
        ROW(RULE, "service", "*",
            "list PAM services, such as sshd sudo: names of files in /etc/pam.d"),
        /* networks */
        ROW(RULE, "from", "10.0.0.5/8", "write 10.0.0.0/8, or 10.0.0.5/32"),
        ROW(RULE, "from", "fd00::7/64", "write fd00::/64, or fd00::7/128"),
        ROW(RULE, "from", "10.0.0.0/33", "write a prefix from 0 to 32, such as 10.0.0.0/32"),
        ROW(RULE, "from", "10.0.0.0/255.0.0.0", "write 10.0.0.0/8"),
        ROW(RULE, "from", "10.0.0.5/255.255.255.0", "write 10.0.0.0/24, or 10.0.0.5/32"),
        ROW(RULE, "from", "10.0.*.*", "write 10.0.0.0/16"),
        ROW(RULE, "from", "10.0.0.", "write 10.0.0.0/24"),
        ROW(RULE, "from", "10/8", "write 10.0.0.0/8"),
        ROW(RULE, "from", "10.0.0.5:22", "write 10.0.0.5"),
        ROW(RULE, "from", "[fd00::7]", "write fd00::7"),
        ROW(RULE, "from", "any", "remove from: without it a rule admits any address"),
        ROW(RULE, "from", "runner.example.com", "names are not looked up: write the address"),
        ROW(RULE, "from", "10.0.0.1-10.0.0.9", "write addresses and networks, such as 10.0.0.0/8"),
        ROW(RULE, "from", "10.0.0.256", "write addresses and networks, such as 10.0.0.0/8"),
        /* durations and numbers */
        ROW(HOST, "max_lifetime", "1 hour", "write 1h"),
        ROW(HOST, "max_lifetime", "90 minutes", "write 90m"),
        ROW(HOST, "max_lifetime", "1h30m", "write 90m"),
        ROW(HOST, "max_lifetime", "1.5h", "write 90m"),
        ROW(HOST, "max_lifetime", "2w", "write 14d"),
        ROW(HOST, "max_lifetime", "1H", "write 1h"),
        ROW(HOST, "max_lifetime", "400d", "write a duration from 1m to 366d"),
        ROW(HOST, "max_lifetime", "never", "write a duration from 1m to 366d"),
        ROW(HOST, "timeout", "500ms", "write a duration from 1s to 1m"),
        ROW(HOST, "uid_range", "100000:200000", "write 100000-200000"),
        ROW(HOST, "uid_range", "200000-100000", "write MIN-MAX, both from 1000 to 4294967294"),
        ROW(ACCOUNT, "uid", "10", "write a number from 1000 to 4294967294, of digits only"),
        /* names, paths and URLs */
        ROW(HOST, "name", "Build-7", "write build-7"),
        ROW(HOST, "name", "ssh://build-7:22", "write build-7"),
        ROW(HOST, "name", "build_7",
            "write a name of lower-case letters, digits, hyphens and dots"),
        ROW(HOST, "audience", "ssh://%{HOST}",
            "write ssh://%H for the host name, or ssh://%h for its first part"),
        ROW(CLUSTER, "api_ca_file", "ca.crt", "write the whole path, from / on"),
        ROW(CLUSTER, "api_ca_file", "file:///etc/ca.crt", "write /etc/ca.crt"),
        ROW(CLUSTER, "api_server", "10.0.0.1:6443", "write https://10.0.0.1:6443"),
        ROW(CLUSTER, "api_server", "http://10.0.0.1:6443", "write https://10.0.0.1:6443"),
        ROW(CLUSTER, "api_server", "joe:hunter2@10.0.0.1", "write https://…"),
        ROW(CLUSTER, "proxy", "proxy:3128", "write http://proxy:3128"),
        ROW(CLUSTER, "proxy", "socks5://proxy",
            "name a proxy with http:// or https://; SOCKS is not supported"),
        ROW(CLUSTER, "keys", "/etc/ksa/prod.jwks", "write file:/etc/ksa/prod.jwks"),
        ROW(CLUSTER, "keys", "prod.jwks", "write file: and the whole path, from / on"),
        ROW(CLUSTER, "keys", "Discovery", "write discover"),
        ROW(CLUSTER, "keys", "http://c/keys", "write https://c/keys"),
        ROW(CLUSTER, "keys", "x", "write one of: api | discover | https://… | file:/…"),
        ROW(ACCOUNTS, "source", "apis", "write api"),
};

static void test_remedies(void **state)
{
        struct ksa_config *config = NULL;

        assert_int_equal(workdir_load(*state, CONFIG, &config, NULL), KSA_OK);
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                const struct row *row = &rows[i];
                const struct ksa_option *option = ksa_option_find(row->section, row->option);
                char remedy[KSA_REMEDY_MAX + 1];

                assert_non_null(option);
                if (ksa_option_accepts(option, row->value))
                        fail_msg("%s is valid", row->value);
                ksa_option_remedy(option, config, row->value, remedy);
                if (strcmp(remedy, row->remedy) != 0)
                        fail_msg("%s: %s", row->value, remedy);
        }
        ksa_config_free(&config);
}

/* Every kind of value has an instruction, and no remedy suggests another value that is not valid. */
static void test_every_option_has_remedies(void **state)
{
        static const char *const values[] = {":",
                                             "x y",
                                             "-",
                                             "%",
                                             "0",
                                             "a:b/c d",
                                             "/",
                                             "*",
                                             "://",
                                             "@",
                                             "1.2.3.4/99",
                                             "9999999999999d",
                                             "system:serviceaccount:"};
        struct ksa_config config = {.clusters = NULL};
        char longest[1000];

        (void)state;
        memset(longest, 'x', sizeof(longest) - 1);
        longest[sizeof(longest) - 1] = '\0';
        for (size_t i = 0; i < ksa_option_count; i++) {
                for (size_t n = 0; n <= KSA_COUNT(values); n++) {
                        const char *value = n < KSA_COUNT(values) ? values[n] : longest;
                        char remedy[KSA_REMEDY_MAX + 1] = "";

                        ksa_option_remedy(&ksa_options[i], &config, value, remedy);
                        assert_true(strlen(remedy) > 3 && strlen(remedy) < KSA_REMEDY_MAX);
                }
        }
}

/* Without a cluster, or with several, the remedy cannot name it. */
static void test_no_only_cluster(void **state)
{
        const struct ksa_option *option = ksa_option_find(KSA_SECTION_RULE, "account");
        struct ksa_config config = {.clusters = NULL};
        char remedy[KSA_REMEDY_MAX + 1];

        (void)state;
        ksa_option_remedy(option, &config, "ci/deployer", remedy);
        assert_string_equal(remedy, "write CLUSTER:ci/deployer");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_remedies, workdir_setup, workdir_teardown),
                cmocka_unit_test(test_every_option_has_remedies),
                cmocka_unit_test(test_no_only_cluster),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

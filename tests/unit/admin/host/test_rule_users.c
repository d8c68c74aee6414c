/* SPDX-License-Identifier: BSD-2-Clause */
/* rule_users.c: which users sshd and sudo are told about. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/host/rule_users.h"
#include "support/signer.h"
#include "support/support.h"

#define HEAD                                                        \
        "[host]\naudience = " AUDIENCE "\n"                         \
        "[cluster c0]\nissuer = " ISSUER "\nkeys = file:/nowhere\n" \
        "[cluster c1]\nissuer = https://c1\nkeys = file:/nowhere\n"
#define DECLARED "[account robot]\naccount = c0:ci/x\naccount_uid = u\n"
#define LISTED   "[accounts c0]\nsource = file:/nowhere/list\nnamespaces = "
#define RULE     "[rule a]\nservice = sshd\n"
#define LONG_NS  "a-namespace-of-26-letters-"

/* The users of SERVICE separated by spaces, or the text of the error. */
static const char *users(struct workdir *workdir, const char *sections, const char *service,
                         enum ksa_user_form form)
{
        static char out[512];
        char text[2048];
        struct ksa_config *config = NULL;
        struct ksa_error error = {0};
        struct ksa_list found;
        size_t length = 0;

        (void)snprintf(text, sizeof(text), "%s%s", HEAD, sections);
        workdir->env.registry_file = "/nowhere"; /* so that @own may be written */
        if (workdir_load(workdir, text, &config, &error) != KSA_OK)
                fail_msg("%s:%u: %s", error.file, error.line, error.text);
        out[0] = '\0';
        if (ksa_rule_users(config, service, form, &found, &error) != KSA_OK) {
                (void)snprintf(out, sizeof(out), "%s", error.text);
        } else {
                for (size_t i = 0; i < found.count; i++)
                        length += (size_t)snprintf(out + length, sizeof(out) - length, "%s%s",
                                                   i > 0 ? " " : "", ksa_list_text(&found, i));
                ksa_rule_users_free(&found);
        }
        ksa_config_free(&config);
        return out;
}

static void test_users(void **state)
{
        static const struct {
                const char *sections, *sshd, *sudo; /* of the service sshd, in both forms */
        } rows[] = {
                {RULE "account = c0:ci/x\nuser = bot bot other\n", "bot other", "bot other"},
                {"[rule a]\nservice = sudo\naccount = c0:ci/x\nuser = bot\n", "", ""},
                {RULE "account = c0:ci/x\nuser = @own\n" DECLARED, "robot ci_x", "robot ci_x"},
                {RULE "account = c0:ci/*\nuser = @own\n" DECLARED, "robot ci_*", "robot %k8s-ci"},
                {RULE "account = c0:*/*\nuser = @own\n" LISTED "ci ops\n", "ci_* ops_*",
                 "%k8s-ci %k8s-ops"},
                {RULE "account = c1:*/*\nuser = @own\n" DECLARED LISTED "ci\n", "", ""},
        };

        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                assert_string_equal(users(*state, rows[i].sections, "sshd", KSA_USER_PATTERNS),
                                    rows[i].sshd);
                assert_string_equal(users(*state, rows[i].sections, "sshd", KSA_SUDO_USERS),
                                    rows[i].sudo);
        }
}

/* People whose names begin like those of a namespace must keep their keys. */
static void test_people_are_no_accounts(void **state)
{
        static const char passwd[] = "root:x:0:0::/:/bin/sh\nci_anna:x:1000:1000::/:/bin/sh\n"
                                     "ci_bot:x:1001:1001::/:/bin/sh\nci:x:1002:1002::/:/bin/sh\n"
                                     "ci_a,*:x:1003:1003::/:/bin/sh\nco_x:x:1004:1004::/:/bin/sh\n";
        static const char *const names[] = {"ci_*", "ci_bot"};
        struct ksa_list users = {.count = 0};
        struct ksa_error error = {0};
        const struct workdir *workdir = *state;
        char path[128];

        workdir_write(workdir, "passwd", passwd);
        (void)snprintf(path, sizeof(path), "%s/passwd", workdir->directory);
        for (size_t i = 0; i < KSA_COUNT(names); i++) {
                char **next = ksa_list_next(&users, sizeof(*next));

                assert_non_null(next);
                *next = strdup(names[i]);
                users.count++;
        }
        assert_int_equal(ksa_rule_users_except(&users, path, &error), KSA_OK);
        assert_int_equal(users.count, 3);
        assert_string_equal(ksa_list_text(&users, 2), "!ci_anna");
        assert_int_equal(ksa_rule_users_except(&users, workdir->directory, &error),
                         KSA_FILE_UNREADABLE);
        ksa_rule_users_free(&users);
}

/* A long name is shortened behind 22 bytes, so the pattern ends there too. */
static void test_long_namespace(void **state)
{
        assert_string_equal(users(*state, RULE "account = c0:" LONG_NS "x/*\nuser = @own\n", "sshd",
                                  KSA_USER_PATTERNS),
                            "a-namespace-of-26-lett*");
}

static void test_all_namespaces_have_no_pattern(void **state)
{
        const char *text = users(*state, RULE "account = c0:*/*\nuser = @own\n" LISTED "*\n",
                                 "sshd", KSA_USER_PATTERNS);

        assert_non_null(strstr(text, "list the namespaces"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_users, workdir_setup, workdir_teardown),
                cmocka_unit_test_setup_teardown(test_long_namespace, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_people_are_no_accounts, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_all_namespaces_have_no_pattern, workdir_setup,
                                                workdir_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

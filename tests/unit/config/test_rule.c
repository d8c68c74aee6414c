/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/rule.h"
#include "support/signer.h"
#include "support/support.h"

#define HEAD                                                                       \
        "[host]\naudience = " AUDIENCE " ssh://second\n"                           \
        "[service postgresql]\naudience = postgresql://build-7\nlocal_user = no\n" \
        "[cluster prod]\nissuer = " ISSUER "\nkeys = file:/nowhere\n"              \
        "[cluster staging]\nissuer = https://staging\nkeys = file:/nowhere\n"

static struct ksa_config *load(struct workdir *workdir, const char *rules)
{
        struct ksa_config *config = NULL;
        struct ksa_error error = {0};
        size_t size = strlen(rules) + sizeof(HEAD);
        char *text = malloc(size);

        assert_non_null(text);
        (void)snprintf(text, size, "%s%s", HEAD, rules);
        workdir->env.registry_file = "/nowhere"; /* so that @own may be written */
        if (workdir_load(workdir, text, &config, &error) != KSA_OK)
                fail_msg("%s:%u: %s", error.file, error.line, error.text);
        free(text);
        return config;
}

static const char *one_audience[] = {AUDIENCE};
static struct ksa_list carried = {.items = one_audience, .count = 1};

/* prod:ci/deployer becomes deploy-bot through sshd from 10.1.2.3. */
static struct ksa_candidate deployer(const struct ksa_config *config)
{
        return (struct ksa_candidate){.cluster = "prod",
                                      .namespace = "ci",
                                      .account = "deployer",
                                      .account_uid = "u-1",
                                      .user = "deploy-bot",
                                      .service = "sshd",
                                      .rhost = "10.1.2.3",
                                      .audiences = &carried,
                                      .accepted = &config->host.audience};
}

/* --- Tokens of sessions ----------------------------------------------------- */

#define SUDO  "[rule a]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sudo\n"
#define LATER "[rule b]\naccount = prod:*/*\nuser = deploy-bot\nservice = sudo\n"

static const char *found(const struct ksa_config *config, bool of_session)
{
        struct ksa_candidate candidate = deployer(config);
        enum ksa_condition failed;

        candidate.service = "sudo";
        candidate.of_session = of_session;
        const struct ksa_rule *rule = ksa_rule_find(config, &candidate, &failed);
        return rule != NULL ? rule->name : ksa_condition_text(failed);
}

static void test_token_of_a_session(void **state)
{
        struct ksa_config *config = load(*state, SUDO LATER "token = session\n");

        assert_string_equal(found(config, false), "a");
        assert_string_equal(found(config, true), "b");
        ksa_config_free(&config);
        config = load(*state, SUDO "token = session\n" LATER);
        assert_string_equal(found(config, false), "a"); /* it admits a fresh token too */
        assert_string_equal(found(config, true), "a");
        ksa_config_free(&config);
        config = load(*state, SUDO LATER);
        assert_string_equal(found(config, true), ksa_condition_text(KSA_CONDITION_TOKEN));
        ksa_config_free(&config);
}

static void test_session_names(void **state)
{
        static const struct {
                const char *rules, *own_account;
                bool named, taken;
        } rows[] = {
                {SUDO "token = session\n", NULL, true, true},
                {SUDO "token = session\naccount_uid = u-2\nfrom = 192.0.2.1\n", NULL, true, true},
                {SUDO, NULL, false, false},
                {"[rule a]\naccount = prod:ci/x\nuser = deploy-bot\nservice = sudo\ntoken = session\n",
                 NULL, true, false},
                {"[rule a]\naccount = prod:ci/*\nuser = x\nservice = sudo\ntoken = session\n", NULL,
                 false, false},
                {"[rule a]\naccount = prod:ci/*\nuser = @own\nservice = sudo\ntoken = session\n",
                 NULL, false, false},
                {"[rule a]\naccount = prod:ci/*\nuser = @own\nservice = sudo\ntoken = session\n",
                 "prod:ci/deployer", true, true},
                {"[rule a]\naccount = prod:ci/*\nuser = @own\nservice = sudo\ntoken = session\n",
                 "prod:ci/x", true, false},
                {"[rule a]\naccount = prod:ci/*\nuser = deploy-bot\nservice = sudo-i\ntoken = session\n",
                 NULL, false, false},
        };

        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_config *config = load(*state, rows[i].rules);
                struct ksa_candidate candidate = deployer(config);

                candidate.service = "sudo";
                candidate.own_account = rows[i].own_account;
                if (ksa_rule_names_session(config, "deploy-bot", rows[i].own_account, "sudo") !=
                            rows[i].named ||
                    ksa_rule_takes_session(config, &candidate) != rows[i].taken)
                        fail_msg("row %zu", i);
                /* sudo includes sudo-i */
                candidate.service = "sudo-i";
                if (rows[i].taken)
                        assert_true(ksa_rule_takes_session(config, &candidate));
                ksa_config_free(&config);
        }
}

/* --- Patterns --------------------------------------------------------------- */

static const struct {
        const char *cluster, *namespace, *name;
        bool deployer, other_name, other_namespace, other_cluster, default_account;
} patterns[] = {
        {"prod", "ci", "deployer", true, false, false, false, false},
        {"prod", "ci", "*", true, true, false, false, false},
        {"prod", "*", "deployer", true, false, true, false, false},
        {"prod", "*", "*", true, true, true, false, false},
        {"prod", "ci", "default", false, false, false, false, true},
        {"prod", "*", "default", false, false, false, false, true},
        {"staging", "*", "*", false, false, false, true, false},
        {"*", "*", "*", false, false, false, false, false}, /* a cluster is named exactly */
        {"prod", "ci", "deploy", false, false, false, false, false},
        {"prod", "ci", "deployer*", false, false, false, false, false},
        {"prod", "c*", "deployer", false, false, false, false, false},
};

static void test_patterns_are_of_whole_parts(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(patterns); i++) {
                struct ksa_pattern pattern = {patterns[i].cluster, patterns[i].namespace,
                                              patterns[i].name};

                assert_int_equal(ksa_pattern_covers(&pattern, "prod", "ci", "deployer"),
                                 patterns[i].deployer);
                assert_int_equal(ksa_pattern_covers(&pattern, "prod", "ci", "builder"),
                                 patterns[i].other_name);
                assert_int_equal(ksa_pattern_covers(&pattern, "prod", "ops", "deployer"),
                                 patterns[i].other_namespace);
                assert_int_equal(ksa_pattern_covers(&pattern, "staging", "ci", "deployer"),
                                 patterns[i].other_cluster);
                assert_int_equal(ksa_pattern_covers(&pattern, "prod", "ci", "default"),
                                 patterns[i].default_account);
        }
}

/* --- Each condition --------------------------------------------------------- */

#define RULE "[rule a]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sshd\n"

static const struct {
        const char *rule;
        enum ksa_condition failed; /* for deployer() above */
} conditions[] = {
        {RULE, KSA_CONDITION_NONE},
        {"[rule a]\naccount = prod:ops/x prod:ci/deployer\nuser = x deploy-bot\nservice = x sshd\n",
         KSA_CONDITION_NONE},
        {"[rule a]\naccount = prod:ci/builder\nuser = deploy-bot\nservice = sshd\n",
         KSA_CONDITION_ACCOUNT},
        {"[rule a]\naccount = staging:ci/deployer\nuser = deploy-bot\nservice = sshd\n",
         KSA_CONDITION_ACCOUNT},
        {RULE "account_uid = u-1\n", KSA_CONDITION_NONE},
        {RULE "account_uid = u-2\n", KSA_CONDITION_ACCOUNT_UID},
        {RULE "account_uid = u-11\n", KSA_CONDITION_ACCOUNT_UID},
        {"[rule a]\naccount = prod:ci/deployer\nuser = other\nservice = sshd\n",
         KSA_CONDITION_USER},
        {"[rule a]\naccount = prod:ci/deployer\nuser = deploy-bot2\nservice = sshd\n",
         KSA_CONDITION_USER},
        {"[rule a]\naccount = prod:ci/deployer\nuser = @own\nservice = sshd\n", KSA_CONDITION_USER},
        {"[rule a]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sudo\n",
         KSA_CONDITION_SERVICE},
        {"[rule a]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = ssh\n",
         KSA_CONDITION_SERVICE},
        {RULE "audience = " AUDIENCE "\n", KSA_CONDITION_NONE},
        {RULE "audience = ssh://second " AUDIENCE "\n", KSA_CONDITION_NONE},
        {RULE "audience = ssh://second\n", KSA_CONDITION_AUDIENCE},
        {RULE "from = 10.0.0.0/8\n", KSA_CONDITION_NONE},
        {RULE "from = 192.168.0.0/16 10.1.2.3\n", KSA_CONDITION_NONE},
        {RULE "from = 192.168.0.0/16\n", KSA_CONDITION_FROM},
        {RULE "from = 10.1.2.4\n", KSA_CONDITION_FROM},
        {RULE "from = ::/0\n", KSA_CONDITION_FROM},
};

static void test_each_condition(void **state)
{
        struct workdir *workdir = *state;

        for (size_t i = 0; i < KSA_COUNT(conditions); i++) {
                struct ksa_config *config = load(workdir, conditions[i].rule);
                struct ksa_candidate candidate = deployer(config);
                enum ksa_condition failed = KSA_CONDITION_COUNT;
                bool matches = ksa_rule_matches(&config->rules[0], &candidate, &failed);

                if (failed != conditions[i].failed)
                        fail_msg("%s: %s", conditions[i].rule, ksa_condition_text(failed));
                assert_int_equal(matches, conditions[i].failed == KSA_CONDITION_NONE);
                ksa_config_free(&config);
        }
}

static void test_every_condition_has_words(void **state)
{
        (void)state;
        for (unsigned i = 0; i < KSA_CONDITION_COUNT; i++) {
                assert_non_null(ksa_condition_text((enum ksa_condition)i));
                for (unsigned n = 0; n < i; n++)
                        assert_string_not_equal(ksa_condition_text((enum ksa_condition)i),
                                                ksa_condition_text((enum ksa_condition)n));
        }
}

/* --- Where from ------------------------------------------------------------- */

static const struct {
        const char *rhost;
        enum ksa_condition failed; /* for from = 10.0.0.0/8 fd00::/8 */
} hosts[] = {
        {"10.255.0.1", KSA_CONDITION_NONE},
        {"::ffff:10.1.2.3", KSA_CONDITION_NONE},
        {"fd00::1", KSA_CONDITION_NONE},
        {"11.0.0.1", KSA_CONDITION_FROM},
        {"fe80::1%eth0", KSA_CONDITION_FROM},
        {"::ffff:11.0.0.1", KSA_CONDITION_FROM},
        {"", KSA_CONDITION_FROM_NAME},
        {"build-7.example.com", KSA_CONDITION_FROM_NAME},
        {"10.0.0.0/8", KSA_CONDITION_FROM_NAME},
        {"10.1.2.3 ", KSA_CONDITION_FROM_NAME},
        {"fd00::1%eth0", KSA_CONDITION_FROM_NAME},
        {"10.0.0.1%x.evil.example", KSA_CONDITION_FROM_NAME},
        {"UNKNOWN", KSA_CONDITION_FROM_NAME},
        {"167772161", KSA_CONDITION_FROM_NAME}, /* 10.0.0.1 for inet_aton */
};

static void test_from(void **state)
{
        struct ksa_config *config = load(*state, RULE "from = 10.0.0.0/8 fd00::/8\n");

        for (size_t i = 0; i < KSA_COUNT(hosts); i++) {
                struct ksa_candidate candidate = deployer(config);
                enum ksa_condition failed;

                candidate.rhost = hosts[i].rhost;
                (void)ksa_rule_matches(&config->rules[0], &candidate, &failed);
                if (failed != hosts[i].failed)
                        fail_msg("'%s': %s", hosts[i].rhost, ksa_condition_text(failed));
        }
        ksa_config_free(&config);
}

static void test_no_from_is_anywhere(void **state)
{
        struct ksa_config *config = load(*state, RULE);

        for (size_t i = 0; i < KSA_COUNT(hosts); i++) {
                struct ksa_candidate candidate = deployer(config);
                enum ksa_condition failed;

                candidate.rhost = hosts[i].rhost;
                assert_true(ksa_rule_matches(&config->rules[0], &candidate, &failed));
        }
        ksa_config_free(&config);
}

/* --- Audiences that a rule narrows ------------------------------------------ */

static void test_a_rule_never_widens(void **state)
{
        struct ksa_config *config =
                load(*state, "[rule a]\naccount = prod:ci/deployer\nuser = deploy-bot\n"
                             "service = sshd postgresql\naudience = postgresql://build-7\n");
        struct ksa_candidate candidate = deployer(config);
        const char *texts[] = {"postgresql://build-7"};
        struct ksa_list audiences = {.items = texts, .count = 1};
        enum ksa_condition failed;

        candidate.audiences = &audiences;
        assert_false(ksa_rule_matches(&config->rules[0], &candidate, &failed));
        assert_int_equal(failed, KSA_CONDITION_AUDIENCE);
        candidate.service = "postgresql";
        candidate.accepted = &config->services[0].audience;
        assert_true(ksa_rule_matches(&config->rules[0], &candidate, &failed));
        ksa_config_free(&config);
}

/* --- System users and own users --------------------------------------------- */

#define OWN_RULE "[rule a]\naccount = prod:ci/*\nuser = @own\nservice = sshd\n"

static const struct {
        const char *own_account;
        enum ksa_condition failed;
} owners[] = {
        {"prod:ci/deployer", KSA_CONDITION_NONE},
        {NULL, KSA_CONDITION_USER},
        {"", KSA_CONDITION_USER},
        {"prod:ci/builder", KSA_CONDITION_USER},
        {"prod:ops/deployer", KSA_CONDITION_USER},
        {"staging:ci/deployer", KSA_CONDITION_USER},
        {"prod:ci/deployer2", KSA_CONDITION_USER},
        {"ci/deployer", KSA_CONDITION_USER},
};

static void test_own_is_the_account_s_own_user(void **state)
{
        struct ksa_config *config = load(*state, OWN_RULE);

        for (size_t i = 0; i < KSA_COUNT(owners); i++) {
                struct ksa_candidate candidate = deployer(config);
                enum ksa_condition failed;

                candidate.own_account = owners[i].own_account;
                (void)ksa_rule_matches(&config->rules[0], &candidate, &failed);
                assert_int_equal(failed, owners[i].failed);
        }
        ksa_config_free(&config);
}

static void test_system_users_are_named(void **state)
{
        struct ksa_config *config = load(*state, RULE "[rule b]\naccount = prod:ci/*\n"
                                                      "user = @own\nservice = sshd\n");
        struct ksa_candidate candidate = deployer(config);
        enum ksa_condition failed;

        candidate.low_uid = true;
        candidate.own_account = "prod:ci/deployer";
        assert_true(ksa_rule_matches(&config->rules[0], &candidate, &failed));
        assert_false(ksa_rule_matches(&config->rules[1], &candidate, &failed));
        assert_int_equal(failed, KSA_CONDITION_LOW_UID);
        candidate.low_uid = false;
        assert_true(ksa_rule_matches(&config->rules[1], &candidate, &failed));
        ksa_config_free(&config);
}

/* --- Services --------------------------------------------------------------- */

static void test_sudo_means_sudo_i_too(void **state)
{
        static const struct {
                const char *in_rule, *service;
                bool matches;
        } rows[] = {{"sudo", "sudo", true},    {"sudo", "sudo-i", true}, {"sudo-i", "sudo-i", true},
                    {"sudo-i", "sudo", false}, {"su", "su-l", false},    {"sshd", "sudo-i", false}};

        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                char rule[128];
                enum ksa_condition failed;

                (void)snprintf(rule, sizeof(rule),
                               "[rule a]\naccount = prod:ci/deployer\n"
                               "user = deploy-bot\nservice = %s\n",
                               rows[i].in_rule);
                struct ksa_config *config = load(*state, rule);
                struct ksa_candidate candidate = deployer(config);
                candidate.service = rows[i].service;
                assert_int_equal(ksa_rule_matches(&config->rules[0], &candidate, &failed),
                                 rows[i].matches);
                assert_int_equal(ksa_rule_names(config, "deploy-bot", NULL, rows[i].service),
                                 rows[i].matches);
                ksa_config_free(&config);
        }
}

static void test_names(void **state)
{
        struct ksa_config *config = load(*state, RULE "[rule b]\naccount = prod:ci/*\n"
                                                      "user = @own\nservice = cron sudo\n");

        assert_true(ksa_rule_names(config, "deploy-bot", NULL, "sshd"));
        assert_false(ksa_rule_names(config, "deploy-bot", NULL, "sudo"));
        assert_false(ksa_rule_names(config, "deploy-bot", NULL, ""));
        assert_false(ksa_rule_names(config, "root", NULL, "sshd"));
        assert_false(ksa_rule_names(config, "", NULL, "sshd"));
        assert_false(ksa_rule_names(config, "own-user", NULL, "cron"));
        assert_true(ksa_rule_names(config, "own-user", "prod:ci/x", "cron"));
        assert_true(ksa_rule_names(config, "own-user", "prod:ci/x", "sudo-i"));
        assert_false(ksa_rule_names(config, "own-user", "prod:ci/x", "sshd"));
        ksa_config_free(&config);
}

/* Bug: a user called @own counted as named by every such rule. */
static void test_nobody_is_called_own(void **state)
{
        struct ksa_config *config = load(*state, OWN_RULE);
        struct ksa_candidate candidate = deployer(config);
        enum ksa_condition failed;

        candidate.user = "@own";
        assert_false(ksa_rule_matches(&config->rules[0], &candidate, &failed));
        assert_int_equal(failed, KSA_CONDITION_USER);
        assert_false(ksa_rule_names(config, "@own", NULL, "sshd"));
        ksa_config_free(&config);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_token_of_a_session, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_session_names, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test(test_patterns_are_of_whole_parts),
                cmocka_unit_test_setup_teardown(test_each_condition, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test(test_every_condition_has_words),
                cmocka_unit_test_setup_teardown(test_from, workdir_setup, workdir_teardown),
                cmocka_unit_test_setup_teardown(test_no_from_is_anywhere, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_a_rule_never_widens, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_own_is_the_account_s_own_user, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_system_users_are_named, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_sudo_means_sudo_i_too, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_names, workdir_setup, workdir_teardown),
                cmocka_unit_test_setup_teardown(test_nobody_is_called_own, workdir_setup,
                                                workdir_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* rule.c: the search through its index; test_rule.c has the conditions of a single rule. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/rule.h"
#include "support/signer.h"
#include "support/support.h"

#define HEAD                                                        \
        "[host]\naudience = " AUDIENCE "\n"                         \
        "[cluster c0]\nissuer = " ISSUER "\nkeys = file:/nowhere\n" \
        "[cluster c1]\nissuer = https://c1\nkeys = file:/nowhere\n"

static const char *one_audience[] = {AUDIENCE};
static struct ksa_list carried = {.items = one_audience, .count = 1};

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

/* --- Order ------------------------------------------------------------------ */

static const char *found(const struct ksa_config *config, const char *account, const char *user,
                         const char *service)
{
        struct ksa_candidate candidate = {.cluster = "c0",
                                          .namespace = "ci",
                                          .account = account,
                                          .account_uid = "u",
                                          .user = user,
                                          .service = service,
                                          .rhost = "10.0.0.1",
                                          .audiences = &carried,
                                          .accepted = &config->host.audience};
        enum ksa_condition failed;
        const struct ksa_rule *rule = ksa_rule_find(config, &candidate, &failed);

        return rule == NULL ? "none" : rule->name;
}

/* The order of the files counts, not how exact a pattern is. */
static void test_first_rule_that_fits(void **state)
{
        struct ksa_config *config =
                load(*state, "[rule z]\naccount = c0:*/*\nuser = a\nservice = sudo\n"
                             "[rule y]\naccount = c0:ci/x c0:ci/*\nuser = a\nservice = sshd\n"
                             "[rule x]\naccount = c0:ci/x\nuser = a b\nservice = sshd sudo\n"
                             "[rule default]\naccount = c0:ci/default\nuser = a\nservice = sshd\n");

        assert_string_equal(found(config, "x", "a", "sshd"), "y");
        assert_string_equal(found(config, "x", "a", "sudo"), "z");
        assert_string_equal(found(config, "x", "b", "sudo-i"), "x");
        assert_string_equal(found(config, "w", "a", "sshd"), "y");
        assert_string_equal(found(config, "w", "b", "sshd"), "none");
        assert_string_equal(found(config, "default", "a", "sshd"), "default");
        assert_string_equal(found(config, "default", "a", "sudo"), "none");
        assert_string_equal(found(config, "*", "a", "su"), "none");
        ksa_config_free(&config);
}

static void test_order_goes_through_conf_d(void **state)
{
        struct workdir *workdir = *state;

        workdir_directory(workdir, "conf.d");
        workdir_write(workdir, "conf.d/20-b.conf",
                      "[rule in-20]\naccount = c0:ci/*\nuser = a\nservice = sshd\n");
        workdir_write(workdir, "conf.d/10-a.conf",
                      "[rule in-10]\naccount = c0:ci/x\nuser = a\nservice = sshd\n");
        struct ksa_config *config =
                load(workdir, "[rule main]\naccount = c0:ci/y\nuser = a\nservice = sshd\n");
        assert_string_equal(found(config, "x", "a", "sshd"), "in-10");
        assert_string_equal(found(config, "y", "a", "sshd"), "main");
        assert_string_equal(found(config, "z", "a", "sshd"), "in-20");
        ksa_config_free(&config);
}

static void test_no_rules_at_all(void **state)
{
        struct ksa_config *config = load(*state, "");

        assert_string_equal(found(config, "x", "a", "sshd"), "none");
        assert_false(ksa_rule_names(config, "a", "c0:ci/x", "sshd"));
        ksa_config_free(&config);
}

/* The progress of the rule that came closest, for the log line. */
static void test_closest_condition(void **state)
{
        static const struct {
                const char *account, *user, *service, *rhost;
                enum ksa_condition closest;
        } rows[] = {
                {"other", "a", "sshd", "10.0.0.1", KSA_CONDITION_ACCOUNT},
                {"x", "other", "sshd", "10.0.0.1", KSA_CONDITION_ACCOUNT},
                {"x", "a", "su", "10.0.0.1", KSA_CONDITION_SERVICE},
                {"x", "a", "sshd", "11.0.0.1", KSA_CONDITION_FROM},
                {"x", "a", "sshd", "a-name", KSA_CONDITION_FROM_NAME},
        };
        struct ksa_config *config =
                load(*state, "[rule far]\naccount = c0:ci/x\nuser = a\nservice = cron\n"
                             "[rule near]\naccount = c0:ci/x\nuser = a\nservice = sshd\n"
                             "from = 10.0.0.0/8\n"
                             "[rule last]\naccount = c0:ci/x\nuser = a\nservice = cron\n");

        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_candidate candidate = {.cluster = "c0",
                                                  .namespace = "ci",
                                                  .account = rows[i].account,
                                                  .account_uid = "u",
                                                  .user = rows[i].user,
                                                  .service = rows[i].service,
                                                  .rhost = rows[i].rhost,
                                                  .audiences = &carried,
                                                  .accepted = &config->host.audience};
                enum ksa_condition closest = KSA_CONDITION_NONE;

                assert_null(ksa_rule_find(config, &candidate, &closest));
                assert_int_equal(closest, rows[i].closest);
        }
        ksa_config_free(&config);
}

/* --- The index finds what a search through all rules finds ------------------ */

static const char *const namespaces[] = {"*", "n0", "n1", "n2"};
static const char *const accounts[] = {"*", "a0", "a1", "default"};
static const char *const users[] = {"@own", "u0", "u1", "u2"};
static const char *const services[] = {"sshd", "sudo", "sudo-i", "cron"};
static const char *const uids[] = {"id0", "id1"};
static const char *const rhosts[] = {"", "10.0.0.1", "11.0.0.1", "name"};

static const char *pick(const char *const *texts, size_t count, uint32_t *seed)
{
        return texts[next_random(seed) % count];
}

#define PICK(texts, seed) pick(texts, KSA_COUNT(texts), seed)

static void write_rules(FILE *out, uint32_t *seed)
{
        unsigned count = next_random(seed) % 90;

        for (unsigned i = 0; i < count; i++) {
                (void)fprintf(out, "[rule r%u]\n", i);
                for (unsigned n = next_random(seed) % 2 + 1; n > 0; n--)
                        (void)fprintf(out, "account = c%u:%s/%s\n", next_random(seed) % 2,
                                      PICK(namespaces, seed), PICK(accounts, seed));
                for (unsigned n = next_random(seed) % 2 + 1; n > 0; n--)
                        (void)fprintf(out, "user = %s\n", PICK(users, seed));
                for (unsigned n = next_random(seed) % 2 + 1; n > 0; n--)
                        (void)fprintf(out, "service = %s\n", PICK(services, seed));
                if (next_random(seed) % 4 == 0)
                        (void)fprintf(out, "account_uid = %s\n", PICK(uids, seed));
        }
}

static const struct ksa_rule *linear_search(const struct ksa_config *config,
                                            const struct ksa_candidate *candidate)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                enum ksa_condition failed;

                if (ksa_rule_matches(&config->rules[i], candidate, &failed))
                        return &config->rules[i];
        }
        return NULL;
}

static bool linear_names(const struct ksa_config *config, const struct ksa_candidate *candidate)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                const struct ksa_rule *rule = &config->rules[i];
                bool user = ksa_list_has(&rule->user, candidate->user) ||
                            (candidate->own_account != NULL && ksa_list_has(&rule->user, "@own"));
                bool service = ksa_list_has(&rule->service, candidate->service) ||
                               (strcmp(candidate->service, "sudo-i") == 0 &&
                                ksa_list_has(&rule->service, "sudo"));

                if (user && service)
                        return true;
        }
        return false;
}

static void compare_one(const struct ksa_config *config, uint32_t *seed)
{
        char own_account[64];
        struct ksa_candidate candidate = {.cluster = next_random(seed) % 2 == 0 ? "c0" : "c1",
                                          .namespace = PICK(namespaces, seed),
                                          .account = PICK(accounts, seed),
                                          .account_uid = PICK(uids, seed),
                                          .user = users[1 + next_random(seed) % 3],
                                          .low_uid = next_random(seed) % 4 == 0,
                                          .service = PICK(services, seed),
                                          .rhost = PICK(rhosts, seed),
                                          .audiences = &carried,
                                          .accepted = &config->host.audience};
        enum ksa_condition failed;

        if (next_random(seed) % 2 == 0) {
                (void)snprintf(own_account, sizeof(own_account), "%s:%s/%s", candidate.cluster,
                               candidate.namespace, candidate.account);
                candidate.own_account = own_account;
        }
        assert_ptr_equal(ksa_rule_find(config, &candidate, &failed),
                         linear_search(config, &candidate));
        assert_int_equal(
                ksa_rule_names(config, candidate.user, candidate.own_account, candidate.service),
                linear_names(config, &candidate));
}

static void test_index_equals_linear_search(void **state)
{
        uint32_t seed = 20260731;

        for (unsigned run = 0; run < 60; run++) {
                char *rules = NULL;
                size_t length;
                FILE *out = open_memstream(&rules, &length);

                assert_non_null(out);
                write_rules(out, &seed);
                assert_int_equal(fclose(out), 0);
                struct ksa_config *config = load(*state, rules);
                for (unsigned i = 0; i < 200; i++)
                        compare_one(config, &seed);
                ksa_config_free(&config);
                free(rules);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_first_rule_that_fits, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_order_goes_through_conf_d, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_no_rules_at_all, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_closest_condition, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_index_equals_linear_search, workdir_setup,
                                                workdir_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

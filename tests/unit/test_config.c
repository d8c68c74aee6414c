/* SPDX-License-Identifier: GPL-2.0-or-later */
/* option.c, section.c, config.c, config_check.c: every option, and what holds between sections. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support.h"

#define HOST "[host]\naudience = ssh://build-7\n"
#define CLUSTER "[cluster prod]\nissuer = https://c\nkeys = file:/etc/ksa/prod.jwks\n"
#define RULE "[rule a]\naccount = prod:ci/d\nuser = bot\nservice = sshd\n"
#define ALL HOST CLUSTER RULE

/* Every default in the table fits its own option. */
static void test_defaults_parse(void **state)
{
        (void)state;
        for (size_t i = 0; i < ksa_option_count; i++) {
                char place[sizeof(struct ksa_rule) + sizeof(struct ksa_cluster) +
                           sizeof(struct ksa_host) + sizeof(struct ksa_account)] = {0};
                char text[64];
                bool memory;

                assert_ptr_equal(ksa_option_find(ksa_options[i].section, ksa_options[i].name),
                                 &ksa_options[i]);
                if (ksa_options[i].fallback == NULL)
                        continue;
                (void)snprintf(text, sizeof(text), "%s", ksa_options[i].fallback);
                assert_null(ksa_option_set(&ksa_options[i], text, place, &memory));
        }
        assert_null(ksa_option_find(KSA_SECTION_HOST, "issuer"));
        assert_null(ksa_option_find(KSA_SECTION_RULE, ""));
}

static void test_defaults(void **state)
{
        struct ksa_config *config = NULL;

        assert_int_equal(place_load(*state, ALL, &config, NULL), KSA_OK);
        assert_int_equal(config->host.timeout, 5);
        assert_int_equal(config->host.max_lifetime, 3600);
        assert_false(config->host.multiple_audiences);
        assert_int_equal(config->host.uid_range.min, 1879048192);
        assert_int_equal(config->host.uid_range.max, 2147483647);
        assert_int_equal(config->clusters[0].keys_max_stale, 86400);
        assert_int_equal(config->clusters[0].review, KSA_REVIEW_NEVER);
        assert_int_equal(config->rules[0].bound, KSA_BOUND_ANY);
        assert_false(config->rules[0].rbac || config->rules[0].once);
        ksa_config_free(&config);
        assert_null(config);
}

static void test_values(void **state)
{
        struct ksa_config *config = NULL;
        struct ksa_error error = {0};

        ((struct place *)*state)->env.registry_file = "/nowhere"; /* so that accounts may be written */
        enum ksa_reason reason =
                place_load(*state,
                           "[host]\naudience = ssh://a ssh://%H\naudience = ssh://%h\nname = a.b\n"
                           "class = x y\ntimeout = 10\nmax_lifetime = 2h\n"
                           "multiple_audiences = yes\nuid_range = 2000-3000\n"
                           "[cluster prod]\nissuer = https://c https://d\n"
                           "keys = file:/etc/ksa/prod.jwks\nkeys_max_stale = 2d\n"
                           "[service db]\naudience = db://a\nlocal_user = no\n"
                           "[rule a]\naccount = prod:ci/* prod:*/d\naccount_uid = u-1\n"
                           "user = a b\nservice = sshd cron\naudience = ssh://a\n"
                           "[rule b]\naccount = prod:ci/d\nuser = a\nservice = sshd\n"
                           "from = 10.0.0.0/8 fd00::/8\n"
                           "[account c]\naccount = prod:ci/c\nuid = 2500\nhome = /h\nshell = /s\n"
                           "[accounts prod]\nnamespaces = ci *\nselector = a=b, c\nrecreated = accept\n",
                           &config, &error);
        if (reason != KSA_OK)
                fail_msg("line %u: %s", error.line, error.text);
        assert_int_equal(config->host.audience.count, 3);
        assert_string_equal(ksa_list_text(&config->host.audience, 1), "ssh://build-7.example.com");
        assert_string_equal(ksa_list_text(&config->host.audience, 2), "ssh://build-7");
        assert_int_equal(config->host.timeout, 10);
        assert_int_equal(config->host.max_lifetime, 7200);
        assert_true(config->host.multiple_audiences);
        assert_int_equal(config->host.uid_range.max, 3000);
        assert_int_equal(config->clusters[0].issuer.count, 2);
        assert_int_equal(config->clusters[0].keys_max_stale, 172800);
        assert_false(ksa_config_service(config, "db")->local_user);
        assert_int_equal(config->rules[0].account.count, 2);
        assert_int_equal(config->rules[1].from.count, 2);
        assert_int_equal(config->accounts[0].uid, 2500);
        assert_true(config->account_sources[0].recreated);
        assert_string_equal(config->account_sources[0].selector, "a=b, c");
        assert_true(ksa_option_given((const struct ksa_section_head *)&config->rules[0],
                                     ksa_option_find(KSA_SECTION_RULE, "account_uid")));
        assert_false(ksa_option_given((const struct ksa_section_head *)&config->rules[1],
                                      ksa_option_find(KSA_SECTION_RULE, "account_uid")));
        ksa_config_free(&config);
}

static const struct error_row {
        const char *text;
        enum ksa_reason reason;
        unsigned line; /* 0: of none */
} errors[] = {
        {"", KSA_CONFIG_INVALID, 0},
        {HOST "[cluster prod]\nissuer = https://c\n" RULE, KSA_CONFIG_INVALID, 3},
        {HOST "[cluster prod]\nkeys = file:/k\n" RULE, KSA_CONFIG_INVALID, 3},
        {"[host]\n" CLUSTER, KSA_CONFIG_INVALID, 1},
        {ALL "[rule b]\nuser = bot\nservice = sshd\n", KSA_CONFIG_INVALID, 10},
        {ALL "[rule b]\naccount = prod:ci/d\nservice = sshd\n", KSA_CONFIG_INVALID, 10},
        {ALL "[rule b]\naccount = prod:ci/d\nuser = bot\n", KSA_CONFIG_INVALID, 10},
        {ALL "[rule b]\naccount = staging:ci/d\nuser = bot\nservice = sshd\n", KSA_CONFIG_INVALID, 10},
        {ALL "[rule b]\naccount = prod:ci/d\nuser = bot\nservice = sudo\nfrom = 10.0.0.0/8\n",
         KSA_CONFIG_INVALID, 10},
        {ALL "[rule b]\naccount = prod:c*/d\nuser = bot\nservice = sshd\n", KSA_CONFIG_INVALID, 11},
        {ALL "[rule b]\naccount = prod:ci\nuser = bot\nservice = sshd\n", KSA_CONFIG_INVALID, 11},
        {ALL "[rule b]\naccount = prod:ci/D\nuser = bot\nservice = sshd\n", KSA_CONFIG_INVALID, 11},
        {ALL "audience = ssh://elsewhere\n", KSA_CONFIG_INVALID, 6},
        {ALL "[service db]\naudience = ssh://build-7\n", KSA_CONFIG_INVALID, 1},
        {"[host]\naudience = https://c\n" CLUSTER RULE, KSA_CONFIG_INVALID, 1},
        {"[host]\naudience = ssh://a\ntimeout = 0\n" CLUSTER RULE, KSA_CONFIG_INVALID, 3},
        {"[host]\naudience = ssh://a\ntimeout = 61\n" CLUSTER RULE, KSA_CONFIG_INVALID, 3},
        {"[host]\naudience = ssh://a\nmax_lifetime = 59\n" CLUSTER RULE, KSA_CONFIG_INVALID, 3},
        {"[host]\naudience = ssh://a\nmultiple_audiences = true\n" CLUSTER RULE, KSA_CONFIG_INVALID, 3},
        {"[host]\naudience = ssh://a\nuid_range = 999-2000\n" CLUSTER RULE, KSA_CONFIG_INVALID, 3},
        {"[host]\naudience = ssh://a\nuid_range = 3000-2000\n" CLUSTER RULE, KSA_CONFIG_INVALID, 3},
        {ALL "user = -x\n", KSA_CONFIG_INVALID, 10},
        {ALL "user = @all\n", KSA_CONFIG_INVALID, 10},
        {ALL "service = ../x\n", KSA_CONFIG_INVALID, 10},
        {ALL "from = host.example.com\n", KSA_CONFIG_INVALID, 10},
        {ALL "review = maybe\n", KSA_CONFIG_INVALID, 10},
        {ALL "once = yes\n", KSA_NOT_BUILT, 6},
        {ALL "rbac = yes\n", KSA_NOT_BUILT, 6},
        {ALL "bound = pod\n", KSA_NOT_BUILT, 6},
        {ALL "review = prefer\n", KSA_NOT_BUILT, 6},
        {ALL "user = @own\n", KSA_NOT_BUILT, 6},
        {HOST "[cluster prod]\nissuer = https://c\nkeys = api\napi_server = https://a\n" RULE,
         KSA_NOT_BUILT, 3},
        {HOST "[cluster prod]\nissuer = https://c\nkeys = discover\n" RULE, KSA_NOT_BUILT, 3},
        {HOST CLUSTER "review = require\n" RULE, KSA_NOT_BUILT, 3},
        {HOST "[cluster prod]\nissuer = kubernetes/serviceaccount\nkeys = file:/k\n" RULE,
         KSA_CONFIG_INVALID, 3},
};

static void test_errors(void **state)
{
        for (size_t i = 0; i < KSA_COUNT(errors); i++) {
                struct ksa_config *config = NULL;
                struct ksa_error error = {0};
                enum ksa_reason reason = place_load(*state, errors[i].text, &config, &error);

                if (reason != errors[i].reason)
                        fail_msg("%s: %s (%s)", errors[i].text, ksa_reason_word(reason), error.text);
                assert_null(config);
                assert_non_null(strstr(error.file, "/ksa.conf"));
                if (errors[i].line != 0 && error.line != errors[i].line)
                        fail_msg("%s: line %u (%s)", errors[i].text, error.line, error.text);
        }
}

static void count_one(void *context, const struct ksa_error *problem)
{
        unsigned *count = context;

        assert_string_not_equal(problem->text, "");
        (*count)++;
}

static void test_every_problem_is_told(void **state)
{
        struct place *place = *state;
        unsigned count = 0;
        const struct ksa_problem_sink sink = {count_one, &count};
        struct ksa_config *config = NULL;
        struct ksa_error error = {0};

        place_write(place, "ksa.conf", ALL "usr = x\nbound = maybe\n[ruel x]\ny = z\nnonsense\n");
        assert_int_equal(ksa_config_load(&place->env, &sink, &config, &error), KSA_CONFIG_INVALID);
        assert_true(count >= 4);
        assert_int_equal(error.line, 10); /* the first is what a login logs */
}

static void test_folder_comes_after_in_byte_order(void **state)
{
        struct place *place = *state;
        struct ksa_config *config = NULL;
        struct ksa_error error = {0};

        place_folder(place, "conf.d");
        place_write(place, "conf.d/b.conf",
                    "[rule b]\naccount = prod:ci/d\nuser = b\nservice = sshd\n");
        place_write(place, "conf.d/B.conf",
                    "[rule B]\naccount = prod:ci/d\nuser = b\nservice = sshd\n");
        place_write(place, "conf.d/ignored", "nonsense\n");
        assert_int_equal(place_load(place, ALL, &config, &error), KSA_OK);
        assert_string_equal(config->rules[0].name, "a");
        assert_string_equal(config->rules[1].name, "B");
        assert_string_equal(config->rules[2].name, "b");
        ksa_config_free(&config);
        place_write(place, "conf.d/c.conf", RULE);
        assert_int_equal(place_load(place, ALL, &config, &error), KSA_CONFIG_INVALID);
        assert_non_null(strstr(error.file, "c.conf"));
}

static void test_host_name(void **state)
{
        struct place *place = *state;
        static const char *const names[] = {"", "localhost", "localhost.localdomain"};
        static const char text[] = "[host]\naudience = ssh://%H\n" CLUSTER RULE;

        for (size_t i = 0; i < KSA_COUNT(names); i++) {
                struct ksa_config *config = NULL;

                place->env.host_name = names[i];
                enum ksa_reason reason = place_load(place, text, &config, NULL);
                if (i == 2 && reason == KSA_OK) { /* a name like any other */
                        ksa_config_free(&config);
                        continue;
                }
                assert_int_equal(reason, KSA_HOST_NAME);
        }
}

int main(void)
{
#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, place_setup, place_teardown)
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults_parse),
                WITH_PLACE(test_defaults),
                WITH_PLACE(test_values),
                WITH_PLACE(test_errors),
                WITH_PLACE(test_every_problem_is_told),
                WITH_PLACE(test_folder_comes_after_in_byte_order),
                WITH_PLACE(test_host_name),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* validate.c: missing options, contradictions, and unsupported combinations. */
#include "config/validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/signer.h"
#include "support/support.h"

#define HOST       "[host]\naudience = " AUDIENCE "\n"
#define CLUSTER    "[cluster prod]\nissuer = " ISSUER "\nkeys = file:/etc/ksa/prod.jwks\n"
#define API        "api_server = https://127.0.0.1:6443\n"
#define CREDENTIAL "credential_file = /var/lib/ksa/credentials/prod\n"
#define RULE       "[rule deploy]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sshd\n"
#define SUDO       "[rule root]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sudo\n"

/* --- ksa_diagnostics_add ------------------------------------------------------------ */

static void count_one(void *context, const struct ksa_error *problem)
{
        (void)problem;
        (*(unsigned *)context)++;
}

static void test_the_first_problem_is_kept(void **state)
{
        unsigned count = 0;
        struct ksa_diagnostic_handler sink = {count_one, &count};
        struct ksa_diagnostics problems = {.handler = &sink};

        (void)state;
        assert_int_equal(problems.first.reason, KSA_UNREACHED);
        ksa_diagnostics_add(&problems, KSA_HOST_NAME, (struct ksa_location){"a.conf", 7}, "write a",
                            "%s %d", "one", 1);
        ksa_diagnostics_add(&problems, KSA_CONFIG_INVALID, (struct ksa_location){"b.conf", 8},
                            "write b", "two");
        assert_int_equal(problems.first.reason, KSA_HOST_NAME);
        assert_string_equal(problems.first.file, "a.conf");
        assert_int_equal(problems.first.line, 7);
        assert_string_equal(problems.first.text, "one 1");
        assert_string_equal(ksa_error_remedy(&problems.first), "write a");
        assert_int_equal(count, 2);
}

/* --- %H and %h -------------------------------------------------------------- */

static const struct {
        const char *host, *audience, *expanded; /* NULL: refused */
        enum ksa_reason reason;
} name_rows[] = {
        {"build-7.example.com", "ssh://%H", "ssh://build-7.example.com", KSA_OK},
        {"build-7.example.com", "ssh://%h", "ssh://build-7", KSA_OK},
        {"build-7", "ssh://%H", "ssh://build-7", KSA_OK},
        {"build-7", "ssh://%h", "ssh://build-7", KSA_OK},
        {"build-7.example.com", "%h%H%h", "build-7build-7.example.combuild-7", KSA_OK},
        {"b", "%H", "b", KSA_OK},
        {"build-7", "ssh://Build-7.Example", "ssh://build-7.example", KSA_OK},
        {"build-7", "SSH://[FD00::7]", "ssh://[fd00::7]", KSA_OK},
        {"Build-7.Example", "ssh://%h-X-%H", "ssh://build-7-x-build-7.example", KSA_OK},
        {"Build-7", "Fleet/%H", "Fleet/Build-7", KSA_OK},
        {"localhost.build", "ssh://build-7", "ssh://build-7", KSA_OK},
        {"", "ssh://build-7", "ssh://build-7", KSA_OK},
        {"", "ssh://%H", NULL, KSA_HOST_NAME},
        {"localhost", "ssh://%H", NULL, KSA_HOST_NAME},
        {"localhost", "ssh://%h", NULL, KSA_HOST_NAME},
        {"localhost.localdomain", "ssh://%h", NULL, KSA_HOST_NAME},
        {"localhosts", "ssh://%h", "ssh://localhosts", KSA_OK},
        {"build-7", "ssh://%%H", NULL, KSA_CONFIG_INVALID},
        {"build-7", "ssh://%d", NULL, KSA_CONFIG_INVALID},
        {"build-7", "ssh://x%", NULL, KSA_CONFIG_INVALID},
        {"build-%H", "ssh://%H", NULL, KSA_HOST_NAME},
        {"build 7", "ssh://%H", NULL, KSA_HOST_NAME},
        {"build,7", "ssh://%H", NULL, KSA_HOST_NAME},
        {"build#7", "ssh://%h", NULL, KSA_HOST_NAME},
        {".example.com", "ssh://%h", NULL, KSA_HOST_NAME},
        {"\xff", "ssh://%H", NULL, KSA_HOST_NAME},
};

static void test_host_names(void **state)
{
        struct workdir *workdir = *state;

        for (size_t i = 0; i < KSA_COUNT(name_rows); i++) {
                struct ksa_config *config = NULL;
                struct ksa_error error = {0};
                char text[256];

                workdir->env.host_name = name_rows[i].host;
                (void)snprintf(text, sizeof(text), "[host]\naudience = %s\n",
                               name_rows[i].audience);
                if (workdir_load(workdir, text, &config, &error) != name_rows[i].reason)
                        fail_msg("row %zu: %s", i, error.text);
                if (config != NULL)
                        assert_string_equal(ksa_list_text(&config->host.audience, 0),
                                            name_rows[i].expanded);
                ksa_config_free(&config);
        }
}

/* In a service and in a rule too. */
static void test_host_names_everywhere(void **state)
{
        struct ksa_config *config = NULL;

        assert_int_equal(workdir_load(*state,
                                      "[host]\naudience = one ssh://%H\n"
                                      "[service cron]\naudience = cron://%h\n" CLUSTER RULE
                                      "audience = ssh://%H\n",
                                      &config, NULL),
                         KSA_OK);
        assert_string_equal(ksa_list_text(&config->host.audience, 0), "one");
        assert_string_equal(ksa_list_text(&config->host.audience, 1), AUDIENCE);
        assert_string_equal(ksa_list_text(&config->services[0].audience, 0), "cron://build-7");
        assert_string_equal(ksa_list_text(&config->rules[0].audience, 0), AUDIENCE);
        ksa_config_free(&config);
}

/* --- Refusals of whole configurations ---------------------------------------- */

static const struct {
        const char *text;
        enum ksa_reason reason;
        unsigned line; /* of the report */
        const char *piece;
} refusals[] = {
        /* required */
        {CLUSTER RULE, KSA_CONFIG_INVALID, 0, "[host] section"},
        {"[host]\n", KSA_CONFIG_INVALID, 1, "needs audience"},
        {HOST "[cluster prod]\nkeys = file:/x\n", KSA_CONFIG_INVALID, 3, "needs issuer"},
        {HOST "[cluster prod]\nissuer = x\n", KSA_CONFIG_INVALID, 3, "needs keys"},
        {HOST CLUSTER "[rule r]\nuser = a\nservice = sshd\n", KSA_CONFIG_INVALID, 6,
         "needs account"},
        {HOST CLUSTER "[rule r]\naccount = prod:ci/a\nservice = sshd\n", KSA_CONFIG_INVALID, 6,
         "needs user"},
        {HOST CLUSTER "[rule r]\naccount = prod:ci/a\nuser = a\n", KSA_CONFIG_INVALID, 6,
         "needs service"},
        /* audiences: one place each, never an issuer */
        {HOST "[service cron]\naudience = " AUDIENCE "\n", KSA_CONFIG_INVALID, 4, "line 2: "},
        {HOST "[service cron]\naudience = a\n[service atd]\naudience = b a\n", KSA_CONFIG_INVALID,
         6, "line 4: "},
        {"[host]\naudience = " AUDIENCE " " ISSUER "\n" CLUSTER, KSA_CONFIG_INVALID, 2,
         "issuer of cluster prod"},
        {HOST CLUSTER "[service cron]\naudience = " ISSUER "\n", KSA_CONFIG_INVALID, 7,
         "issuer of cluster prod"},
        {HOST "[service sudo-i]\naudience = a\n", KSA_CONFIG_INVALID, 3, "sudo-i"},
        {HOST "[service .x]\naudience = a\n", KSA_CONFIG_INVALID, 3, ".x"},
        {HOST "[service -x]\naudience = a\n", KSA_CONFIG_INVALID, 3, "-x"},
        {HOST "[service db]\nlocal_user = no\n", KSA_CONFIG_INVALID, 4, "audience of its own"},
        {HOST "[cluster old]\nissuer = kubernetes/serviceaccount\nkeys = file:/x\n",
         KSA_CONFIG_INVALID, 4, "legacy"},
        /* rules */
        {HOST RULE, KSA_CONFIG_INVALID, 4, "which has no section"},
        {HOST CLUSTER RULE "account = test:ci/a\n", KSA_CONFIG_INVALID, 10, "cluster test"},
        {HOST CLUSTER RULE "account = *:ci/a\n", KSA_CONFIG_INVALID, 10, "*:ci/a"},
        {HOST CLUSTER RULE "service = sudo\nfrom = 10.0.0.0/8\n", KSA_CONFIG_INVALID, 10, "sudo"},
        {HOST CLUSTER RULE "service = su\nfrom = ::/0\n", KSA_CONFIG_INVALID, 10, "su "},
        {HOST CLUSTER RULE "service = cron\nfrom = 10.1.2.3\n", KSA_CONFIG_INVALID, 10, "cron"},
        /* the token of a session, which is for sudo alone and has an address and an audience of sshd */
        {HOST CLUSTER RULE "token = session\n", KSA_CONFIG_INVALID, 9, "not for sshd"},
        {HOST CLUSTER RULE "service = sudo\ntoken = session\n", KSA_CONFIG_INVALID, 9,
         "not for sshd"},
        {HOST CLUSTER SUDO "service = su\ntoken = session\n", KSA_CONFIG_INVALID, 10, "not for su"},
        {HOST CLUSTER SUDO "service = polkit-1\ntoken = session\n", KSA_CONFIG_INVALID, 10,
         "polkit-1"},
        {HOST CLUSTER SUDO "token = sessions\n", KSA_CONFIG_INVALID, 10, "token"},
        {HOST CLUSTER SUDO "token = fresh\nfrom = 10.0.0.0/8\n", KSA_CONFIG_INVALID, 9, "sudo"},
        {HOST CLUSTER RULE "audience = ssh://other\n", KSA_CONFIG_INVALID, 10, "ssh://other"},
        {HOST "[service cron]\naudience = a\n" CLUSTER RULE "audience = a\n", KSA_CONFIG_INVALID,
         12, "requires audience a"},
        /* the options that requirements need */
        {HOST "[cluster prod]\nissuer = x\nkeys = api\n", KSA_CONFIG_INVALID, 3, "api_server"},
        {HOST CLUSTER "review = prefer\n", KSA_CONFIG_INVALID, 3, "api_server"},
        {HOST CLUSTER API "review = prefer\n", KSA_CONFIG_INVALID, 3, "credential_file"},
        {HOST CLUSTER "review = require\n", KSA_CONFIG_INVALID, 3, "api_server"},
        {HOST CLUSTER RULE "review = prefer\n", KSA_CONFIG_INVALID, 3, "api_server"},
        {HOST CLUSTER RULE "bound = pod\n", KSA_CONFIG_INVALID, 3, "bound = pod"},
        {HOST CLUSTER API RULE "bound = pod\n", KSA_CONFIG_INVALID, 3, "credential_file"},
        {HOST CLUSTER RULE "rbac = yes\n", KSA_CONFIG_INVALID, 3, "rbac = yes"},
        {HOST CLUSTER "client_cert_file = /c\n", KSA_CONFIG_INVALID, 6, "require each other"},
        {HOST CLUSTER "client_key_file = /k\n", KSA_CONFIG_INVALID, 6, "require each other"},
        {HOST CLUSTER "client_cert_file = /c\nclient_key_file = /k\ncredential_file = /t\n",
         KSA_CONFIG_INVALID, 6, "has both"},
        {HOST CLUSTER CREDENTIAL "[cluster twin]\nissuer = x\nkeys = file:/x\n" CREDENTIAL,
         KSA_CONFIG_INVALID, 10, "credential_file as [cluster prod]"},
        {HOST "[cluster ..]\nissuer = x\nkeys = file:/k\n", KSA_CONFIG_INVALID, 3, "directory"},
        {HOST "[cluster prod]\nissuer = x\nissuer = https://x\nkeys = discover\n",
         KSA_CONFIG_INVALID, 6, "not an https URL"},
        {HOST "[cluster prod]\nissuer = http://x\nkeys = discover\n", KSA_CONFIG_INVALID, 5,
         "not an https URL"},
};

static void test_refusals(void **state)
{
        for (size_t i = 0; i < KSA_COUNT(refusals); i++) {
                struct ksa_config *config = NULL;
                struct ksa_error error = {0};

                if (workdir_load(*state, refusals[i].text, &config, &error) != refusals[i].reason)
                        fail_msg("row %zu: %s: %s", i, ksa_reason_name(error.reason), error.text);
                assert_null(config);
                if (error.line != refusals[i].line || strstr(error.text, refusals[i].piece) == NULL)
                        fail_msg("row %zu: line %u: %s", i, error.line, error.text);
        }
}

/* The neighbours of those refusals, which are allowed. */
static void test_allowed(void **state)
{
        static const char *const texts[] = {
                HOST CLUSTER RULE "from = 10.0.0.0/8\n",
                HOST CLUSTER SUDO "token = session\n",
                HOST CLUSTER SUDO "service = sudo-i\ntoken = session\nfrom = 10.0.0.0/8\n",
                HOST CLUSTER "[service sudo]\naudience = sudo://x\n" SUDO
                             "token = session\naudience = " AUDIENCE "\n",
                HOST CLUSTER RULE "service = sudo su cron\n",
                HOST CLUSTER RULE "audience = " AUDIENCE "\n",
                HOST "[service cron]\naudience = a\n" CLUSTER RULE
                     "service = cron\naudience = a " AUDIENCE "\n",
                HOST "[service sudo]\naudience = a\n" CLUSTER RULE
                     "service = sudo-i\naudience = a\n",
                HOST "[service db]\naudience = a\nlocal_user = no\n",
                HOST "[service db]\nlocal_user = yes\n",
                HOST "[cluster prod]\nissuer = x\nkeys = api\n" API,
                HOST "[cluster prod]\nissuer = https://x\nkeys = discover\n",
                HOST "[cluster prod]\nissuer = https://x\nissuer = y\nkeys = discover\n",
                HOST "[cluster prod]\nissuer = x\nkeys = https://x/keys\n",
                HOST CLUSTER API CREDENTIAL "review = require\n",
                HOST CLUSTER API "client_cert_file = /c\nclient_key_file = /k\n" RULE
                                 "bound = pod\nrbac = yes\nonce = yes\n",
                HOST CLUSTER "review = never\n" RULE
                             "review = never\nbound = any\nrbac = no\nonce = no\n",
                HOST CLUSTER "[cluster twin]\nissuer = " ISSUER "\nkeys = file:/x\n",
                "[host]\naudience = " ISSUER "/\n" CLUSTER,
        };

        for (size_t i = 0; i < KSA_COUNT(texts); i++) {
                struct ksa_config *config = NULL;
                struct ksa_error error = {0};

                if (workdir_load(*state, texts[i], &config, &error) != KSA_OK)
                        fail_msg("row %zu: line %u: %s", i, error.line, error.text);
                ksa_config_free(&config);
        }
}

/* [account], [accounts] and @own, with a registry. */
#define OWN_RULE "[rule own]\naccount = prod:ci/*\nuser = @own\nservice = sshd\n"

static const struct {
        const char *text;
        unsigned line; /* 0: allowed */
        const char *piece;
} accounts[] = {
        {"[account a]\naccount = prod:ci/a\n", 0, ""},
        {"[account a]\naccount = prod:ci/a\n[account b]\naccount = prod:ci/b\n", 0, ""},
        {"[account a]\naccount = prod:ci/a\naccount_uid = u\n" OWN_RULE, 0, ""},
        {"[account a]\naccount = prod:ops/a\n" OWN_RULE, 0, ""},
        {"[account a]\naccount = prod:ci/default\n" OWN_RULE, 0, ""},
        {"[accounts prod]\nnamespaces = *\n" OWN_RULE, 0, ""},
        {"[account a]\naccount = prod:ci/*\n", 7, "a pattern"},
        {"[account a]\naccount = prod:*/a\n", 7, "a pattern"},
        {"[account a]\naccount = twin:ci/a\n", 7, "cluster twin"},
        {"[accounts twin]\nnamespaces = ci\n", 6, "names cluster twin"},
        {"[account a]\naccount = prod:ci/a\n[account b]\naccount = prod:ci/a\n", 9, "[account a]"},
        {"[account a]\naccount = prod:ci/a\nuid = 5000\n[account b]\naccount = prod:ci/b\nuid = 5000\n",
         11, "uid as [account a]"},
        {"[account a]\naccount = prod:ci/a\n" OWN_RULE, 6, "account_uid"},
};

static void test_accounts(void **state)
{
        struct workdir *workdir = *state;

        workdir->env.registry_file = "/nowhere";
        for (size_t i = 0; i < KSA_COUNT(accounts); i++) {
                enum ksa_reason expected = accounts[i].line == 0 ? KSA_OK : KSA_CONFIG_INVALID;
                struct ksa_config *config = NULL;
                struct ksa_error error = {0};
                char text[1024];

                (void)snprintf(text, sizeof(text), "%s%s", HOST CLUSTER, accounts[i].text);
                if (workdir_load(workdir, text, &config, &error) != expected)
                        fail_msg("row %zu: line %u: %s", i, error.line, error.text);
                if (error.line != accounts[i].line || strstr(error.text, accounts[i].piece) == NULL)
                        fail_msg("row %zu: line %u: %s", i, error.line, error.text);
                ksa_config_free(&config);
        }
}

/* The cluster is asked about a host by its name. */
static void test_rbac_needs_a_host_name(void **state)
{
        struct workdir *workdir = *state;
        static const char rule[] = CLUSTER API CREDENTIAL RULE "rbac = yes\n";
        char text[1024];
        struct ksa_config *config = NULL;

        workdir->env.host_name = "localhost";
        (void)snprintf(text, sizeof(text), "%s%s", HOST, rule);
        assert_int_equal(workdir_load(workdir, text, &config, NULL), KSA_HOST_NAME);
        (void)snprintf(text, sizeof(text), "%sname = build-7\n%s", HOST, rule);
        assert_int_equal(workdir_load(workdir, text, &config, NULL), KSA_OK);
        ksa_config_free(&config);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, workdir_setup, workdir_teardown)
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_first_problem_is_kept),
                TEST(test_host_names),
                TEST(test_host_names_everywhere),
                TEST(test_refusals),
                TEST(test_allowed),
                TEST(test_accounts),
                TEST(test_rbac_needs_a_host_name),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

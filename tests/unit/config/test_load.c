/* SPDX-License-Identifier: BSD-2-Clause */
/* load.c: files, sections and lines; test_validate.c has the problems of more than one line. */
#include "config/load.h"
#include "config/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/signer.h"
#include "support/support.h"

#define HOST    "[host]\naudience = " AUDIENCE "\n"
#define CLUSTER "[cluster prod]\nissuer = " ISSUER "\nkeys = file:/etc/ksa/prod.jwks\n"
#define RULE    "[rule deploy]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sshd\n"

/* The diagnostics of a load. */
struct diagnostics {
        size_t count;
        struct ksa_error problems[16];
};

static void add_diagnostic(void *context, const struct ksa_error *problem)
{
        struct diagnostics *diagnostics = context;

        assert_true(diagnostics->count < KSA_COUNT(diagnostics->problems));
        diagnostics->problems[diagnostics->count++] = *problem;
}

static enum ksa_reason load_with_diagnostics(struct workdir *workdir,
                                             struct diagnostics *diagnostics)
{
        struct ksa_diagnostic_handler handler = {add_diagnostic, diagnostics};
        struct ksa_config *config = NULL;
        struct ksa_error error = {0};

        *diagnostics = (struct diagnostics){0};
        enum ksa_reason reason = ksa_config_load(&workdir->env, &handler, &config, &error);
        assert_int_equal(reason == KSA_OK, config != NULL);
        assert_int_equal(reason == KSA_OK, diagnostics->count == 0);
        if (reason != KSA_OK) {
                assert_int_equal(error.reason, reason);
                assert_memory_equal(&error, &diagnostics->problems[0], sizeof(error));
        }
        ksa_config_free(&config);
        assert_null(config);
        return reason;
}

/* --- Good ones --------------------------------------------------------------- */

static void test_whole(void **state)
{
        struct workdir *workdir = *state;
        struct ksa_config *config = NULL;
        struct ksa_error error = {0};

        assert_int_equal(workdir_load(workdir, HOST CLUSTER RULE, &config, &error), KSA_OK);
        assert_string_equal(error.text, "");
        assert_string_equal(ksa_list_text(&config->host.audience, 0), AUDIENCE);
        assert_int_equal(config->counts[KSA_SECTION_CLUSTER], 1);
        assert_int_equal(config->counts[KSA_SECTION_RULE], 1);
        assert_string_equal(config->clusters[0].name, "prod");
        assert_string_equal(config->clusters[0].keys, "file:/etc/ksa/prod.jwks");
        assert_string_equal(config->rules[0].name, "deploy");
        assert_string_equal(config->rules[0].location.file, workdir->config_file);
        assert_int_equal(config->rules[0].location.line, 6);
        assert_ptr_equal(ksa_config_cluster(config, "prod"), &config->clusters[0]);
        assert_null(ksa_config_cluster(config, "deploy"));
        assert_null(ksa_config_cluster(config, "pro"));
        ksa_config_free(&config);
}

static void test_defaults(void **state)
{
        struct ksa_config *config = NULL;

        assert_int_equal(workdir_load(*state, HOST CLUSTER RULE, &config, NULL), KSA_OK);
        assert_int_equal(config->host.timeout, 5);
        assert_int_equal(config->host.max_lifetime, 3600);
        assert_false(config->host.multiple_audiences);
        assert_int_equal(config->clusters[0].keys_max_stale, 86400);
        assert_int_equal(config->clusters[0].review, KSA_REVIEW_NEVER);
        assert_int_equal(config->rules[0].review, KSA_REVIEW_NEVER);
        assert_int_equal(config->rules[0].bound, KSA_BOUND_ANY);
        assert_int_equal(config->rules[0].from.count, 0);
        assert_false(config->rules[0].once);
        ksa_config_free(&config);
}

static void test_no_rule_is_no_error(void **state)
{
        struct ksa_config *config = NULL;

        assert_int_equal(workdir_load(*state, HOST, &config, NULL), KSA_OK);
        assert_int_equal(config->counts[KSA_SECTION_RULE], 0);
        ksa_config_free(&config);
}

/* Lists repeat, or are separated by spaces; sections may be in any order. */
static void test_lists_and_order(void **state)
{
        struct ksa_config *config = NULL;

        assert_int_equal(workdir_load(*state,
                                      RULE "user = a  b\nuser = c\nfrom = 10.0.0.0/8 192.0.2.1\n"
                                           "from = 2001:db8::/32\n" CLUSTER HOST,
                                      &config, NULL),
                         KSA_OK);
        assert_int_equal(config->rules[0].user.count, 4);
        assert_string_equal(ksa_list_text(&config->rules[0].user, 0), "deploy-bot");
        assert_string_equal(ksa_list_text(&config->rules[0].user, 3), "c");
        assert_int_equal(config->rules[0].from.count, 3);
        ksa_config_free(&config);
}

/* Options away from their defaults. */
static void test_values(void **state)
{
        struct ksa_config *config = NULL;
        struct ksa_error error = {0};

        ((struct workdir *)*state)->env.registry_file =
                "/nowhere"; /* so that accounts may be written */
        enum ksa_reason reason = workdir_load(
                *state,
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

/* --- Bad lines ---------------------------------------------------------------- */

static const struct {
        const char *text;
        unsigned line;
        const char *piece; /* of the message */
} line_rows[] = {
        {HOST "[nonsense]\n", 3, "unknown section"},
        {HOST "[Rule x]\n", 3, "a section is"},
        {HOST "[rule]\n", 3, "needs a name"},
        {HOST "[cluster]\n", 3, "needs a name"},
        {"[host build-7]\naudience = " AUDIENCE "\n" HOST, 1, "takes no name"},
        {HOST HOST, 3, "ksa.conf line 1"},
        {HOST CLUSTER CLUSTER, 6, "ksa.conf line 3"},
        {"audience = x\n" HOST, 1, "before the first section"},
        {HOST "colour = red\n", 3, "no option colour"},
        {HOST "issuer = x\n", 3, "no option issuer"},
        {HOST "Timeout = 5s\n", 3, "neither a comment"},
        {HOST "timeout = 5s\ntimeout = 6s\n", 4, "twice"},
        {HOST "timeout = 5s\ntimeout = 5s\n", 4, "twice"},
        {HOST "timeout = soon\n", 3, "soon"},
        {HOST "max_lifetime = 59\n", 3, "59"},
        {HOST "multiple_audiences = true\n", 3, "yes | no"},
        {HOST CLUSTER RULE "from = build-9\n", 10, "build-9"},
        {HOST CLUSTER RULE "from = 10.0.0.0/8 10.0.0.1/8 11.0.0.0/8\n", 10, "10.0.0.1/8"},
        {HOST CLUSTER RULE "review = maybe\n", 10, "never | prefer | require"},
        {HOST CLUSTER RULE "user = *\n", 10, "*"},
        {HOST CLUSTER RULE "account = ci/deployer\n", 10, "ci/deployer"},
        {HOST CLUSTER RULE " user = root\n", 10, ""},
        {HOST CLUSTER RULE "user\n", 10, ""},
        {HOST CLUSTER RULE "user = \n", 10, ""},
        {HOST CLUSTER RULE "user = root\r\n", 10, ""},
        {"\xef\xbb\xbf" HOST, 1, ""},
};

static void test_bad_lines(void **state)
{
        struct workdir *workdir = *state;

        for (size_t i = 0; i < KSA_COUNT(line_rows); i++) {
                struct diagnostics diagnostics;

                workdir_write(workdir, "ksa.conf", line_rows[i].text);
                if (load_with_diagnostics(workdir, &diagnostics) != KSA_CONFIG_INVALID)
                        fail_msg("row %zu is taken", i);
                const struct ksa_error *first = &diagnostics.problems[0];
                assert_string_equal(first->file, workdir->config_file);
                if (first->line != line_rows[i].line ||
                    strstr(first->text, line_rows[i].piece) == NULL)
                        fail_msg("row %zu: line %u: %s", i, first->line, first->text);
        }
}

/* Each problem is reported, in the order of the lines. */
static void test_every_problem_is_told(void **state)
{
        struct workdir *workdir = *state;
        struct diagnostics diagnostics;

        workdir_write(workdir, "ksa.conf",
                      "[host]\naudience = " AUDIENCE "\ntimeout = 0\ncolour = red\n"
                      "[nonsense]\nwhat = ever\n" CLUSTER "keys = api\n" RULE "from = x\n");
        assert_int_equal(load_with_diagnostics(workdir, &diagnostics), KSA_CONFIG_INVALID);
        assert_int_equal(diagnostics.count, 5);
        static const unsigned lines[] = {3, 4, 5, 10, 15};
        for (size_t i = 0; i < diagnostics.count; i++)
                assert_int_equal(diagnostics.problems[i].line, lines[i]);
}

/* A line too long is not cut: its tail would be read as a line of its own. */
static void test_the_tail_of_a_long_line(void **state)
{
        struct workdir *workdir = *state;
        struct diagnostics diagnostics;
        char text[4096], *end = text;

        end += sprintf(end, "%s", HOST CLUSTER RULE "user = ");
        memset(end, 'a', 1100);
        (void)sprintf(end + 1100, "\nuser = root\n");
        workdir_write(workdir, "ksa.conf", text);
        assert_int_equal(load_with_diagnostics(workdir, &diagnostics), KSA_CONFIG_INVALID);
        assert_int_equal(diagnostics.count, 1);
        assert_int_equal(diagnostics.problems[0].line, 10);
}

static void test_a_nul_in_the_file(void **state)
{
        static const char text[] = HOST CLUSTER RULE "# \0\nuser = root\n";
        struct workdir *workdir = *state;
        struct diagnostics diagnostics;

        FILE *file = fopen(workdir->config_file, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(text, 1, sizeof(text) - 1, file), sizeof(text) - 1);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(load_with_diagnostics(workdir, &diagnostics), KSA_CONFIG_INVALID);
        assert_int_equal(diagnostics.problems[0].line, 10);
}

/* --- Files -------------------------------------------------------------------- */

static void test_main_file(void **state)
{
        struct workdir *workdir = *state;
        struct diagnostics diagnostics;

        assert_int_equal(load_with_diagnostics(workdir, &diagnostics), KSA_FILE_MISSING);
        assert_int_equal(diagnostics.count, 1);
        assert_string_equal(diagnostics.problems[0].file, workdir->config_file);
        workdir_write(workdir, "ksa.conf", "");
        assert_int_equal(load_with_diagnostics(workdir, &diagnostics), KSA_CONFIG_INVALID);
        workdir_write(workdir, "ksa.conf", HOST);
        assert_int_equal(chmod(workdir->config_file, 0664), 0);
        assert_int_equal(load_with_diagnostics(workdir, &diagnostics), KSA_FILE_UNSAFE);
        assert_int_equal(unlink(workdir->config_file), 0);
        workdir_write(workdir, "other.conf", HOST);
        assert_int_equal(symlink("other.conf", workdir->config_file), 0);
        assert_int_equal(load_with_diagnostics(workdir, &diagnostics), KSA_FILE_UNSAFE);
        assert_int_equal(unlink(workdir->config_file), 0);
        workdir_directory(workdir, "ksa.conf");
        assert_int_equal(load_with_diagnostics(workdir, &diagnostics), KSA_FILE_UNSAFE);
}

static void test_a_default_outlives_the_loader(void **state)
{
        struct ksa_config *config = NULL;

        assert_int_equal(workdir_load(*state, HOST CLUSTER "[accounts prod]\nnamespaces = ci\n",
                                      &config, NULL),
                         KSA_OK);
        /* It pointed into the stack of the loader. */
        assert_string_equal(config->account_sources[0].source, "api");
        assert_null(ksa_accounts_file(&config->account_sources[0]));
        ksa_config_free(&config);
}

static void test_larger_than_a_file_may_be(void **state)
{
        struct workdir *workdir = *state;
        struct diagnostics diagnostics;
        size_t length = ((size_t)1 << 20) + 1;
        char *text = malloc(length + 1);

        assert_non_null(text);
        memset(text, '\n', length);
        memcpy(text, HOST, strlen(HOST));
        text[length] = '\0';
        workdir_write(workdir, "ksa.conf", text);
        assert_int_equal(load_with_diagnostics(workdir, &diagnostics), KSA_FILE_UNREADABLE);
        text[length - 1] = '\0';
        workdir_write(workdir, "ksa.conf", text);
        assert_int_equal(load_with_diagnostics(workdir, &diagnostics), KSA_OK);
        free(text);
}

/* ksa.conf first, then conf.d in byte order; only *.conf. */
static void test_directory(void **state)
{
        struct workdir *workdir = *state;
        struct ksa_config *config = NULL;

        workdir_directory(workdir, "conf.d");
        workdir_write(workdir, "conf.d/20.conf",
                      "[rule c]\naccount = prod:ci/a\nuser = c\n"
                      "service = sshd\n");
        workdir_write(workdir, "conf.d/10.conf",
                      "[rule b]\naccount = prod:ci/a\nuser = b\n"
                      "service = sshd\n");
        workdir_write(workdir, "conf.d/10.conf~", "nonsense");
        workdir_write(workdir, "conf.d/.10.conf", "nonsense");
        assert_int_equal(workdir_load(workdir, HOST CLUSTER RULE, &config, NULL), KSA_OK);
        assert_int_equal(config->counts[KSA_SECTION_RULE], 3);
        assert_string_equal(config->rules[0].name, "deploy");
        assert_string_equal(config->rules[1].name, "b");
        assert_string_equal(config->rules[2].name, "c");
        ksa_config_free(&config);
}

static void test_problems_in_the_directory(void **state)
{
        struct workdir *workdir = *state;
        char path[256];
        struct diagnostics diagnostics;

        workdir_write(workdir, "ksa.conf", HOST CLUSTER RULE);
        workdir_directory(workdir, "conf.d");
        (void)snprintf(path, sizeof(path), "%s/conf.d/a.conf", workdir->directory);
        /* A section lives in one file; a key in no section belongs to none of another file's. */
        workdir_write(workdir, "conf.d/a.conf", "user = root\n" RULE);
        assert_int_equal(load_with_diagnostics(workdir, &diagnostics), KSA_CONFIG_INVALID);
        assert_int_equal(diagnostics.count, 2);
        assert_string_equal(diagnostics.problems[0].file, path);
        assert_int_equal(diagnostics.problems[0].line, 1);
        assert_int_equal(diagnostics.problems[1].line, 2);
        assert_non_null(strstr(diagnostics.problems[1].text, workdir->config_file));
        /* One unsafe file refuses all. */
        workdir_write(workdir, "conf.d/a.conf", "# nothing\n");
        assert_int_equal(load_with_diagnostics(workdir, &diagnostics), KSA_OK);
        assert_int_equal(chmod(path, 0666), 0);
        assert_int_equal(load_with_diagnostics(workdir, &diagnostics), KSA_FILE_UNSAFE);
        assert_int_equal(unlink(path), 0);
        /* So does a directory in which others could create one. */
        *strrchr(path, '/') = '\0';
        assert_int_equal(chmod(path, 0777), 0);
        assert_int_equal(load_with_diagnostics(workdir, &diagnostics), KSA_FILE_UNSAFE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, workdir_setup, workdir_teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_whole),
                TEST(test_defaults),
                TEST(test_no_rule_is_no_error),
                TEST(test_lists_and_order),
                TEST(test_values),
                TEST(test_bad_lines),
                TEST(test_every_problem_is_told),
                TEST(test_the_tail_of_a_long_line),
                TEST(test_a_nul_in_the_file),
                TEST(test_main_file),
                TEST(test_a_default_outlives_the_loader),
                TEST(test_larger_than_a_file_may_be),
                TEST(test_directory),
                TEST(test_problems_in_the_directory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

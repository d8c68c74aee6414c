/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokens that real API servers signed, at the time when they did, through the whole
 * decision: each allowed, or refused for the reason the design gives.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "login/report.h"
#include "support/support.h"

#define DATA KSA_TEST_DATA "/kubernetes/tokens/"

static const struct token_row {
        const char *file;
        enum ksa_reason reason;
} rows[] = {
        {"account", KSA_OK},
        {"account-1h", KSA_OK},
        {"account-24h", KSA_LIFETIME},
        {"pod-on-node", KSA_OK},
        {"secret-bound", KSA_OK},
        {"node-bound", KSA_OK},
        {"dotted-name", KSA_OK},
        {"two-audiences", KSA_SEVERAL_AUDIENCES},
        {"other-audience", KSA_WRONG_AUDIENCE},
        {"api-audience", KSA_WRONG_AUDIENCE},
        {"extended-pod", KSA_WRONG_AUDIENCE},
        {"default-account", KSA_NO_RULE},
        {"legacy-secret", KSA_LEGACY_TOKEN},
};

static const char *const servers[] = {"1.37.2", "1.33.13"};
static const char *const algorithms[] = {"RS256", "ES256", "ES384", "ES512"};

static void write_config(struct workdir *workdir, const char *keys, struct ksa_config **ret_config)
{
        struct ksa_error error = {0};
        char text[1024];

        (void)snprintf(text, sizeof(text),
                       "[host]\naudience = ssh://build-7.example.com\n"
                       "[cluster prod]\nissuer = https://kubernetes.default.svc.cluster.local\n"
                       "keys = file:%s/keys.json\n"
                       "[rule ci]\naccount = prod:*/*\nuser = deploy-bot\nservice = sshd\n",
                       workdir->directory);
        workdir_write(workdir, "keys.json", keys);
        if (workdir_load(workdir, text, ret_config, &error) != KSA_OK)
                fail_msg("%s:%u: %s", error.file, error.line, error.text);
}

static void check_one(struct workdir *workdir, const struct ksa_config *config,
                      const char *directory, const struct token_row *row)
{
        char path[512];
        struct ksa_decision decision;

        (void)snprintf(path, sizeof(path), "%s/%s.jwt", directory, row->file);
        char *text = read_whole(path);
        text[strcspn(text, "\n")] = '\0';
        struct ksa_secret *token = secret_of(text);
        struct ksa_attempt attempt = {
                .token = token,
                .user = "deploy-bot",
                .local = {.exists = true, .name = "deploy-bot", .uid = 1500},
                .service = "sshd",
                .rhost = "10.1.2.3",
        };
        ksa_login(config, &workdir->env, &attempt, &decision);
        if (decision.reason != row->reason)
                fail_msg("%s: %s (%s), not %s", path, ksa_reason_name(decision.reason),
                         decision.error.text, ksa_reason_name(row->reason));
        assert_int_equal(decision.outcome == KSA_ALLOW, row->reason == KSA_OK);

        char line[KSA_LINE_SIZE];
        (void)ksa_report_line(&attempt, &decision, "00000000", line);
        assert_null(strstr(line, strrchr(text, '.') + 1));
        ksa_decision_clear(&decision);
        ksa_secret_free(&token);
        free(text);
}

static void test_every_real_token(void **state)
{
        struct workdir *workdir = *state;

        for (size_t s = 0; s < KSA_COUNT(servers); s++) {
                for (size_t a = 0; a < KSA_COUNT(algorithms); a++) {
                        struct ksa_config *config = NULL;
                        char directory[256], path[512];

                        (void)snprintf(directory, sizeof(directory), DATA "%s/%s", servers[s],
                                       algorithms[a]);
                        (void)snprintf(path, sizeof(path), "%s/jwks.json", directory);
                        char *keys = read_whole(path);
                        write_config(workdir, keys, &config);
                        for (size_t i = 0; i < KSA_COUNT(rows); i++)
                                check_one(workdir, config, directory, &rows[i]);
                        ksa_config_free(&config);
                        free(keys);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_every_real_token, workdir_setup,
                                                workdir_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * login.c: the steps, one after the other; test_login_user.c
 * has users, test_login_keys.c issuers and kids.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "login/login.h"
#include "support/login_fixture.h"

/* --- Allowed ---------------------------------------------------------------- */

static void test_allowed(void **state)
{
        struct ksa_secret *token = login_fixture_token(NULL, NULL);
        struct ksa_attempt attempt = attempt_with(token);
        struct ksa_decision decision;

        (void)state;
        decide(&attempt, &decision);
        assert_int_equal(decision.outcome, KSA_ALLOW);
        assert_int_equal(decision.reason, KSA_OK);
        assert_string_equal(decision.rule->name, "deploy");
        assert_string_equal(decision.cluster->name, "prod");
        assert_string_equal(decision.token.account, "deployer");
        assert_ptr_equal(decision.accepted, &login_fixture.config->host.audience);
        assert_int_equal(decision.key.algorithm, KSA_ES256);
        assert_int_equal(decision.keys_fetched, 0);
        assert_int_equal(decision.now, NOW);
        assert_true(ksa_decision_is_verified(&decision));
        assert_true(ksa_decision_is_open(&decision));
        ksa_decision_clear(&decision);
        ksa_secret_free(&token);
}

/* --- The token of a session --------------------------------------------------- */

static const struct ksa_record record = {.audit = 7917, .reference = "1a2b3c4d"};

/* sudo by deploy-bot, in a session from 10.1.2.3; RHOST is that of the record. */
static struct ksa_attempt sudo_with(const struct ksa_secret *token, const char *rhost)
{
        struct ksa_attempt attempt = attempt_with(token);

        attempt.service = "sudo";
        attempt.rhost = rhost;
        attempt.real_uid = 1500;
        attempt.record = &record;
        return attempt;
}

static const struct {
        const char *member, *value, *rhost;
        enum ksa_reason reason;
} session_rows[] = {
        {NULL, NULL, "10.1.2.3", KSA_OK},
        {NULL, NULL, "192.0.2.1", KSA_NO_RULE},
        {NULL, NULL, "", KSA_NO_RULE},
        {"exp", "1795464206", "10.1.2.3", KSA_EXPIRED},
        {"aud", "[\"sudo://build-7\"]", "10.1.2.3", KSA_WRONG_AUDIENCE}, /* sudo's own */
        {"iss", "\"https://x\"", "10.1.2.3", KSA_UNKNOWN_ISSUER},
};

/* As a fresh one, but for the audience of sshd and from the session's address. */
static void test_session(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(session_rows); i++) {
                struct ksa_secret *token =
                        login_fixture_token(session_rows[i].member, session_rows[i].value);
                struct ksa_attempt attempt = sudo_with(token, session_rows[i].rhost);
                struct ksa_decision decision;

                decide(&attempt, &decision);
                if (decision.reason != session_rows[i].reason)
                        fail_msg("row %zu: %s: %s", i, ksa_reason_name(decision.reason),
                                 decision.error.text);
                if (decision.reason == KSA_OK)
                        assert_string_equal(decision.rule->name, "session");
                ksa_decision_clear(&decision);
                ksa_secret_free(&token);
        }
}

/* The same token, given by the user: for sudo's own audience, by the first rule, once. */
static void test_fresh_token_for_sudo(void **state)
{
        struct ksa_secret *token = login_fixture_token("aud", "[\"sudo://build-7\"]");
        struct ksa_attempt attempt = sudo_with(token, "");
        struct ksa_decision decision;

        (void)state;
        attempt.record = NULL;
        decide(&attempt, &decision);
        /* its jti is looked for in a directory that the test does not have */
        assert_int_equal(decision.reason, KSA_MARK);
        assert_string_equal(decision.rule->name, "fresh");
        ksa_decision_clear(&decision);
        ksa_secret_free(&token);
}

static void test_zeroed_memory_denies(void **state)
{
        struct ksa_decision decision = {0};

        (void)state;
        assert_int_not_equal(decision.outcome, KSA_ALLOW);
        assert_int_equal(decision.outcome, KSA_DENY);
        assert_int_not_equal(decision.reason, KSA_OK);
        assert_false(ksa_decision_is_verified(&decision));
        assert_false(ksa_decision_is_open(&decision));
        for (size_t i = 0; i < KSA_STEP_COUNT; i++)
                assert_int_equal(decision.steps[i], KSA_UNREACHED);
}

static void test_cleared_memory_denies(void **state)
{
        struct ksa_secret *token = login_fixture_token(NULL, NULL);
        struct ksa_attempt attempt = attempt_with(token);
        struct ksa_decision decision;

        (void)state;
        decide(&attempt, &decision);
        ksa_decision_clear(&decision);
        assert_int_equal(decision.outcome, KSA_DENY);
        assert_null(decision.token.payload);
        ksa_decision_clear(&decision); /* twice does no harm */
        ksa_secret_free(&token);
}

/* --- Each step refuses ------------------------------------------------------ */

/* A claim, a user or a service that differs from those of attempt_with(). */
static const struct step_row {
        const char *member, *value; /* of the claims */
        const char *user, *service, *rhost;
        uid_t uid, effective_uid;
        enum ksa_step step;
        enum ksa_reason reason;
} step_rows[] = {
        {.user = "root", .step = KSA_STEP_SERVICE, .reason = KSA_NOT_NAMED},
        {.service = "su", .step = KSA_STEP_SERVICE, .reason = KSA_NOT_NAMED},
        {.user = "reports", .step = KSA_STEP_SERVICE, .reason = KSA_NOT_NAMED},
        {.effective_uid = 33, .step = KSA_STEP_SERVICE, .reason = KSA_SERVICE_AUDIENCE},
        {.user = "reports",
         .service = "postgresql",
         .step = KSA_STEP_SERVICE,
         .reason = KSA_SERVICE_USER},
        {"exp", "\"never\"", .step = KSA_STEP_TOKEN, .reason = KSA_BAD_CLAIMS},
        {"iss", NULL, .step = KSA_STEP_CLUSTER, .reason = KSA_BAD_CLAIMS},
        {"iss", "\"https://other\"", .step = KSA_STEP_CLUSTER, .reason = KSA_UNKNOWN_ISSUER},
        {"iss", "\"" ISSUER "/\"", .step = KSA_STEP_CLUSTER, .reason = KSA_UNKNOWN_ISSUER},
        {"iss", "\"\"", .step = KSA_STEP_CLUSTER, .reason = KSA_UNKNOWN_ISSUER},
        {"iss", "\"kubernetes/serviceaccount\"", .step = KSA_STEP_CLUSTER,
         .reason = KSA_LEGACY_TOKEN},
        {"aud", NULL, .step = KSA_STEP_AUDIENCE, .reason = KSA_NO_AUDIENCE},
        {"aud", "[]", .step = KSA_STEP_AUDIENCE, .reason = KSA_NO_AUDIENCE},
        {"aud", "\"ssh://build-8\"", .step = KSA_STEP_AUDIENCE, .reason = KSA_WRONG_AUDIENCE},
        {"aud", "[\"postgresql://build-7\"]", .step = KSA_STEP_AUDIENCE,
         .reason = KSA_WRONG_AUDIENCE},
        {"aud", "[\"" AUDIENCE "\",\"" ISSUER "\"]", .step = KSA_STEP_AUDIENCE,
         .reason = KSA_SEVERAL_AUDIENCES},
        {"exp", NULL, .step = KSA_STEP_TIMES, .reason = KSA_BAD_CLAIMS},
        {"nbf", NULL, .step = KSA_STEP_TIMES, .reason = KSA_BAD_CLAIMS},
        {"iat", NULL, .step = KSA_STEP_TIMES, .reason = KSA_BAD_CLAIMS},
        {"exp", "1795464206", .step = KSA_STEP_TIMES, .reason = KSA_EXPIRED},
        {"nbf", "1795464328", .step = KSA_STEP_TIMES, .reason = KSA_NOT_YET_VALID},
        {"iat", "1795464328", .step = KSA_STEP_TIMES, .reason = KSA_NOT_YET_VALID},
        {"exp", "1795467868", .step = KSA_STEP_LIFETIME, .reason = KSA_LIFETIME},
        {"sub", NULL, .step = KSA_STEP_SUBJECT, .reason = KSA_BAD_SUBJECT},
        {"sub", "\"system:serviceaccount:ci:root\"", .step = KSA_STEP_SUBJECT,
         .reason = KSA_BAD_SUBJECT},
        {"kubernetes.io", NULL, .step = KSA_STEP_SUBJECT, .reason = KSA_BAD_CLAIMS},
        {"kubernetes.io/namespace", "\"CI\"", .step = KSA_STEP_SUBJECT, .reason = KSA_BAD_CLAIMS},
        {.rhost = "11.0.0.1", .step = KSA_STEP_RULE, .reason = KSA_NO_RULE},
        {.rhost = "build-9.example.com", .step = KSA_STEP_RULE, .reason = KSA_NO_RULE},
        {.rhost = "", .step = KSA_STEP_RULE, .reason = KSA_NO_RULE},
};

static void check_row(const struct step_row *row, struct ksa_decision *decision)
{
        char *claims = claims_with(row->member, row->value);
        struct ksa_secret *token = signer_token(&login_fixture.signer, NULL, claims);
        struct ksa_attempt attempt = attempt_with(token);

        if (row->user != NULL)
                attempt.user = attempt.local.name = row->user;
        if (row->service != NULL)
                attempt.service = row->service;
        if (row->rhost != NULL)
                attempt.rhost = row->rhost;
        if (row->uid != 0)
                attempt.local.uid = row->uid;
        attempt.effective_uid = row->effective_uid;
        decide(&attempt, decision);
        if (decision->reason != row->reason)
                fail_msg("%s %s: %s (%s)", row->member, row->value,
                         ksa_reason_name(decision->reason), decision->error.text);
        assert_int_equal(decision->steps[row->step], row->reason);
        assert_int_not_equal(decision->outcome, KSA_ALLOW);
        ksa_secret_free(&token);
        free(claims);
}

static void test_each_step(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(step_rows); i++) {
                struct ksa_decision decision;

                check_row(&step_rows[i], &decision);
                /* The client may see the reason from the step after the audience on. */
                assert_int_equal(ksa_decision_is_verified(&decision),
                                 step_rows[i].step > KSA_STEP_SIGNATURE);
                assert_int_equal(ksa_decision_is_open(&decision),
                                 step_rows[i].step > KSA_STEP_AUDIENCE);
                ksa_decision_clear(&decision);
        }
}

/* Bug: a refusal named the key file, which was read without an error before. */
static void test_a_refusal_names_no_file_that_was_good(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(step_rows); i++) {
                struct ksa_decision decision;

                check_row(&step_rows[i], &decision);
                assert_string_equal(decision.error.file, "");
                ksa_decision_clear(&decision);
        }
}

static void test_not_a_token(void **state)
{
        struct ksa_secret *token = secret_of("hunter2");
        struct ksa_attempt attempt = attempt_with(token);
        struct ksa_decision decision;

        (void)state;
        decide(&attempt, &decision);
        assert_int_equal(decision.steps[KSA_STEP_TOKEN], KSA_NOT_A_TOKEN);
        ksa_decision_clear(&decision);
        ksa_secret_free(&token);
}

/* Each byte of a good token changed, one after the other. */
static void test_every_changed_byte_denies(void **state)
{
        struct ksa_secret *token = login_fixture_token(NULL, NULL);
        size_t length = ksa_secret_length(token);

        (void)state;
        for (size_t i = 0; i < length; i++) {
                char *text = strndup(ksa_secret_bytes(token), length);
                struct ksa_decision decision;

                assert_non_null(text);
                text[i] = text[i] == 'B' ? 'C' : 'B';
                struct ksa_secret *changed = secret_of(text);
                struct ksa_attempt attempt = attempt_with(changed);
                decide(&attempt, &decision);
                assert_int_equal(decision.outcome, KSA_DENY);
                assert_false(ksa_decision_is_verified(&decision));
                ksa_decision_clear(&decision);
                ksa_secret_free(&changed);
                free(text);
        }
        ksa_secret_free(&token);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_allowed),
                cmocka_unit_test(test_session),
                cmocka_unit_test(test_fresh_token_for_sudo),
                cmocka_unit_test(test_zeroed_memory_denies),
                cmocka_unit_test(test_cleared_memory_denies),
                cmocka_unit_test(test_each_step),
                cmocka_unit_test(test_a_refusal_names_no_file_that_was_good),
                cmocka_unit_test(test_not_a_token),
                cmocka_unit_test(test_every_changed_byte_denies),
        };

        return cmocka_run_group_tests(tests, login_fixture_setup, login_fixture_teardown);
}

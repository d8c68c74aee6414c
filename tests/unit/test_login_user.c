/* SPDX-License-Identifier: GPL-2.0-or-later */
/* login.c: which local user, and which account, at the level of the decision. */
#include <stdlib.h>
#include <string.h>

#include "login.h"
#include "scene.h"

static enum ksa_reason judge_user(const char *user, const char *service,
                                  const struct ksa_local_user *local, uid_t effective_uid)
{
        bool database = strcmp(service, "postgresql") == 0;
        char *claims = claims_with(database ? "aud" : NULL, "\"postgresql://build-7\"");
        struct ksa_secret *token = signer_token(&scene.signer, NULL, claims);
        struct ksa_attempt attempt = attempt_with(token);
        struct ksa_decision decision;

        attempt.user = user;
        attempt.service = service;
        attempt.local = *local;
        attempt.effective_uid = effective_uid;
        decide(&attempt, &decision);
        enum ksa_reason reason = decision.reason;
        ksa_decision_clear(&decision);
        ksa_secret_free(&token);
        free(claims);
        return reason;
}

static void test_user_must_exist(void **state)
{
        struct ksa_local_user nobody = {.exists = false, .name = ""};

        (void)state;
        assert_int_equal(judge_user("deploy-bot", "sshd", &nobody, 0), KSA_UNKNOWN_USER);
}

static void test_user_must_have_that_very_name(void **state)
{
        struct ksa_local_user other = {.exists = true, .name = "Deploy-bot", .uid = 1500};

        (void)state;
        assert_int_equal(judge_user("deploy-bot", "sshd", &other, 0), KSA_USER_DIFFERS);
}

static void test_system_user_must_be_named(void **state)
{
        struct ksa_local_user own = {
                .exists = true, .name = "own", .uid = 999, .own_account = "prod:ci/deployer"};
        struct ksa_local_user daemon = {.exists = true, .name = "daemon", .uid = 1};

        (void)state;
        assert_int_equal(judge_user("own", "cron", &own, 0), KSA_LOW_UID);
        own.uid = 0;
        assert_int_equal(judge_user("own", "cron", &own, 0), KSA_LOW_UID);
        own.uid = 1000;
        assert_int_equal(judge_user("own", "cron", &own, 0), KSA_OK);
        own.own_account = "prod:ci/builder";
        assert_int_equal(judge_user("own", "cron", &own, 0), KSA_NO_RULE);
        assert_int_equal(judge_user("daemon", "sshd", &daemon, 0), KSA_OK);
}

/* A database role has no passwd entry; its service must not be root's. */
static void test_service_without_local_users(void **state)
{
        struct ksa_local_user nobody = {.exists = false, .name = ""};
        struct ksa_local_user other = {.exists = true, .name = "other", .uid = 5};

        (void)state;
        assert_int_equal(judge_user("reports", "postgresql", &nobody, 110), KSA_OK);
        assert_int_equal(judge_user("reports", "postgresql", &other, 110), KSA_OK);
        assert_int_equal(judge_user("reports", "postgresql", &nobody, 0), KSA_SERVICE_USER);
}

static void test_default_needs_its_exact_name(void **state)
{
        char *claims = claims_with("kubernetes.io/serviceaccount/name", "\"default\"");
        char *sub = strstr(claims, "ci:deployer");
        struct ksa_decision decision;

        (void)state;
        memmove(sub + 10, sub + 11, strlen(sub + 11) + 1);
        memcpy(sub, "ci:default", 10);
        struct ksa_secret *token = signer_token(&scene.signer, NULL, claims);
        struct ksa_attempt attempt = attempt_with(token);
        attempt.user = attempt.local.name = "guest";
        decide(&attempt, &decision);
        assert_int_equal(decision.outcome, KSA_ALLOW);
        assert_string_equal(decision.rule->name, "default");
        ksa_decision_clear(&decision);
        /* The same without that rule. */
        const struct ksa_rule exact = scene.config->rules[3];
        assert_string_equal(exact.name, "default");
        ((struct ksa_pattern *)exact.account.items)[0].name = "other";
        decide(&attempt, &decision);
        ((struct ksa_pattern *)exact.account.items)[0].name = "default";
        assert_int_equal(decision.steps[KSA_STEP_RULE], KSA_NO_RULE);
        ksa_decision_clear(&decision);
        ksa_secret_free(&token);
        free(claims);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_user_must_exist),
                cmocka_unit_test(test_user_must_have_that_very_name),
                cmocka_unit_test(test_system_user_must_be_named),
                cmocka_unit_test(test_service_without_local_users),
                cmocka_unit_test(test_default_needs_its_exact_name),
        };

        return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}

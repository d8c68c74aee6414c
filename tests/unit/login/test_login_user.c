/* SPDX-License-Identifier: BSD-2-Clause */
/* login.c: which local user, and which account, at the level of the decision. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "login/login.h"
#include "support/login_fixture.h"

#define ACCOUNT_UID "055340be-da7c-4afd-8213-e998a1704706"

static enum ksa_reason decide_user(const char *user, const char *service,
                                   const struct ksa_local_user *local, uid_t effective_uid)
{
        bool database = strcmp(service, "postgresql") == 0;
        char *claims = claims_with(database ? "aud" : NULL, "\"postgresql://build-7\"");
        struct ksa_secret *token = signer_token(&login_fixture.signer, NULL, claims);
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

static struct ksa_managed_user made_for(const char *account, enum ksa_account_state state)
{
        struct ksa_managed_user own = {.found = true};

        own.record = (struct ksa_account_record){.name = "own",
                                                 .uid = 5000,
                                                 .state = state,
                                                 .cluster = "prod",
                                                 .namespace = "ci",
                                                 .account = account,
                                                 .account_uid = ACCOUNT_UID,
                                                 .new_account_uid = ""};
        (void)snprintf(own.account, sizeof(own.account), "prod:ci/%s", account);
        return own;
}

static void test_user_must_exist(void **state)
{
        struct ksa_local_user nobody = {.exists = false, .name = ""};

        (void)state;
        assert_int_equal(decide_user("deploy-bot", "sshd", &nobody, 0), KSA_UNKNOWN_USER);
}

static void test_user_must_have_that_very_name(void **state)
{
        struct ksa_local_user other = {.exists = true, .name = "Deploy-bot", .uid = 1500};

        (void)state;
        assert_int_equal(decide_user("deploy-bot", "sshd", &other, 0), KSA_USER_DIFFERS);
}

static void test_system_user_must_be_named(void **state)
{
        struct ksa_managed_user made = made_for("deployer", KSA_ACCOUNT_ACTIVE);
        struct ksa_local_user own = {.exists = true, .name = "own", .uid = 999, .managed = &made};
        struct ksa_local_user daemon = {.exists = true, .name = "daemon", .uid = 1};

        (void)state;
        assert_int_equal(decide_user("own", "cron", &own, 0), KSA_LOW_UID);
        own.uid = 0;
        assert_int_equal(decide_user("own", "cron", &own, 0), KSA_LOW_UID);
        own.uid = 1000;
        assert_int_equal(decide_user("own", "cron", &own, 0), KSA_OK);
        assert_int_equal(decide_user("daemon", "sshd", &daemon, 0), KSA_OK);
}

/* --- Users that the registry made ---------------------------------------------- */

/* The user's record in the registry, and the result of deployer's token through cron, by @own. */
static const struct {
        const char *account, *account_uid;
        enum ksa_account_state state;
        bool exists;
        enum ksa_reason reason;
} owns[] = {
        {"deployer", ACCOUNT_UID, KSA_ACCOUNT_ACTIVE, true, KSA_OK},
        {"deployer", "another", KSA_ACCOUNT_ACTIVE, true, KSA_RECREATED},
        {"deployer", "", KSA_ACCOUNT_ACTIVE, true, KSA_RECREATED},
        /* The token of the account before is refused too: the account may have another owner by now. */
        {"deployer", ACCOUNT_UID, KSA_ACCOUNT_DISABLED, true, KSA_DISABLED},
        {"deployer", "another", KSA_ACCOUNT_DISABLED, true, KSA_DISABLED},
        {"deployer", ACCOUNT_UID, KSA_ACCOUNT_REMOVED, false, KSA_ACCOUNT_UNKNOWN},
        {"builder", ACCOUNT_UID, KSA_ACCOUNT_ACTIVE, true, KSA_ACCOUNT_UNKNOWN},
        {"deployer", ACCOUNT_UID, (enum ksa_account_state)0, true, KSA_ACCOUNT_UNKNOWN},
};

static void test_own_user(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(owns); i++) {
                struct ksa_managed_user made = made_for(owns[i].account, owns[i].state);
                struct ksa_local_user own = {
                        .exists = owns[i].exists, .name = "own", .uid = 5000, .managed = &made};

                made.record.account_uid = owns[i].account_uid;
                enum ksa_reason reason = decide_user("own", "cron", &own, 0);
                if (reason != owns[i].reason)
                        fail_msg("row %zu: %s", i, ksa_reason_name(reason));
        }
}

/* The result of the same with a rule that names the user. */
static const struct {
        const char *account, *account_uid;
        enum ksa_account_state state;
        enum ksa_reason reason;
} nameds[] = {
        {"deployer", ACCOUNT_UID, KSA_ACCOUNT_ACTIVE, KSA_OK},
        {"deployer", "another", KSA_ACCOUNT_ACTIVE, KSA_RECREATED},
        {"deployer", "", KSA_ACCOUNT_ACTIVE, KSA_OK},
        {"builder", "another", KSA_ACCOUNT_ACTIVE, KSA_OTHER_ACCOUNT},
        {"builder", "", KSA_ACCOUNT_ACTIVE, KSA_OTHER_ACCOUNT},
        {"builder", ACCOUNT_UID, KSA_ACCOUNT_ACTIVE, KSA_OTHER_ACCOUNT},
        {"builder", "another", KSA_ACCOUNT_DISABLED, KSA_DISABLED},
};

static void test_a_user_of_the_registry_that_a_rule_names(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(nameds); i++) {
                struct ksa_managed_user made = made_for(nameds[i].account, nameds[i].state);
                struct ksa_local_user own = {
                        .exists = true, .name = "deploy-bot", .uid = 5000, .managed = &made};

                made.record.name = own.name;
                made.record.account_uid = nameds[i].account_uid;
                enum ksa_reason reason = decide_user("deploy-bot", "sshd", &own, 0);
                if (reason != nameds[i].reason)
                        fail_msg("row %zu: %s", i, ksa_reason_name(reason));
        }
}

/* A damaged registry refuses users that it may have, and no others. */
static void test_a_damaged_registry(void **state)
{
        struct ksa_managed_user broken = {.broken = "the sum does not fit"};
        struct ksa_local_user local = {
                .exists = true, .name = "deploy-bot", .uid = 1500, .managed = &broken};
        struct ksa_local_user nobody = {.exists = false, .name = "", .managed = &broken};

        (void)state;
        assert_int_equal(decide_user("deploy-bot", "sshd", &local, 0), KSA_OK);
        local.gecos = "prod/ci/deployer"; /* nscd has it from before */
        assert_int_equal(decide_user("deploy-bot", "sshd", &local, 0), KSA_REGISTRY);
        assert_int_equal(decide_user("somebody", "sshd", &local, 0), KSA_NOT_NAMED);
        assert_int_equal(decide_user("somebody", "cron", &nobody, 0), KSA_REGISTRY);
        assert_int_equal(decide_user("somebody", "sshd", &nobody, 0), KSA_NOT_NAMED);
}

/* A database role has no passwd entry; its service must not be root's. */
static void test_service_without_local_users(void **state)
{
        struct ksa_local_user nobody = {.exists = false, .name = ""};
        struct ksa_local_user other = {.exists = true, .name = "other", .uid = 5};

        (void)state;
        assert_int_equal(decide_user("reports", "postgresql", &nobody, 110), KSA_OK);
        assert_int_equal(decide_user("reports", "postgresql", &other, 110), KSA_OK);
        assert_int_equal(decide_user("reports", "postgresql", &nobody, 0), KSA_SERVICE_USER);
}

static void test_default_needs_its_exact_name(void **state)
{
        char *claims = claims_with("kubernetes.io/serviceaccount/name", "\"default\"");
        char *sub = strstr(claims, "ci:deployer");
        struct ksa_decision decision;

        (void)state;
        memmove(sub + 10, sub + 11, strlen(sub + 11) + 1);
        memcpy(sub, "ci:default", 10);
        struct ksa_secret *token = signer_token(&login_fixture.signer, NULL, claims);
        struct ksa_attempt attempt = attempt_with(token);
        attempt.user = attempt.local.name = "guest";
        decide(&attempt, &decision);
        assert_int_equal(decision.outcome, KSA_ALLOW);
        assert_string_equal(decision.rule->name, "default");
        ksa_decision_clear(&decision);
        /* The same without that rule. */
        const struct ksa_rule exact = login_fixture.config->rules[3];
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
                cmocka_unit_test(test_own_user),
                cmocka_unit_test(test_a_user_of_the_registry_that_a_rule_names),
                cmocka_unit_test(test_a_damaged_registry),
                cmocka_unit_test(test_service_without_local_users),
                cmocka_unit_test(test_default_needs_its_exact_name),
        };

        return cmocka_run_group_tests(tests, login_fixture_setup, login_fixture_teardown);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/login_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char config_text[] =
        "[host]\naudience = " AUDIENCE "\n"
        "[service postgresql]\naudience = postgresql://build-7\nlocal_user = no\n"
        "[cluster prod]\nissuer = " ISSUER "\nkeys = file:%s/keys.json\n"
        "[rule deploy]\naccount = prod:ci/deployer\nuser = deploy-bot daemon\n"
        "service = sshd\nfrom = 10.0.0.0/8\n"
        "[service sudo]\naudience = sudo://build-7\n"
        "[rule database]\naccount = prod:ci/deployer\nuser = reports\nservice = postgresql\n"
        "[rule own]\naccount = prod:ci/*\nuser = @own\nservice = cron\n"
        "[rule default]\naccount = prod:ci/default\nuser = guest\nservice = sshd\n"
        "[rule all]\naccount = prod:*/*\nuser = guest\nservice = sshd\n"
        "[rule fresh]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sudo\nonce = yes\n"
        "[rule session]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sudo\n"
        "token = session\nonce = yes\nfrom = 10.0.0.0/8\n";

struct login_fixture login_fixture;

int login_fixture_setup(void **state)
{
        struct ksa_error error = {0};
        char text[2048];

        (void)workdir_setup((void **)&login_fixture.workdir);
        login_fixture.signer = signer_new(KSA_ES256, "k1");
        char *keys = signer_jwks(&login_fixture.signer, 1);
        workdir_write(login_fixture.workdir, "keys.json", keys);
        free(keys);
        login_fixture.workdir->env.registry_file = "/nowhere"; /* so that @own may be written */
        (void)snprintf(text, sizeof(text), config_text, login_fixture.workdir->directory);
        if (workdir_load(login_fixture.workdir, text, &login_fixture.config, &error) != KSA_OK)
                fail_msg("%s:%u: %s", error.file, error.line, error.text);
        *state = &login_fixture;
        return 0;
}

int login_fixture_teardown(void **state)
{
        (void)state;
        ksa_config_free(&login_fixture.config);
        signer_free(&login_fixture.signer);
        return workdir_teardown((void **)&login_fixture.workdir);
}

struct ksa_attempt attempt_with(const struct ksa_secret *token)
{
        return (struct ksa_attempt){.token = token,
                                    .user = "deploy-bot",
                                    .local = {.exists = true, .name = "deploy-bot", .uid = 1500},
                                    .service = "sshd",
                                    .rhost = "10.1.2.3"};
}

struct ksa_secret *login_fixture_token(const char *member, const char *value)
{
        char *claims = claims_with(member, value);
        struct ksa_secret *token = signer_token(&login_fixture.signer, NULL, claims);

        free(claims);
        return token;
}

static void check_steps(const struct ksa_decision *decision)
{
        size_t step = 0;

        while (step < KSA_STEP_COUNT && decision->steps[step] == KSA_OK)
                step++;
        assert_int_equal(step == KSA_STEP_COUNT, decision->outcome == KSA_ALLOW);
        assert_int_equal(decision->reason, step == KSA_STEP_COUNT ? KSA_OK : decision->steps[step]);
        if (step == KSA_STEP_COUNT)
                return;
        assert_int_not_equal(decision->reason, KSA_UNREACHED);
        assert_int_equal(decision->outcome, ksa_reason_outcome(decision->reason));
        assert_int_equal(decision->error.reason, decision->reason);
        assert_true(decision->error.text[0] != '\0');
        for (step++; step < KSA_STEP_COUNT; step++)
                assert_int_equal(decision->steps[step], KSA_UNREACHED);
}

void decide(const struct ksa_attempt *attempt, struct ksa_decision *decision)
{
        memset(decision, 0xa5, sizeof(*decision)); /* with any content before */
        ksa_login(login_fixture.config, &login_fixture.workdir->env, attempt, decision);
        check_steps(decision);
}

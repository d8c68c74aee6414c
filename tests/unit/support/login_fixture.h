/* SPDX-License-Identifier: BSD-2-Clause */
/* A host on which prod:ci/deployer may log in as deploy-bot, and the parts of an attempt. */
#ifndef KSA_TEST_LOGIN_FIXTURE_H
#define KSA_TEST_LOGIN_FIXTURE_H

#include "support/signer.h"
#include "support/support.h"

struct login_fixture {
        struct workdir *workdir;
        struct ksa_config *config;
        struct signer signer; /* ES256, kid k1 */
};

/* Made once for all tests of a program: none of them may change it. */
extern struct login_fixture login_fixture;

/* cmocka's setup and teardown of a group. */
int login_fixture_setup(void **state);
int login_fixture_teardown(void **state);

/* A token with one claim changed (claims_with). */
struct ksa_secret *login_fixture_token(const char *member, const char *value);

/* deploy-bot, through sshd, from 10.1.2.3. */
struct ksa_attempt attempt_with(const struct ksa_secret *token);

/*
 * Decides over memory that held something else, and checks the properties of every decision: one
 * step ended it, all before it passed, none after it was reached.
 */
void decide(const struct ksa_attempt *attempt, struct ksa_decision *ret_decision);

#endif

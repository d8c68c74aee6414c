/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host on which prod:ci/deployer may log in as deploy-bot, and what it takes to try. */
#ifndef KSA_TEST_SCENE_H
#define KSA_TEST_SCENE_H

#include "support/signer.h"
#include "support/support.h"

struct scene {
        struct place *place;
        struct ksa_config *config;
        struct signer signer; /* ES256, kid k1 */
};

/* Made once for all tests of a program: none of them may change it. */
extern struct scene scene;

/* cmocka's setup and teardown of a group. */
int scene_setup(void **state);
int scene_teardown(void **state);

/* A token with one claim changed (claims_with). */
struct ksa_secret *scene_token(const char *member, const char *value);

/* deploy-bot, through sshd, from 10.1.2.3. */
struct ksa_attempt attempt_with(const struct ksa_secret *token);

/*
 * Decides over memory that held something else, and checks what every decision must be:
 * one step ended it, all before are good, none behind was reached.
 */
void decide(const struct ksa_attempt *attempt, struct ksa_decision *ret_decision);

#endif

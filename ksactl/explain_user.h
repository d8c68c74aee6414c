/* SPDX-License-Identifier: BSD-2-Clause */
/* Whom ksactl explain asks for where nobody was named. */
#ifndef KSACTL_EXPLAIN_USER_H
#define KSACTL_EXPLAIN_USER_H

#include "base/env.h"
#include "base/secret.h"
#include "config/types.h"

#define CHOSEN_SIZE 256

/*
 * The first user that a rule for this service names for the account that the token claims, by @own
 * the one that the registry has; where no rule does, or it is no token, that any rule for this
 * service names: so the answer is about the token. False where there is none.
 */
bool choose_user(const struct ksa_config *config, const struct ksa_env *env,
                 const struct ksa_secret *token, const char *service, char ret_user[CHOSEN_SIZE]);

#endif

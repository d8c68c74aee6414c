/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl explain: the user of the login, and the user that the service runs as. */
#ifndef KSACTL_EXPLAIN_USER_H
#define KSACTL_EXPLAIN_USER_H

#include <sys/types.h>

#include "base/env.h"
#include "base/secret.h"
#include "config/types.h"

#define CHOSEN_SIZE 256

/*
 * The user to explain when --user is not given: the first one that a rule for this service names for the
 * account in the token (for @own, the account's user in the registry). If the token names no account, or no
 * rule fits it, the first user that any rule for this service names. False if there is no such user.
 */
bool choose_user(const struct ksa_config *config, const struct ksa_env *env,
                 const struct ksa_secret *token, const char *service, char ret_user[CHOSEN_SIZE]);

/*
 * The uid of NAME, the user that a service runs as. A process of root becomes that user for good, so that it
 * can read exactly the files that the service can read. False, with a message on standard error.
 */
bool become_service_user(const char *name, uid_t *ret_uid);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The record of an ssh session, on its way through the phases of sshd and into sudo. */
#ifndef KSA_PAM_SESSION_H
#define KSA_PAM_SESSION_H

#include <security/pam_modules.h>

#include "login/login.h"
#include "session/store.h"

/* Removes the record that an earlier attempt on the same handle left. */
void session_forget(pam_handle_t *pamh, const struct ksa_env *env);

/*
 * In sshd's auth phase: keeps the token of ATTEMPT, which DECISION admitted, if a rule of CONFIG
 * could admit it to sudo. If it cannot be kept, the log has a warning, and the login goes on.
 */
void session_keep(pam_handle_t *pamh, const struct ksa_env *env, const struct ksa_config *config,
                  const struct ksa_attempt *attempt, const struct ksa_decision *decision);

/*
 * In sshd's session phases. The handle of the record never reaches the user's shell. A session that
 * cannot be tied to its record has none, and the log has a warning.
 */
void session_open(pam_handle_t *pamh, const struct ksa_env *env, const struct ksa_attempt *attempt);
void session_close(const struct ksa_env *env);

/* Whether the service may use a session's record: sudo with effective uid 0. */
bool session_applies(const struct ksa_attempt *attempt);

/*
 * In sudo's auth phase: finds the record of the session that the caller is in, if a rule with
 * token = session names its account and the user.
 *
 * ret_session  ksa_session_clear() it always
 *
 * KSA_UNREACHED  no rule with token = session names the user with this service: not looked for
 * KSA_NO_RULE    no rule with token = session names the account of the session
 * and the results of ksa_session_find()
 */
enum ksa_reason session_use(const struct ksa_env *env, const struct ksa_config *config,
                            const struct ksa_attempt *attempt, struct ksa_session *ret_session,
                            struct ksa_error *err) KSA_MUST_CHECK;

/*
 * In sudo's account phase: whether the caller's session has ended, or its token has expired.
 * WAS_GRANTED: the session's token was admitted in this process, so the record must be there still;
 * otherwise callers without a record of their own are let through.
 *
 * KSA_OK, KSA_EXPIRED, and the results of ksa_session_find()
 */
enum ksa_reason session_recheck(const struct ksa_env *env, const struct ksa_attempt *attempt,
                                bool was_granted, struct ksa_session *ret_session,
                                struct ksa_error *err) KSA_MUST_CHECK;

#endif

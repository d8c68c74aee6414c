/* SPDX-License-Identifier: BSD-2-Clause */
#include "session.h"

#include <security/pam_ext.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "base/text.h"
#include "config/rule.h"
#include "token/claims.h"

/*
 * sshd's auth phase may run in a child of the process that opens the session. sshd passes the PAM
 * environment on to it, and later to the user's shell.
 */
#define HANDLE "KSA_HANDLE"

void session_forget(pam_handle_t *pamh, const struct ksa_env *env)
{
        const char *handle = pam_getenv(pamh, HANDLE);
        struct ksa_tie tie;

        if (handle == NULL)
                return;
        ksa_tie_read(env->proc_dir, &tie);
        ksa_session_drop(env, &tie, handle);
        (void)pam_putenv(pamh, HANDLE);
}

/* --- sshd --------------------------------------------------------------------- */

static void warn(pam_handle_t *pamh, const char *reference, const char *user, const char *why)
{
        char quoted[KSA_UNVERIFIED_SIZE];

        pam_syslog(pamh, LOG_WARNING,
                   "ref=%s the session of user \"%s\" has no record for sudo: %s", reference,
                   ksa_text_quote(ksa_text_user(user), quoted, sizeof(quoted)), why);
}

/* Copies TEXT to an array of SIZE bytes. False if it does not fit. */
static bool copy(char *out, size_t size, const char *text)
{
        return snprintf(out, size, "%s", text) < (int)size;
}

static bool fill(const struct ksa_env *env, const struct ksa_attempt *attempt,
                 const struct ksa_candidate *candidate, const struct ksa_token *token,
                 struct ksa_record *ret_record)
{
        struct ksa_record record = {.uid = attempt->local.uid,
                                    .expires = (uint64_t)token->exp.seconds};
        int length = snprintf(record.account, sizeof(record.account), "%s:%s/%s",
                              candidate->cluster, candidate->namespace, candidate->account);

        if (length < 0 || (size_t)length >= sizeof(record.account) ||
            !copy(record.user, sizeof(record.user), attempt->user) ||
            !copy(record.rhost, sizeof(record.rhost), attempt->rhost) ||
            !copy(record.reference, sizeof(record.reference), env->reference))
                return false;
        *ret_record = record;
        return true;
}

void session_keep(pam_handle_t *pamh, const struct ksa_env *env, const struct ksa_config *config,
                  const struct ksa_attempt *attempt, const struct ksa_decision *decision)
{
        char handle[KSA_HANDLE_SIZE], variable[sizeof(HANDLE) + KSA_HANDLE_SIZE];
        const char *why = "its user or address is too long";
        struct ksa_candidate candidate;
        struct ksa_record record;
        struct ksa_tie tie;

        if (strcmp(attempt->service, "sshd") != 0 || attempt->effective_uid != 0 ||
            attempt->real_uid != 0 || !attempt->local.exists)
                return;
        ksa_decision_candidate(decision, attempt, &candidate);
        candidate.service = "sudo-i"; /* rules for sudo include it */
        if (!ksa_rule_takes_session(config, &candidate))
                return;
        ksa_tie_read(env->proc_dir, &tie);
        if (fill(env, attempt, &candidate, &decision->token, &record))
                why = ksa_session_keep(env, &tie, &record, attempt->token, handle);
        if (why == NULL) {
                (void)snprintf(variable, sizeof(variable), "%s=%s", HANDLE, handle);
                if (pam_putenv(pamh, variable) == PAM_SUCCESS)
                        return;
                ksa_session_drop(env, &tie, handle);
                why = "out of memory";
        }
        warn(pamh, env->reference, attempt->user, why);
}

void session_open(pam_handle_t *pamh, const struct ksa_env *env, const struct ksa_attempt *attempt)
{
        const char *variable = pam_getenv(pamh, HANDLE);
        char handle[KSA_HANDLE_SIZE] = "";
        struct ksa_record record;
        struct ksa_tie tie;

        if (variable == NULL)
                return;
        bool whole = copy(handle, sizeof(handle), variable);
        (void)pam_putenv(pamh, HANDLE);
        if (!whole || attempt->effective_uid != 0 || !attempt->local.exists)
                return;
        ksa_tie_read(env->proc_dir, &tie);
        const char *why =
                ksa_session_open(env, &tie, handle, attempt->user, attempt->local.uid, &record);
        if (why != NULL)
                warn(pamh, record.reference[0] != '\0' ? record.reference : env->reference,
                     attempt->user, why);
}

void session_close(const struct ksa_env *env)
{
        struct ksa_tie tie;

        ksa_tie_read(env->proc_dir, &tie);
        ksa_session_close(env, &tie);
}

/* --- sudo --------------------------------------------------------------------- */

bool session_applies(const struct ksa_attempt *attempt)
{
        return attempt->effective_uid == 0 &&
               strcmp(ksa_service_in_rules(attempt->service), "sudo") == 0;
}

/* Whether a rule with token = session names the account of RECORD and the user. */
static bool is_named(const struct ksa_config *config, const struct ksa_attempt *attempt,
                     const struct ksa_record *record)
{
        char account[KSA_RECORD_ACCOUNT_SIZE];
        char *colon, *slash;

        memcpy(account, record->account, sizeof(account));
        colon = strchr(account, ':');
        slash = colon != NULL ? strchr(colon, '/') : NULL;
        if (slash == NULL)
                return false;
        *colon = *slash = '\0';
        const struct ksa_candidate candidate = {
                .cluster = account,
                .namespace = colon + 1,
                .account = slash + 1,
                .user = attempt->user,
                .own_account = ksa_local_user_account(&attempt->local),
                .service = attempt->service,
        };
        return ksa_rule_takes_session(config, &candidate);
}

enum ksa_reason session_use(const struct ksa_env *env, const struct ksa_config *config,
                            const struct ksa_attempt *attempt, struct ksa_session *ret_session,
                            struct ksa_error *err)
{
        struct ksa_tie tie;

        if (!session_applies(attempt) ||
            !ksa_rule_names_session(config, attempt->user, ksa_local_user_account(&attempt->local),
                                    attempt->service))
                return KSA_UNREACHED;
        ksa_tie_read(env->proc_dir, &tie);
        enum ksa_reason reason =
                ksa_session_find(env, &tie, attempt->user, attempt->real_uid, ret_session, err);
        if (reason == KSA_OK && !is_named(config, attempt, &ret_session->record))
                return ksa_fail(err, KSA_NO_RULE,
                                "no rule with token = session names %s with this user",
                                ret_session->record.account);
        return reason;
}

enum ksa_reason session_recheck(const struct ksa_env *env, const struct ksa_attempt *attempt,
                                bool was_granted, struct ksa_session *ret_session,
                                struct ksa_error *err)
{
        /* With sudo's targetpw and the like, PAM_USER is not the caller. */
        const char *user = was_granted ? attempt->user : NULL;
        struct ksa_tie tie;

        ksa_tie_read(env->proc_dir, &tie);
        enum ksa_reason reason =
                ksa_session_find(env, &tie, user, attempt->real_uid, ret_session, err);
        /* Another keyring is no reason to end what sudo itself still allows. */
        bool has_record = reason == KSA_OK || reason == KSA_SESSION_LEFT;
        /* The caller may limit sudo's memory, so that it cannot read a record that is there. */
        if (!was_granted && !has_record && reason != KSA_SESSION_ENDED && reason != KSA_MEMORY)
                return KSA_OK;
        if (reason != KSA_OK && (was_granted || !has_record))
                return reason;
        const int64_t expires = (int64_t)ret_session->record.expires;
        if (env->now > expires + KSA_LEEWAY)
                return ksa_fail(err, KSA_EXPIRED, "the token of this session expired %lld s ago",
                                (long long)(env->now - expires));
        return KSA_OK;
}

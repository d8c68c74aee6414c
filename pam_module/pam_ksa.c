/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entry points of the PAM module: from the arguments and items to the decision and its effects.
 */
#include <errno.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "config/arguments.h"
#include "conv.h"
#include "items.h"
#include "login/report.h"
#include "login/host_env.h"
#include "login/login.h"
#include "outcome.h"
#include "session.h"
#include "token_file.h"

#define EXPORT     __attribute__((visibility("default")))
#define GRANT      "ksa_grant"
#define AUTH_RAN   "ksa_auth_ran"
#define FAIL_DELAY 2000000 /* microseconds */
#define AT_ONCE    1000    /* milliseconds within which a program, not a person, answers */

/* One attempt, from the arguments to the PAM code. */
struct login {
        pam_handle_t *pamh;
        struct ksa_arguments arguments;
        struct items items; /* owns the texts of attempt */
        struct ksa_host_env host;
        struct ksa_config *config;
        struct ksa_secret *token;
        struct ksa_managed_user managed;
        struct ksa_session session; /* of sudo's caller */
        struct ksa_attempt attempt;
        struct ksa_decision decision;
        bool asked;           /* a prompt was sent: a refusal is then explained to the client */
        enum ksa_reason hint; /* KSA_UNREACHED before a response */
};

/* --- Inputs from the host program -------------------------------------------- */

static void look_up_user(struct login *login)
{
        const struct passwd *user = pam_modutil_getpwnam(login->pamh, login->attempt.user);

        login->attempt.local = ksa_local_user_of(user);
        ksa_local_user_look_up(&login->host.env, login->attempt.user, &login->attempt.local,
                               &login->managed);
}

static enum ksa_reason take_attempt(struct login *login, struct ksa_error *err)
{
        login->attempt.user = login->items.user;
        login->attempt.service = login->items.service;
        login->attempt.rhost = login->items.rhost;
        login->attempt.effective_uid = geteuid();
        login->attempt.real_uid = getuid();
        return take_items(login->pamh, &login->items, err);
}

/* --- The grant, for the account phase of this process ------------------------ */

struct grant {
        char *user;
        char *service;
        bool of_session; /* by the token of the caller's session */
};

static void free_grant(pam_handle_t *pamh __attribute__((unused)), void *data,
                       int status __attribute__((unused)))
{
        struct grant *grant = data;

        if (grant == NULL)
                return;
        free(grant->user);
        free(grant->service);
        free(grant);
}

static bool keep_grant(const struct login *login)
{
        struct grant *grant = calloc(1, sizeof(*grant));

        if (grant == NULL)
                return false;
        grant->user = strdup(login->attempt.user);
        grant->service = strdup(login->attempt.service);
        grant->of_session = login->attempt.record != NULL;
        if (grant->user == NULL || grant->service == NULL ||
            pam_set_data(login->pamh, GRANT, grant, free_grant) != PAM_SUCCESS) {
                free_grant(login->pamh, grant, 0);
                return false;
        }
        return true;
}

static const struct grant *find_grant(pam_handle_t *pamh)
{
        const void *grant = NULL;

        return pam_get_data(pamh, GRANT, &grant) == PAM_SUCCESS ? grant : NULL;
}

/* --- The session's environment ----------------------------------------------- */

static const char *const variables[] = {"KSA_CLUSTER", "KSA_NAMESPACE", "KSA_ACCOUNT", "KSA_JTI",
                                        "KSA_EXPIRES"};

static bool put_variable(pam_handle_t *pamh, const char *name, const char *value)
{
        char *text = NULL;

        if (asprintf(&text, "%s=%s", name, value) < 0)
                return false;
        bool put = pam_putenv(pamh, text) == PAM_SUCCESS;
        free(text);
        return put;
}

/* Sets variables for the session, which never decide anything. */
static bool tell_session(const struct login *login)
{
        const struct ksa_token *token = &login->decision.token;
        char expires[32];

        (void)snprintf(expires, sizeof(expires), "%lld", (long long)token->exp.seconds);
        const char *const values[] = {login->decision.cluster->name, token->namespace,
                                      token->account, token->jti, expires};
        for (size_t i = 0; i < KSA_COUNT(variables); i++) {
                if (values[i] != NULL && !put_variable(login->pamh, variables[i], values[i]))
                        return false;
        }
        return true;
}

/* Removes the grant and variables of an earlier attempt on the same handle. */
static void forget_earlier(pam_handle_t *pamh)
{
        if (find_grant(pamh) != NULL)
                (void)pam_set_data(pamh, GRANT, NULL, NULL);
        for (size_t i = 0; i < KSA_COUNT(variables); i++) {
                if (pam_getenv(pamh, variables[i]) != NULL)
                        (void)pam_putenv(pamh, variables[i]);
        }
}

/* --- The end of an attempt ---------------------------------------------------- */

/*
 * Severity for syslog. The PAM stack ignores KSA_UNAVAILABLE, so the login may still succeed with a
 * password.
 */
static int priority_of(enum ksa_outcome outcome)
{
        if (outcome == KSA_NO_MEMORY)
                return LOG_ERR;
        return outcome == KSA_UNAVAILABLE ? LOG_WARNING : LOG_NOTICE;
}

static void write_log(const struct login *login)
{
        const struct ksa_decision *decision = &login->decision;
        char line[KSA_LINE_SIZE];

        pam_syslog(login->pamh, priority_of(decision->outcome), "%s",
                   ksa_report_line(&login->attempt, decision, login->host.reference, line));
}

static void write_steps(const struct login *login)
{
        for (unsigned i = 0; i < KSA_STEP_COUNT && login->arguments.debug; i++) {
                enum ksa_step step = (enum ksa_step)i;
                char detail[1024];

                pam_syslog(login->pamh, LOG_DEBUG, "ref=%s step=%s result=%s %s",
                           login->host.reference, ksa_step_name(step),
                           ksa_reason_name(login->decision.steps[step]),
                           ksa_report_step(&login->attempt, &login->decision, step, detail,
                                           sizeof(detail)));
        }
}

static void tell_client(const struct login *login)
{
        char *text = ksa_report_to_client(&login->decision, login->hint, login->host.reference,
                                          login->host.host_name);

        if (text != NULL)
                (void)pam_error(login->pamh, "%s", text);
        free(text);
}

/* Converts the decision to a PAM code, after log line, delay, grant and message to the client. */
static int finish(struct login *login, int flags)
{
        struct ksa_decision *decision = &login->decision;

        if (decision->outcome == KSA_ALLOW && (!keep_grant(login) || !tell_session(login))) {
                struct ksa_error error = {0};

                forget_earlier(login->pamh);
                (void)ksa_fail(&error, KSA_MEMORY, "out of memory");
                ksa_decision_clear(decision);
                ksa_decision_refuse(decision, KSA_MEMORY, &error);
        }
        int code = pam_code(decision->outcome);
        if (code == PAM_USER_UNKNOWN)
                return code; /* not a ksa login: no log line, delay or message */
        write_steps(login);
        write_log(login);
        if (code == PAM_SUCCESS)
                session_keep(login->pamh, &login->host.env, login->config, &login->attempt,
                             decision);
        if (code != PAM_SUCCESS && login->asked && ((unsigned)flags & PAM_SILENT) == 0)
                tell_client(login);
        if ((code == PAM_AUTH_ERR || code == PAM_PERM_DENIED) && !login->arguments.nodelay)
                (void)pam_fail_delay(login->pamh, FAIL_DELAY);
        return code;
}

/* --- An attempt --------------------------------------------------------------- */

/* The checks that need no token, so that users who cannot use one are not prompted. */
static enum ksa_reason before_token(struct login *login, int argc, const char **argv,
                                    struct ksa_error *err)
{
        struct ksa_error argument = {0};
        enum ksa_reason parsed = ksa_arguments_parse(argc, argv, &login->arguments, &argument);

        ksa_host_env_fill(&login->host, login->arguments.config);
        session_forget(login->pamh, &login->host.env);
        enum ksa_reason reason = take_attempt(login, err);
        if (reason != KSA_OK)
                return reason;
        if (parsed != KSA_OK) {
                *err = argument;
                return parsed;
        }
        if (ksa_arguments_exempt(&login->arguments, login->attempt.user))
                return ksa_fail(err, KSA_EXEMPT, "exempt");
        reason = ksa_config_load(&login->host.env, NULL, &login->config, err);
        if (reason != KSA_OK)
                return reason;
        look_up_user(login);
        reason = ksa_login_concerns(login->config, &login->attempt, err);
        return reason == KSA_OK ? check_items(&login->items, err) : reason;
}

static enum ksa_reason get_fresh_token(struct login *login, struct ksa_error *err)
{
        if (login->arguments.token_file != NULL) {
                enum ksa_reason reason = read_token_file(login->pamh, login->arguments.token_file,
                                                         &login->attempt, &login->token, err);

                if (reason != KSA_FILE_MISSING)
                        return reason;
                memset(err, 0, sizeof(*err));
        }
        return ask_for_token(login->pamh, &login->token, &login->hint, err);
}

/* The first of: the token of the caller's session, the user's token file, the prompt. */
static enum ksa_reason get_token(struct login *login, struct ksa_error *err)
{
        struct ksa_error session = {0};

        login->asked = true;
        enum ksa_reason found = session_use(&login->host.env, login->config, &login->attempt,
                                            &login->session, &session);
        if (found == KSA_OK) {
                login->attempt.token = login->session.token;
                login->attempt.record = &login->session.record;
                login->attempt.rhost = login->session.record.rhost;
                return KSA_OK;
        }
        enum ksa_reason reason = get_fresh_token(login, err);
        if (reason != KSA_CONVERSATION || found == KSA_UNREACHED)
                return reason;
        /* Without an answer (sudo -n), the session is what the caller relied on. */
        *err = session;
        login->hint = found;
        if (login->session.record.audit != 0)
                login->attempt.record = &login->session.record;
        return found;
}

/*
 * Reads clock, configuration and user again after a slow prompt: it stays open for two minutes in
 * sshd, and without limit in su.
 */
static enum ksa_reason read_again(struct login *login, int64_t asked, struct ksa_error *err)
{
        enum ksa_reason reason = compare_items(login->pamh, &login->items, err);

        if (reason != KSA_OK)
                return reason;
        ksa_host_env_read_clock(&login->host);
        if (login->host.env.uptime() - asked <= AT_ONCE)
                return KSA_OK;
        ksa_config_free(&login->config);
        reason = ksa_config_load(&login->host.env, NULL, &login->config, err);
        if (reason == KSA_OK) {
                login->attempt.local = (struct ksa_local_user){.exists = false};
                ksa_local_user_close(&login->managed);
                look_up_user(login);
        }
        return reason;
}

static void decide(struct login *login, int argc, const char **argv)
{
        struct ksa_error error = {0};
        enum ksa_reason reason = before_token(login, argc, argv, &error);
        int64_t asked = login->host.env.uptime();

        if (reason == KSA_OK)
                reason = get_token(login, &error);
        if (reason == KSA_OK && login->attempt.record == NULL)
                reason = read_again(login, asked, &error);
        if (reason != KSA_OK) {
                ksa_decision_refuse(&login->decision, reason, &error);
                return;
        }
        if (login->attempt.record == NULL)
                login->attempt.token = login->token;
        ksa_login(login->config, &login->host.env, &login->attempt, &login->decision);
}

EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
        int saved_errno = errno;
        struct login login = {.pamh = pamh};

        forget_earlier(pamh);
        (void)pam_set_data(pamh, AUTH_RAN, (void *)(uintptr_t)AUTH_RAN, NULL);
        decide(&login, argc, argv);
        ksa_fetch_process_close(
                &login.host
                         .fetch); /* end ksa-fetch first: the code below may block on the client */
        int code = finish(&login, flags);
        ksa_decision_clear(&login.decision);
        ksa_local_user_close(&login.managed);
        ksa_session_clear(&login.session);
        ksa_secret_free(&login.token);
        ksa_config_free(&login.config);
        errno = saved_errno;
        return code;
}

/* --- The account phase ---------------------------------------------------------- */

static int refuse_account(struct login *login, enum ksa_reason reason,
                          const struct ksa_error *error)
{
        ksa_decision_refuse(&login->decision, reason, error);
        write_log(login);
        return pam_code(login->decision.outcome);
}

/*
 * Refuses sudo in a session that has ended or whose token has expired. The auth phase may not have
 * run (NOPASSWD, sudo's time stamp), or the session ended while it ran: a user can stop their own
 * sudo. sudo itself would only say that the account may be locked.
 */
static int check_session(struct login *login, bool was_granted)
{
        struct ksa_error error = {0};
        enum ksa_reason reason = session_recheck(&login->host.env, &login->attempt, was_granted,
                                                 &login->session, &error);

        if (reason == KSA_OK)
                return PAM_IGNORE;
        if (login->session.record.audit != 0)
                login->attempt.record = &login->session.record;
        (void)refuse_account(login, reason, &error);
        /* Also with PAM_SILENT, which sudo always sets here: its conversation decides. */
        (void)pam_error(login->pamh, "%s (ref %s on %s)", error.text, login->host.reference,
                        login->host.host_name);
        return PAM_PERM_DENIED;
}

/* A grant is valid only for the same user and service. */
static int check_grant(struct login *login, const struct grant *grant, enum ksa_reason attempt)
{
        struct ksa_error error = {0};
        int code = PAM_IGNORE;

        if (attempt != KSA_OK || strcmp(grant->user, login->attempt.user) != 0 ||
            strcmp(grant->service, login->attempt.service) != 0) {
                (void)ksa_fail(&error, KSA_USER_CHANGED, "%s", ksa_reason_text(KSA_USER_CHANGED));
                return refuse_account(login, KSA_USER_CHANGED, &error);
        }
        if (grant->of_session)
                code = check_session(login, true);
        if (code != PAM_IGNORE)
                return code;
        return PAM_SUCCESS;
}

/*
 * Ignore logins without a grant, except as a ksa user that is disabled or removed. An SSH key in
 * its home would open forwarded ports and internal-sftp, which need no shell, and its cron jobs
 * would run.
 */
static int check_other(struct login *login, enum ksa_reason attempt)
{
        struct ksa_error error = {0};
        const void *ran = NULL;

        if (attempt != KSA_OK)
                return PAM_IGNORE;
        look_up_user(login);
        enum ksa_reason reason = ksa_local_user_stands(&login->attempt.local, &error);
        int code = reason == KSA_OK ? PAM_IGNORE : refuse_account(login, reason, &error);
        ksa_local_user_close(&login->managed);
        if (code == PAM_IGNORE && session_applies(&login->attempt) &&
            pam_get_data(login->pamh, AUTH_RAN, &ran) != PAM_SUCCESS)
                code = check_session(login, false);
        return code;
}

EXPORT int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags __attribute__((unused)), int argc,
                            const char **argv)
{
        int saved_errno = errno, code = PAM_IGNORE;
        const struct grant *grant = find_grant(pamh);
        struct login login = {.pamh = pamh};

        /* With an invalid argument no user is exempt: a typing error must not admit anyone. */
        if (ksa_arguments_parse(argc, argv, &login.arguments, NULL) != KSA_OK)
                login.arguments = (struct ksa_arguments){.exempt = NULL};
        enum ksa_reason attempt = take_attempt(&login, NULL);
        ksa_host_env_fill(&login.host, NULL);
        if (attempt != KSA_OK || !ksa_arguments_exempt(&login.arguments, login.attempt.user))
                code = grant != NULL ? check_grant(&login, grant, attempt)
                                     : check_other(&login, attempt);
        ksa_session_clear(&login.session);
        errno = saved_errno;
        return code;
}

/* sshd ends the session unless setcred succeeds. */
EXPORT int pam_sm_setcred(pam_handle_t *pamh __attribute__((unused)),
                          int flags __attribute__((unused)), int argc __attribute__((unused)),
                          const char **argv __attribute__((unused)))
{
        return PAM_SUCCESS;
}

/*
 * Ties the session to its record. PAM_SUCCESS for sshd sessions of users that ksa created, so that
 * a stack can create their homes: pam_mkhomedir after [success=ignore default=1]. PAM_IGNORE for all
 * others.
 */
EXPORT int pam_sm_open_session(pam_handle_t *pamh, int flags __attribute__((unused)),
                               int argc __attribute__((unused)),
                               const char **argv __attribute__((unused)))
{
        int saved_errno = errno, code = PAM_IGNORE;
        struct login login = {.pamh = pamh};

        if (take_attempt(&login, NULL) == KSA_OK && strcmp(login.attempt.service, "sshd") == 0) {
                ksa_host_env_fill(&login.host, NULL);
                look_up_user(&login);
                session_open(pamh, &login.host.env, &login.attempt);
                if (login.attempt.local.exists &&
                    ksa_local_user_account(&login.attempt.local) != NULL)
                        code = PAM_SUCCESS;
                ksa_local_user_close(&login.managed);
        }
        errno = saved_errno;
        return code;
}

/* sshd calls it in the process that opened the session, with the user's limits. */
EXPORT int pam_sm_close_session(pam_handle_t *pamh, int flags __attribute__((unused)),
                                int argc __attribute__((unused)),
                                const char **argv __attribute__((unused)))
{
        int saved_errno = errno;
        struct login login = {.pamh = pamh};

        if (take_attempt(&login, NULL) == KSA_OK && strcmp(login.attempt.service, "sshd") == 0 &&
            login.attempt.effective_uid == 0) {
                ksa_host_env_fill(&login.host, NULL);
                session_close(&login.host.env);
        }
        errno = saved_errno;
        return PAM_IGNORE;
}

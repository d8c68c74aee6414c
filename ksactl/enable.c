/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl enable, disable: connect ksa to sshd and sudo, and back. */
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "cli.h"
#include "admin/base/file_write.h"
#include "admin/host/change.h"
#include "admin/host/rule_users.h"
#include "admin/host/tool.h"
#include "ksactl.h"
#include "output.h"
#include "status.h"

#define RECORD       KSA_STATE_DIR "/enabled"
#define LOCK         KSA_RUN_DIR "/enable.lock"
#define PROFILE      "ksa"
#define SSHD_FILE    ENABLED_SSHD_FILE
#define SUDOERS_FILE "/etc/sudoers.d/ksa"
#define PASSWD       "/etc/passwd"
#define HEAD         "# Written by ksactl enable. ksactl disable removes this file, unless it was edited.\n"

/* --- What is to be done -------------------------------------------------------------- */

/* In sudoers ALL is everyone, and a name of capital letters an alias. */
static bool is_word_of_sudoers(const char *name)
{
        return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(name) &&
               strpbrk(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == name;
}

static bool are_usable(const struct ksa_list *users, const char *service, enum ksa_user_form form,
                       struct ksa_error *err)
{
        if (users->count == 0) {
                (void)ksa_fail(err, KSA_CONFIG_INVALID,
                               "the rules with service = %s name no user: list namespaces in "
                               "[accounts], or in the rules",
                               service);
                return false;
        }
        for (size_t i = 0; form == KSA_SUDO_USERS && i < users->count; i++) {
                if (!is_word_of_sudoers(ksa_list_text(users, i)))
                        continue;
                (void)ksa_fail(err, KSA_CONFIG_INVALID,
                               "user = %s: sudoers would not take that for a user's name; rename "
                               "the user",
                               ksa_list_text(users, i));
                return false;
        }
        return true;
}

/* The users of SERVICE, joined by commas, allocated; NULL after a message. */
static char *join_users(const struct ksa_config *config, const char *service,
                        enum ksa_user_form form)
{
        struct ksa_error error = {.reason = KSA_OK};
        struct ksa_list users;
        char *text = NULL;
        size_t size = 0;

        if (ksa_rule_users(config, service, form, &users, &error) != KSA_OK) {
                print_error(&error);
                return NULL;
        }
        if ((form == KSA_USER_PATTERNS &&
             ksa_rule_users_except(&users, PASSWD, &error) != KSA_OK) ||
            !are_usable(&users, service, form, &error)) {
                print_error(&error);
                ksa_rule_users_free(&users);
                return NULL;
        }
        FILE *out = open_memstream(&text, &size);

        for (size_t i = 0; out != NULL && i < users.count; i++) {
                const char *name = ksa_list_text(&users, i);

                (void)fprintf(out, "%s", i > 0 ? "," : "");
                for (; *name != '\0'; name++)
                        (void)fprintf(out, form == KSA_SUDO_USERS && *name == '@' ? "\\%c" : "%c",
                                      *name);
        }
        ksa_rule_users_free(&users);
        if (out == NULL || fclose(out) != 0) {
                (void)fputs("ksactl: out of memory\n", stderr);
                return NULL;
        }
        return text;
}

static bool add_text(struct ksa_changes *changes, enum ksa_change_kind kind, const char *path,
                     int printed, char *text)
{
        if (printed < 0) {
                (void)fputs("ksactl: out of memory\n", stderr);
                return false;
        }
        ksa_change_add(changes, kind, path, text);
        return true;
}

static bool plan_sshd(const struct ksa_config *config, struct ksa_changes *changes)
{
        char *text = NULL, *users = join_users(config, "sshd", KSA_USER_PATTERNS);

        if (users == NULL)
                return false;
        int printed = asprintf(
                &text,
                HEAD "%s"
                     "# Tokens only, for these users. Nothing changes for all others.\n"
                     "Match User %s\n"
                     "    KbdInteractiveAuthentication yes\n"
                     "    PasswordAuthentication no\n"
                     "    AuthenticationMethods keyboard-interactive\n",
                sshd_lacks_penalties(SSHD_FILE)
                        ? "# OpenSSH 9.8 and later: failed logins, of people too, shut out no address.\n"
                          "PerSourcePenalties authfail:0\n"
                        : "",
                users);

        free(users);
        return add_text(changes, KSA_CHANGE_SSHD, SSHD_FILE, printed, text);
}

static int print_sudoers(char **ret_text, const char *users, bool noninteractive)
{
        return asprintf(
                ret_text,
                HEAD "# Every sudo requires a valid token, and a refused token is refused again.\n"
                     "Defaults:%s timestamp_timeout=0\n"
                     "Defaults:%s passwd_tries=1\n"
                     "%s%s%s",
                users, users, noninteractive ? "Defaults:" : "", noninteractive ? users : "",
                noninteractive ? " noninteractive_auth\n" : "");
}

/* noninteractive_auth lets sudo -n find a token file. Some versions of sudo do not know it. */
static bool plan_sudo(const struct ksa_config *config, const struct ksa_env *env,
                      struct ksa_changes *changes)
{
        struct ksa_error ignored = {.reason = KSA_OK};
        char *text = NULL, *users = join_users(config, "sudo", KSA_SUDO_USERS);

        if (users == NULL)
                return false;
        int printed = print_sudoers(&text, users, true);

        if (printed >= 0 && !ksa_tool_check_sudoers(text, env, &ignored)) {
                free(text);
                text = NULL;
                printed = print_sudoers(&text, users, false);
        }
        free(users);
        return add_text(changes, KSA_CHANGE_SUDOERS, SUDOERS_FILE, printed, text);
}

static void plan_timers(struct ksa_changes *changes)
{
        static const char *const timers[] = {"ksa-keys.timer", "ksa-credential.timer",
                                             "ksa-accounts.timer"};
        char remedy[TIMER_REMEDY_SIZE];

        for (size_t i = 0; ksa_tool_systemd_runs() && i < KSA_COUNT(timers); i++) {
                if (timer_runs(timers[i], remedy))
                        continue;
                if (timer_is_masked(timers[i])) /* a person decided so */
                        (void)fprintf(
                                stderr,
                                "ksactl: enable: %s is masked and stays so; to start it, %s\n",
                                timers[i], remedy);
                else
                        ksa_change_add(changes, KSA_CHANGE_TIMER, timers[i], NULL);
        }
}

/* --- enable ---------------------------------------------------------------------------- */

struct services {
        bool sshd, sudo;
};

static bool rule_names(const struct ksa_config *config, const char *service)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                if (ksa_list_has(&config->rules[i].service, service))
                        return true;
        }
        return false;
}

/* The services of the command line, or without any those that rules name. */
static bool choose_services(const struct ksa_config *config, const char *const *args,
                            struct services *ret)
{
        *ret = (struct services){.sshd = args[0] == NULL && rule_names(config, "sshd"),
                                 .sudo = args[0] == NULL && rule_names(config, "sudo")};
        for (size_t i = 0; args[i] != NULL; i++) {
                bool *chosen = strcmp(args[i], "sshd") == 0   ? &ret->sshd
                               : strcmp(args[i], "sudo") == 0 ? &ret->sudo
                                                              : NULL;

                if (chosen == NULL) {
                        (void)fprintf(
                                stderr,
                                "ksactl: enable: unknown service \"%s\" (expected sshd, sudo)\n",
                                args[i]);
                        return false;
                }
                if (!rule_names(config, args[i])) {
                        (void)fprintf(
                                stderr,
                                "ksactl: enable: no [rule] has service = %s; write the rule first\n",
                                args[i]);
                        return false;
                }
                *chosen = true;
        }
        if (!ret->sshd && !ret->sudo)
                (void)fputs("ksactl: enable: no [rule] names sshd or sudo; write the rules first\n",
                            stderr);
        return ret->sshd || ret->sudo;
}

/* On hosts without pam-auth-update, nothing is changed: people there know their stacks. */
static void print_by_hand(void)
{
        (void)fputs(
                "ksactl: enable: this host has no pam-auth-update, or not the profile ksa; nothing changed.\n"
                "Write these lines first in \"auth\" and in \"account\" of /etc/pam.d/sshd and sudo:\n"
                "    auth [success=done user_unknown=ignore authinfo_unavail=ignore "
                "module_unknown=ignore default=die] pam_ksa.so\n"
                "    account [success=ok ignore=ignore user_unknown=ignore module_unknown=ignore "
                "default=die] pam_ksa.so\n"
                "For sudo, end the auth line in token_file=/home/%u/.ksa/token.\n"
                "For the homes of users that ksa creates, write these in \"session\" of /etc/pam.d/sshd, "
                "above pam_systemd:\n"
                "    session [success=ignore default=1] pam_ksa.so\n"
                "    session optional pam_mkhomedir.so umask=0077\n"
                "Then do this:\n",
                stderr);
}

static bool plan(const struct session *session, const struct services *services, bool by_hand,
                 struct ksa_changes *changes)
{
        if (!by_hand &&
            !ksa_tool_has_profile()) /* a person may have enabled it, and disable must leave it */
                ksa_change_add(changes, KSA_CHANGE_PROFILE, PROFILE, NULL);
        if (services->sshd && !plan_sshd(session->config, changes))
                return false;
        if (services->sudo && !plan_sudo(session->config, &session->host.env, changes))
                return false;
        plan_timers(changes);
        return true;
}

/* The record after CHANGES: what it had, and what this run adds or writes again. Borrows the texts. */
static struct ksa_changes merge(const struct ksa_changes *record, const struct ksa_changes *changes)
{
        struct ksa_changes all = *record;

        for (size_t i = 0; i < changes->count; i++) {
                const struct ksa_change *change = &changes->items[i];
                size_t n = 0;

                while (n < all.count && (all.items[n].kind != change->kind ||
                                         strcmp(all.items[n].name, change->name) != 0))
                        n++;
                if (n == all.count && all.count < KSA_CHANGE_MAX)
                        all.count++;
                if (n < all.count)
                        all.items[n] = *change;
        }
        return all;
}

/* The record is written first: disable must find all changes even if this process is killed among them. */
static bool apply_recorded(struct ksa_changes *changes, const struct ksa_env *env,
                           const char **ret_end, struct ksa_error *err)
{
        struct ksa_changes record;
        bool reverted;

        if (ksa_changes_read(RECORD, env, &record, err) != KSA_OK)
                return false;
        const struct ksa_changes all = merge(&record, changes);

        if (ksa_changes_write(RECORD, env, &all, err) != KSA_OK)
                return false;
        if (ksa_changes_apply(changes, &record, env, &reverted, err))
                return true;
        struct ksa_error ignored = {.reason = KSA_OK};

        *ret_end = reverted && ksa_changes_write(RECORD, env, &record, &ignored) == KSA_OK
                           ? "ksactl: enable: all changes were reverted\n"
                           : "ksactl: enable: some changes could not be reverted; look at the "
                             "files and commands above\n";
        return false;
}

/* One process at a time changes the host. */
static bool take_lock(const struct ksa_env *env, int *ret_lock, struct ksa_error *err)
{
        return ksa_directory_make(env->run_dir, env->owner, S_IRWXU, err) == KSA_OK &&
               ksa_file_lock(LOCK, env->owner, ret_lock, err) == KSA_OK;
}

static int apply(struct ksa_changes *changes, const struct ksa_env *env)
{
        KSA_CLEANUP(ksa_file_unlock) int lock = -1;
        struct ksa_error error = {.reason = KSA_OK};
        const char *end = "";

        if (take_lock(env, &lock, &error) && ksa_changes_sign(changes, &error) &&
            apply_recorded(changes, env, &end, &error))
                return EXIT_GOOD;
        print_error(&error);
        (void)fputs(end, stderr);
        return EXIT_BROKEN;
}

/* Files of earlier runs whose service no rule names any more: their users still have no other way in. */
static void report_left(const struct ksa_config *config, const struct ksa_env *env)
{
        struct ksa_error ignored = {.reason = KSA_OK};
        struct ksa_changes record = {.count = 0};

        if (ksa_changes_read(RECORD, env, &record, &ignored) != KSA_OK)
                return;
        for (size_t i = 0; i < record.count; i++) {
                const struct ksa_change *change = &record.items[i];
                const char *service = change->kind == KSA_CHANGE_SSHD      ? "sshd"
                                      : change->kind == KSA_CHANGE_SUDOERS ? "sudo"
                                                                           : NULL;

                if (service != NULL && !rule_names(config, service))
                        (void)fprintf(stderr,
                                      "ksactl: enable: %s stays, though no [rule] names %s now; "
                                      "ksactl disable removes it\n",
                                      change->name, service);
        }
}

/* Users of the Match block with SSH keys, which sshd does not admit any more: probably people. */
static void report_keys(const struct ksa_config *config)
{
        struct ksa_error ignored = {.reason = KSA_OK};
        struct ksa_list users;

        if (ksa_rule_users(config, "sshd", KSA_USER_PATTERNS, &users, &ignored) != KSA_OK)
                return;
        for (size_t i = 0; i < users.count; i++) {
                const struct passwd *user = getpwnam(ksa_list_text(&users, i));
                char path[PATH_MAX];

                if (user == NULL ||
                    snprintf(path, sizeof(path), "%s/.ssh/authorized_keys", user->pw_dir) >=
                            (int)sizeof(path) ||
                    access(path, F_OK) != 0)
                        continue;
                (void)fprintf(stderr,
                              "ksactl: enable: a rule names %s, who has %s: sshd admits this user "
                              "with a token only; if a person logs in as %s, take the user out of "
                              "the rule\n",
                              user->pw_name, path, user->pw_name);
        }
        ksa_rule_users_free(&users);
}

/* The changes that are still to be made; the others are only tested again. False if there are none. */
static bool print_changes(const struct ksa_changes *changes, const struct ksa_env *env)
{
        struct ksa_error ignored = {.reason = KSA_OK};
        struct ksa_changes record = {.count = 0};
        bool recorded = ksa_changes_read(RECORD, env, &record, &ignored) == KSA_OK;
        bool any = false, sudoers = false;

        for (size_t i = 0; i < changes->count; i++) {
                const struct ksa_change *change = &changes->items[i];

                if (recorded && ksa_change_is_made(change, &record, env))
                        continue;
                ksa_change_print(change, stdout);
                any = true;
                sudoers = sudoers || change->kind == KSA_CHANGE_SUDOERS;
        }
        if (sudoers)
                (void)puts("What these users may run with sudo stays your decision: "
                           "see sudoers(5).");
        if (!any)
                (void)puts("Nothing to change: ksactl enable has done all that these rules need.");
        (void)fflush(stdout); /* before any error, if both go to one file */
        return any;
}

static int enable(const struct session *session, const char *const *args, bool dry_run)
{
        struct ksa_changes changes = {.count = 0};
        struct services services;
        const bool by_hand = !ksa_tool_knows_profile(PROFILE);
        bool any = false;
        int status = EXIT_BROKEN;

        report_left(session->config, &session->host.env);
        if (!choose_services(session->config, args, &services))
                return EXIT_BROKEN;
        if (by_hand)
                print_by_hand();
        if (plan(session, &services, by_hand, &changes)) {
                any = print_changes(&changes, &session->host.env);
                if (services.sshd)
                        report_keys(session->config);
                status = by_hand   ? EXIT_DENIED
                         : dry_run ? EXIT_GOOD
                                   : apply(&changes, &session->host.env);
        }
        ksa_changes_free(&changes);
        const bool done = status == EXIT_GOOD && !dry_run;
        if (done && any)
                (void)puts("Done; ksactl disable reverts it.");
        if (status != EXIT_BROKEN && check_finds_errors(session->config, &session->host, done))
                (void)fprintf(stderr,
                              "ksactl: enable: the errors that ksactl check%s reports must be "
                              "corrected before tokens are admitted\n",
                              done ? " --host" : "");
        return status;
}

int command_enable(const struct args *arguments)
{
        struct session session;
        int status = EXIT_BROKEN;

        if (!is_root("enable"))
                return EXIT_BROKEN;
        if (open_session(&session, arguments->options[OPTION_CONFIG]))
                status = enable(&session, arguments->names, has_option(arguments, OPTION_DRY_RUN));
        close_session(&session);
        return status;
}

/* --- disable ---------------------------------------------------------------------------- */

/* In reverse order. What cannot be reverted stays in the record. */
static int disable(struct ksa_changes *record, const struct ksa_env *env)
{
        struct ksa_changes left = {.count = 0};
        struct ksa_error error = {.reason = KSA_OK};

        for (size_t i = record->count; i-- > 0;) {
                error = (struct ksa_error){.reason = KSA_OK};
                if (ksa_change_revert(&record->items[i], env, &error)) {
                        ksa_change_print_reverted(&record->items[i], stdout);
                        continue;
                }
                print_error(&error);
                left.items[left.count++] = record->items[i];
        }
        error = (struct ksa_error){.reason = KSA_OK};
        if (ksa_changes_write(RECORD, env, &left, &error) != KSA_OK) {
                print_error(&error);
                return EXIT_BROKEN;
        }
        return left.count == 0 ? EXIT_GOOD : EXIT_DENIED;
}

int command_disable(const struct args *arguments)
{
        KSA_CLEANUP(ksa_file_unlock) int lock = -1;
        struct ksa_error error = {.reason = KSA_OK};
        struct ksa_changes record;
        struct ksa_host_env host;

        (void)arguments;
        if (!is_root("disable"))
                return EXIT_BROKEN;
        ksa_host_env_fill(&host, NULL);
        if (!take_lock(&host.env, &lock, &error) ||
            ksa_changes_read(RECORD, &host.env, &record, &error) != KSA_OK) {
                print_error(&error);
                return EXIT_BROKEN;
        }
        if (record.count == 0) {
                (void)puts("Nothing to revert: ksactl enable has changed nothing on this host.");
                return EXIT_GOOD;
        }
        return disable(&record, &host.env);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl check --host: what sudo has in force for the users that rules name. */
#include "check_host.h"

#include <pwd.h>
#include <stdlib.h>

#include "admin/host/pam_stack.h"
#include "admin/host/rule_users.h"
#include "admin/host/sudo_settings.h"
#include "config/arguments.h"

#define CONFIG_FILE "/etc/sudoers"

/* The first version of sudo with noninteractive_auth: 1.9.10. */
#define NONINTERACTIVE 10910

/* The users with each problem. */
struct tallies {
        struct host_tally command, authenticate, target, timestamp, prompt, noninteractive;
};

/* Whether sudo's PAM stack has pam_ksa with token_file=. */
static bool has_token_file(void)
{
        struct ksa_error ignored = {.reason = KSA_OK};
        struct ksa_pam_stack stack;
        bool found = false;

        if (ksa_pam_stack_read("", "sudo", &stack, &ignored) != KSA_OK)
                return false; /* check_host_pam() reports it */
        const struct ksa_pam_entry *entries = stack.entries.items;
        for (size_t i = 0; i < stack.entries.count; i++) {
                const struct ksa_list *words = &entries[i].arguments;
                struct ksa_arguments arguments;

                found = found || (ksa_pam_entry_is(&entries[i], "pam_ksa.so") &&
                                  ksa_arguments_parse((int)words->count, words->items, &arguments,
                                                      &ignored) == KSA_OK &&
                                  arguments.token_file != NULL);
        }
        ksa_pam_stack_free(&stack);
        return found;
}

static bool has_flag(const struct ksa_sudo_rights *rights, const char *name, bool usual)
{
        char value[64];

        return ksa_sudo_has_option(rights, name, usual, value, sizeof(value));
}

/* Without the option sudo's own default is in force, in most builds 5 or 15 minutes. */
static bool keeps_timestamp(const struct ksa_sudo_rights *rights)
{
        char value[64], *end;

        if (!ksa_sudo_has_option(rights, "timestamp_timeout", false, value, sizeof(value)))
                return true;
        const double minutes = strtod(value, &end);
        return end == value || minutes < 0 || minutes > 0;
}

/* NEEDS_OPTION: sudo -n requires noninteractive_auth to use the token file. */
static void check_user(const struct ksa_sudo *sudo, bool needs_option,
                       const struct ksa_sudo_rights *rights, const char *user,
                       struct tallies *tallies)
{
        static const char *const targets[] = {"rootpw", "targetpw", "runaspw"};

        if (!rights->has_command) { /* sudo shows no options then */
                tally_user(&tallies->command, user, "");
                return;
        }
        if (rights->has_nopasswd)
                tally_user(&tallies->authenticate, user, "NOPASSWD");
        else if (!has_flag(rights, "authenticate", true))
                tally_user(&tallies->authenticate, user, "!authenticate");
        if (sudo->is_rs)
                return;
        for (size_t i = 0; i < KSA_COUNT(targets); i++) {
                if (has_flag(rights, targets[i], false)) {
                        tally_user(&tallies->target, user, targets[i]);
                        break;
                }
        }
        if (keeps_timestamp(rights))
                tally_user(&tallies->timestamp, user, "");
        if (has_flag(rights, "passprompt_override", false))
                tally_user(&tallies->prompt, user, "");
        if (needs_option && !has_flag(rights, "noninteractive_auth", false))
                tally_user(&tallies->noninteractive, user, "");
}

static void report_users(struct report *report, struct tallies *tallies)
{
        if (tallies->command.count > 0)
                report_host(report, HOST_SUDO_COMMAND, CONFIG_FILE, 0,
                            "sudoers allows no command to %s: sudo refuses them with a valid token",
                            tally_users(&tallies->command));
        if (tallies->authenticate.count > 0)
                report_host(report, HOST_SUDO_AUTHENTICATE, CONFIG_FILE, 0,
                            "sudoers has %s for %s: sudo runs commands without a token",
                            tallies->authenticate.value, tally_users(&tallies->authenticate));
        if (tallies->target.count > 0)
                report_host(report, HOST_SUDO_TARGET, CONFIG_FILE, 0,
                            "%s is set for %s: sudo authenticates another user, whose tokens no "
                            "rule admits",
                            tallies->target.value, tally_users(&tallies->target));
        if (tallies->timestamp.count > 0)
                report_host(report, HOST_SUDO_TIMESTAMP, CONFIG_FILE, 0,
                            "timestamp_timeout is not 0 for %s: after one token sudo requires none "
                            "for some minutes",
                            tally_users(&tallies->timestamp));
        if (tallies->prompt.count > 0)
                report_host(report, HOST_SUDO_PROMPT, CONFIG_FILE, 0,
                            "passprompt_override is set for %s: ksa-askpass does not answer sudo's "
                            "prompt",
                            tally_users(&tallies->prompt));
        if (tallies->noninteractive.count > 0)
                report_host(report, HOST_SUDO_NONINTERACTIVE, CONFIG_FILE, 0,
                            "noninteractive_auth is not set for %s: sudo -n does not use the token "
                            "file",
                            tally_users(&tallies->noninteractive));
}

static void check_users_of(struct report *report, const struct ksa_sudo *sudo,
                           const struct ksa_list *users)
{
        const bool needs_option = sudo->version >= NONINTERACTIVE && has_token_file();
        struct tallies tallies = {.command = {.count = 0}};
        struct ksa_error error = {.reason = KSA_OK};
        struct ksa_sudo_rights rights;

        for (size_t i = 0; i < users->count; i++) {
                const char *user = ksa_list_text(users, i);

                if (getpwnam(user) == NULL)
                        continue; /* check reports those that should exist */
                if (!ksa_sudo_ask(sudo, user, &rights, &error)) {
                        report_host(report, HOST_SUDO_SETTINGS, "", 0, "%s", error.text);
                        break;
                }
                check_user(sudo, needs_option, &rights, user, &tallies);
        }
        report_users(report, &tallies);
}

void check_host_sudo(struct report *report, const struct ksa_config *config,
                     const struct ksa_env *env)
{
        struct ksa_sudo sudo;
        struct ksa_list users;

        if (!find_host_users(report, config, env, "sudo", HOST_SUDO_USERS, &users))
                return;
        if (users.count > 0 && ksa_sudo_find(&sudo))
                check_users_of(report, &sudo, &users);
        else if (users.count > 0)
                report_host(report, HOST_SUDO_MISSING, "", 0,
                            "rules name the service sudo, but this host has no /usr/bin/sudo and "
                            "no /usr/bin/sudo-rs");
        ksa_rule_users_free(&users);
}

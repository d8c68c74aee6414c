/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl check --host: what is in force in sshd for the users that rules name. */
#include "check_host.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/host/rule_users.h"
#include "admin/host/sshd_settings.h"

#define CONFIG_FILE "/etc/ssh/sshd_config"

/* Connections that may be open before sshd drops some: its default. */
#define STARTUPS 10

/* The users with each problem. */
struct tallies {
        struct host_tally pam, kbdinteractive, never, other, overridden, refused;
};

/* Whether the file of ksactl enable, or of the examples, is for USER: no other setting is in force then. */
static bool is_in_our_file(const char *user)
{
        struct ksa_sshd_settings settings;
        char methods[64];

        return access(ENABLED_SSHD_FILE, F_OK) == 0 &&
               ksa_sshd_ask(user, ENABLED_SSHD_FILE, &settings, NULL) &&
               strcmp(ksa_sshd_value(&settings, "authenticationmethods", methods, sizeof(methods)),
                      "keyboard-interactive") == 0;
}

static void check_user(const struct ksa_sshd_settings *settings, const char *user,
                       struct tallies *tallies)
{
        char pam[16], kbdinteractive[16], methods[256];

        (void)ksa_sshd_value(settings, "usepam", pam, sizeof(pam));
        (void)ksa_sshd_value(settings, "kbdinteractiveauthentication", kbdinteractive,
                             sizeof(kbdinteractive));
        (void)ksa_sshd_value(settings, "authenticationmethods", methods, sizeof(methods));
        const enum ksa_sshd_methods uses = ksa_sshd_methods_of(methods);
        const bool is_on = strcmp(kbdinteractive, "yes") == 0;
        const char *refusal = ksa_sshd_refusal(settings, user);

        if (refusal != NULL)
                tally_user(&tallies->refused, user, refusal);
        if (strcmp(pam, "yes") != 0)
                tally_user(&tallies->pam, user, "");
        if (is_on && uses == KSA_METHODS_TOKEN)
                return;
        if (is_in_our_file(user))
                tally_user(&tallies->overridden, user, is_on ? methods : "");
        else if (!is_on)
                tally_user(&tallies->kbdinteractive, user, "");
        else
                tally_user(uses == KSA_METHODS_NEVER ? &tallies->never : &tallies->other, user,
                           methods);
}

static void report_users(struct report *report, struct tallies *tallies)
{
        if (tallies->pam.count > 0)
                report_host(report, HOST_SSHD_PAM, CONFIG_FILE, 0,
                            "UsePAM is not \"yes\" for %s: sshd does not ask for a token",
                            tally_users(&tallies->pam));
        if (tallies->kbdinteractive.count > 0)
                report_host(report, HOST_SSHD_KBDINTERACTIVE, CONFIG_FILE, 0,
                            "KbdInteractiveAuthentication is not \"yes\" for %s: sshd does not ask "
                            "for a token",
                            tally_users(&tallies->kbdinteractive));
        if (tallies->never.count > 0)
                report_host(report, HOST_SSHD_METHODS, CONFIG_FILE, 0,
                            "AuthenticationMethods is \"%s\" for %s: sshd does not ask for a token",
                            tallies->never.value, tally_users(&tallies->never));
        if (tallies->other.count > 0)
                report_host(report, HOST_SSHD_OTHER_METHODS, CONFIG_FILE, 0,
                            "AuthenticationMethods is \"%s\" for %s: an SSH key or a password is "
                            "enough, without a token",
                            tallies->other.value, tally_users(&tallies->other));
        struct host_tally *overridden = &tallies->overridden;
        if (overridden->count > 0)
                report_host(report, HOST_SSHD_MATCH, ENABLED_SSHD_FILE, 0,
                            "the block for %s is not in force: sshd read %s \"%s\" first",
                            tally_users(overridden),
                            *overridden->value != '\0' ? "AuthenticationMethods"
                                                       : "KbdInteractiveAuthentication",
                            *overridden->value != '\0' ? overridden->value : "no");
        if (tallies->refused.count > 0)
                report_host(report, HOST_SSHD_ALLOW, CONFIG_FILE, 0,
                            "%s refuses %s: sshd refuses them with a valid token",
                            tallies->refused.value, tally_users(&tallies->refused));
}

/* --- Settings for all users ------------------------------------------------- */

/* MaxStartups as start:rate:full. */
static void check_startups(struct report *report, const struct ksa_sshd_settings *settings)
{
        char value[64];

        (void)ksa_sshd_value(settings, "maxstartups", value, sizeof(value));
        if (*value != '\0' && strtoul(value, NULL, 10) < STARTUPS)
                report_host(report, HOST_SSHD_MAXSTARTUPS, CONFIG_FILE, 0,
                            "MaxStartups is \"%s\": if more clients connect at the same time, sshd "
                            "drops some of them",
                            value);
}

/* A file that sets penalties, but is not in force: check_sshd() reports hosts without such a file. */
static void check_penalties(struct report *report, const struct ksa_sshd_settings *settings,
                            const char *user)
{
        struct ksa_sshd_settings defaults;
        char value[512], usual[512], exempt[256];

        (void)ksa_sshd_value(settings, "persourcepenalties", value, sizeof(value));
        (void)ksa_sshd_value(settings, "persourcepenaltyexemptlist", exempt, sizeof(exempt));
        if (*value == '\0' || strcmp(value, "no") == 0 || strcmp(exempt, "none") != 0 ||
            sshd_lacks_penalties(NULL) || !ksa_sshd_ask(user, "/dev/null", &defaults, NULL))
                return;
        (void)ksa_sshd_value(&defaults, "persourcepenalties", usual, sizeof(usual));
        if (strcmp(value, usual) == 0)
                report_host(report, HOST_SSHD_PENALTIES, CONFIG_FILE, 0,
                            "the default PerSourcePenalties is in force although a file sets it: "
                            "sshd refuses all connections from an address after a few refused "
                            "tokens");
}

void check_host_sshd(struct report *report, const struct ksa_config *config,
                     const struct ksa_env *env)
{
        struct tallies tallies = {.pam = {.count = 0}};
        struct ksa_error error = {.reason = KSA_OK};
        struct ksa_sshd_settings settings;
        struct ksa_list users;
        bool good = true;

        if (!find_host_users(report, config, env, "sshd", HOST_SSHD_USERS, &users))
                return;
        for (size_t i = 0; good && i < users.count; i++) {
                const char *user = ksa_list_text(&users, i);

                good = ksa_sshd_ask(user, NULL, &settings, &error);
                if (!good) {
                        report_host(report, HOST_SSHD_SETTINGS, "", 0, "%s", error.text);
                        continue;
                }
                check_user(&settings, user, &tallies);
                if (i > 0)
                        continue;
                check_startups(report, &settings);
                check_penalties(report, &settings, user);
        }
        report_users(report, &tallies);
        ksa_rule_users_free(&users);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl check: the users that a rule names. */
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <string.h>

#include "admin/accounts/local_files.h"
#include "admin/accounts/local_users.h"
#include "base/text.h"
#include "check.h"
#include "login/local_user.h"

/* The length of the shortest hash of crypt(3). */
#define HASH_MIN 13

/* --- Users that ksa makes --------------------------------------------------- */

/* PATTERN as cluster:namespace/name. */
static const char *text_of(const struct ksa_pattern *pattern, char out[KSA_LOCAL_USER_ACCOUNT_SIZE])
{
        (void)snprintf(out, KSA_LOCAL_USER_ACCOUNT_SIZE, "%s:%s/%s", pattern->cluster,
                       pattern->namespace, pattern->name);
        return out;
}

/* Whether RULE admits accounts other than ACCOUNT (cluster:namespace/name). */
static bool is_for_others(const struct ksa_rule *rule, const char *account)
{
        const struct ksa_pattern *patterns = rule->account.items;

        for (size_t i = 0; i < rule->account.count; i++) {
                char text[KSA_LOCAL_USER_ACCOUNT_SIZE];

                if (strcmp(text_of(&patterns[i], text), account) != 0)
                        return true;
        }
        return false;
}

/* The user is in the registry, or the next sync creates it from its [account] section. */
static void check_owner(struct report *report, const struct ksa_config *config,
                        const struct ksa_env *env, const struct ksa_rule *rule,
                        const struct ksa_location *location, const char *name,
                        const struct passwd *user)
{
        const struct ksa_account *section = ksa_config_account(config, name);
        struct ksa_local_user local = ksa_local_user_of(user);
        char declared[KSA_LOCAL_USER_ACCOUNT_SIZE];
        struct ksa_managed_user own;

        ksa_local_user_look_up(env, name, &local, &own);
        const char *account = ksa_local_user_account(&local);
        if (account == NULL && user == NULL && section != NULL)
                account = text_of(&section->account, declared);
        if (account != NULL && is_for_others(rule, account))
                report_at(report, false, location,
                          "write user = @own, or name a user that ksa did not create",
                          "[rule %s]: ksa creates %s for %s, so every other account of the rule "
                          "is refused",
                          rule->name, name, account);
        ksa_local_user_close(&own);
}

/* --- Passwords -------------------------------------------------------------- */

/* False if the shadow file cannot be read, as without root. */
static bool has_password(const struct passwd *user)
{
        const char *hash = user->pw_passwd;

        if (strcmp(hash, "x") == 0) {
                const struct spwd *shadow = getspnam(user->pw_name);

                if (shadow == NULL)
                        return false;
                hash = shadow->sp_pwdp;
        }
        /* A leading "!" or "*" locks a password; pam_unix's nullok accepts an empty one. */
        return hash[0] == '\0' || (hash[0] != '!' && hash[0] != '*' && strlen(hash) >= HASH_MIN);
}

static void check_password(struct report *report, const struct ksa_config *config,
                           const struct ksa_rule *rule, const struct ksa_location *location,
                           const struct passwd *user)
{
        if (user->pw_uid != 0 && !has_password(user))
                return;
        for (size_t i = 0; i < rule->service.count; i++) {
                const char *name = ksa_list_text(&rule->service, i);
                const struct ksa_service *service = ksa_config_service(config, name);

                if (service != NULL && !service->local_user)
                        continue;
                report_at(report, false, location,
                          user->pw_uid == 0 ? "name another user"
                                            : "name another user, or lock the password (passwd -l)",
                          "[rule %s]: the password of %s does not work with %s, which takes only a "
                          "token from that user",
                          rule->name, user->pw_name, name);
        }
}

/* --- Power ------------------------------------------------------------------ */

/* The name of a group of the user that amounts to root; NULL if there is none. */
static const char *powerful_group(const struct passwd *user)
{
        gid_t gids[256];
        int count = (int)KSA_COUNT(gids);

        if (getgrouplist(user->pw_name, user->pw_gid, gids, &count) < 0)
                count = (int)KSA_COUNT(gids);
        for (int i = 0; i < count; i++) {
                const struct group *group = getgrgid(gids[i]);

                if (group != NULL && ksa_local_is_powerful(group->gr_name, 1000))
                        return group->gr_name;
        }
        return NULL;
}

static void check_power(struct report *report, const struct ksa_rule *rule,
                        const struct ksa_location *location, const struct passwd *user)
{
        if (user->pw_uid == 0) {
                report_at(report, false, location, "use a separate user, and sudo",
                          "[rule %s]: %s has uid 0, so the account is root, and its password works "
                          "with none of these services",
                          rule->name, user->pw_name);
                return;
        }
        if (user->pw_uid < 1000)
                report_at(report, false, location, "use a separate user",
                          "[rule %s]: %s is a system user (uid %u)", rule->name, user->pw_name,
                          (unsigned)user->pw_uid);
        const char *group = powerful_group(user);
        if (group != NULL)
                report_at(report, false, location, "use a user outside that group",
                          "[rule %s]: %s is in group %s, which is equivalent to root", rule->name,
                          user->pw_name, group);
}

/* --- All -------------------------------------------------------------------- */

static bool has_local_users(const struct ksa_config *config, const struct ksa_rule *rule)
{
        for (size_t i = 0; i < rule->service.count; i++) {
                const struct ksa_service *service =
                        ksa_config_service(config, ksa_list_text(&rule->service, i));

                if (service == NULL || service->local_user)
                        return true;
        }
        return false;
}

static void report_missing(struct report *report, const struct ksa_config *config,
                           const struct ksa_rule *rule, const struct ksa_location *location,
                           const char *name)
{
        const bool declared = ksa_config_account(config, name) != NULL;
        struct ksa_local_table users = {.count = 0};
        struct ksa_near near = {.text = name};
        struct ksa_error error;
        char remedy[KSA_REMEDY_MAX + 1] = "create the user, or correct its name";

        /* Without the file there is no suggestion. */
        (void)!ksa_local_read_users("/etc/passwd", &users, &error);
        for (size_t i = 0; i < users.count; i++)
                ksa_near_try(&near, users.entries[i].name);
        if (declared)
                (void)snprintf(remedy, sizeof(remedy),
                               "run ksactl accounts sync, which creates the user");
        else if (near.name != NULL)
                (void)snprintf(remedy, sizeof(remedy), "create the user; or did you mean \"%s\"?",
                               near.name);
        report_at(report, false, location, remedy, "[rule %s]: user %s does not exist%s",
                  rule->name, name, declared ? " yet; [account] declares it" : "");
        ksa_local_clear(&users);
}

void check_users(struct report *report, const struct ksa_config *config, const struct ksa_env *env,
                 const struct ksa_rule *rule)
{
        const bool local = has_local_users(config, rule);

        for (size_t i = 0; i < rule->user.count; i++) {
                const char *name = ksa_list_text(&rule->user, i);
                const struct ksa_location location = ksa_option_location(rule, "user", i);
                const struct passwd *user = getpwnam(name);

                if (strcmp(name, "@own") == 0)
                        continue;
                if (user == NULL && local)
                        report_missing(report, config, rule, &location, name);
                if (user != NULL && local)
                        check_power(report, rule, &location, user);
                check_owner(report, config, env, rule, &location, name, user);
                if (user != NULL && (user->pw_uid != 0 || !local)) /* check_power() has root's */
                        check_password(report, config, rule, &location, user);
        }
}

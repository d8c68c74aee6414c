/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl check: the local users that rules name: the accounts they admit, and their passwords. */
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "login/local_user.h"

/* The shortest hash that crypt(3) makes. */
#define HASH_MIN 13

/* --- Users that ksa makes --------------------------------------------------- */

/* PATTERN as cluster:namespace/name. */
static const char *text_of(const struct ksa_pattern *pattern, char out[KSA_LOCAL_USER_ACCOUNT_SIZE])
{
        (void)snprintf(out, KSA_LOCAL_USER_ACCOUNT_SIZE, "%s:%s/%s", pattern->cluster,
                       pattern->namespace, pattern->name);
        return out;
}

/* Whether RULE is for accounts other than ACCOUNT (cluster:namespace/name), which may be among them. */
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

/* The registry has the user, or the next sync makes it of its [account] section. */
static void check_owner(struct report *report, const struct ksa_config *config,
                        const struct ksa_env *env, const struct ksa_rule *rule, const char *name,
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
                report_at(report, false, &rule->location,
                          "write user = @own, or name a user that ksa did not create",
                          "[rule %s]: ksa creates %s for %s, so every other account of the rule "
                          "is refused",
                          rule->name, name, account);
        ksa_local_user_close(&own);
}

/* --- Passwords -------------------------------------------------------------- */

/* False where the shadow file cannot be read, as without root. */
static bool has_password(const struct passwd *user)
{
        const char *hash = user->pw_passwd;

        if (strcmp(hash, "x") == 0) {
                const struct spwd *shadow = getspnam(user->pw_name);

                if (shadow == NULL)
                        return false;
                hash = shadow->sp_pwdp;
        }
        /* "!" and "*" in front lock a password; pam_unix's nullok takes an empty one. */
        return hash[0] == '\0' || (hash[0] != '!' && hash[0] != '*' && strlen(hash) >= HASH_MIN);
}

static void check_password(struct report *report, const struct ksa_config *config,
                           const struct ksa_rule *rule, const struct passwd *user)
{
        if (user->pw_uid != 0 && !has_password(user))
                return;
        for (size_t i = 0; i < rule->service.count; i++) {
                const char *name = ksa_list_text(&rule->service, i);
                const struct ksa_service *service = ksa_config_service(config, name);

                if (service != NULL && !service->local_user)
                        continue;
                report_at(report, false, &rule->location,
                          user->pw_uid == 0 ? "name another user"
                                            : "name another user, or lock the password (passwd -l)",
                          "[rule %s]: the password of %s does not work with %s, which takes only a "
                          "token from that user",
                          rule->name, user->pw_name, name);
        }
}

void check_named_users(struct report *report, const struct ksa_config *config,
                       const struct ksa_env *env)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                const struct ksa_rule *rule = &config->rules[i];

                for (size_t n = 0; n < rule->user.count; n++) {
                        const char *name = ksa_list_text(&rule->user, n);
                        const struct passwd *user = getpwnam(name);

                        if (strcmp(name, "@own") == 0)
                                continue;
                        check_owner(report, config, env, rule, name, user);
                        if (user != NULL)
                                check_password(report, config, rule, user);
                }
        }
}

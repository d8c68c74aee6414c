/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ksactl check: the local users that rules name, and the accounts they admit. */
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "own.h"

/* --- Users that ksa makes --------------------------------------------------- */

/* Whether RULE is for accounts other than ACCOUNT (cluster:namespace/name), which may be among them. */
static bool is_for_others(const struct ksa_rule *rule, const char *account)
{
        const struct ksa_pattern *patterns = rule->account.items;

        for (size_t i = 0; i < rule->account.count; i++) {
                char text[KSA_OWN_ACCOUNT_SIZE];

                (void)snprintf(text, sizeof(text), "%s:%s/%s", patterns[i].cluster,
                               patterns[i].namespace, patterns[i].name);
                if (strcmp(text, account) != 0)
                        return true;
        }
        return false;
}

/* The registry has the user, or the next sync makes it of its [account] section. */
static void check_owner(struct report *report, const struct ksa_config *config,
                        const struct ksa_env *env, const struct ksa_rule *rule, const char *name,
                        const struct passwd *user)
{
        const struct ksa_account *section =
                (const struct ksa_account *)(const void *)ksa_config_find(
                        config, KSA_SECTION_ACCOUNT, name);
        struct ksa_local_user local = ksa_local_user_of(user);
        char declared[KSA_OWN_ACCOUNT_SIZE] = "";
        struct ksa_own own;

        ksa_own_look_up(env, name, &local, &own);
        const char *account = ksa_own_account(&local);
        if (account == NULL && user == NULL && section != NULL) {
                (void)snprintf(declared, sizeof(declared), "%s:%s/%s", section->account.cluster,
                               section->account.namespace, section->account.name);
                account = declared;
        }
        if (account != NULL && is_for_others(rule, account))
                tell_at(report, false, &rule->place,
                        "write user = @own, or name a user that ksa did not make",
                        "[rule %s]: ksa makes %s for %s, so every other account of the rule is refused",
                        rule->name, name, account);
        ksa_own_close(&own);
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
                }
        }
}

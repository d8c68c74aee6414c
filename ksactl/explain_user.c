/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain_user.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "config/rule.h"
#include "registry/registry.h"
#include "token/token.h"

/* The first user that RULE names for the account of TOKEN in any cluster; NULL if there is none. */
static const char *user_by(const struct ksa_rule *rule, const struct ksa_token *token,
                           const struct ksa_registry *registry, struct ksa_account_record *own)
{
        const struct ksa_pattern *patterns = rule->account.items;
        const char *user = ksa_list_text(&rule->user, 0);

        for (size_t i = 0; i < rule->account.count; i++) {
                if (!ksa_pattern_covers(&patterns[i], patterns[i].cluster, token->namespace,
                                        token->account))
                        continue;
                if (strcmp(user, "@own") != 0)
                        return user;
                if (registry->bytes != NULL &&
                    ksa_registry_by_account(registry, patterns[i].cluster, token->namespace,
                                            token->account, own) == KSA_REGISTRY_FOUND)
                        return own->name;
        }
        return NULL;
}

static const char *choose(const struct ksa_config *config, const struct ksa_token *token,
                          bool named, const char *service, const struct ksa_registry *registry,
                          struct ksa_account_record *own)
{
        const char *user = NULL, *any = NULL;

        for (size_t i = 0; user == NULL && i < config->counts[KSA_SECTION_RULE]; i++) {
                const struct ksa_rule *rule = &config->rules[i];

                if (!ksa_list_has(&rule->service, ksa_service_in_rules(service)))
                        continue;
                if (any == NULL && strcmp(ksa_list_text(&rule->user, 0), "@own") != 0)
                        any = ksa_list_text(&rule->user, 0);
                if (named)
                        user = user_by(rule, token, registry, own);
        }
        return user != NULL ? user : any;
}

bool choose_user(const struct ksa_config *config, const struct ksa_env *env,
                 const struct ksa_secret *token, const char *service, char ret_user[CHOSEN_SIZE])
{
        struct ksa_registry registry = {.bytes = NULL};
        struct ksa_account_record own;
        struct ksa_token parsed;

        /* The decision reports a damaged registry. */
        if (env->registry_file == NULL || ksa_registry_open(env->registry_file, env->owner,
                                                            &registry, NULL) != KSA_REGISTRY_FOUND)
                registry = (struct ksa_registry){.bytes = NULL};
        bool named = ksa_token_parse(token, &parsed, NULL) == KSA_OK && parsed.namespace != NULL &&
                     parsed.account != NULL;
        const char *user = choose(config, &parsed, named, service, &registry, &own);
        int length = user == NULL ? -1 : snprintf(ret_user, CHOSEN_SIZE, "%s", user);
        ksa_token_clear(&parsed);
        ksa_registry_close(&registry);
        return length > 0 && length < CHOSEN_SIZE;
}

bool become_service_user(const char *name, uid_t *ret_uid)
{
        const struct passwd *user = getpwnam(name);

        if (user == NULL) {
                (void)fprintf(stderr, "ksactl: --service-user: user \"%s\" does not exist\n", name);
                return false;
        }
        uid_t uid = user->pw_uid;
        gid_t gid = user->pw_gid;
        if (uid != 0 && geteuid() == 0) {
                if (initgroups(name, gid) != 0 || setresgid(gid, gid, gid) != 0 ||
                    setresuid(uid, uid, uid) != 0) {
                        perror("ksactl: --service-user");
                        return false;
                }
                (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* setresuid() may reset it */
        }
        *ret_uid = uid;
        return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/validate_accounts.h"

#include <stdio.h>
#include <string.h>

#include "base/hash_index.h"
#include "config/rule.h"

#define ADD_ERROR(diagnostics, section, ...)                                           \
        ksa_diagnostics_add(diagnostics, KSA_CONFIG_INVALID, (section)->location.file, \
                            (section)->location.line, __VA_ARGS__)

static uint64_t account_hash(const struct ksa_pattern *pattern)
{
        const char *const key[] = {pattern->cluster, pattern->namespace, pattern->name};

        return ksa_hash_index_hash(key, KSA_COUNT(key));
}

static bool is_same(const struct ksa_pattern *left, const struct ksa_pattern *right)
{
        return strcmp(left->cluster, right->cluster) == 0 &&
               strcmp(left->namespace, right->namespace) == 0 &&
               strcmp(left->name, right->name) == 0;
}

static void check_account(const struct ksa_config *config, const struct ksa_account *account,
                          struct ksa_diagnostics *diagnostics)
{
        const struct ksa_pattern *pattern = &account->account;

        if (pattern->cluster == NULL)
                return; /* reported as a missing option */
        if (strcmp(pattern->namespace, "*") == 0 || strcmp(pattern->name, "*") == 0)
                ADD_ERROR(diagnostics, account,
                          "[account %s] is for one account: account must not be a pattern",
                          account->name);
        if (ksa_config_cluster(config, pattern->cluster) == NULL)
                ADD_ERROR(diagnostics, account,
                          "[account %s] names cluster %s, which has no section", account->name,
                          pattern->cluster);
}

/* An account has one user and a uid one account. The later section is reported. */
static void check_duplicates(const struct ksa_config *config, struct ksa_diagnostics *diagnostics)
{
        struct ksa_hash_index accounts = {0}, uids = {0};
        const struct ksa_account *all = config->accounts;
        bool kept = true;

        for (size_t i = 0; kept && i < config->counts[KSA_SECTION_ACCOUNT]; i++) {
                uint64_t hash = all[i].account.cluster != NULL ? account_hash(&all[i].account) : 0;
                uint32_t position = ksa_hash_index_find(&accounts, hash), other;

                while (hash != 0 && ksa_hash_index_next(&accounts, hash, &position, &other)) {
                        if (is_same(&all[other].account, &all[i].account))
                                ADD_ERROR(diagnostics, &all[i],
                                          "[account %s] has the same account as [account %s]",
                                          all[i].name, all[other].name);
                }
                position = ksa_hash_index_find(&uids, all[i].uid);
                while (all[i].uid != 0 && ksa_hash_index_next(&uids, all[i].uid, &position, &other))
                        ADD_ERROR(diagnostics, &all[i],
                                  "[account %s] has the same uid as [account %s]", all[i].name,
                                  all[other].name);
                kept = (hash == 0 || ksa_hash_index_add(&accounts, hash, (uint32_t)i)) &&
                       (all[i].uid == 0 || ksa_hash_index_add(&uids, all[i].uid, (uint32_t)i));
        }
        if (!kept)
                ksa_diagnostics_add(diagnostics, KSA_MEMORY, "", 0, "out of memory");
        ksa_hash_index_clear(&accounts);
        ksa_hash_index_clear(&uids);
}

static bool rule_matches_account(const struct ksa_rule *rule, const struct ksa_pattern *account)
{
        const struct ksa_pattern *patterns = rule->account.items;

        for (size_t i = 0; i < rule->account.count; i++) {
                if (ksa_pattern_covers(&patterns[i], account->cluster, account->namespace,
                                       account->name))
                        return true;
        }
        return false;
}

/* Without account_uid, @own would admit a re-created account of the same name. */
static void check_managed(const struct ksa_config *config, const struct ksa_rule *rule,
                          struct ksa_diagnostics *diagnostics)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_ACCOUNT]; i++) {
                const struct ksa_account *account = &config->accounts[i];

                if (account->account.cluster != NULL && account->account_uid == NULL &&
                    rule_matches_account(rule, &account->account))
                        ADD_ERROR(diagnostics, account,
                                  "[account %s] needs account_uid, because [rule %s] admits it by "
                                  "@own: run kubectl get serviceaccount %s -n %s -o "
                                  "jsonpath={.metadata.uid}",
                                  account->name, rule->name, account->account.name,
                                  account->account.namespace);
        }
}

/* Returns a namespace that both lists contain, or NULL. */
static const char *shared_namespace(const struct ksa_list *one, const struct ksa_list *other)
{
        if (ksa_list_has(one, "*"))
                return other->count > 0 ? ksa_list_text(other, 0) : NULL;
        for (size_t i = 0; i < one->count; i++) {
                if (ksa_list_has(other, "*") || ksa_list_has(other, ksa_list_text(one, i)))
                        return ksa_list_text(one, i);
        }
        return NULL;
}

/*
 * Names of users contain the namespace, not the cluster, so two clusters may not list the same one.
 */
static void check_source(const struct ksa_config *config, size_t position,
                         struct ksa_diagnostics *diagnostics)
{
        const struct ksa_accounts *source = &config->account_sources[position];

        if (ksa_config_cluster(config, source->name) == NULL)
                ADD_ERROR(diagnostics, source,
                          "[accounts %s] names a cluster that no section describes", source->name);
        for (size_t i = 0; i < position; i++) {
                const struct ksa_accounts *other = &config->account_sources[i];
                const char *shared = shared_namespace(&other->namespaces, &source->namespaces);

                if (shared != NULL) {
                        ADD_ERROR(
                                diagnostics, source,
                                "[accounts %s] lists the namespace \"%s\", as [accounts %s] does; "
                                "declare single accounts in [account] sections instead",
                                source->name, shared, other->name);
                        return;
                }
        }
}

void ksa_config_validate_accounts(const struct ksa_config *config,
                                  struct ksa_diagnostics *diagnostics)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_ACCOUNT]; i++)
                check_account(config, &config->accounts[i], diagnostics);
        check_duplicates(config, diagnostics);
        for (size_t i = 0; i < config->counts[KSA_SECTION_ACCOUNTS]; i++)
                check_source(config, i, diagnostics);
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                const struct ksa_rule *rule = &config->rules[i];

                if (ksa_list_has(&rule->user, "@own"))
                        check_managed(config, rule, diagnostics);
        }
}

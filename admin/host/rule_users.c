/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/host/rule_users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/accounts/local_files.h"
#include "admin/accounts/names.h"
#include "config/rule.h"
#include "config/value.h"

/* Bytes that a name keeps if it is shortened (names.h), and so the longest part that all names share. */
#define SHARED_MAX 22

struct collection {
        const struct ksa_config *config;
        enum ksa_user_form form;
        struct ksa_list *users;
        struct ksa_error *err;
};

static enum ksa_reason no_memory(struct ksa_error *err)
{
        return ksa_fail(err, KSA_MEMORY, "out of memory");
}

static enum ksa_reason add(const struct collection *to, const char *name)
{
        if (ksa_list_has(to->users, name))
                return KSA_OK;
        char **next = ksa_list_next(to->users, sizeof(*next));
        char *copy = strdup(name);

        if (next == NULL || copy == NULL) {
                free(copy);
                return no_memory(to->err);
        }
        *next = copy;
        to->users->count++;
        return KSA_OK;
}

/* All accounts of a namespace. */
static enum ksa_reason add_namespace(const struct collection *to, const char *cluster,
                                     const char *namespace)
{
        char name[KSA_NAME_SIZE + 1];

        if (to->form == KSA_SUDO_USERS) {
                char group[KSA_NAME_SIZE];
                enum ksa_reason reason = ksa_namespace_group(cluster, namespace, group, to->err);

                if (reason != KSA_OK)
                        return reason;
                (void)snprintf(name, sizeof(name), "%%%s", group);
                return add(to, name);
        }
        char shared[SHARED_MAX + 1];

        (void)snprintf(shared, sizeof(shared), "%s_", namespace);
        (void)snprintf(name, sizeof(name), "%s*", shared);
        return add(to, name);
}

static enum ksa_reason add_account(const struct collection *to, const struct ksa_pattern *account)
{
        char name[KSA_NAME_SIZE];
        enum ksa_reason reason = ksa_account_name(account->cluster, account->namespace,
                                                  account->name, name, to->err);

        return reason == KSA_OK ? add(to, name) : reason;
}

/* [account] sections give names of their own to accounts. */
static enum ksa_reason add_declared(const struct collection *to, const struct ksa_pattern *pattern)
{
        enum ksa_reason reason = KSA_OK;

        for (size_t i = 0; reason == KSA_OK && i < to->config->counts[KSA_SECTION_ACCOUNT]; i++) {
                const struct ksa_account *section = &to->config->accounts[i];

                if (ksa_pattern_covers(pattern, section->account.cluster,
                                       section->account.namespace, section->account.name))
                        reason = add(to, section->name);
        }
        return reason;
}

/* A rule for all namespaces: those that [accounts] lists. */
static enum ksa_reason add_listed(const struct collection *to, const struct ksa_rule *rule,
                                  const struct ksa_pattern *pattern)
{
        enum ksa_reason reason = KSA_OK;

        for (size_t i = 0; i < to->config->counts[KSA_SECTION_ACCOUNTS]; i++) {
                const struct ksa_accounts *source = &to->config->account_sources[i];

                if (strcmp(pattern->cluster, source->name) != 0)
                        continue;
                if (source->namespaces.count == 0 || ksa_list_has(&source->namespaces, "*")) {
                        ksa_error_at(to->err, rule->location.file, rule->location.line);
                        return ksa_fail(to->err, KSA_CONFIG_INVALID,
                                        "[rule %s]: user = @own with all namespaces; list the "
                                        "namespaces in [accounts %s] or in the rule",
                                        rule->name, source->name);
                }
                for (size_t n = 0; reason == KSA_OK && n < source->namespaces.count; n++)
                        reason = add_namespace(to, source->name,
                                               ksa_list_text(&source->namespaces, n));
        }
        return reason;
}

static enum ksa_reason add_own(const struct collection *to, const struct ksa_rule *rule)
{
        const struct ksa_pattern *patterns = rule->account.items;
        enum ksa_reason reason = KSA_OK;

        for (size_t i = 0; reason == KSA_OK && i < rule->account.count; i++) {
                const struct ksa_pattern *account = &patterns[i];

                reason = add_declared(to, account);
                if (reason != KSA_OK)
                        break;
                if (strcmp(account->namespace, "*") == 0)
                        reason = add_listed(to, rule, account);
                else if (strcmp(account->name, "*") == 0)
                        reason = add_namespace(to, account->cluster, account->namespace);
                else
                        reason = add_account(to, account);
        }
        return reason;
}

static enum ksa_reason add_rule(const struct collection *to, const struct ksa_rule *rule)
{
        enum ksa_reason reason = KSA_OK;

        for (size_t i = 0; reason == KSA_OK && i < rule->user.count; i++) {
                const char *user = ksa_list_text(&rule->user, i);

                reason = strcmp(user, "@own") == 0 ? add_own(to, rule) : add(to, user);
        }
        return reason;
}

enum ksa_reason ksa_rule_users(const struct ksa_config *config, const char *service,
                               enum ksa_user_form form, struct ksa_list *ret_users,
                               struct ksa_error *err)
{
        struct ksa_list users = {.count = 0};
        const struct collection to = {config, form, &users, err};
        enum ksa_reason reason = KSA_OK;

        for (size_t i = 0; reason == KSA_OK && i < config->counts[KSA_SECTION_RULE]; i++) {
                if (ksa_list_has(&config->rules[i].service, service))
                        reason = add_rule(&to, &config->rules[i]);
        }
        if (reason != KSA_OK) {
                ksa_rule_users_free(&users);
                return reason;
        }
        *ret_users = users;
        return KSA_OK;
}

/* Whether a pattern of USERS matches NAME. */
static bool is_matched(const struct ksa_list *users, const char *name)
{
        for (size_t i = 0; i < users->count; i++) {
                const char *user = ksa_list_text(users, i), *star = strchr(user, '*');

                if (star != NULL && strncmp(user, name, (size_t)(star - user)) == 0)
                        return true;
        }
        return false;
}

enum ksa_reason ksa_rule_users_except(struct ksa_list *users, const char *passwd,
                                      struct ksa_error *err)
{
        const struct collection to = {.users = users, .err = err};
        struct ksa_local_table table = {.count = 0};
        enum ksa_reason reason = ksa_local_read_users(passwd, &table, err);

        for (size_t i = 0; reason == KSA_OK && i < table.count; i++) {
                const char *name = table.entries[i].name;
                char except[KSA_USER_MAX + 2];

                if (!ksa_is_user(name) || !is_matched(users, name) || ksa_list_has(users, name))
                        continue;
                (void)snprintf(except, sizeof(except), "!%s", name);
                reason = add(&to, except);
        }
        ksa_local_clear(&table);
        return reason;
}

void ksa_rule_users_free(struct ksa_list *users)
{
        char **items = users->items;

        for (size_t i = 0; i < users->count; i++)
                free(items[i]);
        free(items);
        *users = (struct ksa_list){.count = 0};
}

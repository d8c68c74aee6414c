/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/validate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash_index.h"
#include "config/rule.h"
#include "config/value.h"

/* The iss of legacy tokens, the same in every cluster. */
#define LEGACY_ISSUER "kubernetes/serviceaccount"

void ksa_diagnostics_add_with_remedy(struct ksa_diagnostics *diagnostics, enum ksa_reason reason,
                                     const char *remedy, const char *file, unsigned line,
                                     const char *format, ...)
{
        struct ksa_error error = {.reason = reason, .remedy = remedy};
        va_list arguments;

        ksa_error_at(&error, file, line);
        va_start(arguments, format);
        if (vsnprintf(error.text, sizeof(error.text), format, arguments) < 0)
                error.text[0] = '\0';
        va_end(arguments);
        if (diagnostics->first.reason == KSA_UNREACHED)
                diagnostics->first = error;
        if (diagnostics->handler != NULL)
                diagnostics->handler->report(diagnostics->handler->context, &error);
}

/* Reports an error in SECTION. */
#define ADD_ERROR(diagnostics, reason, section, ...)                       \
        ksa_diagnostics_add(diagnostics, reason, (section)->location.file, \
                            (section)->location.line, __VA_ARGS__)

/* --- %H and %h -------------------------------------------------------------- */

/* Returns AUDIENCE with the host name inserted, owned by the caller. NULL if memory runs out. */
static char *expanded(const char *audience, const char *host)
{
        size_t host_length = strlen(host), short_length = strcspn(host, ".");
        size_t room = strlen(audience) + 1;

        for (const char *c = audience; *c != '\0'; c++)
                room += *c == '%' ? host_length : 0;
        char *text = malloc(room), *out = text;
        if (text == NULL)
                return NULL;
        for (const char *c = audience; *c != '\0'; c++) {
                size_t length = 1;
                const char *piece = c;

                if (c[0] == '%' && (c[1] == 'H' || c[1] == 'h')) {
                        length = c[1] == 'H' ? host_length : short_length;
                        piece = host;
                        c++;
                }
                memcpy(out, piece, length);
                out += length;
        }
        *out = '\0';
        return text;
}

static bool is_no_name(const char *host)
{
        return strcspn(host, ".") == 0 || strcmp(host, "localhost") == 0 ||
               strncmp(host, "localhost.", 10) == 0 || !ksa_is_uri(host);
}

static void expand_list(struct ksa_config *config, const struct ksa_env *env,
                        const struct ksa_section_head *head, struct ksa_list *audiences,
                        struct ksa_diagnostics *diagnostics)
{
        for (size_t i = 0; i < audiences->count; i++) {
                const char **audience = &((const char **)audiences->items)[i];

                if (strchr(*audience, '%') == NULL)
                        continue;
                if (is_no_name(env->host_name)) {
                        ADD_ERROR(diagnostics, KSA_HOST_NAME, head,
                                  "audience %s: the host's name is \"%s\"", *audience,
                                  env->host_name);
                        return;
                }
                char *text = expanded(*audience, env->host_name);
                if (text == NULL || !ksa_config_keep(config, text)) {
                        ADD_ERROR(diagnostics, KSA_MEMORY, head, "out of memory");
                        return;
                }
                ksa_lower_audience(text);
                *audience = text;
        }
}

void ksa_config_expand(struct ksa_config *config, const struct ksa_env *env,
                       struct ksa_diagnostics *diagnostics)
{
        if (config->counts[KSA_SECTION_HOST] > 0)
                expand_list(config, env, (const struct ksa_section_head *)&config->host,
                            &config->host.audience, diagnostics);
        for (size_t i = 0; i < config->counts[KSA_SECTION_SERVICE]; i++)
                expand_list(config, env, (const struct ksa_section_head *)&config->services[i],
                            &config->services[i].audience, diagnostics);
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++)
                expand_list(config, env, (const struct ksa_section_head *)&config->rules[i],
                            &config->rules[i].audience, diagnostics);
}

/* --- Required sections and options ------------------------------------------ */

static void check_required(const struct ksa_config *config, const struct ksa_env *env,
                           struct ksa_diagnostics *diagnostics)
{
        /* After a file that cannot be read, the missing section is a consequence. */
        if (config->counts[KSA_SECTION_HOST] == 0 && diagnostics->first.reason == KSA_UNREACHED)
                ksa_diagnostics_add(diagnostics, KSA_CONFIG_INVALID, env->config_file, 0,
                                    "a [host] section with an audience is missing");
        for (size_t i = 0; i < ksa_option_count; i++) {
                const struct ksa_option *option = &ksa_options[i];

                if ((option->flags & KSA_OPTION_REQUIRED) == 0)
                        continue;
                for (size_t n = 0; n < config->counts[option->section]; n++) {
                        const struct ksa_section_head *head =
                                ksa_config_section(config, option->section, n);

                        if (!ksa_option_given(head, option))
                                ADD_ERROR(diagnostics, KSA_CONFIG_INVALID, head,
                                          "[%s%s%s] needs %s", ksa_section_name(option->section),
                                          *head->name != '\0' ? " " : "", head->name, option->name);
                }
        }
}

/* --- Audiences -------------------------------------------------------------- */

/* Returns another section that has AUDIENCE, or NULL. */
static const struct ksa_section_head *audience_elsewhere(const struct ksa_config *config,
                                                         const void *here, const char *audience)
{
        if (here != &config->host && ksa_list_has(&config->host.audience, audience))
                return (const struct ksa_section_head *)&config->host;
        for (size_t i = 0; i < config->counts[KSA_SECTION_SERVICE]; i++) {
                const struct ksa_service *service = &config->services[i];

                if (here != service && ksa_list_has(&service->audience, audience))
                        return (const struct ksa_section_head *)service;
        }
        return NULL;
}

static void check_audiences(const struct ksa_config *config, const struct ksa_section_head *head,
                            const struct ksa_list *audiences, struct ksa_diagnostics *diagnostics)
{
        for (size_t i = 0; i < audiences->count; i++) {
                const char *audience = ksa_list_text(audiences, i);
                const struct ksa_section_head *other = audience_elsewhere(config, head, audience);

                if (other != NULL)
                        ADD_ERROR(diagnostics, KSA_CONFIG_INVALID, head,
                                  "audience %s is also in %s line %u: one service could replay "
                                  "its tokens to the other",
                                  audience, other->location.file, other->location.line);
                for (size_t n = 0; n < config->counts[KSA_SECTION_CLUSTER]; n++) {
                        if (ksa_list_has(&config->clusters[n].issuer, audience))
                                ADD_ERROR(diagnostics, KSA_CONFIG_INVALID, head,
                                          "audience %s is the issuer of cluster %s: every Pod's "
                                          "default token has it",
                                          audience, config->clusters[n].name);
                }
        }
}

/* --- Rules ------------------------------------------------------------------ */

static bool some_service_has(const struct ksa_config *config, const struct ksa_rule *rule,
                             const char *audience)
{
        for (size_t i = 0; i < rule->service.count; i++) {
                const struct ksa_service *service =
                        ksa_config_service(config, ksa_list_text(&rule->service, i));
                const struct ksa_list *audiences = service != NULL && service->audience.count > 0
                                                           ? &service->audience
                                                           : &config->host.audience;

                if (ksa_list_has(audiences, audience))
                        return true;
        }
        return false;
}

static void check_rule(const struct ksa_config *config, const struct ksa_rule *rule,
                       struct ksa_diagnostics *diagnostics)
{
        for (size_t i = 0; i < rule->account.count; i++) {
                const struct ksa_pattern *account = &((struct ksa_pattern *)rule->account.items)[i];

                if (ksa_config_cluster(config, account->cluster) == NULL)
                        ADD_ERROR(diagnostics, KSA_CONFIG_INVALID, rule,
                                  "[rule %s] names cluster %s, which has no section", rule->name,
                                  account->cluster);
        }
        for (size_t i = 0; rule->from.count > 0 && i < rule->service.count; i++) {
                const char *service = ksa_list_text(&rule->service, i);

                if (ksa_service_is_local(service))
                        ADD_ERROR(diagnostics, KSA_CONFIG_INVALID, rule,
                                  "[rule %s] has from, but %s does not know the remote host",
                                  rule->name, service);
        }
        for (size_t i = 0; i < rule->audience.count; i++) {
                const char *audience = ksa_list_text(&rule->audience, i);

                if (!some_service_has(config, rule, audience))
                        ADD_ERROR(
                                diagnostics, KSA_CONFIG_INVALID, rule,
                                "[rule %s] requires audience %s, which its services do not accept",
                                rule->name, audience);
        }
}

/* --- Clusters ---------------------------------------------------------------- */

/* Returns the option because of which a login sends requests to the cluster, or NULL. */
static const char *what_asks(const struct ksa_config *config, const struct ksa_cluster *cluster)
{
        if (cluster->review != KSA_REVIEW_NEVER)
                return "review";
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                const struct ksa_rule *rule = &config->rules[i];
                const struct ksa_pattern *patterns = rule->account.items;

                for (size_t n = 0; n < rule->account.count; n++) {
                        if (strcmp(patterns[n].cluster, cluster->name) != 0)
                                continue;
                        if (rule->bound == KSA_BOUND_POD)
                                return "bound = pod";
                        if (rule->rbac)
                                return "rbac = yes";
                        if (rule->review != KSA_REVIEW_NEVER)
                                return "review";
                }
        }
        return NULL;
}

static void check_cluster(const struct ksa_config *config, const struct ksa_cluster *cluster,
                          struct ksa_diagnostics *diagnostics)
{
        bool by_api = cluster->keys != NULL && strcmp(cluster->keys, "api") == 0;
        bool certificate = cluster->client_cert_file != NULL,
             key = cluster->client_key_file != NULL;
        const char *asks = what_asks(config, cluster);

        if (cluster->keys != NULL && strcmp(cluster->keys, "discover") == 0 &&
            cluster->issuer.count > 0 &&
            strncmp(ksa_list_text(&cluster->issuer, 0), "https://", 8) != 0)
                ADD_ERROR(diagnostics, KSA_CONFIG_INVALID, cluster,
                          "[cluster %s] has keys = discover, but its first issuer is not an https "
                          "URL",
                          cluster->name);
        if (ksa_list_has(&cluster->issuer, LEGACY_ISSUER))
                ADD_ERROR(diagnostics, KSA_CONFIG_INVALID, cluster,
                          "issuer " LEGACY_ISSUER " is that of legacy tokens, which never expire");
        if (cluster->name[0] == '.')
                ADD_ERROR(diagnostics, KSA_CONFIG_INVALID, cluster,
                          "[cluster %s]: the name begins with a dot, but is also the name of a "
                          "directory",
                          cluster->name);
        if ((by_api || asks != NULL) && cluster->api_server == NULL)
                ADD_ERROR(diagnostics, KSA_CONFIG_INVALID, cluster,
                          "[cluster %s] needs api_server for %s", cluster->name,
                          by_api ? "keys = api" : asks);
        if (asks != NULL && cluster->credential_file == NULL && !certificate)
                ADD_ERROR(diagnostics, KSA_CONFIG_INVALID, cluster,
                          "[cluster %s] needs credential_file or client_cert_file for %s",
                          cluster->name, asks);
        if (certificate != key)
                ADD_ERROR(diagnostics, KSA_CONFIG_INVALID, cluster,
                          "[cluster %s]: client_cert_file and client_key_file require each other",
                          cluster->name);
        if (certificate && cluster->credential_file != NULL)
                ADD_ERROR(diagnostics, KSA_CONFIG_INVALID, cluster,
                          "[cluster %s] has both credential_file and client_cert_file: remove one",
                          cluster->name);
}

/* Both clusters would renew their credential and overwrite the other's. */
static void check_credential(const struct ksa_config *config, size_t position,
                             struct ksa_diagnostics *diagnostics)
{
        const struct ksa_cluster *cluster = &config->clusters[position];

        for (size_t i = 0; i < position && cluster->credential_file != NULL; i++) {
                const char *other = config->clusters[i].credential_file;

                if (other != NULL && strcmp(other, cluster->credential_file) == 0)
                        ADD_ERROR(diagnostics, KSA_CONFIG_INVALID, cluster,
                                  "[cluster %s] has the same credential_file as [cluster %s]",
                                  cluster->name, config->clusters[i].name);
        }
}

/* A SubjectAccessReview names the host. */
static void check_host_name(const struct ksa_config *config, const struct ksa_env *env,
                            struct ksa_diagnostics *diagnostics)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                const struct ksa_rule *rule = &config->rules[i];

                if (!rule->rbac || config->host.host != NULL || !is_no_name(env->host_name))
                        continue;
                ADD_ERROR(diagnostics, KSA_HOST_NAME, rule,
                          "[rule %s] has rbac = yes, but the host's name is \"%s\": set name in "
                          "[host]",
                          rule->name, env->host_name);
        }
}

/* --- Accounts ---------------------------------------------------------------- */

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
                ADD_ERROR(diagnostics, KSA_CONFIG_INVALID, account,
                          "[account %s] is for one account: account must not be a pattern",
                          account->name);
        if (ksa_config_cluster(config, pattern->cluster) == NULL)
                ADD_ERROR(diagnostics, KSA_CONFIG_INVALID, account,
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
                                ADD_ERROR(diagnostics, KSA_CONFIG_INVALID, &all[i],
                                          "[account %s] has the same account as [account %s]",
                                          all[i].name, all[other].name);
                }
                position = ksa_hash_index_find(&uids, all[i].uid);
                while (all[i].uid != 0 && ksa_hash_index_next(&uids, all[i].uid, &position, &other))
                        ADD_ERROR(diagnostics, KSA_CONFIG_INVALID, &all[i],
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
                        ADD_ERROR(diagnostics, KSA_CONFIG_INVALID, account,
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
                ADD_ERROR(diagnostics, KSA_CONFIG_INVALID, source,
                          "[accounts %s] names a cluster that no section describes", source->name);
        for (size_t i = 0; i < position; i++) {
                const struct ksa_accounts *other = &config->account_sources[i];
                const char *shared = shared_namespace(&other->namespaces, &source->namespaces);

                if (shared != NULL) {
                        ADD_ERROR(
                                diagnostics, KSA_CONFIG_INVALID, source,
                                "[accounts %s] lists the namespace \"%s\", as [accounts %s] does; "
                                "declare single accounts in [account] sections instead",
                                source->name, shared, other->name);
                        return;
                }
        }
}

/* --- All ---------------------------------------------------------------------- */

void ksa_config_validate(const struct ksa_config *config, const struct ksa_env *env,
                         struct ksa_diagnostics *diagnostics)
{
        check_required(config, env, diagnostics);
        check_audiences(config, (const struct ksa_section_head *)&config->host,
                        &config->host.audience, diagnostics);
        for (size_t i = 0; i < config->counts[KSA_SECTION_SERVICE]; i++) {
                const struct ksa_service *service = &config->services[i];

                check_audiences(config, (const struct ksa_section_head *)service,
                                &service->audience, diagnostics);
                if (!service->local_user && service->audience.count == 0)
                        ADD_ERROR(diagnostics, KSA_CONFIG_INVALID, service,
                                  "[service %s] has local_user = no, so it needs an audience of "
                                  "its own",
                                  service->name);
                if (!ksa_is_service(service->name) ||
                    strcmp(ksa_service_in_rules(service->name), service->name) != 0)
                        ksa_diagnostics_add_with_remedy(
                                diagnostics, KSA_CONFIG_INVALID,
                                "use the service's name in rules; sudo includes "
                                "sudo-i",
                                service->location.file, service->location.line,
                                "[service %s] does not apply to any service", service->name);
        }
        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++) {
                check_cluster(config, &config->clusters[i], diagnostics);
                check_credential(config, i, diagnostics);
        }
        check_host_name(config, env, diagnostics);
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++)
                check_rule(config, &config->rules[i], diagnostics);
        for (size_t i = 0; i < config->counts[KSA_SECTION_ACCOUNT]; i++)
                check_account(config, &config->accounts[i], diagnostics);
        check_duplicates(config, diagnostics);
        for (size_t i = 0; i < config->counts[KSA_SECTION_ACCOUNTS]; i++)
                check_source(config, i, diagnostics);
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                if (ksa_list_has(&config->rules[i].user, "@own"))
                        check_managed(config, &config->rules[i], diagnostics);
        }
}

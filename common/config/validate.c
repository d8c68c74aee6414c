/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/validate.h"

#include <stdio.h>
#include <string.h>

#include "base/hash_index.h"
#include "base/text.h"
#include "config/expand.h"
#include "config/option.h"
#include "config/rule.h"
#include "config/value.h"

/* The iss of legacy tokens, the same in every cluster. */
#define LEGACY_ISSUER "kubernetes/serviceaccount"

/* Reports an error of value POSITION of OPTION in SECTION, at its line. */
#define ADD_ERROR(diagnostics, section, option, position, remedy, ...) \
        ksa_diagnostics_add(diagnostics, KSA_CONFIG_INVALID,           \
                            ksa_option_location(section, option, position), remedy, __VA_ARGS__)

#define REMEDY_SIZE (KSA_REMEDY_MAX + 1)

/* Whether a line of the section sets OPTION, validly or not. */
static bool is_given(const void *section, enum ksa_section kind, const char *option)
{
        return ksa_option_given(section, ksa_option_find(kind, option));
}

/* Whether a line of the section that sets OPTION is not valid, so that its value is unknown. */
static bool is_faulty(const void *section, enum ksa_section kind, const char *option)
{
        const struct ksa_section_head *head = section;

        return (head->faulty & ksa_option_bit(ksa_option_find(kind, option))) != 0;
}

/* --- Required sections and options ------------------------------------------ */

/* What to type for an option that is missing. */
static const char *example_of(const struct ksa_option *option)
{
        static const struct {
                enum ksa_section section;
                const char *option, *remedy;
        } examples[] = {
                {KSA_SECTION_HOST, "audience", "add a line such as audience = ssh://%H"},
                {KSA_SECTION_CLUSTER, "issuer",
                 "add issuer = URL, which kubectl get --raw /.well-known/openid-configuration has"},
                {KSA_SECTION_CLUSTER, "keys", "add keys = api, discover, or file: and a path"},
                {KSA_SECTION_RULE, "account", "add account = CLUSTER:NAMESPACE/NAME"},
                {KSA_SECTION_RULE, "user", "add user = NAME"},
                {KSA_SECTION_RULE, "service", "add a line such as service = sshd"},
                {KSA_SECTION_ACCOUNT, "account", "add account = CLUSTER:NAMESPACE/NAME"},
                {KSA_SECTION_ACCOUNTS, "namespaces", "add namespaces = NAME, or namespaces = *"},
        };

        for (size_t i = 0; i < KSA_COUNT(examples); i++) {
                if (examples[i].section == option->section &&
                    strcmp(examples[i].option, option->name) == 0)
                        return examples[i].remedy;
        }
        return "add the option";
}

static void check_required(const struct ksa_config *config, const struct ksa_env *env,
                           struct ksa_diagnostics *diagnostics)
{
        /* After a file that cannot be read, the missing section is a consequence. */
        if (config->counts[KSA_SECTION_HOST] == 0 && diagnostics->first.reason == KSA_UNREACHED)
                ksa_diagnostics_add(diagnostics, KSA_CONFIG_INVALID,
                                    (struct ksa_location){env->config_file, 0},
                                    "add the lines [host] and audience = ssh://%H",
                                    "a [host] section with an audience is missing");
        for (size_t i = 0; i < ksa_option_count; i++) {
                const struct ksa_option *option = &ksa_options[i];

                if ((option->flags & KSA_OPTION_REQUIRED) == 0)
                        continue;
                for (size_t n = 0; n < config->counts[option->section]; n++) {
                        const struct ksa_section_head *head =
                                ksa_config_section(config, option->section, n);

                        if (!ksa_option_given(head, option))
                                ADD_ERROR(diagnostics, head, option->name, 0, example_of(option),
                                          "[%s%s%s] needs %s", ksa_section_name(option->section),
                                          *head->name != '\0' ? " " : "", head->name, option->name);
                }
        }
}

/* --- Audiences -------------------------------------------------------------- */

/*
 * Returns the section before SERVICE that has AUDIENCE, or NULL. Two sections with one audience are
 * one error.
 */
static const struct ksa_section_head *earlier_with(const struct ksa_config *config,
                                                   const struct ksa_service *service,
                                                   const char *audience)
{
        if (ksa_list_has(&config->host.audience, audience))
                return (const struct ksa_section_head *)&config->host;
        for (const struct ksa_service *other = config->services; other < service; other++) {
                if (ksa_list_has(&other->audience, audience))
                        return (const struct ksa_section_head *)other;
        }
        return NULL;
}

static size_t position_of(const struct ksa_list *list, const char *text)
{
        size_t i = 0;

        while (i < list->count && strcmp(ksa_list_text(list, i), text) != 0)
                i++;
        return i;
}

/* SERVICE is NULL for [host]. */
static void check_audience(const struct ksa_config *config, const struct ksa_service *service,
                           const struct ksa_section_head *head, size_t position,
                           const char *audience, struct ksa_diagnostics *diagnostics)
{
        const struct ksa_section_head *other =
                service != NULL ? earlier_with(config, service, audience) : NULL;

        if (other != NULL) {
                const struct ksa_list *audiences =
                        other == (const struct ksa_section_head *)&config->host
                                ? &config->host.audience
                                : &((const struct ksa_service *)(const void *)other)->audience;
                const struct ksa_location location =
                        ksa_option_location(other, "audience", position_of(audiences, audience));

                ADD_ERROR(diagnostics, head, "audience", position,
                          "give the service an audience of its own",
                          "audience %s is also in %s line %u: one service could replay its tokens "
                          "to the other",
                          audience, location.file, location.line);
        }
        for (size_t n = 0; n < config->counts[KSA_SECTION_CLUSTER]; n++) {
                if (ksa_list_has(&config->clusters[n].issuer, audience))
                        ADD_ERROR(diagnostics, head, "audience", position,
                                  "write an audience of this host, such as ssh://%H",
                                  "audience %s is the issuer of cluster %s: every Pod's default "
                                  "token has it",
                                  audience, config->clusters[n].name);
        }
}

static void check_audiences(const struct ksa_config *config, const struct ksa_service *service,
                            struct ksa_diagnostics *diagnostics)
{
        const struct ksa_list *audiences =
                service != NULL ? &service->audience : &config->host.audience;
        const void *head = service != NULL ? (const void *)service : &config->host;

        for (size_t i = 0; i < audiences->count; i++)
                check_audience(config, service, head, i, ksa_list_text(audiences, i), diagnostics);
}

/* --- References ------------------------------------------------------------- */

/* Reports a cluster that has no section, unless that section could not be read. */
static void check_cluster_name(const struct ksa_config *config, enum ksa_section kind,
                               const struct ksa_section_head *head, size_t position,
                               const char *name, struct ksa_diagnostics *diagnostics)
{
        struct ksa_near near = {.text = name};
        char remedy[REMEDY_SIZE];

        if (ksa_config_cluster(config, name) != NULL || ksa_diagnostics_hide(diagnostics, name))
                return;
        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++)
                ksa_near_try(&near, config->clusters[i].name);
        if (near.name != NULL)
                (void)snprintf(remedy, sizeof(remedy), "did you mean \"%s\"?", near.name);
        else
                (void)snprintf(remedy, sizeof(remedy), "add [cluster %s], or correct the name",
                               name);
        ADD_ERROR(diagnostics, head, "account", position, remedy,
                  "[%s %s] names cluster %s, which has no section", ksa_section_name(kind),
                  head->name, name);
}

/* --- Rules ------------------------------------------------------------------ */

static const struct ksa_list *audiences_of(const struct ksa_config *config,
                                           const struct ksa_service *service)
{
        return service != NULL && service->audience.count > 0 ? &service->audience
                                                              : &config->host.audience;
}

static bool some_service_has(const struct ksa_config *config, const struct ksa_rule *rule,
                             const char *audience)
{
        bool is_unknown = is_faulty(&config->host, KSA_SECTION_HOST, "audience") ||
                          is_faulty(rule, KSA_SECTION_RULE, "service");

        for (size_t i = 0; i < rule->service.count; i++) {
                const struct ksa_service *service =
                        ksa_config_service(config, ksa_list_text(&rule->service, i));

                if (ksa_list_has(audiences_of(config, service), audience))
                        return true;
                if (service != NULL && is_faulty(service, KSA_SECTION_SERVICE, "audience"))
                        is_unknown = true;
        }
        /* The token of a session is for sshd. */
        if (rule->token == KSA_TOKEN_SESSION &&
            ksa_list_has(audiences_of(config, ksa_config_service(config, "sshd")), audience))
                return true;
        return is_unknown; /* the error of that line was reported */
}

/* The services of a rule, and what they exclude. */
static void check_rule_services(const struct ksa_rule *rule, struct ksa_diagnostics *diagnostics)
{
        bool from = rule->from.count > 0 && rule->token != KSA_TOKEN_SESSION &&
                    !is_faulty(rule, KSA_SECTION_RULE, "token");

        for (size_t i = 0; i < rule->service.count; i++) {
                const char *service = ksa_list_text(&rule->service, i);

                if (from && ksa_service_is_local(service))
                        ADD_ERROR(diagnostics, rule, "service", i,
                                  "write a rule without from for this service",
                                  "[rule %s] has from, but %s does not know the remote host",
                                  rule->name, service);
                if (rule->token == KSA_TOKEN_SESSION &&
                    strcmp(ksa_service_in_rules(service), "sudo") != 0)
                        ADD_ERROR(
                                diagnostics, rule, "service", i,
                                "write a rule of its own for sudo, and token = session only there",
                                "[rule %s] has token = session, which is for sudo, not for %s",
                                rule->name, service);
        }
}

static void check_rule(const struct ksa_config *config, const struct ksa_rule *rule,
                       struct ksa_diagnostics *diagnostics)
{
        for (size_t i = 0; i < rule->account.count; i++) {
                const struct ksa_pattern *account = &((struct ksa_pattern *)rule->account.items)[i];

                check_cluster_name(config, KSA_SECTION_RULE, (const struct ksa_section_head *)rule,
                                   i, account->cluster, diagnostics);
        }
        check_rule_services(rule, diagnostics);
        for (size_t i = 0; i < rule->audience.count; i++) {
                const char *audience = ksa_list_text(&rule->audience, i);

                if (config->counts[KSA_SECTION_HOST] > 0 &&
                    !some_service_has(config, rule, audience))
                        ADD_ERROR(
                                diagnostics, rule, "audience", i,
                                "write an audience of [host], or of the service's own section",
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

static void check_issuer(const struct ksa_cluster *cluster, struct ksa_diagnostics *diagnostics)
{
        const struct ksa_list *issuers = &cluster->issuer;

        if (cluster->keys != NULL && strcmp(cluster->keys, "discover") == 0 && issuers->count > 0 &&
            strncmp(ksa_list_text(issuers, 0), "https://", 8) != 0)
                ADD_ERROR(diagnostics, cluster, "keys", 0,
                          "write keys = api, or file: and a path; or put the https issuer first",
                          "[cluster %s] has keys = discover, but its first issuer is not an https "
                          "URL",
                          cluster->name);
        if (ksa_list_has(issuers, LEGACY_ISSUER))
                ADD_ERROR(diagnostics, cluster, "issuer", position_of(issuers, LEGACY_ISSUER),
                          "write the issuer of the tokens that kubectl create token returns",
                          "issuer " LEGACY_ISSUER " is that of legacy tokens, which never expire");
}

static void check_cluster(const struct ksa_config *config, const struct ksa_cluster *cluster,
                          struct ksa_diagnostics *diagnostics)
{
        const enum ksa_section kind = KSA_SECTION_CLUSTER;
        bool by_api = cluster->keys != NULL && strcmp(cluster->keys, "api") == 0;
        bool certificate = is_given(cluster, kind, "client_cert_file"),
             key = is_given(cluster, kind, "client_key_file"),
             credential = is_given(cluster, kind, "credential_file");
        const char *asks = what_asks(config, cluster);

        check_issuer(cluster, diagnostics);
        if (cluster->name[0] == '.')
                ADD_ERROR(diagnostics, cluster, "", 0, "choose a name without a dot at its start",
                          "[cluster %s]: the name begins with a dot, but is also the name of a "
                          "directory",
                          cluster->name);
        if ((by_api || asks != NULL) && !is_given(cluster, kind, "api_server"))
                ADD_ERROR(diagnostics, cluster, "", 0,
                          asks == NULL || credential || certificate
                                  ? "add api_server = URL, which kubectl cluster-info prints"
                                  : "add api_server = URL, which kubectl cluster-info prints, and "
                                    "credential_file = /var/lib/ksa/credentials/NAME",
                          "[cluster %s] needs api_server for %s", cluster->name,
                          by_api ? "keys = api" : asks);
        else if (asks != NULL && !credential && !certificate)
                ADD_ERROR(diagnostics, cluster, "", 0,
                          "add a line such as credential_file = /var/lib/ksa/credentials/NAME",
                          "[cluster %s] needs credential_file or client_cert_file for %s",
                          cluster->name, asks);
        if (certificate != key)
                ADD_ERROR(diagnostics, cluster,
                          certificate ? "client_cert_file" : "client_key_file", 0,
                          certificate ? "add client_key_file" : "add client_cert_file",
                          "[cluster %s]: client_cert_file and client_key_file require each other",
                          cluster->name);
        if (certificate && credential)
                ADD_ERROR(diagnostics, cluster, "client_cert_file", 0,
                          "remove one of the two options",
                          "[cluster %s] has both credential_file and client_cert_file",
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
                        ADD_ERROR(diagnostics, cluster, "credential_file", 0,
                                  "name another file, such as /var/lib/ksa/credentials/NAME",
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

                if (!rule->rbac || is_given(&config->host, KSA_SECTION_HOST, "name") ||
                    !ksa_is_no_host_name(env->host_name))
                        continue;
                ksa_diagnostics_add(diagnostics, KSA_HOST_NAME,
                                    ksa_option_location(rule, "rbac", 0),
                                    "set the host name, or add name = NAME to [host]",
                                    "[rule %s] has rbac = yes, but the host's name is \"%s\"",
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
                ADD_ERROR(diagnostics, account, "account", 0,
                          "write one account without *, or list namespaces in [accounts CLUSTER]",
                          "[account %s] is for one account: account must not be a pattern",
                          account->name);
        check_cluster_name(config, KSA_SECTION_ACCOUNT, (const struct ksa_section_head *)account, 0,
                           pattern->cluster, diagnostics);
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
                                ADD_ERROR(diagnostics, &all[i], "account", 0,
                                          "remove one of the two sections",
                                          "[account %s] has the same account as [account %s]",
                                          all[i].name, all[other].name);
                }
                position = ksa_hash_index_find(&uids, all[i].uid);
                while (all[i].uid != 0 && ksa_hash_index_next(&uids, all[i].uid, &position, &other))
                        ADD_ERROR(diagnostics, &all[i], "uid", 0,
                                  "choose another uid, or remove the option",
                                  "[account %s] has the same uid as [account %s]", all[i].name,
                                  all[other].name);
                kept = (hash == 0 || ksa_hash_index_add(&accounts, hash, (uint32_t)i)) &&
                       (all[i].uid == 0 || ksa_hash_index_add(&uids, all[i].uid, (uint32_t)i));
        }
        if (!kept)
                ksa_diagnostics_add(diagnostics, KSA_MEMORY, (struct ksa_location){"", 0},
                                    ksa_reason_remedy(KSA_MEMORY), "out of memory");
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
static void check_managed(const struct ksa_config *config, const struct ksa_account *account,
                          struct ksa_diagnostics *diagnostics)
{
        const struct ksa_rule *rule = NULL;
        char remedy[REMEDY_SIZE];

        if (account->account.cluster == NULL ||
            is_given(account, KSA_SECTION_ACCOUNT, "account_uid"))
                return;
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE] && rule == NULL; i++) {
                if (ksa_list_has(&config->rules[i].user, "@own") &&
                    rule_matches_account(&config->rules[i], &account->account))
                        rule = &config->rules[i];
        }
        if (rule == NULL)
                return;
        (void)snprintf(remedy, sizeof(remedy),
                       "add account_uid with the output of kubectl get serviceaccount %.100s -n %s "
                       "-o jsonpath={.metadata.uid}",
                       account->account.name, account->account.namespace);
        ADD_ERROR(diagnostics, account, "", 0, remedy,
                  "[account %s] needs account_uid, because [rule %s] admits it by @own",
                  account->name, rule->name);
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

        check_cluster_name(config, KSA_SECTION_ACCOUNTS, (const struct ksa_section_head *)source, 0,
                           source->name, diagnostics);
        for (size_t i = 0; i < position; i++) {
                const struct ksa_accounts *other = &config->account_sources[i];
                const char *shared = shared_namespace(&other->namespaces, &source->namespaces);

                if (shared != NULL) {
                        ADD_ERROR(diagnostics, source, "namespaces",
                                  position_of(&source->namespaces, shared),
                                  "declare single accounts in [account] sections instead",
                                  "[accounts %s] lists the namespace \"%s\", as [accounts %s] does",
                                  source->name, shared, other->name);
                        return;
                }
        }
}

/* --- Services ---------------------------------------------------------------- */

static void check_service(const struct ksa_service *service, struct ksa_diagnostics *diagnostics)
{
        char remedy[REMEDY_SIZE];

        (void)snprintf(remedy, sizeof(remedy), "add a line such as audience = %s://%%H",
                       service->name);
        if (!service->local_user && !is_given(service, KSA_SECTION_SERVICE, "audience"))
                ADD_ERROR(diagnostics, service, "local_user", 0, remedy,
                          "[service %s] has local_user = no, so it needs an audience of its own",
                          service->name);
        if (!ksa_is_service(service->name) ||
            strcmp(ksa_service_in_rules(service->name), service->name) != 0)
                ADD_ERROR(diagnostics, service, "", 0,
                          "use the service's name in rules; sudo includes sudo-i",
                          "[service %s] does not apply to any service", service->name);
}

/* --- All ---------------------------------------------------------------------- */

void ksa_config_validate(const struct ksa_config *config, const struct ksa_env *env,
                         struct ksa_diagnostics *diagnostics)
{
        check_required(config, env, diagnostics);
        check_audiences(config, NULL, diagnostics);
        for (size_t i = 0; i < config->counts[KSA_SECTION_SERVICE]; i++) {
                const struct ksa_service *service = &config->services[i];

                check_audiences(config, service, diagnostics);
                check_service(service, diagnostics);
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
        for (size_t i = 0; i < config->counts[KSA_SECTION_ACCOUNT]; i++)
                check_managed(config, &config->accounts[i], diagnostics);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/ini.h"
#include "config/value.h"

/* --- Kinds of values -------------------------------------------------------- */

#define PARSER(name)                                                                          \
        static bool name(const struct ksa_option *option __attribute__((unused)), char *text, \
                         void *value)

static bool keep(const char *text, void *value)
{
        *(const char **)value = text;
        return true;
}

PARSER(parse_audience)
{
        if (!ksa_is_audience(text))
                return false;
        ksa_lower_audience(text);
        return keep(text, value);
}

PARSER(parse_issuer)
{
        return ksa_is_uri(text) && keep(text, value);
}

PARSER(parse_selector)
{
        return ksa_is_selector(text) && keep(text, value);
}

PARSER(parse_account_uid)
{
        return ksa_is_account_uid(text) && keep(text, value);
}

PARSER(parse_host_name)
{
        return ksa_is_dns_subdomain(text) && keep(text, value);
}

PARSER(parse_path)
{
        return ksa_is_path(text) && keep(text, value);
}

static bool is_url(const char *text, const char *scheme)
{
        size_t length = strlen(scheme);

        return strncmp(text, scheme, length) == 0 && text[length] != '\0' && ksa_is_uri(text);
}

PARSER(parse_url)
{
        return is_url(text, "https://") && keep(text, value);
}

PARSER(parse_proxy)
{
        return (is_url(text, "http://") || is_url(text, "https://")) && keep(text, value);
}

PARSER(parse_keys)
{
        bool known = strcmp(text, "api") == 0 || strcmp(text, "discover") == 0 ||
                     is_url(text, "https://") ||
                     (strncmp(text, "file:", 5) == 0 && ksa_is_path(text + 5));

        return known && keep(text, value);
}

PARSER(parse_source)
{
        /* Not TEXT: it may be set_defaults()'s copy of the default, which does not live as long. */
        if (strcmp(text, "api") == 0) {
                *(const char **)value = "api";
                return true;
        }
        return strncmp(text, "file:", 5) == 0 && ksa_is_path(text + 5) && keep(text, value);
}

PARSER(parse_bool)
{
        bool yes = strcmp(text, "yes") == 0;

        if (!yes && strcmp(text, "no") != 0)
                return false;
        *(bool *)value = yes;
        return true;
}

PARSER(parse_recreated)
{
        bool accept = strcmp(text, "accept") == 0;

        if (!accept && strcmp(text, "refuse") != 0)
                return false;
        *(bool *)value = accept;
        return true;
}

PARSER(parse_duration)
{
        return ksa_text_duration(text, option->min, option->max, value);
}

PARSER(parse_number)
{
        return ksa_text_number(text, option->min, option->max, value);
}

PARSER(parse_uid_range)
{
        struct ksa_uid_range *range = value;
        char *dash = strchr(text, '-');
        uint64_t min, max;

        if (dash == NULL)
                return false;
        *dash = '\0';
        if (!ksa_text_number(text, option->min, option->max, &min) ||
            !ksa_text_number(dash + 1, min, option->max, &max)) {
                *dash = '-'; /* restore it for the message */
                return false;
        }
        range->min = (uint32_t)min;
        range->max = (uint32_t)max;
        return true;
}

static const char *const review_names[] = {
        [KSA_REVIEW_REQUIRE] = "require",
        [KSA_REVIEW_PREFER] = "prefer",
        [KSA_REVIEW_NEVER] = "never",
};

const char *ksa_review_name(enum ksa_review review)
{
        return review_names[review];
}

PARSER(parse_review)
{
        for (size_t i = KSA_REVIEW_REQUIRE; i <= KSA_REVIEW_NEVER; i++) {
                if (strcmp(text, review_names[i]) == 0) {
                        *(enum ksa_review *)value = (enum ksa_review)i;
                        return true;
                }
        }
        return false;
}

PARSER(parse_bound)
{
        bool pod = strcmp(text, "pod") == 0;

        if (!pod && strcmp(text, "any") != 0)
                return false;
        *(enum ksa_bound *)value = pod ? KSA_BOUND_POD : KSA_BOUND_ANY;
        return true;
}

PARSER(parse_token)
{
        bool session = strcmp(text, "session") == 0;

        if (!session && strcmp(text, "fresh") != 0)
                return false;
        *(enum ksa_token_source *)value = session ? KSA_TOKEN_SESSION : KSA_TOKEN_FRESH;
        return true;
}

static bool is_star(const char *text)
{
        return strcmp(text, "*") == 0;
}

PARSER(parse_pattern)
{
        struct ksa_pattern *pattern = value;
        char *colon = strchr(text, ':');
        char *slash = colon == NULL ? NULL : strchr(colon + 1, '/');

        if (slash == NULL)
                return false;
        *colon = *slash = '\0';
        if (ksa_is_section_name(text) && (is_star(colon + 1) || ksa_is_dns_label(colon + 1)) &&
            (is_star(slash + 1) || ksa_is_dns_subdomain(slash + 1))) {
                *pattern = (struct ksa_pattern){text, colon + 1, slash + 1};
                return true;
        }
        *colon = ':';
        *slash = '/';
        return false;
}

PARSER(parse_namespace)
{
        return (is_star(text) || ksa_is_dns_label(text)) && keep(text, value);
}

PARSER(parse_user)
{
        return (ksa_is_user(text) || strcmp(text, "@own") == 0) && keep(text, value);
}

PARSER(parse_group)
{
        return ksa_is_user(text) && keep(text, value);
}

PARSER(parse_service)
{
        return ksa_is_service(text) && keep(text, value);
}

PARSER(parse_network)
{
        return ksa_network_parse(text, value);
}

#define KIND(kind, name, syntax, allowed, type, parse, remedy) \
        static const struct ksa_kind kind = {name, syntax, allowed, sizeof(type), parse, remedy}

KIND(kind_audience, "audience", "audience; %H is the host name, %h up to its first dot",
     KSA_URI_ALLOWED " %H %h", const char *, parse_audience, ksa_remedy_audience);
KIND(kind_issuer, "issuer", "issuer", KSA_URI_ALLOWED " %", const char *, parse_issuer,
     ksa_remedy_characters);
KIND(kind_selector, "label selector", "label selector", KSA_SELECTOR_ALLOWED, const char *,
     parse_selector, ksa_remedy_characters);
KIND(kind_account_uid, "uid", "uid", KSA_ACCOUNT_UID_ALLOWED, const char *, parse_account_uid,
     ksa_remedy_characters);
KIND(kind_host_name, "host name", "host name", "lower-case letters, digits, hyphens and dots",
     const char *, parse_host_name, ksa_remedy_host_name);
KIND(kind_path, "path", "absolute path", KSA_PATH_ALLOWED, const char *, parse_path,
     ksa_remedy_path);
KIND(kind_url, "URL", "https://…", "https:// and " KSA_URI_ALLOWED " %", const char *, parse_url,
     ksa_remedy_url);
KIND(kind_proxy, "URL", "http://… | https://…", "http:// or https://, and " KSA_URI_ALLOWED " %",
     const char *, parse_proxy, ksa_remedy_url);
KIND(kind_keys, "source of keys", "api | discover | https://… | file:/…", NULL, const char *,
     parse_keys, ksa_remedy_keys);
KIND(kind_source, "source of accounts", "api | file:/…", NULL, const char *, parse_source,
     ksa_remedy_keys);
KIND(kind_bool, "value", "yes | no", NULL, bool, parse_bool, ksa_remedy_choice);
KIND(kind_recreated, "value", "refuse | accept", NULL, bool, parse_recreated, ksa_remedy_choice);
KIND(kind_duration, "duration", "seconds, or with a unit s, m, h, d", NULL, uint64_t,
     parse_duration, ksa_remedy_duration);
KIND(kind_number, "number", "number", "digits only", uint64_t, parse_number, ksa_remedy_number);
KIND(kind_uid_range, "range of uids", "MIN-MAX", NULL, struct ksa_uid_range, parse_uid_range,
     ksa_remedy_uid_range);
KIND(kind_review, "value", "never | prefer | require", NULL, enum ksa_review, parse_review,
     ksa_remedy_choice);
KIND(kind_bound, "value", "any | pod", NULL, enum ksa_bound, parse_bound, ksa_remedy_choice);
KIND(kind_token, "value", "fresh | session", NULL, enum ksa_token_source, parse_token,
     ksa_remedy_choice);
KIND(kind_pattern, "account", "CLUSTER:NAMESPACE/NAME; * replaces a whole part", NULL,
     struct ksa_pattern, parse_pattern, ksa_remedy_account);
KIND(kind_namespace, "namespace", "namespace or *",
     "lower-case letters, digits and hyphens, at most 63; or *", const char *, parse_namespace,
     ksa_remedy_namespace);
KIND(kind_user, "user name", "user name or @own", KSA_USER_ALLOWED "; or @own", const char *,
     parse_user, ksa_remedy_user);
KIND(kind_group, "group name", "group", KSA_USER_ALLOWED, const char *, parse_group,
     ksa_remedy_user);
KIND(kind_service, "PAM service", "PAM service", KSA_SERVICE_ALLOWED, const char *, parse_service,
     ksa_remedy_service);
KIND(kind_network, "network", "network, such as 10.0.0.0/8",
     "an address, or a network without bits after its prefix, such as 10.0.0.0/8",
     struct ksa_network, parse_network, ksa_remedy_network);

/* --- The table -------------------------------------------------------------- */

#define LIST    KSA_OPTION_LIST
#define MUST    KSA_OPTION_REQUIRED
#define DAY     UINT64_C(86400)
#define UID_MAX UINT64_C(4294967294)

/* clang-format off */
#define HOST(name, field, kind, flags, min, max, default_value, text) \
        {KSA_SECTION_HOST, name, &kind, flags, offsetof(struct ksa_host, field), min, max, default_value, text}
#define CLUSTER(field, kind, flags, min, max, default_value, text) \
        {KSA_SECTION_CLUSTER, #field, &kind, flags, offsetof(struct ksa_cluster, field), min, max, default_value, text}
#define SERVICE(field, kind, flags, default_value, text) \
        {KSA_SECTION_SERVICE, #field, &kind, flags, offsetof(struct ksa_service, field), 0, 0, default_value, text}
#define RULE(field, kind, flags, default_value, text) \
        {KSA_SECTION_RULE, #field, &kind, flags, offsetof(struct ksa_rule, field), 0, 0, default_value, text}
#define ACCOUNT(field, kind, flags, min, max, default_value, text) \
        {KSA_SECTION_ACCOUNT, #field, &kind, flags, offsetof(struct ksa_account, field), min, max, default_value, text}
#define ACCOUNTS(field, kind, flags, default_value, text) \
        {KSA_SECTION_ACCOUNTS, #field, &kind, flags, offsetof(struct ksa_accounts, field), 0, 0, default_value, text}

const struct ksa_option ksa_options[] = {
HOST("audience", audience, kind_audience, LIST | MUST, 0, 0, NULL, "audience of tokens for this host, by convention ssh://HOST"),
HOST("name", host, kind_host_name, 0, 0, 0, NULL, "this host's name in SubjectAccessReview (default: the host name)"),
HOST("class", class, kind_host_name, LIST, 0, 0, NULL, "names of groups of hosts in SubjectAccessReview"),
HOST("timeout", timeout, kind_duration, 0, 1, 60, "5s", "time limit for all requests of one login"),
HOST("max_lifetime", max_lifetime, kind_duration, 0, 60, 366 * DAY, "1h", "maximum lifetime (exp - iat) of a token"),
HOST("multiple_audiences", multiple_audiences, kind_bool, 0, 0, 0, "no", "accept tokens that also have other audiences"),
HOST("uid_range", uid_range, kind_uid_range, 0, 1000, UID_MAX, "1879048192-2147483647", "uids of users that ksa creates"),

CLUSTER(issuer, kind_issuer, LIST | MUST, 0, 0, NULL, "the iss of its tokens, byte for byte; several during a migration"),
CLUSTER(keys, kind_keys, MUST, 0, 0, NULL, "source of its public keys"),
CLUSTER(keys_max_stale, kind_duration, 0, 60, 366 * DAY, "24h", "how long a fetched key set may be used"),
CLUSTER(keys_ca_file, kind_path, 0, 0, 0, NULL, "trust anchors for fetching keys (default: the system's)"),
CLUSTER(api_server, kind_url, 0, 0, 0, NULL, "URL of the API server"),
CLUSTER(api_server_name, kind_host_name, 0, 0, 0, NULL, "the name in its certificate (default: the one in api_server)"),
CLUSTER(api_ca_file, kind_path, 0, 0, 0, NULL, "trust anchors for the API server"),
CLUSTER(credential_file, kind_path, 0, 0, 0, NULL, "this host's own token for the API server"),
CLUSTER(client_cert_file, kind_path, 0, 0, 0, NULL, "this host's client certificate, instead of a token"),
CLUSTER(client_key_file, kind_path, 0, 0, 0, NULL, "key of the client certificate"),
CLUSTER(proxy, kind_proxy, 0, 0, 0, NULL, "proxy for requests to the cluster"),
CLUSTER(review, kind_review, 0, 0, 0, "never", "whether to send a TokenReview; the stricter value of cluster and rule applies"),

SERVICE(audience, kind_audience, LIST, NULL, "audience of this service, instead of the host's"),
SERVICE(local_user, kind_bool, 0, "yes", "no: its users are not in passwd, such as the roles of a database"),

RULE(account, kind_pattern, LIST | MUST, NULL, "service accounts that the rule admits"),
RULE(account_uid, kind_account_uid, 0, NULL, "the account's Kubernetes uid"),
RULE(user, kind_user, LIST | MUST, NULL, "local users that they may become"),
RULE(service, kind_service, LIST | MUST, NULL, "PAM services for which the rule applies (sudo includes sudo-i)"),
RULE(from, kind_network, LIST, NULL, "networks from which they may log in (default: any)"),
RULE(audience, kind_audience, LIST, NULL, "audiences of the host that the rule accepts (default: all)"),
RULE(bound, kind_bound, 0, "any", "pod: the token must be bound to a running Pod"),
RULE(review, kind_review, 0, "never", "whether to send a TokenReview"),
RULE(rbac, kind_bool, 0, "no", "the cluster's RBAC must also allow the login (SubjectAccessReview)"),
RULE(once, kind_bool, 0, "no", "a token is accepted once"),
RULE(token, kind_token, 0, "fresh", "session: for sudo, also the token that opened the ssh session"),

ACCOUNT(account, kind_pattern, MUST, 0, 0, NULL, "service account that gets this local user"),
ACCOUNT(account_uid, kind_account_uid, 0, 0, 0, NULL, "the account's Kubernetes uid"),
ACCOUNT(uid, kind_number, 0, 1000, UID_MAX, NULL, "uid of the local user (default: computed)"),
ACCOUNT(groups, kind_group, LIST, 0, 0, NULL, "supplementary groups"),
ACCOUNT(home, kind_path, 0, 0, 0, NULL, "home directory"),
ACCOUNT(shell, kind_path, 0, 0, 0, NULL, "login shell"),
ACCOUNT(allow_powerful_groups, kind_bool, 0, 0, 0, "no", "allow groups that amount to root"),

ACCOUNTS(source, kind_source, 0, "api", "where the accounts come from: the cluster, or a leader's file"),
ACCOUNTS(namespaces, kind_namespace, LIST | MUST, NULL, "namespaces whose service accounts become local users"),
ACCOUNTS(selector, kind_selector, 0, NULL, "label selector for these accounts"),
ACCOUNTS(home, kind_path, 0, NULL, "directory that contains their home directories"),
ACCOUNTS(shell, kind_path, 0, NULL, "login shell"),
ACCOUNTS(recreated, kind_recreated, 0, "refuse", "what to do with an account that was deleted and re-created"),
};
/* clang-format on */

const size_t ksa_option_count = KSA_COUNT(ksa_options);

const struct ksa_option *ksa_option_find(enum ksa_section section, const char *name)
{
        for (size_t i = 0; i < ksa_option_count; i++) {
                if (ksa_options[i].section == section && strcmp(ksa_options[i].name, name) == 0)
                        return &ksa_options[i];
        }
        return NULL;
}

const struct ksa_option *ksa_option_near(enum ksa_section section, const char *name)
{
        struct ksa_near near = {.text = name};

        for (size_t i = 0; i < ksa_option_count; i++) {
                if (ksa_options[i].section == section)
                        ksa_near_try(&near, ksa_options[i].name);
        }
        return near.name != NULL ? ksa_option_find(section, near.name) : NULL;
}

uint64_t ksa_option_bit(const struct ksa_option *option)
{
        return UINT64_C(1) << (option - ksa_options);
}

bool ksa_option_given(const struct ksa_section_head *section, const struct ksa_option *option)
{
        return (section->given & ksa_option_bit(option)) != 0;
}

bool ksa_option_accepts(const struct ksa_option *option, const char *text)
{
        char copy[KSA_INI_LINE], *state = NULL;
        uint64_t value[8];
        bool is_list = (option->flags & KSA_OPTION_LIST) != 0;

        if (strlen(text) >= sizeof(copy) || ksa_value_has_placeholder(text) ||
            option->kind->size > sizeof(value))
                return false;
        (void)snprintf(copy, sizeof(copy), "%s", text);
        if (!is_list)
                return option->kind->parse(option, copy, value);
        char *item = strtok_r(copy, " ", &state);
        while (item != NULL && option->kind->parse(option, item, value))
                item = strtok_r(NULL, " ", &state);
        return item == NULL;
}

void ksa_option_remedy(const struct ksa_option *option, const struct ksa_config *config,
                       const char *value, char out[KSA_REMEDY_MAX + 1])
{
        const struct ksa_kind *kind = option->kind;
        const struct ksa_remedy_context context = {config, kind->syntax, kind->allowed, option->min,
                                                   option->max};

        kind->remedy(&context, value, out);
}

/* --- Storing values --------------------------------------------------------- */

static const char *add_to_list(const struct ksa_option *option, char *text, struct ksa_list *list,
                               bool *ret_memory)
{
        char *state = NULL;

        for (char *value = strtok_r(text, " ", &state); value != NULL;
             value = strtok_r(NULL, " ", &state)) {
                void *item = ksa_list_next(list, option->kind->size);

                *ret_memory = item == NULL;
                if (item == NULL || !option->kind->parse(option, value, item))
                        return value;
                list->count++;
        }
        return NULL;
}

const char *ksa_option_set(const struct ksa_option *option, char *text, void *section,
                           bool *ret_memory)
{
        void *target = (char *)section + option->offset;

        *ret_memory = false;
        if ((option->flags & KSA_OPTION_LIST) != 0)
                return add_to_list(option, text, target, ret_memory);
        return option->kind->parse(option, text, target) ? NULL : text;
}

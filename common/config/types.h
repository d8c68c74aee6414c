/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration in memory, and lookups of its sections. */
#ifndef KSA_CONFIG_TYPES_H
#define KSA_CONFIG_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_index.h"
#include "base/list.h"
#include "base/macros.h"
#include "base/network.h"

enum ksa_section {
        KSA_SECTION_HOST,
        KSA_SECTION_CLUSTER,
        KSA_SECTION_SERVICE,
        KSA_SECTION_RULE,
        KSA_SECTION_ACCOUNT,
        KSA_SECTION_ACCOUNTS,
        KSA_SECTION_COUNT,
};

/* The account of a rule, cluster:namespace/name. "*" matches a whole part. */
struct ksa_pattern {
        const char *cluster;
        const char *namespace;
        const char *name;
};

/* In order of strictness: a smaller value is stricter. */
enum ksa_review {
        KSA_REVIEW_REQUIRE = 1,
        KSA_REVIEW_PREFER = 2,
        KSA_REVIEW_NEVER = 3,
};

enum ksa_bound {
        KSA_BOUND_ANY = 0,
        KSA_BOUND_POD = 1,
};

/* The tokens that a rule admits. */
enum ksa_token_source {
        KSA_TOKEN_FRESH = 0,
        KSA_TOKEN_SESSION = 1, /* also the one that opened the session */
};

struct ksa_uid_range {
        uint32_t min, max;
};

/* The header line of a section. */
struct ksa_location {
        const char *file;
        unsigned line;
};

/* A line of a section that sets an option. */
struct ksa_option_line {
        const char *option; /* its name */
        size_t first;       /* position of the line's first value in the option's list */
        unsigned line;
};

/* Every section's struct begins with these members. */
#define KSA_SECTION_HEAD                                                                      \
        const char *name;                                                                     \
        struct ksa_location location;                                                         \
        uint64_t given;       /* bit N: row N of the table of options is set here */          \
        uint64_t faulty;      /* bit N: a line that sets it is not valid, and was reported */ \
        struct ksa_list lines /* struct ksa_option_line */

struct ksa_section_head {
        KSA_SECTION_HEAD;
};

struct ksa_host {
        KSA_SECTION_HEAD;
        struct ksa_list audience; /* const char * */
        const char *host;         /* option "name" */
        struct ksa_list class;    /* const char * */
        uint64_t timeout;
        uint64_t max_lifetime;
        bool multiple_audiences;
        struct ksa_uid_range uid_range;
};

struct ksa_cluster {
        KSA_SECTION_HEAD;
        struct ksa_list issuer; /* const char * */
        const char *keys;
        uint64_t keys_max_stale;
        const char *keys_ca_file;
        const char *api_server;
        const char *api_server_name;
        const char *api_ca_file;
        const char *credential_file;
        const char *client_cert_file;
        const char *client_key_file;
        const char *proxy;
        enum ksa_review review;
};

struct ksa_service {
        KSA_SECTION_HEAD;
        struct ksa_list audience; /* const char * */
        bool local_user;
};

struct ksa_rule {
        KSA_SECTION_HEAD;
        struct ksa_list account; /* struct ksa_pattern */
        const char *account_uid;
        struct ksa_list user;     /* const char * */
        struct ksa_list service;  /* const char * */
        struct ksa_list from;     /* struct ksa_network */
        struct ksa_list audience; /* const char * */
        enum ksa_bound bound;
        enum ksa_review review;
        bool rbac;
        bool once;
        enum ksa_token_source token;
};

struct ksa_account {
        KSA_SECTION_HEAD;
        struct ksa_pattern account;
        const char *account_uid;
        uint64_t uid;
        struct ksa_list groups; /* const char * */
        const char *home;
        const char *shell;
        bool allow_powerful_groups;
};

struct ksa_accounts {
        KSA_SECTION_HEAD;
        const char *source;         /* "api", or "file:" and the path of a leader's export */
        struct ksa_list namespaces; /* const char * */
        const char *selector;
        const char *home;
        const char *shell;
        bool recreated; /* true: recreated = accept */
};

struct ksa_config {
        struct ksa_host host;
        struct ksa_cluster *clusters;
        struct ksa_service *services;
        struct ksa_rule *rules;
        struct ksa_account *accounts;
        struct ksa_accounts *account_sources;
        size_t counts[KSA_SECTION_COUNT];
        struct ksa_hash_index names;      /* hash of kind and name to the section's position */
        struct ksa_hash_index rule_index; /* see rule.h */
        struct ksa_list texts;            /* char *; owns the texts of all sections */
};

/* The name of a kind, such as "cluster"; and whether such a section has a name. */
const char *ksa_section_name(enum ksa_section section);
bool ksa_section_is_named(enum ksa_section section);

/*
 * Returns the address of the array that holds the sections of one kind, and the size of an element.
 * NULL for [host], which appears once.
 */
void **ksa_config_array(struct ksa_config *config, enum ksa_section section, size_t *ret_size);

/* Returns the hash of a section's kind and name for the index. */
uint64_t ksa_section_hash(enum ksa_section section, const char *name);

/* Returns the section of that kind and name, or NULL. */
const struct ksa_section_head *ksa_config_find(const struct ksa_config *config,
                                               enum ksa_section section, const char *name);

/* Returns the struct of the section at POSITION in the order of the files. */
void *ksa_config_section(const struct ksa_config *config, enum ksa_section section,
                         size_t position);

/*
 * Returns the line of SECTION that sets value POSITION of OPTION, its name. The section's header if
 * no line sets it.
 */
struct ksa_location ksa_option_location(const void *section, const char *option, size_t position);

/* Returns the [service NAME] section, or NULL. sudo-i uses sudo's. */
const struct ksa_service *ksa_config_service(const struct ksa_config *config, const char *name);

/* Returns the [cluster NAME] section, or NULL. */
const struct ksa_cluster *ksa_config_cluster(const struct ksa_config *config, const char *name);

/* Returns the [account NAME] section, or NULL. */
const struct ksa_account *ksa_config_account(const struct ksa_config *config, const char *name);

/* Returns the path of `keys = file:PATH`; NULL if keys are fetched. */
const char *ksa_cluster_key_file(const struct ksa_cluster *cluster);

/* Returns the path of `source = file:PATH`; NULL if the API server lists the accounts. */
const char *ksa_accounts_file(const struct ksa_accounts *source);

/* Returns the name of a service in rules: "sudo" for sudo-i, else NAME itself. */
const char *ksa_service_in_rules(const char *name);

/* Whether local users start the service, so that it has no remote host. */
bool ksa_service_is_local(const char *name);

/* Takes ownership of TEXT, until ksa_config_free(). False if memory runs out: TEXT is freed. */
bool ksa_config_keep(struct ksa_config *config, char *text) KSA_MUST_CHECK;

#endif

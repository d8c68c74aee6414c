/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration: what ksa.conf and conf.d say, read, checked and indexed. */
#ifndef KSA_CONFIG_H
#define KSA_CONFIG_H

#include "env.h"
#include "error.h"
#include "index.h"
#include "network.h"
#include "option.h"

/* Where a section begins. */
struct ksa_place {
        const char *file;
        unsigned line;
};

/* Every section begins with these two, in this order. */
#define KSA_SECTION_HEAD                                                                           \
        const char *name;                                                                          \
        struct ksa_place place;                                                                    \
        uint64_t given /* bit N: row N of the table of options was written */

struct ksa_section_head {
        KSA_SECTION_HEAD;
};

struct ksa_host {
        KSA_SECTION_HEAD;
        struct ksa_list audience; /* const char * */
        const char *host;         /* name = */
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
        struct ksa_list namespaces; /* const char * */
        const char *selector;
        const char *home;
        const char *shell;
        bool recreated; /* true: accept */
        bool annotations;
};

struct ksa_config {
        struct ksa_host host;
        struct ksa_cluster *clusters;
        struct ksa_service *services;
        struct ksa_rule *rules;
        struct ksa_account *accounts;
        struct ksa_accounts *account_sources;
        size_t counts[KSA_SECTION_COUNT];
        struct ksa_index names;      /* (kind, name) of sections: position in their array */
        struct ksa_index rule_index; /* see rule.h */
        struct ksa_list texts;       /* char *: what all the pointers point into */
};

/* Whether OPTION was written in a section, rather than left to its default. */
bool ksa_option_given(const struct ksa_section_head *section, const struct ksa_option *option);

/* Told of every problem; the error is borrowed for the call. */
struct ksa_problem_sink {
        void (*tell)(void *context, const struct ksa_error *problem);
        void *context;
};

/*
 * Reads ENV's configuration file and the conf.d/ *.conf beside it, in byte order.
 * Any problem refuses the whole configuration.
 *
 * problems    told of every problem; may be NULL
 * ret_config  owned by the caller (ksa_config_free)
 * err         the first problem
 *
 * KSA_FILE_MISSING, KSA_FILE_UNSAFE, KSA_FILE_UNREADABLE   a file, see file.h
 * KSA_CONFIG_INVALID   a line or section that is wrong
 * KSA_NOT_BUILT        an option that ENV has nothing for
 * KSA_HOST_NAME        %H or %h, and the host has no name
 * KSA_MEMORY
 */
enum ksa_reason ksa_config_load(const struct ksa_env *env,
                                const struct ksa_problem_sink *problems,
                                struct ksa_config **ret_config, struct ksa_error *err)
        KSA_MUST_CHECK;

void ksa_config_free(struct ksa_config **config);

/* The section's struct at POSITION in the order of the files. */
void *ksa_config_section(const struct ksa_config *config, enum ksa_section section,
                         size_t position);

/* A [service NAME] section, sudo's for sudo-i too; NULL where there is none. */
const struct ksa_service *ksa_config_service(const struct ksa_config *config, const char *name);

/* A [cluster NAME] section; NULL where there is none. */
const struct ksa_cluster *ksa_config_cluster(const struct ksa_config *config, const char *name);

/* The service that rules speak of: "sudo" for sudo-i, else NAME itself. */
const char *ksa_service_in_rules(const char *name);

/* Adds a text that the configuration then owns and frees; false when memory runs out. */
bool ksa_config_keep(struct ksa_config *config, char *text) KSA_MUST_CHECK;

/* Item POSITION of a list of texts. */
const char *ksa_list_text(const struct ksa_list *list, size_t position);

/* Whether a list of texts holds TEXT, byte for byte. */
bool ksa_list_has(const struct ksa_list *list, const char *text);

#endif

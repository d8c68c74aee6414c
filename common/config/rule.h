/* SPDX-License-Identifier: BSD-2-Clause */
/* Which rule lets an account become a user: pure matching, and which condition said no. */
#ifndef KSA_RULE_H
#define KSA_RULE_H

#include "config/types.h"

/* What a rule is tested against. All borrowed; nothing is NULL but own_account. */
struct ksa_candidate {
        const char *cluster;
        const char *namespace;
        const char *account;
        const char *account_uid;
        const char *user;
        const char *own_account; /* cluster:namespace/account whose local user this is, or NULL */
        bool low_uid;            /* a system user: only a rule that names it */
        const char *service;
        const char *rhost;                /* "" where there is none */
        const struct ksa_list *audiences; /* of the token: const char * */
        const struct ksa_list *accepted;  /* by this host for the service */
};

/* The conditions of a rule in the order in which they are tested. */
enum ksa_condition {
        KSA_CONDITION_NONE = 0, /* nothing was tested, or all hold */
        KSA_CONDITION_ACCOUNT,
        KSA_CONDITION_ACCOUNT_UID,
        KSA_CONDITION_USER,
        KSA_CONDITION_LOW_UID,
        KSA_CONDITION_SERVICE,
        KSA_CONDITION_AUDIENCE,
        KSA_CONDITION_FROM_NAME, /* the remote host is a name, or there is none */
        KSA_CONDITION_FROM,
        KSA_CONDITION_COUNT,
};

/* For people: "another user". Static. */
const char *ksa_condition_text(enum ksa_condition condition);

/* Whether all conditions of RULE hold; if not, which is the first that does not. */
bool ksa_rule_matches(const struct ksa_rule *rule, const struct ksa_candidate *candidate,
                      enum ksa_condition *ret_failed);

/*
 * The first rule, in the order of the files, whose conditions all hold; else NULL,
 * and *RET_FAILED says how far the rule got that came closest.
 */
const struct ksa_rule *ksa_rule_find(const struct ksa_config *config,
                                     const struct ksa_candidate *candidate,
                                     enum ksa_condition *ret_failed);

/* Whether any rule names this user (or, where own_account is not NULL, @own) with this service. */
bool ksa_rule_names(const struct ksa_config *config, const char *user, const char *own_account,
                    const char *service);

/* Whether PATTERN covers the account; "default" is covered by its own name alone. */
bool ksa_pattern_covers(const struct ksa_pattern *pattern, const char *cluster,
                        const char *namespace, const char *account);

/* Fills CONFIG's rule index; false when memory runs out. */
bool ksa_rule_index_build(struct ksa_config *config) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which rule allows an account to log in as a user, and which condition of a rule does not match.
 * Pure.
 */
#ifndef KSA_RULE_H
#define KSA_RULE_H

#include "config/types.h"

/* The login that a rule is matched against. All borrowed; only own_account may be NULL. */
struct ksa_candidate {
        const char *cluster;
        const char *namespace;
        const char *account;
        const char *account_uid;
        const char *user;
        const char *own_account; /* cluster:namespace/account that owns this local user */
        bool low_uid;            /* a system user: the rule must name it */
        bool of_session;         /* the token is the one that opened the session */
        const char *service;
        const char *rhost;                /* "" without a remote host */
        const struct ksa_list *audiences; /* const char *; of the token */
        const struct ksa_list *accepted;  /* const char *; by this host for the service */
};

/* The conditions of a rule, in the order of checking. */
enum ksa_condition {
        KSA_CONDITION_NONE = 0, /* no condition was checked, or all match */
        KSA_CONDITION_ACCOUNT,
        KSA_CONDITION_ACCOUNT_UID,
        KSA_CONDITION_USER,
        KSA_CONDITION_LOW_UID,
        KSA_CONDITION_SERVICE,
        KSA_CONDITION_TOKEN,
        KSA_CONDITION_AUDIENCE,
        KSA_CONDITION_FROM_NAME, /* the remote host is a name or missing */
        KSA_CONDITION_FROM,
        KSA_CONDITION_COUNT,
};

/*
 * Completes "rule X …" for a condition that does not match, such as "is for another user". Static.
 */
const char *ksa_condition_text(enum ksa_condition condition);

/* Whether all conditions of RULE match. If not, *RET_FAILED is the first that does not. */
bool ksa_rule_matches(const struct ksa_rule *rule, const struct ksa_candidate *candidate,
                      enum ksa_condition *ret_failed);

/*
 * Returns the first rule, in the order of the files, that matches. NULL if no rule matches: then
 * *RET_FAILED is the failed condition of the rule that came closest.
 */
const struct ksa_rule *ksa_rule_find(const struct ksa_config *config,
                                     const struct ksa_candidate *candidate,
                                     enum ksa_condition *ret_failed);

/*
 * Whether any rule names this user with this service. If own_account is not NULL, @own counts as
 * naming the user.
 */
bool ksa_rule_names(const struct ksa_config *config, const char *user, const char *own_account,
                    const char *service);

/*
 * The same for rules with token = session. Without one, sudo does not look for the session's record.
 */
bool ksa_rule_names_session(const struct ksa_config *config, const char *user,
                            const char *own_account, const char *service);

/*
 * Whether a rule with token = session names the candidate's account, user and service. Its other
 * conditions are not compared.
 */
bool ksa_rule_takes_session(const struct ksa_config *config, const struct ksa_candidate *candidate);

/* Whether PATTERN matches the account. "*" does not match the account "default". */
bool ksa_pattern_covers(const struct ksa_pattern *pattern, const char *cluster,
                        const char *namespace, const char *account);

/* Fills CONFIG's rule index. False if memory runs out. */
bool ksa_rule_index_build(struct ksa_config *config) KSA_MUST_CHECK;

#endif

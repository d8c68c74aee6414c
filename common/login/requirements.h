/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the rule that matched demands beside: a token bound to a Pod, the cluster's word that the
 * token still counts (TokenReview), its word that the account may log in here (SubjectAccessReview),
 * and that the token was never used. Each can only say no.
 */
#ifndef KSA_LOGIN_REQUIREMENTS_H
#define KSA_LOGIN_REQUIREMENTS_H

#include "base/env.h"
#include "config/types.h"
#include "token/token.h"

/* Who wants what. All borrowed. */
struct ksa_requirement {
        const struct ksa_host *host;
        const struct ksa_cluster *cluster;
        const struct ksa_rule *rule;
        const struct ksa_token *token;   /* its signature held, and its claims were good */
        const struct ksa_list *accepted; /* audiences of this host for the service */
        const char *service;
        uid_t effective_uid, real_uid;
        const struct ksa_env *env;
};

/* What was asked of the cluster, for the log. Zeroed, nothing was. */
struct ksa_requirement_result {
        enum ksa_review review; /* the stricter of cluster and rule; 0: not come to */
        bool review_skipped;    /* preferred, and the cluster could not be asked */
        bool asked;             /* it answered, whatever: its audit log may have the id */
        const char
                *granted_as; /* the host's name or class that RBAC let the account into, or NULL */
};

/* KSA_NOT_BOUND */
enum ksa_reason ksa_requirement_bound(const struct ksa_rule *rule, const struct ksa_token *token,
                                      struct ksa_error *err) KSA_MUST_CHECK;

/* What ksa_api_open(), ksa_api_ask() and ksa_review_check() say; KSA_NEEDS_ROOT. */
enum ksa_reason ksa_requirement_review(const struct ksa_requirement *requirement,
                                       struct ksa_requirement_result *requirement_result,
                                       struct ksa_error *err) KSA_MUST_CHECK;

/* The same, and KSA_RBAC_DENIED. */
enum ksa_reason ksa_requirement_rbac(const struct ksa_requirement *requirement,
                                     struct ksa_requirement_result *requirement_result,
                                     struct ksa_error *err) KSA_MUST_CHECK;

/* Last of all: from here on the token is used. KSA_NO_JTI, KSA_USED_BEFORE, KSA_MARK, KSA_NEEDS_ROOT */
enum ksa_reason ksa_requirement_once(const struct ksa_requirement *requirement,
                                     struct ksa_error *err) KSA_MUST_CHECK;

#endif

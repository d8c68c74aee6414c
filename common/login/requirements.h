/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The requirements of the rule that matched: a token bound to a Pod, a token that the cluster still
 * accepts (TokenReview), an account that RBAC allows to log in here (SubjectAccessReview), and a
 * token that was not used before. Each can only refuse.
 */
#ifndef KSA_LOGIN_REQUIREMENTS_H
#define KSA_LOGIN_REQUIREMENTS_H

#include "base/env.h"
#include "config/types.h"
#include "token/token.h"

/* The inputs. All borrowed. */
struct ksa_requirement {
        const struct ksa_host *host;
        const struct ksa_cluster *cluster;
        const struct ksa_rule *rule;
        const struct ksa_token *token;   /* its signature and claims are verified */
        const struct ksa_list *accepted; /* audiences of this host for the service */
        bool of_session;                 /* the token was accepted when the session was opened */
        const char *service;
        uid_t effective_uid, real_uid;
        const struct ksa_env *env;
};

/* The requests and their results, for the log. Zeroed: no requests. */
struct ksa_requirement_result {
        enum ksa_review review; /* the stricter one of cluster and rule; 0: step not reached */
        bool review_skipped;    /* "prefer", and the cluster could not be reached */
        bool asked; /* the cluster responded with any status: its audit log may have the id */
        const char *granted_as; /* the host name or class that RBAC allows, or NULL */
};

/* Requires a token that is bound to a Pod, if the rule does. KSA_NOT_BOUND */
enum ksa_reason ksa_requirement_bound(const struct ksa_rule *rule, const struct ksa_token *token,
                                      struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Requires that the cluster accepts the token, if review= says so. KSA_NEEDS_ROOT, and the errors
 * of ksa_api_open(), ksa_api_ask() and ksa_review_check().
 */
enum ksa_reason ksa_requirement_review(const struct ksa_requirement *requirement,
                                       struct ksa_requirement_result *requirement_result,
                                       struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Requires that RBAC allows the login, if the rule has rbac. KSA_RBAC_DENIED, KSA_NEEDS_ROOT, and
 * errors of requests.
 */
enum ksa_reason ksa_requirement_rbac(const struct ksa_requirement *requirement,
                                     struct ksa_requirement_result *requirement_result,
                                     struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Requires that the token was not used before, and marks it as used. Call it last. KSA_NO_JTI,
 * KSA_USED_BEFORE, KSA_MARK, KSA_NEEDS_ROOT
 */
enum ksa_reason ksa_requirement_once(const struct ksa_requirement *requirement,
                                     struct ksa_error *err) KSA_MUST_CHECK;

#endif

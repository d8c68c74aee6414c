/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one function: whether a token opens a login. pam_ksa.so and ksactl explain both
 * call it, so what the administrator is shown is what the login did.
 */
#ifndef KSA_LOGIN_H
#define KSA_LOGIN_H

#include <sys/types.h>

#include "base/env.h"
#include "base/error.h"
#include "config/load.h"
#include "config/rule.h"
#include "login/requirements.h"
#include "login/local_user.h"
#include "token/jwk.h"
#include "token/token.h"

/* All borrowed; no text is NULL. */
struct ksa_attempt {
        const struct ksa_secret *token;
        const char *user;
        struct ksa_local_user local;
        const char *service;
        const char *rhost;   /* "" where there is none */
        uid_t effective_uid; /* of the host program */
        uid_t real_uid;      /* who started it: not root in sudo and su */
};

/* clang-format off */
#define KSA_STEPS(X)                                                                               \
X(SERVICE,   "service",   "a rule names this user and service, and the service may use tokens")    \
X(TOKEN,     "token",     "it is a well-formed service account token")                             \
X(CLUSTER,   "cluster",   "its issuer belongs to a configured cluster")                            \
X(KEY,       "key",       "one cluster of that issuer has its key")                                \
X(SIGNATURE, "signature", "the signature is valid")                                                \
X(AUDIENCE,  "audience",  "it is meant for this host")                                             \
X(TIMES,     "times",     "it is valid now")                                                       \
X(LIFETIME,  "lifetime",  "its lifetime is not too long")                                          \
X(SUBJECT,   "subject",   "it names one service account")                                          \
X(USER,      "user",      "the requested user exists under that name")                             \
X(RULE,      "rule",      "a rule allows the account to become this user in this way")             \
X(OWN,       "own",       "the user belongs to the account, if ksa created the user")              \
X(BOUND,     "bound",     "it is bound to a Pod, if the rule demands it")                          \
X(REVIEW,    "review",    "the cluster still accepts it, if that is demanded")                     \
X(RBAC,      "rbac",      "the cluster's RBAC admits the account to this host, if that is demanded")\
X(ONCE,      "once",      "it was not used before, if the rule accepts a token once")

enum ksa_step {
#define KSA_STEP_ENUM(name, word, text) KSA_STEP_##name,
        KSA_STEPS(KSA_STEP_ENUM)
#undef KSA_STEP_ENUM
        KSA_STEP_COUNT,
};
/* clang-format on */

/* Zeroed, it denies. What it points to in the configuration is borrowed. */
struct ksa_decision {
        enum ksa_outcome outcome;
        enum ksa_reason reason;                /* of the step that ended it, or KSA_OK */
        enum ksa_reason steps[KSA_STEP_COUNT]; /* KSA_UNREACHED behind that step */
        struct ksa_error error;                /* its text where the reason is not KSA_OK */
        struct ksa_token token;
        const struct ksa_list *accepted;   /* audiences, for this service */
        const struct ksa_cluster *cluster; /* whose key fits the kid; NULL before */
        struct ksa_jwk key;
        int64_t keys_fetched;        /* 0: a file, which is never out of date */
        bool keys_looked_again;      /* after a refresh was asked for */
        bool keys_may_refresh;       /* one would be asked for, and nobody here can (env.refresh) */
        bool keys_need_root;         /* one would be asked for, and the caller is not root */
        const struct ksa_rule *rule; /* NULL before a rule matched */
        enum ksa_condition closest;  /* where none did: how far the best one got */
        struct ksa_requirement_result requirement_result;
        const char *audit_id; /* of what was asked: borrowed from the environment */
        int64_t now;
};

/*
 * Decides. ATTEMPT and ENV are read, nothing is kept of them but what token texts
 * need: the attempt's token must outlive the decision. Always ksa_decision_clear() it.
 * The outcome is KSA_ALLOW, compared with ==, or something else, which is a refusal.
 */
void ksa_login(const struct ksa_config *config, const struct ksa_env *env,
               const struct ksa_attempt *attempt, struct ksa_decision *ret_decision);

/* A refusal from before there was a token to decide on: of an answer, a file, an argument. */
void ksa_decision_refuse(struct ksa_decision *ret_decision, enum ksa_reason reason,
                         const struct ksa_error *err);

void ksa_decision_clear(struct ksa_decision *decision);

/*
 * The first step alone, which needs no token: a login asks before it prompts anybody.
 *
 * KSA_OK                a token may open this login
 * KSA_NOT_NAMED         no rule names this user and service: none of our business
 * KSA_SERVICE_AUDIENCE  a service without root, and without an audience of its own
 * KSA_SERVICE_USER      local_user = no in a service with root
 * KSA_REGISTRY          whether a rule with @own does cannot be known
 */
enum ksa_reason ksa_login_concerns(const struct ksa_config *config,
                                   const struct ksa_attempt *attempt,
                                   struct ksa_error *err) KSA_MUST_CHECK;

/* Whether the client may be told why: signature, issuer and audience are known to be good. */
bool ksa_decision_is_open(const struct ksa_decision *decision);

/* Whether the token's claims are more than claims: its signature held. */
bool ksa_decision_is_verified(const struct ksa_decision *decision);

/* What the rules are tested against, once a decision has come as far as the rules. */
void ksa_decision_candidate(const struct ksa_decision *decision, const struct ksa_attempt *attempt,
                            struct ksa_candidate *ret_candidate);

const char *ksa_step_name(enum ksa_step step);
const char *ksa_step_text(enum ksa_step step);

#endif

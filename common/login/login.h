/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The function that decides whether a token admits a login. Both pam_ksa.so and ksactl explain call
 * it, so an administrator sees the decision of the real login.
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
#include "session/record.h"
#include "token/jwk.h"
#include "token/token.h"

/* The login to decide. All borrowed; no text is NULL. */
struct ksa_attempt {
        const struct ksa_secret *token;
        const char *user;
        struct ksa_local_user local;
        const char *service;
        const char *rhost;   /* "" without a remote host */
        uid_t effective_uid; /* of the host program */
        uid_t real_uid;      /* of the user who started it: not 0 in sudo and su */
        const struct ksa_record
                *record; /* of the session whose token this is; NULL: a fresh token */
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
X(BOUND,     "bound",     "it is bound to a Pod, if the rule requires it")                         \
X(REVIEW,    "review",    "the cluster still accepts it, if that is required")                     \
X(RBAC,      "rbac",      "the cluster's RBAC admits the account to this host, if that is required")\
X(ONCE,      "once",      "it was not used before, if the rule accepts a token once")

enum ksa_step {
#define KSA_STEP_ENUM(id, name, text) KSA_STEP_##id,
        KSA_STEPS(KSA_STEP_ENUM)
#undef KSA_STEP_ENUM
        KSA_STEP_COUNT,
};
/* clang-format on */

/* A decision; zeroed, it denies. Its pointers into the configuration are borrowed. */
struct ksa_decision {
        enum ksa_outcome outcome;
        enum ksa_reason reason;                /* of the step that ended the login, or KSA_OK */
        enum ksa_reason steps[KSA_STEP_COUNT]; /* results; KSA_UNREACHED after that step */
        struct ksa_error error;                /* valid unless reason is KSA_OK */
        struct ksa_token token;
        const struct ksa_list *accepted;   /* audiences of this host for the service */
        const struct ksa_cluster *cluster; /* the cluster that has the key; NULL before step key */
        struct ksa_jwk key;
        int64_t keys_fetched;        /* seconds since 1970; 0: a file, which never becomes stale */
        bool keys_looked_again;      /* a refresh was attempted */
        bool keys_may_refresh;       /* a refresh would help, but env.refresh is NULL */
        bool keys_need_root;         /* a refresh would help, but the caller is not root */
        const struct ksa_rule *rule; /* the rule that matched, or NULL */
        enum ksa_condition closest;  /* without a rule: the failed condition of the closest rule */
        struct ksa_requirement_result requirement_result;
        const char *audit_id; /* Audit-ID of the requests; borrowed from the environment */
        int64_t now;
};

/*
 * Decides. Nothing of ATTEMPT and ENV is kept, except that the decision's texts point into the
 * attempt's token and the environment's audit id, which must outlive it. ksa_decision_clear() it
 * always. The login is allowed only if the outcome == KSA_ALLOW.
 */
void ksa_login(const struct ksa_config *config, const struct ksa_env *env,
               const struct ksa_attempt *attempt, struct ksa_decision *ret_decision);

/*
 * Fills a decision that refuses before a token could be parsed: an error of a prompt response, a
 * token file or an argument. ERR is copied.
 */
void ksa_decision_refuse(struct ksa_decision *ret_decision, enum ksa_reason reason,
                         const struct ksa_error *err);

void ksa_decision_clear(struct ksa_decision *decision);

/*
 * The first step alone. It needs no token, so a login can run it before prompting.
 *
 * KSA_OK                a token may admit this login
 * KSA_NOT_NAMED         no rule names this user and service
 * KSA_SERVICE_AUDIENCE  a service without root that has no audience of its own
 * KSA_SERVICE_USER      local_user = no in a service with root
 * KSA_REGISTRY          the registry is unusable, and a rule with @own may apply
 */
enum ksa_reason ksa_login_concerns(const struct ksa_config *config,
                                   const struct ksa_attempt *attempt,
                                   struct ksa_error *err) KSA_MUST_CHECK;

/* Whether the client may be shown the reason: signature, issuer and audience are valid. */
bool ksa_decision_is_open(const struct ksa_decision *decision);

/* Whether the token's claims are verified by its signature. */
bool ksa_decision_is_verified(const struct ksa_decision *decision);

/* Fills the input of the rules. The decision must have passed step key. */
void ksa_decision_candidate(const struct ksa_decision *decision, const struct ksa_attempt *attempt,
                            struct ksa_candidate *ret_candidate);

/* Return the name of a step in logs, such as "audience", and its description. Static. */
const char *ksa_step_name(enum ksa_step step);
const char *ksa_step_text(enum ksa_step step);

#endif

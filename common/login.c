/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "login.h"

#include <string.h>

#include "claims.h"
#include "jws.h"
#include "keyset.h"
#include "text.h"

#define LEGACY_ISSUER "kubernetes/serviceaccount"
/* System users: what login.defs calls SYS_UID_MAX, plus one. */
#define FIRST_PERSON 1000

/* --- The steps -------------------------------------------------------------- */

enum ksa_reason ksa_login_concerns(const struct ksa_config *config,
                                   const struct ksa_attempt *attempt, struct ksa_error *err)
{
        const struct ksa_service *service = ksa_config_service(config, attempt->service);
        char user[KSA_QUOTED_SIZE], name[KSA_QUOTED_SIZE];

        if (!ksa_rule_names(config, attempt->user, attempt->local.own_account, attempt->service))
                return ksa_fail(err, KSA_NOT_NAMED, "no rule names user '%s' with service '%s'",
                                ksa_text_quote(ksa_text_user(attempt->user), user, 160),
                                ksa_text_quote(attempt->service, name, 160));
        if (attempt->effective_uid != 0 && (service == NULL || service->audience.count == 0))
                return ksa_fail(err, KSA_SERVICE_AUDIENCE,
                                "%s runs as uid %u and has no audience of its own",
                                ksa_text_quote(attempt->service, name, 160),
                                (unsigned)attempt->effective_uid);
        if (attempt->effective_uid == 0 && service != NULL && !service->local_user)
                return ksa_fail(err, KSA_SERVICE_USER,
                                "[service %s] has local_user = no, but %s "
                                "runs as root",
                                service->name, service->name);
        return KSA_OK;
}

static enum ksa_reason step_service(const struct ksa_config *config,
                                    const struct ksa_attempt *attempt, struct ksa_decision *d)
{
        const struct ksa_service *service = ksa_config_service(config, attempt->service);

        d->accepted = service != NULL && service->audience.count > 0 ? &service->audience
                                                                     : &config->host.audience;
        return ksa_login_concerns(config, attempt, &d->error);
}

static enum ksa_reason step_cluster(const struct ksa_config *config, struct ksa_decision *d)
{
        char quoted[KSA_QUOTED_SIZE];

        if (d->token.iss == NULL)
                return ksa_fail(&d->error, KSA_BAD_CLAIMS, "iss is missing");
        if (strcmp(d->token.iss, LEGACY_ISSUER) == 0)
                return ksa_fail(&d->error, KSA_LEGACY_TOKEN, "a legacy token, which never ends");
        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++) {
                if (ksa_list_has(&config->clusters[i].issuer, d->token.iss))
                        return KSA_OK;
        }
        return ksa_fail(&d->error, KSA_UNKNOWN_ISSUER, "no cluster has the issuer '%s'",
                        ksa_text_quote(d->token.iss, quoted, 256));
}

/* Looks the kid up in one cluster's set. */
static enum ksa_reason find_key(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                const char *kid, struct ksa_jwk *ret_key, int64_t *ret_fetched,
                                struct ksa_error *err)
{
        struct ksa_keyset *keyset = NULL;
        enum ksa_reason reason = ksa_keyset_open(cluster, env, &keyset, err);

        if (reason != KSA_OK)
                return reason;
        reason = ksa_keyset_find(keyset, kid, ret_key, err);
        *ret_fetched = ksa_keyset_fetched(keyset);
        ksa_keyset_free(&keyset);
        if (reason != KSA_KEYS_UNUSABLE)
                return reason;
        /* An entry for something else is no key: the set itself is sound. */
        struct ksa_error unusable = *err;
        return ksa_fail(err, KSA_UNKNOWN_KID, "key '%s' is of no use: %s", kid, unusable.text);
}

/*
 * The cluster whose set has the kid. A cluster without a usable set takes no part,
 * unless it is all there is. Where sets are fetched, this is the place that asks for
 * one refresh of an unknown kid.
 */
static enum ksa_reason step_key(const struct ksa_config *config, const struct ksa_env *env,
                                struct ksa_decision *d)
{
        enum ksa_reason worst = KSA_UNREACHED;
        struct ksa_error unusable = {0}, unknown = {0};
        bool some_set = false;

        if (d->token.kid == NULL)
                return ksa_fail(&d->error, KSA_NO_KID, "the header has no kid");
        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++) {
                const struct ksa_cluster *cluster = &config->clusters[i];
                struct ksa_error error = {0};
                struct ksa_jwk key;
                int64_t fetched;

                if (!ksa_list_has(&cluster->issuer, d->token.iss))
                        continue;
                enum ksa_reason reason =
                        find_key(cluster, env, d->token.kid, &key, &fetched, &error);
                if (reason == KSA_MEMORY) /* this set might have held a second key of that kid */
                        return ksa_fail(&d->error, reason, "out of memory");
                if (reason == KSA_OK && d->cluster != NULL) {
                        const char *first = d->cluster->name;

                        d->cluster = NULL;
                        return ksa_fail(&d->error, KSA_AMBIGUOUS_KID,
                                        "kid '%s' is in the sets of %s and %s", d->token.kid, first,
                                        cluster->name);
                }
                if (reason == KSA_OK) {
                        d->cluster = cluster;
                        d->key = key;
                        d->keys_fetched = fetched;
                } else if (reason == KSA_UNKNOWN_KID) {
                        unknown = error;
                } else {
                        unusable = error;
                        worst = reason;
                }
                some_set = some_set || reason == KSA_OK || reason == KSA_UNKNOWN_KID;
        }
        if (d->cluster != NULL)
                return KSA_OK;
        d->error = some_set ? unknown : unusable;
        return some_set ? KSA_UNKNOWN_KID : worst;
}

static enum ksa_reason step_user(const struct ksa_config *config, const struct ksa_attempt *attempt,
                                 struct ksa_decision *d)
{
        const struct ksa_service *service = ksa_config_service(config, attempt->service);
        char user[KSA_QUOTED_SIZE], name[KSA_QUOTED_SIZE];

        if (service != NULL && !service->local_user)
                return KSA_OK;
        if (!attempt->local.exists)
                return ksa_fail(&d->error, KSA_UNKNOWN_USER, "there is no user '%s'",
                                ksa_text_quote(ksa_text_user(attempt->user), user, 160));
        if (strcmp(attempt->local.name, attempt->user) != 0)
                return ksa_fail(&d->error, KSA_USER_DIFFERS, "'%s' is '%s' on this host",
                                ksa_text_quote(ksa_text_user(attempt->user), user, 160),
                                ksa_text_quote(attempt->local.name, name, 160));
        return KSA_OK;
}

void ksa_decision_candidate(const struct ksa_decision *d, const struct ksa_attempt *attempt,
                            struct ksa_candidate *ret_candidate)
{
        *ret_candidate = (struct ksa_candidate){
                .cluster = d->cluster->name,
                .namespace = d->token.namespace,
                .account = d->token.account,
                .account_uid = d->token.account_uid,
                .user = attempt->user,
                .own_account = attempt->local.own_account,
                .low_uid = attempt->local.exists && attempt->local.uid < FIRST_PERSON,
                .service = attempt->service,
                .rhost = attempt->rhost,
                .audiences = &d->token.audiences,
                .accepted = d->accepted,
        };
}

static enum ksa_reason step_rule(const struct ksa_config *config, const struct ksa_attempt *attempt,
                                 struct ksa_decision *d)
{
        struct ksa_candidate candidate;
        char user[KSA_QUOTED_SIZE];

        ksa_decision_candidate(d, attempt, &candidate);
        d->rule = ksa_rule_find(config, &candidate, &d->closest);
        if (d->rule != NULL)
                return KSA_OK;
        return ksa_fail(&d->error, d->closest == KSA_CONDITION_LOW_UID ? KSA_LOW_UID : KSA_NO_RULE,
                        "no rule lets %s:%s/%s become '%s': the closest %s", candidate.cluster,
                        candidate.namespace, candidate.account,
                        ksa_text_quote(ksa_text_user(attempt->user), user, 160),
                        ksa_condition_text(d->closest));
}

/* What a rule demands never falls through to a later rule. */
static enum ksa_reason step_demands(struct ksa_decision *d)
{
        const struct ksa_rule *rule = d->rule;

        if (rule->review != KSA_REVIEW_NEVER || d->cluster->review != KSA_REVIEW_NEVER ||
            rule->bound != KSA_BOUND_ANY || rule->rbac || rule->once)
                return ksa_fail(&d->error, KSA_NOT_BUILT,
                                "[rule %s] demands what this version cannot do yet", rule->name);
        return KSA_OK;
}

/* --- The decision ----------------------------------------------------------- */

/* Keeps what a step said. Zeroed memory says KSA_UNREACHED, which is not KSA_OK. */
static bool passed(struct ksa_decision *d, enum ksa_step step, enum ksa_reason reason)
{
        d->steps[step] = reason;
        d->reason = reason;
        return reason == KSA_OK;
}

void ksa_login(const struct ksa_config *config, const struct ksa_env *env,
               const struct ksa_attempt *attempt, struct ksa_decision *d)
{
        memset(d, 0, sizeof(*d));
        d->now = env->now;

        struct ksa_token *token = &d->token;
        struct ksa_error *err = &d->error;
        const struct ksa_host *host = &config->host;

        bool allowed =
                passed(d, KSA_STEP_SERVICE, step_service(config, attempt, d)) &&
                passed(d, KSA_STEP_TOKEN, ksa_token_parse(attempt->token, token, err)) &&
                passed(d, KSA_STEP_CLUSTER, step_cluster(config, d)) &&
                passed(d, KSA_STEP_KEY, step_key(config, env, d)) &&
                passed(d, KSA_STEP_SIGNATURE, ksa_jws_verify(token, &d->key, err)) &&
                passed(d, KSA_STEP_AUDIENCE,
                       ksa_claims_audience(token, d->accepted, host->multiple_audiences, err)) &&
                passed(d, KSA_STEP_TIMES, ksa_claims_times(token, env->now, err)) &&
                passed(d, KSA_STEP_LIFETIME, ksa_claims_lifetime(token, host->max_lifetime, err)) &&
                passed(d, KSA_STEP_SUBJECT, ksa_claims_subject(token, err)) &&
                passed(d, KSA_STEP_USER, step_user(config, attempt, d)) &&
                passed(d, KSA_STEP_RULE, step_rule(config, attempt, d)) &&
                passed(d, KSA_STEP_DEMANDS, step_demands(d));

        if (allowed)
                d->outcome = KSA_ALLOW; /* the only assignment */
        else
                d->outcome = ksa_reason_outcome(d->reason);
}

void ksa_decision_refuse(struct ksa_decision *ret_decision, enum ksa_reason reason,
                         const struct ksa_error *err)
{
        memset(ret_decision, 0, sizeof(*ret_decision));
        ret_decision->reason = reason;
        ret_decision->outcome = ksa_reason_outcome(reason);
        ret_decision->error = *err;
}

void ksa_decision_clear(struct ksa_decision *decision)
{
        ksa_token_clear(&decision->token);
        memset(decision, 0, sizeof(*decision));
}

bool ksa_decision_is_verified(const struct ksa_decision *decision)
{
        return decision->steps[KSA_STEP_SIGNATURE] == KSA_OK;
}

bool ksa_decision_is_open(const struct ksa_decision *decision)
{
        return ksa_decision_is_verified(decision) && decision->steps[KSA_STEP_AUDIENCE] == KSA_OK;
}

static const struct {
        const char *word, *text;
} steps[KSA_STEP_COUNT] = {
#define KSA_STEP_ROW(name, word, text) {word, text},
        KSA_STEPS(KSA_STEP_ROW)
#undef KSA_STEP_ROW
};

const char *ksa_step_word(enum ksa_step step)
{
        return steps[step].word;
}

const char *ksa_step_text(enum ksa_step step)
{
        return steps[step].text;
}

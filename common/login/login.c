/* SPDX-License-Identifier: BSD-2-Clause */
#include "login/login.h"

#include <string.h>

#include "base/text.h"
#include "token/claims.h"
#include "token/jws.h"
#include "token/key_lookup.h"

#define LEGACY_ISSUER "kubernetes/serviceaccount"
/* The first uid of ordinary users: SYS_UID_MAX of login.defs plus one. */
#define FIRST_PERSON 1000

/* --- The steps -------------------------------------------------------------- */

static enum ksa_reason concerns(const struct ksa_config *config, const struct ksa_attempt *attempt,
                                const struct ksa_service *service, struct ksa_error *err)
{
        char user[KSA_UNVERIFIED_SIZE], name[KSA_UNVERIFIED_SIZE];
        enum ksa_reason known = ksa_local_user_is_known(config, attempt->user, attempt->service,
                                                        &attempt->local, err);

        if (known != KSA_OK)
                return known;
        if (!ksa_rule_names(config, attempt->user, ksa_local_user_account(&attempt->local),
                            attempt->service))
                return ksa_fail(err, KSA_NOT_NAMED, "no rule names user \"%s\" with service \"%s\"",
                                ksa_text_quote(ksa_text_user(attempt->user), user, sizeof(user)),
                                ksa_text_quote(attempt->service, name, sizeof(name)));
        if (attempt->effective_uid != 0 && (service == NULL || service->audience.count == 0))
                return ksa_fail(err, KSA_SERVICE_AUDIENCE,
                                "%s runs as uid %u and has no audience of its own",
                                ksa_text_quote(attempt->service, name, sizeof(name)),
                                (unsigned)attempt->effective_uid);
        if (attempt->effective_uid == 0 && service != NULL && !service->local_user)
                return ksa_fail(err, KSA_SERVICE_USER,
                                "[service %s] has local_user = no, but %s "
                                "runs as root",
                                service->name, service->name);
        return KSA_OK;
}

enum ksa_reason ksa_login_concerns(const struct ksa_config *config,
                                   const struct ksa_attempt *attempt, struct ksa_error *err)
{
        return concerns(config, attempt, ksa_config_service(config, attempt->service), err);
}

/* A login in progress: inputs and decision. */
struct login {
        const struct ksa_config *config;
        const struct ksa_env *env;
        const struct ksa_attempt *attempt;
        const struct ksa_service *service; /* its [service] section, or NULL */
        struct ksa_decision *decision;
};

/* The token of a session is for the service that opened it. */
static enum ksa_reason step_service(const struct login *login, struct ksa_decision *d)
{
        const struct ksa_service *recipient = login->attempt->record != NULL
                                                      ? ksa_config_service(login->config, "sshd")
                                                      : login->service;

        d->accepted = recipient != NULL && recipient->audience.count > 0
                              ? &recipient->audience
                              : &login->config->host.audience;
        return concerns(login->config, login->attempt, login->service, &d->error);
}

static enum ksa_reason step_cluster(const struct ksa_config *config, struct ksa_decision *d)
{
        char quoted[KSA_VERIFIED_SIZE]; /* whole: administrators compare it byte for byte */

        if (d->token.iss == NULL)
                return ksa_fail(&d->error, KSA_BAD_CLAIMS, "iss is missing");
        if (strcmp(d->token.iss, LEGACY_ISSUER) == 0)
                return ksa_fail(&d->error, KSA_LEGACY_TOKEN, "a legacy token, which never expires");
        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++) {
                if (ksa_list_has(&config->clusters[i].issuer, d->token.iss))
                        return KSA_OK;
        }
        return ksa_fail(&d->error, KSA_UNKNOWN_ISSUER, "no cluster has the issuer \"%s\"",
                        ksa_text_quote(d->token.iss, quoted, sizeof(quoted)));
}

static enum ksa_reason step_user(const struct login *login, struct ksa_decision *d)
{
        const struct ksa_attempt *attempt = login->attempt;
        char user[KSA_UNVERIFIED_SIZE], name[KSA_UNVERIFIED_SIZE];

        if (login->service != NULL && !login->service->local_user)
                return KSA_OK;
        enum ksa_reason there = ksa_local_user_is_there(&attempt->local, &d->error);
        if (there != KSA_OK)
                return there;
        if (!attempt->local.exists)
                return ksa_fail(&d->error, KSA_UNKNOWN_USER, "user \"%s\" does not exist",
                                ksa_text_quote(ksa_text_user(attempt->user), user, sizeof(user)));
        if (strcmp(attempt->local.name, attempt->user) != 0)
                return ksa_fail(&d->error, KSA_USER_DIFFERS, "\"%s\" is \"%s\" on this host",
                                ksa_text_quote(ksa_text_user(attempt->user), user, sizeof(user)),
                                ksa_text_quote(attempt->local.name, name, sizeof(name)));
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
                .own_account = ksa_local_user_account(&attempt->local),
                .low_uid = attempt->local.exists && attempt->local.uid < FIRST_PERSON,
                .of_session = attempt->record != NULL,
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
        char user[KSA_UNVERIFIED_SIZE], account[KSA_VERIFIED_SIZE];

        ksa_decision_candidate(d, attempt, &candidate);
        d->rule = ksa_rule_find(config, &candidate, &d->closest);
        if (d->rule != NULL)
                return KSA_OK;
        /*
         * Only @own can be the reason for KSA_CONDITION_USER here: rules that name another user are
         * not in the index under this one.
         */
        if (d->closest == KSA_CONDITION_USER)
                return ksa_local_user_missed(&attempt->local, d->cluster, &d->token, &d->error);
        return ksa_fail(&d->error, d->closest == KSA_CONDITION_LOW_UID ? KSA_LOW_UID : KSA_NO_RULE,
                        "no rule allows %s:%s/%s to become \"%s\": the closest %s",
                        candidate.cluster, candidate.namespace,
                        ksa_text_quote(candidate.account, account, sizeof(account)),
                        ksa_text_quote(ksa_text_user(attempt->user), user, sizeof(user)),
                        ksa_condition_text(d->closest));
}

/* --- The decision ----------------------------------------------------------- */

/*
 * Stores the result of a step. Returns whether the login continues. Zeroed memory is KSA_UNREACHED,
 * not KSA_OK.
 */
static bool passed(struct ksa_decision *d, enum ksa_step step, enum ksa_reason reason)
{
        d->steps[step] = reason;
        d->reason = reason;
        return reason == KSA_OK;
}

/*
 * The steps from audience to local user. Pure, so that they can also run before the signature is
 * verified.
 */
static bool claims_and_rule(const struct login *login, struct ksa_decision *d)
{
        const struct ksa_host *host = &login->config->host;
        const struct ksa_token *token = &d->token;
        struct ksa_error *err = &d->error;

        return passed(d, KSA_STEP_AUDIENCE,
                      ksa_claims_audience(token, d->accepted, host->multiple_audiences, err)) &&
               passed(d, KSA_STEP_TIMES, ksa_claims_times(token, login->env->now, err)) &&
               passed(d, KSA_STEP_LIFETIME, ksa_claims_lifetime(token, host->max_lifetime, err)) &&
               passed(d, KSA_STEP_SUBJECT, ksa_claims_subject(token, err)) &&
               passed(d, KSA_STEP_USER, step_user(login, d)) &&
               passed(d, KSA_STEP_RULE, step_rule(login->config, login->attempt, d)) &&
               passed(d, KSA_STEP_OWN,
                      ksa_local_user_check(&login->attempt->local, d->rule, d->cluster, token,
                                           err)) &&
               passed(d, KSA_STEP_BOUND, ksa_requirement_bound(d->rule, token, err));
}

/*
 * Whether the token could be admitted if CLUSTER signed it. Evaluated on a copy that is discarded.
 */
static bool could_be_of(const struct ksa_cluster *cluster, void *context)
{
        const struct login *login = context;
        struct ksa_decision probe = *login->decision;

        probe.cluster = cluster;
        return claims_and_rule(login, &probe);
}

/*
 * Refreshes key sets that may be stale, or stores in ERR why not. Users can kill, stop or freeze
 * the processes of a program that they started, such as sudo. A refresh among them would hold the
 * lock that other logins wait for.
 */
static void refresh_keys(struct login *login, struct ksa_error *err)
{
        struct ksa_decision *d = login->decision;
        bool is_root = login->attempt->effective_uid == 0 && login->attempt->real_uid == 0;

        if (is_root && login->env->refresh != NULL) {
                d->keys_looked_again = ksa_key_lookup_refresh(
                        login->config, login->env, d->token.iss, could_be_of, login, err);
                return;
        }
        const char *cluster =
                ksa_key_lookup_may_refresh(login->config, d->token.iss, could_be_of, login);
        d->keys_may_refresh = is_root && cluster != NULL;
        d->keys_need_root = !is_root && cluster != NULL;
        if (d->keys_need_root)
                (void)ksa_fail(err, KSA_NEEDS_ROOT,
                               "callers other than root do not start a refresh: run ksactl keys "
                               "refresh %s as root",
                               cluster);
}

/* At most one refresh and one more lookup. */
static enum ksa_reason step_key(struct login *login)
{
        struct ksa_decision *d = login->decision;
        struct ksa_key_found found = {.cluster = NULL};
        struct ksa_error refresh = {0};

        if (d->token.kid == NULL)
                return ksa_fail(&d->error, KSA_NO_KID, "the header has no kid");
        enum ksa_reason reason = ksa_key_lookup_find(login->config, login->env, d->token.iss,
                                                     d->token.kid, &found, &d->error);
        if (ksa_key_lookup_may_be_old(reason))
                refresh_keys(login, &refresh);
        if (d->keys_looked_again)
                reason = ksa_key_lookup_find(login->config, login->env, d->token.iss, d->token.kid,
                                             &found, &d->error);
        if (reason != KSA_OK && refresh.text[0] != '\0') {
                struct ksa_error first = d->error;

                (void)ksa_fail(&d->error, reason, "%s; the refresh: %s", first.text, refresh.text);
                ksa_error_keep_remedy(&d->error, &first);
        }
        if (ksa_key_lookup_may_be_old(reason))
                ksa_key_lookup_add_failure(login->config, login->env, d->token.iss, &d->error);
        d->cluster = found.cluster;
        d->key = found.key;
        d->keys_fetched = found.fetched;
        return reason;
}

/* The rule's requirements. If one fails, the login is refused; later rules are not tried. */
static bool requirements(const struct login *login, struct ksa_decision *d)
{
        const struct ksa_requirement requirement = {
                .host = &login->config->host,
                .cluster = d->cluster,
                .rule = d->rule,
                .token = &d->token,
                .accepted = d->accepted,
                .of_session = login->attempt->record != NULL,
                .service = login->attempt->service,
                .effective_uid = login->attempt->effective_uid,
                .real_uid = login->attempt->real_uid,
                .env = login->env,
        };

        return passed(d, KSA_STEP_REVIEW,
                      ksa_requirement_review(&requirement, &d->requirement_result, &d->error)) &&
               passed(d, KSA_STEP_RBAC,
                      ksa_requirement_rbac(&requirement, &d->requirement_result, &d->error)) &&
               passed(d, KSA_STEP_ONCE, ksa_requirement_once(&requirement, &d->error));
}

void ksa_login(const struct ksa_config *config, const struct ksa_env *env,
               const struct ksa_attempt *attempt, struct ksa_decision *d)
{
        struct login login = {config, env, attempt, ksa_config_service(config, attempt->service),
                              d};
        struct ksa_token *token = &d->token;
        struct ksa_error *err = &d->error;

        memset(d, 0, sizeof(*d));
        d->now = env->now;
        d->audit_id = env->audit_id;
        bool allowed = passed(d, KSA_STEP_SERVICE, step_service(&login, d)) &&
                       passed(d, KSA_STEP_TOKEN, ksa_token_parse(attempt->token, token, err)) &&
                       passed(d, KSA_STEP_CLUSTER, step_cluster(config, d)) &&
                       passed(d, KSA_STEP_KEY, step_key(&login)) &&
                       passed(d, KSA_STEP_SIGNATURE, ksa_jws_verify(token, &d->key, err)) &&
                       claims_and_rule(&login, d) && requirements(&login, d);

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
        const char *name, *text;
} steps[KSA_STEP_COUNT] = {
#define KSA_STEP_ROW(id, name, text) {name, text},
        KSA_STEPS(KSA_STEP_ROW)
#undef KSA_STEP_ROW
};

const char *ksa_step_name(enum ksa_step step)
{
        return steps[step].name;
}

const char *ksa_step_text(enum ksa_step step)
{
        return steps[step].text;
}

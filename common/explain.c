/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claims.h"
#include "text.h"

/* ` name="value"`; nothing where the value is not known. */
static void put(FILE *out, const char *prefix, const char *name, const char *value)
{
        char quoted[KSA_QUOTED_SIZE];

        if (value != NULL)
                (void)fprintf(out, " %s%s=\"%s\"", prefix, name,
                              ksa_text_quote(value, quoted, sizeof(quoted)));
}

static void put_time(FILE *out, const char *prefix, const char *name, const struct ksa_time *time)
{
        if (time->given)
                (void)fprintf(out, " %s%s=%lld", prefix, name, (long long)time->seconds);
}

static void put_claims(FILE *out, const struct ksa_decision *decision)
{
        const struct ksa_token *token = &decision->token;
        const char *prefix = ksa_decision_is_verified(decision) ? "" : "unverified_";

        if (decision->cluster != NULL)
                put(out, prefix, "cluster", decision->cluster->name);
        else
                put(out, prefix, "iss", token->iss);
        put(out, prefix, "namespace", token->namespace);
        put(out, prefix, "account", token->account);
        put(out, prefix, "account_uid", token->account_uid);
        put(out, prefix, "pod", token->pod);
        put(out, prefix, "pod_uid", token->pod_uid);
        if (token->audiences.count > 0)
                put(out, prefix, "aud", ksa_list_text(&token->audiences, 0));
        put_time(out, prefix, "iat", &token->iat);
        put_time(out, prefix, "exp", &token->exp);
        put(out, prefix, "jti", token->jti);
        put(out, prefix, "kid", token->kid);
}

const char *ksa_explain_review(const struct ksa_decision *decision)
{
        if (decision->demanded.review == 0)
                return NULL;
        if (decision->demanded.review_skipped)
                return "skipped";
        return ksa_review_word(decision->demanded.review);
}

/* What the cluster was asked, and where its own log has it. */
static void put_asked(FILE *out, const struct ksa_decision *decision)
{
        const struct ksa_demanded *demanded = &decision->demanded;

        if (decision->keys_looked_again)
                (void)fputs(" keys=looked-again", out);
        if (decision->keys_need_root)
                (void)fputs(" keys=needs-root", out);
        if (demanded->review == 0)
                return;
        (void)fprintf(out, " review=%s", ksa_explain_review(decision));
        if (demanded->asked)
                (void)fprintf(out, " audit_id=%s", decision->audit_id);
        put(out, "", "granted_as", demanded->granted_as);
}

static const char *remedy_of(const struct ksa_decision *decision)
{
        return decision->error.remedy != NULL ? decision->error.remedy
                                              : ksa_reason_remedy(decision->reason);
}

char *ksa_explain_line(const struct ksa_attempt *attempt, const struct ksa_decision *decision,
                       const char *reference)
{
        bool allowed = decision->outcome == KSA_ALLOW;
        char *line = NULL, quoted[KSA_QUOTED_SIZE];
        size_t length = 0;
        FILE *out = open_memstream(&line, &length);

        if (out == NULL)
                return NULL;
        (void)fprintf(out, "result=%s reason=%s service=", allowed ? "allow" : "deny",
                      ksa_reason_word(decision->reason));
        (void)fprintf(out, ksa_is_graphic(attempt->service) ? "%s" : "\"%s\"",
                      ksa_text_quote(attempt->service, quoted, sizeof(quoted)));
        (void)fprintf(out, " ref=%s", reference);
        put(out, "", "rhost", attempt->rhost);
        put(out, "", "user", ksa_text_user(attempt->user));
        put_claims(out, decision);
        if (decision->rule != NULL)
                put(out, "", "rule", decision->rule->name);
        put_asked(out, decision);
        if (!allowed) {
                if (decision->error.file[0] != '\0')
                        put(out, "", "file", decision->error.file);
                if (decision->error.line != 0)
                        (void)fprintf(out, " line=%u", decision->error.line);
                (void)fprintf(out, " why=\"%s\" remedy=\"%s\"",
                              ksa_text_quote(decision->error.text, quoted, sizeof(quoted)),
                              remedy_of(decision));
        }
        if (fclose(out) != 0) {
                free(line);
                return NULL;
        }
        return line;
}

char *ksa_explain_to_client(const struct ksa_decision *decision, const char *reference,
                            const char *host_name)
{
        char *text = NULL;
        bool open = ksa_decision_is_open(decision);

        if (asprintf(&text, "Service account token refused (ref %s on %s)%s%s", reference,
                     host_name, open ? ": " : "", open ? decision->error.text : "") < 0)
                return NULL;
        return text;
}

/* --- Steps ------------------------------------------------------------------ */

static void explain_token(const struct ksa_decision *d, char *out, size_t size)
{
        (void)snprintf(out, size, "%s, kid \"%s\"", ksa_algorithm_name(d->token.algorithm),
                       d->token.kid != NULL ? d->token.kid : "");
}

static void explain_key(const struct ksa_decision *d, char *out, size_t size)
{
        int length = snprintf(out, size, "cluster %s, %s key of %u bits, ", d->cluster->name,
                              ksa_algorithm_name(d->key.algorithm), ksa_jwk_bits(&d->key));

        if (length < 0 || (size_t)length >= size)
                return;
        if (d->keys_fetched == 0)
                (void)snprintf(out + length, size - (size_t)length, "from a file");
        else if (d->keys_fetched >= d->now) /* for this login, after it had read the clock */
                (void)snprintf(out + length, size - (size_t)length, "fetched just now");
        else
                (void)snprintf(out + length, size - (size_t)length, "fetched %lld s ago",
                               (long long)(d->now - d->keys_fetched));
}

static void explain_times(const struct ksa_decision *d, char *out, size_t size)
{
        (void)snprintf(out, size,
                       "issued %lld s ago, ends in %lld s (iat %lld, nbf %lld, exp %lld, now %lld, "
                       "leeway %d s)",
                       (long long)(d->now - d->token.iat.seconds),
                       (long long)(d->token.exp.seconds - d->now), (long long)d->token.iat.seconds,
                       (long long)d->token.nbf.seconds, (long long)d->token.exp.seconds,
                       (long long)d->now, KSA_LEEWAY);
}

static void explain_user(const struct ksa_attempt *attempt, char *out, size_t size)
{
        char user[KSA_QUOTED_SIZE];

        if (attempt->local.exists)
                (void)snprintf(out, size, "\"%s\" has uid %u",
                               ksa_text_quote(ksa_text_user(attempt->user), user, 300),
                               (unsigned)attempt->local.uid);
        else
                (void)snprintf(out, size, "this service has no local users");
}

static void explain_own(const struct ksa_attempt *attempt, char *out, size_t size)
{
        const char *account = ksa_own_account(&attempt->local);

        if (account == NULL)
                (void)snprintf(out, size, "the user is not of the registry");
        else
                (void)snprintf(out, size, "made for %s, uid \"%s\"", account,
                               attempt->local.own->record.account_uid);
}

static void explain_review(const struct ksa_demanded *demanded, char *out, size_t size)
{
        if (demanded->review == KSA_REVIEW_NEVER)
                (void)snprintf(out, size, "not demanded");
        else if (demanded->review_skipped)
                (void)snprintf(out, size,
                               "skipped: the cluster could not be asked, and review = "
                               "prefer lets that pass");
        else
                (void)snprintf(out, size, "%s: TokenReview names the same account and audience",
                               ksa_review_word(demanded->review));
}

static void explain_demand(const struct ksa_decision *d, enum ksa_step step, char *out, size_t size)
{
        if (step == KSA_STEP_REVIEW)
                explain_review(&d->demanded, out, size);
        else if (step == KSA_STEP_BOUND && d->rule->bound == KSA_BOUND_POD)
                (void)snprintf(out, size, "Pod \"%s\", uid \"%s\"", d->token.pod, d->token.pod_uid);
        else if (step == KSA_STEP_RBAC && d->rule->rbac)
                (void)snprintf(out, size, "hosts.ksa.dev \"%s\" is granted in namespace %s",
                               d->demanded.granted_as, d->token.namespace);
        else if (step == KSA_STEP_ONCE && d->rule->once)
                (void)snprintf(out, size, "it was not used before; a login would mark it");
        else
                (void)snprintf(out, size, "not demanded");
}

static void explain_passed(const struct ksa_attempt *attempt, const struct ksa_decision *d,
                           enum ksa_step step, char *out, size_t size)
{
        char user[KSA_QUOTED_SIZE], other[KSA_QUOTED_SIZE];

        switch (step) {
        case KSA_STEP_SERVICE:
                (void)snprintf(out, size, "user \"%s\", service \"%s\"",
                               ksa_text_quote(ksa_text_user(attempt->user), user, 300),
                               ksa_text_quote(attempt->service, other, 300));
                break;
        case KSA_STEP_TOKEN:
                explain_token(d, out, size);
                break;
        case KSA_STEP_CLUSTER:
                (void)snprintf(out, size, "issuer \"%s\"",
                               ksa_text_quote(d->token.iss, other, sizeof(other)));
                break;
        case KSA_STEP_KEY:
                explain_key(d, out, size);
                break;
        case KSA_STEP_SIGNATURE:
                (void)snprintf(out, size, "%s over %zu bytes", ksa_algorithm_name(d->key.algorithm),
                               d->token.signed_length);
                break;
        case KSA_STEP_AUDIENCE:
                (void)snprintf(out, size, "the token is for \"%s\"",
                               ksa_text_quote(ksa_list_text(&d->token.audiences, 0), other,
                                              sizeof(other)));
                break;
        case KSA_STEP_TIMES:
                explain_times(d, out, size);
                break;
        case KSA_STEP_LIFETIME:
                (void)snprintf(out, size, "it lives for %lld s",
                               (long long)(d->token.exp.seconds - d->token.iat.seconds));
                break;
        case KSA_STEP_SUBJECT:
                (void)snprintf(out, size, "sub \"%s\", account uid \"%s\"", d->token.sub,
                               d->token.account_uid);
                break;
        case KSA_STEP_USER:
                explain_user(attempt, out, size);
                break;
        case KSA_STEP_RULE:
                (void)snprintf(out, size, "[rule %s] in %s line %u", d->rule->name,
                               d->rule->place.file, d->rule->place.line);
                break;
        case KSA_STEP_OWN:
                explain_own(attempt, out, size);
                break;
        case KSA_STEP_BOUND:
        case KSA_STEP_REVIEW:
        case KSA_STEP_RBAC:
        case KSA_STEP_ONCE:
                explain_demand(d, step, out, size);
                break;
        case KSA_STEP_COUNT:
        default:
                break;
        }
}

const char *ksa_explain_step(const struct ksa_attempt *attempt, const struct ksa_decision *decision,
                             enum ksa_step step, char *out, size_t size)
{
        if (size > 0)
                out[0] = '\0';
        if (decision->steps[step] == KSA_OK)
                explain_passed(attempt, decision, step, out, size);
        else if (decision->steps[step] != KSA_UNREACHED)
                (void)snprintf(out, size, "%s%s", decision->error.text,
                               step == KSA_STEP_KEY && decision->keys_may_refresh
                                       ? "; a login would refresh the key set first"
                                       : "");
        return out;
}

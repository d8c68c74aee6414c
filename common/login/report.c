/* SPDX-License-Identifier: BSD-2-Clause */
#include "login/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/option.h"
#include "token/claims.h"

/* --- The log line ------------------------------------------------------------ */

/* A line in construction. LENGTH counts all bytes, also those that did not fit. */
struct line {
        char *text;
        size_t length;
        size_t limit; /* bytes of a value */
};

static void add(struct line *line, const char *format, ...) KSA_PRINTF(2, 3);
static void add(struct line *line, const char *format, ...)
{
        size_t room = line->length < KSA_LINE_SIZE ? KSA_LINE_SIZE - line->length : 0;
        va_list arguments;

        va_start(arguments, format);
        int length =
                vsnprintf(room > 0 ? line->text + line->length : NULL, room, format, arguments);
        va_end(arguments);
        if (length > 0)
                line->length += (size_t)length;
}

/*
 * Each key of the line is the third argument of a put_…(): a test compares them with the manual and with
 * STABILITY.md. WORD is one of ours, or has no space and no quotation mark.
 */
static void put_word(struct line *line, const char *prefix, const char *name, const char *word)
{
        add(line, "%s%s%s=%s", line->length > 0 ? " " : "", prefix, name, word);
}

static void put_number(struct line *line, const char *prefix, const char *name, long long number)
{
        add(line, " %s%s=%lld", prefix, name, number);
}

/* ` name="value"`, with a value that is cut to SIZE or less; nothing where the value is not known. */
static void put_text(struct line *line, const char *prefix, const char *name, const char *value,
                     size_t size)
{
        char quoted[KSA_VERIFIED_SIZE];

        if (value != NULL)
                add(line, " %s%s=\"%s\"", prefix, name,
                    ksa_text_quote(value, quoted, size < line->limit ? size : line->limit));
}

/* The same for the texts of a list: verified ones share the room of four values, others that of one. */
static void put_list(struct line *line, const char *prefix, const char *name,
                     const struct ksa_list *list, bool verified)
{
        char quoted[4 * KSA_VERIFIED_SIZE];
        size_t size = line->limit < KSA_UNVERIFIED_SIZE ? line->limit : KSA_UNVERIFIED_SIZE;

        if (verified)
                size = 4 * line->limit;
        if (list->count > 0)
                add(line, " %s%s=\"%s\"", prefix, name, ksa_text_quote_list(list, quoted, size));
}

static void put_time(struct line *line, const char *prefix, const char *name,
                     const struct ksa_time *time)
{
        if (time->given)
                put_number(line, prefix, name, time->seconds);
}

static void put_claims(struct line *line, const struct ksa_decision *decision)
{
        const struct ksa_token *token = &decision->token;
        bool verified = ksa_decision_is_verified(decision);
        const char *prefix = verified ? "" : "unverified_";
        size_t size = verified ? KSA_VERIFIED_SIZE : KSA_UNVERIFIED_SIZE;

        if (decision->cluster != NULL)
                put_text(line, prefix, "cluster", decision->cluster->name, size);
        put_text(line, prefix, "iss", token->iss, size);
        put_text(line, prefix, "namespace", token->namespace, size);
        put_text(line, prefix, "account", token->account, size);
        put_text(line, prefix, "account_uid", token->account_uid, size);
        if (decision->steps[KSA_STEP_TOKEN] == KSA_OK)
                put_word(line, prefix, "bound", ksa_token_bound(token));
        put_text(line, prefix, "pod", token->pod, size);
        put_text(line, prefix, "pod_uid", token->pod_uid, size);
        put_text(line, prefix, "secret", token->secret, size);
        put_text(line, prefix, "secret_uid", token->secret_uid, size);
        put_text(line, prefix, "node", token->node, size);
        put_text(line, prefix, "node_uid", token->node_uid, size);
        put_list(line, prefix, "aud", &token->audiences, verified);
        put_time(line, prefix, "iat", &token->iat);
        put_time(line, prefix, "exp", &token->exp);
        put_text(line, prefix, "jti", token->jti, size);
        put_text(line, prefix, "kid", token->kid, size);
}

const char *ksa_report_review(const struct ksa_decision *decision)
{
        if (decision->requirement_result.review == 0)
                return NULL;
        if (decision->requirement_result.review_skipped)
                return "skipped";
        return ksa_review_name(decision->requirement_result.review);
}

/* What the cluster was asked, and where its own log has it. */
static void put_asked(struct line *line, const struct ksa_decision *decision)
{
        const struct ksa_requirement_result *requirement_result = &decision->requirement_result;

        if (decision->keys_looked_again)
                put_word(line, "", "refresh", "started");
        if (decision->keys_need_root)
                put_word(line, "", "refresh", "needs-root");
        if (requirement_result->review == 0)
                return;
        put_word(line, "", "review", ksa_report_review(decision));
        if (requirement_result->asked)
                put_word(line, "", "audit_id", decision->audit_id);
        put_text(line, "", "granted_as", requirement_result->granted_as, KSA_VERIFIED_SIZE);
}

const char *ksa_report_remedy(const struct ksa_decision *decision, char out[KSA_REMEDY_MAX + 1])
{
        const struct ksa_error *error = &decision->error;
        const char *known = decision->cluster != NULL ? decision->cluster->name : error->cluster;

        const char *remedy = ksa_error_remedy(error);

        return ksa_remedy_of(remedy != NULL ? remedy : ksa_reason_remedy(decision->reason), known,
                             out);
}

/* `why` and `remedy` are whole, however little is left of other values. */
static void put_whole(struct line *line, const char *prefix, const char *name, const char *text)
{
        char whole[KSA_ERROR_SIZE];

        add(line, " %s%s=\"%s\"", prefix, name, ksa_text_whole(text, whole, sizeof(whole)));
}

static void put_refusal(struct line *line, const struct ksa_decision *decision)
{
        char remedy[KSA_REMEDY_MAX + 1];

        if (decision->error.file[0] != '\0')
                put_text(line, "", "file", decision->error.file, KSA_VERIFIED_SIZE);
        if (decision->error.line != 0)
                put_number(line, "", "line", decision->error.line);
        put_whole(line, "", "why", decision->error.text);
        if (*ksa_report_remedy(decision, remedy) != '\0')
                put_whole(line, "", "remedy", remedy);
}

const char *ksa_report_result(const struct ksa_decision *decision)
{
        if (decision->outcome == KSA_ALLOW)
                return "allow";
        if (decision->outcome == KSA_UNAVAILABLE || decision->outcome == KSA_NOT_OURS)
                return "unavailable";
        return "deny";
}

/* Who called, and what this host knew of the user. Both may have changed when the line is replayed. */
static void put_caller(struct line *line, const struct ksa_attempt *attempt)
{
        put_number(line, "", "real_uid", attempt->real_uid);
        put_number(line, "", "effective_uid", attempt->effective_uid);
        if (attempt->local.exists)
                put_number(line, "", "user_uid", attempt->local.uid);
        put_text(line, "", "user_account", ksa_local_user_account(&attempt->local),
                 KSA_VERIFIED_SIZE);
        if (attempt->record != NULL) {
                put_word(line, "", "how", "session");
                put_number(line, "", "session", (long long)attempt->record->audit);
                put_word(line, "", "login_ref", attempt->record->reference);
        }
}

static void put_all(struct line *line, const struct ksa_attempt *attempt,
                    const struct ksa_decision *decision, const char *reference)
{
        char quoted[KSA_UNVERIFIED_SIZE];

        put_word(line, "", "result", ksa_report_result(decision));
        put_word(line, "", "reason", ksa_reason_name(decision->reason));
        if (ksa_is_graphic(attempt->service))
                put_word(line, "", "service",
                         ksa_text_quote(attempt->service, quoted, sizeof(quoted)));
        else
                put_text(line, "", "service", attempt->service, KSA_UNVERIFIED_SIZE);
        put_word(line, "", "ref", reference);
        put_text(line, "", "rhost", attempt->rhost, KSA_UNVERIFIED_SIZE);
        put_text(line, "", "user", ksa_text_user(attempt->user), KSA_UNVERIFIED_SIZE);
        put_caller(line, attempt);
        put_claims(line, decision);
        if (decision->rule != NULL)
                put_text(line, "", "rule", decision->rule->name, KSA_VERIFIED_SIZE);
        put_asked(line, decision);
        if (decision->outcome != KSA_ALLOW)
                put_refusal(line, decision);
}

const char *ksa_report_line(const struct ksa_attempt *attempt, const struct ksa_decision *decision,
                            const char *reference, char out[KSA_LINE_SIZE])
{
        struct line line;
        size_t limit = KSA_VERIFIED_SIZE;

        do {
                line = (struct line){.text = out, .limit = limit};
                put_all(&line, attempt, decision, reference);
                limit /= 2;
        } while (line.length >= KSA_LINE_SIZE && limit > 0);
        return out;
}

char *ksa_report_to_client(const struct ksa_decision *decision, enum ksa_reason hint,
                           const char *reference, const char *host_name)
{
        char *text = NULL;
        const char *word = "", *why = "";

        if (ksa_decision_is_open(decision)) {
                why = decision->error.text;
        } else if (hint != KSA_OK && hint != KSA_UNREACHED) {
                word = ksa_reason_name(hint);
                why = ksa_reason_remedy(hint);
        }
        if (asprintf(&text, "Service account token refused (ref %s on %s)%s%s%s%s", reference,
                     host_name, *why != '\0' ? ": " : "", word, *word != '\0' ? ": " : "", why) < 0)
                return NULL;
        return text;
}

/* --- Steps ------------------------------------------------------------------ */

static void explain_token(const struct ksa_decision *d, char *out, size_t size)
{
        char kid[KSA_UNVERIFIED_SIZE];

        (void)snprintf(out, size, "%s, kid \"%s\"", ksa_algorithm_name(d->token.algorithm),
                       ksa_text_quote(d->token.kid != NULL ? d->token.kid : "", kid, sizeof(kid)));
}

static void explain_key(const struct ksa_decision *d, char *out, size_t size)
{
        int length = snprintf(out, size, "cluster %s, %s key of %u bits, ", d->cluster->name,
                              ksa_algorithm_name(d->key.algorithm), ksa_jwk_bits(&d->key));

        if (length < 0 || (size_t)length >= size)
                return;
        if (d->keys_fetched == 0)
                (void)snprintf(out + length, size - (size_t)length, "from a file");
        else if (d->keys_fetched >= d->now) /* a refresh for this login, after env->now was read */
                (void)snprintf(out + length, size - (size_t)length, "fetched just now");
        else
                (void)snprintf(out + length, size - (size_t)length, "fetched %lld s ago",
                               (long long)(d->now - d->keys_fetched));
}

static void explain_times(const struct ksa_decision *d, char *out, size_t size)
{
        (void)snprintf(out, size,
                       "issued %lld s ago, expires in %lld s (iat %lld, nbf %lld, exp %lld, now "
                       "%lld, leeway %d s)",
                       (long long)(d->now - d->token.iat.seconds),
                       (long long)(d->token.exp.seconds - d->now), (long long)d->token.iat.seconds,
                       (long long)d->token.nbf.seconds, (long long)d->token.exp.seconds,
                       (long long)d->now, KSA_LEEWAY);
}

static void explain_user(const struct ksa_attempt *attempt, char *out, size_t size)
{
        char user[KSA_UNVERIFIED_SIZE];

        if (attempt->local.exists)
                (void)snprintf(out, size, "\"%s\" has uid %u",
                               ksa_text_quote(ksa_text_user(attempt->user), user, sizeof(user)),
                               (unsigned)attempt->local.uid);
        else
                (void)snprintf(out, size, "not checked: this service has no local users");
}

static void explain_own(const struct ksa_attempt *attempt, char *out, size_t size)
{
        const char *account = ksa_local_user_account(&attempt->local);
        const struct ksa_managed_user *managed = attempt->local.managed;

        if (managed != NULL && managed->broken != NULL)
                (void)snprintf(out, size, "not checked: the registry cannot be used (%s)",
                               managed->broken);
        else if (managed == NULL || account == NULL)
                (void)snprintf(out, size, "the user is not in the registry");
        else if (managed->record.account_uid[0] == '\0')
                (void)snprintf(out, size, "created for %s; its uid was not checked: no account_uid",
                               account);
        else
                (void)snprintf(out, size, "created for %s, uid \"%s\"", account,
                               managed->record.account_uid);
}

static void explain_review(const struct ksa_requirement_result *requirement_result, char *out,
                           size_t size)
{
        if (requirement_result->review == KSA_REVIEW_NEVER)
                (void)snprintf(out, size, "not required");
        else if (requirement_result->review_skipped)
                (void)snprintf(out, size,
                               "skipped: the cluster could not be asked, and review = prefer "
                               "allows that");
        else
                (void)snprintf(out, size, "%s: TokenReview names the same account and audience",
                               ksa_review_name(requirement_result->review));
}

static void explain_requirement(const struct ksa_attempt *attempt, const struct ksa_decision *d,
                                enum ksa_step step, char *out, size_t size)
{
        if (step == KSA_STEP_REVIEW)
                explain_review(&d->requirement_result, out, size);
        else if (step == KSA_STEP_BOUND && d->rule->bound == KSA_BOUND_POD)
                (void)snprintf(out, size, "Pod \"%s\", uid \"%s\"", d->token.pod, d->token.pod_uid);
        else if (step == KSA_STEP_RBAC && d->rule->rbac)
                (void)snprintf(out, size, "hosts.ksa.dev \"%s\" is granted in namespace %s",
                               d->requirement_result.granted_as, d->token.namespace);
        else if (step == KSA_STEP_ONCE && d->rule->once && attempt->record != NULL)
                (void)snprintf(out, size, "it counts when the session is opened");
        else if (step == KSA_STEP_ONCE && d->rule->once)
                (void)snprintf(out, size, "it was not used before; a login would mark it");
        else
                (void)snprintf(out, size, "not required");
}

static void explain_passed(const struct ksa_attempt *attempt, const struct ksa_decision *d,
                           enum ksa_step step, char *out, size_t size)
{
        char user[KSA_UNVERIFIED_SIZE], other[KSA_VERIFIED_SIZE];

        switch (step) {
        case KSA_STEP_SERVICE:
                (void)snprintf(out, size, "user \"%s\", service \"%s\"",
                               ksa_text_quote(ksa_text_user(attempt->user), user, sizeof(user)),
                               ksa_text_quote(attempt->service, other, sizeof(other)));
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
                               ksa_text_quote(ksa_claims_accepted(&d->token, d->accepted), other,
                                              sizeof(other)));
                break;
        case KSA_STEP_TIMES:
                explain_times(d, out, size);
                break;
        case KSA_STEP_LIFETIME:
                (void)snprintf(out, size, "its lifetime is %lld s",
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
                               d->rule->location.file, d->rule->location.line);
                break;
        case KSA_STEP_OWN:
                explain_own(attempt, out, size);
                break;
        case KSA_STEP_BOUND:
        case KSA_STEP_REVIEW:
        case KSA_STEP_RBAC:
        case KSA_STEP_ONCE:
                explain_requirement(attempt, d, step, out, size);
                break;
        case KSA_STEP_COUNT:
        default:
                break;
        }
}

const char *ksa_report_step(const struct ksa_attempt *attempt, const struct ksa_decision *decision,
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

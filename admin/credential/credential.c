/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/credential/credential.h"

#include <stdlib.h>

#include "admin/base/file_write.h"
#include "admin/base/spread.h"
#include "admin/credential/token_request.h"
#include "base/file.h"
#include "base/text.h"
#include "cluster/api.h"

/* A token and its newline. */
#define FILE_MAX (KSA_TOKEN_MAX + 1)
/* A TokenRequest repeats what was asked, and holds one token. */
#define ANSWER_MAX ((size_t)64 * 1024)
/* Not the lock of key sets: neither waits for the other's server. */
#define RENEW_LOCK ".renew"

/* --- A token ---------------------------------------------------------------- */

void ksa_credential_clear(struct ksa_credential *credential)
{
        ksa_token_clear(&credential->token);
        ksa_secret_free(&credential->text);
}

/* Seconds of two runs of ksa-credential.timer, of which one may fail. */
#define RUNS 1200

int64_t ksa_credential_due(const struct ksa_cluster *cluster, const struct ksa_env *env,
                           const struct ksa_token *token)
{
        int64_t life = token->exp.seconds - token->iat.seconds;
        int64_t started = ksa_spread_started(env);
        int64_t due = token->iat.seconds + life / 2 -
                      ksa_spread_share(env, cluster, "credential", token->iat.seconds, life / 4);

        if (token->iat.seconds >= started)
                return due;
        /* Half of what is left of its life is for the wait, and half for the renewal. */
        return ksa_spread_start(env, cluster, "credential-start", due,
                                (token->exp.seconds - started - RUNS) / 2);
}

static bool has_a_life(const struct ksa_token *token)
{
        return token->exp.given && token->iat.given && token->iat.seconds >= 0 &&
               token->exp.seconds > token->iat.seconds;
}

/* Takes TEXT over, and apart. */
static enum ksa_reason parse(struct ksa_secret *text, const char *what,
                             struct ksa_credential *ret_credential, struct ksa_error *err)
{
        ret_credential->text = text;
        enum ksa_reason reason = ksa_token_parse(text, &ret_credential->token, NULL);

        if (reason == KSA_MEMORY)
                return ksa_fail(err, reason, "out of memory");
        /* The error of the parser could quote the token, which is a secret. */
        if (reason != KSA_OK)
                return ksa_fail(err, KSA_NOT_A_TOKEN, "%s is not a service account token: %s", what,
                                ksa_reason_text(reason));
        char *path = ksa_token_request_path(&ret_credential->token);
        bool named = path != NULL;
        free(path);
        if (!named || !has_a_life(&ret_credential->token))
                return ksa_fail(err, KSA_NOT_A_TOKEN,
                                "%s is not a service account token that expires (legacy tokens "
                                "do not)",
                                what);
        return KSA_OK;
}

static enum ksa_reason parse_copy(const struct ksa_secret *text, const char *what,
                                  struct ksa_credential *ret_credential, struct ksa_error *err)
{
        struct ksa_secret *copy = ksa_secret_new(ksa_secret_length(text));

        if (copy == NULL ||
            !ksa_secret_append(copy, ksa_secret_bytes(text), ksa_secret_length(text))) {
                ksa_secret_free(&copy);
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        }
        return parse(copy, what, ret_credential, err);
}

/* --- Its file --------------------------------------------------------------- */

enum ksa_reason ksa_credential_read(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                    struct ksa_credential *ret_credential, struct ksa_error *err)
{
        struct ksa_secret *text = NULL;

        *ret_credential = (struct ksa_credential){.text = NULL};
        enum ksa_reason reason =
                ksa_file_read_secret(cluster->credential_file, env->owner, FILE_MAX, &text, err);
        if (reason != KSA_OK)
                return reason;
        size_t length = ksa_secret_length(text);
        if (length > 0 && ksa_secret_bytes(text)[length - 1] == '\n')
                ksa_secret_cut(text, length - 1);
        reason = parse(text, cluster->credential_file, ret_credential, err);
        if (reason == KSA_NOT_A_TOKEN)
                ksa_error_at(err, cluster->credential_file, 0);
        return reason;
}

static enum ksa_reason keep(const struct ksa_cluster *cluster, const struct ksa_env *env,
                            const struct ksa_secret *text, struct ksa_error *err)
{
        enum ksa_reason reason =
                ksa_directory_make_for(cluster->credential_file, env->owner, 0700, err);

        if (reason == KSA_OK)
                reason = ksa_file_replace(cluster->credential_file, env->owner, 0600,
                                          ksa_secret_bytes(text), ksa_secret_length(text), err);
        return reason;
}

/* --- Its successor ---------------------------------------------------------- */

/* Posts a TokenRequest for the account of CURRENT, as CURRENT. */
static enum ksa_reason post(const struct ksa_credential_renewal *renewal,
                            const struct ksa_credential *current, int64_t seconds,
                            struct ksa_response *ret_response, struct ksa_error *err)
{
        KSA_CLEANUP(ksa_secret_free)
        struct ksa_secret *body = ksa_token_request_body(
                seconds < KSA_CREDENTIAL_LIFE_MIN ? KSA_CREDENTIAL_LIFE_MIN : seconds, NULL, NULL);
        KSA_CLEANUP(ksa_api_close) struct ksa_api api = {.cluster = NULL};
        char *path = ksa_token_request_path(&current->token);

        if (path == NULL || body == NULL) {
                free(path);
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        }
        enum ksa_reason reason = ksa_api_open_with(renewal->cluster, renewal->env, current->text,
                                                   renewal->milliseconds, &api, err);
        const struct ksa_call call = {.url = path,
                                      .body = {ksa_secret_bytes(body), ksa_secret_length(body)},
                                      .max = ANSWER_MAX};
        if (reason == KSA_OK)
                reason = ksa_api_ask(&api, &call, ret_response, err);
        free(path);
        return reason;
}

static enum ksa_reason forbidden(const struct ksa_credential *current, struct ksa_error *err)
{
        const struct ksa_error inner = *err;
        char account[KSA_VERIFIED_SIZE];

        (void)ksa_fail(err, KSA_API_FORBIDDEN, "%s/%s cannot get a token of its own: %s",
                       current->token.namespace,
                       ksa_text_quote(current->token.account, account, sizeof(account)),
                       inner.text);
        err->remedy = "apply host-account.yaml, whose Role allows the account to create "
                      "serviceaccounts/token of its own name; see ksa-clusters(7)";
        return KSA_API_FORBIDDEN;
}

static enum ksa_reason request(const struct ksa_credential_renewal *renewal,
                               const struct ksa_credential *current, int64_t seconds,
                               struct ksa_credential *ret_next, struct ksa_error *err)
{
        KSA_CLEANUP(ksa_response_clear) struct ksa_response response = {0};
        struct ksa_secret *text = NULL;
        enum ksa_reason reason = post(renewal, current, seconds, &response, err);

        if (reason == KSA_API_FORBIDDEN)
                return forbidden(current, err);
        if (reason != KSA_OK)
                return reason;
        reason = ksa_token_request_read(response.body.bytes, response.body.length, &current->token,
                                        renewal->env->now, &text, err);
        if (reason != KSA_OK)
                return reason;
        reason = parse(text, "the answer of the cluster", ret_next, err);
        return reason == KSA_NOT_A_TOKEN ? err->reason = KSA_API_BROKEN : reason;
}

/* Gets the next one, keeps it, and hands it out. */
static enum ksa_reason succeed(const struct ksa_credential_renewal *renewal,
                               const struct ksa_credential *current, int64_t seconds,
                               struct ksa_credential *ret_next, struct ksa_error *err)
{
        enum ksa_reason reason = request(renewal, current, seconds, ret_next, err);

        return reason == KSA_OK ? keep(renewal->cluster, renewal->env, ret_next->text, err)
                                : reason;
}

/* --- The first -------------------------------------------------------------- */

/* The errors of a token that must not be sent: another cluster could use it there. */
static enum ksa_reason check_given(const struct ksa_credential_renewal *renewal,
                                   const struct ksa_token *token, struct ksa_error *err)
{
        const char *iss = token->iss != NULL ? token->iss : "";
        char issuer[256];

        if (!ksa_list_has(&renewal->cluster->issuer, iss))
                return ksa_fail(err, KSA_UNKNOWN_ISSUER,
                                "this token is not from [cluster %s]: its issuer is \"%s\"",
                                renewal->cluster->name,
                                ksa_text_quote(iss, issuer, sizeof(issuer)));
        if (token->exp.seconds <= renewal->env->now)
                return ksa_fail(err, KSA_EXPIRED, "this token expired %lld s ago",
                                (long long)(renewal->env->now - token->exp.seconds));
        return KSA_OK;
}

enum ksa_reason ksa_credential_init(const struct ksa_credential_renewal *renewal,
                                    const struct ksa_secret *given, int64_t seconds,
                                    struct ksa_credential *ret_credential, struct ksa_error *err)
{
        KSA_CLEANUP(ksa_credential_clear) struct ksa_credential first = {.text = NULL};
        KSA_CLEANUP(ksa_file_unlock) int lock = -1;

        *ret_credential = (struct ksa_credential){.text = NULL};
        enum ksa_reason reason = parse_copy(given, "this", &first, err);
        if (reason == KSA_OK)
                reason = check_given(renewal, &first.token, err);
        if (reason == KSA_OK)
                reason = ksa_cluster_lock(renewal->cluster, renewal->env, RENEW_LOCK, &lock, err);
        if (reason != KSA_OK)
                return reason;
        reason = succeed(renewal, &first, seconds, ret_credential, err);
        if (reason != KSA_API_FORBIDDEN)
                return reason;
        struct ksa_error forbidden = *err;
        reason = keep(renewal->cluster, renewal->env, first.text, err);
        if (reason == KSA_OK)
                reason = parse_copy(first.text, "it", ret_credential, err);
        if (reason != KSA_OK)
                return reason;
        *err = forbidden;
        return KSA_API_FORBIDDEN;
}

/* --- The next --------------------------------------------------------------- */

enum ksa_reason ksa_credential_renew(const struct ksa_credential_renewal *renewal, bool if_due,
                                     bool *ret_renewed, struct ksa_credential *ret_credential,
                                     struct ksa_error *err)
{
        KSA_CLEANUP(ksa_credential_clear) struct ksa_credential current = {.text = NULL};
        const struct ksa_token *token = &current.token;
        KSA_CLEANUP(ksa_file_unlock) int lock = -1;

        *ret_credential = (struct ksa_credential){.text = NULL};
        *ret_renewed = false;
        enum ksa_reason reason =
                ksa_cluster_lock(renewal->cluster, renewal->env, RENEW_LOCK, &lock, err);
        if (reason == KSA_OK)
                reason = ksa_credential_read(renewal->cluster, renewal->env, &current, err);
        if (reason != KSA_OK)
                return reason;
        if (if_due &&
            renewal->env->now < ksa_credential_due(renewal->cluster, renewal->env, token)) {
                *ret_credential = current;
                current = (struct ksa_credential){.text = NULL};
                return KSA_OK;
        }
        reason = succeed(renewal, &current, token->exp.seconds - token->iat.seconds, ret_credential,
                         err);
        *ret_renewed = reason == KSA_OK;
        return reason;
}

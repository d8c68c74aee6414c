/* SPDX-License-Identifier: BSD-2-Clause */
#include "cluster/review.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cluster/api_object.h"
#include "token/json.h"

#define REVIEW_KIND    "TokenReview"
#define REVIEW_VERSION "authentication.k8s.io/v1"
#define ACCESS_KIND    "SubjectAccessReview"
#define ACCESS_VERSION "authorization.k8s.io/v1"

/* Keys of UserInfo.extra for service accounts (apiserver pkg/authentication/serviceaccount). */
#define EXTRA_POD_NAME   "authentication.kubernetes.io/pod-name"
#define EXTRA_POD_UID    "authentication.kubernetes.io/pod-uid"
#define EXTRA_CREDENTIAL "authentication.kubernetes.io/credential-id"

/* "system:serviceaccount:" (22), namespace (63), colon, name (253), NUL. */
#define USER_SIZE (22 + 63 + 1 + 253 + 1)
/* Bytes of a value from the response in an error. */
#define SHOWN 160

static bool user_of(const struct ksa_token *token, char user[USER_SIZE])
{
        if (token->namespace == NULL || token->account == NULL || token->account_uid == NULL)
                return false;
        int length = snprintf(user, USER_SIZE, "system:serviceaccount:%s:%s", token->namespace,
                              token->account);
        return length > 0 && length < USER_SIZE;
}

/* --- TokenReview ------------------------------------------------------------- */

struct ksa_secret *ksa_review_request(const struct ksa_token *token, const char *audience)
{
        KSA_CLEANUP(ksa_secret_free)
        struct ksa_secret *quoted = ksa_api_object_write(json_string(audience));

        if (quoted == NULL)
                return NULL;
        /*
         * Assembled as text: base64url and dots need no escapes, and jansson would copy the token.
         */
        const char *const pieces[] = {
                "{\"apiVersion\":\"" REVIEW_VERSION "\",\"kind\":\"" REVIEW_KIND
                "\",\"spec\":{\"token\":\"",
                token->compact,
                "\",\"audiences\":[",
                ksa_secret_bytes(quoted),
                "]}}",
        };
        size_t size = 0;
        for (size_t i = 0; i < KSA_COUNT(pieces); i++)
                size += strlen(pieces[i]);
        struct ksa_secret *body = ksa_secret_new(size);
        for (size_t i = 0; body != NULL && i < KSA_COUNT(pieces); i++) {
                if (!ksa_secret_append(body, pieces[i], strlen(pieces[i])))
                        ksa_secret_free(&body);
        }
        return body;
}

/* Go's encoding/json writes an empty list or map as null: treat it as absent. */
static bool may_be_texts(const json_t *value)
{
        return json_is_null(value) || ksa_api_object_may_be_texts(value);
}

/* Whether every member that is used below is absent or has its type. */
static bool is_sound_review(const json_t *status)
{
        const json_t *user = json_object_get(status, "user");
        json_t *extra = json_object_get(user, "extra"), *value;
        const char *key;

        if (!ksa_api_object_may_be_flag(json_object_get(status, "authenticated")) ||
            !ksa_api_object_may_be_text(json_object_get(status, "error")) ||
            !may_be_texts(json_object_get(status, "audiences")) ||
            (user != NULL && !json_is_object(user)) ||
            !ksa_api_object_may_be_text(json_object_get(user, "username")) ||
            !ksa_api_object_may_be_text(json_object_get(user, "uid")) ||
            (extra != NULL && !json_is_null(extra) && !json_is_object(extra)))
                return false;
        json_object_foreach (extra, key, value) {
                if (!may_be_texts(value))
                        return false;
        }
        return true;
}

/*
 * Returns a text of the response for an error. The token is overwritten again: JSON escapes can
 * hide it from ksa_secret_blot() until the response is parsed.
 */
static const char *shown(const struct ksa_token *token, const char *text, char out[SHOWN])
{
        char copy[SHOWN] = "";
        size_t length = strnlen(text, sizeof(copy) - 1);

        memcpy(copy, text, length);
        ksa_secret_blot(token->compact, copy, length);
        return ksa_text_quote(copy, out, SHOWN);
}

static enum ksa_reason check_accepted(const struct ksa_token *token, const json_t *status,
                                      struct ksa_error *err)
{
        const char *message = ksa_json_text(status, "error");
        char quoted[SHOWN];

        if (message != NULL && *message != '\0')
                return ksa_fail(err, KSA_REVIEW_REFUSED,
                                "the API server rejected the token: \"%s\"",
                                shown(token, message, quoted));
        if (!json_is_true(json_object_get(status, "authenticated")))
                return ksa_fail(err, KSA_REVIEW_REFUSED,
                                "the API server rejected the token without a reason");
        return KSA_OK;
}

/* Requires that the API server found in the token (THEIRS, NULL: nothing) what ksa found (OURS). */
static enum ksa_reason compare(const struct ksa_token *token, const char *what, const char *theirs,
                               const char *ours, struct ksa_error *err)
{
        char their_text[SHOWN], our_text[SHOWN];

        if (theirs != NULL && strcmp(theirs, ours) == 0)
                return KSA_OK;
        return ksa_fail(err, KSA_REVIEW_DIFFERS,
                        "%s: \"%s\" in the API server's answer, \"%s\" in the token", what,
                        shown(token, theirs != NULL ? theirs : "", their_text),
                        ksa_text_quote(ours, our_text, sizeof(our_text)));
}

/* Requires that the extra has exactly one text, OURS; or is absent if OURS is NULL. */
static enum ksa_reason compare_extra(const struct ksa_token *token, const json_t *extra,
                                     const char *key, const char *ours, struct ksa_error *err)
{
        const json_t *texts = json_object_get(extra, key);
        size_t count = json_array_size(texts);

        if (ours == NULL && count == 0)
                return KSA_OK;
        if (ours == NULL || count > 1)
                return ksa_fail(err, KSA_REVIEW_DIFFERS,
                                "the API server's answer has more in %s than the token", key);
        return compare(token, key, json_string_value(json_array_get(texts, 0)), ours, err);
}

/* API servers before 1.30 do not send a credential id. */
static enum ksa_reason compare_credential(const struct ksa_token *token, const json_t *extra,
                                          struct ksa_error *err)
{
        const json_t *texts = json_object_get(extra, EXTRA_CREDENTIAL);
        const char *theirs = json_string_value(json_array_get(texts, 0));

        if (json_array_size(texts) == 0 || token->jti == NULL)
                return KSA_OK;
        if (json_array_size(texts) > 1 || strncmp(theirs, "JTI=", 4) != 0)
                return ksa_fail(err, KSA_REVIEW_DIFFERS, EXTRA_CREDENTIAL " is not a jti");
        return compare(token, "jti", theirs + 4, token->jti, err);
}

/*
 * An API server that does not support audiences returns an empty list, and accepts any token. So
 * the audience must be in the response (TokenReviewStatus: a client "should validate that a
 * compatible audience identifier is returned").
 */
static enum ksa_reason check_audience(const struct ksa_token *token, const json_t *audiences,
                                      const char *audience, struct ksa_error *err)
{
        const char *theirs = NULL;

        for (size_t i = json_array_size(audiences); i > 0; i--) {
                theirs = json_string_value(json_array_get(audiences, i - 1));
                if (strcmp(theirs, audience) == 0)
                        return KSA_OK;
        }
        return compare(token, "audience", theirs, audience, err);
}

static enum ksa_reason check_same(const struct ksa_token *token, const char *audience,
                                  const json_t *status, struct ksa_error *err)
{
        const json_t *user = json_object_get(status, "user"),
                     *extra = json_object_get(user, "extra");
        char name[USER_SIZE];

        if (!user_of(token, name))
                return ksa_fail(err, KSA_INTERNAL,
                                "a review of a token that does not name an account");
        enum ksa_reason reason =
                compare(token, "account", ksa_json_text(user, "username"), name, err);
        if (reason == KSA_OK)
                reason = compare(token, "account's uid", ksa_json_text(user, "uid"),
                                 token->account_uid, err);
        if (reason == KSA_OK)
                reason = check_audience(token, json_object_get(status, "audiences"), audience, err);
        if (reason == KSA_OK)
                reason = compare_extra(token, extra, EXTRA_POD_NAME, token->pod, err);
        if (reason == KSA_OK)
                reason = compare_extra(token, extra, EXTRA_POD_UID, token->pod_uid, err);
        if (reason == KSA_OK)
                reason = compare_credential(token, extra, err);
        return reason;
}

enum ksa_reason ksa_review_check(const struct ksa_token *token, const char *audience, char *body,
                                 size_t length, struct ksa_error *err)
{
        KSA_CLEANUP(ksa_json_free) json_t *review = NULL;
        json_t *status;

        ksa_secret_blot(token->compact, body, length);
        enum ksa_reason reason = ksa_api_object_load(body, length, REVIEW_KIND, REVIEW_VERSION,
                                                     &review, &status, err);
        if (reason != KSA_OK)
                return reason;
        if (!is_sound_review(status))
                return ksa_fail(err, KSA_API_BROKEN,
                                "the " REVIEW_KIND " has a member of the wrong type");
        reason = check_accepted(token, status, err);
        if (reason == KSA_OK)
                reason = check_same(token, audience, status, err);
        return reason;
}

/* --- SubjectAccessReview ----------------------------------------------------- */

static bool add_pod(json_t *spec, const struct ksa_token *token)
{
        if (token->pod == NULL || token->pod_uid == NULL)
                return true;
        return json_object_set_new(spec, "extra",
                                   json_pack("{s:[s], s:[s]}", EXTRA_POD_NAME, token->pod,
                                             EXTRA_POD_UID, token->pod_uid)) == 0;
}

struct ksa_secret *ksa_access_request(const struct ksa_token *token, const char *verb,
                                      const char *name)
{
        static const char groups[] = "system:serviceaccounts";
        char user[USER_SIZE], group[sizeof(groups) + 1 + 63];

        if (!user_of(token, user))
                return NULL;
        (void)snprintf(group, sizeof(group), "%s:%s", groups, token->namespace);
        json_t *review = json_pack(
                "{s:s, s:s, s:{s:s, s:s, s:[s, s, s], s:{s:s, s:s, s:s, s:s, s:s}}}", "apiVersion",
                ACCESS_VERSION, "kind", ACCESS_KIND, "spec", "user", user, "uid",
                token->account_uid, "groups", groups, group, "system:authenticated",
                "resourceAttributes", "group", "ksa.dev", "resource", "hosts", "verb", verb, "name",
                name, "namespace", token->namespace);
        if (review != NULL && !add_pod(json_object_get(review, "spec"), token))
                ksa_json_free(&review);
        return ksa_api_object_write(review);
}

static bool is_sound_access(const json_t *status)
{
        return json_is_boolean(json_object_get(status, "allowed")) &&
               ksa_api_object_may_be_flag(json_object_get(status, "denied")) &&
               ksa_api_object_may_be_text(json_object_get(status, "reason")) &&
               ksa_api_object_may_be_text(json_object_get(status, "evaluationError"));
}

enum ksa_reason ksa_access_check(const char *body, size_t length, bool *ret_allowed,
                                 char ret_why[KSA_WHY_SIZE], struct ksa_error *err)
{
        KSA_CLEANUP(ksa_json_free) json_t *review = NULL;
        json_t *status;
        enum ksa_reason reason = ksa_api_object_load(body, length, ACCESS_KIND, ACCESS_VERSION,
                                                     &review, &status, err);

        if (reason != KSA_OK)
                return reason;
        if (!is_sound_access(status))
                return ksa_fail(err, KSA_API_BROKEN,
                                "the " ACCESS_KIND " has a member of the wrong type");
        const char *why = ksa_json_text(status, "reason");
        const char *error = ksa_json_text(status, "evaluationError");
        if (json_is_true(json_object_get(status, "denied"))) {
                char quoted[SHOWN];

                return ksa_fail(err, KSA_RBAC_DENIED, "an authorizer forbids it: \"%s\"",
                                ksa_text_quote(why != NULL ? why : "", quoted, sizeof(quoted)));
        }
        bool allowed = json_is_true(json_object_get(status, "allowed"));
        bool has_error = error != NULL && *error != '\0';

        *ret_allowed = allowed && !has_error;
        if (!*ret_allowed)
                (void)ksa_text_whole(has_error     ? error
                                     : why != NULL ? why
                                                   : "",
                                     ret_why, KSA_WHY_SIZE);
        return KSA_OK;
}

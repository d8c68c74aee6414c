/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/credential/token_request.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cluster/api_object.h"
#include "token/json.h"

#define REQUEST_KIND    "TokenRequest"
#define REQUEST_VERSION "authentication.k8s.io/v1"

char *ksa_token_request_path(const struct ksa_token *current)
{
        char *path = NULL;

        if (current->namespace == NULL || current->account == NULL ||
            !ksa_is_dns_label(current->namespace) || !ksa_is_dns_subdomain(current->account) ||
            asprintf(&path, "/api/v1/namespaces/%s/serviceaccounts/%s/token", current->namespace,
                     current->account) < 0)
                return NULL;
        return path;
}

struct ksa_secret *ksa_token_request_body(int64_t seconds, const char *audience,
                                          const struct ksa_token *pod_of)
{
        bool is_bound = pod_of != NULL && pod_of->pod != NULL && pod_of->pod_uid != NULL;
        json_t *spec = json_pack("{s:I}", "expirationSeconds", (json_int_t)seconds);

        if ((audience != NULL &&
             json_object_set_new(spec, "audiences", json_pack("[s]", audience)) != 0) ||
            (is_bound && json_object_set_new(spec, "boundObjectRef",
                                             json_pack("{s:s, s:s, s:s, s:s}", "apiVersion", "v1",
                                                       "kind", "Pod", "name", pod_of->pod, "uid",
                                                       pod_of->pod_uid)) != 0)) {
                ksa_json_free(&spec);
                return NULL;
        }
        return ksa_api_object_write(json_pack("{s:s, s:s, s:o}", "apiVersion", REQUEST_VERSION,
                                              "kind", REQUEST_KIND, "spec", spec));
}

static bool same(const char *left, const char *right)
{
        return left != NULL && right != NULL && strcmp(left, right) == 0;
}

/* ERR gets no text of the token, which is a secret. */
static enum ksa_reason check_token(const struct ksa_secret *text, const struct ksa_token *current,
                                   int64_t now, struct ksa_error *err)
{
        KSA_CLEANUP(ksa_token_clear) struct ksa_token token;
        enum ksa_reason reason = ksa_token_parse(text, &token, NULL);

        if (reason != KSA_OK)
                return ksa_fail(err, reason == KSA_MEMORY ? reason : KSA_API_BROKEN,
                                "the token in the " REQUEST_KIND ": %s", ksa_reason_text(reason));
        if (!same(token.namespace, current->namespace) || !same(token.account, current->account) ||
            !same(token.account_uid, current->account_uid))
                return ksa_fail(err, KSA_API_BROKEN,
                                "the token in the " REQUEST_KIND " is for another account");
        if (!token.exp.given || token.exp.seconds <= now)
                return ksa_fail(err, KSA_API_BROKEN,
                                "the token in the " REQUEST_KIND " has no exp, or has expired");
        return KSA_OK;
}

enum ksa_reason ksa_token_request_read(const char *body, size_t length,
                                       const struct ksa_token *current, int64_t now,
                                       struct ksa_secret **ret_secret, struct ksa_error *err)
{
        KSA_CLEANUP(ksa_json_free) json_t *answer = NULL;
        json_t *status;
        enum ksa_reason reason = ksa_api_object_load(body, length, REQUEST_KIND, REQUEST_VERSION,
                                                     &answer, &status, err);

        if (reason != KSA_OK)
                return reason;
        const json_t *value = json_object_get(status, "token");
        if (!json_is_string(value))
                return ksa_fail(err, KSA_API_BROKEN, "the " REQUEST_KIND " has no token");
        KSA_CLEANUP(ksa_secret_free)
        struct ksa_secret *secret = ksa_secret_new(json_string_length(value));
        if (secret == NULL ||
            !ksa_secret_append(secret, json_string_value(value), json_string_length(value)))
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        reason = check_token(secret, current, now, err);
        if (reason != KSA_OK)
                return reason;
        *ret_secret = secret;
        secret = NULL;
        return KSA_OK;
}

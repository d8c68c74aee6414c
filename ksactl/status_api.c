/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl status: the user that this host is for the API server, and its permissions there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/credential/credential.h"
#include "admin/credential/self_review.h"
#include "base/text.h"
#include "cluster/api.h"
#include "status.h"

/* Seconds by which clocks may differ. Above CLOCK_TROUBLE logins are refused. */
#define CLOCK_SOON    30
#define CLOCK_TROUBLE 60

#define ANSWER_MAX ((size_t)64 * 1024)

#define APPLY "apply host-account.yaml; see ksa-clusters(7)"

/* --- Asking ----------------------------------------------------------------- */

/* The result of a request. */
struct answer {
        enum ksa_reason reason;
        struct ksa_response_head head;
        int64_t milliseconds;
        char *user; /* or NULL */
        struct ksa_error error;
};

/* The user that the API server takes this host for. */
static void ask(const struct ksa_api *api, struct answer *answer)
{
        const struct ksa_call call = {.url = KSA_SELF_REVIEW_PATH,
                                      .body = ksa_bytes_of(KSA_SELF_REVIEW_BODY),
                                      .max = ANSWER_MAX,
                                      .ret_head = &answer->head};
        KSA_CLEANUP(ksa_response_clear) struct ksa_response response = {0};
        int64_t begin = api->env->uptime();

        answer->reason = ksa_api_ask(api, &call, &response, &answer->error);
        answer->milliseconds = api->env->uptime() - begin;
        if (answer->reason == KSA_OK)
                answer->reason = ksa_self_review_read(response.body.bytes, response.body.length,
                                                      &answer->user, &answer->error);
}

static enum ksa_reason ask_permission(const struct ksa_api *api,
                                      const struct ksa_self_access *access, bool *ret_allowed,
                                      struct ksa_error *err)
{
        KSA_CLEANUP(ksa_secret_free) struct ksa_secret *body = ksa_self_access_request(access);
        KSA_CLEANUP(ksa_response_clear) struct ksa_response response = {0};

        if (body == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        const struct ksa_call call = {.url = KSA_SELF_ACCESS_PATH,
                                      .body = {ksa_secret_bytes(body), ksa_secret_length(body)},
                                      .max = ANSWER_MAX};
        enum ksa_reason reason = ksa_api_ask(api, &call, &response, err);
        return reason != KSA_OK ? reason
                                : ksa_self_access_check(response.body.bytes, response.body.length,
                                                        ret_allowed, err);
}

/* --- What is wrong ---------------------------------------------------------- */

/* review = prefer admits logins if the API server does not answer, and in no other case. */
static enum level level_of(const struct need *need, enum ksa_reason reason)
{
        bool away = reason == KSA_API_UNREACHABLE || reason == KSA_API_TIMEOUT;

        if (away ? need->required : need->asked || reason == KSA_API_UNAUTHORIZED)
                return TROUBLE;
        return SOON;
}

static void add_error(const struct ksa_cluster *cluster, const struct need *need,
                      const struct ksa_error *error, struct finding *finding)
{
        char remedy[REMEDY_SIZE];

        add_problem(finding, level_of(need, error->reason), remedy_for(cluster, error, remedy),
                    "%s", error->text);
}

static void check_clock(const struct ksa_env *env, const struct answer *answer,
                        struct finding *finding)
{
        /* The host's time when the response arrived, minus the server's. */
        int64_t difference = env->now + answer->milliseconds / 1000 - answer->head.date;
        int64_t distance = llabs(difference);
        size_t length = strlen(finding->text);
        const char *where = difference > 0 ? "ahead of" : "behind";
        char apart[KSA_SPAN_SIZE];

        if (answer->head.status == 0 || answer->head.date < 0)
                return;
        (void)json_object_set_new(finding->facts, "clock_difference", json_integer(difference));
        (void)snprintf(finding->text + length, sizeof(finding->text) - length,
                       distance <= 2 ? "; the clocks agree"
                                     : "; this host's clock is %s %s the API server's",
                       ksa_text_span(distance, apart), where);
        if (distance > CLOCK_SOON)
                add_problem(finding, distance > CLOCK_TROUBLE ? TROUBLE : SOON,
                            "set the clock; chrony or systemd-timesyncd keep it correct",
                            "this host's clock is %s %s the API server's, so valid tokens may "
                            "be refused",
                            apart, where);
}

/* Before Kubernetes 1.28 the answer is 404; 401 is expected of a host without a credential. */
static bool is_answer(const struct ksa_cluster *cluster, const struct answer *answer)
{
        bool anonymous = cluster->credential_file == NULL && cluster->client_cert_file == NULL;
        int64_t status = answer->head.status;

        return answer->reason == KSA_OK || status == 404 || status == 403 ||
               (anonymous && status == 401);
}

/* --- What this host may ask ------------------------------------------------- */

/* A permission that this host needs. */
struct permission {
        const char *fact, *problem; /* FACT: its name in JSON */
        enum level level;           /* without it */
        bool needed;
        struct ksa_self_access access;
};

/* False if the cluster could not be asked. */
static bool is_permitted(const struct ksa_api *api, const struct need *need,
                         const struct ksa_self_access *access, bool *ret_allowed,
                         struct finding *finding)
{
        struct ksa_error error = {0};

        if (ask_permission(api, access, ret_allowed, &error) == KSA_OK)
                return true;
        add_error(api->cluster, need, &error, finding);
        return false;
}

/* Whether all namespaces may be listed; a listing that is not complete adds no accounts. */
static void check_list(const struct ksa_api *api, const struct need *need, struct finding *finding)
{
        const struct ksa_list *namespaces = need->source != NULL ? &need->source->namespaces : NULL;
        const bool all = namespaces != NULL && ksa_list_has(namespaces, "*");
        const size_t count = namespaces == NULL ? 0 : all ? 1 : namespaces->count;
        bool allowed = true;

        for (size_t i = 0; i < count && allowed; i++) {
                const struct ksa_self_access access = {
                        .verb = "list",
                        .group = "",
                        .resource = "serviceaccounts",
                        .namespace = all ? NULL : ksa_list_text(namespaces, i)};

                if (!is_permitted(api, need, &access, &allowed, finding))
                        return;
                if (!allowed)
                        add_problem(finding, SOON, "apply account-list.yaml; see ksa-clusters(7)",
                                    "this host's account is not allowed to list service "
                                    "accounts%s%s: no user is added or removed",
                                    all ? "" : " in ", all ? "" : access.namespace);
        }
        if (count > 0)
                (void)json_object_set_new(finding->facts, "may_list", json_boolean(allowed));
}

/* The API server may accept the host's credential and still forbid its requests: the account needs roles. */
static void check_permissions(const struct ksa_api *api, const struct need *need,
                              struct finding *finding)
{
        KSA_CLEANUP(ksa_credential_clear) struct ksa_credential credential = {.text = NULL};
        bool token = api->cluster->credential_file != NULL &&
                     ksa_credential_read(api->cluster, api->env, &credential, NULL) == KSA_OK;
        const struct permission permissions[] = {
                {"may_review",
                 "this host's account is not allowed to review tokens: logins that need it are "
                 "refused",
                 TROUBLE,
                 need->asked,
                 {.group = "authentication.k8s.io", .resource = "tokenreviews"}},
                {"may_ask_rbac",
                 "this host's account is not allowed to ask what RBAC allows: logins that need "
                 "it are refused",
                 TROUBLE,
                 need->rbac,
                 {.group = "authorization.k8s.io", .resource = "subjectaccessreviews"}},
                {"may_renew",
                 "this host's account is not allowed to request its next token, so its "
                 "credential will expire",
                 SOON,
                 token,
                 {.group = "",
                  .resource = "serviceaccounts",
                  .subresource = "token",
                  .namespace = credential.token.namespace,
                  .name = credential.token.account}}};

        for (size_t i = 0; i < KSA_COUNT(permissions); i++) {
                const struct permission *permission = &permissions[i];
                bool allowed = false;

                if (!permission->needed ||
                    !is_permitted(api, need, &permission->access, &allowed, finding))
                        continue;
                (void)json_object_set_new(finding->facts, permission->fact, json_boolean(allowed));
                if (!allowed)
                        add_problem(finding, permission->level, APPLY, "%s", permission->problem);
        }
        check_list(api, need, finding);
}

/* --- The part --------------------------------------------------------------- */

static void describe(const struct ksa_cluster *cluster, const struct answer *answer,
                     struct finding *finding)
{
        bool away = answer->reason == KSA_API_UNREACHABLE || answer->reason == KSA_API_TIMEOUT;
        bool reachable = answer->head.status != 0;
        char user[300] = "", shown[KSA_QUOTE_MAX];
        const char *server = ksa_text_url(cluster->api_server, shown, sizeof(shown));

        if (answer->user != NULL)
                (void)ksa_text_quote(answer->user, user, sizeof(user));
        finding->facts = json_pack("{s:s, s:b, s:o, s:n, s:s?, s:n, s:n, s:n, s:n}", "url", server,
                                   "reachable", reachable, "milliseconds",
                                   reachable ? json_integer(answer->milliseconds) : json_null(),
                                   "clock_difference", "user", answer->user != NULL ? user : NULL,
                                   "may_review", "may_ask_rbac", "may_renew", "may_list");
        if (reachable)
                (void)snprintf(finding->text, sizeof(finding->text), "%s answers in %lld ms%s%s",
                               server, (long long)answer->milliseconds,
                               *user != '\0' ? ", as to " : "", user);
        else if (away)
                (void)snprintf(finding->text, sizeof(finding->text), "%s does not answer", server);
        else
                (void)snprintf(finding->text, sizeof(finding->text), "%s could not be asked: %s",
                               server, answer->error.text);
}

void find_api(const struct ksa_cluster *cluster, const struct ksa_env *env, const struct need *need,
              unsigned milliseconds, struct finding *finding)
{
        struct answer answer = {.head = {0}};
        struct ksa_api api;

        answer.reason = ksa_api_open(cluster, env, KSA_SIDE_API, milliseconds, &api, &answer.error);
        if (answer.reason == KSA_OK)
                ask(&api, &answer);
        describe(cluster, &answer, finding);
        if (is_answer(cluster, &answer))
                check_permissions(&api, need, finding);
        else
                add_error(cluster, need, &answer.error, finding);
        check_clock(env, &answer, finding);
        free(answer.user);
        ksa_api_close(&api);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "cluster/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "token/json.h"
#include "token/token.h"

/* The system's bundle of trust anchors has 220 KiB; a cluster's has one or two certificates. */
#define CA_MAX ((size_t)512 * 1024)
/* A certificate with its chain, or a key. */
#define CLIENT_MAX ((size_t)64 * 1024)
/* The longest token, with a newline. */
#define BEARER_MAX ((size_t)16 * 1024 + 1)
#define URL_MAX    4096

/* --- Files ------------------------------------------------------------------ */

static enum ksa_reason read_file(const char *path, const struct ksa_env *env, size_t max,
                                 char **ret_bytes, size_t *ret_length, struct ksa_error *err)
{
        if (path == NULL)
                return KSA_OK;
        return ksa_file_read(path, env->owner, max, ret_bytes, ret_length, err);
}

static enum ksa_reason read_secret(const char *path, const struct ksa_env *env, size_t max,
                                   struct ksa_secret **ret_secret, struct ksa_error *err)
{
        if (path == NULL)
                return KSA_OK;
        return ksa_file_read_secret(path, env->owner, max, ret_secret, err);
}

/* The credential becomes part of a header line, so it must be one line of printable ASCII. */
static enum ksa_reason check_bearer(struct ksa_secret *bearer, const char *path,
                                    struct ksa_error *err)
{
        size_t length = ksa_secret_length(bearer);

        if (length > 0 && ksa_secret_bytes(bearer)[length - 1] == '\n')
                ksa_secret_cut(bearer, --length);
        if (strlen(ksa_secret_bytes(bearer)) == length && ksa_is_graphic(ksa_secret_bytes(bearer)))
                return KSA_OK;
        ksa_error_at(err, path, 0);
        return ksa_fail(err, KSA_FILE_UNREADABLE, "%s does not contain a token", path);
}

static enum ksa_reason read_credentials(struct ksa_api *api, struct ksa_error *err)
{
        const struct ksa_cluster *cluster = api->cluster;
        enum ksa_reason reason =
                read_secret(cluster->credential_file, api->env, BEARER_MAX, &api->bearer, err);

        if (reason == KSA_OK && api->bearer != NULL)
                reason = check_bearer(api->bearer, cluster->credential_file, err);
        if (reason == KSA_OK)
                reason = read_file(cluster->client_cert_file, api->env, CLIENT_MAX,
                                   &api->client_cert, &api->client_cert_length, err);
        if (reason == KSA_OK)
                reason = read_secret(cluster->client_key_file, api->env, CLIENT_MAX,
                                     &api->client_key, err);
        return reason;
}

enum ksa_reason ksa_api_open(const struct ksa_cluster *cluster, const struct ksa_env *env,
                             enum ksa_side side, unsigned milliseconds, struct ksa_api *ret_api,
                             struct ksa_error *err)
{
        bool ours = side == KSA_SIDE_API;

        *ret_api = (struct ksa_api){
                .cluster = cluster, .env = env, .side = side, .milliseconds = milliseconds};
        enum ksa_reason reason = read_file(ours ? cluster->api_ca_file : cluster->keys_ca_file, env,
                                           CA_MAX, &ret_api->ca, &ret_api->ca_length, err);
        if (reason == KSA_OK && ours)
                reason = read_credentials(ret_api, err);
        return reason;
}

enum ksa_reason ksa_api_open_with(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                  const struct ksa_secret *bearer, unsigned milliseconds,
                                  struct ksa_api *ret_api, struct ksa_error *err)
{
        size_t length = ksa_secret_length(bearer);

        *ret_api = (struct ksa_api){
                .cluster = cluster, .env = env, .side = KSA_SIDE_API, .milliseconds = milliseconds};
        ret_api->bearer = ksa_secret_new(length);
        if (ret_api->bearer == NULL ||
            !ksa_secret_append(ret_api->bearer, ksa_secret_bytes(bearer), length))
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        return read_file(cluster->api_ca_file, env, CA_MAX, &ret_api->ca, &ret_api->ca_length, err);
}

void ksa_api_close(struct ksa_api *api)
{
        free(api->ca);
        free(api->client_cert);
        ksa_secret_free(&api->bearer);
        ksa_secret_free(&api->client_key);
        memset(api, 0, sizeof(*api));
}

/* --- Requests --------------------------------------------------------------- */

/* Builds the URL of a request. api_server may end in a slash, and may contain a path. */
static bool whole_url(const struct ksa_cluster *cluster, const char *url, char out[URL_MAX])
{
        const char *server = url[0] != '/' ? "" : cluster->api_server;

        if (server == NULL)
                return false;
        size_t length = strlen(server);
        if (length > 0 && server[length - 1] == '/')
                length--;
        int written = snprintf(out, URL_MAX, "%.*s%s", (int)length, server, url);
        return written > 0 && written < URL_MAX;
}

static struct ksa_bytes bytes_of(const struct ksa_secret *secret)
{
        if (secret == NULL)
                return (struct ksa_bytes){NULL, 0};
        return (struct ksa_bytes){ksa_secret_bytes(secret), ksa_secret_length(secret)};
}

/* Bytes of the API server's message in an error. */
#define MESSAGE_SIZE 209

/*
 * Returns the message of the Status in RESPONSE (apimachinery pkg/apis/meta/v1), cut and in
 * printable ASCII; "" without one. Credentials and tokens in it are overwritten, before parsing and
 * again after it, because JSON escapes can hide them.
 */
static const char *status_message(const struct ksa_api *api, const struct ksa_call *call,
                                  const struct ksa_response *response, char out[MESSAGE_SIZE])
{
        const char *const secrets[] = {api->bearer != NULL ? ksa_secret_bytes(api->bearer) : "",
                                       call->secret != NULL ? call->secret : ""};
        /* The body is writable: it is in a secret that only this process holds. */
        char *body = (char *)(uintptr_t)response->body.bytes, copy[MESSAGE_SIZE];
        KSA_CLEANUP(ksa_json_free) json_t *status = NULL;

        for (size_t i = 0; i < KSA_COUNT(secrets); i++)
                ksa_secret_blot(secrets[i], body, response->body.length);
        out[0] = '\0';
        if (ksa_json_load(body, response->body.length, &status, NULL) != KSA_OK)
                return out;
        const char *kind = ksa_json_text(status, "kind"),
                   *message = ksa_json_text(status, "message");
        if (kind == NULL || strcmp(kind, "Status") != 0 || message == NULL)
                return out;
        (void)ksa_text_whole(message, copy, sizeof(copy));
        for (size_t i = 0; i < KSA_COUNT(secrets); i++)
                ksa_secret_blot(secrets[i], copy, strlen(copy));
        memcpy(out, copy, sizeof(copy));
        return out;
}

/* Seconds. A credential that is younger than this has neither expired nor been revoked. */
#define JUST_ISSUED 600

static bool was_just_issued(const struct ksa_api *api)
{
        struct ksa_token token = {0};
        bool just = api->bearer != NULL && ksa_token_parse(api->bearer, &token, NULL) == KSA_OK &&
                    token.iat.given && llabs(api->env->now - token.iat.seconds) < JUST_ISSUED;

        ksa_token_clear(&token);
        return just;
}

static enum ksa_reason unauthorized(const struct ksa_api *api, struct ksa_error *err)
{
        bool just = was_just_issued(api);

        (void)ksa_fail(err, KSA_API_UNAUTHORIZED,
                       "the API server does not accept this host's credential (401)%s",
                       just ? ", which was issued just now" : "");
        if (just && err != NULL)
                err->remedy = "if this endpoint does not accept service account tokens (GKE's DNS "
                              "endpoint, Rancher before 2.9), set another api_server or "
                              "client_cert_file; else check the cluster and audience of the token, "
                              "and that its account exists";
        return KSA_API_UNAUTHORIZED;
}

static enum ksa_reason check_status(const struct ksa_api *api, const struct ksa_call *call,
                                    const struct ksa_response *response, struct ksa_error *err)
{
        int status = (int)response->status;
        char message[MESSAGE_SIZE];

        if (status == 200 || status == 201)
                return KSA_OK;
        if (status == 401)
                return unauthorized(api, err);
        if (status == 429 && response->retry_after >= 0)
                return ksa_fail(err, KSA_API_BUSY,
                                "the API server is busy (429): try again in %lld s",
                                (long long)response->retry_after);
        if (status == 429)
                return ksa_fail(err, KSA_API_BUSY, "the API server is busy (429)");
        if (status >= 300 && status < 400)
                return ksa_fail(err, KSA_API_BROKEN,
                                "the server answered with a redirect (%d), which ksa does not "
                                "follow",
                                status);
        const char *quote = *status_message(api, call, response, message) != '\0' ? "\"" : "",
                   *colon = *quote != '\0' ? ": " : "";
        if (status == 403)
                return ksa_fail(err, KSA_API_FORBIDDEN,
                                "this host's account is not allowed to do this (403)%s%s%s%s",
                                colon, quote, message, quote);
        if (status >= 500)
                return ksa_fail(err, KSA_API_ERROR,
                                "the API server answered with an error (%d)%s%s%s%s", status, colon,
                                quote, message, quote);
        return ksa_fail(err, KSA_API_BROKEN, "the server answered with status %d%s%s%s%s", status,
                        colon, quote, message, quote);
}

enum ksa_reason ksa_api_ask(const struct ksa_api *api, const struct ksa_call *call,
                            struct ksa_response *ret_response, struct ksa_error *err)
{
        char url[URL_MAX], name[KSA_QUOTED_SIZE], agent[sizeof(name) + 64];
        struct ksa_response response = {0};

        if (api->env->fetch == NULL)
                return ksa_fail(err, KSA_HELPER,
                                "this program cannot send requests to the cluster");
        if (!whole_url(api->cluster, call->url, url))
                return ksa_fail(err, KSA_CONFIG_INVALID, "[cluster %s] has no api_server",
                                api->cluster->name);
        (void)snprintf(agent, sizeof(agent), "%s/" PACKAGE_VERSION " (%s)",
                       call->agent != NULL ? call->agent : "ksa-fetch",
                       ksa_text_quote(api->env->host_name, name, sizeof(name)));
        const struct ksa_request request = {
                .method = ksa_bytes_of(call->body.bytes != NULL ? "POST" : "GET"),
                .url = ksa_bytes_of(url),
                .accept = ksa_bytes_of(call->accept != NULL ? call->accept : "application/json"),
                .user_agent = ksa_bytes_of(agent),
                .audit_id = ksa_bytes_of(api->env->audit_id),
                .bearer = bytes_of(api->bearer),
                .client_cert = {api->client_cert, api->client_cert_length},
                .client_key = bytes_of(api->client_key),
                .ca = {api->ca, api->ca_length},
                .proxy = ksa_bytes_of(api->cluster->proxy),
                .server_name = ksa_bytes_of(
                        api->side == KSA_SIDE_API ? api->cluster->api_server_name : NULL),
                .body = call->body,
                .milliseconds = api->milliseconds,
                .max = (int64_t)call->max,
        };
        enum ksa_reason reason = api->env->fetch(api->env->fetch_context, &request, &response, err);
        if (reason != KSA_OK)
                return reason;
        if (call->ret_head != NULL)
                *call->ret_head = (struct ksa_response_head){response.status, response.date};
        reason = check_status(api, call, &response, err);
        if (reason == KSA_OK)
                *ret_response = response;
        else
                ksa_response_clear(&response);
        return reason;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/token_api.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "admin/credential/token_request.h"
#include "cluster/api.h"
#include "cluster/fetch_process.h"
#include "helper/fetch_transfer.h"
#include "token/token.h"

#define MILLISECONDS 10000
/* The wait before the second request, in seconds, and the longest that a server may ask for. */
#define RETRY_AFTER     1
#define RETRY_AFTER_MAX 10
#define CA_MAX          ((size_t)512 * 1024)
#define RESPONSE_MAX    ((size_t)64 * 1024)

/* --- Files -------------------------------------------------------------------- */

/* A mounted file: Kubernetes makes it a symbolic link, and root of the cluster's node owns it. */
static enum ksa_reason read_file(const char *path, size_t max, struct ksa_secret **ret_bytes,
                                 struct ksa_error *err)
{
        KSA_CLEANUP(ksa_secret_free) struct ksa_secret *bytes = ksa_secret_new(max + 1);
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        size_t room = 0;
        ssize_t got = 1;

        while (bytes != NULL && fd >= 0 && got > 0) {
                void *tail = ksa_secret_tail(bytes, &room);

                got = room == 0 ? 0 : read(fd, tail, room);
                if (got > 0)
                        ksa_secret_extend(bytes, (size_t)got);
                else if (got < 0 && errno == EINTR)
                        got = 1;
        }
        int number = errno;
        if (fd >= 0)
                (void)close(fd);
        if (bytes == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        if (fd < 0 || got < 0)
                return ksa_fail(err, KSA_FILE_UNREADABLE, "%s cannot be read: %s", path,
                                strerror(number));
        if (ksa_secret_length(bytes) > max)
                return ksa_fail(err, KSA_FILE_UNREADABLE, "%s is larger than %zu bytes", path, max);
        *ret_bytes = bytes;
        bytes = NULL;
        return KSA_OK;
}

static enum ksa_reason read_token(const char *path, struct ksa_secret **ret_text,
                                  struct ksa_token *ret_token, struct ksa_error *err)
{
        enum ksa_reason reason = read_file(path, KSA_TOKEN_MAX + 1, ret_text, err);
        size_t length = reason == KSA_OK ? ksa_secret_length(*ret_text) : 0;

        if (length > 0 && ksa_secret_bytes(*ret_text)[length - 1] == '\n')
                ksa_secret_cut(*ret_text, length - 1);
        if (reason != KSA_OK)
                return reason;
        reason = ksa_token_parse(*ret_text, ret_token, NULL);
        if (reason != KSA_OK)
                return ksa_fail(err, reason, "%s does not contain a token: %s", path,
                                ksa_reason_text(reason));
        if (ret_token->namespace == NULL || ret_token->account == NULL)
                return ksa_fail(err, KSA_BAD_CLAIMS, "the token in %s names no service account",
                                path);
        return KSA_OK;
}

/* --- The request -------------------------------------------------------------- */

static bool is_to_repeat(const struct ksa_response *response)
{
        return response->transport == KSA_TRANSPORT_ANSWERED &&
               (response->status == 429 || response->status >= 500) &&
               response->retry_after <= RETRY_AFTER_MAX;
}

/* This is env.fetch: libcurl in this process, which has the rights of its user alone. */
static enum ksa_reason ask(void *context, const struct ksa_request *request,
                           struct ksa_response *ret_response, struct ksa_error *err)
{
        struct ksa_response response;

        transfer_ask(context, request, &response);
        if (is_to_repeat(&response)) {
                int64_t wait = response.retry_after >= 0 ? response.retry_after : RETRY_AFTER;
                const struct timespec span = {.tv_sec = (time_t)wait};

                (void)nanosleep(&span, NULL);
                transfer_ask(context, request, &response);
        }
        enum ksa_reason reason = ksa_fetch_check_transport(request, &response, err);
        if (reason == KSA_OK)
                *ret_response = response;
        return reason;
}

static bool is_same(const char *left, const char *right)
{
        return left == right || (left != NULL && right != NULL && strcmp(left, right) == 0);
}

/* ERR gets no text of the new token. */
static enum ksa_reason check_audience(const struct ksa_secret *text, const char *audience,
                                      const struct ksa_token *current, struct ksa_error *err)
{
        KSA_CLEANUP(ksa_token_clear) struct ksa_token token;
        enum ksa_reason reason = ksa_token_parse(text, &token, NULL);

        if (reason != KSA_OK)
                return ksa_fail(err, KSA_API_BROKEN, "the API server's answer has no valid token");
        if (token.audiences.count != 1 || strcmp(ksa_list_text(&token.audiences, 0), audience) != 0)
                return ksa_fail(err, KSA_API_BROKEN,
                                "the API server issued a token for another audience than %s",
                                audience);
        if (current->pod != NULL && !is_same(token.pod_uid, current->pod_uid))
                return ksa_fail(err, KSA_API_BROKEN,
                                "the API server issued a token that is not bound to Pod %s",
                                current->pod);
        return KSA_OK;
}

static enum ksa_reason post(const struct ksa_api *api, const struct token_request *request,
                            const struct ksa_token *current, struct ksa_secret **ret_token,
                            struct ksa_error *err)
{
        KSA_CLEANUP(ksa_secret_free)
        struct ksa_secret *body =
                ksa_token_request_body(request->seconds, request->audience, current);
        char *path = ksa_token_request_path(current);
        struct ksa_response response;

        if (body == NULL || path == NULL) {
                free(path);
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        }
        const struct ksa_call call = {.url = path,
                                      .agent = "ksa-token",
                                      .body = {ksa_secret_bytes(body), ksa_secret_length(body)},
                                      .max = RESPONSE_MAX};
        enum ksa_reason reason = ksa_api_ask(api, &call, &response, err);
        free(path);
        if (reason == KSA_OK)
                reason = ksa_token_request_read(response.body.bytes, response.body.length, current,
                                                api->env->now, ret_token, err);
        if (reason == KSA_OK)
                reason = check_audience(*ret_token, request->audience, current, err);
        if (reason != KSA_OK)
                ksa_secret_free(ret_token);
        return reason;
}

/* A token that a host may see must not be one that the API server accepts. */
static enum ksa_reason check_request(const struct token_request *request,
                                     const struct ksa_token *current, struct ksa_error *err)
{
        if (ksa_list_has(&current->audiences, request->audience) ||
            is_same(current->iss, request->audience))
                return ksa_fail(err, KSA_WRONG_AUDIENCE,
                                "%s is an audience of the cluster itself, not of a host",
                                request->audience);
        return KSA_OK;
}

enum ksa_reason token_api_request(const struct token_request *request,
                                  struct ksa_secret **ret_token, struct ksa_error *err)
{
        KSA_CLEANUP(ksa_secret_free) struct ksa_secret *text = NULL;
        KSA_CLEANUP(ksa_secret_free) struct ksa_secret *ca = NULL;
        KSA_CLEANUP(ksa_token_clear) struct ksa_token current = {.compact = NULL};
        char host_name[256] = "";
        struct transfer *transfer = NULL;
        enum ksa_reason reason = read_token(request->token_file, &text, &current, err);

        if (reason == KSA_OK)
                reason = check_request(request, &current, err);
        if (reason == KSA_OK && request->ca_file != NULL)
                reason = read_file(request->ca_file, CA_MAX, &ca, err);
        if (reason != KSA_OK)
                return reason;
        transfer = transfer_new();
        if (transfer == NULL)
                return ksa_fail(err, KSA_MEMORY, "libcurl could not be initialized");
        (void)gethostname(host_name, sizeof(host_name) - 1);
        const struct ksa_cluster cluster = {.api_server = request->server};
        const struct ksa_env env = {.now = (int64_t)time(NULL),
                                    .host_name = host_name,
                                    .fetch = ask,
                                    .fetch_context = transfer};
        const struct ksa_api api = {.cluster = &cluster,
                                    .env = &env,
                                    .side = KSA_SIDE_API,
                                    .milliseconds = MILLISECONDS,
                                    .ca = ca != NULL ? (char *)(uintptr_t)ksa_secret_bytes(ca)
                                                     : NULL,
                                    .ca_length = ca != NULL ? ksa_secret_length(ca) : 0,
                                    .bearer = text};
        reason = post(&api, request, &current, ret_token, err);
        transfer_free(&transfer);
        return reason;
}

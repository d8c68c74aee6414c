/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/fake_cluster.h"

#include <stdio.h>
#include <string.h>

#include "support/support.h"

static void keep(char *out, size_t size, struct ksa_bytes bytes)
{
        (void)snprintf(out, size, "%.*s", (int)bytes.length,
                       bytes.bytes != NULL ? bytes.bytes : "");
}

/* As ksa-fetch sends it: a frame, whose head the reader has taken off. */
static void respond(const struct answer_row *row, struct ksa_response *ret_response)
{
        const struct ksa_response plain = {
                .transport = KSA_TRANSPORT_ANSWERED,
                .status = row->status,
                .max_age = row->max_age != 0 ? row->max_age : -1,
                .retry_after = row->retry_after != 0 ? row->retry_after : -1,
                .date = -1,
                .why = ksa_bytes_of(""),
                .body = ksa_bytes_of(row->body != NULL ? row->body : "")};
        struct ksa_secret *whole = ksa_response_write(&plain);

        assert_non_null(whole);
        struct ksa_secret *frame = ksa_secret_new(ksa_secret_length(whole));
        assert_true(ksa_secret_append(frame, ksa_secret_bytes(whole) + KSA_MESSAGE_HEAD,
                                      ksa_secret_length(whole) - KSA_MESSAGE_HEAD));
        ksa_secret_free(&whole);
        assert_true(ksa_response_read(frame, ret_response));
}

static enum ksa_reason fetch(void *context, const struct ksa_request *request,
                             struct ksa_response *ret_response, struct ksa_error *err)
{
        struct answers *answers = context;

        answers->requests++;
        keep(answers->method, sizeof(answers->method), request->method);
        keep(answers->url, sizeof(answers->url), request->url);
        keep(answers->accept, sizeof(answers->accept), request->accept);
        keep(answers->agent, sizeof(answers->agent), request->user_agent);
        keep(answers->audit_id, sizeof(answers->audit_id), request->audit_id);
        keep(answers->bearer, sizeof(answers->bearer), request->bearer);
        keep(answers->ca, sizeof(answers->ca), request->ca);
        keep(answers->proxy, sizeof(answers->proxy), request->proxy);
        keep(answers->server_name, sizeof(answers->server_name), request->server_name);
        keep(answers->body, sizeof(answers->body), request->body);
        answers->milliseconds = (unsigned)request->milliseconds;
        for (size_t i = 0; i < answers->count; i++) {
                const struct answer_row *row = &answers->rows[i];

                if (strstr(answers->url, row->url) == NULL)
                        continue;
                if (row->reason != KSA_UNREACHED && row->reason != KSA_OK)
                        return ksa_fail(err, row->reason, "as the table has it");
                respond(row, ret_response);
                return KSA_OK;
        }
        return ksa_fail(err, KSA_API_UNREACHABLE, "no row for %s", answers->url);
}

static enum ksa_reason refresh(void *context, const char *config_file, const char *const *clusters,
                               unsigned milliseconds, struct ksa_error *err)
{
        struct answers *answers = context;
        size_t length = 0;

        (void)config_file;
        answers->refreshes++;
        answers->milliseconds = milliseconds;
        for (size_t i = 0; clusters[i] != NULL; i++)
                length += (size_t)snprintf(answers->clusters + length,
                                           sizeof(answers->clusters) - length, "%s,", clusters[i]);
        if (answers->on_refresh != NULL)
                answers->on_refresh(answers);
        if (answers->refreshed != KSA_UNREACHED)
                return ksa_fail(err, answers->refreshed, "as the table has it");
        return KSA_OK;
}

void answers_use(struct ksa_env *env, struct answers *answers)
{
        env->fetch = fetch;
        env->refresh = refresh;
        env->fetch_context = answers;
        env->audit_id = "7f3a9c2e-0000-4000-8000-000000000000";
}

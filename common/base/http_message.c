/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/http_message.h"

#include <string.h>

#define BYTES(type, member)                          \
        {                                            \
                offsetof(struct type, member), false \
        }
#define NUMBER(type, member)                        \
        {                                           \
                offsetof(struct type, member), true \
        }

#define STATUS_MAX 999 /* RFC 9110 section 15: three digits */

/* clang-format off */
static const struct ksa_member request_members[] = {
        BYTES(ksa_request, method),
        BYTES(ksa_request, url),
        BYTES(ksa_request, accept),
        BYTES(ksa_request, user_agent),
        BYTES(ksa_request, audit_id),
        BYTES(ksa_request, bearer),
        BYTES(ksa_request, client_cert),
        BYTES(ksa_request, client_key),
        BYTES(ksa_request, ca),
        BYTES(ksa_request, proxy),
        BYTES(ksa_request, server_name),
        BYTES(ksa_request, body),
        NUMBER(ksa_request, milliseconds),
        NUMBER(ksa_request, max),
};

static const struct ksa_member response_members[] = {
        NUMBER(ksa_response, transport),
        NUMBER(ksa_response, status),
        NUMBER(ksa_response, max_age),
        NUMBER(ksa_response, retry_after),
        NUMBER(ksa_response, date),
        BYTES(ksa_response, why),
        BYTES(ksa_response, body),
        BYTES(ksa_response, names),
};
/* clang-format on */

struct ksa_secret *ksa_request_write(const struct ksa_request *request)
{
        return ksa_message_write(request, request_members, KSA_COUNT(request_members),
                                 KSA_REQUEST_MAX);
}

/* Texts become header lines of HTTP, so a line break would inject another header. */
static bool is_text(struct ksa_bytes text)
{
        if (text.bytes == NULL)
                return true;
        for (size_t i = 0; i < text.length; i++) {
                if (text.bytes[i] < ' ' || text.bytes[i] > '~')
                        return false;
        }
        return true;
}

bool ksa_request_read(const struct ksa_secret *message, struct ksa_request *ret_request)
{
        struct ksa_request request = {0};

        if (!ksa_message_read(message, request_members, KSA_COUNT(request_members), &request) ||
            request.method.length == 0 || request.url.length == 0 || !is_text(request.method) ||
            !is_text(request.url) || !is_text(request.accept) || !is_text(request.user_agent) ||
            !is_text(request.audit_id) || !is_text(request.bearer) || !is_text(request.proxy) ||
            !is_text(request.server_name) || request.milliseconds <= 0 ||
            request.milliseconds > INT32_MAX || request.max <= 0 ||
            request.max > (int64_t)KSA_BODY_MAX)
                return false;
        *ret_request = request;
        return true;
}

struct ksa_secret *ksa_response_write(const struct ksa_response *response)
{
        return ksa_message_write(response, response_members, KSA_COUNT(response_members),
                                 KSA_RESPONSE_MAX);
}

static bool is_seconds(int64_t number)
{
        return number >= -1 && number <= KSA_SECONDS_MAX;
}

bool ksa_response_read(struct ksa_secret *message, struct ksa_response *ret_response)
{
        struct ksa_response response = {0};

        if (!ksa_message_read(message, response_members, KSA_COUNT(response_members), &response) ||
            response.transport <= 0 || response.transport >= KSA_TRANSPORT_COUNT ||
            response.status < 0 || response.status > STATUS_MAX || !is_seconds(response.max_age) ||
            !is_seconds(response.retry_after) || !is_seconds(response.date) ||
            !is_text(response.why) || !is_text(response.names) ||
            (response.status != 0 && response.body.bytes == NULL))
                return false;
        response.message = message;
        *ret_response = response;
        return true;
}

void ksa_response_clear(struct ksa_response *response)
{
        ksa_secret_free(&response->message);
        memset(response, 0, sizeof(*response));
}

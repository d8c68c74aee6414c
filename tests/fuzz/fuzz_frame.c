/* SPDX-License-Identifier: BSD-2-Clause */
/* The records on the socket to ksa-fetch: an accepted record is written as the same bytes. */
#include "base/http_message.h"
#include "fuzz.h"

static struct ksa_secret *secret_with(const uint8_t *data, size_t size)
{
        struct ksa_secret *secret = ksa_secret_new(size);

        MUST(secret != NULL && ksa_secret_append(secret, data, size));
        return secret;
}

/* Takes the frame: a head that fits what follows, and DATA. */
static void check_same(struct ksa_secret *frame, size_t max, const uint8_t *data, size_t size)
{
        size_t said = 0;

        MUST((frame != NULL) == (size <= max));
        if (frame == NULL)
                return;
        MUST(ksa_secret_length(frame) == KSA_MESSAGE_HEAD + size);
        MUST(ksa_message_size((const unsigned char *)ksa_secret_bytes(frame), max, &said));
        MUST(said == size);
        MUST(size == 0 || memcmp(ksa_secret_bytes(frame) + KSA_MESSAGE_HEAD, data, size) == 0);
        ksa_secret_free(&frame);
}

/* Text that becomes a header, or the value of an option: one line, or nothing. */
static void check_text(struct ksa_bytes text)
{
        MUST(text.bytes != NULL || text.length == 0);
        MUST(text.bytes == NULL || text.bytes[text.length] == '\0');
        for (size_t i = 0; i < text.length; i++)
                MUST(text.bytes[i] >= ' ' && text.bytes[i] <= '~');
}

static void read_request(const uint8_t *data, size_t size)
{
        struct ksa_secret *body = secret_with(data, size);
        struct ksa_request request;

        if (ksa_request_read(body, &request)) {
                check_text(request.method);
                check_text(request.url);
                check_text(request.accept);
                check_text(request.user_agent);
                check_text(request.audit_id);
                check_text(request.bearer);
                check_text(request.proxy);
                MUST(request.method.length > 0 && request.url.length > 0);
                MUST(request.milliseconds > 0 && request.max > 0);
                MUST(request.max <= (int64_t)KSA_BODY_MAX);
                check_same(ksa_request_write(&request), KSA_REQUEST_MAX, data, size);
        }
        ksa_secret_free(&body);
}

static void read_response(const uint8_t *data, size_t size)
{
        struct ksa_secret *body = secret_with(data, size);
        struct ksa_response response;

        if (!ksa_response_read(body, &response)) {
                ksa_secret_free(&body);
                return;
        }
        check_text(response.why);
        MUST(response.transport > 0 && response.transport < KSA_TRANSPORT_COUNT);
        MUST(response.status == 0 || response.body.bytes != NULL);
        check_same(ksa_response_write(&response), KSA_RESPONSE_MAX, data, size);
        ksa_response_clear(&response);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        unsigned char head[KSA_MESSAGE_HEAD] = {0};
        size_t said = 0;

        if (size > 0)
                memcpy(head, data, size < sizeof(head) ? size : sizeof(head));
        if (ksa_message_size(head, KSA_RESPONSE_MAX, &said))
                MUST(said <= KSA_RESPONSE_MAX);
        read_request(data, size);
        read_response(data, size);
        return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* http_message.c: the requests that ksa-fetch accepts, and the checks of its response. */
#include "base/http_message.h"

#include <string.h>

#include "support/support.h"

static struct ksa_request sound(void)
{
        return (struct ksa_request){.method = ksa_bytes_of("GET"),
                                    .url = ksa_bytes_of("https://10.0.0.1:6443/openid/v1/jwks"),
                                    .milliseconds = 5000,
                                    .max = 1000};
}

static struct ksa_secret *body_of(struct ksa_secret *frame)
{
        size_t length = ksa_secret_length(frame) - KSA_MESSAGE_HEAD;
        struct ksa_secret *body = ksa_secret_new(length);

        assert_non_null(body);
        assert_true(ksa_secret_append(body, ksa_secret_bytes(frame) + KSA_MESSAGE_HEAD, length));
        ksa_secret_free(&frame);
        return body;
}

static bool is_taken(const struct ksa_request *request)
{
        struct ksa_secret *body = body_of(ksa_request_write(request));
        struct ksa_request read;
        bool taken = ksa_request_read(body, &read);

        ksa_secret_free(&body);
        return taken;
}

static void test_requests(void **state)
{
        struct ksa_request request = sound();

        (void)state;
        assert_true(is_taken(&request));
        request.url = (struct ksa_bytes){NULL, 0};
        assert_false(is_taken(&request));
        request = sound();
        request.milliseconds = 0;
        assert_false(is_taken(&request));
        request = sound();
        request.max = (int64_t)KSA_BODY_MAX + 1;
        assert_false(is_taken(&request));
}

/* A line end in a header's value would begin another header. */
static void test_no_line_ends_in_headers(void **state)
{
        static const size_t texts[] = {
                offsetof(struct ksa_request, method),   offsetof(struct ksa_request, url),
                offsetof(struct ksa_request, accept),   offsetof(struct ksa_request, user_agent),
                offsetof(struct ksa_request, audit_id), offsetof(struct ksa_request, bearer),
                offsetof(struct ksa_request, proxy),    offsetof(struct ksa_request, server_name),
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(texts); i++) {
                struct ksa_request request = sound();
                struct ksa_bytes *text = (void *)((char *)&request + texts[i]);

                *text = ksa_bytes_of("a\r\nX: b");
                assert_false(is_taken(&request));
                *text = (struct ksa_bytes){"a\0b", 3};
                assert_false(is_taken(&request));
        }
}

static bool is_believed(const struct ksa_response *response)
{
        struct ksa_secret *body = body_of(ksa_response_write(response));
        struct ksa_response read = {0};
        bool believed = ksa_response_read(body, &read);

        if (believed) {
                assert_int_equal(read.status, response->status);
                ksa_response_clear(&read);
        } else {
                ksa_secret_free(&body);
        }
        return believed;
}

static void test_responses(void **state)
{
        struct ksa_response response = {
                .transport = KSA_TRANSPORT_ANSWERED, .status = 200, .body = ksa_bytes_of("{}")};

        (void)state;
        assert_true(is_believed(&response));
        static const struct {
                int64_t status, max_age, retry_after, date;
                bool believed;
        } numbers[] = {{999, -1, -1, -1, true},
                       {1000, 0, 0, 0, false},
                       {-1, 0, 0, 0, false},
                       {INT64_C(1) << 32, 0, 0, 0, false},
                       {200, -2, 0, 0, false},
                       {200, 0, INT64_MIN, 0, false},
                       {200, 0, 0, INT64_MIN, false},
                       {200, 0, 0, INT64_MAX, false},
                       {200, 0, 0, 253402300799, true},
                       {200, INT64_MAX, 0, 0, false}};
        for (size_t i = 0; i < KSA_COUNT(numbers); i++) {
                struct ksa_response odd = response;

                odd.status = numbers[i].status;
                odd.max_age = numbers[i].max_age;
                odd.retry_after = numbers[i].retry_after;
                odd.date = numbers[i].date;
                assert_int_equal(is_believed(&odd), numbers[i].believed);
        }
        response.body = (struct ksa_bytes){NULL, 0}; /* a status without a body */
        assert_false(is_believed(&response));
        response.status = 0;
        response.transport = 0;
        assert_false(is_believed(&response));
        response.transport = KSA_TRANSPORT_COUNT;
        assert_false(is_believed(&response));
        response.transport = KSA_TRANSPORT_TLS;
        assert_true(is_believed(&response));
        response.why = ksa_bytes_of("two\nlines");
        assert_false(is_believed(&response));
        response.why = ksa_bytes_of("");
        response.names = ksa_bytes_of("DNS:two\nlines");
        assert_false(is_believed(&response));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_requests),
                cmocka_unit_test(test_no_line_ends_in_headers),
                cmocka_unit_test(test_responses),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

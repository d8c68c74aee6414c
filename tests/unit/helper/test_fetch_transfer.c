/* SPDX-License-Identifier: BSD-2-Clause */
/* fetch_transfer.c: what a request sends, what each answer means, and which requests are not sent. */
#include "helper/fetch_transfer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/support.h"
#include "support/web_server.h"

/* Long enough on any machine, because no test waits for it. */
#define PLENTY   120000
#define DAY      86400L
#define BODY_MAX 64

static int socket_error;
static struct transfer *transfer;

/* The servers of this test call it too: they start before it fails. */
int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);

int __wrap_socket(int domain, int type, int protocol)
{
        errno = socket_error;
        return socket_error != 0 ? -1 : __real_socket(domain, type, protocol);
}

static int start_transfer(void **state)
{
        (void)state;
        socket_error = 0;
        transfer = transfer_new();
        return transfer != NULL ? 0 : -1;
}

static int end_transfer(void **state)
{
        (void)state;
        transfer_free(&transfer);
        assert_null(transfer);
        transfer_free(&transfer);
        return 0;
}

static struct ksa_request request_of(const char *url)
{
        return (struct ksa_request){.method = ksa_bytes_of("GET"),
                                    .url = ksa_bytes_of(url),
                                    .accept = ksa_bytes_of("application/json"),
                                    .user_agent = ksa_bytes_of("ksa-fetch (test)"),
                                    .milliseconds = PLENTY,
                                    .max = BODY_MAX};
}

/* Sends a request to a server that answers ANSWER, and stops it; *RET_SERVER has what it received. */
static struct ksa_response ask(const char *answer, struct web_server *ret_server)
{
        struct ksa_response response;
        char url[64];

        web_server_start(ret_server, answer, NULL);
        (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/path", ret_server->port);
        const struct ksa_request request = request_of(url);
        transfer_ask(transfer, &request, &response);
        web_server_stop(ret_server);
        return response;
}

/* --- A request, and its answer ---------------------------------------------- */

static void test_what_a_server_is_asked(void **state)
{
        struct web_server server;
        struct ksa_response response;
        char url[64];

        (void)state;
        web_server_start(&server, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}", NULL);
        (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/apis", server.port);
        struct ksa_request request = request_of(url);
        request.method = ksa_bytes_of("POST");
        request.bearer = ksa_bytes_of("header.payload.signature");
        request.audit_id = ksa_bytes_of("audit-1");
        request.body = ksa_bytes_of("{\"kind\":\"TokenReview\"}");
        transfer_ask(transfer, &request, &response);
        web_server_stop(&server);
        assert_int_equal(response.transport, KSA_TRANSPORT_ANSWERED);
        assert_int_equal(response.status, 201);
        assert_int_equal(response.body.length, 2);
        assert_int_equal(strncmp(server.request, "POST /apis HTTP/1.1\r\n", 21), 0);
        static const char *const lines[] = {
                "Accept: application/json",       "Audit-ID: audit-1",
                "Content-Type: application/json", "Authorization: Bearer header.payload.signature",
                "User-Agent: ksa-fetch (test)",   "Content-Length: 22"};
        for (size_t i = 0; i < KSA_COUNT(lines); i++)
                assert_non_null(strstr(server.request, lines[i]));
        assert_null(strstr(server.request, "Expect:"));
}

/* A request contains no credential and no body of the request before. */
static void test_requests_share_nothing(void **state)
{
        struct web_server server;

        test_what_a_server_is_asked(state);
        const struct ksa_response response =
                ask("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", &server);
        assert_int_equal(response.transport, KSA_TRANSPORT_ANSWERED);
        assert_int_equal(response.body.length, 0);
        assert_int_equal(strncmp(server.request, "GET /path HTTP/1.1\r\n", 20), 0);
        assert_null(strstr(server.request, "Authorization"));
        assert_null(strstr(server.request, "Audit-ID"));
        assert_null(strstr(server.request, "Content-"));
}

static void test_headers_of_an_answer(void **state)
{
        static const struct {
                const char *lines;
                int64_t max_age, retry_after, date;
        } rows[] = {
                {"", -1, -1, -1},
                {"Cache-Control: public, max-age=3600\r\n", 3600, -1, -1},
                {"cache-control: MAX-AGE=\"60\" , x\r\n", 60, -1, -1},
                {"Cache-Control: x=\"a\\\"b, max-age=5\", max-age=60\r\n", 60, -1, -1},
                {"Cache-Control: max-age=60, max-age=30\r\nCache-Control: max-age=40\r\n", 30, -1,
                 -1},
                {"Cache-Control: max-age=, max-age=x, max-age=1x, max-age=\"1\r\n", -1, -1, -1},
                {"Cache-Control: max-age=99999999999999999999\r\n", -1, -1, -1},
                {"Cache-Control: max-age=4294967296\r\n", -1, -1, -1},
                {"Retry-After: 7 \r\n", -1, 7, -1},
                {"Retry-After: -7\r\n", -1, -1, -1},
                {"Retry-After: soon\r\n", -1, -1, -1},
                {"Date: Thu, 01 Jan 1970 00:01:40 GMT\r\n", -1, -1, 100},
                {"Date: Thu, 01 Jan 1970 00:01:40 CET\r\n", -1, -1, -1},
                {"Date: Wed, 31 Dec 1969 23:59:59 GMT\r\n", -1, -1, -1},
                {"Date: Thu, 01 Jan 1970 00:01:40 GMT\r\nRetry-After: Thu, 01 Jan 1970 00:01:45 "
                 "GMT\r\n",
                 -1, 5, 100},
                {"Date: Thu, 01 Jan 1970 00:01:40 GMT\r\nRetry-After: Thu, 01 Jan 1970 00:01:35 "
                 "GMT\r\n",
                 -1, 0, 100},
                /* without Date the server's clock is not known */
                {"Retry-After: Thu, 01 Jan 1970 00:01:45 GMT\r\n", -1, -1, -1},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct web_server server;
                char answer[512];

                (void)snprintf(answer, sizeof(answer),
                               "HTTP/1.1 429 Too Many Requests\r\n%sContent-Length: 0\r\n\r\n",
                               rows[i].lines);
                const struct ksa_response response = ask(answer, &server);
                if (response.max_age != rows[i].max_age ||
                    response.retry_after != rows[i].retry_after || response.date != rows[i].date)
                        fail_msg("%s: %lld %lld %lld", rows[i].lines, (long long)response.max_age,
                                 (long long)response.retry_after, (long long)response.date);
                assert_int_equal(response.status, 429);
        }
}

/* A header whose value is longer than the buffer is ignored. */
static void test_a_long_header(void **state)
{
        struct web_server server;
        char answer[1024], spaces[400];

        (void)state;
        memset(spaces, 'x', sizeof(spaces));
        spaces[sizeof(spaces) - 1] = '\0';
        (void)snprintf(answer, sizeof(answer),
                       "HTTP/1.1 200 OK\r\nCache-Control: max-age=60, %s\r\nContent-Length: "
                       "0\r\n\r\n",
                       spaces);
        const struct ksa_response response = ask(answer, &server);
        assert_int_equal(response.transport, KSA_TRANSPORT_ANSWERED);
        assert_int_equal(response.max_age, -1);
}

static void test_answers_that_are_not_whole(void **state)
{
        static const struct {
                const char *answer;
                enum ksa_transport transport;
                int status;
        } rows[] = {
                {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{", KSA_TRANSPORT_BROKEN, 0},
                {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
                 KSA_TRANSPORT_BROKEN, 0},
                {"", KSA_TRANSPORT_BROKEN, 0},
                {"SSH-2.0-OpenSSH_9.2\r\n", KSA_TRANSPORT_BROKEN, 0},
                /* BODY_MAX is 64 */
                {"HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n"
                 "01234567890123456789012345678901234567890123456789012345678901234",
                 KSA_TRANSPORT_TOO_LARGE, 0},
                {"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n"
                 "0123456789012345678901234567890123456789012345678901234567890123",
                 KSA_TRANSPORT_ANSWERED, 200},
                /* not followed */
                {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
                 KSA_TRANSPORT_ANSWERED, 302},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct web_server server;
                const struct ksa_response response = ask(rows[i].answer, &server);

                assert_int_equal(response.transport, rows[i].transport);
                assert_int_equal(response.status, rows[i].status);
                assert_int_equal(response.body.length, rows[i].status == 200 ? BODY_MAX : 0);
        }
}

/* --- No answer -------------------------------------------------------------- */

static void test_urls_that_are_refused(void **state)
{
        static const char *const urls[] = {
                "http://10.0.0.1/",   "http://127.0.0.1.example.com/",
                "http://localhost2/", "ftp://127.0.0.1/",
                "file:///etc/passwd", "HTTPS://10.0.0.1/",
                "127.0.0.1",          "https://127.0.0.1:99999/",
        };
        struct ksa_response response;

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(urls); i++) {
                const struct ksa_request request = request_of(urls[i]);

                transfer_ask(transfer, &request, &response);
                assert_int_equal(response.transport, KSA_TRANSPORT_REQUEST);
        }
        struct ksa_request named = request_of("https://127.0.0.1:99999/");
        named.server_name = ksa_bytes_of("kubernetes");
        transfer_ask(transfer, &named, &response);
        assert_int_equal(response.transport, KSA_TRANSPORT_REQUEST);
        /* "http://127.0.0.1:x@elsewhere" is another machine */
        struct web_server server;
        char url[64];
        web_server_start(&server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", NULL);
        (void)snprintf(url, sizeof(url), "http://127.0.0.1:x@127.0.0.1:%u/", server.port);
        const struct ksa_request request = request_of(url);
        transfer_ask(transfer, &request, &response);
        web_server_stop(&server);
        assert_int_not_equal(response.transport, KSA_TRANSPORT_ANSWERED);
        assert_int_equal(server.length, 0);
}

static void test_servers_that_do_not_answer(void **state)
{
        struct web_server server;
        struct ksa_response response;
        char url[64];

        (void)state;
        web_server_start(&server, NULL, NULL);
        (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", server.port);
        struct ksa_request request = request_of(url);
        request.milliseconds = 100;
        transfer_ask(transfer, &request, &response);
        assert_int_equal(response.transport, KSA_TRANSPORT_TIMEOUT);
        web_server_stop(&server);
        request.milliseconds = PLENTY;
        transfer_ask(transfer, &request, &response);
        assert_int_equal(response.transport, KSA_TRANSPORT_UNREACHABLE);
        /* If this host has no descriptor left, it is not the server's error. */
        socket_error = EMFILE;
        transfer_ask(transfer, &request, &response);
        assert_int_equal(response.transport, KSA_TRANSPORT_HOST);
        assert_string_equal(response.why.bytes, strerror(EMFILE));
        request.milliseconds = 1;
        request.url = ksa_bytes_of("http://localhost:1/");
        transfer_ask(transfer, &request, &response);
        assert_int_equal(response.transport, KSA_TRANSPORT_HOST);
}

/* The configured proxy receives the whole URL. A proxy of the environment is not used. */
static void test_proxies(void **state)
{
        struct web_server server;
        struct ksa_response response;
        char proxy[64];

        (void)state;
        web_server_start(&server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", NULL);
        (void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", server.port);
        struct ksa_request request = request_of("http://127.0.0.1:1/x");
        request.proxy = ksa_bytes_of(proxy);
        transfer_ask(transfer, &request, &response);
        assert_int_equal(response.transport, KSA_TRANSPORT_ANSWERED);
        assert_int_equal(setenv("http_proxy", proxy, 1), 0);
        request.proxy = (struct ksa_bytes){NULL, 0};
        transfer_ask(transfer, &request, &response);
        assert_int_equal(unsetenv("http_proxy"), 0);
        web_server_stop(&server);
        assert_int_equal(response.transport, KSA_TRANSPORT_UNREACHABLE);
        assert_int_equal(strncmp(server.request, "GET http://127.0.0.1:1/x HTTP/1.1\r\n", 34), 0);
}

/* --- TLS -------------------------------------------------------------------- */

#define HELLO "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

/* Asks a server with CERTIFICATE (NULL: a plain one) by TLS; ANCHORS and NAME may be NULL. */
static struct ksa_response ask_tls(const struct certificate *certificate, const char *anchors,
                                   const char *name, struct web_server *ret_server)
{
        struct ksa_response response;
        char url[64];

        web_server_start(ret_server, HELLO, certificate);
        (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", ret_server->port);
        struct ksa_request request = request_of(url);
        if (anchors != NULL)
                request.ca = ksa_bytes_of(anchors);
        if (name != NULL)
                request.server_name = ksa_bytes_of(name);
        transfer_ask(transfer, &request, &response);
        web_server_stop(ret_server);
        return response;
}

static void test_certificates(void **state)
{
        static const struct {
                const char *names;
                long first, last;
                const char *server_name;
                enum ksa_transport transport;
                const char *shown; /* of the certificate's names */
        } rows[] = {
                {"IP:127.0.0.1", -DAY, DAY, NULL, KSA_TRANSPORT_ANSWERED, NULL},
                {"DNS:kubernetes", -DAY, DAY, "kubernetes", KSA_TRANSPORT_ANSWERED, NULL},
                {"DNS:other", -DAY, DAY, NULL, KSA_TRANSPORT_TLS_NAME, "DNS:other"},
                {"IP:127.0.0.1", -DAY, DAY, "kubernetes", KSA_TRANSPORT_TLS_NAME, "IP Address:"},
                {NULL, -DAY, DAY, NULL, KSA_TRANSPORT_TLS_NAME, ""},
                {"IP:127.0.0.1", -2 * DAY, -DAY, NULL, KSA_TRANSPORT_TLS_EXPIRED, NULL},
                {"IP:127.0.0.1", DAY, 2 * DAY, NULL, KSA_TRANSPORT_TLS_EARLY, NULL},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct certificate *own =
                        certificate_new(rows[i].names, rows[i].first, rows[i].last);
                struct web_server server;
                const struct ksa_response response =
                        ask_tls(own, own->pem, rows[i].server_name, &server);

                assert_int_equal(response.transport, rows[i].transport);
                if (rows[i].shown != NULL)
                        assert_non_null(strstr(response.names.bytes, rows[i].shown));
                if (rows[i].transport == KSA_TRANSPORT_ANSWERED)
                        assert_int_equal(response.status, 200);
                else
                        assert_int_equal(server.length, 0); /* no request, no credential */
                certificate_free(own);
        }
}

/* Certificates of another authority, the system's trust anchors, and texts that are not certificates. */
static void test_authorities(void **state)
{
        struct certificate *own = certificate_new("IP:127.0.0.1", -DAY, DAY);
        struct certificate *other = certificate_new("IP:127.0.0.1", -DAY, DAY);
        struct web_server server;

        (void)state;
        assert_int_equal(ask_tls(own, other->pem, NULL, &server).transport,
                         KSA_TRANSPORT_TLS_AUTHORITY);
        assert_int_equal(server.length, 0);
        assert_int_equal(ask_tls(own, NULL, NULL, &server).transport, KSA_TRANSPORT_TLS_AUTHORITY);
        assert_int_equal(ask_tls(own, "not a certificate", NULL, &server).transport,
                         KSA_TRANSPORT_TLS);
        assert_int_equal(server.length, 0);
        /* a server without TLS */
        assert_int_equal(ask_tls(NULL, own->pem, NULL, &server).transport, KSA_TRANSPORT_TLS);
        certificate_free(own);
        certificate_free(other);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start_transfer, end_transfer)
        const struct CMUnitTest tests[] = {
                TEST(test_what_a_server_is_asked),
                TEST(test_requests_share_nothing),
                TEST(test_headers_of_an_answer),
                TEST(test_a_long_header),
                TEST(test_answers_that_are_not_whole),
                TEST(test_urls_that_are_refused),
                TEST(test_servers_that_do_not_answer),
                TEST(test_proxies),
                TEST(test_certificates),
                TEST(test_authorities),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

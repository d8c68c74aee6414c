/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fetch_process.c: what each answer of ksa-fetch means, second requests, and refreshes. Scripts stand in for the
 * programs: an answer is a file, which the script sends.
 */
#include "cluster/fetch_process.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/support.h"

/* Long enough on any machine, because no test waits for it. */
#define PLENTY    120000
#define TOO_MANY  429
#define RETRY_NOW 0

static struct ksa_bytes bytes_of(const char *text)
{
        return text == NULL ? (struct ksa_bytes){NULL, 0} : ksa_bytes_of(text);
}

static struct ksa_request request_of(const char *url)
{
        return (struct ksa_request){.method = bytes_of("GET"),
                                    .url = bytes_of(url),
                                    .milliseconds = PLENTY,
                                    .max = 1024};
}

static const char *path_of(const struct workdir *workdir, const char *name)
{
        static char path[128];

        (void)snprintf(path, sizeof(path), "%s/%s", workdir->directory, name);
        return path;
}

static void write_script(const struct workdir *workdir, const char *name, const char *text)
{
        workdir_write(workdir, name, text);
        assert_int_equal(chmod(path_of(workdir, name), 0755), 0);
}

/* Appends RESPONSE to the responses that ksa-fetch sends. */
static void add_answer(const struct workdir *workdir, const struct ksa_response *response)
{
        struct ksa_secret *message = ksa_response_write(response);

        assert_non_null(message);
        FILE *file = fopen(path_of(workdir, "answers"), "a");
        assert_non_null(file);
        assert_int_equal(fwrite(ksa_secret_bytes(message), 1, ksa_secret_length(message), file),
                         ksa_secret_length(message));
        assert_int_equal(fclose(file), 0);
        ksa_secret_free(&message);
}

/* A ksa-fetch that sends all responses that were added, and reads until its socket ends. */
static struct ksa_fetch_process fetch_of(const struct workdir *workdir, char path[128])
{
        char script[256];

        (void)snprintf(script, sizeof(script), "#!/bin/sh\ncat %s/answers\nexec cat >%s/asked\n",
                       workdir->directory, workdir->directory);
        write_script(workdir, "ksa-fetch", script);
        (void)snprintf(path, 128, "%s/ksa-fetch", workdir->directory);
        return (struct ksa_fetch_process){.fetch_program = path};
}

/* The answer to REQUEST if ksa-fetch sends RESPONSE alone. */
static enum ksa_reason ask(const struct workdir *workdir, const struct ksa_request *request,
                           const struct ksa_response *response, struct ksa_response *ret_response,
                           struct ksa_error *err)
{
        char path[128];

        (void)unlink(path_of(workdir, "answers"));
        add_answer(workdir, response);
        struct ksa_fetch_process fetch = fetch_of(workdir, path);
        enum ksa_reason reason = ksa_fetch_process_ask(&fetch, request, ret_response, err);
        ksa_fetch_process_close(&fetch);
        assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
        return reason;
}

/* --- What an answer means --------------------------------------------------- */

static void test_an_answer_of_http(void **state)
{
        const struct workdir *workdir = *state;
        const struct ksa_request request = request_of("https://10.0.0.1/x");
        const struct ksa_response sent = {.transport = KSA_TRANSPORT_ANSWERED,
                                          .status = 403,
                                          .max_age = 60,
                                          .retry_after = -1,
                                          .date = 100,
                                          .body = bytes_of("{}")};
        struct ksa_response got = {0};
        struct ksa_error error = {0};

        assert_int_equal(ask(workdir, &request, &sent, &got, &error), KSA_OK);
        assert_int_equal(got.status, 403);
        assert_int_equal(got.max_age, 60);
        assert_int_equal(got.date, 100);
        assert_string_equal(got.body.bytes, "{}");
        assert_string_equal(error.text, "");
        ksa_response_clear(&got);
}

static void test_what_no_answer_means(void **state)
{
        static const struct {
                enum ksa_transport transport;
                const char *why;
                enum ksa_reason reason;
                const char *text;
        } rows[] = {
                {KSA_TRANSPORT_UNREACHABLE, "refused", KSA_API_UNREACHABLE,
                 "no connection: refused"},
                {KSA_TRANSPORT_TIMEOUT, "late", KSA_API_TIMEOUT,
                 "no answer from the cluster in time"},
                {KSA_TRANSPORT_TLS, "no cipher", KSA_API_TLS, "TLS: no cipher"},
                {KSA_TRANSPORT_TOO_LARGE, "x", KSA_API_BROKEN, "the answer is too large"},
                {KSA_TRANSPORT_BROKEN, "cut", KSA_API_BROKEN, "incomplete answer: cut"},
                {KSA_TRANSPORT_USER, "no user", KSA_HELPER, "no user"},
                {KSA_TRANSPORT_HOST, "no port", KSA_HOST_ERROR,
                 "this host could not connect: no port"},
                {KSA_TRANSPORT_REQUEST, "not https", KSA_HELPER,
                 "ksa-fetch cannot send this request: not https"},
                {KSA_TRANSPORT_BROKEN, NULL, KSA_API_BROKEN, "incomplete answer: "},
        };
        const struct workdir *workdir = *state;
        const struct ksa_request request = request_of("https://10.0.0.1/x");

        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                const struct ksa_response sent = {.transport = rows[i].transport,
                                                  .max_age = -1,
                                                  .retry_after = -1,
                                                  .date = -1,
                                                  .why = bytes_of(rows[i].why)};
                struct ksa_response got = {0};
                struct ksa_error error = {0};

                assert_int_equal(ask(workdir, &request, &sent, &got, &error), rows[i].reason);
                assert_string_equal(error.text, rows[i].text);
                assert_null(got.message);
        }
}

/* An answer without a transport, or with a later one, is not an answer of HTTP. */
static void test_a_transport_that_does_not_exist(void **state)
{
        static const int64_t transports[] = {0, -1, KSA_TRANSPORT_COUNT, 1000, INT64_MAX};
        const struct workdir *workdir = *state;
        const struct ksa_request request = request_of("https://10.0.0.1/x");

        for (size_t i = 0; i < KSA_COUNT(transports); i++) {
                const struct ksa_response sent = {.transport = transports[i],
                                                  .status = 200,
                                                  .max_age = -1,
                                                  .retry_after = -1,
                                                  .date = -1,
                                                  .body = bytes_of("{}")};
                struct ksa_response got = {0};

                assert_int_equal(ask(workdir, &request, &sent, &got, NULL), KSA_HELPER);
                assert_null(got.message);
        }
}

static void test_certificates(void **state)
{
        static const struct {
                enum ksa_transport transport;
                const char *url, *ca, *server_name, *names, *text, *remedy;
        } rows[] = {
                {KSA_TRANSPORT_TLS_AUTHORITY, "https://10.0.0.1:6443/api", "PEM", NULL, NULL,
                 "no authority in the configured CA file signed the certificate of 10.0.0.1:6443",
                 "api_ca_file"},
                {KSA_TRANSPORT_TLS_AUTHORITY, "https://issuer.example.com", NULL, NULL, NULL,
                 "no authority in the system's trust anchors signed", "api_ca_file"},
                {KSA_TRANSPORT_TLS_NAME, "https://10.0.0.1/", "PEM", NULL, "DNS:other",
                 "the certificate of 10.0.0.1 is not for that name; its names: DNS:other",
                 "api_server_name"},
                {KSA_TRANSPORT_TLS_NAME, "https://10.0.0.1/", "PEM", "kubernetes", NULL,
                 "is not for api_server_name kubernetes; its names: none", "api_server_name"},
                {KSA_TRANSPORT_TLS_EXPIRED, "https://10.0.0.1/", "PEM", NULL, NULL, "has expired",
                 "renew"},
                {KSA_TRANSPORT_TLS_EARLY, "https://10.0.0.1/", "PEM", NULL, NULL,
                 "is not valid yet", "clock"},
                /* a password in a URL is not shown */
                {KSA_TRANSPORT_TLS_EARLY, "https://me:hidden@10.0.0.1/", "PEM", NULL, NULL,
                 "10.0.0.1", "clock"},
        };
        const struct workdir *workdir = *state;

        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                const struct ksa_response sent = {.transport = rows[i].transport,
                                                  .max_age = -1,
                                                  .retry_after = -1,
                                                  .date = -1,
                                                  .why = bytes_of("x"),
                                                  .names = bytes_of(rows[i].names)};
                struct ksa_request request = request_of(rows[i].url);
                struct ksa_response got = {0};
                struct ksa_error error = {0};

                request.ca = bytes_of(rows[i].ca);
                request.server_name = bytes_of(rows[i].server_name);
                assert_int_equal(ask(workdir, &request, &sent, &got, &error), KSA_API_TLS);
                assert_non_null(strstr(error.text, rows[i].text));
                assert_non_null(strstr(error.remedy, rows[i].remedy));
                assert_null(strstr(error.text, "hidden"));
        }
}

/* --- Second requests -------------------------------------------------------- */

/* Sends 429 and SECOND, and asks once. The status of the answer. */
static int64_t ask_busy(const struct workdir *workdir, int64_t retry_after,
                        const struct ksa_response *second)
{
        const struct ksa_response busy = {.transport = KSA_TRANSPORT_ANSWERED,
                                          .status = TOO_MANY,
                                          .max_age = -1,
                                          .retry_after = retry_after,
                                          .date = -1,
                                          .body = bytes_of("")};
        const struct ksa_request request = request_of("https://10.0.0.1/x");
        struct ksa_response got = {0};
        struct ksa_error error = {0};
        char path[128];

        (void)unlink(path_of(workdir, "answers"));
        add_answer(workdir, &busy);
        add_answer(workdir, second);
        struct ksa_fetch_process fetch = fetch_of(workdir, path);
        enum ksa_reason reason = ksa_fetch_process_ask(&fetch, &request, &got, &error);
        assert_string_equal(error.text, "");
        assert_int_equal(reason, KSA_OK);
        ksa_fetch_process_close(&fetch);
        ksa_fetch_process_close(&fetch); /* the second time it does nothing */
        int64_t status = got.status;
        ksa_response_clear(&got);
        return status;
}

static void test_a_busy_server_is_asked_again(void **state)
{
        const struct ksa_response good = {.transport = KSA_TRANSPORT_ANSWERED,
                                          .status = 200,
                                          .max_age = -1,
                                          .retry_after = -1,
                                          .date = -1,
                                          .body = bytes_of("{}")};
        struct ksa_response cut = good;

        cut.transport = KSA_TRANSPORT_BROKEN;
        assert_int_equal(ask_busy(*state, RETRY_NOW, &good), 200);
        /* Not after the deadline, nor where the server named no time. */
        assert_int_equal(ask_busy(*state, PLENTY, &good), TOO_MANY);
        assert_int_equal(ask_busy(*state, -1, &good), TOO_MANY);
        /* Without a second answer the first one counts. */
        assert_int_equal(ask_busy(*state, RETRY_NOW, &cut), TOO_MANY);
}

/* A request that is too large, and one without time: ksa-fetch sends nothing, and no process is left. */
static void test_requests_that_are_not_sent(void **state)
{
        const struct workdir *workdir = *state;
        struct ksa_request request = request_of("https://10.0.0.1/x");
        struct ksa_response got = {0};
        struct ksa_error error = {0};
        char path[128];
        char *large = calloc(1, KSA_REQUEST_MAX + 1);

        assert_non_null(large);
        memset(large, 'x', KSA_REQUEST_MAX);
        struct ksa_fetch_process fetch = fetch_of(workdir, path);
        request.body = (struct ksa_bytes){large, KSA_REQUEST_MAX};
        assert_int_equal(ksa_fetch_process_ask(&fetch, &request, &got, &error), KSA_MEMORY);
        assert_false(fetch.is_running);
        free(large);
        request = request_of("https://10.0.0.1/x");
        fetch = fetch_of(workdir, path);
        request.milliseconds = 0;
        assert_int_equal(ksa_fetch_process_ask(&fetch, &request, &got, &error), KSA_API_TIMEOUT);
        assert_false(fetch.is_running);
}

/* A head that promises a body, and a body that is not a response. */
static void test_an_answer_that_is_not_one(void **state)
{
        static const char *const scripts[] = {
                "#!/bin/sh\nprintf '1ask\\10\\0\\0\\0xxxxxxxx'\nexec cat >/dev/null\n",
                "#!/bin/sh\nprintf '1ask\\0\\0\\0\\0'\nexec cat >/dev/null\n",
                "#!/bin/sh\nprintf 'XXXX\\10\\0\\0\\0xxxxxxxx'\nexec cat >/dev/null\n",
        };
        const struct workdir *workdir = *state;
        const struct ksa_request request = request_of("https://10.0.0.1/x");

        for (size_t i = 0; i < KSA_COUNT(scripts); i++) {
                struct ksa_response got = {0};
                struct ksa_error error = {0};
                char path[128];

                write_script(workdir, "ksa-fetch", scripts[i]);
                (void)snprintf(path, sizeof(path), "%s/ksa-fetch", workdir->directory);
                struct ksa_fetch_process fetch = {.fetch_program = path};
                assert_int_equal(ksa_fetch_process_ask(&fetch, &request, &got, &error), KSA_HELPER);
                assert_string_equal(error.text, "ksa-fetch sent an invalid answer");
                assert_false(fetch.is_running);
        }
}

/* The head is there in time, and the rest never comes. */
static void test_an_answer_that_stops(void **state)
{
        const struct workdir *workdir = *state;
        struct ksa_request request = request_of("https://10.0.0.1/x");
        struct ksa_response got = {0};
        struct ksa_error error = {0};
        char path[128];

        write_script(workdir, "ksa-fetch",
                     "#!/bin/sh\nprintf '1ask\\10\\0\\0\\0xxx'\nexec cat >/dev/null\n");
        (void)snprintf(path, sizeof(path), "%s/ksa-fetch", workdir->directory);
        struct ksa_fetch_process fetch = {.fetch_program = path};
        request.milliseconds = 500;
        assert_int_equal(ksa_fetch_process_ask(&fetch, &request, &got, &error), KSA_API_TIMEOUT);
        assert_false(fetch.is_running);
}

/* --- Refresh ---------------------------------------------------------------- */

static void test_a_refresh_names_the_clusters(void **state)
{
        const char *clusters[KSA_REFRESH_MAX + 2] = {"prod", "stage"};
        const struct workdir *workdir = *state;
        struct ksa_error error = {0};
        char path[128], script[256];

        (void)snprintf(script, sizeof(script), "#!/bin/sh\necho \"$@\" >%s/arguments\n",
                       workdir->directory);
        write_script(workdir, "ksactl", script);
        (void)snprintf(path, sizeof(path), "%s/ksactl", workdir->directory);
        struct ksa_fetch_process fetch = {.refresh_program = path};
        assert_int_equal(ksa_fetch_process_refresh(&fetch, "/etc/x.conf", clusters, PLENTY, &error),
                         KSA_OK);
        char *arguments = read_whole(path_of(workdir, "arguments"));
        assert_string_equal(arguments,
                            "keys refresh --config /etc/x.conf --cooldown -- prod stage\n");
        free(arguments);
        /* A list that is too long is cut, and never read past its end. */
        for (size_t i = 0; i < KSA_REFRESH_MAX + 1; i++)
                clusters[i] = i < KSA_REFRESH_MAX ? "c" : "beyond";
        assert_int_equal(ksa_fetch_process_refresh(&fetch, "/etc/x.conf", clusters, PLENTY, &error),
                         KSA_OK);
        arguments = read_whole(path_of(workdir, "arguments"));
        assert_string_equal(arguments + strlen(arguments) - 5, " c c\n");
        free(arguments);
}

static void test_a_refresh_that_takes_too_long(void **state)
{
        static const char *const clusters[] = {"prod", NULL};
        const struct workdir *workdir = *state;
        struct ksa_error error = {0};
        char path[128];

        write_script(workdir, "ksactl", "#!/bin/sh\nexec sleep 1000\n");
        (void)snprintf(path, sizeof(path), "%s/ksactl", workdir->directory);
        struct ksa_fetch_process fetch = {.refresh_program = path};
        assert_int_equal(ksa_fetch_process_refresh(&fetch, "/etc/x.conf", clusters, 200, &error),
                         KSA_API_TIMEOUT);
        assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
}

/* --- This host -------------------------------------------------------------- */

static int socketpair_error, start_error;

int __real_socketpair(int domain, int type, int protocol, int ends[2]);
int __wrap_socketpair(int domain, int type, int protocol, int ends[2]);
pid_t __real_ksa_process_start(struct ksa_process *ret_child, sigset_t *ret_mask);
pid_t __wrap_ksa_process_start(struct ksa_process *ret_child, sigset_t *ret_mask);

int __wrap_socketpair(int domain, int type, int protocol, int ends[2])
{
        errno = socketpair_error;
        return socketpair_error != 0 ? -1 : __real_socketpair(domain, type, protocol, ends);
}

pid_t __wrap_ksa_process_start(struct ksa_process *ret_child, sigset_t *ret_mask)
{
        if (start_error == 0)
                return __real_ksa_process_start(ret_child, ret_mask);
        (void)pthread_sigmask(SIG_SETMASK, NULL, ret_mask);
        errno = start_error;
        return -1;
}

/* An error of this host is never an unreachable cluster, and leaves no descriptor open. */
static void test_a_host_that_cannot_start_a_process(void **state)
{
        static const char *const clusters[] = {"prod", NULL};
        const struct workdir *workdir = *state;
        const struct ksa_request request = request_of("https://10.0.0.1/x");
        char path[128];
        struct ksa_fetch_process fetch = fetch_of(workdir, path);

        fetch.refresh_program = path;
        for (int i = 0; i < 2; i++) {
                struct ksa_response got = {0};
                struct ksa_error error = {0}, refresh_error = {0};
                const int next = dup(STDIN_FILENO);

                (void)close(next);
                socketpair_error = i == 0 ? EMFILE : 0;
                start_error = i == 0 ? 0 : EAGAIN;
                enum ksa_reason reason = ksa_fetch_process_ask(&fetch, &request, &got, &error);
                enum ksa_reason refresh = ksa_fetch_process_refresh(&fetch, "/etc/x.conf", clusters,
                                                                    PLENTY, &refresh_error);
                socketpair_error = start_error = 0;
                assert_int_equal(reason, KSA_HOST_ERROR);
                assert_int_equal(refresh, KSA_HOST_ERROR);
                assert_string_equal(error.text,
                                    i == 0 ? "a socket pair could not be created (errno 24)"
                                           : "a process could not be started (errno 11)");
                assert_false(fetch.is_running);
                const int now = dup(STDIN_FILENO);
                assert_int_equal(now, next);
                (void)close(now);
        }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, workdir_setup, workdir_teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_an_answer_of_http),
                TEST(test_what_no_answer_means),
                TEST(test_a_transport_that_does_not_exist),
                TEST(test_certificates),
                TEST(test_a_busy_server_is_asked_again),
                TEST(test_requests_that_are_not_sent),
                TEST(test_an_answer_that_is_not_one),
                TEST(test_an_answer_that_stops),
                TEST(test_a_refresh_names_the_clusters),
                TEST(test_a_refresh_that_takes_too_long),
                TEST(test_a_host_that_cannot_start_a_process),
        };

        if (geteuid() != 0)
                return 77; /* only root starts ksa-fetch; see test_fetch_process.c */
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ksa-fetch.c: each call that gives up privileges fails once, and ksa-fetch then sends nothing to the
 * network. The calls and the transfer are replaced, so this process keeps its privileges.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

int ksa_fetch_main(void);
#define main ksa_fetch_main
#include "helper/ksa-fetch.c"
#undef main

#define OWN_ID 990
#define HEAD   KSA_MESSAGE_HEAD

/* --- A host ----------------------------------------------------------------- */

static struct {
        unsigned calls, fails_at; /* of the calls below, from 1; 0: none fails */
        uid_t effective;          /* who starts it */
        const struct passwd *user;
        bool stays_root;    /* setresuid() returns 0 and changes nothing */
        bool orphan;        /* the parent dies */
        rlim_t descriptors; /* RLIMIT_NOFILE before and after */
        unsigned parents;
        bool no_library;
        unsigned asked;
        char url[64];
} host;

static struct passwd own = {.pw_uid = OWN_ID, .pw_gid = OWN_ID};

static int fails(void)
{
        return ++host.calls == host.fails_at ? -1 : 0;
}

uid_t __wrap_geteuid(void);
pid_t __wrap_getppid(void);
struct passwd *__wrap_getpwnam(const char *name);
int __wrap_setgroups(size_t count, const gid_t *groups);
int __wrap_setresgid(gid_t real, gid_t effective, gid_t saved);
int __wrap_setresuid(uid_t real, uid_t effective, uid_t saved);
int __wrap_getresuid(uid_t *real, uid_t *effective, uid_t *saved);
int __wrap_getresgid(gid_t *real, gid_t *effective, gid_t *saved);
int __wrap_prctl(int option, ...);
/* glibc's names where file offsets have 64 bits (Makefile.am). */
int __wrap_getrlimit64(__rlimit_resource_t resource, struct rlimit *limit);
int __wrap_setrlimit64(__rlimit_resource_t resource, const struct rlimit *limit);

uid_t __wrap_geteuid(void)
{
        return host.effective;
}

pid_t __wrap_getppid(void)
{
        return host.parents++ > 0 && host.orphan ? 1 : 4711;
}

struct passwd *__wrap_getpwnam(const char *name)
{
        assert_string_equal(name, "_ksa");
        return (struct passwd *)(uintptr_t)host.user;
}

int __wrap_setgroups(size_t count, const gid_t *groups)
{
        assert_int_equal(count, 0);
        assert_null(groups);
        return fails();
}

int __wrap_setresgid(gid_t real, gid_t effective, gid_t saved)
{
        assert_true(real == OWN_ID && effective == OWN_ID && saved == OWN_ID);
        return fails();
}

int __wrap_setresuid(uid_t real, uid_t effective, uid_t saved)
{
        assert_true(real == OWN_ID && effective == OWN_ID && saved == OWN_ID);
        return fails();
}

int __wrap_getresuid(uid_t *real, uid_t *effective, uid_t *saved)
{
        *real = *effective = *saved = host.stays_root ? 0 : OWN_ID;
        return fails();
}

int __wrap_getresgid(gid_t *real, gid_t *effective, gid_t *saved)
{
        *real = *effective = *saved = OWN_ID;
        return fails();
}

int __wrap_prctl(int option, ...)
{
        (void)option;
        return fails();
}

int __wrap_getrlimit64(__rlimit_resource_t resource, struct rlimit *limit)
{
        limit->rlim_cur = 0;
        limit->rlim_max = resource == RLIMIT_NOFILE ? host.descriptors : RLIM_INFINITY;
        return fails();
}

int __wrap_setrlimit64(__rlimit_resource_t resource, const struct rlimit *limit)
{
        assert_int_equal(limit->rlim_cur, limit->rlim_max);
        if (resource == RLIMIT_NOFILE)
                host.descriptors = limit->rlim_max;
        return fails();
}

/* --- A transfer ------------------------------------------------------------- */

struct transfer {
        int unused;
};

struct transfer *transfer_new(void)
{
        static struct transfer only;

        return host.no_library ? NULL : &only;
}

void transfer_free(struct transfer **transfer)
{
        *transfer = NULL;
}

void transfer_ask(struct transfer *transfer, const struct ksa_request *request,
                  struct ksa_response *ret_response)
{
        assert_non_null(transfer);
        host.asked++;
        (void)snprintf(host.url, sizeof(host.url), "%s", request->url.bytes);
        *ret_response = (struct ksa_response){.transport = KSA_TRANSPORT_ANSWERED,
                                              .status = 200,
                                              .max_age = -1,
                                              .retry_after = -1,
                                              .date = -1,
                                              .body = ksa_bytes_of("{}")};
}

/* --- A caller --------------------------------------------------------------- */

static int caller, input;

static int setup(void **state)
{
        int ends[2];

        (void)state;
        memset(&host, 0, sizeof(host));
        host.user = &own;
        host.descriptors = RLIM_INFINITY;
        input = dup(STDIN_FILENO);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        assert_int_equal(dup2(ends[1], STDIN_FILENO), STDIN_FILENO);
        assert_int_equal(close(ends[1]), 0);
        caller = ends[0];
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        if (caller >= 0)
                (void)close(caller);
        (void)dup2(input, STDIN_FILENO);
        (void)close(input);
        return 0;
}

/* Sends COUNT bytes, and nothing after them. */
static int run_with(const void *bytes, size_t count)
{
        assert_int_equal(send(caller, bytes, count, MSG_NOSIGNAL), (ssize_t)count);
        assert_int_equal(shutdown(caller, SHUT_WR), 0);
        int status = ksa_fetch_main();
        assert_int_equal(dup2(input, STDIN_FILENO),
                         STDIN_FILENO); /* as its end closes the socket */
        return status;
}

/* The next answer; false where there is none. *RET_RESPONSE is to be cleared. */
static bool answered(struct ksa_response *ret_response)
{
        const struct timespec deadline = ksa_deadline_in(30000); /* all was sent already */
        unsigned char head[HEAD];
        size_t size = 0, room;

        memset(ret_response, 0, sizeof(*ret_response));
        if (!ksa_receive(caller, head, sizeof(head), &deadline))
                return false;
        assert_true(ksa_message_size(head, KSA_RESPONSE_MAX, &size));
        struct ksa_secret *frame = ksa_secret_new(size);
        assert_non_null(frame);
        assert_true(ksa_receive(caller, ksa_secret_tail(frame, &room), size, &deadline));
        ksa_secret_extend(frame, size);
        assert_true(ksa_response_read(frame, ret_response));
        return true;
}

/* It ended with STATUS and one answer, that it could not become its own user: WHY. */
static void assert_refused(int status, const char *why)
{
        struct ksa_response response;

        assert_int_equal(status, EXIT_FAILURE);
        assert_true(answered(&response));
        assert_int_equal(response.transport, KSA_TRANSPORT_USER);
        assert_non_null(strstr(response.why.bytes, why));
        ksa_response_clear(&response);
        assert_false(answered(&response));
        assert_int_equal(host.asked, 0);
}

static struct ksa_secret *a_request(void)
{
        const struct ksa_request request = {.method = ksa_bytes_of("GET"),
                                            .url = ksa_bytes_of("https://10.0.0.1/x"),
                                            .accept = ksa_bytes_of("application/json"),
                                            .user_agent = ksa_bytes_of("test"),
                                            .milliseconds = 5000,
                                            .max = 1024};
        struct ksa_secret *frame = ksa_request_write(&request);

        assert_non_null(frame);
        return frame;
}

/* --- Privileges ------------------------------------------------------------- */

static void test_each_call_that_fails_refuses(void **state)
{
        unsigned failed = 0;

        for (bool served = false; !served;) {
                struct ksa_secret *frame = a_request();

                if (failed > 0)
                        assert_int_equal(setup(state), 0);
                host.fails_at = ++failed;
                int status = run_with(ksa_secret_bytes(frame), ksa_secret_length(frame));
                ksa_secret_free(&frame);
                served = status == EXIT_SUCCESS;
                if (!served) {
                        assert_refused(status, "it cannot become the user _ksa");
                        assert_int_equal(teardown(state), 0);
                }
        }
        assert_int_equal(host.asked, 1);
        assert_int_equal(failed, host.calls + 1); /* each call failed once */
        assert_int_equal(host.calls, 5 + 3 + 2 * 5);
}

static void test_only_root_starts_it(void **state)
{
        (void)state;
        host.effective = 1000;
        assert_refused(run_with("", 0), "only root can start it");
}

static void test_users_that_it_does_not_become(void **state)
{
        static const struct passwd root = {.pw_uid = 0, .pw_gid = OWN_ID},
                                   root_group = {.pw_uid = OWN_ID, .pw_gid = 0};
        static const struct {
                const struct passwd *user;
                const char *why;
        } rows[] = {{NULL, "user _ksa does not exist: run useradd"},
                    {&root, "it cannot become the user _ksa"},
                    {&root_group, "it cannot become the user _ksa"}};

        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                if (i > 0)
                        assert_int_equal(setup(state), 0);
                host.user = rows[i].user;
                assert_refused(run_with("", 0), rows[i].why);
                assert_int_equal(host.calls, 0);
                if (i + 1 < KSA_COUNT(rows))
                        assert_int_equal(teardown(state), 0);
        }
}

static void test_a_change_of_user_that_did_not_happen(void **state)
{
        (void)state;
        host.stays_root = true;
        assert_refused(run_with("", 0), "it cannot become the user _ksa");
}

/* The parent died before PR_SET_PDEATHSIG. */
static void test_a_parent_that_died_before(void **state)
{
        (void)state;
        host.orphan = true;
        assert_refused(run_with("", 0), "it cannot become the user _ksa");
}

static void test_limits_are_never_raised(void **state)
{
        (void)state;
        host.descriptors = 10;
        assert_int_equal(run_with("", 0), EXIT_SUCCESS);
        assert_int_equal(host.descriptors, 10);
}

static void test_a_library_that_does_not_start(void **state)
{
        (void)state;
        host.no_library = true;
        assert_refused(run_with("", 0), "libcurl could not be initialized");
}

static void test_a_caller_that_is_gone(void **state)
{
        (void)state;
        host.user = NULL;
        assert_int_equal(close(caller), 0);
        caller = -1;
        assert_int_equal(ksa_fetch_main(), 2);
}

/* --- Requests --------------------------------------------------------------- */

static void test_requests_until_the_end(void **state)
{
        struct ksa_secret *frame = a_request();
        struct ksa_response response;

        (void)state;
        assert_int_equal(send(caller, ksa_secret_bytes(frame), ksa_secret_length(frame), 0),
                         (ssize_t)ksa_secret_length(frame));
        assert_int_equal(run_with(ksa_secret_bytes(frame), ksa_secret_length(frame)), EXIT_SUCCESS);
        for (int i = 0; i < 2; i++) {
                assert_true(answered(&response));
                assert_int_equal(response.status, 200);
                ksa_response_clear(&response);
        }
        assert_false(answered(&response));
        assert_int_equal(host.asked, 2);
        assert_string_equal(host.url, "https://10.0.0.1/x");
        assert_int_equal(host.descriptors, 64);
        ksa_secret_free(&frame);
}

/* A frame that is sound and not a request is answered, and does not end the program. */
static void test_a_frame_that_is_not_a_request(void **state)
{
        struct ksa_secret *frame = a_request();
        size_t length = ksa_secret_length(frame);
        char *bytes = malloc(length);
        struct ksa_response response;

        (void)state;
        assert_non_null(bytes);
        memcpy(bytes, ksa_secret_bytes(frame), length);
        bytes[HEAD] ^= 1; /* the tag of the first member */
        assert_int_equal(run_with(bytes, length), EXIT_SUCCESS);
        assert_true(answered(&response));
        assert_int_equal(response.transport, KSA_TRANSPORT_REQUEST);
        assert_string_equal(response.why.bytes, "not a request");
        assert_int_equal(host.asked, 0);
        ksa_response_clear(&response);
        free(bytes);
        ksa_secret_free(&frame);
}

/* Heads that are cut or wrong, and a frame that ends in the middle: no request is sent, and no answer. */
static void test_frames_that_are_cut(void **state)
{
        struct ksa_secret *frame = a_request();
        const size_t lengths[] = {1, HEAD - 1, HEAD, ksa_secret_length(frame) - 1};
        struct ksa_response response;

        for (size_t i = 0; i <= KSA_COUNT(lengths); i++) {
                if (i > 0)
                        assert_int_equal(setup(state), 0);
                assert_int_equal(i < KSA_COUNT(lengths)
                                         ? run_with(ksa_secret_bytes(frame), lengths[i])
                                         : run_with("not a frame", 11),
                                 EXIT_SUCCESS);
                assert_false(answered(&response));
                assert_int_equal(host.asked, 0);
                if (i < KSA_COUNT(lengths))
                        assert_int_equal(teardown(state), 0);
        }
        ksa_secret_free(&frame);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_each_call_that_fails_refuses),
                TEST(test_only_root_starts_it),
                TEST(test_users_that_it_does_not_become),
                TEST(test_a_change_of_user_that_did_not_happen),
                TEST(test_a_parent_that_died_before),
                TEST(test_limits_are_never_raised),
                TEST(test_a_library_that_does_not_start),
                TEST(test_a_caller_that_is_gone),
                TEST(test_requests_until_the_end),
                TEST(test_a_frame_that_is_not_a_request),
                TEST(test_frames_that_are_cut),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

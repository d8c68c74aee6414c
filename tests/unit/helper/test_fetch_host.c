/* SPDX-License-Identifier: BSD-2-Clause */
/* fetch_host.c: which errors are this host's, on hosts without descriptors, ports, IPv6 or threads. */
#include "helper/fetch_host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <unistd.h>

#include "support/support.h"

/* What fails, for one family or (0) for both. */
static int socket_error, connect_error, thread_error, family;

int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);
int __real_connect(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);

static bool is_meant(int domain)
{
        return family == 0 || family == domain;
}

int __wrap_socket(int domain, int type, int protocol)
{
        if (socket_error == 0 || !is_meant(domain))
                return __real_socket(AF_INET, type, protocol); /* a host may have no IPv6 */
        errno = socket_error;
        return -1;
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length)
{
        (void)fd;
        (void)length;
        errno = connect_error;
        return connect_error != 0 && is_meant(address->sa_family) ? -1 : 0;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument)
{
        return thread_error != 0 ? thread_error
                                 : __real_pthread_create(thread, attributes, run, argument);
}

static int good_host(void **state)
{
        (void)state;
        socket_error = connect_error = thread_error = family = 0;
        return 0;
}

static void test_whose_error_it_is(void **state)
{
        static const int of_others[] = {
                0, ECONNREFUSED, ECONNRESET, ENETUNREACH, EHOSTUNREACH, ETIMEDOUT, EACCES};
        static const int of_this_host[] = {EMFILE, ENFILE,       EAGAIN, EADDRNOTAVAIL,
                                           ENOMEM, EAFNOSUPPORT, EPERM,  ENOBUFS};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(of_others); i++)
                assert_false(fetch_host_failed(of_others[i]));
        for (size_t i = 0; i < KSA_COUNT(of_this_host); i++)
                assert_true(fetch_host_failed(of_this_host[i]));
}

/* A socket for FAMILY; its error is the one of socket() alone. */
static int open_one(sa_family_t wanted, int *ret_error)
{
        const struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(443)};
        const struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(443)};

        return wanted == AF_INET ? fetch_host_socket((const struct sockaddr *)&ipv4, sizeof(ipv4),
                                                     SOCK_STREAM, 0, ret_error)
                                 : fetch_host_socket((const struct sockaddr *)&ipv6, sizeof(ipv6),
                                                     SOCK_STREAM, 0, ret_error);
}

static void test_a_socket(void **state)
{
        static const sa_family_t families[] = {AF_INET, AF_INET6};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(families); i++) {
                int number = 0, fd = open_one(families[i], &number);

                assert_true(fd >= 0);
                assert_int_equal(number, 0);
                assert_int_equal(close(fd), 0);
        }
        socket_error = EMFILE;
        for (size_t i = 0; i < KSA_COUNT(families); i++) {
                int number = 0;

                assert_int_equal(open_one(families[i], &number), -1);
                assert_int_equal(number, EMFILE);
        }
}

/*
 * If this host has no IPv6 address, an IPv6 target is skipped without an error. If it has no port, the
 * target is not skipped.
 */
static void test_a_host_without_an_ipv6_address(void **state)
{
        int number = 0;

        (void)state;
        connect_error = EADDRNOTAVAIL;
        assert_int_equal(open_one(AF_INET6, &number), -1);
        assert_int_equal(number, 0);
        connect_error = EAGAIN;
        int fd = open_one(AF_INET6, &number);
        assert_true(fd >= 0);
        assert_int_equal(close(fd), 0);
}

static void test_what_a_resolver_needs(void **state)
{
        static const struct {
                int socket, connect, thread, family, result;
        } rows[] = {
                {0, 0, 0, 0, 0},
                {EMFILE, 0, 0, 0, EMFILE},
                {0, EAGAIN, 0, 0, EAGAIN},
                {0, EPERM, 0, AF_INET6, EPERM},
                {ENOMEM, 0, 0, AF_INET6, ENOMEM},
                {0, 0, EAGAIN, 0, EAGAIN},
                /* not this host's error */
                {0, ENETUNREACH, 0, 0, 0},
                {EAFNOSUPPORT, 0, 0, AF_INET6, 0},
                {EAFNOSUPPORT, 0, EAGAIN, AF_INET6, EAGAIN},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                socket_error = rows[i].socket;
                connect_error = rows[i].connect;
                thread_error = rows[i].thread;
                family = rows[i].family;
                assert_int_equal(fetch_host_probe(), rows[i].result);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_whose_error_it_is, good_host),
                cmocka_unit_test_setup(test_a_socket, good_host),
                cmocka_unit_test_setup(test_a_host_without_an_ipv6_address, good_host),
                cmocka_unit_test_setup(test_what_a_resolver_needs, good_host),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

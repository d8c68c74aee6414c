/* SPDX-License-Identifier: BSD-2-Clause */
#include "fetch_host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macros.h"

bool fetch_host_failed(int number)
{
        /*
         * Errors that the network or the peer reports. The last five come from ICMP
         * (icmp_err_convert in Linux). EACCES comes from a firewall that answers "administratively
         * prohibited" over IPv6. All other errors are this host's.
         */
        static const int of_others[] = {0,           ECONNREFUSED, ECONNRESET, ECONNABORTED,
                                        ENETUNREACH, EHOSTUNREACH, EHOSTDOWN,  ENETDOWN,
                                        ETIMEDOUT,   EACCES,       EPROTO,     ENOPROTOOPT,
                                        ENONET,      EOPNOTSUPP};

        for (size_t i = 0; i < KSA_COUNT(of_others); i++) {
                if (number == of_others[i])
                        return false;
        }
        return true;
}

/*
 * Connects a datagram socket: this allocates a port and a route, but sends nothing. Returns 0 or
 * errno.
 */
static int connect_datagrams(const struct sockaddr *address, socklen_t length)
{
        int fd = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        int number = fd < 0 || connect(fd, address, length) != 0 ? errno : 0;

        if (fd >= 0)
                (void)close(fd);
        return number;
}

int fetch_host_socket(const struct sockaddr *address, socklen_t length, int type, int protocol,
                      int *ret_error)
{
        /* A host without a free port would get EAGAIN. */
        if (address->sa_family == AF_INET6 && connect_datagrams(address, length) == EADDRNOTAVAIL)
                return -1;
        int fd = socket(address->sa_family, type | SOCK_CLOEXEC, protocol);
        if (fd < 0)
                *ret_error = errno;
        return fd;
}

static int probe_port(const struct sockaddr *address, socklen_t length)
{
        int number = connect_datagrams(address, length);

        return fetch_host_failed(number) && number != EAFNOSUPPORT ? number : 0;
}

static void *do_nothing(void *unused)
{
        return unused;
}

static int probe_thread(void)
{
        pthread_t thread;
        int number = pthread_create(&thread, NULL, do_nothing, NULL);

        return number != 0 ? number : pthread_join(thread, NULL);
}

int fetch_host_probe(void)
{
        const struct sockaddr_in ipv4 = {.sin_family = AF_INET,
                                         .sin_port = htons(53),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        /* 127.0.0.1 as a mapped address, because ::1 does not exist if IPv6 is disabled. */
        struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(53)};

        (void)inet_pton(AF_INET6, "::ffff:127.0.0.1", &ipv6.sin6_addr);
        int number = probe_port((const struct sockaddr *)&ipv4, sizeof(ipv4));
        if (number == 0)
                number = probe_port((const struct sockaddr *)&ipv6, sizeof(ipv6));
        return number != 0 ? number : probe_thread();
}

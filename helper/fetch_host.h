/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Distinguishes errors of this host from errors of the network or the peer. Local users can cause
 * the former, so they must not count as an unreachable cluster.
 */
#ifndef KSA_FETCH_HOST_H
#define KSA_FETCH_HOST_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * Whether NUMBER, 0 or an errno of connect(), is an error of this host. Every errno of socket() is
 * one.
 */
bool fetch_host_failed(int number);

/*
 * Returns a socket of TYPE for a connection to ADDRESS, or -1.
 *
 * ret_error  errno of socket(). Unchanged on success, and if this host has no source address for an IPv6
 *            ADDRESS, for example because IPv6 is disabled: connect() would fail with EADDRNOTAVAIL, which
 *            local users can also cause by exhausting ports, but they cannot cause this
 */
int fetch_host_socket(const struct sockaddr *address, socklen_t length, int type, int protocol,
                      int *ret_error);

/*
 * Tests the resources that name resolution needs: sockets of both families, a port, a thread. The
 * resolver does not report why it failed.
 *
 * Returns 0, or the errno of the first failure.
 */
int fetch_host_probe(void);

#endif

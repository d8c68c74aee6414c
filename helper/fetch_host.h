/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Of ksa-fetch: whether a request failed by an error of this host. A local user can cause such an error,
 * so it never means that the cluster is unreachable.
 */
#ifndef KSA_FETCH_HOST_H
#define KSA_FETCH_HOST_H

#include <stdbool.h>
#include <sys/socket.h>

/* Whether NUMBER, an errno of connect(), is an error of this host. 0 is not. Any errno of socket() is one. */
bool fetch_host_failed(int number);

/*
 * A socket of TYPE for a connection to ADDRESS, or -1.
 *
 * ret_error  untouched, or the errno of socket(). Untouched too where this host has no address of its own
 *            from which it could reach an IPv6 ADDRESS, as where IPv6 is switched off: connect() would fail
 *            with EADDRNOTAVAIL, as it does without a port, but no local user can cause this
 */
int fetch_host_socket(const struct sockaddr *address, socklen_t length, int type, int protocol,
                      int *ret_error);

/*
 * Tries what the resolution of a name needs: sockets of both families, a port, a thread. The resolver does
 * not report why it failed.
 *
 * Returns 0, or the errno of what this host cannot do.
 */
int fetch_host_probe(void);

#endif

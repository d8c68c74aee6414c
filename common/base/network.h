/* SPDX-License-Identifier: BSD-2-Clause */
/* Literal networks such as 10.0.0.0/8, and addresses in them. Names are not resolved. */
#ifndef KSA_NETWORK_H
#define KSA_NETWORK_H

#include <stdbool.h>

#include "base/macros.h"

struct ksa_network {
        int family;              /* AF_INET or AF_INET6 */
        unsigned prefix;         /* number of significant bits */
        unsigned char bytes[16]; /* network order; 4 or 16 bytes */
};

/* Parses an address, or a network whose host bits are zero. */
bool ksa_network_parse(const char *text, struct ksa_network *ret_network) KSA_MUST_CHECK;

/*
 * Parses an address without a prefix, as in PAM_RHOST. ::ffff:10.1.2.3 becomes 10.1.2.3. The zone
 * of an IPv6 link-local address (fe80::1%eth0) is dropped.
 */
bool ksa_address_parse(const char *text, struct ksa_network *ret_address) KSA_MUST_CHECK;

/* Whether OUTER contains all of INNER, an address or a network. */
bool ksa_network_contains(const struct ksa_network *outer, const struct ksa_network *inner);

#endif

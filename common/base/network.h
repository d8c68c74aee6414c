/* SPDX-License-Identifier: BSD-2-Clause */
/* Literal networks such as 10.0.0.0/8, and the addresses in them. Never a name, never DNS. */
#ifndef KSA_NETWORK_H
#define KSA_NETWORK_H

#include <stdbool.h>

#include "base/macros.h"

struct ksa_network {
        int family;              /* AF_INET or AF_INET6 */
        unsigned prefix;         /* bits that count */
        unsigned char bytes[16]; /* in network order; 4 or 16 of them */
};

/* An address, or a network whose host bits are zero. False leaves *RET_NETWORK untouched. */
bool ksa_network_parse(const char *text, struct ksa_network *ret_network) KSA_MUST_CHECK;

/*
 * An address alone, as PAM_RHOST has it: ::ffff:10.1.2.3 is 10.1.2.3. An IPv6 link-local
 * address may have a zone (fe80::1%eth0), which is dropped. False for every other text.
 */
bool ksa_address_parse(const char *text, struct ksa_network *ret_address) KSA_MUST_CHECK;

/* Whether INNER, an address or a network, lies wholly inside OUTER. */
bool ksa_network_contains(const struct ksa_network *outer, const struct ksa_network *inner);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Filters names that cannot be in the registry. */
#ifndef KSA_NSS_NAME_H
#define KSA_NSS_NAME_H

#include <stdbool.h>

#include "registry/registry.h"

/* Whether NAME could be in the registry. Names are untrusted: sshd looks up a client's input. */
static inline bool ksa_nss_name_may_be_ours(const char *name)
{
        size_t length = 0;

        for (; name[length] != '\0'; length++)
                if (length == KSA_ACCOUNT_NAME_MAX || name[length] <= ' ' || name[length] > '~' ||
                    name[length] == ':')
                        return false;
        return length > 0;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Which questions are not worth a look into the registry. */
#ifndef KSA_NSS_NAME_H
#define KSA_NSS_NAME_H

#include <stdbool.h>

#include "registry/registry.h"

/* Names come from anybody: sshd asks for what a client typed. */
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

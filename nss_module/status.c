/* SPDX-License-Identifier: BSD-2-Clause */
#include "status.h"

#include <errno.h>

enum ksa_nss_outcome ksa_nss_outcome(enum ksa_registry_answer answer)
{
        if (answer == KSA_REGISTRY_FOUND)
                return KSA_NSS_FOUND;
        return answer == KSA_REGISTRY_NOT_FOUND ? KSA_NSS_UNKNOWN : KSA_NSS_UNAVAILABLE;
}

enum nss_status ksa_nss_end(enum ksa_nss_outcome outcome, int kept, int *errnop)
{
        static const struct {
                enum nss_status status;
                int error;
        } ends[] = {
                /* Zero, an outcome that was never set: continue with the next service. */
                [0] = {NSS_STATUS_UNAVAIL, EBADMSG},
                [KSA_NSS_FOUND] = {NSS_STATUS_SUCCESS, 0},
                [KSA_NSS_UNKNOWN] = {NSS_STATUS_NOTFOUND, ENOENT},
                [KSA_NSS_UNAVAILABLE] = {NSS_STATUS_UNAVAIL, EBADMSG},
                [KSA_NSS_TOO_SMALL] = {NSS_STATUS_TRYAGAIN, ERANGE},
                [KSA_NSS_BUSY] = {NSS_STATUS_TRYAGAIN, EAGAIN},
                [KSA_NSS_NO_MEMORY] = {NSS_STATUS_TRYAGAIN, ENOMEM},
        };

        errno = kept;
        if (ends[outcome].error != 0)
                *errnop = ends[outcome].error;
        return ends[outcome].status;
}

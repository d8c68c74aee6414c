/* SPDX-License-Identifier: BSD-2-Clause */
#include "outcome.h"

#include <security/pam_modules.h>

int pam_code(enum ksa_outcome outcome)
{
        if (outcome == KSA_ALLOW)
                return PAM_SUCCESS;
        switch (outcome) {
        case KSA_UNAVAILABLE:
                return PAM_AUTHINFO_UNAVAIL;
        case KSA_FORBIDDEN:
                return PAM_PERM_DENIED;
        case KSA_NOT_OURS:
                return PAM_USER_UNKNOWN;
        case KSA_NO_MEMORY:
                return PAM_BUF_ERR;
        case KSA_ALLOW:
        case KSA_DENY:
        default:
                return PAM_AUTH_ERR;
        }
}

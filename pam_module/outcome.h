/* SPDX-License-Identifier: BSD-2-Clause */
/* The only conversion of a decision to a PAM code. */
#ifndef KSA_PAM_OUTCOME_H
#define KSA_PAM_OUTCOME_H

#include "base/reason.h"

/* Returns PAM_SUCCESS for KSA_ALLOW only. */
int pam_code(enum ksa_outcome outcome);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The one place where a decision becomes a PAM code. */
#ifndef KSA_PAM_OUTCOME_H
#define KSA_PAM_OUTCOME_H

#include "base/reason.h"

/* PAM_SUCCESS for KSA_ALLOW and nothing else. */
int pam_code(enum ksa_outcome outcome);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What must hold between [account], [accounts] and the rules that say @own. */
#ifndef KSA_CONFIG_VALIDATE_ACCOUNTS_H
#define KSA_CONFIG_VALIDATE_ACCOUNTS_H

#include "config/validate.h"

/* Checks a configuration whose lines are all read. */
void ksa_config_validate_accounts(const struct ksa_config *config,
                                  struct ksa_diagnostics *problems);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks between [account] and [accounts] sections and rules with @own. */
#ifndef KSA_CONFIG_VALIDATE_ACCOUNTS_H
#define KSA_CONFIG_VALIDATE_ACCOUNTS_H

#include "config/validate.h"

/* Checks a configuration after all its lines were read. */
void ksa_config_validate_accounts(const struct ksa_config *config,
                                  struct ksa_diagnostics *diagnostics);

#endif

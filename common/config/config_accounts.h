/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must hold between [account], [accounts] and the rules that say @own. */
#ifndef KSA_CONFIG_ACCOUNTS_H
#define KSA_CONFIG_ACCOUNTS_H

#include "config/config_check.h"

/* Checks a configuration whose lines are all read. */
void ksa_config_judge_accounts(const struct ksa_config *config, struct ksa_problems *problems);

#endif

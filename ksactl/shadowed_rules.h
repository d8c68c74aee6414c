/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules that an earlier rule makes unreachable. */
#ifndef KSA_KSACTL_SHADOWED_RULES_H
#define KSA_KSACTL_SHADOWED_RULES_H

#include "config/load.h"

/*
 * Whether EARLIER decides every login that LATER could admit, so that LATER is never reached. May miss cases
 * (two rules that cover a third one together); never reports a rule that can be reached.
 */
bool rule_covers(const struct ksa_rule *earlier, const struct ksa_rule *later);

/*
 * Whether EARLIER decides some of the logins that LATER could admit, and LATER requires more of them.
 * Returns the option of LATER that requires it, or NULL. An earlier rule with fewer requirements is
 * often an old one that was forgotten.
 */
const char *rule_weakens(const struct ksa_config *config, const struct ksa_rule *earlier,
                         const struct ksa_rule *later);

#endif

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

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether one rule leaves nothing for another. */
#ifndef KSA_KSACTL_SHADOWED_RULES_H
#define KSA_KSACTL_SHADOWED_RULES_H

#include "config/load.h"

/*
 * Whether every login that LATER could let in is decided by EARLIER before: then LATER
 * is never reached. May say no where it is so after all (two rules that cover a third
 * together); never says yes where it is not.
 */
bool rule_covers(const struct ksa_rule *earlier, const struct ksa_rule *later);

#endif

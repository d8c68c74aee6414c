/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of one account, and what is reported of it. */
#ifndef KSA_PLAN_DECIDE_H
#define KSA_PLAN_DECIDE_H

#include "plan_state.h"

/* Fills ENTRY's `after`, except for its groups, and notes names and uids that it leaves. */
void ksa_plan_decide(struct ksa_plan_state *state, struct ksa_plan_entry *entry);

/* Gives the active accounts their groups: that of their namespace, and those that a section names. */
enum ksa_reason ksa_plan_groups(struct ksa_plan_state *state, struct ksa_error *err) KSA_MUST_CHECK;

/* Notes what changed, once the groups are decided. */
void ksa_plan_report(struct ksa_plan_state *state, const struct ksa_plan_entry *entry);

#endif

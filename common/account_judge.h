/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of one account: its user, its state, and why. */
#ifndef KSA_ACCOUNT_JUDGE_H
#define KSA_ACCOUNT_JUDGE_H

#include "account_draft.h"

/* Fills in what ENTRY is afterwards, but for its groups; the claims have been made. */
void ksa_account_judge(struct ksa_draft *draft, struct ksa_draft_entry *entry);

#endif

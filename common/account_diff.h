/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told of an account: each difference between before and after, and why it is refused. */
#ifndef KSA_ACCOUNT_DIFF_H
#define KSA_ACCOUNT_DIFF_H

#include "account_draft.h"

/* Tells the changes of ENTRY, and notes in DRAFT whether anything differs. */
void ksa_account_diff(struct ksa_draft *draft, const struct ksa_draft_entry *entry);

#endif

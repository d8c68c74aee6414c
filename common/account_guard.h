/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a run would remove so much that it is rather a mistake: an answer that is short, a wrong file. */
#ifndef KSA_ACCOUNT_GUARD_H
#define KSA_ACCOUNT_GUARD_H

#include "account_draft.h"

/*
 * ret_removals  accounts that are removed
 * ret_guard     why an administrator should say so twice; "" where nothing is
 */
void ksa_account_guard(struct ksa_draft *draft, size_t *ret_removals, char *ret_guard, size_t size);

#endif

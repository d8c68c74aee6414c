/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a run would take so much away that it is rather a mistake: of a selector, a file, a range. */
#ifndef KSA_ACCOUNT_GUARD_H
#define KSA_ACCOUNT_GUARD_H

#include "account_draft.h"

struct ksa_guarded {
        size_t removals; /* of listed accounts that would be, held ones too */
        size_t held;     /* entries that stay as they are */
        char why[256];   /* "" where nothing is held */
};

/*
 * Puts entries back to what they were where more than a tenth of all listed users (and more than one), or
 * all of a namespace, would be removed, or more than a tenth of all contested over another uid_range; not
 * with input.force, and none whose name or number somebody else asks for. The rest of the plan goes on.
 * KSA_MEMORY
 */
enum ksa_reason ksa_account_guard(struct ksa_draft *draft, struct ksa_guarded *ret_guarded,
                                  struct ksa_error *err) KSA_MUST_CHECK;

#endif

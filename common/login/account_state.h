/* SPDX-License-Identifier: BSD-2-Clause */
/* The words for states of accounts and for the reasons that disable them. */
#ifndef KSA_ACCOUNT_STATE_H
#define KSA_ACCOUNT_STATE_H

#include "registry/registry.h"

/* "active", "disabled", "removed" */
const char *ksa_account_state_word(enum ksa_account_state state);

/* The words of a set of KSA_DISABLED_* with ", " between them. */
#define KSA_DISABLED_TEXT 64
const char *ksa_disabled_text(unsigned reasons, char out[KSA_DISABLED_TEXT]);
/* The word of the lowest reason that is in *REASONS, which it leaves; NULL after the last. */
const char *ksa_disabled_next(unsigned *reasons);
/* The reason of a word; 0 if there is none. */
unsigned ksa_disabled_reason(const char *word);

#endif

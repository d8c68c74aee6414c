/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of the states of accounts and of the reasons that disable them, as users see them. */
#ifndef KSA_ACCOUNT_STATE_H
#define KSA_ACCOUNT_STATE_H

#include "registry/registry.h"

/* Returns "active", "disabled" or "removed". Static. */
const char *ksa_account_state_name(enum ksa_account_state state);

/* Writes the names of a set of KSA_DISABLED_*, separated by ", ". Returns OUT. */
#define KSA_DISABLED_TEXT 64
const char *ksa_disabled_text(unsigned reasons, char out[KSA_DISABLED_TEXT]);
/*
 * Returns the name of the lowest reason in *REASONS and removes it from the set; NULL after the
 * last. Static.
 */
const char *ksa_disabled_next(unsigned *reasons);
/* Returns the reason with this name; 0 if it is unknown. */
unsigned ksa_disabled_reason(const char *name);

#endif

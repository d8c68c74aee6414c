/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which groups there are for namespaces, and which an account is in. */
#ifndef KSA_ACCOUNT_GROUP_H
#define KSA_ACCOUNT_GROUP_H

#include "account_draft.h"

/* Decides on all groups, and fills in those of the accounts, which have been judged. KSA_MEMORY */
enum ksa_reason ksa_account_groups(struct ksa_draft *draft, struct ksa_error *err) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may have a name and a number: among those that ask for it, and those that ever had it. */
#ifndef KSA_ACCOUNT_CLAIM_H
#define KSA_ACCOUNT_CLAIM_H

#include "account_draft.h"

enum ksa_verdict {
        KSA_MAY = 1,
        KSA_MAY_NOT, /* it is another's, or another has the better claim */
        KSA_DISPUTE, /* it has it, and another has the better claim: both are refused */
};

/*
 * What each account and each namespace asks for, and who is first among those that ask for the same: of
 * a name by the rank of its source, of a number by its kind; then by age, namespace, account, cluster.
 * Local matters have no say: on every host the same is first. KSA_INTERNAL, KSA_MEMORY
 */
enum ksa_reason ksa_claims_make(struct ksa_draft *draft, struct ksa_error *err) KSA_MUST_CHECK;

/* Of a number, in the order in which they come first. */
enum ksa_claim_kind {
        KSA_CLAIM_DECLARED, /* its account has an [account] section, with a uid or without */
        KSA_CLAIM_COMPUTED, /* from the names of account or namespace */
        KSA_CLAIM_ASKED,    /* by an annotation */
};

enum ksa_claim_kind ksa_claim_kind(const struct ksa_claim *claim);

/*
 * Whether ENTRY may have the name or number that it asks for.
 *
 * ret_why  who has it, or has the better claim; untouched where it may
 */
enum ksa_verdict ksa_claim_number(struct ksa_draft *draft, const struct ksa_draft_entry *entry,
                                  const char **ret_why) KSA_MUST_CHECK;
enum ksa_verdict ksa_claim_name(struct ksa_draft *draft, const struct ksa_draft_entry *entry,
                                const char **ret_why) KSA_MUST_CHECK;

/* Whether the user of another account has, and keeps, the name that this one had before it was removed. */
bool ksa_claim_lost_name(const struct ksa_draft *draft, const struct ksa_draft_entry *entry);

/*
 * Whether the account may leave one more name or uid behind, which stay on record for ever: a newcomer
 * will, and who gets another name does. Else why not, else NULL. An [account] section always may.
 */
const char *ksa_claim_room(struct ksa_draft *draft, const struct ksa_draft_entry *entry);

/* Whether a new group may have its name and number; else why not, else NULL. */
const char *ksa_claim_group(struct ksa_draft *draft, const struct ksa_draft_group *group);

/* Whether the account is another one of the same name, and nobody said that it may take over. */
bool ksa_claim_is_recreated(const struct ksa_draft_entry *entry);

#endif

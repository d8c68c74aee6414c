/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may have a name or number. Given ones stay their account's for good. Of newcomers that ask for one, the
 * first has a claim to it, whether or not this host then refuses it: [account] sections in the order of the
 * configuration, then listed accounts by creation, namespace, name and cluster.
 */
#ifndef KSA_PLAN_ALLOCATE_H
#define KSA_PLAN_ALLOCATE_H

#include "plan_state.h"

/* Fills the requests of all entries and groups, and the claims. KSA_INTERNAL, KSA_MEMORY */
enum ksa_reason ksa_plan_allocate(struct ksa_plan_state *state, struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Check a name (number) that an entry or group has not yet. Return false and fill the request's refusal if
 * it may not have it. DECLARED is of the entry; an [account] section may declare a user of a directory.
 */
bool ksa_plan_check_name(struct ksa_plan_state *state, const struct ksa_party *party, bool declared,
                         struct ksa_request *request);
bool ksa_plan_check_number(struct ksa_plan_state *state, const struct ksa_party *party, bool declared,
                           struct ksa_request *request);

/* Whether ENTRY may get its first name and uid. */
bool ksa_plan_check_newcomer(struct ksa_plan_state *state, struct ksa_plan_entry *entry);

/*
 * The user, group or range of this host that has one of these already; NULL if there is none. With FRESH,
 * directories are asked too.
 */
const char *ksa_plan_conflict(struct ksa_plan_state *state, const char *name, uint32_t number,
                              bool fresh);

#endif

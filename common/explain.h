/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A decision in words: one line for the log, one for the client, one for each step. */
#ifndef KSA_EXPLAIN_H
#define KSA_EXPLAIN_H

#include "login.h"

/*
 * The log line, as key=value: result, reason and service first, what comes from
 * outside quoted (ksa_text_quote), claims of a token whose signature did not hold
 * under names that begin with unverified_. Allocated, owned by the caller (free);
 * NULL when memory runs out.
 */
char *ksa_explain_line(const struct ksa_attempt *attempt, const struct ksa_decision *decision,
                       const char *reference) KSA_MUST_CHECK;

/*
 * What the client is told of a refusal: the reference, and the reason only where
 * ksa_decision_is_open(). Allocated, owned by the caller (free); NULL when memory
 * runs out.
 */
char *ksa_explain_to_client(const struct ksa_decision *decision, const char *reference,
                            const char *host_name) KSA_MUST_CHECK;

/* "never", "prefer", "require" or "skipped"; NULL where the decision did not come as far. Static. */
const char *ksa_explain_review(const struct ksa_decision *decision);

/*
 * What STEP compared, or why it said no; "" for a step that was not reached. Holds no
 * byte of the signature. Writes at most SIZE bytes to OUT and returns it.
 */
const char *ksa_explain_step(const struct ksa_attempt *attempt, const struct ksa_decision *decision,
                             enum ksa_step step, char *out, size_t size);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Formats a decision: one line for the log, one for the client, one for each step. */
#ifndef KSA_LOGIN_REPORT_H
#define KSA_LOGIN_REPORT_H

#include "login/login.h"

/*
 * Room for a log line, with the NUL. libpam writes "pam_ksa(SERVICE:PHASE): " in front of it, where SERVICE
 * may have 255 bytes: together they have at most 2048.
 */
#define KSA_LINE_SIZE 1768

/*
 * The log line, as key=value: result, reason and service first, values from outside quoted
 * (ksa_text_quote), claims of a token whose signature did not hold under names that begin with unverified_.
 * A value has at most KSA_VERIFIED_SIZE - 1 bytes, an unverified one KSA_UNVERIFIED_SIZE - 1, the verified
 * audiences together four times that, and all have fewer if the line would be too long; `why` and `remedy`
 * are always whole. Returns OUT.
 *
 * The line has all that rule matching reads (struct ksa_candidate) and what claims and requirements are
 * compared with, so that a line can be replayed by another configuration. STABILITY.md lists the keys.
 */
const char *ksa_report_line(const struct ksa_attempt *attempt, const struct ksa_decision *decision,
                            const char *reference, char out[KSA_LINE_SIZE]);

/*
 * "allow", "deny" or "unavailable". The shipped stack ignores the last one, so that another module decides;
 * "deny" ends the login. Static.
 */
const char *ksa_report_result(const struct ksa_decision *decision);

/*
 * Returns the text for the client after a refusal: the reference, and the reason only if
 * ksa_decision_is_open(). Otherwise it has HINT (ksa_prompt_hint()), unless that is KSA_OK or
 * KSA_UNREACHED. Owned by the caller (free); NULL if memory runs out.
 */
char *ksa_report_to_client(const struct ksa_decision *decision, enum ksa_reason hint,
                           const char *reference, const char *host_name) KSA_MUST_CHECK;

/* Returns the remedy of a refusal in OUT; may be "". */
const char *ksa_report_remedy(const struct ksa_decision *decision, char out[KSA_REMEDY_MAX + 1]);

/*
 * Returns "never", "prefer", "require" or "skipped"; NULL if the decision ended before step review.
 * Static.
 */
const char *ksa_report_review(const struct ksa_decision *decision);

/*
 * Describes what STEP compared or why it failed; "" for a step that was not reached. Contains no
 * byte of the signature. Writes at most SIZE bytes to OUT and returns it.
 */
const char *ksa_report_step(const struct ksa_attempt *attempt, const struct ksa_decision *decision,
                            enum ksa_step step, char *out, size_t size);

#endif

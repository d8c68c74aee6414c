/* SPDX-License-Identifier: BSD-2-Clause */
/* Marks of tokens that count once (requirements.h), when nobody could show their tokens any more. */
#ifndef KSA_KEYS_USED_TOKENS_H
#define KSA_KEYS_USED_TOKENS_H

#include "base/env.h"

/*
 * Removes the marks in env.used_dir whose token is over, and a minute more. What is no mark stays. What
 * ksa_directory_sweep() says.
 *
 * ret_removed  how many, whatever is returned
 */
enum ksa_reason ksa_used_tokens_sweep(const struct ksa_env *env, size_t *ret_removed,
                                      struct ksa_error *err) KSA_MUST_CHECK;

/* Seconds after its end when a mark is old: nothing sweeps this host then. */
#define KSA_MARK_OLD INT64_C(86400)

struct ksa_used_tokens {
        size_t count, old; /* marks; those among them that ended more than KSA_MARK_OLD ago */
};

/* Counts the marks in env.used_dir, and removes none. The reasons of ksa_used_tokens_sweep(). */
enum ksa_reason ksa_used_tokens_count(const struct ksa_env *env, struct ksa_used_tokens *ret_used,
                                      struct ksa_error *err) KSA_MUST_CHECK;

#endif

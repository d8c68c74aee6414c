/* SPDX-License-Identifier: BSD-2-Clause */
/* Removes the marks of used tokens (requirements.h) after the tokens have expired. */
#ifndef KSA_KEYS_USED_TOKENS_H
#define KSA_KEYS_USED_TOKENS_H

#include "base/env.h"

/*
 * Removes the marks in env.used_dir whose token has expired, an hour after the leeway. Other files stay. The
 * reasons of ksa_directory_sweep().
 *
 * ret_removed  how many were removed, also after an error
 */
enum ksa_reason ksa_used_tokens_sweep(const struct ksa_env *env, size_t *ret_removed,
                                      struct ksa_error *err) KSA_MUST_CHECK;

/* Seconds after the token's end when a mark is old: it should have been removed by then. */
#define KSA_MARK_OLD INT64_C(86400)

struct ksa_used_tokens {
        size_t count, old; /* marks; those among them that ended more than KSA_MARK_OLD ago */
};

/* Counts the marks in env.used_dir. The reasons of ksa_used_tokens_sweep(). */
enum ksa_reason ksa_used_tokens_count(const struct ksa_env *env, struct ksa_used_tokens *ret_used,
                                      struct ksa_error *err) KSA_MUST_CHECK;

#endif

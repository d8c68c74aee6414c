/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Marks of tokens that count once (demand.h), when nobody could show their tokens any more. */
#ifndef KSA_USED_H
#define KSA_USED_H

#include "env.h"

/*
 * Removes the marks in env.used_dir whose token is over, and a minute more. What is no mark stays. What
 * ksa_folder_sweep() says.
 *
 * ret_removed  how many, whatever is returned
 */
enum ksa_reason ksa_used_sweep(const struct ksa_env *env, size_t *ret_removed,
                               struct ksa_error *err) KSA_MUST_CHECK;

#endif

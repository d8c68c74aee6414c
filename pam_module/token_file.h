/* SPDX-License-Identifier: BSD-2-Clause */
/* A token from a file of the invoking user's, for sudo without a terminal. */
#ifndef KSA_PAM_TOKEN_FILE_H
#define KSA_PAM_TOKEN_FILE_H

#include <security/pam_modules.h>

#include "base/error.h"
#include "base/macros.h"
#include "base/secret.h"
#include "login/login.h"

/*
 * Reads the file that PATTERN (token_file=, with %u for the user) names, in a child
 * that has become the invoking user wholly, so that no file is read with rights that
 * he has not. The child has two seconds; nothing is locked meanwhile.
 *
 * ret_token  owned by the caller; only on KSA_OK
 *
 * KSA_FILE_MISSING       no such file; or not sudo, or not for the invoking user: prompt instead,
 *                        because a profile has one line for all services
 * KSA_TOKEN_FILE_UNSAFE  not a private regular file of the user's, or too large
 * KSA_TOKEN_FILE_FAILED  not readable, or not in time
 * KSA_MEMORY
 */
enum ksa_reason read_token_file(pam_handle_t *pamh, const char *pattern,
                                const struct ksa_attempt *attempt, struct ksa_secret **ret_token,
                                struct ksa_error *err) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a token from a file of the invoking user, for sudo without a terminal. */
#ifndef KSA_PAM_TOKEN_FILE_H
#define KSA_PAM_TOKEN_FILE_H

#include <security/pam_modules.h>

#include "base/error.h"
#include "base/macros.h"
#include "base/secret.h"
#include "login/login.h"

/*
 * Reads the file PATTERN (token_file=, %u is the user). A child process that has become the
 * invoking user opens it, so that it is read only with the user's own permissions. The child has
 * two seconds.
 *
 * ret_token  owned by the caller (ksa_secret_free); only on KSA_OK
 *
 * KSA_FILE_MISSING       no such file, not in sudo, or the login is not as the invoking user: prompt
 *                        instead, because one PAM profile serves all services
 * KSA_TOKEN_FILE_UNSAFE  not a private regular file of the user, or too large
 * KSA_TOKEN_FILE_FAILED  not readable, or timeout
 * KSA_MEMORY
 */
enum ksa_reason read_token_file(pam_handle_t *pamh, const char *pattern,
                                const struct ksa_attempt *attempt, struct ksa_secret **ret_token,
                                struct ksa_error *err) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The prompts for a token. */
#ifndef KSA_PAM_CONV_H
#define KSA_PAM_CONV_H

#include <security/pam_modules.h>

#include "base/error.h"
#include "base/macros.h"
#include "base/secret.h"

/*
 * Asks for the token, part by part, until the length of an answer says that it was the
 * last (prompt.h). Never sets or reads PAM_AUTHTOK.
 *
 * ret_token  owned by the caller; only on KSA_OK
 * ret_hint   what ksa_prompt_hint() says of the answers; set if there are any, also without a token
 *
 * KSA_CONVERSATION, what ksa_prompt_finish() says, KSA_MEMORY
 */
enum ksa_reason ask_for_token(pam_handle_t *pamh, struct ksa_secret **ret_token,
                              enum ksa_reason *ret_hint, struct ksa_error *err) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The prompts for a token. */
#ifndef KSA_PAM_CONV_H
#define KSA_PAM_CONV_H

#include <security/pam_modules.h>

#include "base/error.h"
#include "base/macros.h"
#include "base/secret.h"

/*
 * Prompts for the parts of a token until a response is not a full part (prompt.h). Never sets or
 * reads PAM_AUTHTOK.
 *
 * ret_token  owned by the caller (ksa_secret_free); only on KSA_OK
 * ret_hint   result of ksa_prompt_hint(); set after at least one response, also on failure
 *
 * KSA_CONVERSATION, KSA_MEMORY, and the errors of ksa_prompt_finish()
 */
enum ksa_reason ask_for_token(pam_handle_t *pamh, struct ksa_secret **ret_token,
                              enum ksa_reason *ret_hint, struct ksa_error *err) KSA_MUST_CHECK;

#endif

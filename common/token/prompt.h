/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Assembles a token from the responses to several prompts, without PAM.
 *
 * ssh cuts a response at 1023 bytes and sudo rejects 512, so clients send a token in parts. A
 * response of exactly KSA_PART bytes means that another part follows; any other length, including
 * 0, is the last. Only the length counts: for users whom it refuses, sshd replaces responses by
 * junk of the same length, so the number of prompts does not reveal which users exist.
 */
#ifndef KSA_TOKEN_PROMPT_H
#define KSA_TOKEN_PROMPT_H

#include <stdbool.h>

#include "base/error.h"
#include "base/macros.h"
#include "base/secret.h"

#define KSA_PART      500
#define KSA_PARTS_MAX 33

struct ksa_prompt;

/* Returns an empty one; NULL if memory runs out. Free it with ksa_prompt_free(). */
struct ksa_prompt *ksa_prompt_new(void) KSA_MUST_CHECK;
void ksa_prompt_free(struct ksa_prompt **prompt);

/*
 * Appends a copy of the next response; the caller still owns and wipes RESPONSE. True: prompt again.
 */
bool ksa_prompt_add(struct ksa_prompt *prompt, const char *response) KSA_MUST_CHECK;

/*
 * Checks the complete response after the last part.
 *
 * ret_token  owned by the caller (ksa_secret_free); only on KSA_OK
 *
 * KSA_EMPTY_ANSWER, KSA_REFUSED_BY_SSHD, KSA_REPEATED_ANSWER, KSA_TOKEN_TOO_LONG
 */
enum ksa_reason ksa_prompt_finish(struct ksa_prompt *prompt, struct ksa_secret **ret_token,
                                  struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Returns why the responses cannot be a whole token, judging only by their length:
 * KSA_EMPTY_ANSWER, KSA_CUT_SHORT, KSA_NOT_A_TOKEN, else KSA_OK. The client may be shown this
 * before the token is verified. It does not reveal which users exist, because the junk that sshd
 * sends has the same length.
 */
enum ksa_reason ksa_prompt_hint(const struct ksa_prompt *prompt) KSA_MUST_CHECK;

#endif

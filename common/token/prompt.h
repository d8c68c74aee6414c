/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A token from the answers to several prompts; no PAM in it.
 *
 * OpenSSH's client cuts an answer at 1023 bytes and sudo refuses 512, so a client
 * hands a token over in parts: an answer of exactly KSA_PART bytes means that more
 * follows, any other length (0 too) is the last. Length alone decides, because sshd
 * swaps the answers of users whom it will not let in for junk of the same length:
 * the number of prompts then says nothing about who exists.
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

/* NULL when memory runs out. */
struct ksa_prompt *ksa_prompt_new(void) KSA_MUST_CHECK;
void ksa_prompt_free(struct ksa_prompt **answers);

/* Takes the next answer, which the caller still owns and wipes. True: ask again. */
bool ksa_prompt_add(struct ksa_prompt *answers, const char *answer) KSA_MUST_CHECK;

/*
 * Judges what came, when the last answer is there.
 *
 * ret_token   owned by the caller (ksa_secret_free); only on KSA_OK
 *
 * KSA_EMPTY_ANSWER, KSA_REFUSED_BY_SSHD, KSA_REPEATED_ANSWER, KSA_TOKEN_TOO_LONG
 */
enum ksa_reason ksa_prompt_finish(struct ksa_prompt *answers, struct ksa_secret **ret_token,
                                  struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Why the answers cannot be a whole token, as far as their length shows it: KSA_EMPTY_ANSWER, KSA_CUT_SHORT,
 * KSA_NOT_A_TOKEN; else KSA_OK. A client may be told this without a verified token: sshd replaces the
 * answers of users whom it refuses by junk of the same length, so it does not reveal which users exist.
 */
enum ksa_reason ksa_prompt_hint(const struct ksa_prompt *answers) KSA_MUST_CHECK;

#endif

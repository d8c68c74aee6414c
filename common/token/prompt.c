/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/prompt.h"

#include <stdlib.h>
#include <string.h>

#include "token/token.h"

struct ksa_prompt {
        struct ksa_secret *token;
        unsigned parts;
        bool too_long;
        bool all_equal; /* all parts equal the first one */
};

struct ksa_prompt *ksa_prompt_new(void)
{
        struct ksa_prompt *prompt = calloc(1, sizeof(*prompt));

        if (prompt == NULL)
                return NULL;
        prompt->token = ksa_secret_new(KSA_TOKEN_MAX);
        prompt->all_equal = true;
        if (prompt->token == NULL)
                ksa_prompt_free(&prompt);
        return prompt;
}

void ksa_prompt_free(struct ksa_prompt **prompt)
{
        if (*prompt == NULL)
                return;
        ksa_secret_free(&(*prompt)->token);
        free(*prompt);
        *prompt = NULL;
}

bool ksa_prompt_add(struct ksa_prompt *prompt, const char *response)
{
        size_t length = strlen(response);

        if (length != KSA_PART || memcmp(response, ksa_secret_bytes(prompt->token),
                                         prompt->parts == 0 ? 0 : KSA_PART) != 0)
                prompt->all_equal = false;
        if (!ksa_secret_append(prompt->token, response, length))
                prompt->too_long = true;
        prompt->parts++;
        return length == KSA_PART && prompt->parts < KSA_PARTS_MAX;
}

/*
 * Whether TOKEN is the junk that sshd repeats in place of an answer, for its length (auth-pam.c).
 */
static bool is_junk(const struct ksa_secret *token)
{
        static const char junk[] = "\b\n\r\177INCORRECT";
        size_t length = ksa_secret_length(token);

        if (length > sizeof(junk) - 1)
                length = sizeof(junk) - 1;
        return length > 0 && memcmp(ksa_secret_bytes(token), junk, length) == 0;
}

enum ksa_reason ksa_prompt_finish(struct ksa_prompt *prompt, struct ksa_secret **ret_token,
                                  struct ksa_error *err)
{
        if (is_junk(prompt->token))
                return ksa_fail(err, KSA_REFUSED_BY_SSHD,
                                "sshd replaced the answer: unknown user, PermitRootLogin or "
                                "AllowUsers");
        if (prompt->all_equal && prompt->parts > 1)
                return ksa_fail(err, KSA_REPEATED_ANSWER,
                                "%u equal answers: the password method repeats one answer; "
                                "keyboard-interactive is needed",
                                prompt->parts);
        if (prompt->too_long)
                return ksa_fail(err, KSA_TOKEN_TOO_LONG, "the answer is longer than %d bytes",
                                KSA_TOKEN_MAX);
        if (ksa_secret_length(prompt->token) == 0)
                return ksa_fail(err, KSA_EMPTY_ANSWER, "the answer was empty");
        *ret_token = prompt->token;
        prompt->token = NULL;
        return KSA_OK;
}

enum ksa_reason ksa_prompt_hint(const struct ksa_prompt *prompt)
{
        size_t length = ksa_secret_length(prompt->token);

        if (length == 0)
                return KSA_EMPTY_ANSWER;
        if (length < KSA_TOKEN_MIN)
                return KSA_NOT_A_TOKEN;
        /* The lengths at which pam_exec, ssh and sshd cut an answer. */
        return length == 511 || length == 1023 || length == 1024 ? KSA_CUT_SHORT : KSA_OK;
}

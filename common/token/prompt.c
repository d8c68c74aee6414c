/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/prompt.h"

#include <stdlib.h>
#include <string.h>

#include "token/token.h"

struct ksa_prompt {
        struct ksa_secret *token;
        unsigned parts;
        bool too_long;
        bool all_equal; /* to the first part */
};

struct ksa_prompt *ksa_prompt_new(void)
{
        struct ksa_prompt *answers = calloc(1, sizeof(*answers));

        if (answers == NULL)
                return NULL;
        answers->token = ksa_secret_new(KSA_TOKEN_MAX);
        answers->all_equal = true;
        if (answers->token == NULL)
                ksa_prompt_free(&answers);
        return answers;
}

void ksa_prompt_free(struct ksa_prompt **answers)
{
        if (*answers == NULL)
                return;
        ksa_secret_free(&(*answers)->token);
        free(*answers);
        *answers = NULL;
}

bool ksa_prompt_add(struct ksa_prompt *answers, const char *answer)
{
        size_t length = strlen(answer);

        if (length != KSA_PART || memcmp(answer, ksa_secret_bytes(answers->token),
                                         answers->parts == 0 ? 0 : KSA_PART) != 0)
                answers->all_equal = false;
        if (!ksa_secret_append(answers->token, answer, length))
                answers->too_long = true;
        answers->parts++;
        return length == KSA_PART && answers->parts < KSA_PARTS_MAX;
}

/* What OpenSSH puts in place of an answer, over and over for its length (auth-pam.c). */
static bool is_junk(const struct ksa_secret *token)
{
        static const char junk[] = "\b\n\r\177INCORRECT";
        size_t length = ksa_secret_length(token);

        if (length > sizeof(junk) - 1)
                length = sizeof(junk) - 1;
        return length > 0 && memcmp(ksa_secret_bytes(token), junk, length) == 0;
}

enum ksa_reason ksa_prompt_finish(struct ksa_prompt *answers, struct ksa_secret **ret_token,
                                  struct ksa_error *err)
{
        if (is_junk(answers->token))
                return ksa_fail(err, KSA_REFUSED_BY_SSHD,
                                "sshd replaced the answer: unknown user, PermitRootLogin or "
                                "AllowUsers");
        if (answers->all_equal && answers->parts > 1)
                return ksa_fail(err, KSA_REPEATED_ANSWER,
                                "%u equal answers: the password method repeats one answer; "
                                "keyboard-interactive is needed",
                                answers->parts);
        if (answers->too_long)
                return ksa_fail(err, KSA_TOKEN_TOO_LONG, "the answer is longer than %d bytes",
                                KSA_TOKEN_MAX);
        if (ksa_secret_length(answers->token) == 0)
                return ksa_fail(err, KSA_EMPTY_ANSWER, "the answer was empty");
        *ret_token = answers->token;
        answers->token = NULL;
        return KSA_OK;
}

enum ksa_reason ksa_prompt_hint(const struct ksa_prompt *answers)
{
        size_t length = ksa_secret_length(answers->token);

        if (length == 0)
                return KSA_EMPTY_ANSWER;
        if (length < KSA_TOKEN_MIN)
                return KSA_NOT_A_TOKEN;
        /* Here pam_exec, OpenSSH's client and its server cut an answer. */
        return length == 511 || length == 1023 || length == 1024 ? KSA_CUT_SHORT : KSA_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "conv.h"

#include <security/pam_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "token/prompt.h"

/*
 * ksa-askpass recognizes these prompts by their whole text. Many clients (asyncssh, JSch, sshpass, lftp)
 * answer keyboard-interactive with a configured password only if the prompt ends in "password: ".
 */
static int ask(pam_handle_t *pamh, unsigned part, char **ret_answer)
{
        if (part == 1)
                return pam_prompt(pamh, PAM_PROMPT_ECHO_OFF, ret_answer, "%s",
                                  "Service account token as password: ");
        return pam_prompt(pamh, PAM_PROMPT_ECHO_OFF, ret_answer,
                          "Service account token part %u as password: ", part);
}

static void drop(char **answer)
{
        if (*answer != NULL)
                ksa_secret_wipe(*answer, strlen(*answer));
        free(*answer);
        *answer = NULL;
}

static enum ksa_reason ask_all(pam_handle_t *pamh, struct ksa_prompt *answers,
                               struct ksa_error *err)
{
        bool more = true;

        for (unsigned part = 1; more; part++) {
                char *answer = NULL;
                int code = ask(pamh, part, &answer);

                if (code != PAM_SUCCESS || answer == NULL) {
                        drop(&answer);
                        return ksa_fail(err, KSA_CONVERSATION, "no answer to prompt %u", part);
                }
                more = ksa_prompt_add(answers, answer);
                drop(&answer);
        }
        return KSA_OK;
}

enum ksa_reason ask_for_token(pam_handle_t *pamh, struct ksa_secret **ret_token,
                              enum ksa_reason *ret_hint, struct ksa_error *err)
{
        struct ksa_prompt *answers = ksa_prompt_new();

        if (answers == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        enum ksa_reason reason = ask_all(pamh, answers, err);
        if (reason == KSA_OK) {
                *ret_hint = ksa_prompt_hint(answers);
                reason = ksa_prompt_finish(answers, ret_token, err);
        }
        ksa_prompt_free(&answers);
        return reason;
}

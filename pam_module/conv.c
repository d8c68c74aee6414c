/* SPDX-License-Identifier: BSD-2-Clause */
#include "conv.h"

#include <security/pam_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "token/prompt.h"

/*
 * ksa-askpass recognizes these prompts by their exact text. Many clients (asyncssh, JSch, sshpass,
 * lftp) answer keyboard-interactive with a configured password only if the prompt ends in
 * "password: ".
 */
static int ask(pam_handle_t *pamh, unsigned part, char **ret_response)
{
        if (part == 1)
                return pam_prompt(pamh, PAM_PROMPT_ECHO_OFF, ret_response, "%s",
                                  "Service account token as password: ");
        return pam_prompt(pamh, PAM_PROMPT_ECHO_OFF, ret_response,
                          "Service account token part %u as password: ", part);
}

static void drop(char **response)
{
        if (*response != NULL)
                ksa_secret_wipe(*response, strlen(*response));
        free(*response);
        *response = NULL;
}

static enum ksa_reason ask_parts(pam_handle_t *pamh, struct ksa_prompt *prompt,
                                 struct ksa_error *err)
{
        bool more = true;

        for (unsigned part = 1; more; part++) {
                char *response = NULL;
                int code = ask(pamh, part, &response);

                if (code != PAM_SUCCESS || response == NULL) {
                        drop(&response);
                        return ksa_fail(err, KSA_CONVERSATION, "no answer to prompt %u", part);
                }
                more = ksa_prompt_add(prompt, response);
                drop(&response);
        }
        return KSA_OK;
}

enum ksa_reason ask_for_token(pam_handle_t *pamh, struct ksa_secret **ret_token,
                              enum ksa_reason *ret_hint, struct ksa_error *err)
{
        struct ksa_prompt *prompt = ksa_prompt_new();

        if (prompt == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        enum ksa_reason reason = ask_parts(pamh, prompt, err);
        if (reason == KSA_OK) {
                *ret_hint = ksa_prompt_hint(prompt);
                reason = ksa_prompt_finish(prompt, ret_token, err);
        }
        ksa_prompt_free(&prompt);
        return reason;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Prompt answers, one a line; a line that begins with "+" is filled up to a whole part. */
#include "fuzz.h"
#include "token/prompt.h"
#include "token/token.h"

static void make_part(const char *line, char *part)
{
        size_t length = strlen(line);

        for (size_t i = 0; i < KSA_PART; i++)
                part[i] = line[i % length];
        part[KSA_PART] = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct ksa_prompt *answers = ksa_prompt_new();
        struct ksa_secret *token = NULL;
        struct ksa_error error = {0};
        size_t length = 0;
        unsigned parts = 0;
        bool more = true;

        MUST(answers != NULL);
        while (more && size > 0) {
                char part[KSA_PART + 1];
                char *line = next_line(&data, &size);
                const char *answer = line;

                if (line[0] == '+') {
                        make_part(line, part);
                        answer = part;
                }
                more = ksa_prompt_add(answers, answer);
                MUST(!more || strlen(answer) == KSA_PART);
                length += strlen(answer);
                parts++;
                free(line);
        }
        MUST(parts <= KSA_PARTS_MAX);
        if (ksa_prompt_finish(answers, &token, &error) == KSA_OK)
                MUST(length > 0 && ksa_secret_length(token) == length && length <= KSA_TOKEN_MAX);
        else
                MUST(token == NULL && error.text[0] != '\0');
        ksa_secret_free(&token);
        ksa_prompt_free(&answers);
        return 0;
}

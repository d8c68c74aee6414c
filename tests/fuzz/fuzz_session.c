/* SPDX-License-Identifier: BSD-2-Clause */
/* A session's record: what is accepted is what the formatter writes for it, byte for byte. */
#include "fuzz.h"
#include "session/record.h"

static struct ksa_secret *token_of(const struct ksa_record_text *text)
{
        struct ksa_secret *token = ksa_secret_new(text->token_length);

        MUST(token != NULL && ksa_secret_append(token, text->token, text->token_length));
        return token;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct ksa_record_text text;
        /* A copy of its own size: libFuzzer's has that too, replay's may not. */
        char *bytes = malloc(size);

        MUST(bytes != NULL || size == 0);
        if (size > 0)
                memcpy(bytes, data, size);
        if (ksa_record_parse(bytes, size, &text)) {
                struct ksa_secret *token = text.token != NULL ? token_of(&text) : NULL;
                struct ksa_secret *again = ksa_record_format(&text.record, token);

                MUST(again != NULL && ksa_secret_length(again) == size);
                MUST(memcmp(ksa_secret_bytes(again), bytes, size) == 0);
                MUST(text.token != NULL || text.head_length == size);
                MUST(text.head_length < KSA_RECORD_HEAD_MAX && text.record.sshd.pid != 0);
                ksa_secret_free(&again);
                ksa_secret_free(&token);
        }
        free(bytes);
        return 0;
}

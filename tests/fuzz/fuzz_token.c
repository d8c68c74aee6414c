/* SPDX-License-Identifier: BSD-2-Clause */
/* A token: the bytes as they are, and the input's first line as header, the rest as claims. */
#include "base/text.h"
#include "fuzz.h"
#include "token/token.h"

static void check(const struct ksa_secret *text)
{
        struct ksa_token token;
        struct ksa_error error = {0};

        enum ksa_reason reason = ksa_token_parse(text, &token, &error);
        MUST((reason == KSA_OK) == (error.text[0] == '\0'));
        if (reason == KSA_OK) {
                MUST(token.algorithm > KSA_ALGORITHM_NONE && token.algorithm < KSA_ALGORITHM_COUNT);
                MUST(token.payload != NULL && token.signature != NULL);
                MUST(token.signed_length < ksa_secret_length(text));
                MUST(token.compact[token.signed_length] == '.');
        }
        ksa_token_clear(&token);
}

static void append_base64url(struct ksa_secret *token, const void *bytes, size_t size)
{
        char *text = malloc(KSA_BASE64URL_ENCODED(size) + 1);

        MUST(text != NULL);
        ksa_base64url_encode(bytes, size, text);
        (void)!ksa_secret_append(token, text, strlen(text));
        free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct ksa_secret *raw = ksa_secret_new(size + 1);
        struct ksa_secret *made = ksa_secret_new(2 * size + 64);

        MUST(raw != NULL && made != NULL && ksa_secret_append(raw, data, size));
        check(raw);
        char *header = next_line(&data, &size);
        append_base64url(made, header, strlen(header));
        MUST(ksa_secret_append(made, ".", 1));
        append_base64url(made, data, size);
        MUST(ksa_secret_append(made, ".c2lnbmF0dXJl", 13));
        check(made);
        free(header);
        ksa_secret_free(&raw);
        ksa_secret_free(&made);
        return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Properties of each document that ksa_json_load_document() reads, for the targets that read one. */
#ifndef KSA_FUZZ_DOCUMENT_H
#define KSA_FUZZ_DOCUMENT_H

#include <jansson.h>

#include "fuzz.h"
#include "token/json.h"

/*
 * The document as ksa reads it, loaded again; NULL if jansson refuses it. A value that jansson
 * accepts is left as it is; a replaced byte becomes one of few, none of which has a meaning in the
 * grammar.
 */
static inline json_t *load_again(const char *body, size_t size)
{
        static const char grammar[] = "\"{}[]:,\\ \t\r\n";
        const size_t mark = size >= 3 && memcmp(body, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        char *text = malloc(size + 1), *again = malloc(size + 1);
        size_t changed = 0;

        MUST(text != NULL && again != NULL);
        body += mark;
        size -= mark;
        memcpy(text, body, size);
        ksa_json_replace(text, size);
        for (size_t i = 0; i < size; i++) {
                if (text[i] == body[i])
                        continue;
                changed++;
                MUST(text[i] != '\0' && strchr("fd0.5 ", text[i]) != NULL);
                MUST(memchr(grammar, body[i], sizeof(grammar) - 1) == NULL);
        }
        json_t *before = json_loadb(body, size, JSON_REJECT_DUPLICATES, NULL);
        json_t *after = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
        MUST(before == NULL || (changed == 0 && after != NULL));
        json_decref(before);
        /* Only then: in text such as 4E44-4E441 each pass finds other numbers, and jansson refuses both. */
        memcpy(again, text, size);
        ksa_json_replace(again, size);
        MUST(after == NULL || memcmp(again, text, size) == 0);
        free(text);
        free(again);
        return after;
}

#endif

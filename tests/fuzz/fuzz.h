/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the fuzz targets. Each has one entry; without libFuzzer replay.c calls it. */
#ifndef KSA_FUZZ_H
#define KSA_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that must hold for every input. */
#define MUST(condition)                                                                  \
        do {                                                                             \
                if (!(condition)) {                                                      \
                        (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, \
                                      #condition);                                       \
                        abort();                                                         \
                }                                                                        \
        } while (0)

/* The input's lines one after another: a NUL-terminated copy, owned by the caller. */
static inline char *next_line(const uint8_t **data, size_t *size)
{
        const uint8_t *end = *size == 0 ? NULL : memchr(*data, '\n', *size);
        size_t length = end == NULL ? *size : (size_t)(end - *data);
        char *line = calloc(1, length + 1);

        MUST(line != NULL);
        if (length > 0)
                memcpy(line, *data, length);
        *data += end == NULL ? length : length + 1;
        *size -= end == NULL ? length : length + 1;
        return line;
}

#endif

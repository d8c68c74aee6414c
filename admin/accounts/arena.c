/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/accounts/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 64 * 1024 };

static bool add_chunk(struct ksa_arena *arena, size_t size)
{
        char **place = ksa_list_next(&arena->chunks, sizeof(*place));
        char *chunk = place == NULL ? NULL : calloc(1, size);

        if (chunk == NULL)
                return false;
        *place = chunk;
        arena->chunks.count++;
        arena->free = chunk;
        arena->left = size;
        return true;
}

static char *take(struct ksa_arena *arena, size_t size, size_t alignment)
{
        size_t gap = (size_t)(-(uintptr_t)arena->free & (alignment - 1));

        if (arena->left < gap || arena->left - gap < size) {
                if (!add_chunk(arena, size > CHUNK_SIZE ? size : CHUNK_SIZE)) {
                        arena->failed = true;
                        return NULL;
                }
                gap = 0; /* calloc aligns for any struct */
        }
        char *taken = arena->free + gap;
        arena->free += gap + size;
        arena->left -= gap + size;
        return taken;
}

void *ksa_arena_room(struct ksa_arena *arena, size_t size)
{
        return take(arena, size, alignof(max_align_t));
}

const char *ksa_arena_text(struct ksa_arena *arena, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        int length = vsnprintf(NULL, 0, format, arguments);
        va_end(arguments);
        char *text = length < 0 ? NULL : take(arena, (size_t)length + 1, 1);
        if (text == NULL) {
                arena->failed = true;
                return "";
        }
        va_start(arguments, format);
        (void)vsnprintf(text, (size_t)length + 1, format, arguments);
        va_end(arguments);
        return text;
}

void ksa_arena_clear(struct ksa_arena *arena)
{
        for (size_t i = 0; i < arena->chunks.count; i++)
                free(((char **)arena->chunks.items)[i]);
        free(arena->chunks.items);
        memset(arena, 0, sizeof(*arena));
}

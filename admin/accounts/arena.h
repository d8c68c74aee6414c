/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory for many small texts and structs, which is freed at once. */
#ifndef KSA_ARENA_H
#define KSA_ARENA_H

#include "base/list.h"
#include "base/macros.h"

/*
 * An empty arena is zeroed. If memory runs out, texts are "" and `failed` is set, which the owner checks at
 * the end.
 */
struct ksa_arena {
        struct ksa_list chunks; /* char *: freed by ksa_arena_clear() */
        char *free;
        size_t left;
        bool failed;
};

/* SIZE bytes, aligned for any struct, zeroed. Returns NULL if memory runs out. */
void *ksa_arena_room(struct ksa_arena *arena, size_t size) KSA_MUST_CHECK;

/* A formatted text. Returns "" if memory runs out. */
const char *ksa_arena_text(struct ksa_arena *arena, const char *format, ...) KSA_PRINTF(2, 3);

void ksa_arena_clear(struct ksa_arena *arena);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that is given piece by piece and freed at once: a million small texts without a million frees. */
#ifndef KSA_ARENA_H
#define KSA_ARENA_H

#include "base/list.h"
#include "base/macros.h"

/*
 * Zeroed, it is empty. That memory ran out is remembered rather than returned: who asks looks at
 * `failed` once, at its end, and until then every text is at least "".
 */
struct ksa_arena {
        struct ksa_list chunks; /* char *: freed by ksa_arena_clear() */
        char *free;
        size_t left;
        bool failed;
};

/* SIZE bytes, aligned for any struct, zeroed; NULL when memory ran out. */
void *ksa_arena_room(struct ksa_arena *arena, size_t size) KSA_MUST_CHECK;

/* A formatted text; "" when memory ran out. */
const char *ksa_arena_text(struct ksa_arena *arena, const char *format, ...) KSA_PRINTF(2, 3);

void ksa_arena_clear(struct ksa_arena *arena);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/base/json_wipe.h"

#include <jansson.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/secret.h"

/* free() is not told the size: it stands in front. */
struct block {
        size_t size;
        alignas(max_align_t) char bytes[];
};

static void *allocate(size_t size)
{
        struct block *block =
                size <= SIZE_MAX - sizeof(*block) ? malloc(sizeof(*block) + size) : NULL;

        if (block == NULL)
                return NULL;
        block->size = size;
        return block->bytes;
}

static void wipe_and_free(void *bytes)
{
        if (bytes == NULL)
                return;
        struct block *block = (void *)((char *)bytes - offsetof(struct block, bytes));

        ksa_secret_wipe(block->bytes, block->size);
        free(block);
}

void ksa_json_wipes(void)
{
        json_set_alloc_funcs(allocate, wipe_and_free);
}

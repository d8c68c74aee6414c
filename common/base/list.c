/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/list.h"

#include <stdlib.h>
#include <string.h>

const char *ksa_list_text(const struct ksa_list *list, size_t position)
{
        return ((const char *const *)list->items)[position];
}

bool ksa_list_has(const struct ksa_list *list, const char *text)
{
        for (size_t i = 0; i < list->count; i++) {
                if (strcmp(ksa_list_text(list, i), text) == 0)
                        return true;
        }
        return false;
}

void *ksa_list_next(struct ksa_list *list, size_t size)
{
        /* The capacity is not stored: it doubles when count is a power of two. */
        if ((list->count & (list->count - 1)) == 0) {
                void *items =
                        reallocarray(list->items, list->count == 0 ? 1 : list->count * 2, size);

                if (items == NULL)
                        return NULL;
                list->items = items;
        }
        return (char *)list->items + list->count * size;
}

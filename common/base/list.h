/* SPDX-License-Identifier: BSD-2-Clause */
/* A growing array, such as the texts, patterns or networks of a configuration. */
#ifndef KSA_LIST_H
#define KSA_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

/*
 * Items of one type, which the owner of the list knows. A zeroed list is empty. The owner frees
 * `items`.
 */
struct ksa_list {
        void *items;
        size_t count;
};

/* Returns item POSITION of a list of texts, borrowed. */
const char *ksa_list_text(const struct ksa_list *list, size_t position);

/* Whether a list of texts contains TEXT, byte for byte. */
bool ksa_list_has(const struct ksa_list *list, const char *text);

/*
 * Returns space for one more item of SIZE bytes at the end; the caller fills it and increments
 * count. NULL if memory runs out. May move the items.
 */
void *ksa_list_next(struct ksa_list *list, size_t size) KSA_MUST_CHECK;

#endif

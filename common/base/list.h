/* SPDX-License-Identifier: BSD-2-Clause */
/* A growing array: texts, patterns or networks of a configuration. */
#ifndef KSA_LIST_H
#define KSA_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

/* Items of one kind, which the owner of the list knows. Zeroed, it is empty; the owner frees `items`. */
struct ksa_list {
        void *items;
        size_t count;
};

/* Item POSITION of a list of texts. */
const char *ksa_list_text(const struct ksa_list *list, size_t position);

/* Whether a list of texts holds TEXT, byte for byte. */
bool ksa_list_has(const struct ksa_list *list, const char *text);

/* Room for one more item of SIZE bytes at the end of a list, not yet counted; NULL when memory
 * runs out. */
void *ksa_list_next(struct ksa_list *list, size_t size) KSA_MUST_CHECK;

#endif

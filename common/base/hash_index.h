/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a key to numbers, in the order in which they were added: so that a login looks
 * at the few rules that may matter, however many there are. The keys are hashed; who
 * looks something up compares the real thing.
 */
#ifndef KSA_BASE_HASH_INDEX_H
#define KSA_BASE_HASH_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

struct ksa_hash_index {
        struct ksa_hash_index_entry *entries;
        size_t count, room;
        uint32_t *slots; /* first entry of a chain, plus one */
        uint32_t *tails; /* last entry of a chain, plus one */
        size_t slot_count;
};

/* The hash of COUNT texts in their order; ("ab", "c") is not ("a", "bc"). */
uint64_t ksa_hash_index_hash(const char *const *texts, size_t count);

/* Adds NUMBER under HASH; false when memory runs out. */
bool ksa_hash_index_add(struct ksa_hash_index *index, uint64_t hash,
                        uint32_t number) KSA_MUST_CHECK;

/* Where the numbers of one hash begin, for ksa_hash_index_next(). */
uint32_t ksa_hash_index_find(const struct ksa_hash_index *index, uint64_t hash);

/* The next number of HASH, in the order of adding; false after the last. */
bool ksa_hash_index_next(const struct ksa_hash_index *index, uint64_t hash, uint32_t *position,
                         uint32_t *ret_number);

void ksa_hash_index_clear(struct ksa_hash_index *index);

#endif

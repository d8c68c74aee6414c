/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps a hashed key to numbers, in the order of insertion, so that a login checks only the few
 * rules that may match. Different keys may share a hash: the caller compares the key itself.
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
        uint32_t *slots; /* first entry of each chain + 1; 0: empty */
        uint32_t *tails; /* last entry of each chain + 1; 0: empty */
        size_t slot_count;
};

/* Returns the hash of COUNT texts in their order; ("ab", "c") and ("a", "bc") differ. */
uint64_t ksa_hash_index_hash(const char *const *texts, size_t count);

/* Adds NUMBER under HASH. False if memory runs out. */
bool ksa_hash_index_add(struct ksa_hash_index *index, uint64_t hash,
                        uint32_t number) KSA_MUST_CHECK;

/* Returns the position to start ksa_hash_index_next() from. */
uint32_t ksa_hash_index_find(const struct ksa_hash_index *index, uint64_t hash);

/* Returns the next number of HASH and advances *POSITION. False after the last one. */
bool ksa_hash_index_next(const struct ksa_hash_index *index, uint64_t hash, uint32_t *position,
                         uint32_t *ret_number);

/* Frees the contents; the index is then empty and can be used again. */
void ksa_hash_index_clear(struct ksa_hash_index *index);

#endif

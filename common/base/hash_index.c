/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hash_index.h"

#include <stdlib.h>
#include <string.h>

struct ksa_hash_index_entry {
        uint64_t hash;
        uint32_t number;
        uint32_t next; /* next entry of the same slot + 1; 0: last */
};

uint64_t ksa_hash_index_hash(const char *const *texts, size_t count)
{
        /*
         * FNV-1a, 64 bits. An unkeyed hash is enough, because only the administrator chooses the
         * keys.
         */
        uint64_t hash = UINT64_C(0xcbf29ce484222325);

        for (size_t i = 0; i < count; i++) {
                const unsigned char *c = (const unsigned char *)texts[i];

                do {
                        hash = (hash ^ *c) * UINT64_C(0x100000001b3);
                } while (*c++ != '\0');
        }
        return hash;
}

static void chain(struct ksa_hash_index *index, uint32_t entry)
{
        size_t slot = (size_t)index->entries[entry].hash & (index->slot_count - 1);

        if (index->tails[slot] == 0)
                index->slots[slot] = entry + 1;
        else
                index->entries[index->tails[slot] - 1].next = entry + 1;
        index->entries[entry].next = 0;
        index->tails[slot] = entry + 1;
}

static bool grow(struct ksa_hash_index *index)
{
        size_t room = index->room == 0 ? 64 : index->room * 2;

        if (room > UINT32_MAX / 2)
                return false;
        struct ksa_hash_index_entry *entries =
                reallocarray(index->entries, room, sizeof(*index->entries));
        if (entries == NULL)
                return false;
        index->entries = entries;
        uint32_t *slots = calloc(room * 4, sizeof(*slots));
        if (slots == NULL)
                return false;
        free(index->slots);
        index->slots = slots;
        index->slot_count = room * 2;
        index->tails = slots + index->slot_count;
        index->room = room;
        for (size_t i = 0; i < index->count; i++)
                chain(index, (uint32_t)i);
        return true;
}

bool ksa_hash_index_add(struct ksa_hash_index *index, uint64_t hash, uint32_t number)
{
        if (index->count == index->room && !grow(index))
                return false;
        index->entries[index->count] =
                (struct ksa_hash_index_entry){.hash = hash, .number = number};
        chain(index, (uint32_t)index->count);
        index->count++;
        return true;
}

uint32_t ksa_hash_index_find(const struct ksa_hash_index *index, uint64_t hash)
{
        return index->slot_count == 0 ? 0 : index->slots[(size_t)hash & (index->slot_count - 1)];
}

bool ksa_hash_index_next(const struct ksa_hash_index *index, uint64_t hash, uint32_t *position,
                         uint32_t *ret_number)
{
        while (*position != 0) {
                const struct ksa_hash_index_entry *entry = &index->entries[*position - 1];

                *position = entry->next;
                if (entry->hash == hash) {
                        *ret_number = entry->number;
                        return true;
                }
        }
        return false;
}

void ksa_hash_index_clear(struct ksa_hash_index *index)
{
        free(index->entries);
        free(index->slots);
        memset(index, 0, sizeof(*index));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that assign names and numbers on a host: passwd, group, subuid and subgid, in memory. */
#ifndef KSA_ACCOUNTS_LOCAL_FILES_H
#define KSA_ACCOUNTS_LOCAL_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/macros.h"

/* A user or group, or a range of subordinate ids of the user NAME. */
struct ksa_local_entry {
        char *name;
        const char *kind, *file; /* for messages: "the user", "/etc/passwd" */
        uint64_t number, end;    /* the last of a range; for a user or group, NUMBER itself */
        uint64_t reach;          /* the greatest end so far, in the order of numbers */
        size_t reacher;          /* the entry with that end */
};

struct ksa_local_table {
        struct ksa_local_entry *entries; /* ordered by number, once arranged */
        size_t count;
        struct ksa_local_entry **names; /* the same, ordered by name */
};

/*
 * Add the entries of a file, with the primary groups of passwd. PATH is borrowed. A missing file is empty.
 * KSA_FILE_UNREADABLE, KSA_MEMORY
 */
enum ksa_reason ksa_local_read_users(const char *path, struct ksa_local_table *table,
                                     struct ksa_error *err) KSA_MUST_CHECK;
enum ksa_reason ksa_local_read_groups(const char *path, struct ksa_local_table *table,
                                      struct ksa_error *err) KSA_MUST_CHECK;
enum ksa_reason ksa_local_read_ranges(const char *path, struct ksa_local_table *table,
                                      struct ksa_error *err) KSA_MUST_CHECK;

/* To be called once all are read, before the first lookup. Returns false if memory runs out. */
bool ksa_local_arrange(struct ksa_local_table *table) KSA_MUST_CHECK;

/* The entry of NAME, or one that contains NUMBER. Returns NULL if the table has no such entry. */
const struct ksa_local_entry *ksa_local_with_name(const struct ksa_local_table *table,
                                                  const char *name);
const struct ksa_local_entry *ksa_local_with_number(const struct ksa_local_table *table,
                                                    uint32_t number);

void ksa_local_clear(struct ksa_local_table *table);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes the registry that registry.h reads. */
#ifndef KSA_REGISTRY_WRITE_H
#define KSA_REGISTRY_WRITE_H

#include "base/error.h"
#include "base/macros.h"
#include "registry/registry.h"

struct ksa_registry_content {
        const struct ksa_account_record *accounts; /* ordered by name */
        size_t account_count;
        const struct ksa_group_record *groups; /* ordered by name */
        size_t group_count;
        const struct ksa_source_record *sources;
        size_t source_count;
};

/*
 * The file that holds CONTENT, in memory. The members of a group are the accounts that have its gid among
 * their groups and are not REMOVED; the members in the group's own record are ignored.
 *
 * ret_bytes  owned by the caller (free)
 *
 * KSA_INTERNAL  with the name: a record that the reader would refuse (a text too long, a control byte, a
 *               colon, a uid or gid out of bounds, a wrong order); a name, uid or account of two records that
 *               are not REMOVED; a group with the name or number of such a record or of another group
 * KSA_MEMORY
 */
enum ksa_reason ksa_registry_build(const struct ksa_registry_content *content, int64_t now,
                                   unsigned char **ret_bytes, size_t *ret_size,
                                   struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Reads every byte of an open registry: all records, both ways through the table, and all checksums. NSS
 * checks only the records that it needs.
 *
 * ret_why  what is wrong, a constant text
 */
bool ksa_registry_is_whole(const struct ksa_registry *registry,
                           const char **ret_why) KSA_MUST_CHECK;

#endif

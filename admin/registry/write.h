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
 * The file that holds CONTENT, in memory. The members of a group are the accounts that have its gid
 * among their groups and are not REMOVED; what stands in its record is not looked at. A record that
 * the reader would refuse (a text too long, a control byte, a colon, a uid or gid out of bounds, an
 * order that is none) is refused here, and so is a name, a uid or an account that two have of whom
 * none is REMOVED, and a group that has the name or number of such an account or of another group.
 *
 * ret_bytes  owned by the caller (free)
 *
 * KSA_INTERNAL  a record that may not stand there, by name; KSA_MEMORY
 */
enum ksa_reason ksa_registry_build(const struct ksa_registry_content *content, int64_t now,
                                   unsigned char **ret_bytes, size_t *ret_size,
                                   struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Reads every byte of an open registry: all records, both ways through the table, all sums. What
 * NSS does only for what it is asked for.
 *
 * ret_why  what is wrong, a constant text
 */
bool ksa_registry_is_whole(const struct ksa_registry *registry,
                           const char **ret_why) KSA_MUST_CHECK;

#endif

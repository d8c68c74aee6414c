/* SPDX-License-Identifier: BSD-2-Clause */
/* Of the writer of the registry: its records, one behind the other. The reader is asked about each. */
#ifndef KSA_REGISTRY_PUT_H
#define KSA_REGISTRY_PUT_H

#include "base/error.h"
#include "base/macros.h"
#include "registry/registry.h"

/* A file in memory, as far as it is written. */
struct ksa_registry_output {
        unsigned char *bytes; /* free() */
        size_t length, room;
        size_t members, members_end; /* where the lists of members are */
        struct ksa_error *err;
};

/* SIZE more bytes, zero, at RET_OFFSET. */
enum ksa_reason ksa_output_add(struct ksa_registry_output *output, size_t size,
                               size_t *ret_offset) KSA_MUST_CHECK;

/* A record. KSA_INTERNAL, by name, where it may not stand there; KSA_MEMORY */
enum ksa_reason ksa_output_account(struct ksa_registry_output *output,
                                   const struct ksa_account_record *account) KSA_MUST_CHECK;
/* Its MEMBER_COUNT members stand at LINES, an offset. */
enum ksa_reason ksa_output_group(struct ksa_registry_output *output,
                                 const struct ksa_group_record *group, uint64_t lines,
                                 uint32_t member_count) KSA_MUST_CHECK;
enum ksa_reason ksa_output_source(struct ksa_registry_output *output,
                                  const struct ksa_source_record *source) KSA_MUST_CHECK;

#endif

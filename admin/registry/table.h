/* SPDX-License-Identifier: BSD-2-Clause */
/* The writer's hash table, which the reader checks at once. */
#ifndef KSA_REGISTRY_TABLE_H
#define KSA_REGISTRY_TABLE_H

#include "base/error.h"
#include "base/macros.h"
#include "registry/format.h"

/*
 * Draws a serial and a seed, puts every record of BYTES into the table, and computes the checksums. BYTES are
 * as HEADER describes them, with a zeroed table.
 *
 * KSA_INTERNAL  with the name: a record that the reader refuses, or a key of two records that are not REMOVED
 */
enum ksa_reason ksa_registry_table_fill(unsigned char *bytes, struct ksa_format_header *header,
                                        struct ksa_error *err) KSA_MUST_CHECK;

#endif

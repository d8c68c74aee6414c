/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Of the writer of the registry: the hash table, and the reader's own judgement of what it will
 * find there.
 */
#ifndef KSA_REGISTRY_TABLE_H
#define KSA_REGISTRY_TABLE_H

#include "base/error.h"
#include "base/macros.h"
#include "registry/format.h"

/*
 * Draws a serial and a seed, puts every record of BYTES into the table, and takes the sums. BYTES
 * are as HEADER has them, the table still zero.
 *
 * KSA_INTERNAL  a record that the reader refuses, or a key that two have of whom none is REMOVED,
 * by name
 */
enum ksa_reason ksa_registry_table_fill(unsigned char *bytes, struct ksa_format_header *header,
                                        struct ksa_error *err) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks and returns records by their offset, for lookup.c and registry.c. A record is checked
 * completely at each call.
 */
#ifndef KSA_REGISTRY_RECORD_H
#define KSA_REGISTRY_RECORD_H

#include "base/macros.h"
#include "registry/registry.h"

/*
 * Returns KSA_REGISTRY_FOUND or KSA_REGISTRY_BROKEN. RET_LENGTH receives the record's length in
 * bytes; may be NULL.
 */
enum ksa_registry_answer ksa_registry_account_at(const struct ksa_registry *registry, size_t offset,
                                                 struct ksa_account_record *ret_account,
                                                 size_t *ret_length) KSA_MUST_CHECK;
enum ksa_registry_answer ksa_registry_group_at(const struct ksa_registry *registry, size_t offset,
                                               struct ksa_group_record *ret_group,
                                               size_t *ret_length) KSA_MUST_CHECK;

#endif

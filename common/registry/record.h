/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of the registry by where they are in the file, for its other halves. Each is checked
 * whole, every time.
 */
#ifndef KSA_REGISTRY_RECORD_H
#define KSA_REGISTRY_RECORD_H

#include "base/macros.h"
#include "registry/registry.h"

/* FOUND or BROKEN. RET_LENGTH, of the record, may be NULL. */
enum ksa_registry_answer ksa_registry_account_at(const struct ksa_registry *registry, size_t offset,
                                                 struct ksa_account_record *ret_account,
                                                 size_t *ret_length) KSA_MUST_CHECK;
enum ksa_registry_answer ksa_registry_group_at(const struct ksa_registry *registry, size_t offset,
                                               struct ksa_group_record *ret_group,
                                               size_t *ret_length) KSA_MUST_CHECK;

#endif

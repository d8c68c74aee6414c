/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mark next to the registry: this host has had one. A registry that is missing although the mark is there
 * was lost, and with it the memory of the uids that were given.
 */
#ifndef KSA_REGISTRY_MARK_H
#define KSA_REGISTRY_MARK_H

#include <stdbool.h>

#include "base/env.h"
#include "base/macros.h"

/* Whether the mark is there. If the directory cannot be searched, it is. */
bool ksa_registry_is_marked(const struct ksa_env *env);

/*
 * Writes the mark, unless it exists. The directory of the registry must exist. Call this before the first
 * registry is renamed into place: after a crash between the two, the next run stops although nothing was
 * lost; in the other order a lost registry could go unnoticed. The reasons of file_write.h.
 */
enum ksa_reason ksa_registry_mark(const struct ksa_env *env, struct ksa_error *err) KSA_MUST_CHECK;

/* Removes the mark. For a first registry that could not be written. */
void ksa_registry_unmark(const struct ksa_env *env);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Puts a registry in its place. */
#ifndef KSA_REGISTRY_REPLACE_H
#define KSA_REGISTRY_REPLACE_H

#include <stddef.h>

#include "base/env.h"
#include "base/error.h"
#include "base/macros.h"

/*
 * Replaces the registry of ENV by BYTES, in one step, and invalidates nscd's caches. The only way to
 * replace a registry: every byte is verified first, as NSS reads it.
 *
 * ret_warning  why nscd may still have answers of the registry before; without a text if it has none
 *
 * KSA_INTERNAL  the bytes are not a valid registry
 * what file_write.h says
 */
enum ksa_reason ksa_registry_replace(const struct ksa_env *env, const unsigned char *bytes,
                                     size_t size, struct ksa_error *ret_warning,
                                     struct ksa_error *err) KSA_MUST_CHECK;

#endif

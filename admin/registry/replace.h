/* SPDX-License-Identifier: BSD-2-Clause */
/* Replaces the registry. */
#ifndef KSA_REGISTRY_REPLACE_H
#define KSA_REGISTRY_REPLACE_H

#include <stddef.h>

#include "base/env.h"
#include "base/error.h"
#include "base/macros.h"

/*
 * Replaces the registry of ENV by BYTES, in one step, and invalidates nscd's caches. Every byte is verified
 * first, as NSS reads it. No other function replaces the registry.
 *
 * ret_warning  why nscd may still have answers of the old registry; without a text if it has none
 *
 * KSA_INTERNAL  the bytes are not a valid registry
 * the reasons of file_write.h
 */
enum ksa_reason ksa_registry_replace(const struct ksa_env *env, const unsigned char *bytes,
                                     size_t size, struct ksa_error *ret_warning,
                                     struct ksa_error *err) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads, checks and indexes the configuration: ksa.conf and conf.d. */
#ifndef KSA_CONFIG_LOAD_H
#define KSA_CONFIG_LOAD_H

#include "base/env.h"
#include "base/error.h"
#include "config/validate.h"

/*
 * Reads ENV's configuration file and, from its directory, conf.d/ *.conf in byte order. Any error
 * makes the whole configuration invalid.
 *
 * diagnostics    receives every error; may be NULL
 * ret_config  owned by the caller (ksa_config_free)
 * err         the first error
 *
 * KSA_FILE_MISSING, KSA_FILE_UNSAFE, KSA_FILE_UNREADABLE   see file.h
 * KSA_CONFIG_INVALID  an invalid line or section
 * KSA_HOST_NAME       %H or %h is used, and the host has no name
 * KSA_MEMORY
 */
enum ksa_reason ksa_config_load(const struct ksa_env *env,
                                const struct ksa_diagnostic_handler *diagnostics,
                                struct ksa_config **ret_config,
                                struct ksa_error *err) KSA_MUST_CHECK;

void ksa_config_free(struct ksa_config **config);

#endif

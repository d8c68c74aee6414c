/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads ksa.conf and conf.d into a configuration, checked and indexed. */
#ifndef KSA_CONFIG_LOAD_H
#define KSA_CONFIG_LOAD_H

#include "base/env.h"
#include "base/error.h"
#include "config/validate.h"

/*
 * Reads ENV's configuration file and the conf.d/ *.conf beside it, in byte order.
 * Any problem refuses the whole configuration.
 *
 * problems    told of every problem; may be NULL
 * ret_config  owned by the caller (ksa_config_free)
 * err         the first problem
 *
 * KSA_FILE_MISSING, KSA_FILE_UNSAFE, KSA_FILE_UNREADABLE   a file, see file.h
 * KSA_CONFIG_INVALID   a line or section that is wrong
 * KSA_HOST_NAME        %H or %h, and the host has no name
 * KSA_MEMORY
 */
enum ksa_reason ksa_config_load(const struct ksa_env *env,
                                const struct ksa_diagnostic_sink *problems,
                                struct ksa_config **ret_config,
                                struct ksa_error *err) KSA_MUST_CHECK;

void ksa_config_free(struct ksa_config **config);

#endif

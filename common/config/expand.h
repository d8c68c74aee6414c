/* SPDX-License-Identifier: BSD-2-Clause */
/* %H and %h in audiences. */
#ifndef KSA_CONFIG_EXPAND_H
#define KSA_CONFIG_EXPAND_H

#include "base/env.h"
#include "config/diagnostics.h"

/* Whether HOST, the name that the system has, does not identify this host. */
bool ksa_is_no_host_name(const char *host);

/* Replaces %H and %h in every audience with the host name. */
void ksa_config_expand(struct ksa_config *config, const struct ksa_env *env,
                       struct ksa_diagnostics *diagnostics);

#endif

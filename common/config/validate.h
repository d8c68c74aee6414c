/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks between sections: missing sections, contradictions, names of sections that do not exist.
 */
#ifndef KSA_CONFIG_VALIDATE_H
#define KSA_CONFIG_VALIDATE_H

#include "base/env.h"
#include "config/diagnostics.h"

/* Checks a configuration after all its lines were read. */
void ksa_config_validate(const struct ksa_config *config, const struct ksa_env *env,
                         struct ksa_diagnostics *diagnostics);

#endif

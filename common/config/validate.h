/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks between sections: missing sections, contradictions, names of sections that do not exist.
 */
#ifndef KSA_CONFIG_VALIDATE_H
#define KSA_CONFIG_VALIDATE_H

#include "base/env.h"
#include "base/error.h"
#include "config/option.h"

/* Called for every error in the configuration; the error is borrowed for the call. */
struct ksa_diagnostic_handler {
        void (*report)(void *context, const struct ksa_error *error);
        void *context;
};

/* Collects the errors of one load: all are reported, and the first is kept. */
struct ksa_diagnostics {
        const struct ksa_diagnostic_handler *handler; /* may be NULL */
        struct ksa_error first; /* its reason is KSA_UNREACHED without an error */
};

/* Adds an error of REASON at FILE and LINE. REMEDY is static; NULL: the remedy of REASON. */
void ksa_diagnostics_add_with_remedy(struct ksa_diagnostics *diagnostics, enum ksa_reason reason,
                                     const char *remedy, const char *file, unsigned line,
                                     const char *format, ...) KSA_PRINTF(6, 7);
#define ksa_diagnostics_add(diagnostics, reason, file, line, ...) \
        ksa_diagnostics_add_with_remedy(diagnostics, reason, NULL, file, line, __VA_ARGS__)

/* Replaces %H and %h in every audience with the host name. */
void ksa_config_expand(struct ksa_config *config, const struct ksa_env *env,
                       struct ksa_diagnostics *diagnostics);

/* Checks a configuration after all its lines were read. */
void ksa_config_validate(const struct ksa_config *config, const struct ksa_env *env,
                         struct ksa_diagnostics *diagnostics);

#endif

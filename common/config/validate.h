/* SPDX-License-Identifier: BSD-2-Clause */
/* What no single line can tell: sections that are missing, contradict or name each other. */
#ifndef KSA_CONFIG_VALIDATE_H
#define KSA_CONFIG_VALIDATE_H

#include "base/env.h"
#include "base/error.h"
#include "config/option.h"

/* Told of every problem; the error is borrowed for the call. */
struct ksa_diagnostic_sink {
        void (*tell)(void *context, const struct ksa_error *problem);
        void *context;
};

/* Collects the problems of one load: all are told, the first is kept. */
struct ksa_diagnostics {
        const struct ksa_diagnostic_sink *sink; /* may be NULL */
        struct ksa_error first; /* its reason is KSA_UNREACHED while there is none */
};

/* Notes a problem at FILE and LINE, told for REASON in the text that follows. */
void ksa_diagnostics_add(struct ksa_diagnostics *problems, enum ksa_reason reason, const char *file,
                         unsigned line, const char *format, ...) KSA_PRINTF(5, 6);

/* The same with a remedy of its own, which is static; NULL for none. */
void ksa_diagnostics_add_with_remedy(struct ksa_diagnostics *problems, enum ksa_reason reason,
                                     const char *remedy, const char *file, unsigned line,
                                     const char *format, ...) KSA_PRINTF(6, 7);

/* Puts the host name in place of %H and %h in every audience. */
void ksa_config_expand(struct ksa_config *config, const struct ksa_env *env,
                       struct ksa_diagnostics *problems);

/* Checks a configuration whose lines are all read. */
void ksa_config_validate(const struct ksa_config *config, const struct ksa_env *env,
                         struct ksa_diagnostics *problems);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Collects the errors of a configuration: all are reported, and the first is kept. */
#ifndef KSA_CONFIG_DIAGNOSTICS_H
#define KSA_CONFIG_DIAGNOSTICS_H

#include "base/error.h"
#include "config/types.h"

/* Called for every error in the configuration; the error is borrowed for the call. */
struct ksa_diagnostic_handler {
        void (*report)(void *context, const struct ksa_error *error);
        void *context;
};

/* Zero it, except for the handler. The owner frees the items of `headers`. */
struct ksa_diagnostics {
        const struct ksa_diagnostic_handler *handler; /* may be NULL */
        struct ksa_error first;  /* its reason is KSA_UNREACHED without an error */
        bool is_partial;         /* a file was not read, so it is unknown which sections exist */
        struct ksa_list headers; /* const char *; headers of sections that are not valid */
};

/* Adds an error of REASON at a line, or of a whole file. REMEDY: an instruction, copied. */
void ksa_diagnostics_add(struct ksa_diagnostics *diagnostics, enum ksa_reason reason,
                         struct ksa_location location, const char *remedy, const char *format, ...)
        KSA_PRINTF(5, 6);

/* Adds ERROR of the file PATH, with its own remedy. */
void ksa_diagnostics_add_error(struct ksa_diagnostics *diagnostics, const char *path,
                               const struct ksa_error *error);

/*
 * Whether a section NAME may exist, although the configuration has none: its header or file could
 * not be read. Then a reference to it is not a second error.
 */
bool ksa_diagnostics_hide(const struct ksa_diagnostics *diagnostics, const char *name);

#endif

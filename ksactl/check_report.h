/* SPDX-License-Identifier: BSD-2-Clause */
/* The problems that ksactl check and its parts find. */
#ifndef KSACTL_CHECK_REPORT_H
#define KSACTL_CHECK_REPORT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "config/types.h"

struct report {
        json_t *problems;
        bool json;
        int status;
};

/*
 * Adds a problem, an error or a warning, and prints it unless JSON is wanted. FILE and REMEDY may be "",
 * and LINE 0.
 */
void report_problem(struct report *report, bool is_error, const char *file, unsigned line,
                    const char *text, const char *remedy);

/* Adds a problem of the section at LOCATION. */
void report_at(struct report *report, bool is_error, const struct ksa_location *location,
               const char *remedy, const char *format, ...) KSA_PRINTF(5, 6);

/* The remedy that goes with the text of a reason; "" where the text has it, as for an unsafe file. */
const char *remedy_of(enum ksa_reason reason);

#endif

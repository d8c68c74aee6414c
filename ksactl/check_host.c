/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl check --host: the table of checks. */
#include "check_host.h"

#include <stdarg.h>
#include <stdio.h>

static const struct row {
        const char *name;
        bool is_error;
        const char *remedy;
} rows[] = {
#define X(identifier, name, is_error, remedy) {name, is_error, remedy},
        HOST_CHECKS(X)
#undef X
};

void report_host(struct report *report, enum host_check check, const char *file, unsigned line,
                 const char *format, ...)
{
        char text[1024];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        report_named(report, rows[check].name, rows[check].is_error, file, line, text,
                     rows[check].remedy);
}

void check_host(struct report *report, const struct ksa_config *config, const struct ksa_env *env)
{
        (void)env;
        check_host_pam(report, config);
}

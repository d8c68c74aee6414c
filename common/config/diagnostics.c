/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/diagnostics.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void add(struct ksa_diagnostics *diagnostics, const struct ksa_error *error)
{
        if (diagnostics->first.reason == KSA_UNREACHED)
                diagnostics->first = *error;
        if (diagnostics->handler != NULL)
                diagnostics->handler->report(diagnostics->handler->context, error);
}

void ksa_diagnostics_add(struct ksa_diagnostics *diagnostics, enum ksa_reason reason,
                         struct ksa_location location, const char *remedy, const char *format, ...)
{
        struct ksa_error error = {.reason = reason};
        va_list arguments;

        ksa_error_at(&error, location.file, location.line);
        va_start(arguments, format);
        if (vsnprintf(error.text, sizeof(error.text), format, arguments) < 0)
                error.text[0] = '\0';
        va_end(arguments);
        ksa_error_advise(&error, "%s", remedy);
        add(diagnostics, &error);
}

void ksa_diagnostics_add_error(struct ksa_diagnostics *diagnostics, const char *path,
                               const struct ksa_error *error)
{
        struct ksa_error copy = *error;

        ksa_error_at(&copy, path, 0);
        add(diagnostics, &copy);
}

bool ksa_diagnostics_hide(const struct ksa_diagnostics *diagnostics, const char *name)
{
        for (size_t i = 0; i < diagnostics->headers.count; i++) {
                if (strstr(ksa_list_text(&diagnostics->headers, i), name) != NULL)
                        return true;
        }
        return diagnostics->is_partial;
}

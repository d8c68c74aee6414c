/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum ksa_reason ksa_fail(struct ksa_error *err, enum ksa_reason reason, const char *format, ...)
{
        int saved_errno = errno;

        if (err != NULL) {
                va_list arguments;

                err->reason = reason;
                err->remedy = NULL;
                va_start(arguments, format);
                if (vsnprintf(err->text, sizeof(err->text), format, arguments) < 0)
                        err->text[0] = '\0';
                va_end(arguments);
        }
        errno = saved_errno;
        return reason;
}

void ksa_error_at(struct ksa_error *err, const char *file, unsigned line)
{
        if (err == NULL)
                return;
        (void)snprintf(err->file, sizeof(err->file), "%s", file);
        err->line = line;
}

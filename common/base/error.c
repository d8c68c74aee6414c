/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum ksa_reason ksa_fail(struct ksa_error *err, enum ksa_reason reason, const char *format, ...)
{
        int saved_errno = errno;

        if (err != NULL) {
                static const char cut[] = "...";
                va_list arguments;

                err->reason = reason;
                err->remedy = NULL;
                va_start(arguments, format);
                int length = vsnprintf(err->text, sizeof(err->text), format, arguments);
                if (length < 0)
                        err->text[0] = '\0';
                else if ((size_t)length >= sizeof(err->text))
                        memcpy(err->text + sizeof(err->text) - sizeof(cut), cut, sizeof(cut));
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

/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A text that does not fit into SIZE bytes ends in "...". */
KSA_PRINTF(3, 0)
static void print(char *out, size_t size, const char *format, va_list arguments)
{
        static const char cut[] = "...";
        int length = vsnprintf(out, size, format, arguments);

        if (length < 0)
                out[0] = '\0';
        else if ((size_t)length >= size)
                memcpy(out + size - sizeof(cut), cut, sizeof(cut));
}

enum ksa_reason ksa_fail(struct ksa_error *err, enum ksa_reason reason, const char *format, ...)
{
        int saved_errno = errno;

        if (err != NULL) {
                va_list arguments;

                err->reason = reason;
                err->remedy = NULL;
                err->advice[0] = '\0';
                va_start(arguments, format);
                print(err->text, sizeof(err->text), format, arguments);
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

void ksa_error_advise(struct ksa_error *err, const char *format, ...)
{
        va_list arguments;

        if (err == NULL)
                return;
        va_start(arguments, format);
        print(err->advice, sizeof(err->advice), format, arguments);
        va_end(arguments);
}

void ksa_error_keep_remedy(struct ksa_error *err, const struct ksa_error *from)
{
        if (err == NULL)
                return;
        err->remedy = from->remedy;
        memcpy(err->advice, from->advice, sizeof(err->advice));
}

const char *ksa_error_remedy(const struct ksa_error *error)
{
        return error->advice[0] != '\0' ? error->advice : error->remedy;
}

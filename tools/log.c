/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ksactl did to keys and credentials, for whoever looks at the log of logins. */
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

#include "ksactl.h"
#include "text.h"

void log_line(bool quiet, int priority, const char *format, ...)
{
        char line[4096];
        va_list arguments;

        va_start(arguments, format);
        if (vsnprintf(line, sizeof(line), format, arguments) < 0)
                line[0] = '\0';
        va_end(arguments);
        openlog("ksactl", LOG_PID, LOG_AUTHPRIV);
        syslog(LOG_AUTHPRIV | priority, "%s", line);
        closelog();
        if (!quiet)
                (void)fprintf(stderr, "ksactl: %s\n", line);
}

void log_failure(bool quiet, const char *what, const struct ksa_error *error)
{
        char why[KSA_QUOTED_SIZE];

        log_line(quiet, LOG_ERR, "result=failed reason=%s %s why=\"%s\" remedy=\"%s\"",
                 ksa_reason_word(error->reason), what,
                 ksa_text_quote(error->text, why, sizeof(why)), ksa_reason_remedy(error->reason));
}

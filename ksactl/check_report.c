/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void report_problem(struct report *report, bool is_error, const char *file, unsigned line,
                    const char *text, const char *remedy)
{
        int status = is_error ? EXIT_BROKEN : EXIT_DENIED;

        if (report->status < status)
                report->status = status;
        (void)json_array_append_new(report->problems,
                                    json_pack("{s:s, s:s?, s:o, s:s, s:s?}", "severity",
                                              is_error ? "error" : "warning", "file",
                                              *file != '\0' ? file : NULL, "line",
                                              line != 0 ? json_integer(line) : json_null(), "text",
                                              text, "remedy", *remedy != '\0' ? remedy : NULL));
        if (report->json)
                return;
        bool is_named = *file == '\0' || (line == 0 && strncmp(text, file, strlen(file)) == 0);
        if (!is_named)
                (void)printf("%s:", file);
        if (line != 0)
                (void)printf("%u:", line);
        (void)printf("%s%s: %s\n", is_named ? "" : " ", is_error ? "error" : "warning", text);
        if (*remedy != '\0')
                (void)printf("    %s\n", remedy);
}

void report_at(struct report *report, bool is_error, const struct ksa_location *location,
               const char *remedy, const char *format, ...)
{
        char text[1024];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        report_problem(report, is_error, location->file, location->line, text, remedy);
}

void report_finding(struct report *report, bool is_error, const struct ksa_location *location,
                    const struct finding *finding)
{
        if (finding->level != WELL)
                report_at(report, is_error, location, finding->remedy, "%s", finding->problem);
}

const char *remedy_of(enum ksa_reason reason)
{
        if (reason == KSA_CONFIG_INVALID)
                return "see ksa.conf(5) and ksactl options";
        if (reason == KSA_FILE_MISSING)
                return "create the file, or correct its name";
        if (reason == KSA_FILE_UNREADABLE || reason == KSA_FILE_UNSAFE)
                return "";
        return ksa_reason_remedy(reason);
}

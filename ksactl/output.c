/* SPDX-License-Identifier: BSD-2-Clause */
#include "output.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

/* --- Standard output and standard error ------------------------------------- */

bool is_screen(int file)
{
        const char *term = getenv("TERM");

        return term != NULL && strcmp(term, "dumb") != 0 && isatty(file) == 1;
}

const char *in_color(enum color color, const char *text, char out[COLORED_SIZE])
{
        const char *without = getenv("NO_COLOR");

        if ((without != NULL && *without != '\0') || !is_screen(STDOUT_FILENO))
                return text;
        (void)snprintf(out, COLORED_SIZE, "\x1b[%dm%s\x1b[0m", (int)color, text);
        return out;
}

const char *moment(int64_t seconds, char out[MOMENT_SIZE])
{
        time_t time = (time_t)seconds;
        struct tm parts;

        if (gmtime_r(&time, &parts) == NULL ||
            strftime(out, MOMENT_SIZE, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
                (void)snprintf(out, MOMENT_SIZE, "%lld", (long long)seconds);
        return out;
}

bool print_json(json_t *value)
{
        bool printed = value != NULL && json_dumpf(value, stdout, JSON_INDENT(2)) == 0 &&
                       putchar('\n') != EOF && fflush(stdout) == 0;

        json_decref(value);
        if (!printed)
                (void)fputs("ksactl: the answer cannot be written as JSON\n", stderr);
        return printed;
}

bool print_json_answer(json_t *answer)
{
        json_t *whole = json_pack("{s:i}", "version", JSON_VERSION);

        if (json_object_update(whole, answer) != 0) {
                json_decref(whole);
                whole = NULL;
        }
        json_decref(answer);
        return print_json(whole);
}

void print_error(const struct ksa_error *error)
{
        if (error->file[0] != '\0' && error->line != 0)
                (void)fprintf(stderr, "%s:%u: ", error->file, error->line);
        else if (strstr(error->text, error->file) == NULL)
                (void)fprintf(stderr, "%s: ", error->file);
        (void)fprintf(stderr, "%s\n", error->text);
        if (ksa_error_remedy(error) != NULL)
                (void)fprintf(stderr, "    %s\n", ksa_error_remedy(error));
}

/* --- The log ---------------------------------------------------------------- */

/*
 * Whether standard error goes to the journal, to which syslog(3) sends the line too. A child may inherit the
 * environment and have another standard error, so systemd names the stream by device and inode
 * (systemd.exec(5)).
 */
static bool stderr_is_journal(void)
{
        const char *stream = getenv("JOURNAL_STREAM");
        char expected[64];
        struct stat status;

        if (stream == NULL || fstat(STDERR_FILENO, &status) != 0)
                return false;
        (void)snprintf(expected, sizeof(expected), "%ju:%ju", (uintmax_t)status.st_dev,
                       (uintmax_t)status.st_ino);
        return strcmp(stream, expected) == 0;
}

void log_line(bool quiet, int priority, const char *format, ...)
{
        char line[LOG_LINE_SIZE];
        va_list arguments;

        va_start(arguments, format);
        if (vsnprintf(line, sizeof(line), format, arguments) < 0)
                line[0] = '\0';
        va_end(arguments);
        openlog("ksactl", LOG_PID, LOG_AUTHPRIV);
        syslog(LOG_AUTHPRIV | priority, "%s", line);
        closelog();
        if (!quiet && !stderr_is_journal())
                (void)fprintf(stderr, "ksactl: %s\n", line);
}

void log_failure(bool quiet, const char *what, const struct ksa_error *error, const char *remedy)
{
        char why[KSA_ERROR_SIZE];
        bool helps = *remedy != '\0';

        log_line(quiet, LOG_ERR, "result=failed reason=%s %s why=\"%s\"%s%s%s",
                 ksa_reason_name(error->reason), what,
                 ksa_text_whole(error->text, why, sizeof(why)), helps ? " remedy=\"" : "", remedy,
                 helps ? "\"" : "");
}

void log_cluster_failure(bool quiet, const struct ksa_cluster *cluster,
                         const struct ksa_error *error)
{
        char what[128], remedy[REMEDY_SIZE];

        (void)snprintf(what, sizeof(what), "cluster=\"%s\"", cluster->name);
        log_failure(quiet, what, error, remedy_for(cluster, error, remedy));
}

const char *remedy_for(const struct ksa_cluster *cluster, const struct ksa_error *error,
                       char out[REMEDY_SIZE])
{
        bool is_useless = error->reason == KSA_FILE_MISSING ||
                          error->reason == KSA_FILE_UNREADABLE || error->reason == KSA_NOT_A_TOKEN;

        if (is_useless && cluster->credential_file != NULL &&
            strcmp(error->file, cluster->credential_file) == 0)
                return ksa_remedy_of(GIVE_TOKEN, cluster->name, out);
        const char *remedy = ksa_error_remedy(error);

        return ksa_remedy_of(remedy != NULL ? remedy : ksa_reason_remedy(error->reason),
                             cluster->name, out);
}

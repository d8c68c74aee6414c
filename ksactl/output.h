/* SPDX-License-Identifier: BSD-2-Clause */
/* Output of ksactl: colors, JSON, errors, lines of the log, times. */
#ifndef KSACTL_OUTPUT_H
#define KSACTL_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "config/types.h"

/* Whether FILE, of standard output or standard error, is a terminal that knows control sequences. */
bool is_screen(int file);

/*
 * TEXT in a color if standard output is a terminal and NO_COLOR is empty (no-color.org), else TEXT itself.
 * For results, never for values.
 */
enum color { COLOR_RED = 31, COLOR_GREEN = 32, COLOR_YELLOW = 33 };
#define COLORED_SIZE 64
const char *in_color(enum color color, const char *text, char out[COLORED_SIZE]);

/* Writes VALUE and a newline to standard output, and frees it. False when that fails. */
bool print_json(json_t *value);

/*
 * The same for the answer to --json: the object ANSWER, NULL if memory ran out, with the version of its form
 * as its first member. STABILITY.md has what raises JSON_VERSION.
 */
#define JSON_VERSION 1
bool print_json_answer(json_t *answer);

/* Prints "file:line: text" to standard error, with the parts that are known. */
void print_error(const struct ksa_error *error);

/*
 * Writes a line of key=value, in the form of the module's lines, to the log, and to standard error unless
 * QUIET or standard error is the journal. The log is that of logins (LOG_AUTHPRIV), because keys and
 * credentials decide who may log in. A longer line loses its end: callers compare the sizes of their parts
 * with LOG_LINE_SIZE, and add LOG_FIXED_SIZE for keys and numbers.
 */
#define LOG_LINE_SIZE  2560
#define LOG_FIXED_SIZE 160
void log_line(bool quiet, int priority, const char *format, ...) KSA_PRINTF(3, 4);

/*
 * The remedy for an ERROR of CLUSTER: for a credential that cannot be used the command that creates one, else
 * the error's own or that of its reason.
 */
#define REMEDY_SIZE (KSA_REMEDY_MAX + 1)
#define GIVE_TOKEN \
        "pipe kubectl create token host-verifier -n ksa-system into ksactl credential init CLUSTER"
const char *remedy_for(const struct ksa_cluster *cluster, const struct ksa_error *error,
                       char out[REMEDY_SIZE]);

/* Writes a line for an error. WHAT follows its reason; REMEDY may be "". */
void log_failure(bool quiet, const char *what, const struct ksa_error *error, const char *remedy);

/* Writes a line for an error of CLUSTER. */
void log_cluster_failure(bool quiet, const struct ksa_cluster *cluster,
                         const struct ksa_error *error);

/* SECONDS since 1970 as "2026-11-24 09:30:00 UTC". */
#define MOMENT_SIZE 40
const char *moment(int64_t seconds, char out[MOMENT_SIZE]);

#endif

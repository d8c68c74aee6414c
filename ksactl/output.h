/* SPDX-License-Identifier: BSD-2-Clause */
/* What ksactl prints and logs: JSON, errors, lines of the log, times. */
#ifndef KSACTL_OUTPUT_H
#define KSACTL_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "config/types.h"

/* Writes VALUE and a newline to standard output, and frees it. False when that fails. */
bool print_json(json_t *value);

/*
 * The same for the answer to --json: the object ANSWER, NULL if memory ran out, with the version of its form
 * as its first member. STABILITY.md has what raises JSON_VERSION.
 */
#define JSON_VERSION 1
bool print_json_answer(json_t *answer);

/* "file:line: text" to standard error, as far as they are known. */
void print_error(const struct ksa_error *error);

/*
 * One line of key=value, as the module has them: to the log, and to standard error unless QUIET or that is
 * the journal, which has the line already. The log is that of logins (LOG_AUTHPRIV): what becomes of keys and
 * credentials decides who may log in.
 * A longer line loses its end: callers compare the sizes of their parts with LOG_LINE_SIZE, and count
 * LOG_FIXED_SIZE for the words between them and numbers.
 */
#define LOG_LINE_SIZE  2560
#define LOG_FIXED_SIZE 160
void log_line(bool quiet, int priority, const char *format, ...) KSA_PRINTF(3, 4);

/*
 * What helps where asking CLUSTER ended in ERROR: for a credential that is of no use
 * the command that makes one, else what the reason says.
 */
#define REMEDY_SIZE (KSA_REMEDY_MAX + 1)
#define GIVE_TOKEN \
        "pipe kubectl create token host-verifier -n ksa-system into ksactl credential init CLUSTER"
const char *remedy_for(const struct ksa_cluster *cluster, const struct ksa_error *error,
                       char out[REMEDY_SIZE]);

/* The same for what failed, with its reason and REMEDY; WHAT begins the line behind the reason. */
void log_failure(bool quiet, const char *what, const struct ksa_error *error, const char *remedy);

/* The same for what failed with CLUSTER. */
void log_cluster_failure(bool quiet, const struct ksa_cluster *cluster,
                         const struct ksa_error *error);

/* SECONDS since 1970 as "2026-11-24 09:30:00 UTC". */
#define MOMENT_SIZE 40
const char *moment(int64_t seconds, char out[MOMENT_SIZE]);

#endif

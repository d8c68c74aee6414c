/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands of ksactl share. */
#ifndef KSACTL_H
#define KSACTL_H

#include <jansson.h>
#include <stdbool.h>

#include "error.h"
#include "host.h"

/* Exit statuses. */
enum {
        EXIT_GOOD = 0,
        EXIT_DENIED = 1, /* or warnings */
        EXIT_BROKEN = 2, /* usage, or the question could not be asked */
};

/* The words after the command. Each command takes --NAME VALUE, --NAME, and plain words. */
struct words {
        int count;
        char **words;
};

/* A word of the command line: where its value goes. */
struct flag {
        const char *name;   /* "--json" */
        const char **value; /* NULL for a flag without a value */
        bool *given;        /* NULL for a flag with one */
};

/*
 * Reads flags up to COUNT plain words, which go to WORDS. False, with a message on
 * standard error, for anything else.
 */
bool read_flags(const struct words *arguments, const struct flag *flags, size_t flag_count,
                const char **words, size_t count);

/* A host's environment with --config, made absolute, in place of the default. */
bool fill_host(struct ksa_host_env *ret_host, const char *config_file, char **ret_path);

/* Writes VALUE and a newline to standard output, and frees it. False when that fails. */
bool print_json(json_t *value);

/* "file:line: text" to standard error, as far as they are known. */
void print_error(const struct ksa_error *error);

int command_check(const struct words *arguments);
int command_explain(const struct words *arguments);
int command_keys(const struct words *arguments);
int command_options(const struct words *arguments);

#endif

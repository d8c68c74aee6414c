/* SPDX-License-Identifier: BSD-2-Clause */
/* A command of ksactl, as the table in commands.c has it, and the arguments that one was given. */
#ifndef KSACTL_COMMAND_H
#define KSACTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/env.h"
#include "base/macros.h"

/* The options: name, and the name of the value in the usage, or NULL for an option without one. */
#define OPTIONS(X)                                \
        X(ALL, "--all", NULL)                     \
        X(CONFIG, "--config", "FILE")             \
        X(COOLDOWN, "--cooldown", NULL)           \
        X(DRY_RUN, "--dry-run", NULL)             \
        X(DURATION, "--duration", "TIME")         \
        X(FIX, "--fix", NULL)                     \
        X(FORCE, "--force", NULL)                 \
        X(HOST, "--host", NULL)                   \
        X(IF_DUE, "--if-due", NULL)               \
        X(IF_OLDER, "--if-older", "AGE")          \
        X(JSON, "--json", NULL)                   \
        X(NEW_REGISTRY, "--new-registry", NULL)   \
        X(NOW, "--now", "SECONDS")                \
        X(OFFLINE, "--offline", NULL)             \
        X(RHOST, "--rhost", "ADDRESS")            \
        X(SERVICE, "--service", "NAME")           \
        X(SERVICE_USER, "--service-user", "NAME") \
        X(TOKEN_FILE, "--token-file", "FILE|-")   \
        X(USER, "--user", "NAME")

enum option {
        OPTION_NONE = 0,
#define X(id, name, value) OPTION_##id,
        OPTIONS(X)
#undef X
                OPTION_COUNT,
};

const char *option_name(enum option option);  /* "--config" */
const char *option_value(enum option option); /* "FILE", or NULL */

/* An option as one command has it. */
struct command_option {
        enum option option;
        const char *text;
};
/* Options of one command, at most, and the OPTION_NONE after the last. */
#define COMMAND_OPTIONS_MAX 10

struct args;

/* A row of the table. */
struct command {
        const char *name;     /* "check", "keys" */
        const char *second;   /* "refresh"; NULL for a command of one word */
        const char *group;    /* the heading in the overview */
        const char *summary;  /* one line */
        const char *operands; /* the arguments that are not options, as in the usage; "" for none */
        int min, max;         /* how many there are */
        const char *example;
        int (*run)(const struct args *arguments);
        int failure; /* 0 for EXIT_BROKEN; see failure_of() */
        struct command_option options[COMMAND_OPTIONS_MAX + 1];
};
extern const struct command commands[];
extern const size_t command_count;

/* The arguments after the command: as many as its row allows, and only its options. */
struct args {
        const struct command *command;
        int count;
        const char
                *names[KSA_REFRESH_MAX + 1]; /* those that are not options; NULL after the last */
        /* The value; "" for an option without one; NULL for an option that was not given. */
        const char *options[OPTION_COUNT];
};

/* Whether OPTION was given. */
bool has_option(const struct args *arguments, enum option option);

/*
 * Runs the command that WORDS name with the rest of them, or prints its help. Returns the exit status.
 * *RET_COMMAND is unchanged if they name no command.
 */
int run_command(char **words, int count, const struct command **ret_command);

/* The exit status of a usage error, and if the output cannot be written. */
int failure_of(const struct command *command);

/* "keys refresh". Returns OUT. */
#define TITLE_SIZE 64
const char *command_title(const struct command *command, char out[TITLE_SIZE]);

/* The help: of all commands, of those that begin with NAME, of one. */
void print_overview(FILE *out);
void print_subcommands(const char *name);
void print_help(const struct command *command);

#endif

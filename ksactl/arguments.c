/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line: which command of the table, and its arguments. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli.h"
#include "command.h"

static const struct {
        const char *name, *value;
} options[OPTION_COUNT] = {
#define X(id, name, value) [OPTION_##id] = {name, value},
        OPTIONS(X)
#undef X
};

const char *option_name(enum option option)
{
        return options[option].name;
}

const char *option_value(enum option option)
{
        return options[option].value;
}

bool has_option(const struct args *arguments, enum option option)
{
        return arguments->options[option] != NULL;
}

/* --- Errors ----------------------------------------------------------------- */

/* Names that could have been meant. */
struct names {
        const char *names[32];
        size_t count;
};

static void add_name(struct names *names, const char *name)
{
        if (names->count < KSA_COUNT(names->names))
                names->names[names->count++] = name;
}

/* Ends a message about TEXT: with the name that was meant, or with all that are EXPECTED. */
static void print_names(const char *text, const char *expected, const struct names *names)
{
        struct ksa_near near = {.text = text};

        for (size_t i = 0; i < names->count; i++)
                ksa_near_try(&near, names->names[i]);
        if (near.name != NULL) {
                (void)fprintf(stderr, " (did you mean %s?)\n", near.name);
                return;
        }
        (void)fprintf(stderr, " (%s", expected);
        for (size_t i = 0; i < names->count; i++)
                (void)fprintf(stderr, "%s%s", i > 0 ? ", " : "", names->names[i]);
        (void)fputs(")\n", stderr);
}

/* Prints the message of an invalid argument. Returns false. */
static bool fail(const struct args *arguments, const char *format, ...) KSA_PRINTF(2, 3);

static bool fail(const struct args *arguments, const char *format, ...)
{
        char title[TITLE_SIZE];
        va_list values;

        (void)fprintf(stderr, "ksactl: %s: ", command_title(arguments->command, title));
        va_start(values, format);
        (void)vfprintf(stderr, format, values);
        va_end(values);
        return false;
}

/* --- The arguments of a command ----------------------------------------------- */

/* The option of the command that TEXT is or, with its value, begins with; OPTION_NONE, after a message. */
static enum option find_option(const struct args *arguments, const char *text)
{
        const struct command_option *option = arguments->command->options;
        const size_t length = strcspn(text, "=");
        struct names names = {.count = 0};
        char name[64];

        for (; option->option != OPTION_NONE; option++) {
                const char *known = option_name(option->option);

                if (strlen(known) == length && strncmp(text, known, length) == 0)
                        return option->option;
                add_name(&names, known);
        }
        (void)snprintf(name, sizeof(name), "%.*s", (int)length, text);
        (void)fail(arguments, "unknown option \"%s\"", name);
        print_names(name, names.count > 0 ? "expected " : "it takes no options", &names);
        return OPTION_NONE;
}

static bool read_option(struct args *arguments, char **words, int count, int *position)
{
        const char *text = words[*position], *equals = strchr(text, '=');
        const enum option option = find_option(arguments, text);
        const char *name = option_name(option), *value = option_value(option);

        if (option == OPTION_NONE)
                return false;
        if (has_option(arguments, option))
                return fail(arguments, "%s is given twice\n", name);
        if (value == NULL && equals != NULL)
                return fail(arguments, "%s takes no value (write %s)\n", name, name);
        if (equals != NULL || value == NULL) {
                arguments->options[option] = equals != NULL ? equals + 1 : "";
                return true;
        }
        if (*position + 1 == count)
                return fail(arguments, "%s requires a value (write %s %s)\n", name, name, value);
        text = words[++*position];
        if (strncmp(text, "--", 2) == 0)
                return fail(arguments,
                            "%s requires a value (write %s %s, or %s=%s for the value \"%s\")\n",
                            name, name, value, name, text, text);
        arguments->options[option] = text;
        return true;
}

static bool add_operand(struct args *arguments, const char *text)
{
        const struct command *command = arguments->command;

        if (arguments->count < command->max) {
                arguments->names[arguments->count++] = text;
                return true;
        }
        (void)fail(arguments, "unexpected argument \"%s\"", text);
        if (command->max == 0)
                (void)fputs(" (it takes only options)\n", stderr);
        else
                (void)fprintf(stderr, " (expected %s)\n", command->operands);
        return false;
}

static bool is_help(const char *text)
{
        return strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0;
}

/* Reads the arguments. *RET_HELP is true if help is asked for. False, after a message, for invalid ones. */
static bool read_arguments(struct args *arguments, char **words, int count, bool *ret_help)
{
        bool ended = false;

        for (int i = 0; i < count; i++) {
                const char *text = words[i];

                if (!ended && is_help(text)) {
                        *ret_help = true;
                        return true;
                }
                if (!ended && strcmp(text, "--") == 0) {
                        ended = true;
                } else if (!ended && text[0] == '-' && text[1] != '\0') {
                        if (!read_option(arguments, words, count, &i))
                                return false;
                } else if (!add_operand(arguments, text)) {
                        return false;
                }
        }
        if (arguments->count < arguments->command->min)
                return fail(arguments, "missing argument (expected %s)\n",
                            arguments->command->operands);
        return true;
}

/* --- The command ---------------------------------------------------------------- */

int failure_of(const struct command *command)
{
        return command->failure != 0 ? command->failure : EXIT_BROKEN;
}

static int run_row(const struct command *command, char **words, int count)
{
        struct args arguments = {.command = command};
        bool help = false;

        if (!read_arguments(&arguments, words, count, &help))
                return failure_of(command);
        if (!help)
                return command->run(&arguments);
        print_help(command);
        return EXIT_GOOD;
}

/* The command NAME has several rows; WORDS are those after it. */
static int run_subcommand(const char *name, char **words, int count,
                          const struct command **ret_command)
{
        struct names names = {.count = 0};

        if (count > 0 && is_help(words[0])) {
                print_subcommands(name);
                return EXIT_GOOD;
        }
        for (size_t i = 0; i < command_count; i++) {
                if (strcmp(commands[i].name, name) != 0 || commands[i].second == NULL)
                        continue;
                if (count > 0 && strcmp(words[0], commands[i].second) == 0) {
                        *ret_command = &commands[i];
                        return run_row(&commands[i], words + 1, count - 1);
                }
                add_name(&names, commands[i].second);
        }
        if (count == 0) {
                (void)fprintf(stderr, "ksactl: %s: missing subcommand", name);
                print_names("", "", &names);
                return EXIT_BROKEN;
        }
        (void)fprintf(stderr, "ksactl: %s: unknown subcommand \"%s\"", name, words[0]);
        print_names(words[0], "expected ", &names);
        return EXIT_BROKEN;
}

int run_command(char **words, int count, const struct command **ret_command)
{
        struct names names = {.count = 0};

        for (size_t i = 0; i < command_count; i++) {
                const struct command *command = &commands[i];

                if (strcmp(words[0], command->name) == 0 && command->second != NULL)
                        return run_subcommand(words[0], words + 1, count - 1, ret_command);
                if (strcmp(words[0], command->name) == 0) {
                        *ret_command = command;
                        return run_row(command, words + 1, count - 1);
                }
                if (i == 0 || strcmp(commands[i - 1].name, command->name) != 0)
                        add_name(&names, command->name);
        }
        (void)fprintf(stderr, "ksactl: unknown %s \"%s\"",
                      words[0][0] == '-' ? "option" : "command", words[0]);
        add_name(&names, "--help");
        add_name(&names, "--version");
        print_names(words[0], "expected ", &names);
        return EXIT_BROKEN;
}

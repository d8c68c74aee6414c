/* SPDX-License-Identifier: BSD-2-Clause */
/* The help of ksactl, from the table of commands. */
#include <stdio.h>
#include <string.h>

#include "command.h"

/* Columns of a terminal. */
#define WIDTH 80

const char *command_title(const struct command *command, char out[TITLE_SIZE])
{
        (void)snprintf(out, TITLE_SIZE, "%s%s%s", command->name, command->second != NULL ? " " : "",
                       command->second != NULL ? command->second : "");
        return out;
}

/* "--config FILE". Returns its length. */
static int write_option(enum option option, char *out, size_t size)
{
        const char *value = option_value(option);

        return snprintf(out, size, "%s%s%s", option_name(option), value != NULL ? " " : "",
                        value != NULL ? value : "");
}

/* Prints PART of a usage after COLUMN characters of its line, or on the next line. Returns the new column. */
static int print_part(const char *part, int column, FILE *out)
{
        const int length = (int)strlen(part);

        if (column + 1 + length >= WIDTH)
                return fprintf(out, "\n%15s%s", "", part) - 1;
        return column + fprintf(out, " %s", part);
}

/* The usage, after the HEAD of its line. */
static void print_usage(const char *head, const struct command *command, FILE *out)
{
        const struct command_option *option = command->options;
        char part[64], text[80], title[TITLE_SIZE];
        int column = fprintf(out, "%s ksactl %s", head, command_title(command, title));

        if (command->operands != NULL)
                column = print_part(command->operands, column, out);
        for (; option->option != OPTION_NONE; option++) {
                if (command->operands != NULL &&
                    strstr(command->operands, option_name(option->option)) != NULL)
                        continue;
                (void)write_option(option->option, part, sizeof(part));
                (void)snprintf(text, sizeof(text), "[%s]", part);
                column = print_part(text, column, out);
        }
        (void)fputc('\n', out);
}

static void print_row(const struct command *command, FILE *out)
{
        char title[TITLE_SIZE];

        (void)fprintf(out, "  %-24s %s\n", command_title(command, title), command->summary);
}

void print_overview(FILE *out)
{
        (void)fputs("usage: ksactl COMMAND [ARGUMENT ...]\n", out);
        for (size_t i = 0; i < command_count; i++) {
                if (i == 0 || strcmp(commands[i - 1].group, commands[i].group) != 0)
                        (void)fprintf(out, "\n%s:\n", commands[i].group);
                print_row(&commands[i], out);
        }
        (void)fputs("\nksactl COMMAND --help explains a command, ksactl(8) all of them.\n", out);
}

void print_subcommands(const char *name)
{
        const char *head = "usage:";

        for (size_t i = 0; i < command_count; i++) {
                if (strcmp(commands[i].name, name) != 0)
                        continue;
                print_usage(head, &commands[i], stdout);
                head = "      ";
        }
        (void)putchar('\n');
        for (size_t i = 0; i < command_count; i++) {
                if (strcmp(commands[i].name, name) == 0)
                        print_row(&commands[i], stdout);
        }
}

void print_help(const struct command *command)
{
        print_usage("usage:", command, stdout);
        (void)printf("\n%c%s.\n", command->summary[0] - 'a' + 'A', command->summary + 1);
        if (command->options[0].option != OPTION_NONE)
                (void)putchar('\n');
        for (const struct command_option *option = command->options; option->option != OPTION_NONE;
             option++) {
                char name[64];

                (void)write_option(option->option, name, sizeof(name));
                (void)printf("  %-22s %s\n", name, option->text);
        }
        (void)printf("\nexample: %s\n", command->example);
}

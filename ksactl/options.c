/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl options: the table of options of the parser. */
#include <stdio.h>

#include "config/option.h"
#include "ksactl.h"

static json_t *as_json(const struct ksa_option *option)
{
        return json_pack("{s:s, s:s, s:s, s:s?, s:b, s:b, s:s}", "section",
                         ksa_section_name(option->section), "name", option->name, "syntax",
                         option->kind->syntax, "default", option->default_value, "required",
                         (option->flags & KSA_OPTION_REQUIRED) != 0, "list",
                         (option->flags & KSA_OPTION_LIST) != 0, "text", option->text);
}

static void print_option(const struct ksa_option *option)
{
        (void)printf("  %-24s%s%s%s\n", option->name, option->kind->syntax,
                     (option->flags & KSA_OPTION_LIST) != 0 ? "; a list" : "",
                     (option->flags & KSA_OPTION_REQUIRED) != 0 ? "; required" : "");
        (void)printf("  %-24s%s%s%s%s\n", "", option->text,
                     option->default_value != NULL ? " (default: " : "",
                     option->default_value != NULL ? option->default_value : "",
                     option->default_value != NULL ? ")" : "");
}

int command_options(const struct args *arguments)
{
        const bool json = has_option(arguments, OPTION_JSON);
        json_t *array = json_array();

        for (size_t i = 0; i < ksa_option_count; i++) {
                const struct ksa_option *option = &ksa_options[i];

                if (json) {
                        (void)json_array_append_new(array, as_json(option));
                        continue;
                }
                if (i == 0 || ksa_options[i - 1].section != option->section)
                        (void)printf("%s[%s%s]\n", i == 0 ? "" : "\n",
                                     ksa_section_name(option->section),
                                     ksa_section_is_named(option->section) ? " NAME" : "");
                print_option(option);
        }
        if (json)
                return print_json_answer(json_pack("{s:o}", "options", array)) ? EXIT_GOOD
                                                                               : EXIT_BROKEN;
        json_decref(array);
        return EXIT_GOOD;
}

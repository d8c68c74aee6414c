/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arguments.h"

#include <stddef.h>
#include <string.h>

#include "text.h"

static const struct row {
        const char *name; /* with the = where it takes a value */
        size_t offset;
        char first; /* what the value must begin with; 0 for anything */
} rows[] = {
        {"config=", offsetof(struct arguments, config), '/'},
        {"token_file=", offsetof(struct arguments, token_file), '/'},
        {"exempt=", offsetof(struct arguments, exempt), 0},
        {"nodelay", offsetof(struct arguments, nodelay), 0},
        {"debug", offsetof(struct arguments, debug), 0},
};

static bool takes_value(const struct row *row)
{
        return row->name[strlen(row->name) - 1] == '=';
}

static bool set(const struct row *row, const char *argument, struct arguments *arguments)
{
        void *place = (char *)arguments + row->offset;
        const char *value = argument + strlen(row->name);

        if (!takes_value(row)) {
                *(bool *)place = true;
                return *value == '\0';
        }
        if (*(const char **)place != NULL || *value == '\0' ||
            (row->first != '\0' && *value != row->first))
                return false;
        *(const char **)place = value;
        return true;
}

static const struct row *find_row(const char *argument)
{
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                if (strncmp(argument, rows[i].name, strlen(rows[i].name)) == 0)
                        return &rows[i];
        }
        return NULL;
}

enum ksa_reason parse_arguments(int argc, const char **argv, struct arguments *ret_arguments,
                                struct ksa_error *err)
{
        struct arguments arguments = {0};

        for (int i = 0; i < argc; i++) {
                const struct row *row = find_row(argv[i]);
                char quoted[KSA_QUOTED_SIZE];

                if (row == NULL || !set(row, argv[i], &arguments))
                        return ksa_fail(err, KSA_ARGUMENT, "argument '%s'",
                                        ksa_text_quote(argv[i], quoted, 300));
        }
        *ret_arguments = arguments;
        return KSA_OK;
}

bool is_exempt(const struct arguments *arguments, const char *user)
{
        const char *at = arguments->exempt;
        size_t length = strlen(user);

        while (at != NULL && length > 0) {
                if (strcspn(at, ",") == length && strncmp(at, user, length) == 0)
                        return true;
                at = strchr(at, ',');
                if (at != NULL)
                        at++;
        }
        return false;
}

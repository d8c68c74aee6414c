/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/arguments.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "config/value.h"

static bool is_token_path(const char *value)
{
        for (const char *c = strchr(value, '%'); c != NULL; c = strchr(c + 1, '%')) {
                if (c[1] != 'u')
                        return false;
        }
        return ksa_is_path(value);
}

static bool is_user_list(const char *value)
{
        for (;;) {
                size_t length = strcspn(value, ",");
                char user[KSA_USER_MAX + 1];

                if (length >= sizeof(user))
                        return false;
                memcpy(user, value, length);
                user[length] = '\0';
                if (!ksa_is_user(user))
                        return false;
                if (value[length] == '\0')
                        return true;
                value += length + 1;
        }
}

static const struct row {
        const char *name; /* with = if it takes a value */
        size_t offset;
        bool (*is_valid)(const char *value);
        const char *allowed; /* the allowed values, for messages */
} rows[] = {
        {"config=", offsetof(struct ksa_arguments, config), ksa_is_path, KSA_PATH_ALLOWED},
        {"token_file=", offsetof(struct ksa_arguments, token_file), is_token_path,
         KSA_PATH_ALLOWED ", with u after each %"},
        {"exempt=", offsetof(struct ksa_arguments, exempt), is_user_list,
         "user names separated by commas; " KSA_USER_ALLOWED},
        {"nodelay", offsetof(struct ksa_arguments, nodelay), NULL, NULL},
        {"debug", offsetof(struct ksa_arguments, debug), NULL, NULL},
};

static enum ksa_reason set(const struct row *row, const char *argument,
                           struct ksa_arguments *arguments, struct ksa_error *err)
{
        void *target = (char *)arguments + row->offset;
        const char *value = argument + strlen(row->name);
        char quoted[KSA_VERIFIED_SIZE];

        if (row->is_valid == NULL) {
                *(bool *)target = true;
                return KSA_OK;
        }
        if (*(const char **)target != NULL)
                return ksa_fail(err, KSA_ARGUMENT, "\"%s\" appears twice", row->name);
        if (ksa_value_has_placeholder(value) || !row->is_valid(value)) {
                const struct ksa_mistake *mistake = ksa_value_mistake(value, false);

                (void)ksa_fail(err, KSA_ARGUMENT, "\"%s\" has an invalid value (allowed: %s)",
                               ksa_text_quote(argument, quoted, sizeof(quoted)), row->allowed);
                if (err != NULL && mistake != NULL)
                        err->remedy = mistake->remedy;
                return KSA_ARGUMENT;
        }
        *(const char **)target = value;
        return KSA_OK;
}

static const struct row *find_row(const char *argument)
{
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                size_t length = strlen(rows[i].name);

                if (strncmp(argument, rows[i].name, length) == 0 &&
                    (rows[i].is_valid != NULL || argument[length] == '\0'))
                        return &rows[i];
        }
        return NULL;
}

enum ksa_reason ksa_arguments_parse(int argc, const char **argv,
                                    struct ksa_arguments *ret_arguments, struct ksa_error *err)
{
        struct ksa_arguments arguments = {0};

        for (int i = 0; i < argc; i++) {
                const struct row *row = find_row(argv[i]);
                char quoted[KSA_VERIFIED_SIZE];

                if (row == NULL)
                        return ksa_fail(err, KSA_ARGUMENT, "unknown argument \"%s\"",
                                        ksa_text_quote(argv[i], quoted, sizeof(quoted)));
                enum ksa_reason reason = set(row, argv[i], &arguments, err);
                if (reason != KSA_OK)
                        return reason;
        }
        *ret_arguments = arguments;
        return KSA_OK;
}

bool ksa_arguments_exempt(const struct ksa_arguments *arguments, const char *user)
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

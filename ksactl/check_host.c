/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl check --host: the table of checks. */
#include "check_host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/host/rule_users.h"

/* Users that a finding names. */
#define TALLY_MAX 5

static const struct row {
        const char *name;
        bool is_error;
        const char *remedy;
} rows[] = {
#define X(identifier, name, is_error, remedy) {name, is_error, remedy},
        HOST_CHECKS(X)
#undef X
};

void report_host(struct report *report, enum host_check check, const char *file, unsigned line,
                 const char *format, ...)
{
        char text[1024];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        report_named(report, rows[check].name, rows[check].is_error, file, line, text,
                     rows[check].remedy);
}

/* --- Users ------------------------------------------------------------------ */

/* Puts a user of the registry in place of the pattern NAME (ci_*), or else a name that it matches. */
static bool replace_pattern(char **name, const struct host_registry *loaded)
{
        const size_t length = strlen(*name) - 1;
        struct ksa_account_record record;
        const char *found = NULL;
        size_t position = 0;

        while (found == NULL && loaded->answer == KSA_REGISTRY_FOUND &&
               ksa_registry_next(&loaded->registry, &position, &record) == KSA_REGISTRY_FOUND) {
                if (record.state == KSA_ACCOUNT_ACTIVE && strncmp(record.name, *name, length) == 0)
                        found = record.name;
        }
        if (found == NULL) {
                (*name)[length] = 'x';
                return true;
        }
        char *copy = strdup(found);
        if (copy == NULL)
                return false;
        free(*name);
        *name = copy;
        return true;
}

bool find_host_users(struct report *report, const struct ksa_config *config,
                     const struct ksa_env *env, const char *service, enum host_check check,
                     struct ksa_list *ret_users)
{
        struct ksa_error error = {.reason = KSA_OK};
        struct host_registry loaded;
        bool good = true;

        if (ksa_rule_users(config, service, KSA_USER_PATTERNS, ret_users, &error) != KSA_OK) {
                report_host(report, check, error.file, error.line, "%s", error.text);
                return false;
        }
        load_registry(env, &loaded);
        for (size_t i = 0; good && i < ret_users->count; i++) {
                char **name = &((char **)ret_users->items)[i];

                good = strchr(*name, '*') == NULL || replace_pattern(name, &loaded);
        }
        ksa_registry_close(&loaded.registry);
        if (!good)
                ksa_rule_users_free(ret_users);
        return good;
}

void tally_user(struct host_tally *tally, const char *user, const char *value)
{
        const size_t length = strlen(tally->users);

        if (tally->count++ == 0)
                (void)snprintf(tally->value, sizeof(tally->value), "%s", value);
        if (tally->count <= TALLY_MAX)
                (void)snprintf(tally->users + length, sizeof(tally->users) - length, "%s%s",
                               length > 0 ? ", " : "", user);
}

const char *tally_users(struct host_tally *tally)
{
        const size_t length = strlen(tally->users);

        if (tally->count > TALLY_MAX)
                (void)snprintf(tally->users + length, sizeof(tally->users) - length,
                               " and %zu more", tally->count - TALLY_MAX);
        return tally->users;
}

/* --- All parts -------------------------------------------------------------- */

void check_host(struct report *report, const struct ksa_config *config, const struct ksa_env *env)
{
        check_host_pam(report, config);
        check_host_sshd(report, config, env);
        check_host_sudo(report, config, env);
        check_host_system(report, config, env);
        check_host_enabled(report, env);
}

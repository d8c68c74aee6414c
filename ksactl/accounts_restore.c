/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl accounts restore: puts a registry from a backup in place, verified and by rename. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "accounts.h"
#include "base/file.h"
#include "base/text.h"
#include "registry/format.h"

#define DAMAGED_REMEDY "restore an older backup; the registry that is there stays as it is"
#define UNSAFE_REMEDY                                                           \
        "copy the backup to a directory of root's that others cannot write to " \
        "(/root), and check its content as you would that of /etc/passwd"
#define FILE_REMEDY "name a regular file that root can read"

/* As the reader of the registry has it. */
#define SIZE_LIMIT \
        (KSA_FORMAT_SIZE_MAX > PTRDIFF_MAX ? (size_t)PTRDIFF_MAX : (size_t)KSA_FORMAT_SIZE_MAX)

/* The backup decides about uids as the registry does, so it is opened as strictly. */
static enum ksa_reason take(const struct ksa_env *env, const char *path,
                            struct ksa_registry *ret_registry, char **ret_bytes,
                            struct ksa_error *ret_warning, struct ksa_error *err)
{
        size_t length = 0;
        enum ksa_reason reason =
                ksa_file_read(path, env->owner, SIZE_LIMIT, ret_bytes, &length, err);

        if (reason != KSA_OK)
                return reason;
        ksa_error_at(err, path, 0); /* unless it is about another file */
        return ksa_sync_restore(env, *ret_bytes, length, ret_registry, ret_warning, err);
}

static const char *remedy_of(const char *path, const struct ksa_error *error)
{
        if (error->reason == KSA_REGISTRY)
                return DAMAGED_REMEDY;
        if (strcmp(error->file, path) == 0 && error->reason == KSA_FILE_UNSAFE)
                return UNSAFE_REMEDY;
        if (strcmp(error->file, path) == 0 &&
            (error->reason == KSA_FILE_MISSING || error->reason == KSA_FILE_UNREADABLE))
                return FILE_REMEDY;
        return error->reason == KSA_FILE_UNWRITABLE ? WRITE_REMEDY
                                                    : ksa_reason_remedy(error->reason);
}

int accounts_restore(const struct args *arguments)
{
        struct ksa_host_env host;
        struct ksa_registry registry;
        struct ksa_error error = {0}, warning = {0};
        char *path, *bytes = NULL, *config_path, quoted[KSA_QUOTED_SIZE], made[MOMENT_SIZE];

        /* No configuration: a registry must come back on a host whose configuration is broken, too. */
        if (!is_root("accounts restore") || !fill_host(&host, NULL, &config_path) ||
            (path = make_absolute(arguments->names[0])) == NULL)
                return EXIT_BROKEN;
        const enum ksa_reason reason = take(&host.env, path, &registry, &bytes, &warning, &error);
        _Static_assert(LOG_FIXED_SIZE + sizeof(quoted) + sizeof(made) <= LOG_LINE_SIZE,
                       "a line of the log loses its end");
        (void)ksa_text_quote(path, quoted, sizeof(quoted));
        if (reason == KSA_OK)
                log_line(false, LOG_NOTICE,
                         "result=restored accounts=%u written=\"%s\" file=\"%s\"",
                         (unsigned)registry.account_count, moment(registry.made, made), quoted);
        report_stale(&warning);
        if (reason != KSA_OK) {
                name_file(&error);
                log_failure(false, "accounts=unchanged", &error, remedy_of(path, &error));
        }
        free(bytes);
        free(path);
        return reason == KSA_OK ? EXIT_GOOD : EXIT_BROKEN;
}

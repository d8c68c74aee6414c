/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/registry/mark.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/base/file_write.h"
#include "registry/registry.h"

static const char text[] = "A registry of local accounts has been written to this directory.\n"
                           "If it is missing, restore it: ksactl accounts restore FILE\n";

/* False if the path is too long; then the registry's own cannot be opened either. */
static bool path_of(const struct ksa_env *env, char path[PATH_MAX])
{
        const int wanted = snprintf(path, PATH_MAX, "%s" KSA_REGISTRY_MARK, env->registry_file);

        return wanted > 0 && wanted < PATH_MAX;
}

bool ksa_registry_is_marked(const struct ksa_env *env)
{
        char path[PATH_MAX];
        struct stat status;

        return !path_of(env, path) || lstat(path, &status) == 0 ||
               (errno != ENOENT && errno != ENOTDIR);
}

enum ksa_reason ksa_registry_mark(const struct ksa_env *env, struct ksa_error *err)
{
        char path[PATH_MAX];

        if (!path_of(env, path))
                return ksa_fail(err, KSA_FILE_UNREADABLE, "%s: the path is too long",
                                env->registry_file);
        if (ksa_registry_is_marked(env))
                return KSA_OK;
        return ksa_file_replace(path, env->owner, 0644, text, sizeof(text) - 1, err);
}

void ksa_registry_unmark(const struct ksa_env *env)
{
        char path[PATH_MAX];

        /* A mark that stays stops the next run, which says what to do. */
        if (path_of(env, path))
                (void)unlink(path);
}

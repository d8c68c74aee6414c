/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/registry/mark.h"

#include <limits.h>
#include <unistd.h>

#include "admin/base/file_write.h"
#include "registry/registry.h"

static const char text[] = "A registry of local accounts has been written to this directory.\n"
                           "If it is missing, restore it: ksactl accounts restore FILE\n";

bool ksa_registry_is_marked(const struct ksa_env *env)
{
        return ksa_registry_was_made(env->registry_file);
}

enum ksa_reason ksa_registry_mark(const struct ksa_env *env, struct ksa_error *err)
{
        char path[PATH_MAX];

        if (!ksa_registry_mark_path(env->registry_file, path))
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
        if (ksa_registry_mark_path(env->registry_file, path))
                (void)unlink(path);
}

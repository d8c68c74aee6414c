/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/base/cluster_lock.h"

#include <sys/stat.h>

#include "admin/base/file_write.h"

enum ksa_reason ksa_cluster_lock(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                 const char *suffix, int *ret_lock, struct ksa_error *err)
{
        char path[PATH_MAX];
        enum ksa_reason reason = ksa_cluster_path(cluster, env, suffix, path, err);

        if (reason == KSA_OK)
                reason = ksa_directory_make(env->run_dir, env->owner, S_IRWXU, err);
        if (reason != KSA_OK)
                return reason;
        reason = ksa_directory_make_for(path, env->owner, S_IRWXU, err);
        return reason == KSA_OK ? ksa_file_lock(path, env->owner, ret_lock, err) : reason;
}

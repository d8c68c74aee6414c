/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/cluster_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

enum ksa_reason ksa_cluster_path(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                 const char *suffix, char out[PATH_MAX], struct ksa_error *err)
{
        int length =
                snprintf(out, PATH_MAX, "%s/clusters/%s%s", env->run_dir, cluster->name, suffix);

        if (length < 0 || length >= PATH_MAX)
                return ksa_fail(err, KSA_FILE_UNREADABLE, "%s: the path is too long", env->run_dir);
        return KSA_OK;
}

/* Formats TEXT, the content of the file, which is modified. False if it is not valid. */
static bool read_failure(char *text, int64_t now, char out[KSA_FAILURE_SIZE])
{
        char *space = strchr(text, ' '), ago[KSA_SPAN_SIZE],
             why[KSA_FAILURE_SIZE - KSA_SPAN_SIZE - 6];
        uint64_t then;

        if (space == NULL)
                return false;
        *space = '\0';
        space[1 + strcspn(space + 1, "\n")] = '\0';
        if (!ksa_text_number(text, 0, INT64_MAX, &then))
                return false;
        (void)snprintf(out, KSA_FAILURE_SIZE, "%s ago: %s",
                       ksa_text_span(now > (int64_t)then ? now - (int64_t)then : 0, ago),
                       ksa_text_whole(space + 1, why, sizeof(why)));
        return true;
}

bool ksa_cluster_failure(const struct ksa_cluster *cluster, const struct ksa_env *env,
                         char out[KSA_FAILURE_SIZE])
{
        char path[PATH_MAX], *text = NULL;
        size_t length;

        if (env->run_dir == NULL ||
            ksa_cluster_path(cluster, env, KSA_FAILURE_SUFFIX, path, NULL) != KSA_OK ||
            ksa_file_read(path, env->owner, KSA_FAILURE_FILE_MAX, &text, &length, NULL) != KSA_OK)
                return false;
        bool known = read_failure(text, env->now, out);
        free(text);
        return known;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "used.h"

#include <stdio.h>
#include <string.h>

#include "demand.h"
#include "file_write.h"
#include "text.h"

/* For logins on their way, and for a clock that was ahead for a while: a mark costs an inode. */
#define KEPT (KSA_MARK_LEEWAY + 3600)

/* Hexadecimal digits of a SHA-256. */
#define HASH_LENGTH 64

/* Whether NAME is a mark, EXP-HASH, and its time is over. */
static bool is_over(const char *name, void *context)
{
        const int64_t *now = context;
        const char *dash = strchr(name, '-');
        char seconds[24];
        uint64_t exp;

        if (dash == NULL || (size_t)(dash - name) >= sizeof(seconds) ||
            strlen(dash + 1) != HASH_LENGTH || strspn(dash + 1, "0123456789abcdef") != HASH_LENGTH)
                return false;
        (void)snprintf(seconds, sizeof(seconds), "%.*s", (int)(dash - name), name);
        return ksa_text_number(seconds, 0, INT64_MAX / 2, &exp) && (int64_t)exp + KEPT < *now;
}

enum ksa_reason ksa_used_sweep(const struct ksa_env *env, size_t *ret_removed,
                               struct ksa_error *err)
{
        int64_t now = env->now;

        return ksa_folder_sweep(env->used_dir, env->owner, is_over, &now, ret_removed, err);
}

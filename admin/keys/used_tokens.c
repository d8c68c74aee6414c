/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/keys/used_tokens.h"

#include <stdio.h>
#include <string.h>

#include "admin/base/file_write.h"
#include "base/text.h"
#include "token/claims.h"

/* For logins in progress, and a clock that was ahead for a while. A mark costs an inode. */
#define KEPT (KSA_LEEWAY + 3600)

/* Hexadecimal digits of a SHA-256. */
#define HASH_LENGTH 64

/* The end of the token of the mark NAME, EXP-HASH. False if NAME is not a mark. */
static bool read_mark(const char *name, int64_t *ret_exp)
{
        const char *dash = strchr(name, '-');
        char seconds[24];
        uint64_t exp;

        if (dash == NULL || (size_t)(dash - name) >= sizeof(seconds) ||
            strlen(dash + 1) != HASH_LENGTH || strspn(dash + 1, "0123456789abcdef") != HASH_LENGTH)
                return false;
        (void)snprintf(seconds, sizeof(seconds), "%.*s", (int)(dash - name), name);
        if (!ksa_text_number(seconds, 0, INT64_MAX / 2, &exp))
                return false;
        *ret_exp = (int64_t)exp;
        return true;
}

static bool is_over(const char *name, void *context)
{
        const int64_t *now = context;
        int64_t exp;

        return read_mark(name, &exp) && exp + KEPT < *now;
}

enum ksa_reason ksa_used_tokens_sweep(const struct ksa_env *env, size_t *ret_removed,
                                      struct ksa_error *err)
{
        int64_t now = env->now;

        return ksa_directory_sweep(env->used_dir, env->owner, is_over, &now, ret_removed, err);
}

/* --- Counting --------------------------------------------------------------- */

struct counting {
        int64_t now;
        struct ksa_used_tokens used;
};

/* Every file stays. */
static bool count(const char *name, void *context)
{
        struct counting *counting = context;
        int64_t exp;

        if (read_mark(name, &exp)) {
                counting->used.count++;
                counting->used.old += exp + KSA_MARK_OLD < counting->now;
        }
        return false;
}

enum ksa_reason ksa_used_tokens_count(const struct ksa_env *env, struct ksa_used_tokens *ret_used,
                                      struct ksa_error *err)
{
        struct counting counting = {.now = env->now};
        size_t removed;
        enum ksa_reason reason =
                ksa_directory_sweep(env->used_dir, env->owner, count, &counting, &removed, err);

        if (reason == KSA_OK)
                *ret_used = counting.used;
        return reason;
}

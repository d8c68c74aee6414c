/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/keys/refresh.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/base/file_write.h"
#include "admin/base/spread.h"
#include "admin/keys/key_source.h"
#include "base/file.h"
#include "base/text.h"

/* A number and its newline. */
#define STAMP_MAX 32

/* --- Paths ------------------------------------------------------------------ */

/* CACHE/CLUSTER/keys. A cluster's name has at most 64 bytes, none of them a slash. */
static enum ksa_reason keys_path(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                 char out[PATH_MAX], struct ksa_error *err)
{
        int length = snprintf(out, PATH_MAX, "%s/%s/keys", env->cache_dir, cluster->name);

        if (length < 0 || length >= PATH_MAX)
                return ksa_fail(err, KSA_FILE_UNREADABLE, "%s: the path is too long",
                                env->cache_dir);
        return KSA_OK;
}

/* --- The cooldown ----------------------------------------------------------- */

/* Whether an attempt began recently. A malformed stamp, and one from an earlier boot, is ignored. */
static bool is_cooling(const struct ksa_env *env, const char *stamp, int64_t now)
{
        char *text;
        size_t length;
        uint64_t then;

        if (ksa_file_read(stamp, env->owner, STAMP_MAX, &text, &length, NULL) != KSA_OK)
                return false;
        text[strcspn(text, "\n")] = '\0';
        bool is_number = ksa_text_number(text, 0, INT64_MAX, &then);
        free(text);
        return is_number && llabs(now - (int64_t)then) < KSA_COOLDOWN;
}

static enum ksa_reason set_stamp(const struct ksa_env *env, const char *stamp, int64_t now,
                                 struct ksa_error *err)
{
        char text[STAMP_MAX];
        int length = snprintf(text, sizeof(text), "%lld\n", (long long)now);

        return ksa_file_replace(stamp, env->owner, 0600, text, (size_t)length, err);
}

/* --- When ------------------------------------------------------------------- */

static int64_t smaller(int64_t left, int64_t right)
{
        return left < right ? left : right;
}

int64_t ksa_refresh_next(const struct ksa_cluster *cluster, const struct ksa_env *env,
                         int64_t fetched, int64_t max_age)
{
        int64_t most = (int64_t)cluster->keys_max_stale / 2, limit = fetched + most;
        int64_t interval = smaller(max_age < KSA_FRESH_MIN ? KSA_FRESH_MIN : max_age, most);
        int64_t due =
                fetched + interval - ksa_spread_share(env, cluster, "keys", fetched, interval / 2);

        if (fetched == 0)
                return ksa_spread_start(env, cluster, "start", 0, KSA_START_SPREAD);
        if (limit <= ksa_spread_started(env))
                return ksa_spread_start(env, cluster, "start", due,
                                        smaller(interval / 2, KSA_START_SPREAD));
        return smaller(ksa_spread_start(env, cluster, "start", due, interval / 2), limit);
}

/* KEYSET is NULL if there is no usable one. */
static bool is_due(const struct ksa_cluster *cluster, const struct ksa_env *env,
                   const struct ksa_keyset *keyset)
{
        int64_t fetched = keyset != NULL ? ksa_keyset_fetched(keyset) : 0;
        int64_t max_age = keyset != NULL ? ksa_keyset_max_age(keyset) : 0;

        return ksa_refresh_next(cluster, env, fetched, max_age) < env->now;
}

static bool is_requested(const struct ksa_cluster *cluster, const struct ksa_env *env,
                         const struct ksa_refresh_request *request, const struct ksa_keyset *old)
{
        if (request->if_due && !is_due(cluster, env, old))
                return false;
        return !request->if_older || old == NULL ||
               env->now - ksa_keyset_fetched(old) > (int64_t)request->age;
}

/* --- A new set -------------------------------------------------------------- */

/* Compares the keys of OLD with those of KEYSET. */
static void compare(const struct ksa_keyset *keyset, const struct ksa_keyset *old,
                    struct ksa_refreshed *refreshed)
{
        size_t shared = 0;

        for (size_t i = 0; i < ksa_keyset_count(keyset); i++) {
                struct ksa_jwk jwk, before;
                const char *kid;

                if (ksa_keyset_entry(keyset, i, &kid, &jwk, NULL) != KSA_OK ||
                    ksa_keyset_find(old, kid, &before, NULL) != KSA_OK)
                        continue;
                shared++;
                /* An API server's kid is a digest of the key, so it did not make this key. */
                refreshed->changed = refreshed->changed || !ksa_jwk_is_same(&jwk, &before);
        }
        refreshed->replaced = shared == 0;
}

static enum ksa_reason store(const struct ksa_cluster *cluster, const struct ksa_env *env,
                             const struct ksa_keyset *keyset, int64_t max_age,
                             struct ksa_error *err)
{
        char path[PATH_MAX];
        enum ksa_reason reason = ksa_directory_make(env->cache_dir, env->owner, 0755, err);

        if (reason == KSA_OK)
                reason = keys_path(cluster, env, path, err);
        if (reason == KSA_OK)
                reason = ksa_directory_make_for(path, env->owner, 0755, err);
        if (reason != KSA_OK)
                return reason;
        char *text = ksa_keyset_format(keyset, cluster, env->now, max_age);
        if (text == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        reason = ksa_file_replace(path, env->owner, 0644, text, strlen(text), err);
        free(text);
        return reason;
}

static enum ksa_reason renew(const struct ksa_cluster *cluster, const struct ksa_env *env,
                             unsigned milliseconds, const struct ksa_keyset *old,
                             struct ksa_refreshed *ret_refreshed, struct ksa_error *err)
{
        struct ksa_keyset *keyset = NULL;
        int64_t max_age = 0;
        enum ksa_reason reason =
                ksa_key_source_fetch(cluster, env, milliseconds, &keyset, &max_age, err);

        if (reason == KSA_OK)
                reason = store(cluster, env, keyset, max_age, err);
        if (reason == KSA_OK) {
                ret_refreshed->keys = ksa_keyset_count_usable(keyset);
                if (old != NULL)
                        compare(keyset, old, ret_refreshed);
                ret_refreshed->max_age = max_age;
                ret_refreshed->next = ksa_refresh_next(cluster, env, env->now, max_age);
        }
        ksa_keyset_free(&keyset);
        return reason;
}

/* For the log lines of logins (cluster_files.h). An error here is not one of the refresh. */
static void keep_outcome(const struct ksa_cluster *cluster, const struct ksa_env *env,
                         enum ksa_reason reason, const struct ksa_error *err)
{
        char path[PATH_MAX], why[KSA_ERROR_SIZE], text[KSA_FAILURE_FILE_MAX];

        if (ksa_cluster_path(cluster, env, KSA_FAILURE_SUFFIX, path, NULL) != KSA_OK)
                return;
        if (reason == KSA_OK) {
                (void)!ksa_file_remove(path, env->owner, NULL);
                return;
        }
        int length = snprintf(text, sizeof(text), "%lld %s\n", (long long)env->now,
                              ksa_text_whole(err->text, why, sizeof(why)));
        if (length > 0 && (size_t)length < sizeof(text))
                (void)!ksa_file_replace(path, env->owner, 0600, text, (size_t)length, NULL);
}

/* With the lock in hand. */
static enum ksa_reason refresh_locked(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                      const struct ksa_refresh_request *request,
                                      struct ksa_refreshed *refreshed, struct ksa_error *err)
{
        int64_t now = env->uptime();
        struct ksa_keyset *old = NULL;
        char stamp[PATH_MAX];
        enum ksa_reason reason = ksa_cluster_path(cluster, env, ".stamp", stamp, err);

        if (reason != KSA_OK || (request->cooldown && is_cooling(env, stamp, now)))
                return reason;
        /* Without a usable old set there is nothing to compare with. */
        if (ksa_keyset_open(cluster, env, &old, NULL) != KSA_OK)
                old = NULL;
        refreshed->asked = is_requested(cluster, env, request, old);
        if (refreshed->asked) {
                reason = set_stamp(env, stamp, now, err);
                if (reason == KSA_OK) {
                        reason = renew(cluster, env, request->milliseconds, old, refreshed, err);
                        keep_outcome(cluster, env, reason, err);
                }
        }
        ksa_keyset_free(&old);
        return reason;
}

enum ksa_reason ksa_refresh(const struct ksa_cluster *cluster, const struct ksa_env *env,
                            const struct ksa_refresh_request *request,
                            struct ksa_refreshed *ret_refreshed, struct ksa_error *err)
{
        struct ksa_refreshed refreshed = {0};
        KSA_CLEANUP(ksa_file_unlock) int lock = -1;
        enum ksa_reason reason = ksa_cluster_lock(cluster, env, ".lock", &lock, err);

        if (reason == KSA_OK)
                reason = refresh_locked(cluster, env, request, &refreshed, err);
        if (reason == KSA_OK)
                *ret_refreshed = refreshed;
        return reason;
}

/* --- Forgetting ------------------------------------------------------------- */

enum ksa_reason ksa_refresh_purge(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                  struct ksa_error *err)
{
        static const char *const suffixes[] = {".stamp", KSA_FAILURE_SUFFIX};
        char path[PATH_MAX];
        KSA_CLEANUP(ksa_file_unlock) int lock = -1;
        enum ksa_reason reason = ksa_cluster_lock(cluster, env, ".lock", &lock, err);

        if (reason == KSA_OK)
                reason = keys_path(cluster, env, path, err);
        if (reason == KSA_OK)
                reason = ksa_file_remove(path, env->owner, err);
        for (size_t i = 0; i < KSA_COUNT(suffixes) && reason == KSA_OK; i++) {
                reason = ksa_cluster_path(cluster, env, suffixes[i], path, err);
                if (reason == KSA_OK)
                        reason = ksa_file_remove(path, env->owner, err);
        }
        return reason;
}

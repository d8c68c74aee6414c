/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/accounts/sync.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/accounts/source_file.h"
#include "admin/accounts/source_api.h"
#include "admin/base/file_write.h"
#include "admin/registry/mark.h"
#include "admin/registry/replace.h"
#include "admin/registry/write.h"
#include "base/file.h"

/* --- Beginning and end ------------------------------------------------------ */

static enum ksa_reason take_lock(const struct ksa_env *env, int *ret_lock, struct ksa_error *err)
{
        char path[PATH_MAX];
        const int wanted = snprintf(path, sizeof(path), "%s/accounts.lock", env->run_dir);

        if (wanted < 0 || (size_t)wanted >= sizeof(path))
                return ksa_fail(err, KSA_FILE_UNREADABLE, "the path of the lock is too long");
        enum ksa_reason reason = ksa_directory_make(env->run_dir, env->owner, S_IRWXU, err);
        return reason == KSA_OK ? ksa_file_lock(path, env->owner, ret_lock, err) : reason;
}

/* Without the registry every uid and name could go to another account, so a lost one ends the run. */
static enum ksa_reason check_missing(struct ksa_sync *sync, enum ksa_sync_start start,
                                     struct ksa_error *err)
{
        if (start == KSA_SYNC_START_NEW || !ksa_registry_is_marked(sync->env))
                return KSA_OK;
        sync->is_lost = true;
        ksa_error_at(err, sync->env->registry_file, 0);
        return ksa_fail(err, KSA_REGISTRY,
                        "%s is missing, but this host has had a registry, which remembers the "
                        "uids that were given",
                        sync->env->registry_file);
}

static enum ksa_reason read_before(struct ksa_sync *sync, enum ksa_sync_start start,
                                   struct ksa_error *err)
{
        const char *path = sync->env->registry_file, *why = "";
        enum ksa_registry_answer answer =
                ksa_registry_open(path, sync->env->owner, &sync->before, &why);

        sync->has_before = answer == KSA_REGISTRY_FOUND;
        if (answer == KSA_REGISTRY_NOT_FOUND)
                return check_missing(sync, start, err);
        if (start == KSA_SYNC_START_NEW) {
                ksa_error_at(err, path, 0);
                return ksa_fail(err, KSA_REGISTRY,
                                "%s exists and remembers the uids that were given; "
                                "--new-registry does not replace it",
                                path);
        }
        /* All of it is verified: the uid of a record that is skipped would be given away. */
        if (answer == KSA_REGISTRY_FOUND && ksa_registry_is_whole(&sync->before, &why))
                return KSA_OK;
        ksa_error_at(err, path, 0);
        return ksa_fail(
                err, KSA_REGISTRY,
                "%s: %s. It remembers which uids were given, so sync does not replace it: "
                "restore a backup (ksactl accounts restore FILE). Without a backup, remove it and "
                "run ksactl accounts sync --new-registry: then uids of removed accounts may be "
                "given again, and disabled users become active",
                path, why);
}

/* When each section's cluster was listed last. */
static enum ksa_reason read_sources(struct ksa_sync *sync, struct ksa_error *err)
{
        const size_t count = sync->config->counts[KSA_SECTION_ACCOUNTS];
        struct ksa_source_record record;
        size_t position = 0;

        sync->sources = calloc(count + 1, sizeof(*sync->sources));
        if (sync->sources == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        while (sync->has_before &&
               ksa_registry_next_source(&sync->before, &position, &record) == KSA_REGISTRY_FOUND) {
                for (size_t i = 0; i < count; i++) {
                        if (strcmp(sync->config->account_sources[i].name, record.cluster) == 0)
                                sync->sources[i] = record;
                }
        }
        return KSA_OK;
}

enum ksa_reason ksa_sync_begin(const struct ksa_config *config, const struct ksa_env *env,
                               const struct ksa_local_files *files, bool alone,
                               enum ksa_sync_start start, struct ksa_sync *ret_sync,
                               struct ksa_error *err)
{
        enum ksa_reason reason = KSA_OK;

        *ret_sync = (struct ksa_sync){.config = config, .env = env, .lock = -1};
        if (env->registry_file == NULL)
                return ksa_fail(err, KSA_INTERNAL, "the path of the registry is not set");
        if (alone)
                reason = take_lock(env, &ret_sync->lock, err);
        if (reason == KSA_OK)
                reason = read_before(ret_sync, start, err);
        if (reason == KSA_OK)
                reason = read_sources(ret_sync, err);
        if (reason == KSA_OK)
                reason = ksa_local_read(files, &ret_sync->local, err);
        if (reason == KSA_OK)
                reason = ksa_desired_declared(config, &ret_sync->desired, err);
        return reason;
}

void ksa_sync_end(struct ksa_sync *sync)
{
        ksa_plan_free(&sync->plan);
        ksa_desired_clear(&sync->desired);
        ksa_local_free(&sync->local);
        ksa_registry_close(&sync->before);
        free(sync->sources);
        if (sync->lock >= 0)
                (void)close(sync->lock);
        *sync = (struct ksa_sync){.lock = -1};
}

/* --- Sources ---------------------------------------------------------------- */

static enum ksa_reason read_file(struct ksa_sync *sync, const struct ksa_accounts *source,
                                 const char *path, struct ksa_source_record *ret_record,
                                 struct ksa_error *err)
{
        char *bytes = NULL;
        size_t length = 0;
        enum ksa_reason reason =
                ksa_file_read(path, sync->env->owner, KSA_ACCOUNT_FILE_MAX, &bytes, &length, err);

        if (reason == KSA_OK)
                reason = ksa_account_file_read(bytes, length, source, &sync->desired, ret_record,
                                               err);
        free(bytes);
        ksa_error_at(err, path, 0); /* unless it names another one */
        if (reason == KSA_OK && ret_record->listed > sync->env->now)
                ret_record->listed = sync->env->now;
        return reason;
}

static enum ksa_reason read_api(struct ksa_sync *sync, const struct ksa_accounts *source,
                                unsigned milliseconds, struct ksa_source_record *ret_record,
                                struct ksa_error *err)
{
        const struct ksa_cluster *cluster = ksa_config_cluster(sync->config, source->name);

        if (cluster == NULL || cluster->api_server == NULL)
                return ksa_fail(err, KSA_CONFIG_INVALID,
                                "[cluster %s] has no api_server to list its accounts",
                                source->name);
        enum ksa_reason reason = ksa_account_list_fetch(cluster, source, sync->env, milliseconds,
                                                        sync->watch, &sync->desired, err);
        if (reason == KSA_OK)
                *ret_record = (struct ksa_source_record){source->name, sync->env->now};
        return reason;
}

/* Whether the list from FIRST on, of all that CLUSTER has, would remove users that are not removed by one. */
static bool is_empty_list(const struct ksa_sync *sync, const char *cluster, size_t first)
{
        struct ksa_account_record record;
        size_t position = 0, active = 0;

        for (size_t i = first; i < sync->desired.count; i++) {
                if (sync->desired.items[i].leader < KSA_LEADER_REMOVED)
                        return false;
        }
        while (sync->has_before &&
               ksa_registry_next(&sync->before, &position, &record) == KSA_REGISTRY_FOUND)
                active += record.state == KSA_ACCOUNT_ACTIVE &&
                          (record.flags & KSA_ACCOUNT_LISTED) != 0 &&
                          strcmp(record.cluster, cluster) == 0;
        return active >= 2;
}

enum ksa_reason ksa_sync_read(struct ksa_sync *sync, size_t position, unsigned milliseconds,
                              bool force, struct ksa_error *err)
{
        const struct ksa_accounts *source = &sync->config->account_sources[position];
        const size_t first = sync->desired.count, groups = sync->desired.groups.count;
        const char *path = ksa_accounts_file(source);
        struct ksa_source_record record = {.cluster = NULL};
        enum ksa_reason reason = path != NULL ? read_file(sync, source, path, &record, err)
                                              : read_api(sync, source, milliseconds, &record, err);

        if (reason == KSA_OK && !force && is_empty_list(sync, source->name, first)) {
                sync->desired.count = first;
                sync->desired.groups.count = groups;
                reason = ksa_fail(err, KSA_API_BROKEN,
                                  "the list of accounts is empty, which would "
                                  "remove all users of the cluster");
                err->remedy =
                        "check namespaces and selector; if the list is right: ksactl accounts "
                        "sync --force";
        }
        if (reason == KSA_OK)
                sync->sources[position] = record;
        else if (ksa_sync_keep(sync, position, NULL) != KSA_OK)
                return ksa_fail(err, KSA_REGISTRY, "the registry cannot be read");
        return reason;
}

enum ksa_reason ksa_sync_keep(struct ksa_sync *sync, size_t position, struct ksa_error *err)
{
        const struct ksa_accounts *source = &sync->config->account_sources[position];
        const bool renamed =
                sync->new_cluster != NULL && strcmp(source->name, sync->new_cluster) == 0;
        enum ksa_reason reason = KSA_OK;

        if (!sync->has_before)
                return KSA_OK;
        if (renamed)
                reason = ksa_desired_known(source, sync->old_cluster, &sync->before, &sync->desired,
                                           err);
        if (reason == KSA_OK) /* a sync may have run before the renaming */
                reason =
                        ksa_desired_known(source, source->name, &sync->before, &sync->desired, err);
        return reason;
}

/* --- The plan, and the new registry ----------------------------------------- */

enum ksa_reason ksa_sync_plan(struct ksa_sync *sync, enum ksa_plan_action action, const char *user,
                              struct ksa_error *err)
{
        const struct ksa_plan_input input = {.before = &sync->before,
                                             .desired = &sync->desired,
                                             .local = sync->local,
                                             .config = sync->config,
                                             .now = sync->env->now,
                                             .action = action,
                                             .user = user,
                                             .old_cluster = sync->old_cluster,
                                             .new_cluster = sync->new_cluster};

        return ksa_plan_make(&input, &sync->plan, err);
}

/* Whether a listing is newer by KSA_LISTED_EVERY, or the sources are other ones. */
static bool have_sources_moved(const struct ksa_sync *sync, size_t listed)
{
        struct ksa_source_record before;
        size_t position = 0, same = 0;

        while (sync->has_before &&
               ksa_registry_next_source(&sync->before, &position, &before) == KSA_REGISTRY_FOUND) {
                const struct ksa_source_record *now = NULL;

                for (size_t i = 0; i < sync->config->counts[KSA_SECTION_ACCOUNTS]; i++) {
                        const struct ksa_source_record *source = &sync->sources[i];

                        if (source->cluster != NULL && strcmp(source->cluster, before.cluster) == 0)
                                now = source;
                }
                if (now == NULL || now->listed < before.listed ||
                    now->listed - before.listed >= KSA_LISTED_EVERY)
                        return true;
                same++;
        }
        return same != listed;
}

enum ksa_reason ksa_sync_write(struct ksa_sync *sync, bool *ret_written, struct ksa_error *err)
{
        const size_t sections = sync->config->counts[KSA_SECTION_ACCOUNTS];
        struct ksa_source_record *listed = calloc(sections + 1, sizeof(*listed));
        unsigned char *bytes = NULL;
        size_t count = 0, size = 0;

        if (listed == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        for (size_t i = 0; i < sections; i++) {
                if (sync->sources[i].cluster != NULL)
                        listed[count++] = sync->sources[i];
        }
        const bool moved = sync->plan->differs || have_sources_moved(sync, count);
        const struct ksa_registry_content content = {.accounts = sync->plan->accounts,
                                                     .account_count = sync->plan->account_count,
                                                     .groups = sync->plan->groups,
                                                     .group_count = sync->plan->group_count,
                                                     .sources = listed,
                                                     .source_count = count};
        enum ksa_reason reason = KSA_OK;
        if (moved)
                reason = ksa_registry_build(&content, sync->env->now, &bytes, &size, err);
        if (reason == KSA_OK && moved)
                reason = ksa_registry_replace(sync->env, bytes, size, &sync->warning, err);
        else if (reason == KSA_OK && sync->has_before)
                reason = ksa_registry_mark(sync->env, err);
        if (reason == KSA_OK)
                *ret_written = moved;
        free(bytes);
        free(listed);
        return reason;
}

/* --- A registry from a backup ----------------------------------------------- */

enum ksa_reason ksa_sync_restore(const struct ksa_env *env, const void *bytes, size_t size,
                                 struct ksa_registry *ret_registry, struct ksa_error *ret_warning,
                                 struct ksa_error *err)
{
        struct ksa_registry restored;
        const char *why = "";
        int lock = -1;

        if (ksa_registry_read(bytes, size, &restored, &why) != KSA_REGISTRY_FOUND ||
            !ksa_registry_is_whole(&restored, &why))
                return ksa_fail(err, KSA_REGISTRY, "%s", why);
        enum ksa_reason reason = take_lock(env, &lock, err);
        if (reason == KSA_OK)
                reason = ksa_registry_replace(env, bytes, size, ret_warning, err);
        if (lock >= 0)
                (void)close(lock);
        if (reason == KSA_OK)
                *ret_registry = restored;
        return reason;
}

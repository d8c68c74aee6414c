/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run that may replace the registry of local accounts: what it has, what the sources want, the plan,
 * the new file. One process at a time:
 *
 *   RUN/accounts.lock   held from before the registry is read to the end
 *   env.registry_file   replaced whole, mode 0644; registry_mark.h has the mark next to it
 *
 * A cluster whose accounts cannot be had keeps those that it has; the others go on.
 */
#ifndef KSA_ACCOUNT_SYNC_H
#define KSA_ACCOUNT_SYNC_H

#include "account_plan.h"
#include "env.h"
#include "local.h"
#include "wanted.h"

/* Seconds after which the registry is written anew although only the time of the listing moved. */
#define KSA_LISTED_EVERY 3600

struct ksa_sync {
        const struct ksa_config *config;
        const struct ksa_env *env;
        int lock;                   /* -1 for none */
        bool has_before;            /* there was a registry */
        bool is_lost;               /* there was one once, and it is missing */
        struct ksa_registry before; /* zeroed where there was none */
        struct ksa_local *local;
        struct ksa_wanted_list wanted;
        struct ksa_source_record
                *sources; /* one a [accounts] section; cluster NULL: never listed */
        struct ksa_plan *plan;
        struct ksa_error warning; /* of nscd, once the registry is replaced; no text for none */
};

/* What a run does without a registry. */
enum ksa_sync_start {
        KSA_SYNC_START_FIRST = 1, /* it begins with none, unless this host has had one */
        KSA_SYNC_START_NEW,       /* it begins with none, and refuses one that is there */
};

/*
 * Takes the lock (with ALONE: to write; nobody needs it to look), reads the registry and the local
 * users, and wants what [account] sections declare.
 *
 * ret_sync  zeroed first, and always to be ended, whatever is returned; CONFIG and ENV are borrowed
 *
 * KSA_REGISTRY  the registry is damaged, or missing although this host has had one (ret_sync->is_lost): it
 *               remembers which uids were given, so nothing is written over it; or START does not fit it
 * what file_write.h and local.h say
 */
enum ksa_reason ksa_sync_begin(const struct ksa_config *config, const struct ksa_env *env,
                               const struct ksa_local_files *files, bool alone,
                               enum ksa_sync_start start, struct ksa_sync *ret_sync,
                               struct ksa_error *err) KSA_MUST_CHECK;
void ksa_sync_end(struct ksa_sync *sync);

/*
 * Wants what the cluster of [accounts] section POSITION lists. What account_list.h says: then nothing was
 * added.
 */
enum ksa_reason ksa_sync_ask(struct ksa_sync *sync, size_t position, unsigned milliseconds,
                             struct ksa_error *err) KSA_MUST_CHECK;

/* Wants what the registry has of that section. KSA_REGISTRY, KSA_MEMORY */
enum ksa_reason ksa_sync_keep(struct ksa_sync *sync, size_t position,
                              struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Wants what a file has of the clusters that it speaks of, and what the registry has of the others. With
 * FORCE also a file that is older than what the registry has.
 *
 * ret_imported  CALLER-OWNED array of one flag a [accounts] section: whether the file speaks of its cluster
 * ret_remedy    what helps where it was refused, static; NULL where the reason's own does
 *
 * KSA_CONFIG_INVALID  no such file, for none of our clusters, for one that is asked itself, too old, or of
 *                     the future
 * KSA_REGISTRY, KSA_MEMORY
 */
enum ksa_reason ksa_sync_import(struct ksa_sync *sync, const char *bytes, size_t length, bool force,
                                bool *ret_imported, const char **ret_remedy,
                                struct ksa_error *err) KSA_MUST_CHECK;

/* Makes sync->plan. What account_plan.h says. */
enum ksa_reason ksa_sync_plan(struct ksa_sync *sync, bool force, enum ksa_plan_wish wish,
                              const char *user, struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Writes the registry as the plan has it, where that is another one, or the listing is newer by
 * KSA_LISTED_EVERY.
 *
 * ret_written  whether it did
 *
 * KSA_INTERNAL  what was made is no sound registry: the old one stays
 * what file_write.h says
 */
enum ksa_reason ksa_sync_write(struct ksa_sync *sync, bool *ret_written,
                               struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Verifies every byte of a registry from a backup (BYTES aligned to 8) and puts it in place of the one that
 * is there, under the lock.
 *
 * ret_registry  borrows BYTES; never to be closed
 * ret_warning   as registry_replace.h has it
 *
 * KSA_REGISTRY  it is damaged or not a registry: the old one stays
 * what file_write.h says
 */
enum ksa_reason ksa_sync_restore(const struct ksa_env *env, const void *bytes, size_t size,
                                 struct ksa_registry *ret_registry, struct ksa_error *ret_warning,
                                 struct ksa_error *err) KSA_MUST_CHECK;

#endif

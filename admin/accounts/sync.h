/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run that may replace the registry of local accounts. One process at a time:
 *
 *   RUN/accounts.lock   held from before the registry is read to the end
 *   env.registry_file   replaced whole, mode 0644; mark.h has the mark next to it
 *
 * A cluster whose accounts cannot be read keeps those that it has; the others go on.
 */
#ifndef KSA_ACCOUNTS_SYNC_H
#define KSA_ACCOUNTS_SYNC_H

#include "admin/accounts/plan.h"
#include "admin/accounts/desired.h"
#include "admin/accounts/local_users.h"
#include "base/env.h"

/* Seconds after which the registry is written again although only the time of the listing moved. */
#define KSA_LISTED_EVERY 3600

struct ksa_sync {
        const struct ksa_config *config;
        const struct ksa_env *env;
        int lock;                   /* -1 for none */
        bool has_before;            /* there was a registry */
        bool is_lost;               /* there was one once, and it is missing */
        struct ksa_registry before; /* zeroed if there was none */
        struct ksa_local *local;
        struct ksa_desired_list desired;
        struct ksa_source_record
                *sources; /* one for each [accounts] section; cluster NULL: never listed */
        const char *old_cluster, *new_cluster; /* as changes.h has them */
        struct ksa_plan *plan;
        const struct ksa_list_watch
                *watch;           /* of source_api.h, for the caller to set; NULL for none */
        struct ksa_error warning; /* of nscd, once the registry is replaced; no text for none */
};

/* How a run starts without a registry. */
enum ksa_sync_start {
        KSA_SYNC_START_FIRST = 1, /* with an empty one, unless this host has had one */
        KSA_SYNC_START_NEW,       /* with an empty one; refuses to replace an existing one */
};

/*
 * Takes the lock (with ALONE: to write; a rehearsal needs none), reads the registry and the local users, and
 * adds the accounts that [account] sections declare.
 *
 * ret_sync  zeroed first, and always to be ended, also after an error; CONFIG and ENV are borrowed
 *
 * KSA_REGISTRY  the registry is damaged, or missing although this host has had one (ret_sync->is_lost): it
 *               remembers which uids were given, so nothing is written over it; or START does not fit it
 * the reasons of file_write.h and local_users.h
 */
enum ksa_reason ksa_sync_begin(const struct ksa_config *config, const struct ksa_env *env,
                               const struct ksa_local_files *files, bool alone,
                               enum ksa_sync_start start, struct ksa_sync *ret_sync,
                               struct ksa_error *err) KSA_MUST_CHECK;
void ksa_sync_end(struct ksa_sync *sync);

/*
 * Adds the accounts of [accounts] section POSITION, from its API server or its leader's file. On failure the
 * section's accounts are those that the registry has. A complete list without an account is refused if two
 * users or more that it listed are active, unless FORCE.
 *
 * KSA_REGISTRY, KSA_MEMORY  the accounts of the registry could not be added either: the run must end
 * the reasons of source_api.h, source_file.h and file.h
 */
enum ksa_reason ksa_sync_read(struct ksa_sync *sync, size_t position, unsigned milliseconds,
                              bool force, struct ksa_error *err) KSA_MUST_CHECK;

/* Adds the accounts that the registry has of that section. KSA_REGISTRY, KSA_MEMORY */
enum ksa_reason ksa_sync_keep(struct ksa_sync *sync, size_t position,
                              struct ksa_error *err) KSA_MUST_CHECK;

/* Makes sync->plan. The reasons of plan.h */
enum ksa_reason ksa_sync_plan(struct ksa_sync *sync, enum ksa_plan_action action, const char *user,
                              struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Writes the registry as the plan has it, if that is another one, or the listing is newer by
 * KSA_LISTED_EVERY.
 *
 * ret_written  whether it did
 *
 * KSA_INTERNAL  the new registry failed verification: the old one stays
 * the reasons of file_write.h
 */
enum ksa_reason ksa_sync_write(struct ksa_sync *sync, bool *ret_written,
                               struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Verifies every byte of a registry from a backup (BYTES aligned to 8) and puts it in place of the one that
 * is there, under the lock.
 *
 * ret_registry  borrows BYTES; never to be closed
 * ret_warning   as replace.h has it
 *
 * KSA_REGISTRY  it is damaged or not a registry: the old one stays
 * the reasons of file_write.h
 */
enum ksa_reason ksa_sync_restore(const struct ksa_env *env, const void *bytes, size_t size,
                                 struct ksa_registry *ret_registry, struct ksa_error *ret_warning,
                                 struct ksa_error *err) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands of `ksactl accounts` share. */
#ifndef KSACTL_ACCOUNTS_H
#define KSACTL_ACCOUNTS_H

#include "admin/accounts/sync.h"
#include "admin/accounts/id_map.h"
#include "ksactl.h"

/* The host's own files of users, groups and subordinate ids. */
struct ksa_local_files local_files(void);

/* The ids of this user namespace. */
#define UID_MAP_FILE "/proc/self/uid_map"
#define GID_MAP_FILE "/proc/self/gid_map"

/*
 * Counts the active users of CLUSTER (NULL: of all) whose ids are not mapped, as far as the registry can be
 * read. What id_map.h says.
 *
 * ret_count   how many
 * ret_mapped  the uids that there are, for a remedy
 */
enum ksa_reason count_unmapped(const struct ksa_registry *registry, const char *cluster,
                               size_t *ret_count, char ret_mapped[KSA_ID_MAP_TEXT],
                               struct ksa_error *err);

/* Their problem, as the end of a sentence about them. */
#define UNMAPPED_EFFECT \
        "have a uid that is not mapped in this user namespace: their logins fail after the token is accepted"
#define UNMAPPED_REMEDY "map more ids, or write uid in an [account] section for each, within %s"

/*
 * The registry; false, with a message on standard error, if it is damaged or was lost (mark.h).
 * Zeroed if this host has had none.
 */
bool open_registry(const struct ksa_env *env, struct ksa_registry *ret_registry);

/* For a registry that was lost or is damaged. */
#define LOST_REMEDY                                                                         \
        "restore a backup: ksactl accounts restore FILE; without a backup, remove the old " \
        "registry, if any, and start an empty one: ksactl accounts sync --new-registry"

/* For a registry that could not be written. */
#define WRITE_REMEDY \
        "check free space and mount options of that file system; the old registry is unchanged"

/*
 * An account as it stands in the registry; NULL where memory runs out. The caller frees it (json_decref).
 */
json_t *show_account(const struct ksa_account_record *record);

/* TEXT, or null where it is empty. */
json_t *text_or_null(const char *text);

/* A run that may change the registry. */
struct accounts_run {
        struct session session;
        struct ksa_sync sync;
        bool dry_run, force, json;
        bool quiet; /* to look something up: no cluster is reported */
        json_t *clusters, *changes;
        json_t *problem, *remedy; /* why the run failed as a whole, and what helps; or NULL */
        bool written;
        int status;
};

/*
 * Starts RUN with the configuration and the registry. Returns false, with the failure reported, if either
 * cannot be used.
 */
bool begin_run(struct accounts_run *run, const char *config_file, enum ksa_sync_start start);

/* Reads the accounts of all clusters; without ASK, from the registry. Returns false if the run must end. */
bool read_sources(struct accounts_run *run, bool ask);

/* Makes its plan. Returns false, with the failure reported, if there is none. */
bool plan_run(struct accounts_run *run, enum ksa_plan_action action, const char *user);

/* Prints the answer with --json, and frees RUN. Returns the exit status. */
int end_run(struct accounts_run *run);

/* Reports the cluster of a section: HOW is "read" or "kept". ERROR is NULL if nothing failed. */
void report_cluster(struct accounts_run *run, size_t position, const char *how,
                    const struct ksa_error *error);

/* Puts file and line into the text of ERROR, where it does not name them. */
void name_file(struct ksa_error *error);

/* What helps where one of local_files() cannot be read. */
#define LOCAL_FILE_REMEDY "correct that file: it says which users and uids this host has already"

/*
 * What failed as a whole: to the log (not with --dry-run), and to the answer of --json or standard error.
 * REMEDY is NULL for the one of the error's reason.
 */
void report_failure(struct accounts_run *run, const struct ksa_error *error, const char *remedy);

/* Warns that nscd may have answers of the old registry; WARNING has no text if it has none. */
void report_stale(const struct ksa_error *warning);

/* What the plan changes, and whether it was done; to log, standard error and standard output. */
void report_plan(struct accounts_run *run);

/* One change as a line on standard output, and as JSON, which the caller frees (json_decref). */
void print_change(const struct ksa_plan_change *change);
json_t *show_change(const struct ksa_plan_change *change);

/* The answer of the run with --json. False when it cannot be written. */
bool print_run(struct accounts_run *run);

int accounts_sync(const struct args *arguments);
int accounts_disable(const struct args *arguments);
int accounts_enable(const struct args *arguments);
int accounts_rename_cluster(const struct args *arguments);
int accounts_export(const struct args *arguments);
int accounts_list(const struct args *arguments);
int accounts_show(const struct args *arguments);
int accounts_restore(const struct args *arguments);

#endif

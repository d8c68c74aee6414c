/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How ksactl changes files: completely, or not at all. Host programs write no files, so this is not in the
 * PAM module. Paths are absolute, and each directory on the way is checked as in file.h.
 */
#ifndef KSA_FILE_WRITE_H
#define KSA_FILE_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/macros.h"
#include "token/cluster_files.h"

/*
 * Creates the directory at PATH with MODE, not changed by the umask, unless it exists. Its parent must exist.
 * KSA_FILE_MISSING, KSA_FILE_UNSAFE, KSA_FILE_UNWRITABLE, KSA_MEMORY
 */
enum ksa_reason ksa_directory_make(const char *path, uid_t owner, mode_t mode,
                                   struct ksa_error *err) KSA_MUST_CHECK;

/* The same for the directory of the file at PATH. KSA_FILE_UNREADABLE: the path is too long */
enum ksa_reason ksa_directory_make_for(const char *path, uid_t owner, mode_t mode,
                                       struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Replaces the file at PATH by LENGTH bytes: they are written to .NAME.new next to it (a name that no cluster
 * can have), synced and renamed, and the directory is synced. Every reader sees the old file or the new one,
 * also after an error. One writer at a time: hold a lock. The same reasons.
 */
enum ksa_reason ksa_file_replace(const char *path, uid_t owner, mode_t mode, const void *bytes,
                                 size_t length, struct ksa_error *err) KSA_MUST_CHECK;

/* Removes the file, if it exists. The same reasons. */
enum ksa_reason ksa_file_remove(const char *path, uid_t owner,
                                struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Removes each file in the directory at PATH, if that exists, for whose name IS_OVER returns true. If one
 * cannot be removed, the others still are, and the last reason is returned.
 *
 * ret_removed  how many files were removed, also after an error
 */
enum ksa_reason ksa_directory_sweep(const char *path, uid_t owner,
                                    bool (*is_over)(const char *name, void *context), void *context,
                                    size_t *ret_removed, struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Waits for the lock on the file at PATH, which is created with mode 0600 if it is missing. Keep it in a
 * directory that only root can enter: a process that can open the file can lock it.
 *
 * ret_lock  a descriptor; closing it releases the lock
 */
enum ksa_reason ksa_file_lock(const char *path, uid_t owner, int *ret_lock,
                              struct ksa_error *err) KSA_MUST_CHECK;

/* Waits for the lock RUN/clusters/NAME.SUFFIX; creates the directories first. The same reasons. */
enum ksa_reason ksa_cluster_lock(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                 const char *suffix, int *ret_lock,
                                 struct ksa_error *err) KSA_MUST_CHECK;

/* Closes *LOCK, unless it is negative. For KSA_CLEANUP. */
void ksa_file_unlock(int *lock);

#endif

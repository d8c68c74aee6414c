/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How ksactl changes files: whole, or not at all. A host program writes none, so the PAM module does
 * not hold this. All paths are absolute, and judged on the way as file.h has it.
 */
#ifndef KSA_FILE_WRITE_H
#define KSA_FILE_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/macros.h"

/*
 * Makes the folder at PATH with MODE (whatever the umask) where it is not there; the folder it
 * stands in must be. KSA_FILE_MISSING, KSA_FILE_UNSAFE, KSA_FILE_UNWRITABLE, KSA_MEMORY
 */
enum ksa_reason ksa_directory_make(const char *path, uid_t owner, mode_t mode,
                                   struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Puts LENGTH bytes in place of the file at PATH: written to .NAME.new next to it (a
 * name that no cluster can have), synced, renamed, and the directory synced, so that every reader sees
 * the old file or the new one, whatever fails.
 * One writer at a time: hold a lock. The same reasons.
 */
enum ksa_reason ksa_file_replace(const char *path, uid_t owner, mode_t mode, const void *bytes,
                                 size_t length, struct ksa_error *err) KSA_MUST_CHECK;

/* Removes the file; none is fine too. The same reasons. */
enum ksa_reason ksa_file_remove(const char *path, uid_t owner,
                                struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Removes each file in the folder at PATH that IS_OVER says so of, by its name; no folder is fine too.
 * What cannot be removed does not keep the others: the last one's reason is returned.
 *
 * ret_removed  how many, whatever is returned
 */
enum ksa_reason ksa_directory_sweep(const char *path, uid_t owner,
                                    bool (*is_over)(const char *name, void *context), void *context,
                                    size_t *ret_removed, struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Waits for the lock that the file at PATH (made where it is not there, mode 0600) stands for; its
 * folder should be one that nobody else can enter, for whoever can open a file can lock it.
 *
 * ret_lock  a descriptor; closing it gives the lock back
 */
enum ksa_reason ksa_file_lock(const char *path, uid_t owner, int *ret_lock,
                              struct ksa_error *err) KSA_MUST_CHECK;

#endif

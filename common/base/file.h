/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only opener of files that a login trusts: only root (in tests: also the owner that the caller
 * passes) can change them or the directories above (path.h). The file is regular, not a link,
 * belongs to root or OWNER, and is not writable by others.
 */
#ifndef KSA_FILE_H
#define KSA_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/macros.h"
#include "base/secret.h"

/*
 * Reads a whole file of at most MAX bytes. PATH is absolute.
 *
 * ret_bytes  owned by the caller (free); followed by a NUL that is not counted
 *
 * KSA_FILE_MISSING     the file or a directory does not exist
 * KSA_FILE_UNSAFE      users other than root and the owner could change it, or it is not a regular file
 * KSA_FILE_UNREADABLE  permission, input error, larger than MAX
 * KSA_MEMORY
 */
enum ksa_reason ksa_file_read(const char *path, uid_t owner, size_t max, char **ret_bytes,
                              size_t *ret_length, struct ksa_error *err) KSA_MUST_CHECK;

/*
 * The same for a file that only its owner may read: its mode has no bit for group or others.
 *
 * ret_secret  owned by the caller (ksa_secret_free)
 */
enum ksa_reason ksa_file_read_secret(const char *path, uid_t owner, size_t max,
                                     struct ksa_secret **ret_secret,
                                     struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Creates an empty file that did not exist, durably: it survives a power failure. With ONLY_LOOK it
 * only checks, with the same result. ERR is not NULL.
 *
 * KSA_USED_BEFORE  the file exists
 * KSA_MARK         it cannot be created, or its directory is not safe
 * KSA_MEMORY
 */
enum ksa_reason ksa_file_mark(const char *path, uid_t owner, bool only_look,
                              struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Lists the names in DIRECTORY that end in SUFFIX and do not begin with a dot, in byte order. The
 * directory is checked like those on the way to a file.
 *
 * ret_names  ended by NULL, owned by the caller (ksa_file_names_free)
 *
 * KSA_FILE_MISSING, KSA_FILE_UNSAFE, KSA_FILE_UNREADABLE, KSA_MEMORY as above
 */
enum ksa_reason ksa_file_list(const char *directory, uid_t owner, const char *suffix,
                              char ***ret_names, struct ksa_error *err) KSA_MUST_CHECK;
void ksa_file_names_free(char ***names);

#endif

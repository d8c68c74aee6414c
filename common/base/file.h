/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only opener of the files that a login believes: nobody but root (in tests:
 * the owner handed in) may be able to change them, or what leads to them (path.h).
 * The file itself is regular, no link, belongs to root or OWNER, and is not writable
 * by others.
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
 * ret_bytes   allocated, owned by the caller (free); a NUL follows, not counted
 *
 * KSA_FILE_MISSING     no such file or folder
 * KSA_FILE_UNSAFE      somebody else could change it, or it is no regular file
 * KSA_FILE_UNREADABLE  permission, input error, larger than MAX
 * KSA_MEMORY
 */
enum ksa_reason ksa_file_read(const char *path, uid_t owner, size_t max, char **ret_bytes,
                              size_t *ret_length, struct ksa_error *err) KSA_MUST_CHECK;

/*
 * The same for what nobody else may read: its mode has no bit for group or others.
 *
 * ret_secret  owned by the caller (ksa_secret_free)
 */
enum ksa_reason ksa_file_read_secret(const char *path, uid_t owner, size_t max,
                                     struct ksa_secret **ret_secret,
                                     struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Makes an empty file that was not there, for good: when this returns, it outlives a power failure.
 * With ONLY_LOOK it makes none, and says what it would have said. ERR is not NULL.
 *
 * KSA_USED_BEFORE  there is one already
 * KSA_MARK         none can be made, or its folder is not safe
 * KSA_MEMORY
 */
enum ksa_reason ksa_file_mark(const char *path, uid_t owner, bool only_look,
                              struct ksa_error *err) KSA_MUST_CHECK;

/*
 * The names in a folder that end in SUFFIX and do not begin with a dot, in byte
 * order. The folder is judged like the folders on the way to a file.
 *
 * ret_names   allocated, ended by NULL, owned by the caller (ksa_file_names_free)
 *
 * KSA_FILE_MISSING, KSA_FILE_UNSAFE, KSA_FILE_UNREADABLE, KSA_MEMORY as above
 */
enum ksa_reason ksa_file_list(const char *directory, uid_t owner, const char *suffix,
                              char ***ret_names, struct ksa_error *err) KSA_MUST_CHECK;
void ksa_file_names_free(char ***names);

#endif

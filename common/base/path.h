/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way to a file that nobody but root (in tests: the owner handed in) may be able to change.
 *
 * Every folder on it, from / on, belongs to root or OWNER and is not writable by others, unless it
 * is sticky (/tmp: others cannot replace what is not theirs); a folder may be a symbolic link of
 * root's. Each is opened relative to the one before, so that none is swapped after it was judged.
 */
#ifndef KSA_BASE_PATH_H
#define KSA_BASE_PATH_H

#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/macros.h"

struct ksa_path {
        const char *path; /* the whole path, for messages */
        uid_t owner;
        int directory; /* the folder reached so far (O_PATH) */
        unsigned links;
        char rest[PATH_MAX]; /* what is still to go */
};

/*
 * Walks to the folder of the last name of PATH with TAIL ("" or "/."); PATH is absolute, and
 * borrowed. Always ksa_path_end() it.
 *
 * KSA_FILE_MISSING     a folder is not there
 * KSA_FILE_UNSAFE      somebody else could change it
 * KSA_FILE_UNREADABLE  permission, input error
 * KSA_MEMORY
 */
enum ksa_reason ksa_path_to(struct ksa_path *ret_walk, const char *path, const char *tail,
                            uid_t owner, struct ksa_error *err) KSA_MUST_CHECK;
void ksa_path_end(struct ksa_path *walk);

/* The last name, which a walk leaves; borrowed from it. */
const char *ksa_path_last(struct ksa_path *walk);

/* Whether nobody but root and the owner can change what STATUS, of NAME, describes. */
enum ksa_reason ksa_path_judge(const struct ksa_path *walk, const char *name,
                               const struct stat *status, struct ksa_error *err) KSA_MUST_CHECK;

/* What errno NUMBER means for NAME on the way to PATH. */
enum ksa_reason ksa_path_errno(int number, const char *path, const char *name,
                               struct ksa_error *err);

#endif

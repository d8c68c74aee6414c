/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The path to a file that only root can change (in tests: also the owner that the caller passes).
 *
 * Every directory on it, from / on, belongs to root or OWNER and is not writable by others, unless
 * it is sticky (/tmp: others cannot replace files of root). A directory may be a symbolic link that
 * belongs to root. Each is opened relative to the previous one, so it cannot be replaced after it
 * was checked.
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
        int directory; /* the last directory opened (O_PATH) */
        unsigned links;
        char rest[PATH_MAX]; /* the part that is not opened yet */
};

/*
 * Opens the directory of the last name of PATH with TAIL ("" or "/."). PATH is absolute, and
 * borrowed. ksa_path_end() it always, also on failure.
 *
 * KSA_FILE_MISSING     a directory does not exist
 * KSA_FILE_UNSAFE      users other than root and the owner could change it
 * KSA_FILE_UNREADABLE  permission, input error
 * KSA_MEMORY
 */
enum ksa_reason ksa_path_to(struct ksa_path *ret_walk, const char *path, const char *tail,
                            uid_t owner, struct ksa_error *err) KSA_MUST_CHECK;
void ksa_path_end(struct ksa_path *walk);

/* Returns the last name, which is not opened; borrowed from WALK. */
const char *ksa_path_last(struct ksa_path *walk);

/*
 * Checks that only root and the owner can change the file or directory NAME, whose STATUS was read.
 */
enum ksa_reason ksa_path_judge(const struct ksa_path *walk, const char *name,
                               const struct stat *status, struct ksa_error *err) KSA_MUST_CHECK;

/* Reports errno NUMBER for NAME, a part of PATH. Returns the reason. */
enum ksa_reason ksa_path_errno(int number, const char *path, const char *name,
                               struct ksa_error *err);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The path to a file that only root can change (in tests: also the owner that the caller passes).
 *
 * Every directory on it, from / on, belongs to root or OWNER and is not writable by others, unless
 * it is sticky (/tmp: others cannot replace files of root). A directory may be a symbolic link that
 * belongs to root.
 *
 * Only "/" is opened. The directories below are checked from the top, each by its path from "/".
 * This is as safe as opening each of them:
 * - In a directory that was found safe, only root or OWNER can rename, remove or replace a file of
 *   root or OWNER, and each name was checked to be such a file before the next one is looked up. So
 *   a path still leads through the directories that were checked when it is used.
 * - No link is followed while a path is used: a link is replaced by its target, and the names of
 *   the target are checked like all others. ".." is a name that is checked.
 * - All lookups start at the "/" that was opened. chroot() and chdir() in another thread do not
 *   affect them.
 * - stat does not trigger an automount, but the next lookup does. Then an unchecked directory covers
 *   the checked one, and what is found in it is on another device. If a file or directory is on
 *   another device than its directory (ordinary mount points are, too), that directory is read
 *   again, and must have the same device and inode. An automount is always found in this way,
 *   because the file system that has the mount point is not the one that is mounted there.
 * The difference: if root replaces a directory during the check, the new one can be used. Its file
 * is checked after it was opened in either case.
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
        int root;      /* "/" (O_PATH) */
        int directory; /* ksa_path_to(): the last directory (O_PATH) */
        unsigned links;
        dev_t device; /* of the directory that was checked last */
        ino_t inode;
        size_t checked;      /* length of the checked directories in the way */
        char way[PATH_MAX];  /* from root: checked directories, and the name after them */
        char rest[PATH_MAX]; /* the names after the way */
};

/*
 * Checks the directories of PATH, which is absolute, and borrowed. Then WAY leads from ROOT to the
 * last name, which is not checked. ksa_path_end() it always, also on failure.
 *
 * KSA_FILE_MISSING     a directory does not exist
 * KSA_FILE_UNSAFE      users other than root and the owner could change it
 * KSA_FILE_UNREADABLE  permission, input error, a directory that changed during the check
 * KSA_MEMORY
 */
enum ksa_reason ksa_path_check(struct ksa_path *ret_walk, const char *path, uid_t owner,
                               struct ksa_error *err) KSA_MUST_CHECK;

/*
 * The same for PATH with TAIL ("" or "/."), and opens the directory of the last name. It is the one
 * that was checked: device, inode, owner and mode are compared again.
 */
enum ksa_reason ksa_path_to(struct ksa_path *ret_walk, const char *path, const char *tail,
                            uid_t owner, struct ksa_error *err) KSA_MUST_CHECK;
void ksa_path_end(struct ksa_path *walk);

/* Returns the last name, which is not checked; borrowed from WALK. */
const char *ksa_path_last(const struct ksa_path *walk);

/*
 * Checks that only root and the owner can change the file or directory at the end of WALK's way,
 * whose STATUS was read by that way. NAME is for messages.
 */
enum ksa_reason ksa_path_check_entry(struct ksa_path *walk, const char *name,
                                     const struct stat *status,
                                     struct ksa_error *err) KSA_MUST_CHECK;

/* Reports errno NUMBER for NAME, a part of PATH. Returns the reason. */
enum ksa_reason ksa_path_errno(int number, const char *path, const char *name,
                               struct ksa_error *err);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The directories and files that ksa itself makes: the owner and mode that each should have. */
#ifndef KSA_HOST_OWN_PATHS_H
#define KSA_HOST_OWN_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/error.h"

struct ksa_own_path {
        const char *path;
        mode_t mode, type; /* S_IFDIR, S_IFREG */
};

/* A directory is before those in it. */
extern const struct ksa_own_path ksa_own_paths[];
extern const size_t ksa_own_path_count;

/*
 * Whether PATH exists with another owner or mode, which RET_STATUS then has. A symbolic link does not count:
 * only root can have made it in these places.
 */
bool ksa_own_path_differs(const struct ksa_own_path *path, uid_t owner, struct stat *ret_status);

/*
 * Whether others could have written the file, so that a new owner and mode would not make it safe, or have
 * put it there: with a second name it may be another program's.
 */
bool ksa_own_path_is_unsafe(const struct ksa_own_path *path, uid_t owner,
                            const struct stat *status);

/* Gives PATH its owner and mode, through a descriptor. Refuses an unsafe file. */
bool ksa_own_path_set(const struct ksa_own_path *path, uid_t owner,
                      struct ksa_error *err) KSA_MUST_CHECK;

#endif

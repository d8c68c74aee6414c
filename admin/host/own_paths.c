/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/host/own_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MODE_BITS 07777

/* As in packaging/systemd/tmpfiles.d/ksa.conf.in. */
const struct ksa_own_path ksa_own_paths[] = {
        {KSA_RUN_DIR, 0700, S_IFDIR},
        {KSA_RUN_DIR "/clusters", 0700, S_IFDIR},
        {KSA_CACHE_DIR, 0755, S_IFDIR},
        {KSA_STATE_DIR, 0755, S_IFDIR},
        {KSA_STATE_DIR "/credentials", 0700, S_IFDIR},
        {KSA_STATE_DIR "/used", 0700, S_IFDIR},
        {KSA_REGISTRY_FILE, 0644, S_IFREG},
};
const size_t ksa_own_path_count = KSA_COUNT(ksa_own_paths);

static bool is_right(const struct ksa_own_path *path, uid_t owner, const struct stat *status)
{
        return status->st_uid == owner && (status->st_mode & MODE_BITS) == path->mode;
}

bool ksa_own_path_differs(const struct ksa_own_path *path, uid_t owner, struct stat *ret_status)
{
        struct stat status;

        if (lstat(path->path, &status) != 0 || (status.st_mode & S_IFMT) != path->type ||
            is_right(path, owner, &status))
                return false;
        *ret_status = status;
        return true;
}

bool ksa_own_path_is_unsafe(const struct ksa_own_path *path, uid_t owner, const struct stat *status)
{
        return path->type == S_IFREG &&
               (!S_ISREG(status->st_mode) || status->st_uid != owner || status->st_nlink > 1 ||
                (status->st_mode & (S_IWGRP | S_IWOTH)) != 0);
}

bool ksa_own_path_set(const struct ksa_own_path *path, uid_t owner, struct ksa_error *err)
{
        const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC |
                          (path->type == S_IFDIR ? O_DIRECTORY : 0);
        const int file = open(path->path, flags);
        struct stat status;
        bool good = false;

        if (file < 0 || fstat(file, &status) != 0)
                (void)ksa_fail(err, KSA_FILE_UNREADABLE, "%s: open: %s", path->path,
                               strerror(errno));
        else if (ksa_own_path_is_unsafe(path, owner, &status))
                (void)ksa_fail(err, KSA_FILE_UNSAFE,
                               "%s: others could have written it, or put it there", path->path);
        else if (fchown(file, owner, 0) != 0 || fchmod(file, path->mode) != 0)
                (void)ksa_fail(err, KSA_FILE_UNWRITABLE, "%s: chmod: %s", path->path,
                               strerror(errno));
        else
                good = true;
        if (file >= 0)
                (void)close(file);
        return good;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Symbolic links on one path. The kernel allows 40; sensible paths have at most two. */
#define LINKS_MAX 8

void ksa_path_end(struct ksa_path *walk)
{
        if (walk->directory >= 0)
                (void)close(walk->directory);
        if (walk->root >= 0)
                (void)close(walk->root);
}

enum ksa_reason ksa_path_errno(int number, const char *path, const char *name,
                               struct ksa_error *err)
{
        const char *last = strrchr(path, '/');
        bool is_last = last != NULL && strcmp(last + 1, name) == 0;

        ksa_error_at(err, path, 0);
        switch (number) {
        case ENOENT:
        case ENOTDIR:
                return ksa_fail(err, KSA_FILE_MISSING, "%s%s%s does not exist", path,
                                is_last ? "" : ": ", is_last ? "" : name);
        case ENOMEM:
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        case ELOOP:
                (void)ksa_fail(err, KSA_FILE_UNSAFE,
                               "%s is a symbolic link; only directories may be links", path);
                ksa_error_advise(err,
                                 "replace the link with a copy: cp --remove-destination \"$("
                                 "readlink -f %.100s)\" %.100s; or link its directory instead",
                                 path, path);
                return KSA_FILE_UNSAFE;
        default:
                return ksa_fail(err, KSA_FILE_UNREADABLE, "%s%s%s: %s", path, is_last ? "" : ": ",
                                is_last ? "" : name,
                                number == EACCES ? "permission denied" : "input error");
        }
}

const char *ksa_path_last(const struct ksa_path *walk)
{
        return walk->way + walk->checked + (walk->checked > 0);
}

/*
 * Whether the way still leads to the directory that was checked last. "/" cannot change, because it
 * is open.
 */
static bool is_unchanged(struct ksa_path *walk)
{
        const char next = walk->way[walk->checked];
        struct stat status;

        if (walk->checked == 0)
                return true;
        walk->way[walk->checked] = '\0';
        int result = fstatat(walk->root, walk->way, &status, AT_SYMLINK_NOFOLLOW);
        walk->way[walk->checked] = next;
        return result == 0 && status.st_dev == walk->device && status.st_ino == walk->inode;
}

static enum ksa_reason fail_changed(const struct ksa_path *walk, struct ksa_error *err)
{
        return ksa_fail(err, KSA_FILE_UNREADABLE, "%s: a directory changed while it was checked",
                        walk->path);
}

/* The path of the entry NAME, which is at the end of the way; NULL for another. */
static const char *entry_path(const struct ksa_path *walk, const char *name, char out[PATH_MAX + 1])
{
        if (strcmp(name, "/") == 0)
                return "/";
        if (strcmp(name, ksa_path_last(walk)) != 0)
                return NULL;
        (void)snprintf(out, PATH_MAX + 1, "/%s", walk->way);
        return out;
}

/* Reports an entry that others could change. COMMAND corrects the PROBLEM. */
static enum ksa_reason fail_unsafe(const struct ksa_path *walk, const char *name,
                                   const char *problem, const char *command, struct ksa_error *err)
{
        const char *last = strrchr(walk->path, '/');
        bool is_last = last != NULL && strcmp(last + 1, name) == 0;
        char path[PATH_MAX + 1];
        const char *entry = entry_path(walk, name, path);

        (void)ksa_fail(err, KSA_FILE_UNSAFE, "%s%s%s %s", walk->path, is_last ? "" : ": ",
                       is_last ? "" : name, problem);
        if (entry != NULL && strlen(entry) < KSA_REMEDY_MAX - 32)
                ksa_error_advise(err, "run %s %s", command, entry);
        else
                ksa_error_advise(err, "run %s on it", command);
        return KSA_FILE_UNSAFE;
}

enum ksa_reason ksa_path_check_entry(struct ksa_path *walk, const char *name,
                                     const struct stat *status, struct ksa_error *err)
{
        bool sticky_directory = S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX) != 0;
        char problem[64];

        ksa_error_at(err, walk->path, 0);
        if (status->st_uid != 0 && status->st_uid != walk->owner) {
                (void)snprintf(problem, sizeof(problem), "belongs to uid %u",
                               (unsigned)status->st_uid);
                return fail_unsafe(walk, name, problem, "chown root", err);
        }
        if (!S_ISLNK(status->st_mode) && (status->st_mode & (S_IWGRP | S_IWOTH)) != 0 &&
            !sticky_directory) {
                (void)snprintf(problem, sizeof(problem), "is writable by others (mode %04o)",
                               (unsigned)status->st_mode & 07777);
                return fail_unsafe(walk, name, problem, "chmod go-w", err);
        }
        /* Another device: a mount point, or reading it mounted a file system on the directory. */
        if (status->st_dev != walk->device && !is_unchanged(walk))
                return fail_changed(walk, err);
        return KSA_OK;
}

/* Inserts the link's target before the rest of the path. */
static enum ksa_reason follow_link(struct ksa_path *walk, struct ksa_error *err)
{
        char target[PATH_MAX], joined[PATH_MAX];
        ssize_t length = readlinkat(walk->root, walk->way, target, sizeof(target) - 1);

        if (length < 0)
                return ksa_path_errno(errno, walk->path, "link", err);
        target[length] = '\0';
        int wanted = snprintf(joined, sizeof(joined), "%s/%s", target, walk->rest);
        if (++walk->links > LINKS_MAX || wanted < 0 || (size_t)wanted >= sizeof(joined))
                return ksa_fail(err, KSA_FILE_UNSAFE, "%s: too many symbolic links", walk->path);
        memcpy(walk->rest, joined, (size_t)wanted + 1);
        if (target[0] == '/')
                walk->checked = 0;
        return KSA_OK;
}

/* Checks the directory or link at the end of the way. */
static enum ksa_reason check_last(struct ksa_path *walk, struct ksa_error *err)
{
        const char *name = ksa_path_last(walk);
        struct stat status;

        if (fstatat(walk->root, walk->way, &status, AT_SYMLINK_NOFOLLOW) != 0)
                return ksa_path_errno(errno, walk->path, name, err);
        enum ksa_reason reason = ksa_path_check_entry(walk, name, &status, err);
        if (reason != KSA_OK)
                return reason;
        if (S_ISLNK(status.st_mode))
                return follow_link(walk, err);
        if (!S_ISDIR(status.st_mode))
                return ksa_path_errno(ENOTDIR, walk->path, name, err);
        walk->checked = strlen(walk->way);
        walk->device = status.st_dev;
        walk->inode = status.st_ino;
        return KSA_OK;
}

/* Moves the first name of the rest after the directories that are checked. */
static enum ksa_reason take_name(struct ksa_path *walk, struct ksa_error *err)
{
        const char *name = walk->rest + strspn(walk->rest, "/");
        size_t length = strcspn(name, "/");
        const char *rest = name + length + strspn(name + length, "/");
        size_t start = walk->checked + (walk->checked > 0);

        if (start + length >= sizeof(walk->way))
                return ksa_path_errno(ENAMETOOLONG, walk->path, "name", err);
        walk->way[walk->checked] = '/';
        memcpy(walk->way + start, name, length);
        walk->way[start + length] = '\0';
        memmove(walk->rest, rest, strlen(rest) + 1);
        return KSA_OK;
}

/* Checks all directories of PATH with TAIL, and leaves the last name in the way. */
static enum ksa_reason check_all(struct ksa_path *walk, const char *path, const char *tail,
                                 uid_t owner, struct ksa_error *err)
{
        struct stat status;

        walk->path = path;
        walk->owner = owner;
        walk->root = walk->directory = -1;
        walk->links = 0;
        walk->checked = 0;
        walk->way[0] = '\0';
        ksa_error_at(err, path, 0);
        int length = snprintf(walk->rest, sizeof(walk->rest), "%s%s", path, tail);
        if (path[0] != '/' || length < 0 || (size_t)length >= sizeof(walk->rest))
                return ksa_fail(err, KSA_FILE_UNREADABLE, "%s is not an absolute path", path);
        walk->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (walk->root < 0 || fstat(walk->root, &status) < 0)
                return ksa_path_errno(errno, path, "/", err);
        walk->device = status.st_dev;
        walk->inode = status.st_ino;
        enum ksa_reason reason = ksa_path_check_entry(walk, "/", &status, err);
        if (reason == KSA_OK)
                reason = take_name(walk, err);
        while (reason == KSA_OK && walk->rest[0] != '\0') {
                reason = check_last(walk, err);
                if (reason == KSA_OK)
                        reason = take_name(walk, err);
        }
        return reason;
}

enum ksa_reason ksa_path_check(struct ksa_path *walk, const char *path, uid_t owner,
                               struct ksa_error *err)
{
        return check_all(walk, path, "", owner, err);
}

/* Opens the directory that was checked last. */
static enum ksa_reason open_directory(struct ksa_path *walk, struct ksa_error *err)
{
        const char next = walk->way[walk->checked];
        struct stat status;

        walk->way[walk->checked] = '\0';
        walk->directory =
                openat(walk->root, walk->way, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        walk->way[walk->checked] = next;
        if (walk->directory < 0 || fstat(walk->directory, &status) != 0)
                return ksa_path_errno(errno, walk->path, "directory", err);
        if (status.st_dev != walk->device || status.st_ino != walk->inode)
                return fail_changed(walk, err);
        return ksa_path_check_entry(walk, "its directory", &status, err);
}

enum ksa_reason ksa_path_to(struct ksa_path *walk, const char *path, const char *tail, uid_t owner,
                            struct ksa_error *err)
{
        enum ksa_reason reason = check_all(walk, path, tail, owner, err);

        if (reason == KSA_OK && walk->checked > 0) {
                reason = open_directory(walk, err);
        } else if (reason == KSA_OK) {
                walk->directory = walk->root;
                walk->root = -1;
        }
        return reason;
}

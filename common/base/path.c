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
                return ksa_fail(err, KSA_FILE_UNSAFE, "%s is a symbolic link", path);
        default:
                return ksa_fail(err, KSA_FILE_UNREADABLE, "%s%s%s: %s", path, is_last ? "" : ": ",
                                is_last ? "" : name,
                                number == EACCES ? "permission denied" : "input error");
        }
}

enum ksa_reason ksa_path_judge(const struct ksa_path *walk, const char *name,
                               const struct stat *status, struct ksa_error *err)
{
        bool sticky_directory = S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX) != 0;

        ksa_error_at(err, walk->path, 0);
        if (status->st_uid != 0 && status->st_uid != walk->owner)
                return ksa_fail(err, KSA_FILE_UNSAFE,
                                "%s: %s belongs to uid %u: run chown root on it", walk->path, name,
                                (unsigned)status->st_uid);
        if (!S_ISLNK(status->st_mode) && (status->st_mode & (S_IWGRP | S_IWOTH)) != 0 &&
            !sticky_directory)
                return ksa_fail(err, KSA_FILE_UNSAFE,
                                "%s: %s is writable by others (mode %04o): run chmod go-w on it",
                                walk->path, name, (unsigned)status->st_mode & 07777);
        return KSA_OK;
}

/* Inserts the link's target before the rest of the path. */
static enum ksa_reason follow_link(struct ksa_path *walk, int link, struct ksa_error *err)
{
        char target[PATH_MAX], joined[PATH_MAX];
        ssize_t length = readlinkat(link, "", target, sizeof(target) - 1);

        if (length < 0)
                return ksa_path_errno(errno, walk->path, "link", err);
        target[length] = '\0';
        int wanted = snprintf(joined, sizeof(joined), "%s/%s", target, walk->rest);
        if (++walk->links > LINKS_MAX || wanted < 0 || (size_t)wanted >= sizeof(joined))
                return ksa_fail(err, KSA_FILE_UNSAFE, "%s: too many symbolic links", walk->path);
        memcpy(walk->rest, joined, (size_t)wanted + 1);
        if (target[0] == '/') {
                int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

                if (root < 0)
                        return ksa_path_errno(errno, walk->path, "/", err);
                (void)close(walk->directory);
                walk->directory = root;
        }
        return KSA_OK;
}

/* Opens the subdirectory NAME. */
static enum ksa_reason enter(struct ksa_path *walk, const char *name, struct ksa_error *err)
{
        struct stat status;
        enum ksa_reason reason;
        int next = openat(walk->directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

        if (next < 0)
                return ksa_path_errno(errno, walk->path, name, err);
        if (fstat(next, &status) < 0)
                reason = ksa_path_errno(errno, walk->path, name, err);
        else
                reason = ksa_path_judge(walk, name, &status, err);
        if (reason == KSA_OK && S_ISLNK(status.st_mode)) {
                reason = follow_link(walk, next, err);
        } else if (reason == KSA_OK && !S_ISDIR(status.st_mode)) {
                reason = ksa_path_errno(ENOTDIR, walk->path, name, err);
        } else if (reason == KSA_OK) {
                (void)close(walk->directory);
                walk->directory = next;
                return KSA_OK;
        }
        (void)close(next);
        return reason;
}

/* Removes the first name from the rest of the path. False at the last name, which stays. */
static bool next_directory(struct ksa_path *walk, char name[NAME_MAX + 1])
{
        size_t start = strspn(walk->rest, "/");
        size_t length = strcspn(walk->rest + start, "/");
        size_t after = start + length + strspn(walk->rest + start + length, "/");

        if (length > NAME_MAX || walk->rest[after] == '\0')
                return false;
        memcpy(name, walk->rest + start, length);
        name[length] = '\0';
        memmove(walk->rest, walk->rest + after, strlen(walk->rest + after) + 1);
        return true;
}

enum ksa_reason ksa_path_to(struct ksa_path *walk, const char *path, const char *tail, uid_t owner,
                            struct ksa_error *err)
{
        struct stat status;
        char name[NAME_MAX + 1];

        walk->path = path;
        walk->owner = owner;
        walk->directory = -1;
        walk->links = 0;
        ksa_error_at(err, path, 0);
        int length = snprintf(walk->rest, sizeof(walk->rest), "%s%s", path, tail);
        if (path[0] != '/' || length < 0 || (size_t)length >= sizeof(walk->rest))
                return ksa_fail(err, KSA_FILE_UNREADABLE, "%s is not an absolute path", path);
        walk->directory = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (walk->directory < 0 || fstat(walk->directory, &status) < 0)
                return ksa_path_errno(errno, path, "/", err);
        enum ksa_reason reason = ksa_path_judge(walk, "/", &status, err);
        while (reason == KSA_OK && next_directory(walk, name))
                reason = enter(walk, name, err);
        return reason;
}

const char *ksa_path_last(struct ksa_path *walk)
{
        size_t length = strlen(walk->rest);

        while (length > 0 && walk->rest[length - 1] == '/')
                walk->rest[--length] = '\0';
        return walk->rest + strspn(walk->rest, "/");
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Links on one path; the kernel allows 40, and no sane path of ours has three. */
#define LINKS_MAX 8
/* Files in one conf.d. */
#define NAMES_MAX 4096

/* A walk along a path: every folder is opened relative to the one before, so that none can be
 * swapped after it was judged. */
struct walk {
        const char *path; /* the whole path, for messages */
        uid_t owner;
        int folder; /* the folder reached so far (O_PATH) */
        unsigned links;
        char rest[PATH_MAX]; /* what is still to go */
};

static void close_walk(struct walk *walk)
{
        if (walk->folder >= 0)
                (void)close(walk->folder);
}

static enum ksa_reason from_errno(int number, const char *path, const char *name,
                                  struct ksa_error *err)
{
        ksa_error_at(err, path, 0);
        switch (number) {
        case ENOENT:
        case ENOTDIR:
                return ksa_fail(err, KSA_FILE_MISSING, "%s: %s is not there", path, name);
        case ENOMEM:
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        case ELOOP:
                return ksa_fail(err, KSA_FILE_UNSAFE, "%s is a symbolic link", path);
        default:
                return ksa_fail(err, KSA_FILE_UNREADABLE, "%s: %s: %s", path, name,
                                number == EACCES ? "permission denied" : "input error");
        }
}

/* Whether nobody but root and the owner can change what STATUS describes. */
static enum ksa_reason judge(const struct walk *walk, const char *name, const struct stat *status,
                             struct ksa_error *err)
{
        bool sticky_folder = S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX) != 0;

        ksa_error_at(err, walk->path, 0);
        if (status->st_uid != 0 && status->st_uid != walk->owner)
                return ksa_fail(err, KSA_FILE_UNSAFE, "%s: %s belongs to uid %u: chown root it",
                                walk->path, name, (unsigned)status->st_uid);
        if (!S_ISLNK(status->st_mode) && (status->st_mode & (S_IWGRP | S_IWOTH)) != 0 &&
            !sticky_folder)
                return ksa_fail(err, KSA_FILE_UNSAFE,
                                "%s: %s is writable by others (mode %04o): chmod go-w it",
                                walk->path, name, (unsigned)status->st_mode & 07777);
        return KSA_OK;
}

/* Puts what the link points to before the rest of the way. */
static enum ksa_reason follow_link(struct walk *walk, int link, struct ksa_error *err)
{
        char target[PATH_MAX], joined[PATH_MAX];
        ssize_t length = readlinkat(link, "", target, sizeof(target) - 1);

        if (length < 0)
                return from_errno(errno, walk->path, "link", err);
        target[length] = '\0';
        int wanted = snprintf(joined, sizeof(joined), "%s/%s", target, walk->rest);
        if (++walk->links > LINKS_MAX || wanted < 0 || (size_t)wanted >= sizeof(joined))
                return ksa_fail(err, KSA_FILE_UNSAFE, "%s: too many symbolic links", walk->path);
        memcpy(walk->rest, joined, (size_t)wanted + 1);
        if (target[0] == '/') {
                int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

                if (root < 0)
                        return from_errno(errno, walk->path, "/", err);
                (void)close(walk->folder);
                walk->folder = root;
        }
        return KSA_OK;
}

/* One step down into folder NAME. */
static enum ksa_reason enter(struct walk *walk, const char *name, struct ksa_error *err)
{
        struct stat status;
        enum ksa_reason reason;
        int next = openat(walk->folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

        if (next < 0)
                return from_errno(errno, walk->path, name, err);
        if (fstat(next, &status) < 0)
                reason = from_errno(errno, walk->path, name, err);
        else
                reason = judge(walk, name, &status, err);
        if (reason == KSA_OK && S_ISLNK(status.st_mode)) {
                reason = follow_link(walk, next, err);
        } else if (reason == KSA_OK && !S_ISDIR(status.st_mode)) {
                reason = from_errno(ENOTDIR, walk->path, name, err);
        } else if (reason == KSA_OK) {
                (void)close(walk->folder);
                walk->folder = next;
                return KSA_OK;
        }
        (void)close(next);
        return reason;
}

/* Takes the first name off the rest of the way; false at its last name, which stays. */
static bool next_folder(struct walk *walk, char name[NAME_MAX + 1])
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

/* Walks to the folder of the last name in PATH with TAIL; that name is left in WALK->rest. */
static enum ksa_reason walk_to(struct walk *walk, const char *path, const char *tail, uid_t owner,
                               struct ksa_error *err)
{
        struct stat status;
        char name[NAME_MAX + 1];

        walk->path = path;
        walk->owner = owner;
        walk->folder = -1;
        walk->links = 0;
        ksa_error_at(err, path, 0);
        int length = snprintf(walk->rest, sizeof(walk->rest), "%s%s", path, tail);
        if (path[0] != '/' || length < 0 || (size_t)length >= sizeof(walk->rest))
                return ksa_fail(err, KSA_FILE_UNREADABLE, "%s is not an absolute path", path);
        walk->folder = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (walk->folder < 0 || fstat(walk->folder, &status) < 0)
                return from_errno(errno, path, "/", err);
        enum ksa_reason reason = judge(walk, "/", &status, err);
        while (reason == KSA_OK && next_folder(walk, name))
                reason = enter(walk, name, err);
        return reason;
}

static const char *last_name(struct walk *walk)
{
        size_t length = strlen(walk->rest);

        while (length > 0 && walk->rest[length - 1] == '/')
                walk->rest[--length] = '\0';
        return walk->rest + strspn(walk->rest, "/");
}

/* Reads until the end of the file; the size that fstat told is only where to begin. */
static enum ksa_reason read_all(int fd, const struct stat *status, const char *path, size_t max,
                                char **ret_bytes, size_t *ret_length, struct ksa_error *err)
{
        size_t length = 0;

        if (status->st_size < 0 || (uintmax_t)status->st_size > max)
                return ksa_fail(err, KSA_FILE_UNREADABLE, "%s is larger than %zu bytes", path, max);
        /* One byte more than fstat said, so that a file that grew meanwhile shows. */
        size_t room = (size_t)status->st_size + 1;
        char *bytes = malloc(room + 1);
        if (bytes == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        for (;;) {
                ssize_t got = read(fd, bytes + length, room - length);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0 || length + (size_t)got == room) {
                        free(bytes);
                        return got < 0 ? from_errno(errno, path, "read", err)
                                       : ksa_fail(err, KSA_FILE_UNREADABLE,
                                                  "%s changed while it was read", path);
                }
                if (got == 0)
                        break;
                length += (size_t)got;
        }
        bytes[length] = '\0';
        *ret_bytes = bytes;
        *ret_length = length;
        return KSA_OK;
}

static enum ksa_reason read_in(struct walk *walk, size_t max, char **ret_bytes, size_t *ret_length,
                               struct ksa_error *err)
{
        struct stat status;
        const char *name = last_name(walk);
        /* O_NONBLOCK: a FIFO must not hold the login up; it is refused after fstat. */
        int fd = openat(walk->folder, name,
                        O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        if (fd < 0)
                return errno == ENXIO
                               ? ksa_fail(err, KSA_FILE_UNSAFE, "%s is no regular file", walk->path)
                               : from_errno(errno, walk->path, name, err);
        enum ksa_reason reason;
        if (fstat(fd, &status) < 0)
                reason = from_errno(errno, walk->path, name, err);
        else if (!S_ISREG(status.st_mode))
                reason = ksa_fail(err, KSA_FILE_UNSAFE, "%s is no regular file", walk->path);
        else
                reason = judge(walk, name, &status, err);
        if (reason == KSA_OK)
                reason = read_all(fd, &status, walk->path, max, ret_bytes, ret_length, err);
        (void)close(fd);
        return reason;
}

enum ksa_reason ksa_file_read(const char *path, uid_t owner, size_t max, char **ret_bytes,
                              size_t *ret_length, struct ksa_error *err)
{
        struct walk walk;
        enum ksa_reason reason = walk_to(&walk, path, "", owner, err);

        if (reason == KSA_OK)
                reason = read_in(&walk, max, ret_bytes, ret_length, err);
        close_walk(&walk);
        return reason;
}

static bool has_suffix(const char *name, const char *suffix)
{
        size_t length = strlen(name), tail = strlen(suffix);

        return name[0] != '.' && length > tail && strcmp(name + length - tail, suffix) == 0;
}

static int compare_names(const void *left, const void *right)
{
        return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Reads the entries of an open folder; the caller closes it. */
static enum ksa_reason collect(DIR *folder, const char *path, const char *suffix, char **names,
                               struct ksa_error *err)
{
        size_t count = 0;

        for (;;) {
                errno = 0;
                const struct dirent *entry = readdir(folder);
                if (entry == NULL)
                        break;
                if (!has_suffix(entry->d_name, suffix))
                        continue;
                if (count == NAMES_MAX)
                        return ksa_fail(err, KSA_FILE_UNREADABLE, "%s has more than %d files", path,
                                        NAMES_MAX);
                names[count] = strdup(entry->d_name);
                if (names[count] == NULL)
                        return ksa_fail(err, KSA_MEMORY, "out of memory");
                count++;
        }
        if (errno != 0)
                return from_errno(errno, path, "folder", err);
        qsort(names, count, sizeof(*names), compare_names);
        return KSA_OK;
}

static enum ksa_reason list_in(struct walk *walk, const char *suffix, char ***ret_names,
                               struct ksa_error *err)
{
        int fd = openat(walk->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *folder = fd < 0 ? NULL : fdopendir(fd);

        if (folder == NULL) {
                int number = errno;

                if (fd >= 0)
                        (void)close(fd);
                return from_errno(number, walk->path, "folder", err);
        }
        char **names = calloc(NAMES_MAX + 1, sizeof(*names));
        enum ksa_reason reason = names == NULL ? ksa_fail(err, KSA_MEMORY, "out of memory")
                                               : collect(folder, walk->path, suffix, names, err);
        (void)closedir(folder);
        if (reason == KSA_OK)
                *ret_names = names;
        else
                ksa_file_names_free(&names);
        return reason;
}

enum ksa_reason ksa_file_list(const char *folder, uid_t owner, const char *suffix,
                              char ***ret_names, struct ksa_error *err)
{
        struct walk walk;
        /* "folder/." makes the folder itself one of those on the way, link or not. */
        enum ksa_reason reason = walk_to(&walk, folder, "/.", owner, err);

        if (reason == KSA_OK)
                reason = list_in(&walk, suffix, ret_names, err);
        close_walk(&walk);
        return reason;
}

void ksa_file_names_free(char ***names)
{
        if (*names == NULL)
                return;
        for (size_t i = 0; (*names)[i] != NULL; i++)
                free((*names)[i]);
        free(*names);
        *names = NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"

/* Limit of files in one conf.d. */
#define NAMES_MAX 4096

/* Reads to the end of the file. The size from fstat() is only the first estimate. */
static enum ksa_reason read_all(int fd, const struct stat *status, const char *path, size_t max,
                                char **ret_bytes, size_t *ret_length, struct ksa_error *err)
{
        size_t length = 0;

        if (status->st_size < 0 || (uintmax_t)status->st_size > max)
                return ksa_fail(err, KSA_FILE_UNREADABLE, "%s is larger than %zu bytes", path, max);
        /* One byte more than fstat() reported, to notice that the file has grown. */
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
                        return got < 0 ? ksa_path_errno(errno, path, "read", err)
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

/* Opens the file that WALK leads to and checks it. The caller closes *RET_FD. */
static enum ksa_reason open_file(struct ksa_path *walk, struct stat *ret_status, int *ret_fd,
                                 struct ksa_error *err)
{
        const char *name = ksa_path_last(walk);
        /* O_NONBLOCK: opening a FIFO must not block the login; the check rejects it afterwards. */
        int fd = openat(walk->root, walk->way,
                        O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        enum ksa_reason reason;

        if (fd < 0)
                return errno == ENXIO ? ksa_fail(err, KSA_FILE_UNSAFE, "%s is not a regular file",
                                                 walk->path)
                                      : ksa_path_errno(errno, walk->path, name, err);
        if (fstat(fd, ret_status) < 0)
                reason = ksa_path_errno(errno, walk->path, name, err);
        else if (!S_ISREG(ret_status->st_mode))
                reason = ksa_fail(err, KSA_FILE_UNSAFE, "%s is not a regular file", walk->path);
        else
                reason = ksa_path_check_entry(walk, name, ret_status, err);
        if (reason == KSA_OK)
                *ret_fd = fd;
        else
                (void)close(fd);
        return reason;
}

/* Opens the file at PATH and checks it and the directories above. The caller closes *RET_FD. */
static enum ksa_reason open_path(const char *path, uid_t owner, struct stat *ret_status,
                                 int *ret_fd, struct ksa_error *err)
{
        struct ksa_path walk;
        enum ksa_reason reason = ksa_path_check(&walk, path, owner, err);

        if (reason == KSA_OK)
                reason = open_file(&walk, ret_status, ret_fd, err);
        ksa_path_end(&walk);
        return reason;
}

/* After success, later errors must not name this file. */
static enum ksa_reason sound(enum ksa_reason reason, struct ksa_error *err)
{
        if (reason == KSA_OK)
                ksa_error_at(err, "", 0);
        return reason;
}

enum ksa_reason ksa_file_read(const char *path, uid_t owner, size_t max, char **ret_bytes,
                              size_t *ret_length, struct ksa_error *err)
{
        struct stat status = {0};
        int fd = -1;
        enum ksa_reason reason = open_path(path, owner, &status, &fd, err);

        if (reason != KSA_OK)
                return reason;
        reason = read_all(fd, &status, path, max, ret_bytes, ret_length, err);
        (void)close(fd);
        return sound(reason, err);
}

/* --- Secrets ---------------------------------------------------------------- */

/* Fills SECRET, which has room for MAX bytes and one more, to notice a file that is too large. */
static enum ksa_reason read_into(int fd, const char *path, size_t max, struct ksa_secret *secret,
                                 struct ksa_error *err)
{
        for (;;) {
                size_t room;
                void *tail = ksa_secret_tail(secret, &room);
                ssize_t got = room == 0 ? 0 : read(fd, tail, room);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return ksa_path_errno(errno, path, "read", err);
                if (got == 0)
                        break;
                ksa_secret_extend(secret, (size_t)got);
        }
        if (ksa_secret_length(secret) > max)
                return ksa_fail(err, KSA_FILE_UNREADABLE, "%s is larger than %zu bytes", path, max);
        return KSA_OK;
}

enum ksa_reason ksa_file_read_secret(const char *path, uid_t owner, size_t max,
                                     struct ksa_secret **ret_secret, struct ksa_error *err)
{
        struct stat status = {0};
        int fd = -1;
        enum ksa_reason reason = open_path(path, owner, &status, &fd, err);

        if (reason != KSA_OK)
                return reason;
        struct ksa_secret *secret = ksa_secret_new(max + 1);
        if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
                reason = ksa_fail(err, KSA_FILE_UNSAFE, "%s is readable by others (mode %04o)",
                                  path, (unsigned)status.st_mode & 07777);
                ksa_error_advise(err, "run chmod 0600 %.200s", path);
        } else if (secret == NULL) {
                reason = ksa_fail(err, KSA_MEMORY, "out of memory");
        } else {
                reason = read_into(fd, path, max, secret, err);
        }
        (void)close(fd);
        if (reason == KSA_OK)
                *ret_secret = secret;
        else
                ksa_secret_free(&secret);
        return sound(reason, err);
}

/* --- Marks ------------------------------------------------------------------ */

static enum ksa_reason no_mark(const char *path, int number, struct ksa_error *err)
{
        const bool full = number == ENOSPC || number == EDQUOT;

        ksa_error_at(err, path, 0);
        if (number == ENOMEM)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        (void)ksa_fail(err, KSA_MARK, "%s cannot be created: %s", path,
                       number == EROFS    ? "the file system is read-only"
                       : number == EACCES ? "permission denied"
                       : full             ? "the disk is full"
                                          : "input error");
        if (err != NULL && number == EROFS)
                err->remedy = "mount the file system of /var/lib/ksa/used read-write";
        else if (err != NULL && full)
                err->remedy = "free space on the file system of /var/lib/ksa/used";
        return KSA_MARK;
}

/* Creates an empty file and syncs its directory, so that it survives a power failure. */
static enum ksa_reason make_mark(struct ksa_path *walk, bool only_look, struct ksa_error *err)
{
        const char *name = ksa_path_last(walk);
        struct stat status;

        if (fstatat(walk->directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
                return ksa_fail(err, KSA_USED_BEFORE, "the token was used for an earlier login");
        if (errno != ENOENT)
                return no_mark(walk->path, errno, err);
        if (only_look)
                return KSA_OK;
        int fd = openat(walk->directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                        S_IRUSR | S_IWUSR);
        if (fd < 0)
                return errno == EEXIST ? ksa_fail(err, KSA_USED_BEFORE,
                                                  "the token was used for an earlier login")
                                       : no_mark(walk->path, errno, err);
        (void)close(fd);
        int directory = openat(walk->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        enum ksa_reason reason = KSA_OK;
        if (directory < 0 || fsync(directory) != 0)
                reason = no_mark(walk->path, errno, err);
        if (directory >= 0)
                (void)close(directory);
        return reason;
}

enum ksa_reason ksa_file_mark(const char *path, uid_t owner, bool only_look, struct ksa_error *err)
{
        struct ksa_path walk;
        enum ksa_reason reason = ksa_path_to(&walk, path, "", owner, err);

        if (reason == KSA_OK)
                reason = make_mark(&walk, only_look, err);
        else if (reason != KSA_MEMORY)
                err->reason = reason = KSA_MARK;
        ksa_path_end(&walk);
        return reason;
}

/* --- Directories ------------------------------------------------------------ */

static bool has_suffix(const char *name, const char *suffix)
{
        size_t length = strlen(name), tail = strlen(suffix);

        return name[0] != '.' && length > tail && strcmp(name + length - tail, suffix) == 0;
}

static int compare_names(const void *left, const void *right)
{
        return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Reads the entries of an open directory, which the caller closes. */
static enum ksa_reason collect(DIR *directory, const char *path, const char *suffix, char **names,
                               struct ksa_error *err)
{
        size_t count = 0;

        for (;;) {
                errno = 0;
                const struct dirent *entry = readdir(directory);
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
                return ksa_path_errno(errno, path, "directory", err);
        qsort(names, count, sizeof(*names), compare_names);
        return KSA_OK;
}

static enum ksa_reason list_in(struct ksa_path *walk, const char *suffix, char ***ret_names,
                               struct ksa_error *err)
{
        int fd = openat(walk->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *directory = fd < 0 ? NULL : fdopendir(fd);

        if (directory == NULL) {
                int number = errno;

                if (fd >= 0)
                        (void)close(fd);
                return ksa_path_errno(number, walk->path, "directory", err);
        }
        char **names = calloc(NAMES_MAX + 1, sizeof(*names));
        enum ksa_reason reason = names == NULL ? ksa_fail(err, KSA_MEMORY, "out of memory")
                                               : collect(directory, walk->path, suffix, names, err);
        (void)closedir(directory);
        if (reason == KSA_OK)
                *ret_names = names;
        else
                ksa_file_names_free(&names);
        return reason;
}

enum ksa_reason ksa_file_list(const char *directory, uid_t owner, const char *suffix,
                              char ***ret_names, struct ksa_error *err)
{
        struct ksa_path walk;
        /* With "/." the directory itself is checked like those above it, also if it is a link. */
        enum ksa_reason reason = ksa_path_to(&walk, directory, "/.", owner, err);

        if (reason == KSA_OK)
                reason = list_in(&walk, suffix, ret_names, err);
        ksa_path_end(&walk);
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

/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/base/file_write.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"

/* Of a file or directory that cannot be written, and not of one that cannot be read. */
static enum ksa_reason cannot(const struct ksa_path *walk, const char *what, struct ksa_error *err)
{
        int number = errno;

        ksa_error_at(err, walk->path, 0);
        if (number == ENOSPC || number == EDQUOT)
                return ksa_fail(err, KSA_FILE_UNWRITABLE, "%s: the disk is full", walk->path);
        if (number == EROFS)
                return ksa_fail(err, KSA_FILE_UNWRITABLE, "%s: the file system is read-only",
                                walk->path);
        enum ksa_reason reason = ksa_path_errno(number, walk->path, what, err);
        if (reason != KSA_FILE_UNREADABLE)
                return reason;
        if (err != NULL)
                err->reason = KSA_FILE_UNWRITABLE;
        return KSA_FILE_UNWRITABLE;
}

/* --- Folders ---------------------------------------------------------------- */

static enum ksa_reason make_in(struct ksa_path *walk, mode_t mode, struct ksa_error *err)
{
        const char *name = ksa_path_last(walk);

        if (mkdirat(walk->directory, name, S_IRWXU) != 0)
                return errno == EEXIST ? KSA_OK : cannot(walk, "mkdir", err);
        /* Not by mkdir: there the umask has a say. */
        if (fchmodat(walk->directory, name, mode, 0) != 0)
                return cannot(walk, "chmod", err);
        return KSA_OK;
}

enum ksa_reason ksa_directory_make(const char *path, uid_t owner, mode_t mode,
                                   struct ksa_error *err)
{
        struct ksa_path walk;
        enum ksa_reason reason = ksa_path_to(&walk, path, "", owner, err);

        if (reason == KSA_OK)
                reason = make_in(&walk, mode, err);
        ksa_path_end(&walk);
        return reason;
}

/* --- Whole files ------------------------------------------------------------ */

static bool write_all(int fd, const char *bytes, size_t length)
{
        while (length > 0) {
                ssize_t put = write(fd, bytes, length);

                if (put < 0 && errno == EINTR)
                        continue;
                if (put < 0)
                        return false;
                bytes += put;
                length -= (size_t)put;
        }
        return true;
}

static enum ksa_reason sync_directory(struct ksa_path *walk, struct ksa_error *err)
{
        int directory = openat(walk->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        enum ksa_reason reason = KSA_OK;

        if (directory < 0 || fsync(directory) != 0)
                reason = cannot(walk, "sync", err);
        if (directory >= 0)
                (void)close(directory);
        return reason;
}

/* Fills a file of that name which nobody has open yet. */
static enum ksa_reason write_new(struct ksa_path *walk, const char *name, mode_t mode,
                                 const void *bytes, size_t length, struct ksa_error *err)
{
        enum ksa_reason reason = KSA_OK;

        /* One that a killed writer left: the name is one alone, so that there is never a second. */
        if (unlinkat(walk->directory, name, 0) != 0 && errno != ENOENT)
                return cannot(walk, "unlink", err);
        int fd = openat(walk->directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                        S_IRUSR | S_IWUSR);
        if (fd < 0)
                return cannot(walk, "create", err);
        if (!write_all(fd, bytes, length) || fchmod(fd, mode) != 0 || fsync(fd) != 0)
                reason = cannot(walk, "write", err);
        (void)close(fd);
        if (reason != KSA_OK)
                (void)unlinkat(walk->directory, name, 0);
        return reason;
}

static enum ksa_reason replace_in(struct ksa_path *walk, mode_t mode, const void *bytes,
                                  size_t length, struct ksa_error *err)
{
        const char *name = ksa_path_last(walk);
        char new_name[NAME_MAX + 1];
        int wanted = snprintf(new_name, sizeof(new_name), ".%s.new", name);

        if (wanted < 0 || (size_t)wanted >= sizeof(new_name))
                return ksa_fail(err, KSA_FILE_UNWRITABLE, "%s: the name is too long", walk->path);
        enum ksa_reason reason = write_new(walk, new_name, mode, bytes, length, err);
        if (reason == KSA_OK && renameat(walk->directory, new_name, walk->directory, name) != 0) {
                reason = cannot(walk, "rename", err);
                (void)unlinkat(walk->directory, new_name, 0);
        }
        return reason == KSA_OK ? sync_directory(walk, err) : reason;
}

enum ksa_reason ksa_file_replace(const char *path, uid_t owner, mode_t mode, const void *bytes,
                                 size_t length, struct ksa_error *err)
{
        struct ksa_path walk;
        enum ksa_reason reason = ksa_path_to(&walk, path, "", owner, err);

        if (reason == KSA_OK)
                reason = replace_in(&walk, mode, bytes, length, err);
        ksa_path_end(&walk);
        return reason;
}

enum ksa_reason ksa_file_remove(const char *path, uid_t owner, struct ksa_error *err)
{
        struct ksa_path walk;
        enum ksa_reason reason = ksa_path_to(&walk, path, "", owner, err);

        if (reason == KSA_OK && unlinkat(walk.directory, ksa_path_last(&walk), 0) != 0)
                reason = errno == ENOENT ? KSA_OK : cannot(&walk, "unlink", err);
        ksa_path_end(&walk);
        return reason == KSA_FILE_MISSING ? KSA_OK : reason;
}

/* --- Sweeping --------------------------------------------------------------- */

static enum ksa_reason sweep_in(struct ksa_path *walk, bool (*is_over)(const char *name, void *),
                                void *context, size_t *ret_removed, struct ksa_error *err)
{
        int fd = openat(walk->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *directory = fd < 0 ? NULL : fdopendir(fd);
        enum ksa_reason reason = KSA_OK;
        const struct dirent *entry;

        if (directory == NULL) {
                reason = ksa_path_errno(errno, walk->path, "directory", err);
                if (fd >= 0)
                        (void)close(fd);
                return reason;
        }
        while (errno = 0, (entry = readdir(directory)) != NULL) {
                if (!is_over(entry->d_name, context))
                        continue;
                if (unlinkat(fd, entry->d_name, 0) == 0)
                        (*ret_removed)++;
                else if (errno != ENOENT)
                        reason = cannot(walk, entry->d_name, err);
        }
        if (errno != 0)
                reason = ksa_path_errno(errno, walk->path, "directory", err);
        (void)closedir(directory);
        return reason;
}

enum ksa_reason ksa_directory_sweep(const char *path, uid_t owner,
                                    bool (*is_over)(const char *name, void *context), void *context,
                                    size_t *ret_removed, struct ksa_error *err)
{
        struct ksa_path walk;
        /* "folder/." makes the folder itself one of those on the way, link or not. */
        enum ksa_reason reason = ksa_path_to(&walk, path, "/.", owner, err);

        *ret_removed = 0;
        if (reason == KSA_OK)
                reason = sweep_in(&walk, is_over, context, ret_removed, err);
        ksa_path_end(&walk);
        return reason == KSA_FILE_MISSING ? KSA_OK : reason;
}

/* --- Locks ------------------------------------------------------------------ */

static enum ksa_reason lock_in(struct ksa_path *walk, int *ret_lock, struct ksa_error *err)
{
        int lock =
                openat(walk->directory, ksa_path_last(walk),
                       O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, S_IRUSR | S_IWUSR);

        if (lock < 0)
                return cannot(walk, "lock", err);
        int taken;
        do {
                taken = flock(lock, LOCK_EX);
        } while (taken != 0 && errno == EINTR);
        if (taken != 0) {
                enum ksa_reason reason = cannot(walk, "lock", err);

                (void)close(lock);
                return reason;
        }
        *ret_lock = lock;
        return KSA_OK;
}

enum ksa_reason ksa_file_lock(const char *path, uid_t owner, int *ret_lock, struct ksa_error *err)
{
        struct ksa_path walk;
        enum ksa_reason reason = ksa_path_to(&walk, path, "", owner, err);

        if (reason == KSA_OK)
                reason = lock_in(&walk, ret_lock, err);
        ksa_path_end(&walk);
        return reason;
}

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

/* --- Directories ------------------------------------------------------------ */

enum ksa_reason ksa_directory_make(const char *path, uid_t owner, mode_t mode,
                                   struct ksa_error *err)
{
        KSA_CLEANUP(ksa_path_end) struct ksa_path walk;
        enum ksa_reason reason = ksa_path_to(&walk, path, "", owner, err);

        if (reason != KSA_OK)
                return reason;
        const char *name = ksa_path_last(&walk);
        if (mkdirat(walk.directory, name, S_IRWXU) != 0)
                return errno == EEXIST ? KSA_OK : cannot(&walk, "mkdir", err);
        /* mkdir would apply the umask. */
        if (fchmodat(walk.directory, name, mode, 0) != 0)
                return cannot(&walk, "chmod", err);
        return KSA_OK;
}

enum ksa_reason ksa_directory_make_for(const char *path, uid_t owner, mode_t mode,
                                       struct ksa_error *err)
{
        char directory[PATH_MAX];
        const char *slash = strrchr(path, '/');
        const size_t length = slash != NULL ? (size_t)(slash - path) : 0;

        if (length >= sizeof(directory))
                return ksa_fail(err, KSA_FILE_UNREADABLE, "%s: the path is too long", path);
        memcpy(directory, path, length);
        directory[length] = '\0';
        return length == 0 ? KSA_OK : ksa_directory_make(directory, owner, mode, err);
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

/* Creates and fills a file that no other process has open. */
static enum ksa_reason write_new(struct ksa_path *walk, const char *name, mode_t mode,
                                 const void *bytes, size_t length, struct ksa_error *err)
{
        enum ksa_reason reason = KSA_OK;

        /* A writer that was killed may have left one. There is at most one, because the name is fixed. */
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

enum ksa_reason ksa_file_replace(const char *path, uid_t owner, mode_t mode, const void *bytes,
                                 size_t length, struct ksa_error *err)
{
        KSA_CLEANUP(ksa_path_end) struct ksa_path walk;
        enum ksa_reason reason = ksa_path_to(&walk, path, "", owner, err);
        char new_name[NAME_MAX + 1];

        if (reason != KSA_OK)
                return reason;
        const char *name = ksa_path_last(&walk);
        int name_length = snprintf(new_name, sizeof(new_name), ".%s.new", name);
        if (name_length < 0 || (size_t)name_length >= sizeof(new_name))
                return ksa_fail(err, KSA_FILE_UNWRITABLE, "%s: the name is too long", path);
        reason = write_new(&walk, new_name, mode, bytes, length, err);
        if (reason == KSA_OK && renameat(walk.directory, new_name, walk.directory, name) != 0) {
                reason = cannot(&walk, "rename", err);
                (void)unlinkat(walk.directory, new_name, 0);
        }
        return reason == KSA_OK ? sync_directory(&walk, err) : reason;
}

enum ksa_reason ksa_file_remove(const char *path, uid_t owner, struct ksa_error *err)
{
        KSA_CLEANUP(ksa_path_end) struct ksa_path walk;
        enum ksa_reason reason = ksa_path_to(&walk, path, "", owner, err);

        if (reason == KSA_OK && unlinkat(walk.directory, ksa_path_last(&walk), 0) != 0)
                reason = errno == ENOENT ? KSA_OK : cannot(&walk, "unlink", err);
        return reason == KSA_FILE_MISSING ? KSA_OK : reason;
}

/* --- Sweeping --------------------------------------------------------------- */

enum ksa_reason ksa_directory_sweep(const char *path, uid_t owner,
                                    bool (*is_over)(const char *name, void *context), void *context,
                                    size_t *ret_removed, struct ksa_error *err)
{
        KSA_CLEANUP(ksa_path_end) struct ksa_path walk;
        /* With "/." the directory itself is checked like those above it, link or not. */
        enum ksa_reason reason = ksa_path_to(&walk, path, "/.", owner, err);
        const struct dirent *entry;

        *ret_removed = 0;
        if (reason != KSA_OK)
                return reason == KSA_FILE_MISSING ? KSA_OK : reason;
        int fd = openat(walk.directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *directory = fd < 0 ? NULL : fdopendir(fd);
        if (directory == NULL) {
                reason = ksa_path_errno(errno, path, "directory", err);
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
                        reason = cannot(&walk, entry->d_name, err);
        }
        if (errno != 0)
                reason = ksa_path_errno(errno, path, "directory", err);
        (void)closedir(directory);
        return reason;
}

/* --- Locks ------------------------------------------------------------------ */

enum ksa_reason ksa_file_lock(const char *path, uid_t owner, int *ret_lock, struct ksa_error *err)
{
        KSA_CLEANUP(ksa_path_end) struct ksa_path walk;
        enum ksa_reason reason = ksa_path_to(&walk, path, "", owner, err);

        if (reason != KSA_OK)
                return reason;
        int lock =
                openat(walk.directory, ksa_path_last(&walk),
                       O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, S_IRUSR | S_IWUSR);
        if (lock < 0)
                return cannot(&walk, "lock", err);
        int taken;
        do {
                taken = flock(lock, LOCK_EX);
        } while (taken != 0 && errno == EINTR);
        if (taken != 0) {
                reason = cannot(&walk, "lock", err);
                (void)close(lock);
                return reason;
        }
        *ret_lock = lock;
        return KSA_OK;
}

enum ksa_reason ksa_cluster_lock(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                 const char *suffix, int *ret_lock, struct ksa_error *err)
{
        char path[PATH_MAX];
        enum ksa_reason reason = ksa_cluster_path(cluster, env, suffix, path, err);

        if (reason == KSA_OK)
                reason = ksa_directory_make(env->run_dir, env->owner, S_IRWXU, err);
        if (reason == KSA_OK)
                reason = ksa_directory_make_for(path, env->owner, S_IRWXU, err);
        return reason == KSA_OK ? ksa_file_lock(path, env->owner, ret_lock, err) : reason;
}

void ksa_file_unlock(int *lock)
{
        if (*lock >= 0)
                (void)close(*lock);
}

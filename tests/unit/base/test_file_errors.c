/* SPDX-License-Identifier: BSD-2-Clause */
/* file.c: reads that are interrupted, short or fail, disks that are full, directories that cannot be read. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/support.h"

#define MAX 64

/* --- Calls that fail once --------------------------------------------------- */

static struct {
        int open_error, open_list_error; /* of the name "file", of "." */
        int read_error, sync_error, list_error;
        bool short_reads;
        const char *grows; /* path that gets a byte more at the next read */
} fails;

/* glibc's names where file offsets have 64 bits, and with _FORTIFY_SOURCE. */
int __real_openat64(int directory, const char *path, int flags, mode_t mode);
int __wrap_openat64(int directory, const char *path, int flags, mode_t mode);
ssize_t __real_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size);
ssize_t __wrap___read_chk(int fd, void *bytes, size_t size, size_t room);
struct dirent *__real_readdir64(DIR *directory);
struct dirent *__wrap_readdir64(DIR *directory);
int __real_fsync(int fd);
int __wrap_fsync(int fd);

/* Takes *NUMBER, sets errno to it, and returns whether it was one. */
static bool taken(int *number)
{
        bool is_set = *number != 0;

        if (is_set)
                errno = *number;
        *number = 0;
        return is_set;
}

int __wrap_openat64(int directory, const char *path, int flags, mode_t mode)
{
        const char *slash = strrchr(path, '/');
        const char *name = slash != NULL ? slash + 1 : path;

        if (strcmp(name, "file") == 0 && taken(&fails.open_error))
                return -1;
        if (strcmp(name, ".") == 0 && taken(&fails.open_list_error))
                return -1;
        return __real_openat64(directory, path, flags, mode);
}

ssize_t __wrap_read(int fd, void *bytes, size_t size)
{
        if (taken(&fails.read_error))
                return -1;
        if (fails.grows != NULL) {
                FILE *file = fopen(fails.grows, "a");

                assert_non_null(file);
                assert_true(fputc('x', file) == 'x');
                assert_int_equal(fclose(file), 0);
                fails.grows = NULL;
        }
        return __real_read(fd, bytes, fails.short_reads && size > 1 ? 1 : size);
}

ssize_t __wrap___read_chk(int fd, void *bytes, size_t size, size_t room)
{
        assert_true(size <= room);
        return __wrap_read(fd, bytes, size);
}

struct dirent *__wrap_readdir64(DIR *directory)
{
        return taken(&fails.list_error) ? NULL : __real_readdir64(directory);
}

int __wrap_fsync(int fd)
{
        return taken(&fails.sync_error) ? -1 : __real_fsync(fd);
}

static int setup(void **state)
{
        memset(&fails, 0, sizeof(fails));
        return workdir_setup(state);
}

static const char *path_of(const struct workdir *workdir, const char *name)
{
        static char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", workdir->directory, name);
        return path;
}

static bool exists(const char *path)
{
        struct stat status;

        return lstat(path, &status) == 0;
}

/* --- Files ------------------------------------------------------------------ */

/* Reads "file", as text and as a secret (mode 0600): REASON each time, and TEXT of it or of the error. */
static void check_both(const struct workdir *workdir, void (*prepare)(const char *path),
                       enum ksa_reason reason, const char *text)
{
        const char *path = path_of(workdir, "file");

        for (int is_secret = 0; is_secret < 2; is_secret++) {
                struct ksa_error error = {0};
                struct ksa_secret *secret = NULL;
                char *bytes = NULL;
                size_t length = 0;

                workdir_write(workdir, "file", "text");
                assert_int_equal(chmod(path, 0600), 0);
                prepare(path);
                enum ksa_reason got =
                        is_secret ? ksa_file_read_secret(path, getuid(), MAX, &secret, &error)
                                  : ksa_file_read(path, getuid(), MAX, &bytes, &length, &error);
                assert_int_equal(got, reason);
                assert_int_equal(got == KSA_OK, bytes != NULL || secret != NULL);
                if (bytes != NULL)
                        assert_string_equal(bytes, text);
                if (secret != NULL) {
                        assert_int_equal(ksa_secret_length(secret), strlen(text));
                        assert_memory_equal(ksa_secret_bytes(secret), text, strlen(text));
                }
                if (got != KSA_OK) {
                        assert_non_null(strstr(error.text, text));
                        assert_string_equal(error.file, path);
                }
                free(bytes);
                ksa_secret_free(&secret);
        }
}

static void interrupt(const char *path)
{
        (void)path;
        fails.read_error = EINTR;
        fails.short_reads = true;
}

static void break_disk(const char *path)
{
        (void)path;
        fails.read_error = EIO;
}

static void grow_too_far(const char *path)
{
        assert_int_equal(truncate(path, MAX), 0);
        fails.grows = path;
}

static void test_reads_are_continued(void **state)
{
        check_both(*state, interrupt, KSA_OK, "text");
}

static void test_reads_that_fail(void **state)
{
        check_both(*state, break_disk, KSA_FILE_UNREADABLE, "input error");
}

/* It had the size that is allowed when it was opened. */
static void test_a_file_that_grows(void **state)
{
        check_both(*state, grow_too_far, KSA_FILE_UNREADABLE, "");
}

static int open_number;

static void refuse_open(const char *path)
{
        (void)path;
        fails.open_error = open_number;
}

static void test_files_that_cannot_be_opened(void **state)
{
        static const struct {
                int number;
                enum ksa_reason reason;
                const char *text;
        } rows[] = {
                {EACCES, KSA_FILE_UNREADABLE, "permission denied"},
                {EMFILE, KSA_FILE_UNREADABLE, "input error"},
                {EIO, KSA_FILE_UNREADABLE, "input error"},
                {ENOMEM, KSA_MEMORY, "out of memory"},
                {ELOOP, KSA_FILE_UNSAFE, "is a symbolic link"},
                {ENXIO, KSA_FILE_UNSAFE, "is not a regular file"},
                {ENOENT, KSA_FILE_MISSING, "does not exist"},
        };

        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                open_number = rows[i].number;
                check_both(*state, refuse_open, rows[i].reason, rows[i].text);
        }
}

static void test_secrets_that_others_can_read(void **state)
{
        static const mode_t modes[] = {0640, 0604, 0601, 0610, 0644};
        const struct workdir *workdir = *state;

        workdir_write(workdir, "file", "text");
        for (size_t i = 0; i < KSA_COUNT(modes); i++) {
                struct ksa_secret *secret = NULL;
                struct ksa_error error = {0};

                assert_int_equal(chmod(path_of(workdir, "file"), modes[i]), 0);
                assert_int_equal(ksa_file_read_secret(path_of(workdir, "file"), getuid(), MAX,
                                                      &secret, &error),
                                 KSA_FILE_UNSAFE);
                assert_null(secret);
                assert_non_null(strstr(ksa_error_remedy(&error), "run chmod 0600 /"));
        }
}

static void test_secrets_that_are_too_large(void **state)
{
        const struct workdir *workdir = *state;
        struct ksa_secret *secret = NULL;
        struct ksa_error error = {0};

        workdir_write(workdir, "file", "text");
        assert_int_equal(chmod(path_of(workdir, "file"), 0600), 0);
        assert_int_equal(
                ksa_file_read_secret(path_of(workdir, "file"), getuid(), 3, &secret, &error),
                KSA_FILE_UNREADABLE);
        assert_non_null(strstr(error.text, "is larger than 3 bytes"));
        assert_int_equal(
                ksa_file_read_secret(path_of(workdir, "none"), getuid(), 3, &secret, &error),
                KSA_FILE_MISSING);
        assert_null(secret);
}

/* --- Marks ------------------------------------------------------------------ */

static enum ksa_reason mark(const char *path, bool only_look, struct ksa_error *err)
{
        memset(err, 0, sizeof(*err));
        return ksa_file_mark(path, getuid(), only_look, err);
}

static void test_a_mark_is_made_once(void **state)
{
        const char *path = path_of(*state, "file");
        struct ksa_error error;

        assert_int_equal(mark(path, true, &error), KSA_OK);
        assert_false(exists(path));
        assert_int_equal(mark(path, false, &error), KSA_OK);
        assert_true(exists(path));
        assert_int_equal(mark(path, false, &error), KSA_USED_BEFORE);
        assert_int_equal(mark(path, true, &error), KSA_USED_BEFORE);
        /* a link counts, wherever it points to */
        assert_int_equal(unlink(path), 0);
        assert_int_equal(symlink("nowhere", path), 0);
        assert_int_equal(mark(path, false, &error), KSA_USED_BEFORE);
}

static void test_marks_that_cannot_be_made(void **state)
{
        static const struct {
                int number;
                enum ksa_reason reason;
                const char *text, *remedy;
        } rows[] = {
                {ENOSPC, KSA_MARK, "the disk is full", "free space"},
                {EDQUOT, KSA_MARK, "the disk is full", "free space"},
                {EROFS, KSA_MARK, "the file system is read-only", "read-write"},
                {EACCES, KSA_MARK, "permission denied", NULL},
                {EIO, KSA_MARK, "input error", NULL},
                {ENOMEM, KSA_MEMORY, "out of memory", NULL},
                /* another login was faster */
                {EEXIST, KSA_USED_BEFORE, "was used for an earlier login", NULL},
        };
        const char *path = path_of(*state, "file");
        struct ksa_error error;

        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                fails.open_error = rows[i].number;
                assert_int_equal(mark(path, false, &error), rows[i].reason);
                assert_non_null(strstr(error.text, rows[i].text));
                if (rows[i].remedy == NULL)
                        assert_null(error.remedy);
                else
                        assert_non_null(strstr(error.remedy, rows[i].remedy));
                assert_false(exists(path));
        }
}

/* A mark that a power failure may take away is not one. */
static void test_marks_that_may_not_last(void **state)
{
        const char *path = path_of(*state, "file");
        struct ksa_error error;

        fails.sync_error = EIO;
        assert_int_equal(mark(path, false, &error), KSA_MARK);
        assert_int_equal(unlink(path), 0);
        fails.open_list_error = EMFILE;
        assert_int_equal(mark(path, false, &error), KSA_MARK);
}

static void test_places_for_marks(void **state)
{
        const struct workdir *workdir = *state;
        char name[NAME_MAX + 2], path[512];
        struct ksa_error error;

        workdir_directory(workdir, "d");
        assert_int_equal(chmod(path_of(workdir, "d"), 0777), 0);
        assert_int_equal(mark(path_of(workdir, "d/file"), false, &error), KSA_MARK);
        assert_false(exists(path_of(workdir, "d/file")));
        assert_int_equal(mark(path_of(workdir, "none/file"), false, &error), KSA_MARK);
        assert_int_equal(mark(path_of(workdir, "none/file"), true, &error), KSA_MARK);
        assert_int_equal(mark("file", false, &error), KSA_MARK);
        memset(name, 'x', sizeof(name));
        name[NAME_MAX + 1] = '\0';
        (void)snprintf(path, sizeof(path), "%s/%s", workdir->directory, name);
        assert_int_equal(mark(path, false, &error), KSA_MARK);
        assert_int_equal(error.reason, KSA_MARK);
}

/* --- Directories ------------------------------------------------------------ */

static enum ksa_reason list(const struct workdir *workdir)
{
        struct ksa_error error = {0};
        char **names = NULL;
        enum ksa_reason reason =
                ksa_file_list(path_of(workdir, "d"), getuid(), ".conf", &names, &error);

        assert_int_equal(reason == KSA_OK, names != NULL);
        ksa_file_names_free(&names);
        ksa_file_names_free(&names); /* the second time it does nothing */
        return reason;
}

static void test_directories_that_cannot_be_read(void **state)
{
        const struct workdir *workdir = *state;

        workdir_directory(workdir, "d");
        workdir_write(workdir, "d/a.conf", "");
        assert_int_equal(list(workdir), KSA_OK);
        fails.list_error = EIO;
        assert_int_equal(list(workdir), KSA_FILE_UNREADABLE);
        assert_int_equal(fails.list_error, 0);
        fails.open_list_error = EMFILE;
        assert_int_equal(list(workdir), KSA_FILE_UNREADABLE);
        assert_int_equal(list(workdir), KSA_OK);
}

static void test_a_directory_with_too_many_files(void **state)
{
        const struct workdir *workdir = *state;
        char name[32];

        workdir_directory(workdir, "d");
        for (unsigned i = 0; i < 4097; i++) {
                (void)snprintf(name, sizeof(name), "d/%u.conf", i);
                if (i == 4096)
                        assert_int_equal(list(workdir), KSA_OK);
                workdir_write(workdir, name, "");
        }
        assert_int_equal(list(workdir), KSA_FILE_UNREADABLE);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, workdir_teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_reads_are_continued),
                TEST(test_reads_that_fail),
                TEST(test_a_file_that_grows),
                TEST(test_files_that_cannot_be_opened),
                TEST(test_secrets_that_others_can_read),
                TEST(test_secrets_that_are_too_large),
                TEST(test_a_mark_is_made_once),
                TEST(test_marks_that_cannot_be_made),
                TEST(test_marks_that_may_not_last),
                TEST(test_places_for_marks),
                TEST(test_directories_that_cannot_be_read),
                TEST(test_a_directory_with_too_many_files),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

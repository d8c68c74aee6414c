/* SPDX-License-Identifier: BSD-2-Clause */
/* file_write.c: whole or not at all, no link followed, the modes that were asked for. */
#include "admin/base/file_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/support.h"

static const char *path_of(const struct workdir *workdir, const char *name)
{
        static char paths[4][512];
        static unsigned next;
        char *path = paths[next++ % KSA_COUNT(paths)];

        (void)snprintf(path, sizeof(paths[0]), "%s/%s", workdir->directory, name);
        return path;
}

static enum ksa_reason put(const struct workdir *workdir, const char *name, mode_t mode,
                           const char *text)
{
        struct ksa_error error = {0};
        enum ksa_reason reason = ksa_file_replace(path_of(workdir, name), getuid(), mode, text,
                                                  strlen(text), &error);

        assert_int_equal(reason == KSA_OK, error.text[0] == '\0');
        return reason;
}

static void holds(const struct workdir *workdir, const char *name, const char *text)
{
        char *bytes = read_whole(path_of(workdir, name));

        assert_string_equal(bytes, text);
        free(bytes);
}

/* Permission bits; -1 where there is nothing. */
static int mode_of(const struct workdir *workdir, const char *name)
{
        struct stat status;

        return lstat(path_of(workdir, name), &status) == 0 ? (int)(status.st_mode & 07777) : -1;
}

/* --- Directories ------------------------------------------------------------ */

static void test_directories(void **state)
{
        const struct workdir *workdir = *state;
        struct ksa_error error = {0};
        static const mode_t masks[] = {0, 022, 077, 0777};

        for (size_t i = 0; i < KSA_COUNT(masks); i++) {
                mode_t before = umask(masks[i]);

                assert_int_equal(ksa_directory_make(path_of(workdir, "a"), getuid(), 0755, &error),
                                 KSA_OK);
                assert_int_equal(
                        ksa_directory_make(path_of(workdir, "a/b"), getuid(), 0700, &error),
                        KSA_OK);
                (void)umask(before);
                assert_int_equal(mode_of(workdir, "a"), 0755);
                assert_int_equal(mode_of(workdir, "a/b"), 0700);
                assert_int_equal(rmdir(path_of(workdir, "a/b")), 0);
                assert_int_equal(rmdir(path_of(workdir, "a")), 0);
        }
        assert_int_equal(ksa_directory_make(path_of(workdir, "no/where"), getuid(), 0700, &error),
                         KSA_FILE_MISSING);
        assert_int_equal(ksa_directory_make("relative", getuid(), 0700, &error),
                         KSA_FILE_UNREADABLE);
}

/* One that is there stays as an administrator made it. */
static void test_a_directory_that_is_there(void **state)
{
        const struct workdir *workdir = *state;
        struct ksa_error error = {0};

        workdir_directory(workdir, "a");
        assert_int_equal(chmod(path_of(workdir, "a"), 0710), 0);
        assert_int_equal(ksa_directory_make(path_of(workdir, "a"), getuid(), 0755, &error), KSA_OK);
        assert_int_equal(mode_of(workdir, "a"), 0710);
}

/* --- Whole files ------------------------------------------------------------ */

static void test_replace(void **state)
{
        const struct workdir *workdir = *state;
        mode_t before = umask(0777);

        assert_int_equal(put(workdir, "file", 0644, "one"), KSA_OK);
        (void)umask(before);
        holds(workdir, "file", "one");
        assert_int_equal(mode_of(workdir, "file"), 0644);
        assert_int_equal(put(workdir, "file", 0600, ""), KSA_OK);
        holds(workdir, "file", "");
        assert_int_equal(mode_of(workdir, "file"), 0600);
        assert_int_equal(mode_of(workdir, ".file.new"), -1);
        assert_int_equal(put(workdir, "no/where", 0600, "x"), KSA_FILE_MISSING);
}

static void test_a_reader_keeps_what_it_opened(void **state)
{
        const struct workdir *workdir = *state;
        char bytes[8] = "";

        assert_int_equal(put(workdir, "file", 0644, "one"), KSA_OK);
        int fd = open(path_of(workdir, "file"), O_RDONLY | O_CLOEXEC);
        assert_int_equal(put(workdir, "file", 0644, "two"), KSA_OK);
        assert_int_equal(read(fd, bytes, sizeof(bytes)), 3);
        assert_string_equal(bytes, "one");
        (void)close(fd);
}

static void test_leftovers(void **state)
{
        const struct workdir *workdir = *state;

        workdir_write(workdir, ".file.new", "half of something that is longer than the new text");
        assert_int_equal(put(workdir, "file", 0644, "whole"), KSA_OK);
        holds(workdir, "file", "whole");
        assert_int_equal(mode_of(workdir, ".file.new"), -1);
        /* A directory of that name was not left by a writer. */
        workdir_directory(workdir, ".file.new");
        assert_int_equal(put(workdir, "file", 0644, "more"), KSA_FILE_UNWRITABLE);
        holds(workdir, "file", "whole");
}

static void test_links(void **state)
{
        const struct workdir *workdir = *state;

        workdir_write(workdir, "target", "untouched");
        assert_int_equal(symlink(path_of(workdir, "target"), path_of(workdir, "file")), 0);
        assert_int_equal(symlink(path_of(workdir, "target"), path_of(workdir, ".file.new")), 0);
        assert_int_equal(put(workdir, "file", 0600, "new"), KSA_OK);
        holds(workdir, "target", "untouched");
        holds(workdir, "file", "new");
        assert_int_equal(mode_of(workdir, "target"), 0644);
        assert_int_equal(mode_of(workdir, "file"), 0600);
}

static void test_directories_of_others(void **state)
{
        const struct workdir *workdir = *state;

        workdir_directory(workdir, "a");
        assert_int_equal(put(workdir, "a/file", 0644, "one"), KSA_OK);
        assert_int_equal(chmod(path_of(workdir, "a"), 0777), 0);
        assert_int_equal(put(workdir, "a/file", 0644, "two"), KSA_FILE_UNSAFE);
        holds(workdir, "a/file", "one");
        assert_int_equal(mode_of(workdir, "a/.file.new"), -1);
}

/* A write that fails leaves the old file, and no half of a new one. */
static void test_no_room(void **state)
{
        const struct workdir *workdir = *state;
        struct ksa_error error = {0};
        int status;

        assert_int_equal(put(workdir, "file", 0644, "old"), KSA_OK);
        pid_t child = fork();
        if (child == 0) {
                const struct rlimit none = {1, 1};
                char big[8192] = "x";

                (void)signal(SIGXFSZ, SIG_IGN); /* the write fails then */
                bool limited = setrlimit(RLIMIT_FSIZE, &none) == 0;
                enum ksa_reason reason = ksa_file_replace(path_of(workdir, "file"), getuid(), 0644,
                                                          big, sizeof(big), &error);
                _exit(limited && reason == KSA_FILE_UNWRITABLE ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        holds(workdir, "file", "old");
        assert_int_equal(mode_of(workdir, ".file.new"), -1);
}

static void test_long_names(void **state)
{
        const struct workdir *workdir = *state;
        char name[NAME_MAX + 1];

        memset(name, 'x', sizeof(name) - 1);
        name[NAME_MAX] = '\0'; /* too long for a dot and .new */
        assert_int_equal(put(workdir, name, 0644, "one"), KSA_FILE_UNWRITABLE);
        name[NAME_MAX - 5] = '\0';
        assert_int_equal(put(workdir, name, 0644, "one"), KSA_OK);
}

static void test_remove(void **state)
{
        const struct workdir *workdir = *state;
        struct ksa_error error = {0};

        workdir_write(workdir, "file", "text");
        for (int i = 0; i < 2; i++)
                assert_int_equal(ksa_file_remove(path_of(workdir, "file"), getuid(), &error),
                                 KSA_OK);
        assert_int_equal(mode_of(workdir, "file"), -1);
        assert_int_equal(ksa_file_remove(path_of(workdir, "no/where"), getuid(), &error), KSA_OK);
        workdir_directory(workdir, "folder");
        assert_int_not_equal(ksa_file_remove(path_of(workdir, "folder"), getuid(), &error), KSA_OK);
}

/* --- Locks ------------------------------------------------------------------ */

static bool is_locked(const struct workdir *workdir, const char *name)
{
        int fd = open(path_of(workdir, name), O_RDWR | O_CLOEXEC);
        bool locked = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;

        (void)close(fd);
        return locked;
}

static void test_lock(void **state)
{
        const struct workdir *workdir = *state;
        struct ksa_error error = {0};
        mode_t before = umask(0);
        int lock = -1;

        assert_int_equal(ksa_file_lock(path_of(workdir, "lock"), getuid(), &lock, &error), KSA_OK);
        (void)umask(before);
        assert_int_equal(mode_of(workdir, "lock"), 0600);
        assert_int_equal(fcntl(lock, F_GETFD), FD_CLOEXEC);
        assert_true(is_locked(workdir, "lock"));
        (void)close(lock);
        assert_false(is_locked(workdir, "lock"));
        assert_int_equal(ksa_file_lock(path_of(workdir, "lock"), getuid(), &lock, &error), KSA_OK);
        (void)close(lock);
}

static void test_a_lock_that_is_none(void **state)
{
        const struct workdir *workdir = *state;
        struct ksa_error error = {0};
        int lock = -1;

        workdir_write(workdir, "target", "text");
        assert_int_equal(symlink(path_of(workdir, "target"), path_of(workdir, "link")), 0);
        assert_int_equal(ksa_file_lock(path_of(workdir, "link"), getuid(), &lock, &error),
                         KSA_FILE_UNSAFE);
        workdir_directory(workdir, "folder");
        assert_int_not_equal(ksa_file_lock(path_of(workdir, "folder"), getuid(), &lock, &error),
                             KSA_OK);
        assert_int_equal(ksa_file_lock(path_of(workdir, "no/where"), getuid(), &lock, &error),
                         KSA_FILE_MISSING);
        assert_int_equal(lock, -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, workdir_setup, workdir_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_directories), TEST(test_a_directory_that_is_there),
                TEST(test_replace),     TEST(test_a_reader_keeps_what_it_opened),
                TEST(test_leftovers),   TEST(test_links),
                TEST(test_no_room),     TEST(test_directories_of_others),
                TEST(test_long_names),  TEST(test_remove),
                TEST(test_lock),        TEST(test_a_lock_that_is_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

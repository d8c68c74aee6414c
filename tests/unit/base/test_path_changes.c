/* SPDX-License-Identifier: BSD-2-Clause */
/* path.c: what happens between the check of a directory and its use. */
#include "base/path.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "support/support.h"

/* --- An event after a check ------------------------------------------------- */

static struct {
        const char *after; /* end of the path whose check, or before whose opening, it happens */
        void (*event)(void);
        const char *mounted; /* paths that contain it are on another device */
        int checks;          /* calls of fstatat */
} scene;

static const struct workdir *place;

/* glibc's names where file offsets have 64 bits. */
int __real_fstatat64(int directory, const char *path, struct stat *status, int flags);
int __wrap_fstatat64(int directory, const char *path, struct stat *status, int flags);
int __real_fstat64(int fd, struct stat *status);
int __wrap_fstat64(int fd, struct stat *status);
int __real_openat64(int directory, const char *path, int flags, mode_t mode);
int __wrap_openat64(int directory, const char *path, int flags, mode_t mode);

static bool ends_in(const char *path, const char *end)
{
        size_t length = strlen(path), tail = end != NULL ? strlen(end) : length + 1;

        return length >= tail && strcmp(path + length - tail, end) == 0;
}

static void happen(const char *path)
{
        if (!ends_in(path, scene.after))
                return;
        scene.after = NULL;
        scene.event();
}

static bool file_is_mounted;

int __wrap_fstatat64(int directory, const char *path, struct stat *status, int flags)
{
        int result = __real_fstatat64(directory, path, status, flags);

        scene.checks++;
        if (scene.mounted != NULL && strstr(path, scene.mounted) != NULL)
                status->st_dev++;
        happen(path);
        return result;
}

int __wrap_openat64(int directory, const char *path, int flags, mode_t mode)
{
        happen(path);
        file_is_mounted = scene.mounted != NULL && strstr(path, scene.mounted) != NULL;
        return __real_openat64(directory, path, flags, mode);
}

int __wrap_fstat64(int fd, struct stat *status)
{
        int result = __real_fstat64(fd, status);

        if (file_is_mounted)
                status->st_dev++;
        file_is_mounted = false;
        return result;
}

/* Valid for eight calls: an event names paths while another one is checked. */
static const char *path_of(const char *name)
{
        static char path[8][256];
        static size_t turn;

        turn = (turn + 1) % KSA_COUNT(path);
        (void)snprintf(path[turn], sizeof(path[turn]), "%s/%s", place->directory, name);
        return path[turn];
}

/* a/b/file, and other/b/file with another text. */
static int setup(void **state)
{
        memset(&scene, 0, sizeof(scene));
        file_is_mounted = false;
        if (workdir_setup(state) != 0)
                return -1;
        place = *state;
        workdir_directory(place, "a");
        workdir_directory(place, "a/b");
        workdir_write(place, "a/b/file", "text");
        workdir_directory(place, "other");
        workdir_directory(place, "other/b");
        workdir_write(place, "other/b/file", "other");
        return 0;
}

static enum ksa_reason read_it(const char *name, struct ksa_error *err)
{
        char *bytes = NULL;
        size_t length = 0;

        memset(err, 0, sizeof(*err));
        enum ksa_reason reason = ksa_file_read(path_of(name), getuid(), 16, &bytes, &length, err);
        assert_int_equal(reason == KSA_OK, bytes != NULL);
        if (bytes != NULL)
                assert_string_equal(bytes, "text");
        free(bytes);
        return reason;
}

/* "other" takes the place of "a", as a mount would. */
static void cover(void)
{
        assert_int_equal(rename(path_of("a"), path_of("covered")), 0);
        assert_int_equal(rename(path_of("other"), path_of("a")), 0);
}

static void cover_b(void)
{
        assert_int_equal(rename(path_of("a/b"), path_of("covered")), 0);
        assert_int_equal(rename(path_of("other/b"), path_of("a/b")), 0);
}

/* --- Files ------------------------------------------------------------------ */

static void replace_file(void)
{
        assert_int_equal(unlink(path_of("a/b/file")), 0);
        assert_int_equal(symlink("../../other/b/file", path_of("a/b/file")), 0);
}

static void test_a_file_that_becomes_a_link(void **state)
{
        struct ksa_error error;

        (void)state;
        scene.after = "a/b/file";
        scene.event = replace_file;
        assert_int_equal(read_it("a/b/file", &error), KSA_FILE_UNSAFE);
        assert_non_null(strstr(error.text, "is a symbolic link"));
        assert_null(scene.after);
}

/* One call for each directory below "/". */
static void test_directories_are_read_once(void **state)
{
        struct ksa_error error;

        (void)state;
        assert_int_equal(read_it("a/b/file", &error), KSA_OK);
        int slashes = 0;
        for (const char *byte = path_of("a/b/file"); *byte != '\0'; byte++)
                slashes += *byte == '/';
        assert_int_equal(scene.checks, slashes - 1);
}

/* --- Mounts ----------------------------------------------------------------- */

/* An automount covers a directory after it was checked, with one that was not. */
static void test_a_directory_that_is_covered(void **state)
{
        struct ksa_error error;

        (void)state;
        scene.after = "/a";
        scene.event = cover;
        scene.mounted = "/a/";
        assert_int_equal(read_it("a/b/file", &error), KSA_FILE_UNREADABLE);
        assert_non_null(strstr(error.text, "a directory changed while it was checked"));
        assert_string_equal(error.file, path_of("a/b/file"));
        assert_null(scene.after);
}

static void test_a_last_directory_that_is_covered(void **state)
{
        struct ksa_error error;

        (void)state;
        scene.after = "/a/b";
        scene.event = cover_b;
        scene.mounted = "/a/b/";
        assert_int_equal(read_it("a/b/file", &error), KSA_FILE_UNREADABLE);
        assert_non_null(strstr(error.text, "a directory changed while it was checked"));
        assert_null(scene.after);
}

/* Directories and files that are mount points. */
static void test_mount_points(void **state)
{
        static const char *const places[] = {"/a", "/a/b", "/a/b/file"};
        struct ksa_error error;

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(places); i++) {
                scene.mounted = places[i];
                assert_int_equal(read_it("a/b/file", &error), KSA_OK);
        }
        /* is_unchanged() does not hide what else is wrong */
        scene.mounted = "/a/b";
        assert_int_equal(chmod(path_of("a/b"), 0777), 0);
        assert_int_equal(read_it("a/b/file", &error), KSA_FILE_UNSAFE);
}

/* --- Directories ------------------------------------------------------------ */

/* The directory that is opened is the one that was checked. */
static void test_a_directory_that_is_replaced(void **state)
{
        struct ksa_error error = {0};
        struct ksa_path walk;

        (void)state;
        scene.after = "/a/b";
        scene.event = cover_b;
        assert_int_equal(ksa_path_to(&walk, path_of("a/b/file"), "", getuid(), &error),
                         KSA_FILE_UNREADABLE);
        ksa_path_end(&walk);
        assert_non_null(strstr(error.text, "a directory changed while it was checked"));
        assert_null(scene.after);
}

static void open_to_others(void)
{
        assert_int_equal(chmod(path_of("a/b"), 0777), 0);
}

static void become_link(void)
{
        assert_int_equal(rename(path_of("a/b"), path_of("covered")), 0);
        assert_int_equal(symlink("../covered", path_of("a/b")), 0);
}

static void test_a_directory_is_checked_again(void **state)
{
        struct ksa_error error = {0};
        struct ksa_path walk;

        (void)state;
        scene.after = "/a/b";
        scene.event = open_to_others;
        assert_int_equal(ksa_path_to(&walk, path_of("a/b/file"), "", getuid(), &error),
                         KSA_FILE_UNSAFE);
        ksa_path_end(&walk);
        assert_non_null(strstr(error.text, "is writable by others"));
        assert_int_equal(chmod(path_of("a/b"), 0755), 0);
        scene.after = "/a/b";
        scene.event = become_link;
        assert_int_not_equal(ksa_path_to(&walk, path_of("a/b/file"), "", getuid(), &error), KSA_OK);
        ksa_path_end(&walk);
}

/* No mark is made in a directory that was not checked. */
static void test_a_mark_in_a_directory_that_is_replaced(void **state)
{
        struct ksa_error error = {0};
        struct stat status;

        (void)state;
        scene.after = "/a/b";
        scene.event = cover_b;
        assert_int_equal(ksa_file_mark(path_of("a/b/mark"), getuid(), false, &error), KSA_MARK);
        assert_int_equal(lstat(path_of("a/b/mark"), &status), -1);
        assert_int_equal(lstat(path_of("covered/mark"), &status), -1);
}

/* --- The root directory ----------------------------------------------------- */

static void enter_jail(void)
{
        assert_int_equal(chroot(path_of("other")), 0);
}

static void leave_jail(int root)
{
        assert_int_equal(fchdir(root), 0);
        assert_int_equal(chroot("."), 0);
        assert_int_equal(close(root), 0);
}

/* "/" is checked like the directories below. */
static void test_a_root_directory_of_others(void **state)
{
        static const struct {
                mode_t mode;
                uid_t owner;
                enum ksa_reason reason;
        } rows[] = {{0755, 0, KSA_OK},
                    {0777, 0, KSA_FILE_UNSAFE},
                    {0775, 0, KSA_FILE_UNSAFE},
                    {0755, 65533, KSA_FILE_UNSAFE}};
        char *bytes = NULL;
        size_t length;

        (void)state;
        if (getuid() != 0)
                skip(); /* only root can change its root directory */
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

                assert_int_equal(chmod(path_of("other"), rows[i].mode), 0);
                assert_int_equal(chown(path_of("other"), rows[i].owner, 0), 0);
                enter_jail();
                enum ksa_reason reason = ksa_file_read("/b/file", 0, 16, &bytes, &length, NULL);
                leave_jail(root);
                assert_int_equal(reason, rows[i].reason);
                free(bytes);
                bytes = NULL;
        }
}

/* Another thread of the host program calls chroot(). Also an absolute link leads to the former "/". */
static void test_a_root_directory_that_changes(void **state)
{
        static const char *const names[] = {"a/b/file", "absolute/b/file"};
        struct ksa_error error;

        (void)state;
        if (getuid() != 0)
                skip(); /* only root can change its root directory */
        assert_int_equal(symlink(path_of("a"), path_of("absolute")), 0);
        for (size_t i = 0; i < KSA_COUNT(names); i++) {
                int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

                scene.after = i == 0 ? "/a" : "/absolute";
                scene.event = enter_jail;
                enum ksa_reason reason = read_it(names[i], &error);
                leave_jail(root);
                assert_int_equal(reason, KSA_OK);
                assert_null(scene.after);
        }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, workdir_teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_a_file_that_becomes_a_link),
                TEST(test_directories_are_read_once),
                TEST(test_a_directory_that_is_covered),
                TEST(test_a_last_directory_that_is_covered),
                TEST(test_mount_points),
                TEST(test_a_directory_that_is_replaced),
                TEST(test_a_directory_is_checked_again),
                TEST(test_a_mark_in_a_directory_that_is_replaced),
                TEST(test_a_root_directory_of_others),
                TEST(test_a_root_directory_that_changes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* path.c: symbolic links, directories of others, and ways that do not lead to a file. */
#include "base/path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "support/support.h"

#define STRANGER 65533

static const char *path_of(const struct workdir *workdir, const char *name)
{
        static char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", workdir->directory, name);
        return path;
}

static void make_link(const struct workdir *workdir, const char *target, const char *name)
{
        assert_int_equal(symlink(target, path_of(workdir, name)), 0);
}

/* Reads PATH; its text must be "text". */
static enum ksa_reason read_path(const char *path, struct ksa_error *err)
{
        char *bytes = NULL;
        size_t length = 0;

        memset(err, 0, sizeof(*err));
        enum ksa_reason reason = ksa_file_read(path, getuid(), 16, &bytes, &length, err);
        assert_int_equal(reason == KSA_OK, bytes != NULL);
        if (bytes != NULL)
                assert_string_equal(bytes, "text");
        free(bytes);
        return reason;
}

static enum ksa_reason read_it(const struct workdir *workdir, const char *name)
{
        struct ksa_error error;

        return read_path(path_of(workdir, name), &error);
}

/* a/b/file, with the text. */
static int setup(void **state)
{
        if (workdir_setup(state) != 0)
                return -1;
        workdir_directory(*state, "a");
        workdir_directory(*state, "a/b");
        workdir_write(*state, "a/b/file", "text");
        return 0;
}

/* --- Links ------------------------------------------------------------------ */

static void test_links_to_directories(void **state)
{
        const struct workdir *workdir = *state;
        char target[128];

        (void)snprintf(target, sizeof(target), "%s/a", workdir->directory);
        make_link(workdir, "a", "relative");
        make_link(workdir, target, "absolute");
        make_link(workdir, "../a/b", "a/up");
        make_link(workdir, "absolute", "second");
        make_link(workdir, "a/", "slash");
        make_link(workdir, ".", "dot");
        assert_int_equal(read_it(workdir, "relative/b/file"), KSA_OK);
        assert_int_equal(read_it(workdir, "absolute/b/file"), KSA_OK);
        assert_int_equal(read_it(workdir, "a/up/file"), KSA_OK);
        assert_int_equal(read_it(workdir, "second/b/file"), KSA_OK);
        assert_int_equal(read_it(workdir, "slash/b/file"), KSA_OK);
        assert_int_equal(read_it(workdir, "dot/relative/up/file"), KSA_OK);
        assert_int_equal(read_it(workdir, "a/b/../b/./file"), KSA_OK);
        assert_int_equal(read_it(workdir, "//a///b//file"), KSA_OK);
}

/* The last name may not be a link, even to a file that is safe. */
static void test_links_to_files(void **state)
{
        make_link(*state, "file", "a/b/link");
        assert_int_equal(read_it(*state, "a/b/link"), KSA_FILE_UNSAFE);
}

static void test_links_that_lead_nowhere(void **state)
{
        const struct workdir *workdir = *state;

        make_link(workdir, "none", "dangling");
        make_link(workdir, "a/b/file", "file");
        make_link(workdir, "loop", "loop");
        make_link(workdir, "pong", "ping");
        make_link(workdir, "ping", "pong");
        assert_int_equal(read_it(workdir, "dangling/file"), KSA_FILE_MISSING);
        assert_int_equal(read_it(workdir, "file/file"), KSA_FILE_MISSING);
        assert_int_equal(read_it(workdir, "loop/file"), KSA_FILE_UNSAFE);
        assert_int_equal(read_it(workdir, "ping/file"), KSA_FILE_UNSAFE);
}

static void test_many_links(void **state)
{
        const struct workdir *workdir = *state;
        char name[16], target[16];

        make_link(workdir, "a/b", "1");
        for (int i = 2; i <= 9; i++) {
                (void)snprintf(name, sizeof(name), "%d", i);
                (void)snprintf(target, sizeof(target), "%d", i - 1);
                make_link(workdir, target, name);
        }
        assert_int_equal(read_it(workdir, "8/file"), KSA_OK);
        assert_int_equal(read_it(workdir, "9/file"), KSA_FILE_UNSAFE);
}

/* A target that fits, and leaves no room for the rest of the path, or for the directories before it. */
static void test_a_link_that_is_too_long(void **state)
{
        const struct workdir *workdir = *state;
        char target[PATH_MAX - 4];
        struct ksa_error error;

        for (size_t i = 0; i + 1 < sizeof(target); i++)
                target[i] = i % 2 == 0 ? '.' : '/';
        target[sizeof(target) - 1] = '\0';
        make_link(workdir, target, "long");
        assert_int_equal(read_it(workdir, "long/a/b/file"), KSA_FILE_UNSAFE);
        workdir_write(workdir, "f", "text");
        assert_int_equal(read_path(path_of(workdir, "long/f"), &error), KSA_FILE_UNREADABLE);
        assert_non_null(strstr(error.text, "input error"));
}

static void test_what_a_link_leads_to_is_checked(void **state)
{
        const struct workdir *workdir = *state;

        workdir_directory(workdir, "open");
        workdir_directory(workdir, "open/inside");
        workdir_write(workdir, "open/inside/file", "text");
        assert_int_equal(chmod(path_of(workdir, "open"), 0777), 0);
        make_link(workdir, "open/inside", "link");
        assert_int_equal(read_it(workdir, "link/file"), KSA_FILE_UNSAFE);
        assert_int_equal(chmod(path_of(workdir, "open"), 0755), 0);
        assert_int_equal(read_it(workdir, "link/file"), KSA_OK);
}

/* ".." is a name like others, and so is each name before it. */
static void test_directories_before_dots(void **state)
{
        const struct workdir *workdir = *state;

        workdir_directory(workdir, "open");
        workdir_directory(workdir, "a/safe");
        make_link(workdir, "../open/../a/b", "a/link");
        assert_int_equal(read_it(workdir, "open/../a/b/file"), KSA_OK);
        assert_int_equal(read_it(workdir, "a/link/file"), KSA_OK);
        assert_int_equal(chmod(path_of(workdir, "open"), 0777), 0);
        assert_int_equal(read_it(workdir, "open/../a/b/file"), KSA_FILE_UNSAFE);
        assert_int_equal(read_it(workdir, "a/link/file"), KSA_FILE_UNSAFE);
        assert_int_equal(chmod(path_of(workdir, "open"), 0755), 0);
        /* and the directory that ".." leads to */
        assert_int_equal(chmod(path_of(workdir, "a"), 0775), 0);
        make_link(workdir, "a/safe", "into");
        assert_int_equal(read_it(workdir, "into/../b/file"), KSA_FILE_UNSAFE);
        assert_int_equal(chmod(path_of(workdir, "a"), 0755), 0);
        assert_int_equal(read_it(workdir, "into/../b/file"), KSA_OK);
        assert_int_equal(read_path("/..//../../none", &(struct ksa_error){0}), KSA_FILE_MISSING);
}

/* --- Owners ----------------------------------------------------------------- */

static void test_owners_on_the_way(void **state)
{
        const struct workdir *workdir = *state;
        struct ksa_error error;

        if (getuid() != 0)
                skip(); /* only root can give a directory away */
        make_link(workdir, "a", "link");
        assert_int_equal(read_it(workdir, "link/b/file"), KSA_OK);
        assert_int_equal(lchown(path_of(workdir, "link"), STRANGER, 0), 0);
        assert_int_equal(read_path(path_of(workdir, "link/b/file"), &error), KSA_FILE_UNSAFE);
        assert_non_null(strstr(error.text, "belongs to uid 65533"));
        assert_int_equal(read_it(workdir, "a/b/file"), KSA_OK);
        assert_int_equal(chown(path_of(workdir, "a"), STRANGER, 0), 0);
        assert_int_equal(read_path(path_of(workdir, "a/b/file"), &error), KSA_FILE_UNSAFE);
        assert_non_null(strstr(error.text, "belongs to uid 65533"));
        /* a sticky directory is safe only if its owner is */
        assert_int_equal(chmod(path_of(workdir, "a"), 01777), 0);
        assert_int_equal(read_it(workdir, "a/b/file"), KSA_FILE_UNSAFE);
}

static void test_a_directory_that_may_not_be_entered(void **state)
{
        const struct workdir *workdir = *state;
        struct ksa_error error;

        if (getuid() != 0)
                skip(); /* its own directory it can always enter */
        assert_int_equal(chmod(workdir->directory, 0755), 0);
        assert_int_equal(chmod(path_of(workdir, "a"), 0700), 0);
        assert_int_equal(seteuid(STRANGER), 0);
        enum ksa_reason reason = read_path(path_of(workdir, "a/b/file"), &error);
        assert_int_equal(seteuid(0), 0);
        assert_int_equal(reason, KSA_FILE_UNREADABLE);
        assert_non_null(strstr(error.text, "permission denied"));
}

/* --- Paths ------------------------------------------------------------------ */

static void test_paths_that_are_not_usable(void **state)
{
        const struct workdir *workdir = *state;
        struct ksa_error error;
        char path[PATH_MAX + 2];

        assert_int_equal(read_path("a/b/file", &error), KSA_FILE_UNREADABLE);
        assert_int_equal(read_path("", &error), KSA_FILE_UNREADABLE);
        assert_int_not_equal(read_path("/", &error), KSA_OK);
        memset(path, 'x', sizeof(path));
        path[0] = '/';
        path[PATH_MAX + 1] = '\0';
        assert_int_equal(read_path(path, &error), KSA_FILE_UNREADABLE);
        /* one name that is too long, as a directory and as a file */
        (void)snprintf(path, sizeof(path), "%s/%0300d/file", workdir->directory, 0);
        assert_int_equal(read_path(path, &error), KSA_FILE_UNREADABLE);
        (void)snprintf(path, sizeof(path), "%s/a/%0300d", workdir->directory, 0);
        assert_int_equal(read_path(path, &error), KSA_FILE_UNREADABLE);
}

static void test_what_an_errno_means(void **state)
{
        static const struct {
                int number;
                const char *name;
                enum ksa_reason reason;
                const char *text;
        } rows[] = {
                {ENOENT, "file", KSA_FILE_MISSING, "/a/file does not exist"},
                {ENOENT, "a", KSA_FILE_MISSING, "/a/file: a does not exist"},
                {ENOTDIR, "a", KSA_FILE_MISSING, "/a/file: a does not exist"},
                {ENOMEM, "a", KSA_MEMORY, "out of memory"},
                {ELOOP, "file", KSA_FILE_UNSAFE,
                 "/a/file is a symbolic link; only directories may be links"},
                {EACCES, "a", KSA_FILE_UNREADABLE, "/a/file: a: permission denied"},
                {EIO, "file", KSA_FILE_UNREADABLE, "/a/file: input error"},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_error error = {0};

                assert_int_equal(ksa_path_errno(rows[i].number, "/a/file", rows[i].name, &error),
                                 rows[i].reason);
                assert_string_equal(error.text, rows[i].text);
                assert_string_equal(error.file, "/a/file");
        }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, workdir_teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_links_to_directories),
                TEST(test_links_to_files),
                TEST(test_links_that_lead_nowhere),
                TEST(test_many_links),
                TEST(test_a_link_that_is_too_long),
                TEST(test_what_a_link_leads_to_is_checked),
                TEST(test_directories_before_dots),
                TEST(test_owners_on_the_way),
                TEST(test_a_directory_that_may_not_be_entered),
                TEST(test_paths_that_are_not_usable),
                TEST(test_what_an_errno_means),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* file.c: other users that could have changed it. */
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/support.h"

#define MAX      64
#define STRANGER 65533

static char *path_of(const struct workdir *workdir, const char *name)
{
        static char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", workdir->directory, name);
        return path;
}

static enum ksa_reason read_it(const struct workdir *workdir, const char *name)
{
        struct ksa_error error = {0};
        char *bytes = NULL;
        size_t length = 0;
        enum ksa_reason reason =
                ksa_file_read(path_of(workdir, name), getuid(), MAX, &bytes, &length, &error);

        assert_int_equal(reason == KSA_OK, bytes != NULL);
        assert_int_equal(reason == KSA_OK, error.text[0] == '\0');
        if (bytes != NULL)
                assert_int_equal(strlen(bytes), length);
        free(bytes);
        return reason;
}

static void test_modes_and_owners(void **state)
{
        static const struct {
                mode_t mode;
                enum ksa_reason reason;
        } rows[] = {{0644, KSA_OK},          {0600, KSA_OK},          {0444, KSA_OK},
                    {0664, KSA_FILE_UNSAFE}, {0646, KSA_FILE_UNSAFE}, {0666, KSA_FILE_UNSAFE},
                    {0602, KSA_FILE_UNSAFE}};
        const struct workdir *workdir = *state;

        workdir_write(workdir, "file", "text");
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                assert_int_equal(chmod(path_of(workdir, "file"), rows[i].mode), 0);
                assert_int_equal(read_it(workdir, "file"), rows[i].reason);
        }
        if (getuid() != 0)
                skip(); /* only root can give a file away */
        assert_int_equal(chmod(path_of(workdir, "file"), 0644), 0);
        assert_int_equal(chown(path_of(workdir, "file"), STRANGER, 0), 0);
        assert_int_equal(read_it(workdir, "file"), KSA_FILE_UNSAFE);
}

static void test_parents(void **state)
{
        static const struct {
                mode_t mode;
                enum ksa_reason reason;
        } rows[] = {{0755, KSA_OK},
                    {0700, KSA_OK},
                    {0775, KSA_FILE_UNSAFE},
                    {0757, KSA_FILE_UNSAFE},
                    {0777, KSA_FILE_UNSAFE}};
        const struct workdir *workdir = *state;

        workdir_directory(workdir, "a");
        workdir_directory(workdir, "a/b");
        workdir_write(workdir, "a/b/file", "text");
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                assert_int_equal(chmod(path_of(workdir, "a"), rows[i].mode), 0);
                assert_int_equal(read_it(workdir, "a/b/file"), rows[i].reason);
        }
        /* A sticky directory of root is safe: a user cannot rename the files of another one. */
        assert_int_equal(chmod(path_of(workdir, "a"), 01777), 0);
        assert_int_equal(read_it(workdir, "a/b/file"), getuid() == 0 ? KSA_OK : KSA_FILE_UNSAFE);
}

static void test_kinds(void **state)
{
        const struct workdir *workdir = *state;
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        workdir_write(workdir, "file", "text");
        assert_int_equal(symlink("file", path_of(workdir, "link")), 0);
        assert_int_equal(mkfifo(path_of(workdir, "fifo"), 0644), 0);
        workdir_directory(workdir, "folder");
        int end = socket(AF_UNIX, SOCK_STREAM, 0);
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%.90s",
                       path_of(workdir, "socket"));
        assert_int_equal(bind(end, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(read_it(workdir, "link"), KSA_FILE_UNSAFE);
        assert_int_equal(read_it(workdir, "fifo"), KSA_FILE_UNSAFE);
        assert_int_equal(read_it(workdir, "folder"), KSA_FILE_UNSAFE);
        assert_int_not_equal(read_it(workdir, "socket"), KSA_OK);
        assert_int_equal(read_it(workdir, "none"), KSA_FILE_MISSING);
        assert_int_equal(read_it(workdir, "none/file"), KSA_FILE_MISSING);
        assert_int_not_equal(read_it(workdir, "file/file"), KSA_OK);
        assert_int_equal(close(end), 0);
}

static void test_sizes(void **state)
{
        const struct workdir *workdir = *state;
        char text[MAX + 2];

        memset(text, 'x', sizeof(text));
        text[MAX + 1] = '\0';
        workdir_write(workdir, "file", text);
        assert_int_equal(read_it(workdir, "file"), KSA_FILE_UNREADABLE);
        text[MAX] = '\0';
        workdir_write(workdir, "file", text);
        assert_int_equal(read_it(workdir, "file"), KSA_OK);
        workdir_write(workdir, "file", "");
        assert_int_equal(read_it(workdir, "file"), KSA_OK);
}

static void test_paths_that_climb(void **state)
{
        const struct workdir *workdir = *state;

        workdir_directory(workdir, "a");
        workdir_write(workdir, "file", "text");
        assert_int_equal(read_it(workdir, "./file"), KSA_OK);
        assert_int_equal(read_it(workdir, "/file"), KSA_OK);
        struct ksa_error error = {0};
        char *bytes;
        size_t length;
        assert_int_not_equal(ksa_file_read("file", getuid(), MAX, &bytes, &length, &error), KSA_OK);
        assert_int_not_equal(ksa_file_read("", getuid(), MAX, &bytes, &length, &error), KSA_OK);
}

static void test_names(void **state)
{
        const struct workdir *workdir = *state;
        char **names = NULL;
        struct ksa_error error = {0};

        workdir_directory(workdir, "d");
        workdir_write(workdir, "d/b.conf", "");
        workdir_write(workdir, "d/a.conf", "");
        workdir_write(workdir, "d/B.conf", "");
        workdir_write(workdir, "d/.hidden.conf", "");
        workdir_write(workdir, "d/a.conf~", "");
        workdir_write(workdir, "d/conf", "");
        assert_int_equal(ksa_file_list(path_of(workdir, "d"), getuid(), ".conf", &names, &error),
                         KSA_OK);
        assert_string_equal(names[0], "B.conf");
        assert_string_equal(names[1], "a.conf");
        assert_string_equal(names[2], "b.conf");
        assert_null(names[3]);
        ksa_file_names_free(&names);
        assert_int_equal(chmod(path_of(workdir, "d"), 0777), 0);
        assert_int_equal(ksa_file_list(path_of(workdir, "d"), getuid(), ".conf", &names, &error),
                         KSA_FILE_UNSAFE);
        assert_int_equal(ksa_file_list(path_of(workdir, "e"), getuid(), ".conf", &names, &error),
                         KSA_FILE_MISSING);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_modes_and_owners, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_parents, workdir_setup, workdir_teardown),
                cmocka_unit_test_setup_teardown(test_kinds, workdir_setup, workdir_teardown),
                cmocka_unit_test_setup_teardown(test_sizes, workdir_setup, workdir_teardown),
                cmocka_unit_test_setup_teardown(test_paths_that_climb, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_names, workdir_setup, workdir_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

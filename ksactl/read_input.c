/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that an administrator names, or standard input; what is no secret. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ksactl.h"

/* All that FD gives, up to MAX bytes and one more, which says that there are more. NULL with errno. */
static char *read_all(int fd, size_t max, size_t *ret_length)
{
        size_t length = 0, room = 0;
        char *bytes = NULL;
        ssize_t got = 1;

        while (got != 0 && length <= max) {
                if (length == room) {
                        char *more = realloc(bytes, room = room != 0 ? 2 * room : 65536);

                        if (more == NULL)
                                break;
                        bytes = more;
                }
                got = read(fd, bytes + length, room - length);
                if (got < 0 && errno != EINTR)
                        break;
                length += got > 0 ? (size_t)got : 0;
                got = got < 0 ? 1 : got;
        }
        if (got == 0 || length > max) {
                *ret_length = length;
                return bytes;
        }
        free(bytes);
        return NULL;
}

int open_input(const char *path)
{
        if (strcmp(path, "-") != 0)
                return open(path, O_RDONLY | O_CLOEXEC);
        if (isatty(STDIN_FILENO))
                (void)fputs("ksactl: reading standard input, a terminal; Ctrl-D ends it\n", stderr);
        return STDIN_FILENO;
}

bool read_input(const char *path, size_t max, char **ret_bytes, size_t *ret_length)
{
        int fd = open_input(path);
        size_t length = 0;
        char *bytes = fd < 0 ? NULL : read_all(fd, max, &length);
        const char *why = strerror(errno);

        if (fd > STDIN_FILENO)
                (void)close(fd);
        if (bytes != NULL && length <= max) {
                *ret_bytes = bytes;
                *ret_length = length;
                return true;
        }
        if (bytes == NULL)
                (void)fprintf(stderr, "ksactl: %s cannot be read: %s\n", path, why);
        else
                (void)fprintf(stderr, "ksactl: %s is larger than %zu MiB\n", path,
                              max / 1024 / 1024);
        free(bytes);
        return false;
}

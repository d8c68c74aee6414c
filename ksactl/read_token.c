/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a token or key that an administrator names directly into a secret, without stdio's buffers. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ksactl.h"
#include "token/token.h"

/* Opens PATH, "-" for standard input, with a message if that is a terminal. */
static int open_input(const char *path)
{
        if (strcmp(path, "-") != 0)
                return open(path, O_RDONLY | O_CLOEXEC);
        if (isatty(STDIN_FILENO))
                (void)fputs("ksactl: reading standard input, a terminal; Ctrl-D ends it\n", stderr);
        return STDIN_FILENO;
}

struct ksa_secret *read_secret(const char *path, size_t max)
{
        struct ksa_secret *secret = ksa_secret_new(max + 1);
        int fd = open_input(path);
        size_t room = 0;
        ssize_t got = -1;

        while (secret != NULL && fd >= 0) {
                void *tail = ksa_secret_tail(secret, &room);

                got = room == 0 ? 0 : read(fd, tail, room);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0)
                        break;
                ksa_secret_extend(secret, (size_t)got);
        }
        if (fd > STDIN_FILENO)
                (void)close(fd);
        if (secret == NULL || got < 0) {
                (void)fprintf(stderr, "ksactl: %s cannot be read\n", path);
                ksa_secret_free(&secret);
        }
        return secret;
}

struct ksa_secret *read_token(const char *path)
{
        /* With room for the newline. A longer file is not a token. */
        struct ksa_secret *token = read_secret(path, KSA_TOKEN_MAX + 1);
        size_t length = token != NULL ? ksa_secret_length(token) : 0;

        if (length > 0 && ksa_secret_bytes(token)[length - 1] == '\n')
                ksa_secret_cut(token, length - 1);
        return token;
}

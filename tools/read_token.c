/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A token that an administrator hands to ksactl, straight into a secret: no buffer of stdio holds it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "ksactl.h"

struct ksa_secret *read_token(const char *path)
{
        struct ksa_secret *token = ksa_secret_new(KSA_TOKEN_MAX + 2);
        int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
        size_t room = 0;
        ssize_t got = -1;

        while (token != NULL && fd >= 0) {
                void *tail = ksa_secret_tail(token, &room);

                got = room == 0 ? 0 : read(fd, tail, room);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0)
                        break;
                ksa_secret_extend(token, (size_t)got);
        }
        if (fd > STDIN_FILENO)
                (void)close(fd);
        if (token == NULL || got < 0) {
                (void)fprintf(stderr, "ksactl: %s cannot be read\n", path);
                ksa_secret_free(&token);
                return NULL;
        }
        size_t length = ksa_secret_length(token);
        if (length > 0 && ksa_secret_bytes(token)[length - 1] == '\n')
                ksa_secret_cut(token, length - 1);
        return token;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/secret.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct ksa_secret {
        size_t capacity;
        size_t length;
        char bytes[]; /* capacity + 1: a NUL always follows the last byte */
};

struct ksa_secret *ksa_secret_new(size_t capacity)
{
        if (capacity > SIZE_MAX - sizeof(struct ksa_secret) - 1)
                return NULL;

        struct ksa_secret *secret = calloc(1, sizeof(*secret) + capacity + 1);

        if (secret != NULL)
                secret->capacity = capacity;
        return secret;
}

void ksa_secret_free(struct ksa_secret **secret)
{
        if (secret == NULL || *secret == NULL)
                return;
        ksa_secret_wipe((*secret)->bytes, (*secret)->capacity);
        free(*secret);
        *secret = NULL;
}

bool ksa_secret_append(struct ksa_secret *secret, const void *bytes, size_t count)
{
        if (count > secret->capacity - secret->length)
                return false;
        if (count > 0)
                memcpy(secret->bytes + secret->length, bytes, count);
        ksa_secret_extend(secret, count);
        return true;
}

const char *ksa_secret_bytes(const struct ksa_secret *secret)
{
        return secret->bytes;
}

size_t ksa_secret_length(const struct ksa_secret *secret)
{
        return secret->length;
}

void *ksa_secret_tail(struct ksa_secret *secret, size_t *ret_room)
{
        *ret_room = secret->capacity - secret->length;
        return secret->bytes + secret->length;
}

void ksa_secret_extend(struct ksa_secret *secret, size_t count)
{
        secret->length += count;
        secret->bytes[secret->length] = '\0';
}

void ksa_secret_cut(struct ksa_secret *secret, size_t length)
{
        ksa_secret_wipe(secret->bytes + length, secret->length - length);
        secret->length = length;
}

void ksa_secret_wipe(void *bytes, size_t count)
{
        explicit_bzero(bytes, count);
}

/* A run of this length cannot match by chance. */
#define BLOCK ((size_t)16)

void ksa_secret_blot(const char *secret, char *text, size_t length)
{
        const size_t whole = strlen(secret);

        for (size_t block = 0; block + BLOCK <= whole; block += BLOCK) {
                char *rest = text, *at;

                while ((at = memmem(rest, length - (size_t)(rest - text), secret + block, BLOCK)) !=
                       NULL) {
                        size_t before = 0, after = BLOCK, room = length - (size_t)(at - text);

                        while (before < block && at - before > rest &&
                               at[-1 - (ptrdiff_t)before] == secret[block - before - 1])
                                before++;
                        while (after < room && block + after < whole &&
                               at[after] == secret[block + after])
                                after++;
                        memset(at - before, '*', before + after);
                        rest = at + after;
                }
        }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only type for tokens and credentials. Its memory has a fixed size, is never moved by realloc,
 * and is wiped when freed. It is not locked: it may be swapped out.
 */
#ifndef KSA_SECRET_H
#define KSA_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

struct ksa_secret;

/*
 * Returns an empty secret with room for CAPACITY bytes. NULL if memory runs out. Free it with
 * ksa_secret_free().
 */
struct ksa_secret *ksa_secret_new(size_t capacity) KSA_MUST_CHECK;

/* Wipes and frees, and sets *SECRET to NULL. SECRET and *SECRET may be NULL. */
void ksa_secret_free(struct ksa_secret **secret);

/* Appends COUNT bytes. False, and nothing appended, if they do not fit. */
bool ksa_secret_append(struct ksa_secret *secret, const void *bytes, size_t count) KSA_MUST_CHECK;

/* Returns the bytes, followed by a NUL that is not counted. Borrowed until the secret is freed. */
const char *ksa_secret_bytes(const struct ksa_secret *secret);
size_t ksa_secret_length(const struct ksa_secret *secret);

/* Returns the address after the last byte, for read(2) or a decoder. *RET_ROOM bytes fit. */
void *ksa_secret_tail(struct ksa_secret *secret, size_t *ret_room);

/* Adds COUNT bytes that were written to the tail. COUNT is at most the room. */
void ksa_secret_extend(struct ksa_secret *secret, size_t count);

/* Shortens the secret to LENGTH bytes (at most its length) and wipes the rest. */
void ksa_secret_cut(struct ksa_secret *secret, size_t length);

/*
 * Overwrites with asterisks every part of SECRET in TEXT, whole, cut or damaged. It searches for
 * aligned blocks of 16 bytes and extends each match to both sides, so it finds every run of 31
 * bytes. Outside of strings an asterisk is not valid JSON, so an invalid response stays invalid.
 */
void ksa_secret_blot(const char *secret, char *text, size_t length);

/* Wipes memory that is not in a secret, such as a prompt response from libpam. */
void ksa_secret_wipe(void *bytes, size_t count);

#endif

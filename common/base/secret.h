/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only holder of tokens and credentials: its memory has a fixed size, is
 * never moved by realloc, and is wiped when freed. It is not locked into memory.
 */
#ifndef KSA_SECRET_H
#define KSA_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

struct ksa_secret;

/* An empty secret with room for CAPACITY bytes; NULL when memory runs out. */
struct ksa_secret *ksa_secret_new(size_t capacity) KSA_MUST_CHECK;

/* Wipes, frees and sets *SECRET to NULL. SECRET and *SECRET may be NULL. */
void ksa_secret_free(struct ksa_secret **secret);

/* Adds COUNT bytes. False, and nothing added, where they do not fit. */
bool ksa_secret_append(struct ksa_secret *secret, const void *bytes, size_t count) KSA_MUST_CHECK;

/* The bytes, followed by a NUL that is not counted. Borrowed until the secret is freed. */
const char *ksa_secret_bytes(const struct ksa_secret *secret);
size_t ksa_secret_length(const struct ksa_secret *secret);

/* Where the next bytes go, for read(2) or a decoder; *RET_ROOM says how many fit. */
void *ksa_secret_tail(struct ksa_secret *secret, size_t *ret_room);

/* Says that COUNT bytes (at most the room) were written to the tail. */
void ksa_secret_extend(struct ksa_secret *secret, size_t count);

/* Shortens the secret to LENGTH bytes (at most its length) and wipes the rest. */
void ksa_secret_cut(struct ksa_secret *secret, size_t length);

/*
 * Overwrites with asterisks what LENGTH bytes of TEXT hold of SECRET: whole, cut at either end, or damaged.
 * Each run of it with at least 31 bytes contains one of its blocks of 16, which is followed to both sides. In
 * JSON outside of a string an asterisk is not valid, so no answer becomes good by it.
 */
void ksa_secret_blot(const char *secret, char *text, size_t length);

/* Wipes memory that others own, such as an answer that libpam handed out. */
void ksa_secret_wipe(void *bytes, size_t count);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records on a socket between two programs of one machine: a head of eight bytes (a mark, and how
 * many bytes follow), then each member of a struct in its order, as tag, length, bytes. Read
 * strictly: every member once, in order, and nothing beside.
 */
#ifndef KSA_BASE_MESSAGE_H
#define KSA_BASE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "base/secret.h"

#define KSA_MESSAGE_HEAD 8

/* Bytes that a NUL follows, which is not counted; none where BYTES is NULL. */
struct ksa_bytes {
        const char *bytes;
        size_t length;
};

struct ksa_bytes ksa_bytes_of(const char *text);

/* One member of a struct: a struct ksa_bytes, or an int64_t. */
struct ksa_member {
        size_t offset;
        bool is_number;
};

/* RECORD as a frame, head and all; NULL where memory runs out or it has more than MAX bytes. */
struct ksa_secret *ksa_message_write(const void *record, const struct ksa_member *members,
                                     size_t count, size_t max) KSA_MUST_CHECK;

/* How many bytes follow a head; false where it is none, or they are more than MAX. */
bool ksa_message_size(const unsigned char head[KSA_MESSAGE_HEAD], size_t max,
                      size_t *ret_size) KSA_MUST_CHECK;

/* What follows a head, into RECORD, whose bytes are borrowed from BODY. */
bool ksa_message_read(const struct ksa_secret *body, const struct ksa_member *members, size_t count,
                      void *ret_record) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages between two programs on one machine. A message is a header of eight bytes (magic number,
 * size of the rest), then each member of a struct in order, as tag, length and bytes. The reader is
 * strict: every member once, in order, and nothing else.
 */
#ifndef KSA_BASE_MESSAGE_H
#define KSA_BASE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "base/secret.h"

#define KSA_MESSAGE_HEAD 8

/* LENGTH bytes, followed by a NUL that is not counted. BYTES is NULL if the value is unset. */
struct ksa_bytes {
        const char *bytes;
        size_t length;
};

/* Borrows TEXT; NULL gives an unset value. */
struct ksa_bytes ksa_bytes_of(const char *text);

/* One member of a struct: a struct ksa_bytes or an int64_t. */
struct ksa_member {
        size_t offset;
        bool is_number;
};

/*
 * Serializes RECORD, header included. The caller frees the result (ksa_secret_free). NULL if memory
 * runs out or the members take more than MAX bytes.
 */
struct ksa_secret *ksa_message_write(const void *record, const struct ksa_member *members,
                                     size_t count, size_t max) KSA_MUST_CHECK;

/*
 * Reads a header: *RET_SIZE bytes follow it. False if it is not a header or the size exceeds MAX.
 */
bool ksa_message_size(const unsigned char head[KSA_MESSAGE_HEAD], size_t max,
                      size_t *ret_size) KSA_MUST_CHECK;

/*
 * Parses BODY, the bytes after the header, into RECORD. Its texts are borrowed from BODY. On
 * failure some members may be set.
 */
bool ksa_message_read(const struct ksa_secret *body, const struct ksa_member *members, size_t count,
                      void *ret_record) KSA_MUST_CHECK;

#endif

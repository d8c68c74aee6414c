/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/message.h"

#include <string.h>

#define MARK UINT32_C(0x6b736131) /* "ksa1" */

/* Numbers have native byte order, because both programs run on one machine. */
struct head {
        uint32_t mark, size;
};

struct field {
        uint32_t tag, length;
};

struct ksa_bytes ksa_bytes_of(const char *text)
{
        return (struct ksa_bytes){text, text != NULL ? strlen(text) : 0};
}

/*
 * The bytes of a member in the message. Texts include their NUL, so that the reader can use them in
 * target.
 */
static struct ksa_bytes content(const void *record, const struct ksa_member *member)
{
        const char *at = (const char *)record + member->offset;

        if (member->is_number)
                return (struct ksa_bytes){at, sizeof(int64_t)};
        struct ksa_bytes bytes = *(const struct ksa_bytes *)(const void *)at;
        return (struct ksa_bytes){bytes.bytes, bytes.bytes != NULL ? bytes.length + 1 : 0};
}

struct ksa_secret *ksa_message_write(const void *record, const struct ksa_member *members,
                                     size_t count, size_t max)
{
        size_t size = 0;

        for (size_t i = 0; i < count; i++) {
                size_t length = content(record, &members[i]).length;

                if (length > max || size + sizeof(struct field) + length > max)
                        return NULL;
                size += sizeof(struct field) + length;
        }
        const struct head head = {MARK, (uint32_t)size};
        struct ksa_secret *message = ksa_secret_new(sizeof(head) + size);
        bool fits = message != NULL && ksa_secret_append(message, &head, sizeof(head));
        for (size_t i = 0; i < count && fits; i++) {
                struct ksa_bytes bytes = content(record, &members[i]);
                const struct field field = {(uint32_t)i, (uint32_t)bytes.length};

                fits = ksa_secret_append(message, &field, sizeof(field)) &&
                       ksa_secret_append(message, bytes.bytes, bytes.length);
        }
        if (!fits)
                ksa_secret_free(&message);
        return message;
}

bool ksa_message_size(const unsigned char bytes[KSA_MESSAGE_HEAD], size_t max, size_t *ret_size)
{
        struct head head;

        memcpy(&head, bytes, sizeof(head));
        if (head.mark != MARK || head.size > max)
                return false;
        *ret_size = head.size;
        return true;
}

static bool read_member(const char *bytes, size_t length, const struct ksa_member *member,
                        void *record)
{
        char *target = (char *)record + member->offset;

        if (member->is_number) {
                if (length != sizeof(int64_t))
                        return false;
                memcpy(target, bytes, length);
                return true;
        }
        if (length > 0 && bytes[length - 1] != '\0')
                return false;
        *(struct ksa_bytes *)(void *)target =
                (struct ksa_bytes){length > 0 ? bytes : NULL, length > 0 ? length - 1 : 0};
        return true;
}

bool ksa_message_read(const struct ksa_secret *body, const struct ksa_member *members, size_t count,
                      void *ret_record)
{
        const char *at = ksa_secret_bytes(body);
        size_t left = ksa_secret_length(body);

        for (size_t i = 0; i < count; i++) {
                struct field field;

                if (left < sizeof(field))
                        return false;
                memcpy(&field, at, sizeof(field));
                at += sizeof(field);
                left -= sizeof(field);
                if (field.tag != i || field.length > left ||
                    !read_member(at, field.length, &members[i], ret_record))
                        return false;
                at += field.length;
                left -= field.length;
        }
        return left == 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* message.c: every member once, in order, and nothing else, with any lengths from outside. */
#include "base/message.h"

#include <stdlib.h>
#include <string.h>

#include "support/support.h"

struct record {
        struct ksa_bytes text;
        int64_t number;
        struct ksa_bytes none;
};

static const struct ksa_member members[] = {
        {offsetof(struct record, text), false},
        {offsetof(struct record, number), true},
        {offsetof(struct record, none), false},
};
#define COUNT (sizeof(members) / sizeof(members[0]))

static struct ksa_secret *written(void)
{
        const struct record record = {{"two words", 9}, -7, {NULL, 0}};
        struct ksa_secret *frame = ksa_message_write(&record, members, COUNT, 100);

        assert_non_null(frame);
        return frame;
}

/* The bytes after the head, LENGTH of them. */
static struct ksa_secret *body_of(const struct ksa_secret *frame, size_t length)
{
        struct ksa_secret *body = ksa_secret_new(ksa_secret_length(frame));

        assert_true(ksa_secret_append(body, ksa_secret_bytes(frame) + KSA_MESSAGE_HEAD, length));
        return body;
}

static void test_what_is_written_is_read(void **state)
{
        struct ksa_secret *frame = written();
        size_t size = 0;
        struct record record = {.number = 1};

        (void)state;
        assert_true(ksa_message_size((const unsigned char *)ksa_secret_bytes(frame), 100, &size));
        assert_int_equal(size, ksa_secret_length(frame) - KSA_MESSAGE_HEAD);
        struct ksa_secret *body = body_of(frame, size);
        assert_true(ksa_message_read(body, members, COUNT, &record));
        assert_string_equal(record.text.bytes, "two words");
        assert_int_equal(record.text.length, 9);
        assert_int_equal(record.number, -7);
        assert_null(record.none.bytes);
        ksa_secret_free(&body);
        ksa_secret_free(&frame);
}

static void test_cut_at_every_byte(void **state)
{
        struct ksa_secret *frame = written();
        size_t whole = ksa_secret_length(frame) - KSA_MESSAGE_HEAD;

        (void)state;
        for (size_t length = 0; length < whole; length++) {
                struct ksa_secret *body = body_of(frame, length);
                struct record record;

                assert_false(ksa_message_read(body, members, COUNT, &record));
                ksa_secret_free(&body);
        }
        struct ksa_secret *longer = body_of(frame, whole);
        struct record record;
        assert_true(ksa_secret_append(longer, "x", 1));
        assert_false(ksa_message_read(longer, members, COUNT, &record));
        ksa_secret_free(&longer);
        ksa_secret_free(&frame);
}

static void test_every_wrong_byte_of_tags_and_lengths(void **state)
{
        static const size_t heads[] = {0, 18, 34}; /* tag and length of each member */
        struct ksa_secret *frame = written();
        size_t whole = ksa_secret_length(frame) - KSA_MESSAGE_HEAD;

        (void)state;
        for (size_t i = 0; i < 3 * 8; i++) {
                struct ksa_secret *body = body_of(frame, 0);
                char bytes[100];
                struct record record;

                memcpy(bytes, ksa_secret_bytes(frame) + KSA_MESSAGE_HEAD, whole);
                bytes[heads[i / 8] + i % 8] = (char)(bytes[heads[i / 8] + i % 8] ^ 0x5b);
                assert_true(ksa_secret_append(body, bytes, whole));
                assert_false(ksa_message_read(body, members, COUNT, &record));
                ksa_secret_free(&body);
        }
        ksa_secret_free(&frame);
}

static void test_heads(void **state)
{
        struct ksa_secret *frame = written();
        unsigned char head[KSA_MESSAGE_HEAD];
        size_t size = 77;

        (void)state;
        memcpy(head, ksa_secret_bytes(frame), sizeof(head));
        assert_false(ksa_message_size(head, 10, &size));
        memset(head + 4, 0xff, 4); /* 4 GiB */
        assert_false(ksa_message_size(head, SIZE_MAX / 2 > UINT32_MAX ? 1 << 20 : 100, &size));
        memset(head, 0, sizeof(head)); /* no mark */
        assert_false(ksa_message_size(head, 100, &size));
        assert_int_equal(size, 77);
        ksa_secret_free(&frame);
}

static void test_too_large_to_write(void **state)
{
        const struct record record = {{"0123456789", 10}, 0, {NULL, 0}};

        (void)state;
        assert_null(ksa_message_write(&record, members, COUNT, 20));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_written_is_read),
                cmocka_unit_test(test_cut_at_every_byte),
                cmocka_unit_test(test_every_wrong_byte_of_tags_and_lengths),
                cmocka_unit_test(test_heads),
                cmocka_unit_test(test_too_large_to_write),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

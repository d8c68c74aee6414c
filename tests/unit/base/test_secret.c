/* SPDX-License-Identifier: BSD-2-Clause */
/* secret.c: a fixed capacity, a NUL after the last byte, and wiped memory after free. */
#include "base/secret.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

#define CAPACITY 64

/* While WATCHED is set, a freed block has CAPACITY bytes, and no 'S' among them. */
static bool watched;
static unsigned freed;

void __real_free(void *bytes);
void __wrap_free(void *bytes);

void __wrap_free(void *bytes)
{
        if (watched) {
                freed++;
                assert_null(memchr(bytes, 'S', CAPACITY + 2 * sizeof(size_t)));
        }
        __real_free(bytes);
}

static void test_append(void **state)
{
        struct ksa_secret *secret = ksa_secret_new(5);

        (void)state;
        assert_non_null(secret);
        assert_int_equal(ksa_secret_length(secret), 0);
        assert_string_equal(ksa_secret_bytes(secret), "");
        assert_true(ksa_secret_append(secret, "abc", 3));
        assert_string_equal(ksa_secret_bytes(secret), "abc");
        assert_false(ksa_secret_append(secret, "def", 3)); /* and nothing is added */
        assert_string_equal(ksa_secret_bytes(secret), "abc");
        assert_false(ksa_secret_append(secret, "d", SIZE_MAX));
        assert_true(ksa_secret_append(secret, NULL, 0));
        assert_true(ksa_secret_append(secret, "de", 2));
        assert_string_equal(ksa_secret_bytes(secret), "abcde");
        assert_int_equal(ksa_secret_length(secret), 5);
        assert_false(ksa_secret_append(secret, "f", 1));
        ksa_secret_free(&secret);
        assert_null(secret);
        ksa_secret_free(&secret);
        ksa_secret_free(NULL);
}

static void test_bytes_never_move(void **state)
{
        struct ksa_secret *secret = ksa_secret_new(1000);
        const char *bytes = ksa_secret_bytes(secret);

        (void)state;
        for (size_t i = 0; i < 1000; i++)
                assert_true(ksa_secret_append(secret, "x", 1));
        assert_ptr_equal(ksa_secret_bytes(secret), bytes);
        ksa_secret_free(&secret);
}

static void test_tail(void **state)
{
        struct ksa_secret *secret = ksa_secret_new(8);
        size_t room;

        (void)state;
        assert_true(ksa_secret_append(secret, "ab", 2));
        memcpy(ksa_secret_tail(secret, &room), "cd", 2);
        assert_int_equal(room, 6);
        ksa_secret_extend(secret, 2);
        assert_string_equal(ksa_secret_bytes(secret), "abcd");
        (void)ksa_secret_tail(secret, &room);
        assert_int_equal(room, 4);
        ksa_secret_free(&secret);
}

static void test_cut(void **state)
{
        struct ksa_secret *secret = ksa_secret_new(8);

        (void)state;
        assert_true(ksa_secret_append(secret, "abcdef", 6));
        ksa_secret_cut(secret, 6);
        assert_string_equal(ksa_secret_bytes(secret), "abcdef");
        ksa_secret_cut(secret, 2);
        assert_int_equal(ksa_secret_length(secret), 2);
        assert_memory_equal(ksa_secret_bytes(secret), "ab\0\0\0\0", 7);
        assert_true(ksa_secret_append(secret, "XY", 2));
        assert_string_equal(ksa_secret_bytes(secret), "abXY");
        ksa_secret_cut(secret, 0);
        assert_string_equal(ksa_secret_bytes(secret), "");
        ksa_secret_free(&secret);
}

/* A full one, one that was cut, and one written to through its tail without a word of it. */
static void test_wiped_when_freed(void **state)
{
        char text[CAPACITY];

        (void)state;
        memset(text, 'S', sizeof(text));
        for (size_t length = 0; length <= sizeof(text); length++) {
                struct ksa_secret *secret = ksa_secret_new(CAPACITY);
                size_t room;

                assert_non_null(secret);
                assert_true(ksa_secret_append(secret, text, length));
                char *tail = ksa_secret_tail(secret, &room);
                memset(tail, 'S', room);
                freed = 0;
                watched = true;
                ksa_secret_free(&secret);
                watched = false;
                assert_int_equal(freed, 1);
        }
}

static void test_wipe(void **state)
{
        char text[] = "secret";

        (void)state;
        ksa_secret_wipe(text, 3);
        assert_memory_equal(text, "\0\0\0ret", 7);
        ksa_secret_wipe(text, 0);
        assert_memory_equal(text, "\0\0\0ret", 7);
}

static void test_sizes_that_cannot_be(void **state)
{
        (void)state;
        assert_null(ksa_secret_new(SIZE_MAX));
        assert_null(ksa_secret_new(SIZE_MAX - sizeof(size_t)));
        struct ksa_secret *secret = ksa_secret_new(0);
        assert_non_null(secret);
        assert_false(ksa_secret_append(secret, "a", 1));
        ksa_secret_free(&secret);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_append),
                cmocka_unit_test(test_bytes_never_move),
                cmocka_unit_test(test_tail),
                cmocka_unit_test(test_cut),
                cmocka_unit_test(test_wiped_when_freed),
                cmocka_unit_test(test_wipe),
                cmocka_unit_test(test_sizes_that_cannot_be),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

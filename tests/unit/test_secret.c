/* SPDX-License-Identifier: GPL-2.0-or-later */
/* secret.c: fixed room, never moved, wiped. */
#include "secret.h"

#include <stdlib.h>
#include <string.h>

#include "support.h"

/* What free() is given, looked at before it is gone. */
static const char *watched;
static size_t watched_length;
static bool clean;

void __real_free(void *bytes);
void __wrap_free(void *bytes);

void __wrap_free(void *bytes)
{
        if (watched != NULL) {
                clean = true;
                for (size_t i = 0; i < watched_length; i++)
                        clean = clean && watched[i] == '\0';
                watched = NULL;
        }
        __real_free(bytes);
}

static void test_wiped_when_freed(void **state)
{
        struct ksa_secret *secret = secret_of("hunter2");

        (void)state;
        watched = ksa_secret_bytes(secret);
        watched_length = ksa_secret_length(secret);
        clean = false;
        ksa_secret_free(&secret);
        assert_true(clean);
        assert_null(secret);
        ksa_secret_free(&secret);
        ksa_secret_free(NULL);
}

static void test_room(void **state)
{
        struct ksa_secret *secret = ksa_secret_new(4);
        size_t room;

        (void)state;
        assert_true(ksa_secret_append(secret, "abc", 3));
        const char *bytes = ksa_secret_bytes(secret);
        assert_false(ksa_secret_append(secret, "de", 2));
        assert_int_equal(ksa_secret_length(secret), 3);
        assert_true(ksa_secret_append(secret, "d", 1));
        assert_false(ksa_secret_append(secret, "e", 1));
        assert_true(ksa_secret_append(secret, NULL, 0));
        assert_ptr_equal(ksa_secret_bytes(secret), bytes);
        assert_string_equal(bytes, "abcd");
        (void)ksa_secret_tail(secret, &room);
        assert_int_equal(room, 0);
        ksa_secret_free(&secret);
        assert_null(ksa_secret_new(SIZE_MAX));
}

static void test_cut_wipes_the_rest(void **state)
{
        struct ksa_secret *secret = secret_of("abcdef");
        const char *bytes = ksa_secret_bytes(secret);

        (void)state;
        ksa_secret_cut(secret, 2);
        assert_int_equal(ksa_secret_length(secret), 2);
        assert_memory_equal(bytes, "ab\0\0\0\0\0", 7);
        ksa_secret_free(&secret);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_wiped_when_freed),
                cmocka_unit_test(test_room),
                cmocka_unit_test(test_cut_wipes_the_rest),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* hash_index.c: added entries are found, in their order, and nothing else. */
#include "base/hash_index.h"

#include <stdlib.h>
#include <string.h>

#include "support/support.h"

static void test_hashes_of_parts(void **state)
{
        static const char *const keys[][3] = {
                {"ab", "c", ""}, {"a", "bc", ""}, {"abc", "", ""},
                {"", "abc", ""}, {"", "", "abc"}, {"a", "b", "c"},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(keys); i++)
                for (size_t n = 0; n < i; n++)
                        assert_true(ksa_hash_index_hash(keys[i], 3) !=
                                    ksa_hash_index_hash(keys[n], 3));
        assert_true(ksa_hash_index_hash(keys[0], 2) != ksa_hash_index_hash(keys[0], 3));
        assert_true(ksa_hash_index_hash(keys[0], 3) == ksa_hash_index_hash(keys[0], 3));
}

static void test_empty(void **state)
{
        struct ksa_hash_index index = {0};
        uint32_t number = 7, position = ksa_hash_index_find(&index, 42);

        (void)state;
        assert_false(ksa_hash_index_next(&index, 42, &position, &number));
        assert_int_equal(number, 7);
        ksa_hash_index_clear(&index);
        ksa_hash_index_clear(&index);
}

/* Random hashes of few values, so that many share a slot: the index is a list with a short way. */
static void test_equals_a_list(void **state)
{
        enum { COUNT = 3000, HASHES = 500 };
        static uint64_t hashes[COUNT];
        struct ksa_hash_index index = {0};
        uint32_t seed = 20261124;

        (void)state;
        for (uint32_t i = 0; i < COUNT; i++) {
                uint32_t value = next_random(&seed) % HASHES;

                /* The same low bits, and so the same slot, for two hashes each. */
                hashes[i] = (uint64_t)(value % 2) << 40 | value / 2;
                assert_true(ksa_hash_index_add(&index, hashes[i], i));
        }
        for (uint64_t value = 0; value < HASHES + 10; value++) {
                uint64_t hash = (value % 2) << 40 | value / 2;
                uint32_t position = ksa_hash_index_find(&index, hash), number;

                for (uint32_t i = 0; i < COUNT; i++) {
                        if (hashes[i] != hash)
                                continue;
                        assert_true(ksa_hash_index_next(&index, hash, &position, &number));
                        assert_int_equal(number, i);
                }
                assert_false(ksa_hash_index_next(&index, hash, &position, &number));
        }
        ksa_hash_index_clear(&index);
        assert_int_equal(index.count, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_hashes_of_parts),
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_equals_a_list),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

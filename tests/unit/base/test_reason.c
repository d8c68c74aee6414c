/* SPDX-License-Identifier: BSD-2-Clause */
/* reason.c and error.c: the table of reasons, and errors with their place. */
#include "base/reason.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "support/support.h"

/* --- Reasons ------------------------------------------------------------------ */

static void test_words(void **state)
{
        (void)state;
        for (unsigned i = 0; i < KSA_REASON_COUNT; i++) {
                const char *word = ksa_reason_name((enum ksa_reason)i);

                /* It stands bare in the log line. */
                assert_true(word[0] != '\0');
                for (const char *c = word; *c != '\0'; c++)
                        assert_true(islower((unsigned char)*c) || *c == '-');
                for (unsigned n = 0; n < i; n++)
                        assert_string_not_equal(word, ksa_reason_name((enum ksa_reason)n));
                assert_string_not_equal(word, "ok");
                assert_string_not_equal(word, "allow");
        }
        assert_string_equal(ksa_reason_name(KSA_OK), "ok");
        assert_string_equal(ksa_reason_name(KSA_EXPIRED), "expired");
}

/* The remedy is in quotation marks in the log line, as it is. */
static void test_texts(void **state)
{
        (void)state;
        for (unsigned i = 0; i < KSA_REASON_COUNT; i++) {
                const char *text = ksa_reason_text((enum ksa_reason)i);
                const char *remedy = ksa_reason_remedy((enum ksa_reason)i);

                assert_true(text[0] != '\0');
                for (const char *c = text; *c != '\0'; c++)
                        assert_true(*c >= ' ' && *c < 0x7f && *c != '"' && *c != '\\');
                for (const char *c = remedy; *c != '\0'; c++)
                        assert_true(*c >= ' ' && *c < 0x7f && *c != '"' && *c != '\\');
        }
}

/* A remedy is a command to type: it has the cluster's name, and room for the longest one. */
static void test_remedy_has_the_name_of_the_cluster(void **state)
{
        char name[65], out[KSA_REMEDY_MAX + 1];

        (void)state;
        memset(name, 'n', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        for (unsigned i = 0; i < KSA_REASON_COUNT; i++) {
                const char *remedy = ksa_reason_remedy((enum ksa_reason)i);
                bool has = strstr(remedy, "CLUSTER") != NULL;

                (void)ksa_remedy_of(remedy, name, out);
                assert_null(strstr(out, "CLUSTER"));
                assert_int_equal(strlen(out), strlen(remedy) + (has ? 64 - 7 : 0));
        }
        assert_string_equal(ksa_remedy_of("show CLUSTER, check", "prod", out), "show prod, check");
        assert_string_equal(ksa_remedy_of("show CLUSTER", NULL, out), "show CLUSTER");
}

static void test_nothing_in_the_table_allows(void **state)
{
        (void)state;
        for (unsigned i = 0; i < KSA_REASON_COUNT; i++)
                assert_int_not_equal(ksa_reason_outcome((enum ksa_reason)i), KSA_ALLOW);
        assert_int_equal(ksa_reason_outcome(KSA_OK), KSA_DENY);
        assert_int_equal(ksa_reason_outcome(KSA_UNREACHED), KSA_DENY);
        assert_int_equal(ksa_reason_outcome(KSA_MEMORY), KSA_NO_MEMORY);
        assert_int_equal(ksa_reason_outcome(KSA_CONFIG_INVALID), KSA_UNAVAILABLE);
        assert_int_equal(ksa_reason_outcome(KSA_NOT_NAMED), KSA_NOT_OURS);
        assert_int_equal(ksa_reason_outcome(KSA_USER_CHANGED), KSA_FORBIDDEN);
}

static void test_numbers_that_are_no_reason(void **state)
{
        static const int numbers[] = {KSA_REASON_COUNT, KSA_REASON_COUNT + 1, -1,
                                      1 << 20,          KSA_OK - 1,           KSA_OK + 1,
                                      (int)KSA_ALLOW};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(numbers); i++) {
                enum ksa_reason reason = (enum ksa_reason)numbers[i];

                assert_int_equal(ksa_reason_outcome(reason), KSA_DENY);
                assert_string_equal(ksa_reason_name(reason), "internal-error");
                assert_non_null(ksa_reason_text(reason));
                assert_non_null(ksa_reason_remedy(reason));
        }
}

/* No flipped bit and no small number makes one outcome, or OK, of another. */
static void test_numbers_are_far_apart(void **state)
{
        static const unsigned numbers[] = {KSA_DENY,      KSA_ALLOW,    KSA_UNAVAILABLE,
                                           KSA_FORBIDDEN, KSA_NOT_OURS, KSA_NO_MEMORY};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(numbers); i++)
                for (size_t n = 0; n < i; n++)
                        assert_true(__builtin_popcount(numbers[i] ^ numbers[n]) >= 8);
        for (unsigned i = 0; i < KSA_REASON_COUNT; i++)
                assert_true(__builtin_popcount((unsigned)KSA_OK ^ i) >= 8);
}

/* --- Errors ------------------------------------------------------------------- */

static void test_fail(void **state)
{
        struct ksa_error error = {0};

        (void)state;
        errno = EXDEV;
        assert_int_equal(ksa_fail(&error, KSA_EXPIRED, "%s %d", "for", 312), KSA_EXPIRED);
        assert_int_equal(errno, EXDEV);
        assert_int_equal(error.reason, KSA_EXPIRED);
        assert_string_equal(error.text, "for 312");
        assert_string_equal(error.file, "");
        assert_int_equal(error.line, 0);
        assert_int_equal(ksa_fail(NULL, KSA_EXPIRED, "x"), KSA_EXPIRED);
}

static void test_long_texts_are_cut(void **state)
{
        struct ksa_error error = {0};
        char text[2000];

        (void)state;
        memset(text, 'a', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        assert_int_equal(ksa_fail(&error, KSA_EXPIRED, "%s", text), KSA_EXPIRED);
        assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
        ksa_error_at(&error, text, 7);
        assert_int_equal(strlen(error.file), sizeof(error.file) - 1);
}

static void test_at(void **state)
{
        struct ksa_error error = {0};

        (void)state;
        ksa_error_at(&error, "/etc/ksa/ksa.conf", 7);
        assert_string_equal(error.file, "/etc/ksa/ksa.conf");
        assert_int_equal(error.line, 7);
        assert_int_equal(ksa_fail(&error, KSA_CONFIG_INVALID, "x"), KSA_CONFIG_INVALID);
        assert_int_equal(error.line, 7);
        ksa_error_at(NULL, "x", 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_remedy_has_the_name_of_the_cluster),
                cmocka_unit_test(test_nothing_in_the_table_allows),
                cmocka_unit_test(test_numbers_that_are_no_reason),
                cmocka_unit_test(test_numbers_are_far_apart),
                cmocka_unit_test(test_fail),
                cmocka_unit_test(test_long_texts_are_cut),
                cmocka_unit_test(test_at),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

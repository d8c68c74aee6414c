/* SPDX-License-Identifier: BSD-2-Clause */
/* value.c: the alphabet of each kind of value, byte by byte, and frequent mistakes. */
#include "config/value.h"

#include <stdio.h>
#include <string.h>

#include "support/support.h"

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static const struct {
        bool (*is_valid)(const char *text);
        const char *alphabet; /* of a byte inside a value */
        const char *first;    /* of its first byte */
        const char *before;   /* of a value, so that the byte is inside it */
} rows[] = {
        {ksa_is_section_name, ALNUM "._-", ALNUM "._-", "a"},
        {ksa_is_user, ALNUM "_.-@+", ALNUM "_", "a"},
        {ksa_is_service, ALNUM "_.-+@", ALNUM "_", "a"},
        {ksa_is_path, ALNUM "/._-+@:=~%", "/", "/"},
        {ksa_is_uri, ALNUM "-._~:/?[]@!&()*+=", ALNUM, "a"},
        {ksa_is_audience, ALNUM "-._~:/?[]@!&()*+=", ALNUM, "a"},
        {ksa_is_selector, ALNUM " -_./=!,()", ALNUM " -_./=!,()", "a"},
        {ksa_is_account_uid, ALNUM "-", ALNUM "-", "a"},
};

static void test_alphabets(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                assert_false(rows[i].is_valid(""));
                for (int byte = 1; byte < 256; byte++) {
                        char inside[8], first[8];

                        (void)snprintf(inside, sizeof(inside), "%s%cz", rows[i].before, byte);
                        (void)snprintf(first, sizeof(first), "%cz", byte);
                        if (rows[i].is_valid(inside) != (strchr(rows[i].alphabet, byte) != NULL))
                                fail_msg("row %zu, byte 0x%02x inside", i, (unsigned)byte);
                        if (rows[i].is_valid(first) != (strchr(rows[i].first, byte) != NULL))
                                fail_msg("row %zu, byte 0x%02x in front", i, (unsigned)byte);
                }
        }
}

static void test_a_dollar_ends_a_user(void **state)
{
        (void)state;
        assert_true(ksa_is_user("a$"));
        assert_false(ksa_is_user("$"));
        assert_false(ksa_is_user("a$b"));
        assert_false(ksa_is_user("a$$"));
        assert_false(ksa_is_service("a$"));
        assert_false(ksa_is_user("@own")); /* the option that allows it checks for it */
}

static void test_percent_in_uris(void **state)
{
        (void)state;
        assert_true(ksa_is_uri("a%2F%e9"));
        assert_false(ksa_is_uri("a%"));
        assert_false(ksa_is_uri("a%2"));
        assert_false(ksa_is_uri("a%2g"));
        assert_false(ksa_is_uri("a%%20"));
        assert_true(ksa_is_audience("%H"));
        assert_true(ksa_is_audience("a%h%H"));
        assert_false(ksa_is_audience("a%2F"));
        assert_false(ksa_is_audience("a%"));
}

/* Text that people write before a comment or between items. */
static void test_a_uri_begins_with_a_letter_or_a_digit(void **state)
{
        static const char *const none[] = {"//",   "--",   "*",    "=",           "/*",
                                           "(",    "::",   "[]",   "(was",        "//was",
                                           "[was", "!was", "&was", "+ssh://fleet"};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(none); i++) {
                assert_false(ksa_is_uri(none[i]));
                assert_false(ksa_is_audience(none[i]));
        }
        assert_true(ksa_is_audience("//iam.example.com/pool"));
}

static const struct {
        const char *text;
        bool in_list;
        const char *like; /* a text with the same mistake; NULL for none */
} mistakes[] = {
        {"#", true, "#"},
        {"# was", false, "#"},
        {"api # or file:/x", false, "#"},
        {"#was", true, "#"},
        {";", true, "#"},
        {"ssh://build-7;", true, "#"},
        {"deploy-bot;alice", true, "a;b"},
        {"a;b #", true, "#"},
        {"a;b", false, "#"},
        {"a,b", true, ","},
        {"a,", true, ","},
        {"a,b", false, NULL},
        {"{{", true, "{{"},
        {"ssh://{{host}}", true, "{{"},
        {"ssh://{{", true, "{{"},
        {"${HOST}", true, "{{"},
        {"$(hostname)", true, "{{"},
        {"ssh://$HOST", true, "{{"},
        {"$_x", true, "{{"},
        {"<HOST>", true, "{{"},
        {"ssh://<HOST>", true, "{{"},
        {"<a,b> # c", true, "{{"},
        {"ssh://@HOST@", true, "{{"},
        {"a@b@HOST_2@", true, "{{"},
        {"__USER__", true, "{{"},
        {"/etc/__A_B__.crt", true, "{{"},
        {"@own", true, NULL},
        {"bot@EXAMPLE", true, NULL},
        {"a@b@c", true, NULL},
        {"__user__", true, NULL},
        {"__", true, NULL},
        {"@@", true, NULL},
        {"__1__", true, NULL},
        {"a<b", true, NULL},
        {"a>b<", true, NULL},
        {"a$", true, NULL},
        {"a$1", true, NULL},
        {"*", true, NULL},
        {"/", true, NULL},
        {"", true, NULL},
};

static void test_mistakes(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(mistakes); i++) {
                const struct ksa_mistake *mistake =
                        ksa_value_mistake(mistakes[i].text, mistakes[i].in_list);
                const char *like = mistakes[i].like;

                if (mistake != (like == NULL ? NULL : ksa_value_mistake(like, true)))
                        fail_msg("%s", mistakes[i].text);
        }
        assert_non_null(ksa_value_mistake("#", true));
        assert_non_null(ksa_value_mistake(",", true));
        assert_non_null(ksa_value_mistake("{{", true));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_alphabets),
                cmocka_unit_test(test_a_dollar_ends_a_user),
                cmocka_unit_test(test_percent_in_uris),
                cmocka_unit_test(test_a_uri_begins_with_a_letter_or_a_digit),
                cmocka_unit_test(test_mistakes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

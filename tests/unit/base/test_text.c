/* SPDX-License-Identifier: BSD-2-Clause */
/* text.c except base64url, which test_base64url.c has. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/support.h"

/* --- Numbers ---------------------------------------------------------------- */

static const struct {
        const char *text;
        bool good;
        uint64_t number;
} numbers[] = {
        {"0", true, 0},
        {"10", true, 10},
        {"1000", true, 1000},
        {"999999999999999999", true, UINT64_C(999999999999999999)},
        {"1000000000000000000", false, 0},
        {"18446744073709551617", false, 0}, /* 2^64 + 1 */
        {"", false, 0},
        {"00", false, 0},
        {"01", false, 0},
        {"+1", false, 0},
        {"-1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1x", false, 0},
        {"0x10", false, 0},
        {"1.0", false, 0},
        {"1e3", false, 0},
};

static void test_number(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(numbers); i++) {
                uint64_t number = 4242;
                bool good = ksa_text_number(numbers[i].text, 0, UINT64_MAX, &number);

                if (good != numbers[i].good)
                        fail_msg("'%s' was %s", numbers[i].text, good ? "taken" : "refused");
                assert_int_equal(number, good ? numbers[i].number : 4242);
        }
}

static void test_number_limits(void **state)
{
        uint64_t number = 0;

        (void)state;
        assert_true(ksa_text_number("5", 5, 9, &number));
        assert_true(ksa_text_number("9", 5, 9, &number));
        assert_false(ksa_text_number("4", 5, 9, &number));
        assert_false(ksa_text_number("10", 5, 9, &number));
        assert_int_equal(number, 9);
}

static const struct {
        const char *text;
        bool good;
        uint64_t seconds;
} durations[] = {
        /* clang-format off */
        {"90", true, 90},
        {"90s", true, 90},
        {"5m", true, 300},
        {"2h", true, 7200},
        {"3d", true, 259200},
        {"0s", true, 0},
        {"100d", true, 8640000},
        {"8640001", false, 0},
        {"101d", false, 0},
        {"999999999999999999d", false, 0}, /* would overflow */
        {"", false, 0},
        {"s", false, 0},
        {"5 m", false, 0},
        {"5M", false, 0},
        {"5ms", false, 0},
        {"5w", false, 0},
        {"1.5h", false, 0},
        {"-5m", false, 0},
        {"05m", false, 0},
        {"1h30m", false, 0},
        /* clang-format on */
};

static void test_duration(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(durations); i++) {
                uint64_t seconds = 4242;
                bool good = ksa_text_duration(durations[i].text, 0, 8640000, &seconds);

                if (good != durations[i].good)
                        fail_msg("'%s' was %s", durations[i].text, good ? "taken" : "refused");
                assert_int_equal(seconds, good ? durations[i].seconds : 4242);
        }
}

static void test_duration_limits(void **state)
{
        uint64_t seconds = 0;

        (void)state;
        assert_true(ksa_text_duration("1m", 60, 3600, &seconds));
        assert_true(ksa_text_duration("1h", 60, 3600, &seconds));
        assert_false(ksa_text_duration("59s", 60, 3600, &seconds));
        assert_false(ksa_text_duration("3601s", 60, 3600, &seconds));
        assert_int_equal(seconds, 3600);
}

/* --- Names ------------------------------------------------------------------ */

#define LABEL_63 "a23456789012345678901234567890123456789012345678901234567890123"

static const struct {
        const char *text;
        bool label, subdomain;
} names[] = {
        {"a", true, true},
        {"ci", true, true},
        {"0-9", true, true},
        {"build-7", true, true},
        {LABEL_63, true, true},
        {LABEL_63 "4", false, true}, /* Kubernetes allows it in a subdomain */
        {"deploy.v2", false, true},
        {"a.b.c", false, true},
        {"", false, false},
        {"-a", false, false},
        {"a-", false, false},
        {"A", false, false},
        {"a_b", false, false},
        {"a b", false, false},
        {"*", false, false},
        {".", false, false},
        {"..", false, false},
        {".a", false, false},
        {"a.", false, false},
        {"a..b", false, false},
        {"a.-b", false, false},
        {"a-.b", false, false},
        {"a/b", false, false},
        {"a:b", false, false},
        {"a\nb", false, false},
        {"\xc3\xa4", false, false},
};

static void test_dns_names(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(names); i++) {
                if (ksa_is_dns_label(names[i].text) != names[i].label)
                        fail_msg("label '%s'", names[i].text);
                if (ksa_is_dns_subdomain(names[i].text) != names[i].subdomain)
                        fail_msg("subdomain '%s'", names[i].text);
        }
}

static void test_dns_subdomain_has_at_most_253_bytes(void **state)
{
        char text[255];

        (void)state;
        memset(text, 'a', sizeof(text));
        text[253] = '\0';
        assert_true(ksa_is_dns_subdomain(text));
        text[253] = 'a';
        text[254] = '\0';
        assert_false(ksa_is_dns_subdomain(text));
}

static void test_graphic(void **state)
{
        (void)state;
        assert_true(ksa_is_graphic("!~"));
        assert_false(ksa_is_graphic(""));
        assert_false(ksa_is_graphic("a b"));
        for (int c = 1; c < 256; c++) {
                const char text[] = {'a', (char)c, '\0'};

                assert_int_equal(ksa_is_graphic(text), c > 0x20 && c < 0x7f);
        }
}

/* --- Quoting ---------------------------------------------------------------- */

static const char *const quotes[][2] = {
        {"", ""},
        {"prod:ci/deployer", "prod:ci/deployer"},
        {"a b", "a b"},
        {"say \"hi\"", "say \\x22hi\\x22"},
        {"C:\\", "C:\\x5c"},
        {"x\nresult=allow", "x\\x0aresult=allow"},
        {"\t\r\x1b[31m", "\\x09\\x0d\\x1b[31m"},
        {"\x7f", "\\x7f"},
        {"\xc3\xa4", "\\xc3\\xa4"},
};

static void test_quote(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(quotes); i++) {
                char out[KSA_QUOTED_SIZE];

                assert_ptr_equal(ksa_text_quote(quotes[i][0], out, sizeof(out)), out);
                assert_string_equal(out, quotes[i][1]);
        }
}

/* With any size of the text and of the buffer: it fits, it ends with a NUL, and a cut is visible. */
static void test_url_without_its_password(void **state)
{
        static const char *const urls[][2] = {{"https://h:1/path", "https://h:1/path"},
                                              {"http://user:secret@h:3128", "http://***@h:3128"},
                                              {"https://user:se@cret@h/p", "https://***@h/p"},
                                              {"https://user:se/cret@h/p", "https://***@h/p"},
                                              {"user:secret@h:3128", "***@h:3128"},
                                              {"socks5://user:secret@h", "***@h"},
                                              {"@", "***@"},
                                              {"", ""}};
        char out[64], small[8];

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(urls); i++)
                assert_string_equal(ksa_text_url(urls[i][0], out, sizeof(out)), urls[i][1]);
        assert_string_equal(ksa_text_url("http://secret@h", small, sizeof(small)), "http://");
}

static void test_quote_cuts(void **state)
{
        (void)state;
        for (int c = 'a'; c >= '\n'; c -= 'a' - '\n') {
                size_t wide = c == 'a' ? 1 : 4;

                for (size_t length = 0; length < 400; length++) {
                        char text[400], out[KSA_QUOTED_SIZE];

                        memset(text, c, length);
                        text[length] = '\0';
                        (void)ksa_text_quote(text, out, sizeof(out));
                        size_t shown = length < KSA_QUOTE_MAX ? length : KSA_QUOTE_MAX;
                        bool cut = length > KSA_QUOTE_MAX;
                        assert_int_equal(strlen(out), shown * wide + (cut ? 4 : 0));
                        assert_int_equal(strcmp(out + shown * wide, "\\...") == 0, cut);
                }
        }
}

static void test_quote_small_room(void **state)
{
        (void)state;
        for (size_t size = 0; size < 30; size++) {
                char *out = malloc(size + 1); /* one byte that must stay as it is */

                assert_non_null(out);
                memset(out, 'x', size + 1);
                (void)ksa_text_quote("ten\nbytes!", out, size);
                assert_int_equal(out[size], 'x');
                if (size > 0)
                        assert_non_null(memchr(out, '\0', size));
                /* 13 characters, a NUL, and the mark of a cut that might have been needed. */
                if (size >= 18)
                        assert_string_equal(out, "ten\\x0abytes!");
                else if (size >= 5)
                        assert_string_equal(out + strlen(out) - 4, "\\...");
                free(out);
        }
}

/* Texts that a reader can separate again, as far as there is room. */
static void test_quote_list(void **state)
{
        static const char *const texts[] = {"ssh://build-7", "a b", "", "c\"", "long.long"};
        struct ksa_list list = {.items = (void *)(uintptr_t)texts, .count = 0};
        char out[64];

        (void)state;
        assert_string_equal(ksa_text_quote_list(&list, out, sizeof(out)), "");
        list.count = 1;
        assert_string_equal(ksa_text_quote_list(&list, out, sizeof(out)), "ssh://build-7");
        list.count = 5;
        assert_string_equal(ksa_text_quote_list(&list, out, sizeof(out)),
                            "ssh://build-7 a\\x20b  c\\x22 long.long");
        for (size_t size = 1; size < sizeof(out); size++) {
                char *cut = malloc(size); /* the sanitizers see a byte too many */

                assert_non_null(cut);
                (void)ksa_text_quote_list(&list, cut, size);
                assert_true(strlen(cut) < size);
                if (size > 4 && strcmp(cut, out) != 0)
                        assert_string_equal(cut + strlen(cut) - 4, "\\...");
                free(cut);
        }
}

/* As long as the text: a quoted part is not quoted again. */
static void test_whole(void **state)
{
        char out[16];

        (void)state;
        assert_string_equal(ksa_text_whole("no \"x\\x0a\"\n\xff", out, sizeof(out)),
                            "no 'x\\x0a'??");
        assert_string_equal(ksa_text_whole("123456789012345", out, sizeof(out)), "123456789012345");
        assert_string_equal(ksa_text_whole("1234567890123456", out, sizeof(out)),
                            "123456789012...");
        assert_string_equal(ksa_text_whole("abc", out, 1), "");
}

static void test_span(void **state)
{
        static const struct {
                int64_t seconds;
                const char *text;
        } rows[] = {{-5, "0 s"},          {0, "0 s"},        {59, "59 s"},  {60, "1 min"},
                    {288, "4 min 48 s"},  {3600, "1 h"},     {3601, "1 h"}, {86399, "23 h 59 min"},
                    {558158, "6 d 11 h"}, {86400 * 3, "3 d"}};
        char out[KSA_SPAN_SIZE];

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++)
                assert_string_equal(ksa_text_span(rows[i].seconds, out), rows[i].text);
}

/* --- Near names --------------------------------------------------------------- */

static const struct {
        const char *text, *candidates[4], *near; /* NULL: none */
} near_rows[] = {
        {"users", {"account", "user", "service"}, "user"},
        {"isuer", {"issuer"}, "issuer"},
        {"isuer", {"issuer", "issuer"}, "issuer"},
        {"USER", {"user"}, "user"},
        {"prd", {"prod"}, "prod"},
        {"prod", {"prod", "prod2"}, "prod"},
        {"kubernets", {"kubernetes"}, "kubernetes"},
        {"usre", {"user"}, "user"}, /* two replacements */
        {"accounting", {"account"}, NULL},
        {"prod3", {"prod1", "prod2"}, NULL}, /* as near */
        {"prod3", {"prod1", "prod2", "prod3x"}, NULL},
        {"prod3", {"prodx4", "prod33"}, "prod33"},
        {"pd", {"pod"}, NULL},
        {"uid", {"pod"}, NULL}, /* two of three letters */
        {"api", {"apis"}, "apis"},
        {"", {"", "abc"}, NULL},
};

static void test_near(void **state)
{
        char longest[65] = "";

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(near_rows); i++) {
                struct ksa_near near = {.text = near_rows[i].text};

                for (size_t n = 0; n < 4 && near_rows[i].candidates[n] != NULL; n++)
                        ksa_near_try(&near, near_rows[i].candidates[n]);
                if (near_rows[i].near == NULL)
                        assert_null(near.name);
                else
                        assert_string_equal(near.name, near_rows[i].near);
        }
        memset(longest, 'x', 64);
        struct ksa_near near = {.text = longest};
        ksa_near_try(&near, longest);
        assert_null(near.name);
        near.text = longest + 1;
        ksa_near_try(&near, longest + 1);
        assert_non_null(near.name);
}

static void test_ends_with(void **state)
{
        (void)state;
        assert_true(ksa_text_ends_with("ksa.conf", ".conf"));
        assert_true(ksa_text_ends_with(".conf", ".conf"));
        assert_true(ksa_text_ends_with("ksa.conf", ""));
        assert_false(ksa_text_ends_with("ksa.conf~", ".conf"));
        assert_false(ksa_text_ends_with("conf", ".conf"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_span),
                cmocka_unit_test(test_near),
                cmocka_unit_test(test_ends_with),
                cmocka_unit_test(test_number),
                cmocka_unit_test(test_number_limits),
                cmocka_unit_test(test_duration),
                cmocka_unit_test(test_duration_limits),
                cmocka_unit_test(test_dns_names),
                cmocka_unit_test(test_dns_subdomain_has_at_most_253_bytes),
                cmocka_unit_test(test_graphic),
                cmocka_unit_test(test_quote),
                cmocka_unit_test(test_url_without_its_password),
                cmocka_unit_test(test_quote_cuts),
                cmocka_unit_test(test_quote_small_room),
                cmocka_unit_test(test_quote_list),
                cmocka_unit_test(test_whole),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

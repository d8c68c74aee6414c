/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/ini.h"
#include "support/support.h"

/* The items of a text, one a line: `LINE [kind name]`, `LINE key=value`, `LINE !error`. */
static char *items_of(const char *text, size_t length)
{
        struct ksa_ini ini;
        struct ksa_ini_item item;
        size_t size;
        char *said = NULL, *bytes = malloc(length + 1);
        FILE *out = open_memstream(&said, &size);

        assert_non_null(bytes);
        assert_non_null(out);
        memcpy(bytes, text, length);
        bytes[length] = '\0';
        ksa_ini_start(&ini, bytes, length);
        for (;;) {
                struct ksa_error error = {0};

                if (ksa_ini_next(&ini, &item, &error) != KSA_OK) {
                        assert_int_equal(error.reason, KSA_CONFIG_INVALID);
                        (void)fprintf(out, "%u !%s\n", ini.line, error.text);
                        continue;
                }
                if (item.kind == NULL && item.key == NULL)
                        break;
                assert_true((item.kind == NULL) == (item.name == NULL));
                assert_true((item.key == NULL) == (item.value == NULL));
                assert_true((item.kind == NULL) != (item.key == NULL));
                if (item.kind != NULL)
                        (void)fprintf(out, "%u [%s %s]\n", ini.line, item.kind, item.name);
                else
                        (void)fprintf(out, "%u %s=%s\n", ini.line, item.key, item.value);
        }
        assert_int_equal(fclose(out), 0);
        free(bytes);
        return said;
}

static void expect(const char *text, size_t length, const char *wanted)
{
        char *said = items_of(text, length);

        assert_string_equal(said, wanted);
        free(said);
}

#define EXPECT(text, wanted) expect(text, sizeof(text) - 1, wanted)

static void test_sections_and_keys(void **state)
{
        (void)state;
        EXPECT("# a comment\n"
               "\n"
               "[host]\n"
               "audience = ssh://build-7\n"
               "   \n"
               "[cluster prod]\n"
               "issuer=https://a\n"
               "keys   =   file:/etc/ksa/prod.jwks   \n"
               "[rule a.B_c-9]   \n"
               "[rule    spaced]\n"
               "user = a b  c\n",
               "3 [host ]\n"
               "4 audience=ssh://build-7\n"
               "6 [cluster prod]\n"
               "7 issuer=https://a\n"
               "8 keys=file:/etc/ksa/prod.jwks\n"
               "9 [rule a.B_c-9]\n"
               "10 [rule spaced]\n"
               "11 user=a b  c\n");
}

static void test_empty_texts(void **state)
{
        (void)state;
        EXPECT("", "");
        EXPECT("\n", "");
        EXPECT("\n\n\n", "");
        EXPECT("#", "");
        EXPECT("# no line feed", "");
        EXPECT("    ", "");
}

static void test_last_line_needs_no_line_feed(void **state)
{
        (void)state;
        EXPECT("[host]\nname = a", "1 [host ]\n2 name=a\n");
        EXPECT("[host]", "1 [host ]\n");
}

static void test_value_is_taken_as_it_stands(void **state)
{
        (void)state;
        EXPECT("a = b = c\n", "1 a=b = c\n");
        EXPECT("a = # no comment\n", "1 a=# no comment\n");
        EXPECT("a = [b]\n", "1 a=[b]\n");
        EXPECT("a ==b\n", "1 a==b\n");
        EXPECT("a = %H;$(x)\n", "1 a=%H;$(x)\n");
}

/* Each line is wrong by itself; the key around it must still be read, at its own line. */
static const struct {
        const char *line;
        size_t length;
        const char *what;
} wrong[] = {
#define WRONG(line, what)                    \
        {                                    \
                line, sizeof(line) - 1, what \
        }
        WRONG(" user = root", "indented"),
        WRONG(" [rule a]", "indented"),
        WRONG("\tuser = root", "a tab"),
        WRONG("user\t= root", "a tab"),
        WRONG("# tab\tin a comment", "a tab"),
        WRONG("user = root\r", "carriage return"),
        WRONG("\r", "carriage return"),
        WRONG("# comment\r", "carriage return"),
        WRONG("user = a\0b", "a control character"),
        WRONG("\0", "a control character"),
        WRONG("# \0 user = root", "a control character"),
        WRONG("user = \x01", "a control character"),
        WRONG("user = \x1b[31m", "a control character"),
        WRONG("user = \x7f", "a control character"),
        WRONG("user = \v", "a control character"),
        WRONG("user = j\xc3\xb6rg", "not ASCII"),
        WRONG("user = a\xa0", "not ASCII"),
        WRONG("\xef\xbb\xbf[host]", "not ASCII"),
        WRONG("\xef\xbb\xbf# comment", "not ASCII"),
        WRONG("[rule a] # comment", "nothing may follow"),
        WRONG("[rule a] x", "nothing may follow"),
        WRONG("[rule a", "nothing may follow"),
        WRONG("[", "nothing may follow"),
        WRONG("[]", "a section is"),
        WRONG("[ rule a]", "a section is"),
        WRONG("[Rule a]", "a section is"),
        WRONG("[rule:a]", "a section is"),
        WRONG("[rule9]", "a section is"),
        WRONG("[rule ]", "letters, digits"),
        WRONG("[rule a ]", "letters, digits"),
        WRONG("[rule a b]", "letters, digits"),
        WRONG("[rule a]b]", "letters, digits"),
        WRONG("[rule a/b]", "letters, digits"),
        WRONG("[rule *]", "letters, digits"),
        WRONG("user", "neither"),
        WRONG("= root", "neither"),
        WRONG("User = root", "neither"),
        WRONG("us er = root", "neither"),
        WRONG("user: root", "neither"),
        WRONG("us-er = root", "neither"),
        WRONG("user2 = root", "neither"),
        WRONG("; comment", "neither"),
        WRONG("// comment", "neither"),
        WRONG("user =", "without a value"),
        WRONG("user = ", "without a value"),
        WRONG("user = \"root\"", "no quotes"),
        WRONG("user = 'root'", "no quotes"),
        WRONG("user = root \\", "no escapes"),
        WRONG("user = a\\nb", "no escapes"),
};

static void test_wrong_lines(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(wrong); i++) {
                char text[128];
                size_t length = 0;

                length += (size_t)snprintf(text, sizeof(text), "before = a\n");
                memcpy(text + length, wrong[i].line, wrong[i].length);
                length += wrong[i].length;
                length += (size_t)snprintf(text + length, sizeof(text) - length, "\nafter = b\n");
                char *said = items_of(text, length);
                char *second = strchr(said, '\n') + 1;
                if (strncmp(second, "2 !", 3) != 0 || strstr(second, wrong[i].what) == NULL)
                        fail_msg("%s: %s", wrong[i].line, said);
                assert_string_equal(strchr(second, '\n') + 1, "3 after=b\n");
                free(said);
        }
}

/* A line of LENGTH bytes: `key = vvv…`. */
static char *long_line(size_t length, char first)
{
        char *line = malloc(length + 1);

        assert_non_null(line);
        memset(line, 'v', length);
        if (first == '#')
                line[0] = '#';
        else
                memcpy(line, "key = ", 6);
        line[length] = '\0';
        return line;
}

static void test_line_of_1024_bytes(void **state)
{
        (void)state;
        for (int c = '#'; c <= 'k'; c += 'k' - '#') {
                char *fits = long_line(KSA_INI_LINE, (char)c);
                char *said = items_of(fits, KSA_INI_LINE);

                assert_null(strchr(said, '!'));
                free(said);
                free(fits);
                char *over = long_line(KSA_INI_LINE + 1, (char)c);
                expect(over, KSA_INI_LINE + 1, "1 !the line is longer than 1024 bytes\n");
                free(over);
        }
}

/* A reader with a buffer of its own would cut such a line and read its tail as a line. */
static void test_tail_of_an_over_long_line_is_no_line(void **state)
{
        static const size_t lengths[] = {127, 255, 256, 511, 1023, 1024, 2048, 4096, 8192, 65536};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(lengths); i++) {
                char *text = long_line(lengths[i] + sizeof("user = root"), 'k');

                memcpy(text + lengths[i], "user = root\n", sizeof("user = root"));
                char *said = items_of(text, strlen(text));
                assert_null(strstr(said, "\n2 "));
                assert_null(strstr(said, " user"));
                free(said);
                free(text);
        }
}

static void test_section_name_of_64_bytes(void **state)
{
        char text[512], name[301];

        (void)state;
        memset(name, 'n', sizeof(name));
        name[KSA_INI_NAME] = '\0';
        (void)snprintf(text, sizeof(text), "[rule %s]\n", name);
        char *said = items_of(text, strlen(text));
        assert_non_null(strstr(said, name));
        free(said);
        static const size_t longer[] = {KSA_INI_NAME + 1, 300};
        for (size_t i = 0; i < KSA_COUNT(longer); i++) {
                memset(name, 'n', sizeof(name));
                name[longer[i]] = '\0';
                (void)snprintf(text, sizeof(text), "[rule %s]\n", name);
                expect(text, strlen(text),
                       "1 !a section's name must not be longer than 64 bytes\n");
        }
}

/*
 * On random texts out of the bytes that matter: the line of that number begins with the reported
 * key and ends with its value, and no line is reported twice.
 */
static void check_claims(const char *text, size_t length)
{
        char *said = items_of(text, length), *state = NULL;
        unsigned last = 0;

        for (char *claim = strtok_r(said, "\n", &state); claim != NULL;
             claim = strtok_r(NULL, "\n", &state)) {
                char *rest;
                unsigned number = (unsigned)strtoul(claim, &rest, 10);
                const char *line = text;

                assert_true(number > last);
                last = number;
                for (unsigned i = 1; i < number; i++)
                        line = (const char *)memchr(line, '\n', length - (size_t)(line - text)) + 1;
                const char *end = memchr(line, '\n', length - (size_t)(line - text));
                size_t width = (size_t)((end != NULL ? end : text + length) - line);
                if (rest[1] == '!' || rest[1] == '[')
                        continue;
                size_t key = strcspn(rest + 1, "="), value = strlen(rest + 1) - key - 1;
                while (width > 0 && line[width - 1] == ' ')
                        width--;
                assert_true(key > 0 && value > 0 && key + value < width);
                assert_memory_equal(line, rest + 1, key);
                assert_memory_equal(line + width - value, rest + 1 + key + 1, value);
        }
        free(said);
}

static void test_each_key_is_the_text_of_its_line(void **state)
{
        static const char bytes[] = "aab =\n\n[]#_c \r\t\"x9";
        uint32_t seed = 99;

        (void)state;
        for (unsigned run = 0; run < 20000; run++) {
                char text[65];
                size_t length = next_random(&seed) % sizeof(text);

                for (size_t i = 0; i < length; i++)
                        text[i] = bytes[next_random(&seed) % (sizeof(bytes) - 1)];
                check_claims(text, length);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sections_and_keys),
                cmocka_unit_test(test_empty_texts),
                cmocka_unit_test(test_last_line_needs_no_line_feed),
                cmocka_unit_test(test_value_is_taken_as_it_stands),
                cmocka_unit_test(test_wrong_lines),
                cmocka_unit_test(test_line_of_1024_bytes),
                cmocka_unit_test(test_tail_of_an_over_long_line_is_no_line),
                cmocka_unit_test(test_section_name_of_64_bytes),
                cmocka_unit_test(test_each_key_is_the_text_of_its_line),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

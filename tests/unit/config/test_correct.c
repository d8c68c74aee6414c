/* SPDX-License-Identifier: BSD-2-Clause */
/* correct.c: the line to type in place of a line that is not valid. */
#include "config/correct.h"

#include <string.h>

#include "support/support.h"

static const struct {
        enum ksa_section section;
        const char *line, *option, *remedy; /* NULL: none */
} lines[] = {
#define ROW(section, line, option, remedy)                  \
        {                                                   \
                KSA_SECTION_##section, line, option, remedy \
        }
        ROW(RULE, "user\t= bot", "user", "write user = bot"),
        ROW(RULE, "\tuser = bot", "user", "write user = bot"),
        ROW(RULE, "  user = bot alice", "user", "write user = bot alice"),
        ROW(RULE, "User = bot", "user", "write user = bot"),
        ROW(RULE, "users: bot", "user", "write user = bot"),
        ROW(RULE, "- user: \"bot\"", "user", "write user = bot"),
        ROW(RULE, "user bot", "user", "write user = bot"),
        ROW(RULE, "user += bot", "user", "write user = bot"),
        ROW(RULE,
            "user = \xe2\x80\x9c"
            "bot\xe2\x80\x9d",
            "user", "write user = bot"),
        ROW(RULE, "user\xc2\xa0= bot", "user", "write user = bot"),
        ROW(RULE,
            "account = prod:ci/build\xe2\x80\x93"
            "bot",
            "account", "write account = prod:ci/build-bot"),
        ROW(RULE, "account-uid: abc", "account_uid", "write account_uid = abc"),
        ROW(RULE, "user = 'bot' # the bot", "user", "write user = bot"),
        ROW(RULE, "user = b\xc3\xb6t", "user", NULL),
        ROW(RULE, "user = ", "user", NULL),
        ROW(RULE, "user", "user", NULL),
        ROW(RULE, "user = \"a, b\"", "user", NULL),
        ROW(RULE, "\tonce = true", "once", NULL),
        ROW(RULE, "\xff\xfe", NULL, NULL),
        ROW(RULE, "", NULL, NULL),
        ROW(RULE, "nonsense", NULL, NULL),
        ROW(HOST, "audience = \"ssh://build-7\"", "audience", "write audience = ssh://build-7"),
        ROW(HOST, "Max-Lifetime: 1h", "max_lifetime", "write max_lifetime = 1h"),
        ROW(CLUSTER, "proxy: http://joe:hunter2@proxy", "proxy", NULL),
};

static void test_lines(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(lines); i++) {
                char remedy[KSA_REMEDY_MAX + 1];
                size_t length = strlen(lines[i].line);
                const struct ksa_option *option =
                        ksa_correct_option(lines[i].section, lines[i].line, length);
                const char *name = option == NULL ? "none" : option->name;

                if (strcmp(name, lines[i].option == NULL ? "none" : lines[i].option) != 0)
                        fail_msg("%s: %s", lines[i].line, name);
                if (option == NULL)
                        continue;
                bool found = ksa_correct_line(option, lines[i].line, length, remedy);
                if (found != (lines[i].remedy != NULL))
                        fail_msg("%s: %s", lines[i].line, found ? remedy : "none");
                if (found)
                        assert_string_equal(remedy, lines[i].remedy);
        }
}

static const struct {
        const char *line, *remedy; /* NULL: none */
} headers[] = {
        {"[rules deploy]", "write [rule deploy]"},
        {"[Rule Deploy]", "write [rule Deploy]"},
        {"[rule \"deploy\"]", "write [rule deploy]"},
        {"[rule deploy bot]", "write [rule deploy-bot]"},
        {"[rule deploy] # bot", "write [rule deploy]"},
        {" [rule deploy]", "write [rule deploy]"},
        {"\xef\xbb\xbf[rule deploy]", "write [rule deploy]"},
        {"[[rule deploy]]", "write [rule deploy]"},
        {"[rule:deploy]", "write [rule deploy]"},
        {"[rule.deploy]", "write [rule deploy]"},
        {"rule deploy]", "write [rule deploy]"},
        {"[rule deploy", "write [rule deploy]"},
        {"[rule]", "write [rule NAME]"},
        {"[accounts]", "write [accounts CLUSTER]"},
        {"[acount x]", "write [account x]"},
        {"[hosts]", "write [host]"},
        {"[host build-7]", "write [host]"},
        {"[users x]", NULL},
        {"[]", NULL},
        {"[rule tw\xc3\xb6]", NULL},
};

static void test_headers(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(headers); i++) {
                char remedy[KSA_REMEDY_MAX + 1];
                bool found = ksa_correct_header(headers[i].line, strlen(headers[i].line), remedy);

                if (found != (headers[i].remedy != NULL) ||
                    (found && strcmp(remedy, headers[i].remedy) != 0))
                        fail_msg("%s: %s", headers[i].line, found ? remedy : "none");
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_headers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* option.c and types.c: the table of options, the values of each kind, and lists. */
#include "config/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/support.h"

/* Room for any section. */
union any_section {
        struct ksa_section_head head;
        struct ksa_host host;
        struct ksa_cluster cluster;
        struct ksa_service service;
        struct ksa_rule rule;
        struct ksa_account account;
        struct ksa_accounts accounts;
};

static struct ksa_list *list_in(union any_section *section, const struct ksa_option *option)
{
        return (struct ksa_list *)(void *)((char *)section + option->offset);
}

static bool is_list(const struct ksa_option *option)
{
        return (option->flags & KSA_OPTION_LIST) != 0;
}

/* Sets OPTION in a section of its own; the value that did not fit, copied, or NULL. */
static char *set(const struct ksa_option *option, const char *value)
{
        union any_section section = {0};
        char text[1024];
        bool memory = true;

        (void)snprintf(text, sizeof(text), "%s", value);
        const char *misfit = ksa_option_set(option, text, &section, &memory);
        assert_false(memory);
        if (is_list(option))
                free(list_in(&section, option)->items);
        return misfit == NULL ? NULL : strdup(misfit);
}

static bool takes(enum ksa_section section, const char *name, const char *value)
{
        const struct ksa_option *option = ksa_option_find(section, name);

        assert_non_null(option);
        char *misfit = set(option, value);
        /* A message has the text as written, even if the parser cut it up. */
        if (misfit != NULL && !is_list(option))
                assert_string_equal(misfit, value);
        free(misfit);
        return misfit == NULL;
}

/* --- The table ----------------------------------------------------------------- */

static void test_rows(void **state)
{
        (void)state;
        assert_true(ksa_option_count <= 64); /* a bit for each in the options of a section */
        for (size_t i = 0; i < ksa_option_count; i++) {
                const struct ksa_option *option = &ksa_options[i];

                /* Found by its own name, and so no name stands twice in a section. */
                assert_ptr_equal(ksa_option_find(option->section, option->name), option);
                assert_true(i == 0 || option->section >= option[-1].section);
                assert_true(option->text[0] != '\0');
                assert_true(option->kind->syntax[0] != '\0');
                assert_true(option->offset + (is_list(option) ? sizeof(struct ksa_list)
                                                              : option->kind->size) <=
                            sizeof(union any_section));
                assert_false((option->flags & KSA_OPTION_REQUIRED) != 0 &&
                             option->default_value != NULL);
        }
}

static void test_every_default_fits(void **state)
{
        (void)state;
        for (size_t i = 0; i < ksa_option_count; i++) {
                if (ksa_options[i].default_value == NULL)
                        continue;
                assert_true(strlen(ksa_options[i].default_value) < 64); /* set_defaults in load.c */
                assert_false(is_list(&ksa_options[i]));
                char *misfit = set(&ksa_options[i], ksa_options[i].default_value);
                if (misfit != NULL)
                        fail_msg("%s: %s", ksa_options[i].name, misfit);
        }
}

static void test_find(void **state)
{
        (void)state;
        assert_null(ksa_option_find(KSA_SECTION_HOST, "issuer"));
        assert_null(ksa_option_find(KSA_SECTION_HOST, "Audience"));
        assert_null(ksa_option_find(KSA_SECTION_HOST, ""));
        assert_ptr_not_equal(ksa_option_find(KSA_SECTION_HOST, "audience"),
                             ksa_option_find(KSA_SECTION_RULE, "audience"));
}

static void test_given(void **state)
{
        const struct ksa_option *option = ksa_option_find(KSA_SECTION_ACCOUNTS, "recreated");
        struct ksa_section_head head = {0};

        (void)state;
        assert_false(ksa_option_given(&head, option));
        head.given = UINT64_C(1) << (option - ksa_options);
        assert_true(ksa_option_given(&head, option));
        assert_false(ksa_option_given(&head, option - 1));
}

/* --- Values --------------------------------------------------------------------- */

static const struct {
        enum ksa_section section;
        const char *name, *good[10], *bad[40];
} value_rows[] = {
        {KSA_SECTION_HOST,
         "audience",
         {"ssh://%H", "a", "a b", "ssh://%h.example.com", "//iam.example.com/a?b=(c)"},
         {"\x80",
          "ssh://a # was ssh://b",
          "ssh://a; ssh://b",
          "ssh://a#",
          "a ; b",
          "a,b",
          "%",
          "%x",
          "%2f",
          "*",
          "//",
          "--",
          "a -- b",
          "ssh://{{ host }}",
          "${HOST}",
          "$HOST",
          "$(hostname)",
          "<HOST>",
          "a|b",
          "a>b",
          "{a}"}},
        {KSA_SECTION_HOST,
         "name",
         {"build-7", "build-7.example.com"},
         {"Build", "a_b", "-a", "a-", "a..b", ".", "a b"}},
        {KSA_SECTION_HOST, "timeout", {"1", "60s", "1m"}, {"0", "61", "2m", "-1", "1.5", "s"}},
        {KSA_SECTION_HOST,
         "max_lifetime",
         {"60", "1h", "366d"},
         {"59", "367d", "1w", "1 h", "99999999999999999999"}},
        {KSA_SECTION_HOST, "multiple_audiences", {"yes", "no"}, {"Yes", "1", "true", "yes "}},
        {KSA_SECTION_HOST,
         "uid_range",
         {"1000-1000", "1000-4294967294"},
         {"999-2000", "2000-1000", "1000", "1000-4294967295", "-", "1000-", "-2000", "1000--2000"}},
        {KSA_SECTION_CLUSTER,
         "issuer",
         {"https://x", "x y", "https://[::1]:6443/a?b=%2f", "kubernetes/serviceaccount"},
         {"\x7f", "https://x # y", "https://x; y", "https://x#", "a,b", "https://{{ x }}",
          "https://$x", "https://$(x)", "https://<x>", "a|b", "a^b", "a`b", "a\\b", "https://x/%2",
          "https://x/%H"}},
        {KSA_SECTION_CLUSTER,
         "keys",
         {"api", "discover", "https://x/keys", "file:/x"},
         {"API", "file:x", "file:", "http://x", "/x", "api discover", "file:/x y", "file:/x#y",
          "https://", "https://x,y", "api # x", "file:/$x"}},
        {KSA_SECTION_CLUSTER,
         "keys_ca_file",
         {"/x", "/", "/nix/store/0-a.b_c+d@e:f=g~h%i"},
         {"x", "./x", "~/x", "/x y", "/x#y", "/x;y", "/x,y", "/$x", "/x*", "/x[y]", "/x(y)",
          "/{x}"}},
        {KSA_SECTION_CLUSTER,
         "api_server",
         {"https://10.0.0.1:6443"},
         {"http://10.0.0.1", "10.0.0.1", "https://", "https://a b", "https://a#b", "https://$a",
          "https://a,b", "https://<a>"}},
        {KSA_SECTION_CLUSTER,
         "proxy",
         {"http://p:3128", "https://p"},
         {"p:3128", "socks5://p", "http://p#", "http://", "http://$p"}},
        {KSA_SECTION_CLUSTER,
         "review",
         {"never", "prefer", "require"},
         {"Never", "always", "no", "neve", "neverr"}},
        {KSA_SECTION_SERVICE, "local_user", {"yes", "no"}, {"maybe"}},
        {KSA_SECTION_RULE,
         "account",
         {"prod:ci/deployer", "prod:ci/*", "prod:*/*", "prod:*/default", "p:a/b.c"},
         {"deployer", "ci/deployer", "prod:ci", "prod:ci/", "prod:/a", ":ci/a", "prod:ci/dep*",
          "prod:c*/a", "prod:CI/a", "prod:ci/a/b", "prod:ci/a:b", "prod:ci/../x", "prod:**/a",
          "#:ci/a", "$p:ci/a"}},
        {KSA_SECTION_RULE,
         "user",
         {"deploy-bot", "@own", "a.b", "A", "_x", "1000", "a$", "a@b.c+d"},
         {"*", "a*", "@all", "@",  "-x",  "+x", "~x", "a:b", "a/b", "a,b", "a?",  "\xc3\xa4", ".a",
          "#", "#a", ";",    "a;", "a$b", "$",  "a#", "a=b", "(a)", "a|b", "<a>", "a$$"}},
        {KSA_SECTION_RULE,
         "account_uid",
         {"6f8e3c1a-2b4d-4c5e-9f70-8a1b2c3d4e5f", "u1"},
         {"u 1", "u#1", "u_1", "u.1", "$u", "*"}},
        {KSA_SECTION_RULE,
         "service",
         {"sshd", "sudo-i", "a.b", "sshd sudo"},
         {"*", "../x", "a/b", ".x", "..", "ssh*", "#", "sshd#", "sshd;", "sshd,sudo", "--", "@x",
          "sshd$", "ssh|d", "$x"}},
        {KSA_SECTION_RULE,
         "from",
         {"10.0.0.0/8", "192.0.2.1", "::1", "2001:db8::/32", "0.0.0.0/0 ::/0"},
         {"10.0.0.1/8", "10.0.0.0/33", "build-9", "10.0.0", "10.0.0.0/08", "::1/64", "fe80::1%1"}},
        {KSA_SECTION_RULE, "bound", {"any", "pod"}, {"node", "yes", "Pod"}},
        {KSA_SECTION_RULE, "once", {"yes", "no"}, {"twice"}},
        {KSA_SECTION_ACCOUNT, "uid", {"1000", "4294967294"}, {"999", "4294967295", "01000", "-1"}},
        {KSA_SECTION_ACCOUNT, "groups", {"a b"}, {"a:b", "a # b", "a; b", "@own", "a,b", "%a"}},
        {KSA_SECTION_ACCOUNTS, "namespaces", {"ci", "*", "ci test"}, {"CI", "c*", "a.b"}},
        {KSA_SECTION_ACCOUNTS,
         "selector",
         {"a in (b, c)", "a.b/c=d,!e,f!=g_h"},
         {"a=b # c", "a=b;", "a={{ b }}", "a=$b", "a>1", "a=<b>"}},
        {KSA_SECTION_ACCOUNTS, "recreated", {"refuse", "accept"}, {"yes", "Accept"}},
};

static void test_values(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(value_rows); i++) {
                enum ksa_section section = value_rows[i].section;
                const char *name = value_rows[i].name;

                for (size_t n = 0;
                     n < KSA_COUNT(value_rows[i].good) && value_rows[i].good[n] != NULL; n++)
                        if (!takes(section, name, value_rows[i].good[n]))
                                fail_msg("%s = %s is refused", name, value_rows[i].good[n]);
                for (size_t n = 0; n < KSA_COUNT(value_rows[i].bad) && value_rows[i].bad[n] != NULL;
                     n++)
                        if (takes(section, name, value_rows[i].bad[n]))
                                fail_msg("%s = %s is taken", name, value_rows[i].bad[n]);
        }
}

static void test_longest_values(void **state)
{
        static const struct {
                enum ksa_section section;
                const char *name;
                size_t longest;
        } rows[] = {{KSA_SECTION_HOST, "audience", 512},
                    {KSA_SECTION_ACCOUNTS, "selector", 512},
                    {KSA_SECTION_RULE, "user", 255},
                    {KSA_SECTION_RULE, "service", 384},
                    {KSA_SECTION_RULE, "account_uid", 512}};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                char text[600];

                memset(text, 'a', sizeof(text));
                text[rows[i].longest] = '\0';
                assert_true(takes(rows[i].section, rows[i].name, text));
                text[rows[i].longest] = 'a';
                text[rows[i].longest + 1] = '\0';
                assert_false(takes(rows[i].section, rows[i].name, text));
        }
}

static void test_places(void **state)
{
        struct ksa_host host = {0};
        struct ksa_rule rule = {0};
        char range[] = "2000-3000", yes[] = "yes", pattern[] = "prod:ci/*", require[] = "require";
        bool memory;

        (void)state;
        assert_null(ksa_option_set(ksa_option_find(KSA_SECTION_HOST, "uid_range"), range, &host,
                                   &memory));
        assert_int_equal(host.uid_range.min, 2000);
        assert_int_equal(host.uid_range.max, 3000);
        assert_null(ksa_option_set(ksa_option_find(KSA_SECTION_RULE, "once"), yes, &rule, &memory));
        assert_true(rule.once);
        assert_false(rule.rbac);
        assert_null(ksa_option_set(ksa_option_find(KSA_SECTION_RULE, "review"), require, &rule,
                                   &memory));
        assert_int_equal(rule.review, KSA_REVIEW_REQUIRE);
        assert_null(ksa_option_set(ksa_option_find(KSA_SECTION_RULE, "account"), pattern, &rule,
                                   &memory));
        const struct ksa_pattern *account = rule.account.items;
        assert_int_equal(rule.account.count, 1);
        assert_string_equal(account->cluster, "prod");
        assert_string_equal(account->namespace, "ci");
        assert_string_equal(account->name, "*");
        free(rule.account.items);
}

/* The value that does not fit is named, and those before it are in the list. */
static void test_a_misfit_in_a_list(void **state)
{
        struct ksa_rule rule = {0};
        char text[] = "a b * c";
        bool memory;

        (void)state;
        assert_string_equal(
                ksa_option_set(ksa_option_find(KSA_SECTION_RULE, "user"), text, &rule, &memory),
                "*");
        assert_false(memory);
        assert_int_equal(rule.user.count, 2);
        free(rule.user.items);
}

/* --- Sections -------------------------------------------------------------------- */

static void test_long_lists_keep_their_items(void **state)
{
        struct ksa_list list = {0};

        (void)state;
        for (unsigned i = 0; i < 1000; i++) {
                unsigned *workdir = ksa_list_next(&list, sizeof(*workdir));

                assert_non_null(workdir);
                *workdir = i;
                list.count++;
        }
        for (unsigned i = 0; i < 1000; i++)
                assert_int_equal(((unsigned *)list.items)[i], i);
        free(list.items);
}

static void test_sudo_i_is_sudo(void **state)
{
        (void)state;
        assert_string_equal(ksa_service_in_rules("sudo-i"), "sudo");
        assert_string_equal(ksa_service_in_rules("sudo"), "sudo");
        assert_string_equal(ksa_service_in_rules("su-l"), "su-l");
        assert_string_equal(ksa_service_in_rules("sudo-"), "sudo-");
}

static void test_words_of_sections(void **state)
{
        (void)state;
        for (unsigned i = 0; i < KSA_SECTION_COUNT; i++) {
                size_t size = 0;
                struct ksa_config config = {0};

                assert_true(ksa_section_name((enum ksa_section)i)[0] != '\0');
                assert_int_equal(ksa_section_is_named((enum ksa_section)i), i != KSA_SECTION_HOST);
                assert_int_equal(ksa_config_array(&config, (enum ksa_section)i, &size) == NULL,
                                 i == KSA_SECTION_HOST);
                assert_true(size >= sizeof(struct ksa_section_head));
                assert_null(ksa_config_section(&config, (enum ksa_section)i, 0));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_every_default_fits),
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_given),
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_longest_values),
                cmocka_unit_test(test_places),
                cmocka_unit_test(test_a_misfit_in_a_list),
                cmocka_unit_test(test_long_lists_keep_their_items),
                cmocka_unit_test(test_sudo_i_is_sudo),
                cmocka_unit_test(test_words_of_sections),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

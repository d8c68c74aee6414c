/* SPDX-License-Identifier: BSD-2-Clause */
/* pam_stack.c and pam_dispatch.c; tests/integration/test_pam_stack.py compares both with libpam. */
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/host/pam_stack.h"
#include "support/support.h"

static int set_up(void **state)
{
        static const char *const directories[] = {
                "etc", "etc/pam.d", "usr", "usr/lib", "usr/lib/pam.d", "usr/etc", "usr/etc/pam.d"};

        if (workdir_setup(state) != 0)
                return 1;
        for (size_t i = 0; i < KSA_COUNT(directories); i++)
                workdir_directory(*state, directories[i]);
        return 0;
}

static void write_service(void **state, const char *name, const char *text)
{
        char path[128];

        (void)snprintf(path, sizeof(path), "etc/pam.d/%s", name);
        workdir_write(*state, path, text);
}

static void read_service(void **state, const char *name, struct ksa_pam_stack *stack)
{
        const struct workdir *workdir = *state;
        struct ksa_error error = {0};

        if (ksa_pam_stack_read(workdir->directory, name, stack, &error) != KSA_OK)
                fail_msg("%s", error.text);
}

/* "module:line" of each entry of PHASE, + for each level of a substack; - for a line that is refused. */
static const char *modules(const struct ksa_pam_stack *stack, enum ksa_pam_phase phase)
{
        static char out[512];
        const struct ksa_pam_entry *chain[KSA_PAM_ENTRIES_MAX];
        size_t count = ksa_pam_stack_phase(stack, phase, chain), length = 0;

        out[0] = '\0';
        for (size_t i = 0; i < count && length < sizeof(out) - 64; i++)
                length += (size_t)snprintf(out + length, sizeof(out) - length, "%s%.*s%s:%u",
                                           i > 0 ? " " : "", (int)chain[i]->level, "++++",
                                           chain[i]->is_substack      ? "substack"
                                           : chain[i]->module == NULL ? "-"
                                                                      : chain[i]->module,
                                           chain[i]->line);
        return out;
}

static void test_codes_are_those_of_libpam(void **state)
{
        (void)state;
        assert_int_equal(KSA_PAM_CODE_COUNT, _PAM_RETURN_VALUES);
#define X(identifier, name) assert_int_equal(KSA_PAM_##identifier, PAM_##identifier);
        KSA_PAM_CODES(X)
#undef X
}

static void test_lines(void **state)
{
        struct ksa_pam_stack stack;

        write_service(state, "a",
                      "# auth required comment.so\n\n"
                      "auth required one.so # text\n"
                      "  -AUTH\tSufficient two.so x=1 [a b\\] c] \\\n"
                      "  last\n"
                      "\n"
                      "auth [success=ok] /lib/three.so\n"
                      "account required four.so");
        read_service(state, "a", &stack);
        assert_string_equal(modules(&stack, KSA_PAM_AUTH), "one.so:3 two.so:4 /lib/three.so:7");
        assert_string_equal(modules(&stack, KSA_PAM_ACCOUNT), "four.so:8");
        assert_string_equal(modules(&stack, KSA_PAM_SESSION), "");
        assert_int_equal(stack.problems.count, 0);
        const struct ksa_pam_entry *entries = stack.entries.items;
        assert_int_equal(entries[0].arguments.count, 0);
        assert_int_equal(entries[1].arguments.count, 3);
        assert_string_equal(ksa_list_text(&entries[1].arguments, 1), "a b] c");
        assert_string_equal(ksa_list_text(&entries[1].arguments, 2), "last");
        assert_true(ksa_pam_entry_is(&entries[2], "three.so"));
        assert_false(ksa_pam_entry_is(&entries[2], "lib/three.so"));
        assert_non_null(strstr(stack.file, "/etc/pam.d/a"));
        ksa_pam_stack_free(&stack);
}

static void test_controls(void **state)
{
        static const struct {
                const char *control;
                int success, ignore, denied, unknown;
        } rows[] = {
                {"required", -1, 0, -3, -3},
                {"requisite", -1, 0, -4, -4},
                {"optional", -1, 0, 0, 0},
                {"sufficient", -2, 0, 0, 0},
                {"[success=ok]", -1, -3, -3, -3},
                {"[ success = 12 ignore=reset default=die user_unknown=ignore]", 12, -5, -4, 0},
                {"[default=ok default=die]", -1, -1, -1, -1},
                {"[]", -3, -3, -3, -3},
                {"[success=0 default=ok]", -3, -3, -3, -3},
                {"[success=99999999999999999999 default=ok]", -3, -3, -3, -3},
                {"[good=ok default=ok]", -3, -3, -3, -3},
                {"[success default=ok]", -3, -3, -3, -3},
                {"[default=okay]", -3, -3, -3, -3},
        };

        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_pam_stack stack;
                char text[128];

                (void)snprintf(text, sizeof(text), "auth %s a.so\n", rows[i].control);
                write_service(state, "a", text);
                read_service(state, "a", &stack);
                const int *actions = ((struct ksa_pam_entry *)stack.entries.items)->actions;
                assert_int_equal(actions[KSA_PAM_SUCCESS], rows[i].success);
                assert_int_equal(actions[KSA_PAM_IGNORE], rows[i].ignore);
                assert_int_equal(actions[KSA_PAM_PERM_DENIED], rows[i].denied);
                assert_int_equal(actions[KSA_PAM_USER_UNKNOWN], rows[i].unknown);
                assert_int_equal(stack.problems.count, i < 8 ? 0 : 1);
                ksa_pam_stack_free(&stack);
        }
}

static void test_includes(void **state)
{
        struct ksa_pam_stack stack;

        write_service(state, "b", "auth required b.so\naccount required b2.so\nauth substack c\n");
        write_service(state, "c", "auth required c.so\nsession required c2.so\n");
        write_service(state, "a",
                      "@include c\nauth include b\naccount substack b\nauth required a.so\n");
        read_service(state, "a", &stack);
        assert_string_equal(modules(&stack, KSA_PAM_AUTH),
                            "c.so:1 b.so:1 substack:3 +c.so:1 a.so:4");
        assert_string_equal(modules(&stack, KSA_PAM_ACCOUNT), "substack:3 +b2.so:2");
        assert_string_equal(modules(&stack, KSA_PAM_SESSION), "c2.so:2");
        ksa_pam_stack_free(&stack);
}

/* Its directories, and `other` for a phase without lines of its own. */
static void test_where_files_are(void **state)
{
        struct ksa_pam_stack stack;

        workdir_write(*state, "usr/lib/pam.d/vendor", "auth required lib.so\nauth include old\n");
        workdir_write(*state, "usr/etc/pam.d/vendor", "auth required etc.so\n");
        workdir_write(*state, "usr/etc/pam.d/old", "auth required old.so\n");
        write_service(state, "other", "auth required other.so\naccount required other2.so\n");
        read_service(state, "vendor", &stack);
        assert_string_equal(modules(&stack, KSA_PAM_AUTH), "lib.so:1 old.so:1");
        assert_string_equal(modules(&stack, KSA_PAM_ACCOUNT), "other2.so:2");
        ksa_pam_stack_free(&stack);
}

static void test_no_file(void **state)
{
        const struct workdir *workdir = *state;
        struct ksa_pam_stack stack;
        struct ksa_error error = {0};

        write_service(state, "other", "auth required other.so\n");
        assert_int_equal(ksa_pam_stack_read(workdir->directory, "ssh", &stack, &error),
                         KSA_FILE_MISSING);
        assert_non_null(strstr(error.text, "/etc/pam.d/ssh"));
        workdir_directory(workdir, "etc/pam.d/directory");
        assert_int_equal(ksa_pam_stack_read(workdir->directory, "directory", &stack, &error),
                         KSA_FILE_UNREADABLE);
}

static void test_lines_that_libpam_refuses(void **state)
{
        static const struct {
                const char *text, *problem, *auth, *account;
        } rows[] = {
                {"auht required a.so\n", "unknown type \"auht\"", "-:1", ""},
                {"account\n", "the control is missing", "", "-:1"},
                {"account optional\n", "the module is missing", "", "-:1"},
                {"auth include nowhere\n", "cannot include \"nowhere\"", "-:1", ""},
                {"auth substack nowhere\n", "cannot include \"nowhere\"", "substack:1 -:1", ""},
                {"@include nowhere\n", "cannot include \"nowhere\"", "-:1", "-:1"},
                {"@include\n", "the name of the file to include is missing", "-:1", "-:1"},
                {"auth required a.so \\\n# b\nauth required c.so\n",
                 "an empty line or a comment follows a backslash", "a.so:1 c.so:3", ""},
                {"auth required a.so\n\\\n", "the file ends after a backslash", "a.so:1 -:2",
                 "-:2"},
        };

        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_pam_stack stack;

                write_service(state, "a", rows[i].text);
                read_service(state, "a", &stack);
                assert_int_equal(stack.problems.count, 1);
                assert_string_equal(((struct ksa_pam_problem *)stack.problems.items)->text,
                                    rows[i].problem);
                assert_string_equal(modules(&stack, KSA_PAM_AUTH), rows[i].auth);
                assert_string_equal(modules(&stack, KSA_PAM_ACCOUNT), rows[i].account);
                ksa_pam_stack_free(&stack);
        }
}

static void test_limits(void **state)
{
        struct ksa_pam_stack stack;

        write_service(state, "a", "auth substack a\n");
        read_service(state, "a", &stack);
        assert_int_equal(stack.problems.count, 1);
        assert_int_equal(stack.entries.count, KSA_PAM_LEVELS_MAX + 1);
        ksa_pam_stack_free(&stack);
        /* each file twice: 2^16 of them, of which the list takes the first 1000 */
        write_service(state, "a", "auth include a\nauth include a\n");
        read_service(state, "a", &stack);
        assert_int_equal(stack.entries.count, KSA_PAM_ENTRIES_MAX);
        ksa_pam_stack_free(&stack);
}

/* A result of each module, or - for one that takes no part, to the code of the phase. */
static void test_dispatch(void **state)
{
        static const struct {
                const char *text, *results;
                enum ksa_pam_code code;
                const char *called;
        } rows[] = {
                {"", "", KSA_PAM_PERM_DENIED, ""},
                {"auth required a.so\nauth required b.so\n", "ss", KSA_PAM_SUCCESS, "cc"},
                {"auth required a.so\nauth required b.so\n", "ds", KSA_PAM_AUTH_ERR, "cc"},
                {"auth requisite a.so\nauth required b.so\n", "ds", KSA_PAM_AUTH_ERR, "c-"},
                {"auth sufficient a.so\nauth required b.so\n", "sd", KSA_PAM_SUCCESS, "c-"},
                {"auth required a.so\nauth sufficient b.so\nauth optional c.so\n", "dss",
                 KSA_PAM_AUTH_ERR, "ccc"},
                {"auth required a.so\nauth required b.so\n", "-s", KSA_PAM_SUCCESS, "cc"},
                {"auth required a.so\n", "i", KSA_PAM_PERM_DENIED, "c"},
                {"auth [default=bad] a.so\n", "i", KSA_PAM_PERM_DENIED, "c"},
                {"auth [default=bad] a.so\n", "s", KSA_PAM_PERM_DENIED, "c"},
                {"auth [success=1] a.so\nauth requisite b.so\nauth required c.so\n", "sds",
                 KSA_PAM_SUCCESS, "c-c"},
                {"auth [success=1] a.so\n", "s", KSA_PAM_PERM_DENIED, "c"},
                {"auth required a.so\nauth [default=reset] b.so\n", "ds", KSA_PAM_PERM_DENIED,
                 "cc"},
                {"auth [success=1] a.so\nauth substack s\nauth required c.so\n", "s.dds",
                 KSA_PAM_SUCCESS, "c.--c"},
                {"auth substack s\nauth required c.so\n", ".sds", KSA_PAM_SUCCESS, ".c-c"},
                {"auth required a.so\nauth substack s\nauth [default=reset] c.so\n", "s.dsd",
                 KSA_PAM_PERM_DENIED, "c.ccc"},
        };

        write_service(state, "s", "auth sufficient s1.so\nauth required s2.so\n");
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                const struct ksa_pam_entry *chain[KSA_PAM_ENTRIES_MAX];
                int results[8] = {0};
                bool called[8];
                struct ksa_pam_stack stack;

                write_service(state, "a", rows[i].text);
                read_service(state, "a", &stack);
                size_t count = ksa_pam_stack_phase(&stack, KSA_PAM_AUTH, chain);
                assert_int_equal(count, strlen(rows[i].results));
                for (size_t n = 0; n < count; n++)
                        results[n] = rows[i].results[n] == 's'   ? KSA_PAM_SUCCESS
                                     : rows[i].results[n] == 'i' ? KSA_PAM_IGNORE
                                     : rows[i].results[n] == '-' ? -1
                                                                 : KSA_PAM_AUTH_ERR;
                assert_int_equal(ksa_pam_dispatch(chain, count, results, NULL), rows[i].code);
                (void)ksa_pam_dispatch(chain, count, results, called);
                for (size_t n = 0; n < count; n++)
                        assert_int_equal(called[n], rows[i].called[n] == 'c');
                ksa_pam_stack_free(&stack);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_codes_are_those_of_libpam),
                cmocka_unit_test_setup_teardown(test_lines, set_up, workdir_teardown),
                cmocka_unit_test_setup_teardown(test_controls, set_up, workdir_teardown),
                cmocka_unit_test_setup_teardown(test_includes, set_up, workdir_teardown),
                cmocka_unit_test_setup_teardown(test_where_files_are, set_up, workdir_teardown),
                cmocka_unit_test_setup_teardown(test_no_file, set_up, workdir_teardown),
                cmocka_unit_test_setup_teardown(test_lines_that_libpam_refuses, set_up,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_limits, set_up, workdir_teardown),
                cmocka_unit_test_setup_teardown(test_dispatch, set_up, workdir_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

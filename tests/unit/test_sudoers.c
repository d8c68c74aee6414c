/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sudoers.c: every name that sudo might take from these files is a word. */
#include "sudoers.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

static enum ksa_reason read_place(const struct place *place, struct ksa_sudoers *sudoers)
{
        char file[96], folder[96];
        struct ksa_error err = {0};

        (void)snprintf(file, sizeof(file), "%s/sudoers", place->folder);
        (void)snprintf(folder, sizeof(folder), "%s/sudoers.d", place->folder);
        return ksa_sudoers_read(file, folder, sudoers, &err);
}

static void test_ways_to_write_a_name(void **state)
{
        static const char *const ways[] = {
                "ci_deployer ALL=(ALL) ALL",
                "%ci_deployer ALL=ALL",
                "%:ci_deployer ALL=ALL",
                "\"ci_deployer\" ALL=ALL",
                "root,ci_deployer ALL=ALL",
                "User_Alias BOTS=ci_deployer",
                "User_Alias BOTS = root, \\\n  ci_deployer",
                "!ci_deployer ALL=ALL",
                "ci\\_deployer ALL=ALL",
                "ci\\x5fdeployer ALL=ALL",
                "Defaults:ci_deployer !authenticate",
                "Defaults>ci_deployer !authenticate",
                "ALL ALL=(ci_deployer:ci_deployer) ALL",
                "# ci_deployer",
                "x ALL=ALL # ci_deployer",
                "  ci_deployer\tALL=ALL",
                "ci_deployer",
                "CI_Deployer ALL=(ALL) ALL", /* to sudo it is one user, and one group */
                "%CI_DEPLOYER ALL=ALL",
        };

        for (size_t i = 0; i < KSA_COUNT(ways); i++) {
                struct ksa_sudoers sudoers;

                place_write(*state, "sudoers", ways[i]);
                assert_int_equal(read_place(*state, &sudoers), KSA_OK);
                if (!ksa_sudoers_has_name(&sudoers, "ci_deployer"))
                        fail_msg("not seen in: %s", ways[i]);
                assert_false(ksa_sudoers_has_name(&sudoers, "deployer"));
                assert_false(ksa_sudoers_has_name(&sudoers, "ci_deployer2"));
                ksa_sudoers_clear(&sudoers);
        }
}

static void test_numbers(void **state)
{
        struct ksa_sudoers sudoers;

        place_write(*state, "sudoers", "#1879048192 ALL=ALL\n%#42 ALL=ALL\nx ALL=/bin/kill 77\n");
        assert_int_equal(read_place(*state, &sudoers), KSA_OK);
        assert_true(ksa_sudoers_has_number(&sudoers, 1879048192));
        assert_true(ksa_sudoers_has_number(&sudoers, 42));
        assert_false(ksa_sudoers_has_number(&sudoers, 77));
        assert_false(ksa_sudoers_has_number(&sudoers, 4));
        ksa_sudoers_clear(&sudoers);
}

/* What is included is read, once, however it goes round. */
static void test_includes(void **state)
{
        struct place *place = *state;
        struct ksa_sudoers sudoers;
        char host[256] = "", name[300], text[600];

        assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
        host[strcspn(host, ".")] = '\0';
        place_folder(place, "sudoers.d");
        place_folder(place, "more");
        (void)snprintf(text, sizeof(text),
                       "#include one\n@include two\n  @includedir %s/more\n@include host-%%h\n"
                       "@include missing\n",
                       place->folder);
        place_write(place, "sudoers", text);
        place_write(place, "one", "name_one ALL=ALL\n@include sudoers\n@include one\n");
        (void)snprintf(text, sizeof(text), "name_two ALL=ALL\n@includedir %s", place->folder);
        place_write(place, "two", text);
        place_write(place, "more/three", "name_three ALL=ALL");
        (void)snprintf(name, sizeof(name), "host-%s", host);
        place_write(place, name, "name_host ALL=ALL");
        place_write(place, "sudoers.d/four", "name_four ALL=ALL");
        place_write(place, "sudoers.d/passed.over", "name_five ALL=ALL");
        assert_int_equal(read_place(place, &sudoers), KSA_OK);
        assert_true(ksa_sudoers_has_name(&sudoers, "name_one"));
        assert_true(ksa_sudoers_has_name(&sudoers, "name_two"));
        assert_true(ksa_sudoers_has_name(&sudoers, "name_three"));
        assert_true(ksa_sudoers_has_name(&sudoers, "name_four"));
        assert_true(ksa_sudoers_has_name(&sudoers, "name_five"));
        assert_true(ksa_sudoers_has_name(&sudoers, "name_host"));
        ksa_sudoers_clear(&sudoers);
}

/* A FIFO beside the files does not hold the run up. */
static void test_fifo(void **state)
{
        struct place *place = *state;
        struct ksa_sudoers sudoers;
        char fifo[96];

        place_folder(place, "sudoers.d");
        (void)snprintf(fifo, sizeof(fifo), "%s/sudoers.d/fifo", place->folder);
        assert_int_equal(mkfifo(fifo, 0600), 0);
        assert_int_equal(read_place(place, &sudoers), KSA_OK);
        ksa_sudoers_clear(&sudoers);
        assert_int_equal(unlink(fifo), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_ways_to_write_a_name, place_setup,
                                                place_teardown),
                cmocka_unit_test_setup_teardown(test_numbers, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(test_includes, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(test_fifo, place_setup, place_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

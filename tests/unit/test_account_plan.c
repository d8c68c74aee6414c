/* SPDX-License-Identifier: GPL-2.0-or-later */
/* account_plan.c: the life of an account, from the first time it is wanted. */
#include "account_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account_name.h"
#include "realm.h"

static struct realm realm;

static int setup(void **state)
{
        (void)state;
        realm_open(&realm);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        realm_close(&realm);
        return 0;
}

static void sync_one(const char *account_uid)
{
        realm_forget(&realm);
        realm_lists(&realm, "ci", "deployer", 100)->account_uid = account_uid;
        realm_lists(&realm, "ci", "other", 100);
        realm_sync(&realm);
}

static void sync_none(void)
{
        realm_forget(&realm);
        realm_lists(&realm, "ci", "other", 100);
        realm_sync(&realm);
}

static void test_nothing(void **state)
{
        (void)state;
        assert_int_equal(realm_plan(&realm, KSA_WISH_NONE, NULL), KSA_OK);
        assert_int_equal(realm.plan->account_count, 0);
        assert_int_equal(realm.plan->change_count, 0);
        assert_false(realm.plan->differs);
        assert_string_equal(realm.plan->guard, "");
}

static void test_added(void **state)
{
        struct ksa_account_record record;
        uint32_t uid = 0, gid = 0;

        (void)state;
        sync_one("u1");
        assert_changed(&realm, KSA_CHANGE_ADDED, "deployer");
        record = realm_record(&realm, "ci", "deployer");
        assert_int_equal(ksa_account_uid("prod", "ci", "deployer", &realm.range, &uid, NULL),
                         KSA_OK);
        assert_int_equal(ksa_account_uid("prod", "ci", "", &realm.range, &gid, NULL), KSA_OK);
        assert_int_equal(record.uid, uid);
        assert_string_equal(record.name, "ci_deployer");
        assert_string_equal(record.home, "/home/ci_deployer");
        assert_string_equal(record.shell, "/bin/sh");
        assert_string_equal(record.account_uid, "u1");
        assert_int_equal(record.created, 100);
        assert_int_equal(record.changed, 1800000000);
        assert_int_equal(record.group_count, 1);
        assert_int_equal(record.groups[0], gid);
        assert_int_equal(realm.registry.group_count, 1);
}

static void test_home_and_shell(void **state)
{
        struct ksa_account section = {.home = "/srv/bot"}, plain = {0};

        (void)state;
        realm_lists(&realm, "ci", "a", 1)->home = "/srv/homes";
        realm_lists(&realm, "ci", "b", 1)->home = "/srv/homes/";
        realm_lists(&realm, "ci", "c", 1)->shell = "/bin/bash";
        realm_lists(&realm, "ci", "d", 1)->home = "/";
        realm_declares(&realm, &section, "bot", "ci", "e");
        realm_declares(&realm, &plain, "plain", "ci", "f");
        realm_sync(&realm);
        assert_string_equal(realm_record(&realm, "ci", "a").home, "/srv/homes/ci_a");
        assert_string_equal(realm_record(&realm, "ci", "b").home, "/srv/homes/ci_b");
        assert_string_equal(realm_record(&realm, "ci", "c").shell, "/bin/bash");
        assert_string_equal(realm_record(&realm, "ci", "d").home, "/ci_d");
        assert_string_equal(realm_record(&realm, "ci", "e").home, "/srv/bot");
        assert_string_equal(realm_record(&realm, "ci", "f").home, "/home/plain");
        realm.wanted.items[0].home = "/home";
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_MODIFIED, "a", "home /home/ci_a, was /srv/homes/ci_a");
}

static void test_removed_and_returned(void **state)
{
        struct ksa_account_record before;

        (void)state;
        sync_one("u1");
        before = realm_record(&realm, "ci", "deployer");
        sync_none();
        assert_changed(&realm, KSA_CHANGE_REMOVED, "deployer");
        assert_int_equal(realm.plan->removals, 1);
        assert_state(&realm, "deployer", KSA_ACCOUNT_REMOVED);
        assert_int_equal(realm_record(&realm, "ci", "deployer").uid, before.uid);
        realm.range = (struct ksa_uid_range){5000, 6000};
        sync_one("u1"); /* and the range that has changed meanwhile does not renumber it */
        assert_changed(&realm, KSA_CHANGE_RETURNED, "deployer");
        assert_int_equal(realm_record(&realm, "ci", "deployer").uid, before.uid);
}

/* The attack that the Kubernetes uid is for: whoever may delete and make accounts becomes another one. */
static void test_recreated(void **state)
{
        (void)state;
        sync_one("u1");
        sync_one("u2");
        assert_told(&realm, KSA_CHANGE_RECREATED, "deployer", "'u1' and is 'u2'");
        assert_remedy(&realm, KSA_CHANGE_RECREATED, "deployer", "accept ci_deployer");
        assert_state(&realm, "deployer", KSA_ACCOUNT_RECREATED);
        assert_string_equal(realm_record(&realm, "ci", "deployer").account_uid, "u1");
        assert_string_equal(realm_record(&realm, "ci", "deployer").new_account_uid, "u2");
        sync_one("u2");
        assert_told(&realm, KSA_CHANGE_WARNING, "deployer", "it stays recreated");
        sync_one("u3");
        assert_changed(&realm, KSA_CHANGE_RECREATED, "deployer");
        realm_wish(&realm, KSA_WISH_ACCEPT, "ci_deployer");
        assert_changed(&realm, KSA_CHANGE_ACCEPTED, "deployer");
        assert_state(&realm, "deployer", KSA_ACCOUNT_ACTIVE);
        assert_string_equal(realm_record(&realm, "ci", "deployer").account_uid, "u3");
        assert_string_equal(realm_record(&realm, "ci", "deployer").new_account_uid, "");
}

/* From an [account] without account_uid to a listing: nobody knows that it was made again. */
static void test_declared_without_uid_then_listed(void **state)
{
        struct ksa_account section = {0};

        (void)state;
        realm_declares(&realm, &section, "ci_deployer", "ci", "deployer")->account_uid = "";
        realm_sync(&realm);
        sync_one("u1");
        assert_state(&realm, "deployer", KSA_ACCOUNT_RECREATED);
        assert_told(&realm, KSA_CHANGE_RECREATED, "deployer", "[account] without account_uid");
        assert_remedy(&realm, KSA_CHANGE_RECREATED, "deployer", "accept ci_deployer");
}

static void test_recreated_while_removed(void **state)
{
        (void)state;
        sync_one("u1");
        sync_none();
        sync_one("u2");
        assert_changed(&realm, KSA_CHANGE_RETURNED, "deployer");
        assert_changed(&realm, KSA_CHANGE_RECREATED, "deployer");
        assert_state(&realm, "deployer", KSA_ACCOUNT_RECREATED);
}

static void test_recreated_shows_its_old_uid(void **state)
{
        (void)state;
        sync_one("u1");
        sync_one("u2");
        sync_one("u1");
        assert_changed(&realm, KSA_CHANGE_RETURNED, "deployer");
        assert_state(&realm, "deployer", KSA_ACCOUNT_ACTIVE);
        assert_string_equal(realm_record(&realm, "ci", "deployer").new_account_uid, "");
}

/* The word was for the one that was shown, not for one that came after. */
static void test_accept_is_for_the_one_that_was_shown(void **state)
{
        (void)state;
        sync_one("u1");
        sync_one("u2");
        realm_forget(&realm);
        realm_lists(&realm, "ci", "deployer", 100)->account_uid = "u3";
        assert_int_equal(realm_plan(&realm, KSA_WISH_ACCEPT, "ci_deployer"), KSA_CONTESTED);
        assert_non_null(strstr(realm.err.text, "'u3'"));
        assert_null(realm.plan);
}

static void test_recreated_accept_in_the_configuration(void **state)
{
        (void)state;
        sync_one("u1");
        realm_forget(&realm);
        struct ksa_wanted *wanted = realm_lists(&realm, "ci", "deployer", 100);
        wanted->account_uid = "u2";
        wanted->source = &listing_accept;
        realm_lists(&realm, "ci", "other", 100);
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_ACCEPTED, "deployer", "recreated = accept");
        assert_state(&realm, "deployer", KSA_ACCOUNT_ACTIVE);
        assert_string_equal(realm_record(&realm, "ci", "deployer").account_uid, "u2");
}

static void test_declared_account_uid(void **state)
{
        struct ksa_account section = {0};

        (void)state;
        realm_declares(&realm, &section, "bot", "ci", "deployer")->account_uid = "";
        realm_sync(&realm);
        assert_string_equal(realm_record(&realm, "ci", "deployer").account_uid, "");
        realm.wanted.items[0].account_uid = "u1";
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_ACCEPTED, "deployer", "[account]");
        assert_state(&realm, "deployer", KSA_ACCOUNT_ACTIVE);
        assert_string_equal(realm_record(&realm, "ci", "deployer").account_uid, "u1");
        /* Nobody said it, and now a source does: is it the same? */
        realm.wanted.items[0].account_uid = "";
        realm_sync(&realm);
        realm_forget(&realm);
        realm_lists(&realm, "ci", "deployer", 1)->name = "bot";
        realm_sync(&realm);
        assert_state(&realm, "deployer", KSA_ACCOUNT_RECREATED);
}

/* An [account] section has the say over a list that has the account too. */
static void test_declared_and_listed(void **state)
{
        struct ksa_account section = {.uid = 5000};

        (void)state;
        realm_lists(&realm, "ci", "deployer", 1);
        realm_declares(&realm, &section, "bot", "ci", "deployer");
        realm_sync(&realm);
        assert_int_equal(realm.registry.account_count, 1);
        assert_int_equal(realm_record(&realm, "ci", "deployer").uid, 5000);
        assert_int_equal(realm_record(&realm, "ci", "deployer").flags, KSA_ACCOUNT_DECLARED);
        assert_int_equal(realm.plan->change_count, 1);
}

static void test_retired(void **state)
{
        (void)state;
        sync_one("u1");
        realm_wish(&realm, KSA_WISH_RETIRE, "ci_deployer");
        assert_changed(&realm, KSA_CHANGE_RETIRED, "deployer");
        assert_string_equal(realm.plan->guard, "");
        assert_state(&realm, "deployer", KSA_ACCOUNT_RETIRED);
        assert_int_equal(realm_record(&realm, "ci", "deployer").group_count, 0);
        sync_one("u2");
        assert_state(&realm, "deployer", KSA_ACCOUNT_RETIRED);
        sync_none();
        assert_state(&realm, "deployer", KSA_ACCOUNT_RETIRED);
        assert_int_equal(realm_plan(&realm, KSA_WISH_RETIRE, "ci_deployer"), KSA_ACCOUNT_UNKNOWN);
        assert_non_null(strstr(realm.err.text, "ksactl accounts accept ci_deployer takes it back"));
        assert_int_equal(realm_plan(&realm, KSA_WISH_ACCEPT, "ci_deployer"), KSA_ACCOUNT_UNKNOWN);
        assert_non_null(strstr(realm.err.text, "no source has"));
        assert_non_null(strstr(realm.err.text, "once its cluster or an [account] section has it"));
        sync_one("u1");
        assert_state(&realm, "deployer", KSA_ACCOUNT_RETIRED);
        realm_wish(&realm, KSA_WISH_ACCEPT, "ci_deployer");
        assert_changed(&realm, KSA_CHANGE_ACCEPTED, "deployer");
        assert_state(&realm, "deployer", KSA_ACCOUNT_ACTIVE);
        assert_int_equal(realm_record(&realm, "ci", "deployer").group_count, 1);
}

static void test_wishes_for_nobody(void **state)
{
        (void)state;
        sync_one("u1");
        assert_int_equal(realm_plan(&realm, KSA_WISH_ACCEPT, "nobody"), KSA_ACCOUNT_UNKNOWN);
        assert_non_null(strstr(realm.err.text, "'nobody'"));
        assert_non_null(strstr(realm.err.text, "accounts list"));
        assert_int_equal(realm_plan(&realm, KSA_WISH_RETIRE, "x\n"), KSA_ACCOUNT_UNKNOWN);
        assert_non_null(strstr(realm.err.text, "x\\x0a"));
        assert_int_equal(realm_plan(&realm, KSA_WISH_ACCEPT, "ci_deployer"), KSA_ACCOUNT_UNKNOWN);
        assert_non_null(strstr(realm.err.text, "nothing to accept"));
        assert_non_null(strstr(realm.err.text, "recreated, contested or retired"));
        sync_none();
        assert_int_equal(realm_plan(&realm, KSA_WISH_RETIRE, "ci_deployer"), KSA_ACCOUNT_UNKNOWN);
        assert_non_null(strstr(realm.err.text, "was removed"));
        assert_non_null(strstr(realm.err.text, "ksactl accounts sync brings it back"));
}

/* A source's fault: refused where there is no user yet, contested where there is one. */
static void test_fault_of_a_source(void **state)
{
        (void)state;
        sync_one("u1");
        uint32_t uid = realm_record(&realm, "ci", "deployer").uid;
        realm.wanted.items[0].fault = "ksa.dev/uid is no number";
        realm_lists(&realm, "ci", "fresh", 5)->fault = "ksa.dev/user is another's";
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_CONTESTED, "deployer", "ksa.dev/uid is no number");
        assert_state(&realm, "deployer", KSA_ACCOUNT_CONTESTED);
        assert_int_equal(realm_record(&realm, "ci", "deployer").uid, uid);
        assert_told(&realm, KSA_CHANGE_REFUSED, "fresh", "ksa.dev/user is another's");
        assert_string_equal(realm_change(&realm, KSA_CHANGE_REFUSED, "fresh")->record->name,
                            "ci_fresh");
        assert_state(&realm, "fresh", 0);
        assert_int_equal(realm_plan(&realm, KSA_WISH_ACCEPT, "ci_deployer"), KSA_CONTESTED);
        realm.wanted.items[0].fault = "";
        realm_sync(&realm);
        assert_state(&realm, "deployer", KSA_ACCOUNT_CONTESTED);
        realm_wish(&realm, KSA_WISH_ACCEPT, "ci_deployer");
        assert_state(&realm, "deployer", KSA_ACCOUNT_ACTIVE);
}

static void test_what_no_host_takes(void **state)
{
        (void)state;
        realm_lists(&realm, "ci", "default", 1);
        realm_lists(&realm, "ci", "nouid", 1)->account_uid = "";
        realm_lists(&realm, "ci", "rooted", 1)->name = "root";
        realm_lists(&realm, "ci", "system", 1)->uid = 999;
        realm_lists(&realm, "ci", "outside", 1)->uid = 5000;
        realm_lists(&realm, "ci", "colon", 1)->home = "/home:/x";
        realm_lists(&realm, "ci", "bytes", 1)->account_uid = "a\nb";
        realm_lists(&realm, "ci", "sound", 1);
        /* GHSA-6gp8-pp9v-gx45: a uid that systemd gives away as DynamicUser */
        realm.range.min = 61000;
        realm_lists(&realm, "ci", "dynamic", 1)->uid = 61184;
        realm_lists(&realm, "ci", "nobody", 1)->uid = 65534;
        realm_sync(&realm);
        assert_int_equal(realm_changes(&realm, KSA_CHANGE_REFUSED), 9);
        assert_int_equal(realm.registry.account_count, 1);
        assert_state(&realm, "sound", KSA_ACCOUNT_ACTIVE);
        assert_told(&realm, KSA_CHANGE_REFUSED, "default", "every Pod");
        assert_told(&realm, KSA_CHANGE_REFUSED, "rooted", "well-known");
        assert_told(&realm, KSA_CHANGE_REFUSED, "outside", "outside uid_range");
        assert_told(&realm, KSA_CHANGE_REFUSED, "dynamic", "61184");
}

static void test_declared_may_be_outside_the_range(void **state)
{
        struct ksa_account section = {.uid = 5000}, system = {.uid = 65534};

        (void)state;
        realm_declares(&realm, &section, "bot", "ci", "default");
        realm_declares(&realm, &system, "sys", "ci", "system");
        realm_sync(&realm);
        assert_int_equal(realm_record(&realm, "ci", "default").uid, 5000);
        assert_changed(&realm, KSA_CHANGE_REFUSED, "system");
}

/* Bug: an annotation that changed before each run made the registry grow without end. */
static void test_names_that_are_left_behind_have_a_limit(void **state)
{
        char name[16];

        (void)state;
        for (int i = 0; i < 20; i++) {
                realm_forget(&realm);
                (void)snprintf(name, sizeof(name), "ci_n%d", i);
                realm_lists(&realm, "ci", "deployer", 1)->name = name;
                realm_sync(&realm);
        }
        assert_int_equal(realm.registry.account_count, 9);
        assert_state(&realm, "deployer", KSA_ACCOUNT_CONTESTED);
        assert_string_equal(realm_record(&realm, "ci", "deployer").name, "ci_n8");
}

/* What comes back is the last that it was, though the clock was set back meanwhile. */
static void test_returned_as_the_last(void **state)
{
        static const int64_t jumps[] = {100, -100000};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(jumps); i++) {
                struct ksa_account section = {.uid = 5000};

                realm_close(&realm);
                realm_open(&realm);
                realm_declares(&realm, &section, "bot", "ci", "a");
                realm_sync(&realm);
                realm.wanted.items[0].uid = 5001;
                realm_sync(&realm);
                realm.now += jumps[i];
                realm_forget(&realm);
                realm_sync(&realm);
                assert_int_equal(realm_record(&realm, "ci", "a").uid, 5001);
                realm_lists(&realm, "ci", "a", 1)->name = "bot";
                realm_sync(&realm);
                assert_int_equal(realm_record(&realm, "ci", "a").uid, 5001);
                assert_state(&realm, "a", KSA_ACCOUNT_CONTESTED); /* its own would be another */
        }
}

static void test_damaged_registry(void **state)
{
        (void)state;
        sync_one("u1");
        unsigned char *bytes = ((unsigned char **)realm.written.items)[realm.written.count - 1];
        bytes[realm.registry.accounts + 60] ^= 1;
        assert_int_equal(realm_plan(&realm, KSA_WISH_NONE, NULL), KSA_REGISTRY);
}

static void test_words(void **state)
{
        (void)state;
        assert_string_equal(ksa_change_word(KSA_CHANGE_ADDED), "added");
        assert_string_equal(ksa_change_word(KSA_CHANGE_WARNING), "warning");
        assert_string_equal(ksa_change_word(0), "unknown");
        assert_string_equal(ksa_account_state_word(KSA_ACCOUNT_CONTESTED), "contested");
        assert_string_equal(ksa_account_state_word(KSA_ACCOUNT_STATE_COUNT), "unknown");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_nothing),
                TEST(test_added),
                TEST(test_home_and_shell),
                TEST(test_removed_and_returned),
                TEST(test_recreated),
                TEST(test_declared_without_uid_then_listed),
                TEST(test_recreated_while_removed),
                TEST(test_recreated_shows_its_old_uid),
                TEST(test_accept_is_for_the_one_that_was_shown),
                TEST(test_recreated_accept_in_the_configuration),
                TEST(test_declared_account_uid),
                TEST(test_declared_and_listed),
                TEST(test_retired),
                TEST(test_wishes_for_nobody),
                TEST(test_fault_of_a_source),
                TEST(test_what_no_host_takes),
                TEST(test_declared_may_be_outside_the_range),
                TEST(test_names_that_are_left_behind_have_a_limit),
                TEST(test_returned_as_the_last),
                TEST(test_damaged_registry),
                TEST(test_words),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

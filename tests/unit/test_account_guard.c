/* SPDX-License-Identifier: GPL-2.0-or-later */
/* account_guard.c: what is too much at once, and what is held then. */
#include "account_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* --- How much is too much -------------------------------------------------------------- */

/* The plan of a run without --force. */
static void plan_carefully(void)
{
        realm.careful = true;
        assert_int_equal(realm_plan(&realm, KSA_WISH_NONE, NULL), KSA_OK);
        realm.careful = false;
}

static void test_guard(void **state)
{
        (void)state;
        for (int i = 0; i < 20; i++) {
                char name[16];

                (void)snprintf(name, sizeof(name), "a%d", i);
                realm_lists(&realm, i < 10 ? "ci" : "web", name, 1);
        }
        realm_lists(&realm, "lone", "last", 1);
        realm_sync(&realm);
        realm.wanted.items[3] = realm.wanted.items[0];
        plan_carefully();
        assert_string_equal(realm.plan->guard, "");
        realm.wanted.items[4] = realm.wanted.items[0];
        plan_carefully();
        assert_int_equal(realm.plan->removals, 2);
        assert_string_equal(realm.plan->guard, "");
        realm.wanted.items[5] = realm.wanted.items[0];
        plan_carefully();
        assert_string_equal(realm.plan->guard,
                            "3 of 21 listed accounts would be removed, more than a tenth");
        realm_sync(&realm);
        realm.wanted.items[20] = realm.wanted.items[0];
        plan_carefully();
        assert_string_equal(realm.plan->guard,
                            "all accounts of the namespace prod:lone/* would be removed");
        /* Another one in its place, or the administrator's word, is no emptiness. */
        realm_lists(&realm, "lone", "next", 1);
        plan_carefully();
        assert_string_equal(realm.plan->guard, "");
        realm_wish(&realm, KSA_WISH_RETIRE, "lone_last");
        assert_string_equal(realm.plan->guard, "");
}

static void list_many(size_t count)
{
        realm_forget(&realm);
        for (size_t i = 0; i < count; i++) {
                char name[16];

                (void)snprintf(name, sizeof(name), "a%02zu", i);
                realm_lists(&realm, "ci", name, 1);
        }
}

/* The guard where the first of that many accounts are listed no more. */
static const char *guard_without(size_t count, size_t removed)
{
        list_many(count);
        for (size_t i = 0; i < removed; i++)
                realm.wanted.items[i] = realm.wanted.items[count - 1];
        plan_carefully();
        assert_int_equal(realm.plan->removals, removed);
        return realm.plan->guard;
}

static void test_guard_is_a_tenth(void **state)
{
        (void)state;
        list_many(3);
        realm_sync(&realm);
        assert_string_equal(guard_without(3, 1), ""); /* one is no tenth, of however few */
        assert_string_not_equal(guard_without(3, 2), "");
        list_many(27);
        realm_sync(&realm);
        assert_string_equal(guard_without(27, 2), "");
        assert_string_not_equal(guard_without(27, 3), "");
        list_many(20);
        realm_sync(&realm);
        assert_string_equal(guard_without(20, 2), "");
        /* Those that were retired are not there to be removed. */
        for (size_t i = 10; i < 15; i++) {
                char user[16];

                (void)snprintf(user, sizeof(user), "ci_a%02zu", i);
                list_many(20);
                realm_wish(&realm, KSA_WISH_RETIRE, user);
        }
        assert_string_not_equal(guard_without(20, 2), "");
}

/* A range that somebody changed would refuse everybody at once. */
static void test_guard_against_locking_everybody_out(void **state)
{
        (void)state;
        list_many(20);
        realm_sync(&realm);
        realm.range = (struct ksa_uid_range){5000000, 5999999};
        list_many(20);
        plan_carefully();
        assert_string_equal(realm.plan->guard,
                            "20 of 20 accounts would be refused until each is accepted, more "
                            "than a tenth: was uid_range changed?");
        realm_sync(&realm);
        /* Then they are, and that stops no run any more. */
        list_many(20);
        plan_carefully();
        assert_string_equal(realm.plan->guard, "");
}

/* A host with the namespaces ci (20 accounts), lone (1) and mine (20). */
static void three_namespaces(void)
{
        for (int i = 0; i < 40; i++) {
                char name[16];

                (void)snprintf(name, sizeof(name), "a%d", i);
                realm_lists(&realm, i < 20 ? "ci" : "mine", name, 1);
        }
        realm_lists(&realm, "lone", "last", 1);
        realm_sync(&realm);
}

/* The first account of ci stands in the place of those that are listed no more. */
static void unlist(size_t first, size_t end)
{
        for (size_t i = first; i < end; i++)
                realm.wanted.items[i] = realm.wanted.items[0];
}

static void sync_carefully(void)
{
        realm.careful = true;
        realm_sync(&realm);
        realm.careful = false;
}

/* Bug: who deleted the last account of his namespace kept everybody else's from being removed. */
static void test_a_namespace_that_is_emptied_holds_no_other(void **state)
{
        (void)state;
        three_namespaces();
        unlist(40, 41);
        unlist(5, 6);
        realm_lists(&realm, "ci", "new", 1);
        sync_carefully();
        assert_string_not_equal(realm.plan->guard, "");
        assert_int_equal(realm.plan->held, 1);
        assert_int_equal(realm_record(&realm, "lone", "last").state, KSA_ACCOUNT_ACTIVE);
        assert_state(&realm, "a5", KSA_ACCOUNT_REMOVED);
        assert_state(&realm, "new", KSA_ACCOUNT_ACTIVE);
        assert_non_null(realm_change(&realm, KSA_CHANGE_HELD, "last"));
        /* It keeps its group too, and goes by the administrator's word. */
        assert_int_equal(realm_record(&realm, "lone", "last").group_count, 1);
        realm_sync(&realm);
        assert_int_equal(realm_record(&realm, "lone", "last").state, KSA_ACCOUNT_REMOVED);
}

/* The same with a namespace that loses more than a tenth of the host. */
static void test_a_namespace_that_loses_much_holds_no_other(void **state)
{
        (void)state;
        three_namespaces();
        unlist(21, 35);
        unlist(5, 6);
        sync_carefully();
        assert_int_equal(realm.plan->held, 14);
        assert_int_equal(realm_record(&realm, "mine", "a21").state, KSA_ACCOUNT_ACTIVE);
        assert_state(&realm, "a5", KSA_ACCOUNT_REMOVED);
}

/* A little of each namespace is too much as well: all of it is held. */
static void test_a_little_of_each_namespace_is_held(void **state)
{
        (void)state;
        for (int i = 0; i < 30; i++) {
                char namespace[16], name[16];

                (void)snprintf(namespace, sizeof(namespace), "n%d", i / 3);
                (void)snprintf(name, sizeof(name), "a%d", i);
                realm_lists(&realm, namespace, name, 1);
        }
        realm_sync(&realm);
        for (size_t i = 0; i < 10; i++)
                realm.wanted.items[3 * i + 1] = realm.wanted.items[0];
        sync_carefully();
        assert_int_equal(realm.plan->held, 10);
        assert_int_equal(realm_changes(&realm, KSA_CHANGE_REMOVED), 0);
}

/* An [account] section that takes the name of one that goes is the administrator's word. */
static void test_nothing_is_held_against_a_section(void **state)
{
        struct ksa_account section = {0};

        (void)state;
        three_namespaces();
        unlist(40, 41);
        realm_declares(&realm, &section, "lone_last", "ops", "other");
        sync_carefully();
        assert_int_equal(realm.plan->held, 0);
        assert_string_equal(realm.plan->guard, "");
        assert_int_equal(realm_record(&realm, "lone", "last").state, KSA_ACCOUNT_REMOVED);
        assert_string_equal(realm_record(&realm, "ops", "other").name, "lone_last");
}

/* --- [account] sections -------------------------------------------------------------- */

/* Bug: a tenant who took his last account's label off undid that the administrator removed a section. */
static void test_a_section_that_was_taken_out_is_not_held(void **state)
{
        struct ksa_account section = {0};

        (void)state;
        realm_lists(&realm, "evil", "last", 1);
        realm_lists(&realm, "ci", "deployer", 1);
        realm_declares(&realm, &section, "deploy", "evil", "dep");
        realm_sync(&realm);
        realm_forget(&realm);
        realm_lists(&realm, "ci", "deployer", 1);
        sync_carefully();
        assert_int_equal(realm_record(&realm, "evil", "dep").state, KSA_ACCOUNT_REMOVED);
        assert_int_equal(realm_record(&realm, "evil", "last").state, KSA_ACCOUNT_ACTIVE);
        assert_int_equal(realm.plan->held, 1);
        assert_string_equal(realm.plan->guard,
                            "all accounts of the namespace prod:evil/* would be removed");
}

/* All of them at once too, and they count in no tenth; the same users come back with them. */
static void test_all_sections_that_were_taken_out_are_not_held(void **state)
{
        struct ksa_account sections[4] = {{0}, {0}, {0}, {0}};
        static const char *const names[] = {"one", "two", "three", "four"};
        uint32_t uid;

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(names); i++)
                realm_declares(&realm, &sections[i], names[i], "ops", names[i]);
        for (int i = 0; i < 20; i++) {
                char name[16];

                (void)snprintf(name, sizeof(name), "a%02d", i);
                realm_lists(&realm, "ci", name, 1);
        }
        realm_sync(&realm);
        uid = realm_record(&realm, "ops", "one").uid;
        list_many(20);
        /* Nor do they make a tenth of what else goes: 2 of 20 are none. */
        realm.wanted.items[3] = realm.wanted.items[0];
        realm.wanted.items[4] = realm.wanted.items[0];
        sync_carefully();
        assert_string_equal(realm.plan->guard, "");
        assert_int_equal(realm_changes(&realm, KSA_CHANGE_REMOVED), 6);
        list_many(20);
        realm_declares(&realm, &sections[0], "one", "ops", "one");
        sync_carefully();
        assert_int_equal(realm_record(&realm, "ops", "one").state, KSA_ACCOUNT_ACTIVE);
        assert_int_equal(realm_record(&realm, "ops", "one").uid, uid);
}

/* Sections are no part of the whole either: 2 of 10 listed accounts are too much beside 30 declared ones. */
static void test_sections_make_no_tenth_larger(void **state)
{
        static struct ksa_account sections[30];
        static char names[30][16];

        (void)state;
        list_many(10);
        for (size_t i = 0; i < 30; i++) {
                (void)snprintf(names[i], sizeof(names[i]), "by-hand%zu", i);
                sections[i] = (struct ksa_account){0};
                realm_declares(&realm, &sections[i], names[i], "ops", names[i]);
        }
        realm_sync(&realm);
        unlist(1, 3);
        plan_carefully();
        assert_string_equal(realm.plan->guard,
                            "2 of 10 listed accounts would be removed, more than a tenth");
}

/* A namespace whose last listed account goes is empty, whatever sections declare there. */
static void test_all_of_a_namespace_is_all_that_was_listed(void **state)
{
        struct ksa_account section = {0};

        (void)state;
        list_many(20);
        realm_lists(&realm, "lone", "last", 1);
        realm_declares(&realm, &section, "kept", "lone", "kept");
        realm_sync(&realm);
        unlist(20, 21);
        sync_carefully();
        assert_string_equal(realm.plan->guard,
                            "all accounts of the namespace prod:lone/* would be removed");
        assert_int_equal(realm_record(&realm, "lone", "last").state, KSA_ACCOUNT_ACTIVE);
        assert_int_equal(realm_record(&realm, "lone", "kept").state, KSA_ACCOUNT_ACTIVE);
}

/* --- Contests ------------------------------------------------------------------------ */

static const char *all_namespaces[] = {"*"};
static const struct ksa_accounts annotated = {
        .name = "prod", .annotations = true, .namespaces = {.items = all_namespaces, .count = 1}};

/* An account of evil and one of bank that ask for one uid; evil's had it here first. */
#define DISPUTED 1900000000

static void list_evil(bool older_one_is_there)
{
        realm_forget(&realm);
        for (int i = 0; i < 24; i++) {
                char name[16];

                (void)snprintf(name, sizeof(name), "b%d", i);
                realm_lists(&realm, "bank", name, 1)->source = &annotated;
        }
        for (int i = 0; i < 4; i++) {
                char name[16];

                (void)snprintf(name, sizeof(name), "x%d", i);
                realm_lists(&realm, "evil", name, 100)->source = &annotated;
        }
        realm.wanted.items[24].uid = DISPUTED;
        if (older_one_is_there) {
                struct ksa_wanted *pay = realm_lists(&realm, "bank", "pay0", 1);

                pay->source = &annotated;
                pay->uid = DISPUTED;
        }
}

/* Bug: three accounts with a faulty annotation, and the fourth was let in by a uid that is disputed. */
static void test_a_tenant_holds_no_contest_by_faults(void **state)
{
        (void)state;
        list_evil(false);
        realm_sync(&realm);
        list_evil(true);
        for (size_t i = 25; i < 28; i++)
                realm.wanted.items[i].fault = "no user may be called 'root'";
        sync_carefully();
        assert_int_equal(realm_record(&realm, "evil", "x0").state, KSA_ACCOUNT_CONTESTED);
        assert_int_equal(realm_record(&realm, "evil", "x1").state, KSA_ACCOUNT_CONTESTED);
        assert_int_equal(realm.plan->held, 0);
        assert_string_equal(realm.plan->guard, "");
}

/* The same with annotations that ask for another uid, also of the one that has the disputed uid. */
static void test_a_tenant_holds_no_contest_by_annotations(void **state)
{
        (void)state;
        for (size_t first = 24; first < 26; first++) {
                realm_close(&realm);
                realm_open(&realm);
                list_evil(false);
                for (size_t i = 25; i < 28; i++)
                        realm.wanted.items[i].uid = DISPUTED + (uint32_t)i;
                realm_sync(&realm);
                list_evil(true);
                realm.wanted.items[24].uid = first == 24 ? 0 : DISPUTED;
                for (size_t i = 25; i < 28; i++)
                        realm.wanted.items[i].uid = i == 25 ? 0 : DISPUTED + 100 + (uint32_t)i;
                sync_carefully();
                assert_int_equal(realm_record(&realm, "evil", "x0").state, KSA_ACCOUNT_CONTESTED);
                assert_int_equal(realm.plan->held, 0);
        }
}

/* Nor by taking the label off: evil's is gone from the list, and bank's would have its uid elsewhere. */
static void test_no_removal_is_held_whose_uid_another_asks_for(void **state)
{
        (void)state;
        list_evil(false);
        realm_sync(&realm);
        list_evil(true);
        for (size_t i = 24; i < 28; i++)
                realm.wanted.items[i] = realm.wanted.items[0];
        sync_carefully();
        assert_int_equal(realm_record(&realm, "evil", "x0").state, KSA_ACCOUNT_REMOVED);
        assert_int_equal(realm_record(&realm, "evil", "x1").state, KSA_ACCOUNT_ACTIVE);
        assert_int_equal(realm.plan->held, 3);
}

/* What a changed range holds: all whose uid is computed, declared or listed, and is no matter of another's. */
static void test_another_range_holds_whose_uid_nobody_else_asks_for(void **state)
{
        struct ksa_account section = {0}, taker = {0};
        uint32_t uid;

        (void)state;
        list_many(20);
        realm_lists(&realm, "lone", "one", 1);
        realm_declares(&realm, &section, "by-hand", "ops", "by-hand");
        realm_sync(&realm);
        uid = realm_record(&realm, "ci", "a00").uid;
        realm.range = (struct ksa_uid_range){5000000, 2147483647};
        struct ksa_wanted *other = realm_lists(&realm, "bank", "pay0", 1);
        other->source = &annotated;
        other->uid = uid;
        realm_declares(&realm, &taker, "ci_a05", "ops", "taker");
        sync_carefully();
        assert_state(&realm, "a00", KSA_ACCOUNT_CONTESTED);
        assert_state(&realm, "a05", KSA_ACCOUNT_CONTESTED);
        assert_state(&realm, "a01", KSA_ACCOUNT_ACTIVE);
        assert_int_equal(realm_record(&realm, "lone", "one").state, KSA_ACCOUNT_ACTIVE);
        assert_int_equal(realm_record(&realm, "ops", "by-hand").state, KSA_ACCOUNT_ACTIVE);
        assert_int_equal(realm.plan->held, 20);
}

/* An account that was made again is another one, and a fault of its own is its source's matter. */
static void test_who_was_made_again_or_is_at_fault_is_not_held(void **state)
{
        (void)state;
        list_many(20);
        realm_sync(&realm);
        realm.range = (struct ksa_uid_range){5000000, 5999999};
        list_many(20);
        realm.wanted.items[7].account_uid = "another";
        realm.wanted.items[8].fault = "its annotation is none";
        sync_carefully();
        assert_state(&realm, "a07", KSA_ACCOUNT_CONTESTED);
        assert_state(&realm, "a08", KSA_ACCOUNT_CONTESTED);
        assert_int_equal(realm.plan->held, 18);
}

/* A local user that came meanwhile has the name: nobody else is let in by it. */
static void test_nobody_is_held_against_a_local_user(void **state)
{
        char path[] = "/tmp/ksa-test-XXXXXX";
        int file = mkstemp(path);

        (void)state;
        assert_true(file >= 0);
        list_many(20);
        realm_sync(&realm);
        assert_true(dprintf(file, "ci_a03:x:1001:1001::/:/bin/sh\n") > 0);
        assert_int_equal(close(file), 0);
        realm.files.passwd = path;
        realm.range = (struct ksa_uid_range){5000000, 5999999};
        list_many(20);
        sync_carefully();
        assert_int_equal(unlink(path), 0);
        assert_state(&realm, "a03", KSA_ACCOUNT_CONTESTED);
        assert_int_equal(realm.plan->held, 19);
}

/* --- What is remembered of it ----------------------------------------------------------- */

static unsigned held_flags(const char *namespace, const char *account)
{
        return realm_record(&realm, namespace, account).flags &
               (KSA_ACCOUNT_HELD | KSA_ACCOUNT_MOVED);
}

/* Bug: who is held was told by nothing but the run itself. */
static void test_the_registry_remembers_who_is_held(void **state)
{
        (void)state;
        list_many(20);
        realm_lists(&realm, "lone", "last", 1);
        realm_sync(&realm);
        unlist(20, 21);
        sync_carefully();
        assert_int_equal(held_flags("lone", "last"), KSA_ACCOUNT_HELD);
        assert_int_equal(held_flags("ci", "a00"), 0);
        assert_true(realm.plan->differs);
        /* A run that does not ask the cluster knows no better. */
        list_many(20);
        realm_lists(&realm, "lone", "last", 1)->kept = true;
        sync_carefully();
        assert_int_equal(held_flags("lone", "last"), KSA_ACCOUNT_HELD);
        assert_int_equal(realm.plan->change_count, 0);
        /* It is there again. */
        list_many(20);
        realm_lists(&realm, "lone", "last", 1);
        sync_carefully();
        assert_int_equal(held_flags("lone", "last"), 0);
        assert_told(&realm, KSA_CHANGE_MODIFIED, "last", "it is held no more");
}

static void test_who_is_held_and_ends_is_held_no_more(void **state)
{
        (void)state;
        list_many(20);
        realm_lists(&realm, "lone", "last", 1);
        realm_sync(&realm);
        unlist(20, 21);
        sync_carefully();
        list_many(20);
        realm_lists(&realm, "lone", "last", 1)->kept = true;
        realm_wish(&realm, KSA_WISH_RETIRE, "lone_last");
        assert_int_equal(held_flags("lone", "last"), 0);
}

static void test_the_registry_remembers_who_is_held_over_a_range(void **state)
{
        (void)state;
        list_many(20);
        realm_sync(&realm);
        realm.range = (struct ksa_uid_range){5000000, 5999999};
        list_many(20);
        sync_carefully();
        assert_int_equal(held_flags("ci", "a00"), KSA_ACCOUNT_MOVED);
        realm.range = (struct ksa_uid_range){1879048192, 2147483647};
        list_many(20);
        sync_carefully();
        assert_int_equal(held_flags("ci", "a00"), 0);
        assert_state(&realm, "a00", KSA_ACCOUNT_ACTIVE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_guard),
                TEST(test_guard_is_a_tenth),
                TEST(test_guard_against_locking_everybody_out),
                TEST(test_a_namespace_that_is_emptied_holds_no_other),
                TEST(test_a_namespace_that_loses_much_holds_no_other),
                TEST(test_a_little_of_each_namespace_is_held),
                TEST(test_nothing_is_held_against_a_section),
                TEST(test_a_section_that_was_taken_out_is_not_held),
                TEST(test_all_sections_that_were_taken_out_are_not_held),
                TEST(test_sections_make_no_tenth_larger),
                TEST(test_all_of_a_namespace_is_all_that_was_listed),
                TEST(test_a_tenant_holds_no_contest_by_faults),
                TEST(test_a_tenant_holds_no_contest_by_annotations),
                TEST(test_no_removal_is_held_whose_uid_another_asks_for),
                TEST(test_another_range_holds_whose_uid_nobody_else_asks_for),
                TEST(test_who_was_made_again_or_is_at_fault_is_not_held),
                TEST(test_nobody_is_held_against_a_local_user),
                TEST(test_the_registry_remembers_who_is_held),
                TEST(test_who_is_held_and_ends_is_held_no_more),
                TEST(test_the_registry_remembers_who_is_held_over_a_range),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

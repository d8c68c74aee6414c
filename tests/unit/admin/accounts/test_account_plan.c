/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan_*.c, account_plan.c: the holder keeps. Random histories of three hosts: test_accounts_model.py. */
#include "admin/accounts/account_plan.h"

#include <stdio.h>
#include <string.h>

#include "admin/accounts/account_name.h"
#include "support/realm.h"

#define DISABLED KSA_ACCOUNT_DISABLED
#define REMOVED  KSA_ACCOUNT_REMOVED

static struct realm host;

static int setup(void **state)
{
        if (place_setup(state) != 0)
                return -1;
        realm_open(&host);
        realm_has_files(&host, ((struct place *)*state)->folder);
        return 0;
}

static int teardown(void **state)
{
        realm_close(&host);
        return place_teardown(state);
}

#define REALM                        \
        struct realm *realm = &host; \
        (void)state

static uint32_t computed(const struct realm *realm, const char *account)
{
        uint32_t uid = 0;

        assert_int_equal(
                ksa_account_uid("prod", "ci", account, &realm->config.host.uid_range, &uid, NULL),
                KSA_OK);
        return uid;
}

/* --- Newcomers -------------------------------------------------------------- */

static void test_a_user_and_its_group(void **state)
{
        REALM;

        realm_lists(realm, "ci", "deployer", 5);
        realm_sync(realm);
        struct ksa_account_record record = realm_record(realm, "ci", "deployer");
        assert_string_equal(record.name, "ci_deployer");
        assert_int_equal(record.uid, computed(realm, "deployer"));
        assert_int_equal(record.group_count, 1);
        assert_string_equal(record.home, "/home/ci_deployer");
        struct ksa_group_record group;
        assert_int_equal(ksa_registry_group_by_name(&realm->registry, "k8s-ci", &group),
                         KSA_REGISTRY_FOUND);
        assert_int_equal(group.gid, computed(realm, ""));
        assert_int_equal(record.groups[0], group.gid);
}

/* In a range of one number all ask for it; the group asks for it too, just before its oldest account. */
static void test_of_newcomers_the_first_gets_it(void **state)
{
        static const struct {
                const char *first;
                int64_t ages[3]; /* of a, b and c */
        } rows[] = {{"b", {9, 5, 7}}, {"a", {5, 5, 5}}, {"c", {0, 0, 1}}};
        REALM;

        realm->config.host.uid_range = (struct ksa_uid_range){70000, 70000};
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                /* The group is elsewhere, or it would ask for the number before its oldest account. */
                struct ksa_desired_group elsewhere = {"prod", "ops", "k8s-ops", 90000};

                realm->registry = (struct ksa_registry){.bytes = NULL};
                realm_forget(realm);
                realm_lists(realm, "ops", "c", rows[i].ages[2]);
                realm_lists(realm, "ops", "b", rows[i].ages[1]);
                realm_lists(realm, "ops", "a", rows[i].ages[0]);
                realm->desired.groups = (struct ksa_list){&elsewhere, 1};
                realm_sync(realm);
                realm->desired.groups = (struct ksa_list){.items = NULL};
                for (const char *one = "abc"; *one != '\0'; one++) {
                        const char name[] = {*one, '\0'};
                        const bool first = strcmp(name, rows[i].first) == 0;

                        assert_int_equal(realm_record(realm, "ops", name).state,
                                         first ? KSA_ACCOUNT_ACTIVE : 0);
                        if (!first)
                                assert_int_equal(
                                        realm_change(realm, KSA_CHANGE_REFUSED, name)->refusal,
                                        KSA_REFUSAL_NUMBER_TAKEN);
                }
        }
}

/* A local user of one host must not hand a number to another account there. */
static void test_a_refused_newcomer_counts_against_younger_ones(void **state)
{
        struct ksa_account section = {.uid = 70001};
        REALM;

        place_write(*state, "passwd", "bot:x:1500:1500::/:/bin/sh\n");
        realm_declares(realm, &section, "bot", "ci", "older");
        realm_lists(realm, "ci", "younger", 5)->uid = 70001;
        realm_sync(realm);
        assert_refused(realm, "older", KSA_REFUSAL_NAME_LOCAL);
        assert_refused(realm, "younger", KSA_REFUSAL_RANGE);
        realm->config.host.uid_range.min = 70000;
        realm_sync(realm);
        assert_refused(realm, "younger", KSA_REFUSAL_NUMBER_TAKEN);
}

static void test_an_older_newcomer_takes_nothing(void **state)
{
        REALM;

        realm_lists(realm, "ci", "holder", 9)->uid = 1900000000;
        realm_sync(realm);
        realm_lists(realm, "ci", "older", 1)->uid = 1900000000;
        realm_sync(realm);
        assert_state(realm, "holder", KSA_ACCOUNT_ACTIVE, 0);
        assert_refused(realm, "older", KSA_REFUSAL_NUMBER_TAKEN);
        /* Not even once the holder is gone. */
        realm_forget(realm);
        realm_lists(realm, "ci", "older", 1)->uid = 1900000000;
        realm_sync(realm);
        assert_state(realm, "holder", REMOVED, 0);
        assert_refused(realm, "older", KSA_REFUSAL_NUMBER_TAKEN);
}

static void test_owners_of_this_host(void **state)
{
        static const struct {
                const char *file, *text;
                enum ksa_refusal refusal;
        } rows[] = {
                {"passwd", "ci_a:x:1500:1500::/:/bin/sh\n", KSA_REFUSAL_NAME_LOCAL},
                {"passwd", "alice:x:1900000000:1500::/:/bin/sh\n", KSA_REFUSAL_NUMBER_LOCAL},
                {"group", "ci_a:x:1500:\n", KSA_REFUSAL_NAME_LOCAL},
                {"group", "web:x:1900000000:\n", KSA_REFUSAL_NUMBER_LOCAL},
                {"subuid", "alice:1899999999:2\n", KSA_REFUSAL_NUMBER_LOCAL},
                {"subuid", "ci_a:100000:65536\n", KSA_REFUSAL_NAME_LOCAL},
                {"group", "docker:x:990:ci_a\n", KSA_REFUSAL_NONE},
        };
        REALM;

        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                realm_forget(realm);
                realm->registry = (struct ksa_registry){.bytes = NULL};
                realm_lists(realm, "ci", "a", 5)->uid = 1900000000;
                place_write(*state, rows[i].file, rows[i].text);
                realm_sync(realm);
                place_write(*state, rows[i].file, "");
                if (rows[i].refusal != KSA_REFUSAL_NONE)
                        assert_refused(realm, "a", rows[i].refusal);
                else
                        assert_state(realm, "a", KSA_ACCOUNT_ACTIVE, 0);
        }
}

static void test_a_namespace_that_left_too_many_names_behind(void **state)
{
        struct ksa_account section = {.uid = 0};
        char name[16];
        REALM;

        for (int i = 0; i < 10000; i++) {
                (void)snprintf(name, sizeof(name), "a%d", i);
                realm_lists(realm, "ci", name, 5);
        }
        realm_sync(realm);
        realm_forget(realm);
        realm_sync(realm);
        realm_lists(realm, "ci", "newcomer", 5);
        realm_declares(realm, &section, "bot", "ci", "declared");
        realm_sync(realm);
        assert_refused(realm, "newcomer", KSA_REFUSAL_FULL);
        assert_state(realm, "declared", KSA_ACCOUNT_ACTIVE, 0);
}

/* --- Names and uids that stay ----------------------------------------------- */

static void test_removal_loses_nothing(void **state)
{
        REALM;

        realm_lists(realm, "ci", "a", 5);
        realm_lists(realm, "ci", "b", 5);
        realm_sync(realm);
        realm_keeps(realm);
        realm_wish(realm, KSA_WISH_DISABLE, "ci_b");
        const uint32_t uid = realm_record(realm, "ci", "a").uid;
        realm_forget(realm);
        realm_sync(realm);
        assert_changed(realm, KSA_CHANGE_REMOVED, "a");
        realm->config.host.uid_range = (struct ksa_uid_range){70000, 79999};
        realm_lists(realm, "ci", "a", 5);
        realm_lists(realm, "ci", "b", 5);
        realm_sync(realm);
        assert_changed(realm, KSA_CHANGE_RETURNED, "a");
        assert_int_equal(realm_record(realm, "ci", "a").uid, uid);
        assert_state(realm, "b", DISABLED, KSA_DISABLED_ADMINISTRATOR);
}

static void test_a_section_for_a_listed_account(void **state)
{
        struct ksa_account section = {.uid = 70001}, other = {.uid = 70001};
        REALM;

        realm_lists(realm, "ci", "a", 5);
        realm_lists(realm, "ci", "b", 5);
        realm_sync(realm);
        const uint32_t uid = realm_record(realm, "ci", "a").uid;
        section.uid = 0;
        realm_declares(realm, &section, "bot", "ci", "a");
        realm_sync(realm);
        assert_changed(realm, KSA_CHANGE_RENAMED, "a");
        assert_string_equal(realm_record(realm, "ci", "a").name, "bot");
        assert_int_equal(realm_record(realm, "ci", "a").uid, uid);
        /* Its former name stays its own, as do its former uids. */
        realm_forget(realm);
        section.uid = 70001;
        realm_declares(realm, &section, "bot", "ci", "a");
        realm_declares(realm, &other, "ci_a", "ci", "thief");
        realm_sync(realm);
        assert_changed(realm, KSA_CHANGE_RENUMBERED, "a");
        assert_refused(realm, "thief", KSA_REFUSAL_NAME_TAKEN);
        realm_forget(realm);
        section.uid = 70002;
        realm_declares(realm, &section, "bot", "ci", "a");
        realm_declares(realm, &other, "bot2", "ci", "thief");
        realm_sync(realm);
        assert_refused(realm, "thief", KSA_REFUSAL_NUMBER_TAKEN);
        /* The account itself may have them again. */
        realm_forget(realm);
        section.uid = uid;
        realm_declares(realm, &section, "ci_a", "ci", "a");
        realm_sync(realm);
        assert_int_equal(realm_record(realm, "ci", "a").uid, uid);
        assert_string_equal(realm_record(realm, "ci", "a").name, "ci_a");
}

static void test_a_taken_name_leaves_the_user_as_it_is(void **state)
{
        struct ksa_account section = {.uid = 0};
        REALM;

        realm_lists(realm, "ci", "a", 5);
        realm_lists(realm, "ci", "b", 5);
        realm_sync(realm);
        section.uid = realm_record(realm, "ci", "b").uid;
        realm_declares(realm, &section, "ci_b", "ci", "a");
        realm_sync(realm);
        assert_string_equal(realm_record(realm, "ci", "a").name, "ci_a");
        assert_state(realm, "a", KSA_ACCOUNT_ACTIVE, 0);
        assert_int_equal(realm_change(realm, KSA_CHANGE_WARNING, "a")->refusal,
                         KSA_REFUSAL_NAME_TAKEN);
}

/* --- Reasons ---------------------------------------------------------------- */

static void test_recreated(void **state)
{
        REALM;

        realm_lists(realm, "ci", "a", 5);
        realm_sync(realm);
        realm_forget(realm);
        realm_lists(realm, "ci", "a", 6)->account_uid = "second";
        realm_sync(realm);
        assert_state(realm, "a", DISABLED, KSA_DISABLED_RECREATED);
        assert_string_equal(realm_record(realm, "ci", "a").account_uid, "uid-a");
        /* enable is about the one that the registry has; a third one is another again. */
        realm_keeps(realm);
        realm_wish(realm, KSA_WISH_ENABLE, "ci_a");
        assert_state(realm, "a", KSA_ACCOUNT_ACTIVE, 0);
        assert_string_equal(realm_record(realm, "ci", "a").account_uid, "second");
        realm_forget(realm);
        realm_lists(realm, "ci", "a", 7)->account_uid = "third";
        realm_sync(realm);
        assert_state(realm, "a", DISABLED, KSA_DISABLED_RECREATED);
        /* The same account again needs no decision. */
        realm_forget(realm);
        realm_lists(realm, "ci", "a", 6)->account_uid = "second";
        realm_sync(realm);
        assert_state(realm, "a", KSA_ACCOUNT_ACTIVE, 0);
        realm_forget(realm);
        struct ksa_desired *item = realm_lists(realm, "ci", "a", 8);
        item->account_uid = "fourth";
        item->source = &listing_accept;
        realm_sync(realm);
        assert_state(realm, "a", KSA_ACCOUNT_ACTIVE, 0);
        assert_string_equal(realm_record(realm, "ci", "a").account_uid, "fourth");
}

static void test_a_local_user_that_comes_later(void **state)
{
        REALM;

        realm_lists(realm, "ci", "a", 5);
        realm_sync(realm);
        place_write(*state, "passwd", "ci_a:x:1500:1500::/:/bin/sh\n");
        realm_sync(realm);
        assert_state(realm, "a", DISABLED, KSA_DISABLED_CONFLICT);
        assert_int_equal(realm_plan(realm, KSA_WISH_ENABLE, "ci_a"), KSA_DISABLED);
        place_write(*state, "passwd", "");
        realm_sync(realm);
        assert_state(realm, "a", DISABLED, KSA_DISABLED_CONFLICT);
        realm_wish(realm, KSA_WISH_ENABLE, "ci_a");
        assert_state(realm, "a", KSA_ACCOUNT_ACTIVE, 0);
}

/* Only enable on this host lifts it. */
static void test_the_administrators_reason_stays(void **state)
{
        struct ksa_account section = {.uid = 0};
        REALM;

        realm_lists(realm, "ci", "a", 5);
        realm_sync(realm);
        realm_wish(realm, KSA_WISH_DISABLE, "ci_a");
        assert_int_equal(realm_record(realm, "ci", "a").group_count, 0);
        assert_int_equal(realm_plan(realm, KSA_WISH_DISABLE, "ci_a"), KSA_ACCOUNT_UNKNOWN);
        assert_int_equal(realm_plan(realm, KSA_WISH_ENABLE, "nobody"), KSA_ACCOUNT_UNKNOWN);
        realm_forget(realm);
        realm_sync(realm);
        struct ksa_desired *item = realm_lists(realm, "ci", "a", 6);
        item->account_uid = "second";
        item->source = &listing_accept;
        realm_sync(realm);
        assert_state(realm, "a", DISABLED, KSA_DISABLED_ADMINISTRATOR);
        realm_forget(realm);
        item = realm_lists(realm, "ci", "a", 6);
        item->leader = KSA_LEADER_ACTIVE;
        item->source = &following;
        realm_sync(realm);
        realm_declares(realm, &section, "ci_a", "ci", "a");
        realm_sync(realm);
        assert_state(realm, "a", DISABLED, KSA_DISABLED_ADMINISTRATOR);
        realm_wish(realm, KSA_WISH_ENABLE, "ci_a");
        assert_state(realm, "a", KSA_ACCOUNT_ACTIVE, 0);
        assert_int_equal(realm_record(realm, "ci", "a").group_count, 1);
        assert_int_equal(realm_plan(realm, KSA_WISH_ENABLE, "ci_a"), KSA_ACCOUNT_UNKNOWN);
}

/* --- A leader --------------------------------------------------------------- */

static struct ksa_desired *leader_lists(struct realm *realm, const char *account, const char *name,
                                        uint32_t uid, enum ksa_leader_state leader)
{
        struct ksa_desired *item = realm_lists(realm, "ci", account, 5);

        item->source = &following;
        item->name = name;
        item->uid = uid;
        item->leader = leader;
        return item;
}

static void test_a_follower_takes_what_the_leader_has(void **state)
{
        REALM;

        leader_lists(realm, "a", "deploy", 1900000000, KSA_LEADER_ACTIVE);
        leader_lists(realm, "a", "ci_a", 1900000001, KSA_LEADER_FORMER);
        leader_lists(realm, "b", "ci_b", 1900000002, KSA_LEADER_DISABLED);
        leader_lists(realm, "gone", "ci_gone", 1900000003, KSA_LEADER_REMOVED);
        realm_sync(realm);
        assert_string_equal(realm_record(realm, "ci", "a").name, "deploy");
        assert_int_equal(realm_record(realm, "ci", "a").uid, 1900000000);
        assert_state(realm, "b", DISABLED, KSA_DISABLED_LEADER);
        assert_state(realm, "gone", REMOVED, 0);
        assert_int_equal(realm_plan(realm, KSA_WISH_ENABLE, "ci_b"), KSA_DISABLED);
        /* Its group is the leader's too, unless its gid is outside uid_range. */
        struct ksa_desired_group group = {"prod", "ci", "k8s-ci", 5000};
        realm->registry = (struct ksa_registry){.bytes = NULL};
        for (int i = 0; i < 2; i++, group.gid = 1900000009) {
                realm->desired.groups = (struct ksa_list){&group, 1};
                realm_sync(realm);
                realm->desired.groups = (struct ksa_list){.items = NULL};
                assert_int_equal(realm_record(realm, "ci", "a").group_count, i);
        }
        assert_int_equal(realm_record(realm, "ci", "a").groups[0], 1900000009);
        realm_forget(realm);
        leader_lists(realm, "b", "ci_b", 1900000002, KSA_LEADER_ACTIVE);
        leader_lists(realm, "thief", "ci_t", 1900000001, KSA_LEADER_ACTIVE);
        leader_lists(realm, "other", "ci_o", 1900000003, KSA_LEADER_ACTIVE);
        realm_sync(realm);
        assert_state(realm, "b", KSA_ACCOUNT_ACTIVE, 0);
        assert_refused(realm, "thief", KSA_REFUSAL_NUMBER_TAKEN);
        assert_refused(realm, "other", KSA_REFUSAL_NUMBER_TAKEN);
}

static void test_a_follower_keeps_the_uid_that_it_gave(void **state)
{
        REALM;

        realm_lists(realm, "ci", "a", 5);
        realm_sync(realm);
        realm_forget(realm);
        leader_lists(realm, "a", "deploy", 1900000000, KSA_LEADER_ACTIVE);
        leader_lists(realm, "far", "ci_far", 5000, KSA_LEADER_ACTIVE);
        realm_sync(realm);
        assert_int_equal(realm_record(realm, "ci", "a").uid, computed(realm, "a"));
        assert_string_equal(realm_record(realm, "ci", "a").name, "deploy");
        assert_int_equal(realm_change(realm, KSA_CHANGE_WARNING, "a")->refusal,
                         KSA_REFUSAL_UID_DIFFERS);
        assert_refused(realm, "far", KSA_REFUSAL_RANGE);
}

/* --- Groups ----------------------------------------------------------------- */

static void test_a_group_whose_name_a_local_group_has(void **state)
{
        REALM;

        place_write(*state, "group", "k8s-ci:x:1500:\n");
        realm_lists(realm, "ci", "a", 5);
        realm_sync(realm);
        assert_state(realm, "a", KSA_ACCOUNT_ACTIVE, 0);
        assert_int_equal(realm_record(realm, "ci", "a").group_count, 0);
        assert_int_equal(realm_change(realm, KSA_CHANGE_WARNING, "a")->refusal,
                         KSA_REFUSAL_NAME_LOCAL);
        place_write(*state, "group", "");
        realm_sync(realm);
        assert_int_equal(realm_record(realm, "ci", "a").group_count, 1);
        /* Once it is made, it stays, with its gid, without members too. */
        place_write(*state, "group", "k8s-ci:x:1500:\n");
        realm_sync(realm);
        assert_int_equal(realm_record(realm, "ci", "a").group_count, 0);
        assert_int_equal(realm->plan->group_count, 1);
}

static void test_groups_that_a_section_names(void **state)
{
        static const char *names[] = {"web", "docker", "none", "root"};
        struct ksa_account section = {.uid = 0, .groups = {names, KSA_COUNT(names)}};
        REALM;

        place_write(*state, "group", "root:x:0:\nweb:x:8000:\ndocker:x:999:\n");
        realm_declares(realm, &section, "bot", "ci", "a");
        realm_sync(realm);
        assert_int_equal(realm_record(realm, "ci", "a").group_count, 2);
        section.allow_powerful_groups = true;
        realm_sync(realm);
        assert_int_equal(realm_record(realm, "ci", "a").group_count, 3);
        assert_true((realm_record(realm, "ci", "a").flags & KSA_ACCOUNT_POWERFUL) != 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_a_user_and_its_group),
                TEST(test_of_newcomers_the_first_gets_it),
                TEST(test_a_refused_newcomer_counts_against_younger_ones),
                TEST(test_an_older_newcomer_takes_nothing),
                TEST(test_owners_of_this_host),
                TEST(test_a_namespace_that_left_too_many_names_behind),
                TEST(test_removal_loses_nothing),
                TEST(test_a_section_for_a_listed_account),
                TEST(test_a_taken_name_leaves_the_user_as_it_is),
                TEST(test_recreated),
                TEST(test_a_local_user_that_comes_later),
                TEST(test_the_administrators_reason_stays),
                TEST(test_a_follower_takes_what_the_leader_has),
                TEST(test_a_follower_keeps_the_uid_that_it_gave),
                TEST(test_a_group_whose_name_a_local_group_has),
                TEST(test_groups_that_a_section_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

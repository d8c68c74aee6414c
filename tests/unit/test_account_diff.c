/* SPDX-License-Identifier: GPL-2.0-or-later */
/* account_diff.c: what the journal tells of an account, and why. */
#include "account_plan.h"

#include <stdio.h>
#include <string.h>

#include "account_name.h"
#include "realm.h"

static struct realm realm;
static struct place *place;

static int setup(void **state)
{
        realm_open(&realm);
        if (place_setup(state) != 0)
                return -1;
        place = *state;
        realm_has_files(&realm, place->folder);
        return 0;
}

static int teardown(void **state)
{
        realm_close(&realm);
        return place_teardown(state);
}

#define assert_why(change, account, words)                                                   \
        do {                                                                                 \
                const struct ksa_plan_change *told_ = realm_change(&realm, change, account); \
                assert_non_null(told_);                                                      \
                assert_string_equal(told_->why, words);                                      \
        } while (0)

#define GROUPS(...)                                                                   \
        {                                                                             \
                .items = (const char *[]){__VA_ARGS__},                               \
                .count = sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *) \
        }

static const char local_groups[] = "web:x:8000:\nops:x:8001:\ndocker:x:999:\nadm:x:4:\n";

static void list_other(void)
{
        realm_forget(&realm);
        realm_lists(&realm, "ci", "other", 100);
}

static void test_added_returned_and_retired_say_by_whom(void **state)
{
        struct ksa_account section = {0};

        (void)state;
        list_other();
        realm_lists(&realm, "ci", "deployer", 100);
        realm_declares(&realm, &section, "bot", "ci", "runner");
        realm_sync(&realm);
        assert_why(KSA_CHANGE_ADDED, "deployer", "listed in prod:ci");
        assert_why(KSA_CHANGE_ADDED, "runner", "[account bot] declares it");
        list_other();
        realm_sync(&realm);
        assert_why(KSA_CHANGE_REMOVED, "deployer", "no source has it any more");
        realm_lists(&realm, "ci", "deployer", 100);
        realm_declares(&realm, &section, "bot", "ci", "runner");
        realm_sync(&realm);
        assert_why(KSA_CHANGE_RETURNED, "deployer", "listed in prod:ci");
        assert_why(KSA_CHANGE_RETURNED, "runner", "[account bot] declares it");
        realm_wish(&realm, KSA_WISH_RETIRE, "bot");
        assert_why(KSA_CHANGE_RETIRED, "runner", "by the administrator");
        realm_wish(&realm, KSA_WISH_ACCEPT, "bot");
        assert_why(KSA_CHANGE_ACCEPTED, "runner", "by the administrator");
}

static void test_groups_gained_and_lost_have_names(void **state)
{
        struct ksa_account section = {.groups = GROUPS("web"), .allow_powerful_groups = true};

        (void)state;
        place_write(place, "group", local_groups);
        realm_declares(&realm, &section, "bot", "ci", "a");
        realm_sync(&realm);
        section.groups = (struct ksa_list)GROUPS("web", "ops", "docker");
        realm_sync(&realm);
        assert_why(KSA_CHANGE_MODIFIED, "a",
                   "groups +ops(8001) +docker(999), with the powerful group docker, as its section "
                   "allows");
        section.groups = (struct ksa_list)GROUPS("docker", "ops", "web");
        realm_sync(&realm);
        assert_why(KSA_CHANGE_MODIFIED, "a", "groups in another order");
        /* The section still names it, and no longer allows it. */
        section.allow_powerful_groups = false;
        realm_sync(&realm);
        assert_why(KSA_CHANGE_MODIFIED, "a", "groups -docker(999)");
}

/* The group of a namespace is known by the registry, of which every account of it can be a member. */
static void test_groups_of_namespaces_have_names(void **state)
{
        struct ksa_account section = {.groups = GROUPS("k8s-web")};
        char why[128];
        uint32_t gid = 0;

        (void)state;
        assert_int_equal(ksa_account_uid("prod", "web", "", &realm.range, &gid, NULL), KSA_OK);
        realm_declares(&realm, &section, "bot", "ci", "a");
        realm_sync(&realm);
        realm_lists(&realm, "web", "b", 1);
        realm_sync(&realm);
        (void)snprintf(why, sizeof(why), "groups +k8s-web(%u)", gid);
        assert_why(KSA_CHANGE_MODIFIED, "a", why);
        section.groups.count = 0;
        realm_sync(&realm);
        (void)snprintf(why, sizeof(why), "groups -k8s-web(%u)", gid);
        assert_why(KSA_CHANGE_MODIFIED, "a", why);
}

static void test_powerful_groups_are_said_of_whoever_enters_them(void **state)
{
        struct ksa_account section = {.groups = GROUPS("web", "docker", "adm"),
                                      .allow_powerful_groups = true};

        (void)state;
        place_write(place, "group", local_groups);
        list_other();
        realm_declares(&realm, &section, "bot", "ci", "a");
        realm_sync(&realm);
        assert_why(
                KSA_CHANGE_ADDED, "a",
                "[account bot] declares it, with the powerful groups docker, adm, as its section "
                "allows");
        assert_why(KSA_CHANGE_ADDED, "other", "listed in prod:ci");
        realm_wish(&realm, KSA_WISH_RETIRE, "bot");
        realm_wish(&realm, KSA_WISH_ACCEPT, "bot");
        assert_why(KSA_CHANGE_ACCEPTED, "a",
                   "by the administrator, with the powerful groups docker, adm, as its section "
                   "allows");
}

/* Its groups did not change, and what they amount to did. */
static void test_a_group_that_becomes_powerful(void **state)
{
        struct ksa_account section = {.groups = GROUPS("web"), .allow_powerful_groups = true};

        (void)state;
        place_write(place, "group", local_groups);
        realm_declares(&realm, &section, "bot", "ci", "a");
        realm_sync(&realm);
        place_write(place, "sudoers", "%web ALL=(ALL) ALL\n");
        realm_sync(&realm);
        assert_why(KSA_CHANGE_MODIFIED, "a", "a group that it is in amounts to root now");
        place_write(place, "sudoers", "");
        realm_sync(&realm);
        assert_why(KSA_CHANGE_MODIFIED, "a", "no group that it is in amounts to root any more");
}

/* A new uid is told of; that its groups changed in the same run is told beside. */
static void test_groups_are_told_beside_a_new_uid(void **state)
{
        struct ksa_account section = {.uid = 5000};

        (void)state;
        place_write(place, "group", local_groups);
        realm_declares(&realm, &section, "bot", "ci", "a");
        realm_sync(&realm);
        section.groups = (struct ksa_list)GROUPS("ops");
        realm.wanted.items[0].uid = 5001;
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_RENUMBERED, "a", "its uid was 5000");
        assert_told(&realm, KSA_CHANGE_MODIFIED, "a", "groups +ops(8001)");
}

/* The accept takes what the registry has; what the cluster says beside comes with the next sync. */
static void test_the_sync_after_an_accept_says_what_changed(void **state)
{
        (void)state;
        realm_lists(&realm, "ci", "a", 1710000000)->account_uid = "u1";
        realm_sync(&realm);
        realm_forget(&realm);
        realm_lists(&realm, "ci", "a", 1710000000)->account_uid = "u2";
        realm_sync(&realm);
        realm_wish(&realm, KSA_WISH_ACCEPT, "ci_a");
        realm.wanted.items[0].created = 1720000000;
        realm_sync(&realm);
        assert_why(KSA_CHANGE_MODIFIED, "a",
                   "created 2024-07-03T09:46:40Z, was 2024-03-09T16:00:00Z");
        realm.wanted.items[0].created = 0;
        realm_sync(&realm);
        assert_why(KSA_CHANGE_MODIFIED, "a", "created unknown, was 2024-07-03T09:46:40Z");
}

static void test_what_is_asked_for_by_annotations(void **state)
{
        (void)state;
        realm_lists(&realm, "ci", "a", 1);
        realm_sync(&realm);
        /* It is the uid that it has already. */
        uint32_t uid = realm_record(&realm, "ci", "a").uid;
        char why[64];
        realm.wanted.items[0].uid = uid;
        realm.wanted.items[0].name = "ci_a";
        realm_sync(&realm);
        (void)snprintf(why, sizeof(why), "it asks for the name 'ci_a'; it asks for the uid %u",
                       uid);
        assert_why(KSA_CHANGE_MODIFIED, "a", why);
        realm.wanted.items[0].uid = 0;
        realm.wanted.items[0].name = "";
        realm_sync(&realm);
        assert_why(KSA_CHANGE_MODIFIED, "a",
                   "it asks for no name any more; it asks for no uid any more");
}

static void test_who_declares_it_now(void **state)
{
        struct ksa_account section = {0};

        (void)state;
        realm_lists(&realm, "ci", "a", 1);
        realm_sync(&realm);
        realm_forget(&realm);
        realm_declares(&realm, &section, "ci_a", "ci", "a")->created = 1;
        realm_sync(&realm);
        assert_why(KSA_CHANGE_MODIFIED, "a",
                   "it asks for the name 'ci_a'; [account ci_a] declares it");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_added_returned_and_retired_say_by_whom),
                TEST(test_groups_gained_and_lost_have_names),
                TEST(test_groups_of_namespaces_have_names),
                TEST(test_powerful_groups_are_said_of_whoever_enters_them),
                TEST(test_a_group_that_becomes_powerful),
                TEST(test_groups_are_told_beside_a_new_uid),
                TEST(test_the_sync_after_an_accept_says_what_changed),
                TEST(test_what_is_asked_for_by_annotations),
                TEST(test_who_declares_it_now),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* account_group.c: groups of namespaces, and those that an [account] section names. */
#include "account_plan.h"

#include <stdio.h>
#include <stdlib.h>
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

static uint32_t gid_of(const char *cluster, const char *namespace)
{
        uint32_t gid = 0;

        assert_int_equal(ksa_account_uid(cluster, namespace, "", &realm.range, &gid, NULL), KSA_OK);
        return gid;
}

static struct ksa_group_record group_record(const char *name)
{
        struct ksa_group_record group = {0};

        if (ksa_registry_group_by_name(&realm.registry, name, &group) != KSA_REGISTRY_FOUND)
                return (struct ksa_group_record){0};
        return group;
}

#define GROUPS(...)                                                                   \
        {                                                                             \
                .items = (const char *[]){__VA_ARGS__},                               \
                .count = sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *) \
        }

static void test_one_for_each_namespace(void **state)
{
        (void)state;
        realm_lists(&realm, "ci", "a", 1);
        realm_lists(&realm, "ci", "b", 1);
        realm_lists(&realm, "web", "a", 1);
        realm_sync(&realm);
        assert_int_equal(realm.registry.group_count, 2);
        assert_int_equal(group_record("k8s-ci").gid, gid_of("prod", "ci"));
        assert_int_equal(group_record("k8s-ci").member_count, 2);
        assert_int_equal(realm_record(&realm, "web", "a").groups[0], gid_of("prod", "web"));
}

/* CVE-2025-49012 (Himmelblau): groups were matched by a display name that anybody could give his own. */
static void test_cve_2025_49012_two_clusters_share_no_group(void **state)
{
        struct ksa_account_record record;

        (void)state;
        realm_lists(&realm, "ci", "a", 500);
        struct ksa_wanted *other = realm_lists(&realm, "ci", "b", 1);
        other->cluster = "test";
        other->source = &listing_test;
        other->rank = 2;
        realm_sync(&realm);
        assert_int_equal(realm.registry.group_count, 1);
        assert_string_equal(group_record("k8s-ci").cluster, "prod");
        assert_int_equal(group_record("k8s-ci").member_count, 1);
        assert_told(&realm, KSA_CHANGE_WARNING, "b", "'k8s-ci'");
        assert_int_equal(ksa_registry_by_account(&realm.registry, "test", "ci", "b", &record),
                         KSA_REGISTRY_FOUND);
        assert_int_equal(record.state, KSA_ACCOUNT_ACTIVE);
        assert_int_equal(record.group_count, 0);

        /* Whoever has it keeps it, also once it has no member any more. */
        realm_forget(&realm);
        other = realm_lists(&realm, "ci", "b", 1);
        other->cluster = "test";
        other->source = &listing_test;
        realm_sync(&realm);
        assert_string_equal(group_record("k8s-ci").cluster, "prod");
        assert_int_equal(group_record("k8s-ci").member_count, 0);
        assert_told(&realm, KSA_CHANGE_WARNING, "b", "that of the group of prod:ci");
}

static void test_gid_stays_when_the_range_changes(void **state)
{
        (void)state;
        realm_lists(&realm, "ci", "a", 1);
        realm_sync(&realm);
        uint32_t gid = group_record("k8s-ci").gid;
        realm.range = (struct ksa_uid_range){70000, 79999};
        realm_sync(&realm);
        assert_int_equal(group_record("k8s-ci").gid, gid);
}

/* The number of a group is nobody's uid: not now, and not when its namespace is gone. */
static void test_account_with_a_groups_gid(void **state)
{
        uint32_t gid = gid_of("prod", "ci");

        (void)state;
        realm_lists(&realm, "ci", "a", 100);
        realm_lists(&realm, "web", "thief", 200)->uid = gid;
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_REFUSED, "thief", "the group of prod:ci asks for the uid");
        realm_forget(&realm);
        realm_lists(&realm, "web", "thief", 1)->uid = gid;
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_REFUSED, "thief", "that of the group 'k8s-ci'");
}

/* By an annotation it has the number only where it was there before the namespace. */
static void test_group_with_an_accounts_uid(void **state)
{
        uint32_t gid = gid_of("prod", "ci");

        (void)state;
        realm_lists(&realm, "web", "first", 50)->uid = gid;
        realm_sync(&realm);
        realm_lists(&realm, "ci", "a", 100);
        realm_lists(&realm, "ci", "b", 100);
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_CONTESTED, "first", "the group of prod:ci asks for the uid");
        assert_told(&realm, KSA_CHANGE_CONTESTED, "first", "by computation");
        assert_int_equal(realm_record(&realm, "web", "first").uid, gid);
        assert_int_equal(group_record("k8s-ci").gid, 0);
        assert_told(&realm, KSA_CHANGE_WARNING, "a", "(2)");
        assert_told(&realm, KSA_CHANGE_WARNING, "a", "prod:web/first");
        assert_int_equal(realm_changes(&realm, KSA_CHANGE_WARNING), 1);
        assert_int_equal(realm_record(&realm, "ci", "a").group_count, 0);
        realm_forget(&realm);
        realm_lists(&realm, "ci", "a", 1);
        realm_sync(&realm);
        assert_int_equal(group_record("k8s-ci").gid, 0);
}

/* Files have it first: a member of ours would be one of theirs to who asks by name. */
static void test_local_group_of_the_name(void **state)
{
        (void)state;
        realm_lists(&realm, "ci", "a", 1);
        realm_lists(&realm, "web", "b", 1);
        place_write(place, "group", "k8s-ci:x:5000:\n");
        place_write(place, "sudoers", "%k8s-web ALL=ALL\n%k8s-ci ALL=ALL\n");
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_WARNING, "a", "the group 'k8s-ci' of ");
        assert_int_equal(realm_record(&realm, "ci", "a").group_count, 0);
        assert_int_equal(realm_record(&realm, "web", "b").group_count, 1); /* what it is for */
        place_write(place, "group", "k8s-web:x:5000:\n");
        realm_sync(&realm);
        assert_int_equal(realm_record(&realm, "web", "b").group_count, 0);
        assert_told(&realm, KSA_CHANGE_MODIFIED, "b", "groups -k8s-web(");
        assert_int_equal(realm_record(&realm, "ci", "a").group_count, 1);
        assert_int_equal(group_record("k8s-web").gid, gid_of("prod", "web"));
}

/* Whoever makes namespaces can find a name that comes to a number of sudoers. */
static void test_gid_that_stands_in_sudoers(void **state)
{
        char text[64];

        (void)state;
        (void)snprintf(text, sizeof(text), "%%#%u ALL=ALL\n", gid_of("prod", "ci"));
        place_write(place, "sudoers", text);
        realm_lists(&realm, "ci", "a", 1);
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_WARNING, "a", "of sudoers");
        assert_int_equal(realm_record(&realm, "ci", "a").group_count, 0);
        assert_int_equal(group_record("k8s-ci").gid, 0);
        /* Written for the group that there is. */
        place_write(place, "sudoers", "");
        realm_sync(&realm);
        place_write(place, "sudoers", text);
        realm_sync(&realm);
        assert_int_equal(realm_record(&realm, "ci", "a").group_count, 1);
}

static void test_user_of_a_groups_name(void **state)
{
        struct ksa_account section = {0};

        (void)state;
        realm_declares(&realm, &section, "k8s-ci", "web", "bot");
        realm_lists(&realm, "ci", "a", 1);
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_WARNING, "a", "the name 'k8s-ci'");
        assert_int_equal(group_record("k8s-ci").gid, 0);
        realm_forget(&realm);
        realm_lists(&realm, "app", "c", 1);
        realm_sync(&realm);
        realm_declares(&realm, &section, "k8s-app", "web", "other");
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_REFUSED, "other", "that of the group 'k8s-app'");
}

/* CVE-2020-8903 (Google guest agent): who may log in was in adm, lxd and docker by default, and so root. */
static void test_cve_2020_8903_powerful_groups(void **state)
{
        struct ksa_account section = {
                .groups = GROUPS("web", "docker", "adm", "root", "ops", "none", "mapped")};

        (void)state;
        place_write(
                place, "group",
                "root:x:0:\nweb:x:8000:\ndocker:x:9000:\nadm:x:4:\nops:x:8001:\nmapped:x:65534:\n");
        place_write(place, "sudoers", "%ops ALL=(ALL) ALL\n");
        realm_declares(&realm, &section, "bot", "ci", "a");
        realm_sync(&realm);
        struct ksa_account_record record = realm_record(&realm, "ci", "a");
        assert_int_equal(record.group_count, 2);
        assert_int_equal(record.groups[0], gid_of("prod", "ci"));
        assert_int_equal(record.groups[1], 8000);
        assert_int_equal(record.flags, KSA_ACCOUNT_DECLARED);
        assert_int_equal(realm_changes(&realm, KSA_CHANGE_WARNING), 6);
        assert_told(&realm, KSA_CHANGE_WARNING, "a", "'docker': to be in it may amount to root");
        assert_remedy(&realm, KSA_CHANGE_WARNING, "a", "allow_powerful_groups");

        section.allow_powerful_groups = true;
        realm_sync(&realm);
        record = realm_record(&realm, "ci", "a");
        assert_int_equal(record.group_count, 5);
        assert_int_equal(record.groups[2], 9000);
        assert_int_equal(record.groups[3], 4);
        assert_int_equal(record.groups[4], 8001);
        assert_int_equal(record.flags, KSA_ACCOUNT_DECLARED | KSA_ACCOUNT_POWERFUL);
        /* root's own never; one that there is not; one whose number is nobody's */
        assert_int_equal(realm_changes(&realm, KSA_CHANGE_WARNING), 3);
        assert_remedy(&realm, KSA_CHANGE_WARNING, "a", "take it out of groups");

        realm_forget(&realm);
        section.groups = (struct ksa_list)GROUPS("none");
        realm_declares(&realm, &section, "bot", "ci", "a");
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_WARNING, "a", "no such group");
        assert_remedy(&realm, KSA_CHANGE_WARNING, "a", "groupadd");

        realm_wish(&realm, KSA_WISH_RETIRE, "bot");
        assert_int_equal(realm_record(&realm, "ci", "a").flags, KSA_ACCOUNT_DECLARED);
        assert_int_equal(realm_record(&realm, "ci", "a").group_count, 0);
}

static void test_group_of_another_namespace(void **state)
{
        struct ksa_account section = {.groups = GROUPS("k8s-web", "k8s-ci", "k8s-web")};

        (void)state;
        realm_lists(&realm, "web", "b", 1);
        realm_declares(&realm, &section, "bot", "ci", "a");
        realm_sync(&realm);
        assert_int_equal(realm_record(&realm, "ci", "a").group_count, 2);
        assert_int_equal(realm_record(&realm, "ci", "a").groups[1], gid_of("prod", "web"));
        assert_int_equal(group_record("k8s-web").member_count, 2);
        place_write(place, "sudoers", "%k8s-web ALL=ALL\n");
        realm_sync(&realm);
        assert_int_equal(realm_record(&realm, "ci", "a").group_count, 1);
}

static void test_more_groups_than_there_is_room_for(void **state)
{
        static char names[80][8];
        static const char *list[80];
        static char text[4096];
        struct ksa_account section = {.groups = {.items = list, .count = 80}};
        size_t length = 0;

        (void)state;
        for (size_t i = 0; i < 80; i++) {
                (void)snprintf(names[i], sizeof(names[i]), "g%zu", i);
                list[i] = names[i];
                length += (size_t)snprintf(text + length, sizeof(text) - length, "g%zu:x:%zu:\n", i,
                                           3000 + i);
        }
        place_write(place, "group", text);
        realm_declares(&realm, &section, "bot", "ci", "a");
        realm_sync(&realm);
        assert_int_equal(realm_record(&realm, "ci", "a").group_count, KSA_ACCOUNT_GROUPS_MAX);
        assert_int_equal(realm_changes(&realm, KSA_CHANGE_WARNING), 17);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_one_for_each_namespace),
                TEST(test_cve_2025_49012_two_clusters_share_no_group),
                TEST(test_gid_stays_when_the_range_changes),
                TEST(test_account_with_a_groups_gid),
                TEST(test_group_with_an_accounts_uid),
                TEST(test_local_group_of_the_name),
                TEST(test_user_of_a_groups_name),
                TEST(test_gid_that_stands_in_sudoers),
                TEST(test_cve_2020_8903_powerful_groups),
                TEST(test_group_of_another_namespace),
                TEST(test_more_groups_than_there_is_room_for),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

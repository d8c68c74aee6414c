/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * account_judge.c, account_group.c, ksa_claim_room(): what the host says of a newcomer, what a namespace
 * may leave behind, and what a refusal tells. NSS is this file's own.
 */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "account_name.h"
#include "realm.h"
#include "registry_write.h"

/* --- A directory ---------------------------------------------------------------------- */

/* Whom it has; NULL for nobody. */
static const char *directory_name;
static uint32_t directory_number;
static bool directory_has_groups; /* it is a group's name and number, not a user's */

static bool has_it(const char *name, uint32_t number)
{
        return directory_name != NULL &&
               (name != NULL ? strcmp(name, directory_name) == 0 : number == directory_number);
}

static int user_of_the_directory(const char *name, uint32_t number, struct passwd *user,
                                 struct passwd **ret_user)
{
        static char name_of_it[KSA_NAME_SIZE], empty[] = "";

        *ret_user = NULL;
        if (directory_has_groups || !has_it(name, number))
                return 0;
        (void)snprintf(name_of_it, sizeof(name_of_it), "%s", directory_name);
        *user = (struct passwd){.pw_name = name_of_it,
                                .pw_uid = directory_number,
                                .pw_dir = empty,
                                .pw_shell = empty};
        *ret_user = user;
        return 0;
}

int getpwnam_r(const char *name, struct passwd *user, char *buffer, size_t size,
               struct passwd **ret_user)
{
        (void)buffer;
        (void)size;
        return user_of_the_directory(name, 0, user, ret_user);
}

int getpwuid_r(uid_t uid, struct passwd *user, char *buffer, size_t size, struct passwd **ret_user)
{
        (void)buffer;
        (void)size;
        return user_of_the_directory(NULL, uid, user, ret_user);
}

static int group_of_the_directory(const char *name, uint32_t number, struct group *group,
                                  struct group **ret_group)
{
        static char name_of_it[KSA_NAME_SIZE], *members[] = {NULL};

        *ret_group = NULL;
        if (!directory_has_groups || !has_it(name, number))
                return 0;
        (void)snprintf(name_of_it, sizeof(name_of_it), "%s", directory_name);
        *group = (struct group){
                .gr_name = name_of_it, .gr_gid = directory_number, .gr_mem = members};
        *ret_group = group;
        return 0;
}

int getgrnam_r(const char *name, struct group *group, char *buffer, size_t size,
               struct group **ret_group)
{
        (void)buffer;
        (void)size;
        return group_of_the_directory(name, 0, group, ret_group);
}

int getgrgid_r(gid_t gid, struct group *group, char *buffer, size_t size, struct group **ret_group)
{
        (void)buffer;
        (void)size;
        return group_of_the_directory(NULL, gid, group, ret_group);
}

/* --- The host ------------------------------------------------------------------------- */

static struct realm realm;
static struct place *place;

static int setup(void **state)
{
        realm_open(&realm);
        realm.files.ask_nss = true;
        directory_name = NULL;
        directory_number = 0;
        directory_has_groups = false;
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

static uint32_t uid_of(const char *namespace, const char *account)
{
        uint32_t uid = 0;

        assert_int_equal(ksa_account_uid("prod", namespace, account, &realm.range, &uid, NULL),
                         KSA_OK);
        return uid;
}

static void test_name_of_a_directory(void **state)
{
        (void)state;
        directory_name = "ci_a";
        directory_number = 5000;
        realm_lists(&realm, "ci", "a", 1);
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_REFUSED, "a",
                    "the name 'ci_a' is that of the user 'ci_a' of NSS");
        assert_state(&realm, "a", 0);
        directory_has_groups = true;
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_REFUSED, "a", "is that of the group 'ci_a' of NSS");
        /* Who has it already keeps it: the directory's may be ours, seen through it. */
        directory_name = NULL;
        realm_sync(&realm);
        directory_name = "ci_a";
        realm_sync(&realm);
        assert_state(&realm, "a", KSA_ACCOUNT_ACTIVE);
}

static void test_uid_of_a_directory(void **state)
{
        struct ksa_account section = {0};

        (void)state;
        directory_name = "anna";
        directory_number = uid_of("ci", "a");
        realm_lists(&realm, "ci", "a", 1);
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_REFUSED, "a", "is that of the user 'anna' of NSS");
        assert_state(&realm, "a", 0);
        /* Declared or not: a number is somebody's files. */
        realm_forget(&realm);
        realm_declares(&realm, &section, "bot", "ci", "a");
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_REFUSED, "a", "is that of the user 'anna' of NSS");
        assert_remedy(&realm, KSA_CHANGE_REFUSED, "a", "uid in its [account] section");
        directory_name = NULL;
        realm_sync(&realm);
        directory_name = "anna";
        realm_sync(&realm);
        assert_state(&realm, "a", KSA_ACCOUNT_ACTIVE);
}

/* The administrator wrote that name, for a user that the directory may have too. */
static void test_declared_name_of_a_directory(void **state)
{
        struct ksa_account section = {0};

        (void)state;
        directory_name = "bot";
        directory_number = 5000;
        realm_declares(&realm, &section, "bot", "ci", "a");
        realm_sync(&realm);
        assert_state(&realm, "a", KSA_ACCOUNT_ACTIVE);
}

static void test_group_of_a_directory(void **state)
{
        (void)state;
        directory_name = "k8s-ci";
        directory_number = 5000;
        realm_lists(&realm, "ci", "a", 1);
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_WARNING, "a", "is that of the user 'k8s-ci' of NSS");
        directory_has_groups = true;
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_WARNING, "a", "is that of the group 'k8s-ci' of NSS");
        directory_has_groups = false;
        directory_name = "anna";
        directory_number = uid_of("ci", "");
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_WARNING, "a", "is that of the user 'anna' of NSS");
        assert_int_equal(realm.registry.group_count, 0);
        directory_name = NULL;
        realm_sync(&realm);
        assert_int_equal(realm.registry.group_count, 1);
        directory_name = "anna";
        realm_sync(&realm);
        assert_int_equal(realm_record(&realm, "ci", "a").group_count, 1);
}

/* --- What a refusal tells -------------------------------------------------------------- */

/* It is an [account] section already: one that declares it is no help. */
static void test_section_with_the_name_of_a_local_user(void **state)
{
        struct ksa_account section = {0}, number = {.uid = 5000};

        (void)state;
        place_write(place, "passwd", "alice:x:5000:5001::/:/bin/sh\n");
        realm_declares(&realm, &section, "alice", "ci", "a");
        realm_declares(&realm, &number, "bot", "ci", "b");
        realm_lists(&realm, "ci", "c", 1)->name = "alice";
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_REFUSED, "a", "the user 'alice' of ");
        assert_remedy(&realm, KSA_CHANGE_REFUSED, "a",
                      "call its section, and so its user, by another");
        assert_null(strstr(realm_change(&realm, KSA_CHANGE_REFUSED, "a")->remedy, "ksa.dev"));
        assert_remedy(&realm, KSA_CHANGE_REFUSED, "b", "correct uid in its [account] section");
        assert_remedy(&realm, KSA_CHANGE_REFUSED, "c", "ksa.dev/user");
}

static void test_rights_are_told_with_their_file(void **state)
{
        char words[96];

        (void)state;
        (void)snprintf(words, sizeof(words), "ci_a ALL=ALL\n#%u ALL=ALL\n", uid_of("ci", "b"));
        place_write(place, "sudoers", words);
        place_write(place, "group", "docker:x:990:ci_c\n");
        realm_lists(&realm, "ci", "a", 1);
        realm_lists(&realm, "ci", "b", 1);
        realm_lists(&realm, "ci", "c", 1);
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_REFUSED, "a", "rights here by the word 'ci_a' of sudoers");
        assert_told(&realm, KSA_CHANGE_REFUSED, "b", "would have rights here by the number #");
        assert_told(&realm, KSA_CHANGE_REFUSED, "c", "rights here by the member 'ci_c' of ");
        assert_told(&realm, KSA_CHANGE_REFUSED, "c", realm.paths[1]);
}

static void test_powerful_groups_are_told_with_their_reason(void **state)
{
        static const char *list[] = {"ops", "docker", "adm", "numbered", "deploy"};
        struct ksa_account section = {.groups = {.items = list, .count = KSA_COUNT(list)}};

        (void)state;
        /* A user called deploy is a member of another group: no reason at all. */
        place_write(place, "group",
                    "docker:x:9000:deploy\nadm:x:4:\nops:x:8001:\nnumbered:x:8002:\ndeploy:x:8:\n");
        place_write(place, "sudoers", "%ops ALL=(ALL) ALL\n%#8002 ALL=(ALL) ALL\n");
        realm_declares(&realm, &section, "bot", "ci", "a");
        realm_sync(&realm);
        static const char *const told[] = {
                "'ops': to be in it may amount to root, by the word 'ops' of sudoers",
                "'docker': to be in it may amount to root, by its name",
                "'adm': to be in it may amount to root: its gid, 4, is one of the system's",
                "'numbered': to be in it may amount to root, by the number #8002 of sudoers",
                "'deploy': to be in it may amount to root: its gid, 8, is one of the system's",
        };
        for (size_t i = 0; i < KSA_COUNT(told); i++) {
                size_t found = 0;

                for (size_t n = 0; n < realm.plan->change_count; n++)
                        found += strstr(realm.plan->changes[n].why, told[i]) != NULL;
                if (found != 1)
                        fail_msg("not told: %s", told[i]);
        }
        assert_int_equal(realm_changes(&realm, KSA_CHANGE_WARNING), KSA_COUNT(told));
}

/* --- What a namespace leaves behind ----------------------------------------------------- */

enum { LEFT_MAX = 10000, LEFT_UID = 1900000000 };

/* As after COUNT accounts of prod:ci that were made and deleted. */
static void leave_behind(size_t count)
{
        static char names[LEFT_MAX + 1][KSA_NAME_SIZE];
        static struct ksa_account_record records[LEFT_MAX + 1];
        struct ksa_registry_content content = {.accounts = records, .account_count = count};
        unsigned char *bytes = NULL;
        size_t size = 0;
        const char *why = "";

        for (size_t i = 0; i < count; i++) {
                (void)snprintf(names[i], sizeof(names[i]), "ci_old%05zu", i);
                records[i] = (struct ksa_account_record){
                        .name = names[i],
                        .uid = LEFT_UID + (uint32_t)i,
                        .state = KSA_ACCOUNT_REMOVED,
                        .home = "/home/old",
                        .shell = "/bin/sh",
                        .cluster = "prod",
                        .namespace = "ci",
                        .account = names[i] + 3,
                        .account_uid = "uid",
                        .new_account_uid = "",
                        .wanted_name = "",
                        .created = 1,
                        .changed = 2,
                };
        }
        if (ksa_registry_build(&content, realm.now, &bytes, &size, &realm.err) != KSA_OK)
                fail_msg("%s", realm.err.text);
        unsigned char **kept = ksa_list_next(&realm.written, sizeof(*kept));
        assert_non_null(kept);
        *kept = bytes;
        realm.written.count++;
        assert_int_equal(ksa_registry_read(bytes, size, &realm.registry, &why), KSA_REGISTRY_FOUND);
}

/* Who makes accounts and deletes them, all day, would fill the registry. */
static void test_namespace_that_left_too_much_behind(void **state)
{
        struct ksa_account section = {0};

        (void)state;
        leave_behind(LEFT_MAX + 1);
        realm_lists(&realm, "ci", "new", 1);
        realm_lists(&realm, "web", "new", 1);
        struct ksa_wanted *old = realm_lists(&realm, "ci", "old00001", 1);
        old->account_uid = "uid";
        old->uid = LEFT_UID + 1;
        struct ksa_wanted *other = realm_lists(&realm, "ci", "other", 1);
        other->cluster = "test";
        other->source = &listing_test;
        other->rank = 2;
        realm_declares(&realm, &section, "bot", "ci", "bot");
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_REFUSED, "new", "left 10001 names and uids behind");
        assert_remedy(&realm, KSA_CHANGE_REFUSED, "new", "selector");
        assert_remedy(&realm, KSA_CHANGE_REFUSED, "new", "[account]");
        assert_int_equal(realm_changes(&realm, KSA_CHANGE_REFUSED), 1);
        assert_state(&realm, "new", 0);
        /* Another namespace, another cluster's, one that comes back, one that is declared. */
        assert_int_equal(realm_record(&realm, "web", "new").state, KSA_ACCOUNT_ACTIVE);
        assert_changed(&realm, KSA_CHANGE_ADDED, "other");
        assert_state(&realm, "old00001", KSA_ACCOUNT_ACTIVE);
        assert_state(&realm, "bot", KSA_ACCOUNT_ACTIVE);
}

static void test_namespace_with_room_left(void **state)
{
        (void)state;
        leave_behind(LEFT_MAX - 1);
        realm_lists(&realm, "ci", "a", 1);
        realm_lists(&realm, "ci", "b", 1);
        realm_sync(&realm);
        assert_state(&realm, "a", KSA_ACCOUNT_ACTIVE);
        assert_state(&realm, "b", KSA_ACCOUNT_ACTIVE);
        /* The one that goes is one more. */
        realm_forget(&realm);
        realm_lists(&realm, "ci", "b", 1);
        realm_lists(&realm, "ci", "c", 1);
        realm_sync(&realm);
        assert_state(&realm, "b", KSA_ACCOUNT_ACTIVE);
        assert_state(&realm, "c", KSA_ACCOUNT_ACTIVE);
        realm_lists(&realm, "ci", "d", 1);
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_REFUSED, "d", "left 10000 names and uids behind");
        assert_state(&realm, "c", KSA_ACCOUNT_ACTIVE);
}

/* --- A user namespace ----------------------------------------------------------------- */

/* Maps of 65536 ids, as of a container. */
static void map_ids(void)
{
        static char uid_map[96], gid_map[96];

        place_write(place, "uid_map", "0 100000 65536\n");
        place_write(place, "gid_map", "0 100000 65536\n");
        (void)snprintf(uid_map, sizeof(uid_map), "%s/uid_map", place->folder);
        (void)snprintf(gid_map, sizeof(gid_map), "%s/gid_map", place->folder);
        realm.files.uid_map = uid_map;
        realm.files.gid_map = gid_map;
}

/* Bug: it got one, was let in, and the login died in setuid(). */
static void test_newcomer_gets_no_uid_that_is_not_mapped(void **state)
{
        struct ksa_account section = {0};

        (void)state;
        map_ids();
        realm_lists(&realm, "ci", "a", 1);
        realm_declares(&realm, &section, "bot", "ci", "b");
        realm_sync(&realm);
        assert_changed(&realm, KSA_CHANGE_REFUSED, "a");
        assert_changed(&realm, KSA_CHANGE_REFUSED, "b");
        assert_state(&realm, "a", 0);
        assert_state(&realm, "b", 0);
        assert_remedy(&realm, KSA_CHANGE_REFUSED, "a", "uid_range");
        assert_remedy(&realm, KSA_CHANGE_REFUSED, "a", "0-65535");
        realm.range = (struct ksa_uid_range){20000, 60000};
        realm_sync(&realm);
        assert_state(&realm, "a", KSA_ACCOUNT_ACTIVE);
        assert_state(&realm, "b", KSA_ACCOUNT_ACTIVE);
        assert_int_equal(realm_record(&realm, "ci", "a").group_count, 1);
}

/* Of the two maps either may be the smaller one. */
static void test_newcomer_gets_no_gid_that_is_not_mapped(void **state)
{
        (void)state;
        map_ids();
        realm.files.uid_map = NULL;
        realm_lists(&realm, "ci", "a", 1);
        realm_sync(&realm);
        assert_changed(&realm, KSA_CHANGE_REFUSED, "a");
}

/* A host that comes to have a map: check and status report it, and no uid changes. */
static void test_active_user_keeps_a_uid_that_is_not_mapped(void **state)
{
        (void)state;
        realm_lists(&realm, "ci", "a", 1);
        realm_sync(&realm);
        const uint32_t uid = realm_record(&realm, "ci", "a").uid;
        map_ids();
        realm_sync(&realm);
        assert_state(&realm, "a", KSA_ACCOUNT_ACTIVE);
        assert_int_equal(realm_record(&realm, "ci", "a").uid, uid);
}

/* Retired before there was a map: accept would make it active again. */
static void test_no_accept_makes_a_uid_active_that_is_not_mapped(void **state)
{
        (void)state;
        realm_lists(&realm, "ci", "a", 1);
        realm_sync(&realm);
        realm_wish(&realm, KSA_WISH_RETIRE, "ci_a");
        map_ids();
        assert_false(realm_plan(&realm, KSA_WISH_ACCEPT, "ci_a") == KSA_OK &&
                     realm.plan->accounts[0].state == KSA_ACCOUNT_ACTIVE);
}

/* setgroups() fails as a whole, so one such group ends the login. */
static void test_no_user_is_in_a_group_whose_gid_is_not_mapped(void **state)
{
        static const char *list[] = {"staff"};
        struct ksa_account section = {.groups = {.items = list, .count = KSA_COUNT(list)}};

        (void)state;
        place_write(place, "group", "staff:x:70000:\n");
        map_ids();
        realm_declares(&realm, &section, "bot", "ci", "a");
        realm.wanted.items[0].uid = 20001;
        realm_sync(&realm);
        assert_state(&realm, "a", KSA_ACCOUNT_ACTIVE);
        assert_int_equal(realm_record(&realm, "ci", "a").group_count, 0);
        assert_int_equal(realm_changes(&realm, KSA_CHANGE_WARNING), 2); /* k8s-ci, staff */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_name_of_a_directory),
                TEST(test_uid_of_a_directory),
                TEST(test_declared_name_of_a_directory),
                TEST(test_group_of_a_directory),
                TEST(test_section_with_the_name_of_a_local_user),
                TEST(test_rights_are_told_with_their_file),
                TEST(test_powerful_groups_are_told_with_their_reason),
                TEST(test_namespace_that_left_too_much_behind),
                TEST(test_namespace_with_room_left),
                TEST(test_newcomer_gets_no_uid_that_is_not_mapped),
                TEST(test_newcomer_gets_no_gid_that_is_not_mapped),
                TEST(test_active_user_keeps_a_uid_that_is_not_mapped),
                TEST(test_no_accept_makes_a_uid_active_that_is_not_mapped),
                TEST(test_no_user_is_in_a_group_whose_gid_is_not_mapped),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* account_claim.c, account_judge.c: two that want one uid or one name, and what the host has already. */
#include "account_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account_name.h"
#include "realm.h"
#include "support.h"

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

/* --- Ground names ---------------------------------------------------------------- */

/* A range in which it takes some hundreds of tries to hit a uid. */
static const struct ksa_uid_range narrow = {70000, 70999};

/* The name of an account in NAMESPACE with VICTIM's uid: what an attacker grinds. */
static const char *grind(const char *namespace, const char *victim, char name[32])
{
        uint32_t wanted = 0, uid = 0;

        realm.range = narrow;
        assert_int_equal(ksa_account_uid("prod", "ci", victim, &narrow, &wanted, NULL), KSA_OK);
        for (unsigned i = 0; i < 100000; i++) {
                (void)snprintf(name, 32, "x%u", i);
                assert_int_equal(ksa_account_uid("prod", namespace, name, &narrow, &uid, NULL),
                                 KSA_OK);
                if (uid == wanted)
                        return name;
        }
        fail_msg("no name hits");
        return NULL;
}

/* CVE-2024-9312 (authd): uids from a hash of the name, and two names with one uid were one user. */
static void test_cve_2024_9312_a_ground_name_gets_no_uid(void **state)
{
        char attacker[32];

        (void)state;
        grind("evil", "victim", attacker);
        realm_lists(&realm, "ci", "victim", 100);
        realm_lists(&realm, "evil", attacker, 200);
        realm_sync(&realm);
        assert_state(&realm, "victim", KSA_ACCOUNT_ACTIVE);
        assert_int_equal(realm_record(&realm, "evil", attacker).state, 0);
        assert_told(&realm, KSA_CHANGE_REFUSED, attacker, "prod:ci/victim asks for the uid");
        assert_told(&realm, KSA_CHANGE_REFUSED, attacker, "is older");
        assert_remedy(&realm, KSA_CHANGE_REFUSED, attacker, "[account]");
        assert_remedy(&realm, KSA_CHANGE_REFUSED, attacker, "ksa.dev/uid");
}

static void test_the_older_one_keeps_it(void **state)
{
        char attacker[32];

        (void)state;
        grind("evil", "victim", attacker);
        realm_lists(&realm, "ci", "victim", 100);
        realm_sync(&realm);
        realm_lists(&realm, "evil", attacker, 200);
        realm_sync(&realm);
        assert_state(&realm, "victim", KSA_ACCOUNT_ACTIVE);
        assert_told(&realm, KSA_CHANGE_REFUSED, attacker, "is that of prod:ci/victim");
}

/* The younger one had it on this host already: neither goes on, until somebody decides. */
static void test_younger_incumbent_both_are_refused(void **state)
{
        char attacker[32];

        (void)state;
        grind("evil", "victim", attacker);
        realm_lists(&realm, "evil", attacker, 200);
        realm_sync(&realm);
        uint32_t uid = realm_record(&realm, "evil", attacker).uid;
        realm_lists(&realm, "ci", "victim", 100);
        realm_sync(&realm);
        assert_changed(&realm, KSA_CHANGE_REFUSED, "victim");
        assert_state(&realm, "victim", 0);
        assert_told(&realm, KSA_CHANGE_CONTESTED, attacker, "prod:ci/victim asks for the uid");
        assert_remedy(&realm, KSA_CHANGE_CONTESTED, attacker, "ksactl accounts accept evil_x");
        struct ksa_account_record record = realm_record(&realm, "evil", attacker);
        assert_int_equal(record.state, KSA_ACCOUNT_CONTESTED);
        assert_int_equal(record.uid, uid);
        assert_int_equal(record.group_count, 0);

        /* The older one goes away: that is no decision. */
        realm_forget(&realm);
        realm_lists(&realm, "evil", attacker, 200);
        realm_sync(&realm);
        assert_int_equal(realm_record(&realm, "evil", attacker).state, KSA_ACCOUNT_CONTESTED);
        assert_told(&realm, KSA_CHANGE_WARNING, attacker, "nobody has decided");

        realm_lists(&realm, "ci", "victim", 100);
        char user[64];
        (void)snprintf(user, sizeof(user), "evil_%s", attacker);
        realm_wish(&realm, KSA_WISH_ACCEPT, user);
        assert_changed(&realm, KSA_CHANGE_ACCEPTED, attacker);
        record = realm_record(&realm, "evil", attacker);
        assert_int_equal(record.state, KSA_ACCOUNT_ACTIVE);
        assert_true((record.flags & KSA_ACCOUNT_SETTLED) != 0);
        realm_sync(&realm);
        assert_int_equal(realm_record(&realm, "evil", attacker).state, KSA_ACCOUNT_ACTIVE);
        assert_changed(&realm, KSA_CHANGE_REFUSED, "victim");
}

/* The administrator decides against the incumbent: the uid is its own all the same. */
static void test_retired_incumbent_keeps_its_uid(void **state)
{
        char attacker[32], user[64];
        struct ksa_account section = {.uid = 5000};

        (void)state;
        grind("evil", "victim", attacker);
        (void)snprintf(user, sizeof(user), "evil_%s", attacker);
        realm_lists(&realm, "evil", attacker, 200);
        realm_sync(&realm);
        realm_lists(&realm, "ci", "victim", 100);
        realm_sync(&realm);
        realm_wish(&realm, KSA_WISH_RETIRE, user);
        assert_int_equal(realm_record(&realm, "evil", attacker).state, KSA_ACCOUNT_RETIRED);
        assert_changed(&realm, KSA_CHANGE_REFUSED, "victim");
        realm_declares(&realm, &section, "ci_victim", "ci", "victim");
        realm_sync(&realm);
        assert_state(&realm, "victim", KSA_ACCOUNT_ACTIVE);
}

/* A uid that was given is never given to another, whoever is gone. */
static void test_uid_of_a_removed_account(void **state)
{
        char attacker[32];

        (void)state;
        grind("evil", "victim", attacker);
        realm_lists(&realm, "ci", "victim", 100);
        realm_sync(&realm);
        realm_forget(&realm);
        realm_lists(&realm, "evil", attacker, 200);
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_REFUSED, attacker, "was given to prod:ci/victim");
        /* and the annotation that names it gets no further */
        realm_lists(&realm, "ci", "another", 900)->uid = realm_record(&realm, "ci", "victim").uid;
        realm_sync(&realm);
        assert_changed(&realm, KSA_CHANGE_REFUSED, "another");
        realm_lists(&realm, "ci", "victim", 100);
        realm_sync(&realm);
        assert_state(&realm, "victim", KSA_ACCOUNT_ACTIVE);
}

/* What no host takes keeps nothing from others. */
static void test_fault_asks_for_nothing(void **state)
{
        char attacker[32];

        (void)state;
        grind("evil", "victim", attacker);
        realm_lists(&realm, "evil", attacker, 1)->fault = "ksa.dev/user is another's";
        realm_lists(&realm, "ci", "victim", 100);
        realm_sync(&realm);
        assert_state(&realm, "victim", KSA_ACCOUNT_ACTIVE);
        assert_told(&realm, KSA_CHANGE_REFUSED, attacker, "ksa.dev/user");
}

static void test_order_of_claims(void **state)
{
        struct ksa_account section = {.uid = 70001};

        (void)state;
        realm.range = narrow;
        realm_lists(&realm, "ci", "unknown-age", 0)->uid = 70000;
        realm_lists(&realm, "ci", "young", 300)->uid = 70000;
        realm_lists(&realm, "ci", "b", 200)->uid = 70000;
        realm_lists(&realm, "ci", "a", 200)->uid = 70000;
        realm_lists(&realm, "web", "a", 200)->uid = 70000;
        struct ksa_wanted *later = realm_lists(&realm, "ci", "later-source", 100);
        later->uid = 70000;
        later->rank = 2;
        later->cluster = "test";
        realm_lists(&realm, "ci", "oldest", 1)->uid = 70001;
        realm_declares(&realm, &section, "bot", "ci", "declared");
        realm_sync(&realm);
        assert_changed(&realm, KSA_CHANGE_ADDED, "later-source");
        assert_state(&realm, "declared", KSA_ACCOUNT_ACTIVE);
        assert_int_equal(realm_changes(&realm, KSA_CHANGE_REFUSED), 6);
        assert_told(&realm, KSA_CHANGE_REFUSED, "oldest", "in an [account] section of its own");
        assert_told(&realm, KSA_CHANGE_REFUSED, "young", "test:ci/later-source asks");
        assert_told(&realm, KSA_CHANGE_REFUSED, "young", "is older");
        /* Without the oldest of them, by its name. */
        realm_forget(&realm);
        realm_lists(&realm, "ci", "d", 200)->uid = 70002;
        realm_lists(&realm, "ci", "c", 200)->uid = 70002;
        realm_sync(&realm);
        assert_state(&realm, "c", KSA_ACCOUNT_ACTIVE);
        assert_told(&realm, KSA_CHANGE_REFUSED, "d", "by its name");
}

/* --- A uid that is asked for anew --------------------------------------------------- */

static void test_another_uid_is_not_followed_by_itself(void **state)
{
        char words[128];

        (void)state;
        realm.range = narrow;
        realm_lists(&realm, "ci", "a", 100)->uid = 70500;
        realm_sync(&realm);
        realm.wanted.items[0].uid = 70600;
        realm_sync(&realm);
        (void)snprintf(words, sizeof(words), "its uid here is 70500");
        assert_told(&realm, KSA_CHANGE_CONTESTED, "a", words);
        assert_told(&realm, KSA_CHANGE_CONTESTED, "a", "70600");
        assert_remedy(&realm, KSA_CHANGE_CONTESTED, "a", "accept ci_a gives it the uid 70600");
        assert_remedy(&realm, KSA_CHANGE_CONTESTED, "a", "uid = 70500 in an [account ci_a]");
        assert_int_equal(realm_record(&realm, "ci", "a").uid, 70500);
        realm_wish(&realm, KSA_WISH_ACCEPT, "ci_a");
        assert_told(&realm, KSA_CHANGE_RENUMBERED, "a", "was 70500");
        assert_int_equal(realm_record(&realm, "ci", "a").uid, 70600);
        assert_state(&realm, "a", KSA_ACCOUNT_ACTIVE);
        assert_int_equal(realm.registry.account_count, 2);
        /* the old one is nobody's */
        realm_lists(&realm, "ci", "b", 1)->uid = 70500;
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_REFUSED, "b", "70500");
        /* but its own, should it go back */
        realm.wanted.items[0].uid = 70500;
        realm_sync(&realm);
        realm_wish(&realm, KSA_WISH_ACCEPT, "ci_a");
        assert_int_equal(realm_record(&realm, "ci", "a").uid, 70500);
        assert_int_equal(realm.registry.account_count, 2);
}

static void test_another_range_renumbers_nobody(void **state)
{
        (void)state;
        realm_lists(&realm, "ci", "a", 100);
        realm_sync(&realm);
        uint32_t uid = realm_record(&realm, "ci", "a").uid;
        realm.range = narrow;
        realm_sync(&realm);
        assert_changed(&realm, KSA_CHANGE_CONTESTED, "a");
        assert_int_equal(realm_record(&realm, "ci", "a").uid, uid);
        realm_wish(&realm, KSA_WISH_ACCEPT, "ci_a");
        assert_between(realm_record(&realm, "ci", "a").uid, narrow.min, narrow.max);
}

static void test_declared_uid_is_followed(void **state)
{
        struct ksa_account section = {.uid = 5000};

        (void)state;
        realm_declares(&realm, &section, "bot", "ci", "a");
        realm_sync(&realm);
        realm.wanted.items[0].uid = 5001;
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_RENUMBERED, "a", "its uid was 5000");
        assert_remedy(&realm, KSA_CHANGE_RENUMBERED, "a", "-uid 5000");
        assert_state(&realm, "a", KSA_ACCOUNT_ACTIVE);
        assert_int_equal(realm_record(&realm, "ci", "a").uid, 5001);
}

/* An accepted account moves to nobody's uid but its own. */
static void test_accept_moves_to_no_other_uid(void **state)
{
        (void)state;
        realm.range = narrow;
        realm_lists(&realm, "ci", "a", 100)->uid = 70500;
        realm_lists(&realm, "ci", "b", 200)->uid = 70600;
        realm_sync(&realm);
        realm.wanted.items[0].uid = 70600;
        realm_sync(&realm);
        assert_int_equal(realm_plan(&realm, KSA_WISH_ACCEPT, "ci_a"), KSA_CONTESTED);
        assert_non_null(strstr(realm.err.text, "prod:ci/b"));
        assert_state(&realm, "b", KSA_ACCOUNT_CONTESTED);
        realm_wish(&realm, KSA_WISH_ACCEPT, "ci_b");
        assert_state(&realm, "b", KSA_ACCOUNT_ACTIVE);
        assert_state(&realm, "a", KSA_ACCOUNT_CONTESTED);
}

/* --- Names ------------------------------------------------------------------------- */

/* Two clusters have a namespace and an account of one name. */
static void test_name_of_two_clusters(void **state)
{
        (void)state;
        realm_lists(&realm, "ci", "a", 200);
        struct ksa_wanted *other = realm_lists(&realm, "ci", "a", 100);
        other->cluster = "test";
        other->source = &listing_test;
        other->rank = 2;
        realm_sync(&realm);
        assert_state(&realm, "a", KSA_ACCOUNT_ACTIVE);
        assert_told(&realm, KSA_CHANGE_REFUSED, "a", "the name 'ci_a'");
        assert_remedy(&realm, KSA_CHANGE_REFUSED, "a", "[account");
}

static void test_name_of_a_removed_account(void **state)
{
        struct ksa_account section = {0};

        (void)state;
        realm_lists(&realm, "ci", "old", 1)->name = "ci_bot";
        realm_sync(&realm);
        realm_forget(&realm);
        realm_lists(&realm, "ci", "new", 2)->name = "ci_bot";
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_REFUSED, "new",
                    "the name 'ci_bot' was given to prod:ci/old");
        realm_forget(&realm);
        realm_declares(&realm, &section, "ci_bot", "ci", "new");
        realm_sync(&realm);
        assert_state(&realm, "new", KSA_ACCOUNT_ACTIVE);
        /* and the first comes back to find its name another's */
        realm_lists(&realm, "ci", "old", 1)->name = "ci_bot";
        realm_sync(&realm);
        assert_state(&realm, "old", KSA_ACCOUNT_REMOVED);
        assert_changed(&realm, KSA_CHANGE_REFUSED, "old");
        assert_state(&realm, "new", KSA_ACCOUNT_ACTIVE);
        realm.wanted.items[1].name = "ci_other";
        realm_sync(&realm);
        assert_state(&realm, "old", KSA_ACCOUNT_ACTIVE);
        assert_changed(&realm, KSA_CHANGE_RENAMED, "old");
}

/* In one run an account goes, another is declared to have its name. */
static void test_name_is_handed_over_by_the_administrator(void **state)
{
        struct ksa_account section = {0};

        (void)state;
        realm_lists(&realm, "ci", "old", 1)->name = "ci_bot";
        realm_sync(&realm);
        realm_forget(&realm);
        realm_declares(&realm, &section, "ci_bot", "ci", "new");
        realm_sync(&realm);
        assert_state(&realm, "new", KSA_ACCOUNT_ACTIVE);
        assert_state(&realm, "old", KSA_ACCOUNT_REMOVED);
        assert_int_not_equal(realm_record(&realm, "ci", "new").uid,
                             realm_record(&realm, "ci", "old").uid);
}

static void test_renamed(void **state)
{
        struct ksa_account section = {0};

        (void)state;
        realm_lists(&realm, "ci", "a", 1)->name = "ci_one";
        realm_sync(&realm);
        uint32_t uid = realm_record(&realm, "ci", "a").uid;
        realm.wanted.items[0].name = "ci_two";
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_RENAMED, "a", "it was called 'ci_one'");
        assert_string_equal(realm_record(&realm, "ci", "a").name, "ci_two");
        assert_int_equal(realm_record(&realm, "ci", "a").uid, uid);
        /* What still speaks of the old name speaks of nobody, not of another. */
        realm_lists(&realm, "ci", "b", 1)->name = "ci_one";
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_REFUSED, "b", "ci_one");
        realm_declares(&realm, &section, "ci_one", "ci", "c");
        realm_sync(&realm);
        assert_changed(&realm, KSA_CHANGE_REFUSED, "c");
        /* To and fro leaves no more records than names. */
        for (int i = 0; i < 6; i++) {
                realm.wanted.items[0].name = i % 2 == 0 ? "ci_one" : "ci_two";
                realm_sync(&realm);
        }
        assert_int_equal(realm.registry.account_count, 2);
}

static void test_two_sections_swap_names(void **state)
{
        struct ksa_account one = {0}, two = {0};

        (void)state;
        realm_declares(&realm, &one, "anna", "ci", "a");
        realm_declares(&realm, &two, "bert", "ci", "b");
        realm_sync(&realm);
        realm.wanted.items[0].name = "bert";
        realm.wanted.items[1].name = "anna";
        realm_sync(&realm);
        assert_string_equal(realm_record(&realm, "ci", "a").name, "anna");
        assert_state(&realm, "a", KSA_ACCOUNT_CONTESTED);
        assert_told(&realm, KSA_CHANGE_CONTESTED, "a", "it should now be called 'bert'");
        /* What the administrator wrote is put right by what the administrator writes. */
        realm.wanted.items[0].name = "anna";
        realm.wanted.items[1].name = "bert";
        realm_sync(&realm);
        assert_state(&realm, "a", KSA_ACCOUNT_ACTIVE);
        assert_state(&realm, "b", KSA_ACCOUNT_ACTIVE);
}

/* A younger one has the name by an annotation that an older one now has too. */
static void test_name_of_a_younger_incumbent(void **state)
{
        (void)state;
        realm_lists(&realm, "ci", "young", 200)->name = "ci_bot";
        realm_sync(&realm);
        realm_lists(&realm, "ci", "old", 100)->name = "ci_bot";
        realm_sync(&realm);
        assert_state(&realm, "young", KSA_ACCOUNT_CONTESTED);
        assert_state(&realm, "old", 0);
        realm_wish(&realm, KSA_WISH_ACCEPT, "ci_bot");
        assert_state(&realm, "young", KSA_ACCOUNT_ACTIVE);
}

/* --- The host ----------------------------------------------------------------------- */

static void test_local_files_always_win(void **state)
{
        struct place *place;
        struct ksa_account bot = {.uid = 6000}, late = {.uid = 7000};
        char passwd[96], group[96], subuid[96], sudoers[96];

        assert_int_equal(place_setup(state), 0);
        place = *state;
        (void)snprintf(passwd, sizeof(passwd), "%s/passwd", place->folder);
        (void)snprintf(group, sizeof(group), "%s/group", place->folder);
        (void)snprintf(subuid, sizeof(subuid), "%s/subuid", place->folder);
        (void)snprintf(sudoers, sizeof(sudoers), "%s/sudoers", place->folder);
        realm.files.passwd = passwd;
        realm.files.group = group;
        realm.files.subuid = subuid;
        realm.files.sudoers = sudoers;
        realm.range = narrow;
        place_write(place, "passwd", "ci_user:x:5000:5000::/:/bin/sh\n");
        place_write(place, "group", "ci_group:x:6000:\ndocker:x:990:ci_member\n");
        place_write(place, "subuid", "x:70400:100\nci_owner:200000:10\n70901:200010:10\n");
        place_write(place, "sudoers", "ci_sudo ALL=ALL\n#70900 ALL=ALL\nbot ALL=ALL\n");
        realm_lists(&realm, "ci", "user", 1)->uid = 70000;
        realm_lists(&realm, "ci", "group", 1)->uid = 70001;
        realm_lists(&realm, "ci", "sudo", 1)->uid = 70002;
        realm_lists(&realm, "ci", "sub", 1)->uid = 70450;
        realm_lists(&realm, "ci", "number", 1)->uid = 70900;
        realm_lists(&realm, "ci", "member", 1)->uid = 70005;
        realm_lists(&realm, "ci", "owner", 1)->uid = 70006;
        realm_lists(&realm, "ci", "ids", 1)->uid = 70901;
        realm_lists(&realm, "ci", "sound", 1)->uid = 70003;
        realm_lists(&realm, "ci", "renumbered", 1)->uid = 70004;
        realm_declares(&realm, &bot, "other", "ci", "declared");
        realm_declares(&realm, &late, "bot", "ci", "insudoers");
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_REFUSED, "user", "the user 'ci_user' of ");
        assert_told(&realm, KSA_CHANGE_REFUSED, "group", "the group 'ci_group' of ");
        assert_told(&realm, KSA_CHANGE_REFUSED, "sudo", "sudoers");
        assert_told(&realm, KSA_CHANGE_REFUSED, "sub", "the subordinate ids of 'x'");
        assert_told(&realm, KSA_CHANGE_REFUSED, "number", "sudoers");
        assert_told(&realm, KSA_CHANGE_REFUSED, "member", "the member 'ci_member' of ");
        assert_told(&realm, KSA_CHANGE_REFUSED, "owner", "the subordinate ids of 'ci_owner' of ");
        assert_told(&realm, KSA_CHANGE_REFUSED, "ids", "the subordinate ids of '70901' of ");
        assert_told(&realm, KSA_CHANGE_REFUSED, "declared", "6000");
        assert_state(&realm, "sound", KSA_ACCOUNT_ACTIVE);
        assert_state(&realm, "insudoers", KSA_ACCOUNT_ACTIVE); /* declared by hand */
        assert_int_equal(realm.registry.account_count, 3);

        /* The host has got a user of that name, and of that number; in sudoers it may stand. */
        place_write(place, "passwd", "ci_sound:x:5000:5000::/:/bin/sh\ny:x:70004:1::/:/bin/sh\n");
        place_write(place, "sudoers", "ci_sound ALL=ALL\n%ci_renumbered ALL=ALL\n");
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_CONTESTED, "sound", "ci_sound");
        assert_told(&realm, KSA_CHANGE_CONTESTED, "renumbered", "70004");
        assert_int_equal(realm_plan(&realm, KSA_WISH_ACCEPT, "ci_sound"), KSA_CONTESTED);
        place_write(place, "passwd", "");
        realm_wish(&realm, KSA_WISH_ACCEPT, "ci_sound");
        assert_state(&realm, "sound", KSA_ACCOUNT_ACTIVE);
        assert_int_equal(place_teardown(state), 0);
}

/* What a directory has is asked for newcomers, and not for a user that an [account] section declares. */
static void test_directories(void **state)
{
        struct ksa_account section = {0};

        (void)state;
        realm.files.ask_nss = true;
        realm_lists(&realm, "ci", "a", 1)->name = "landing"; /* of nobody */
        realm_declares(&realm, &section, "bot", "ci", "b");
        realm_sync(&realm);
        assert_state(&realm, "a", KSA_ACCOUNT_ACTIVE);
        assert_state(&realm, "b", KSA_ACCOUNT_ACTIVE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_cve_2024_9312_a_ground_name_gets_no_uid),
                TEST(test_the_older_one_keeps_it),
                TEST(test_younger_incumbent_both_are_refused),
                TEST(test_retired_incumbent_keeps_its_uid),
                TEST(test_uid_of_a_removed_account),
                TEST(test_fault_asks_for_nothing),
                TEST(test_order_of_claims),
                TEST(test_another_uid_is_not_followed_by_itself),
                TEST(test_another_range_renumbers_nobody),
                TEST(test_declared_uid_is_followed),
                TEST(test_accept_moves_to_no_other_uid),
                TEST(test_name_of_two_clusters),
                TEST(test_name_of_a_removed_account),
                TEST(test_name_is_handed_over_by_the_administrator),
                TEST(test_renamed),
                TEST(test_two_sections_swap_names),
                TEST(test_name_of_a_younger_incumbent),
                TEST(test_local_files_always_win),
                TEST(test_directories),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

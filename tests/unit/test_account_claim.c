/* SPDX-License-Identifier: GPL-2.0-or-later */
/* account_claim.c, account_verdict.c: who is first for a number and a name, and by which age. */
#include "account_claim.h"

#include <stdio.h>
#include <string.h>

#include "account_name.h"
#include "realm.h"

static struct realm realm;

/* A range in which it takes some hundreds of tries to hit a uid. */
static const struct ksa_uid_range narrow = {70000, 70999};

static int setup(void **state)
{
        (void)state;
        realm_open(&realm);
        realm.range = narrow;
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        realm_close(&realm);
        return 0;
}

static uint32_t computed(const char *cluster, const char *namespace, const char *account)
{
        uint32_t uid = 0;

        assert_int_equal(ksa_account_uid(cluster, namespace, account, &narrow, &uid, NULL), KSA_OK);
        return uid;
}

/* An account in prod:NAMESPACE whose computed uid is WANTED. */
static const char *grind(const char *namespace, uint32_t wanted, char name[32])
{
        for (unsigned i = 0; i < 100000; i++) {
                (void)snprintf(name, 32, "x%u", i);
                if (computed("prod", namespace, name) == wanted)
                        return name;
        }
        fail_msg("no name hits");
        return NULL;
}

/* The cluster whose [accounts] section stands behind prod's lists it. */
static struct ksa_wanted *test_lists(const char *namespace, const char *account, int64_t created)
{
        struct ksa_wanted *wanted = realm_lists(&realm, namespace, account, created);

        wanted->cluster = "test";
        wanted->source = &listing_test;
        wanted->rank = 2;
        return wanted;
}

static enum ksa_account_state test_state(const char *namespace, const char *account)
{
        struct ksa_account_record record = {0};

        if (ksa_registry_by_account(&realm.registry, "test", namespace, account, &record) !=
            KSA_REGISTRY_FOUND)
                return 0;
        return record.state;
}

/* As on a host that was installed just now. */
static void forget_the_host(void)
{
        realm_close(&realm);
        setup(NULL);
}

/* --- Numbers ------------------------------------------------------------------------ */

/* A tenant of the cluster that stands first finds a name for the uid of an account of a later one. */
static void test_no_cluster_comes_before_another(void **state)
{
        char attacker[32];

        (void)state;
        grind("evil", computed("test", "ci", "victim"), attacker);
        for (int incumbent = 0; incumbent < 2; incumbent++) {
                forget_the_host();
                test_lists("ci", "victim", 100);
                if (incumbent != 0)
                        realm_sync(&realm);
                realm_lists(&realm, "evil", attacker, 200);
                realm_sync(&realm);
                assert_int_equal(test_state("ci", "victim"), KSA_ACCOUNT_ACTIVE);
                assert_int_equal(realm_record(&realm, "evil", attacker).state, 0);
        }
        /* Names stay in the order of the sources. */
        test_lists("web", "a", 1);
        realm_lists(&realm, "web", "a", 200);
        realm_sync(&realm);
        assert_int_equal(realm_record(&realm, "web", "a").state, KSA_ACCOUNT_ACTIVE);
        assert_int_equal(test_state("web", "a"), 0);
        assert_told(&realm, KSA_CHANGE_REFUSED, "a", "stands before in the configuration");
}

/* The oldest account of all asks for the uid of another by ksa.dev/uid. */
static void test_annotation_yields_to_a_computed_uid(void **state)
{
        uint32_t uid = computed("prod", "ci", "victim");

        (void)state;
        realm_lists(&realm, "evil", "old", 1)->uid = uid;
        realm_lists(&realm, "ci", "victim", 200);
        realm_sync(&realm);
        assert_state(&realm, "victim", KSA_ACCOUNT_ACTIVE);
        assert_int_equal(realm_record(&realm, "evil", "old").state, 0);
        assert_told(&realm, KSA_CHANGE_REFUSED, "old", "prod:ci/victim asks for the uid");
        assert_told(&realm, KSA_CHANGE_REFUSED, "old", "has it by computation");

        /* On a host that knew the victim, and one that knew both. */
        forget_the_host();
        realm_lists(&realm, "ci", "victim", 200);
        realm_sync(&realm);
        realm_lists(&realm, "evil", "old", 1)->uid = uid;
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_REFUSED, "old", "is that of prod:ci/victim");
        assert_state(&realm, "victim", KSA_ACCOUNT_ACTIVE);
        realm.wanted.items[1].uid = 0;
        realm_sync(&realm);
        assert_int_equal(realm_record(&realm, "evil", "old").state, KSA_ACCOUNT_ACTIVE);
        for (uint32_t i = 0; i < 5; i++) {
                realm.wanted.items[1].uid = i % 2 == 0 ? uid : uid + 1 + i;
                realm_sync(&realm);
                assert_state(&realm, "victim", KSA_ACCOUNT_ACTIVE);
                assert_int_equal(realm_record(&realm, "evil", "old").state, KSA_ACCOUNT_CONTESTED);
                assert_int_not_equal(realm_record(&realm, "evil", "old").uid, uid);
        }
        assert_int_equal(realm_plan(&realm, KSA_WISH_ACCEPT, "evil_old"), KSA_CONTESTED);
}

/* It was there before its victim was: neither goes on, until somebody decides. */
static void test_annotation_that_was_there_first(void **state)
{
        uint32_t uid = computed("prod", "ci", "victim");

        (void)state;
        realm_lists(&realm, "evil", "old", 1)->uid = uid;
        realm_sync(&realm);
        realm_lists(&realm, "ci", "victim", 200);
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_CONTESTED, "old", "has it by computation");
        assert_told(&realm, KSA_CHANGE_REFUSED, "victim", "is that of prod:evil/old");
        realm_wish(&realm, KSA_WISH_ACCEPT, "evil_old");
        realm_sync(&realm);
        assert_int_equal(realm_record(&realm, "evil", "old").state, KSA_ACCOUNT_ACTIVE);
}

/* The administrator's section comes before any age, with a uid or without. */
static void test_section_comes_before_a_computed_uid(void **state)
{
        char other[32];
        struct ksa_account named = {.uid = computed("prod", "ci", "old")}, plain = {0};

        (void)state;
        grind("web", computed("prod", "ci", "bot"), other);
        realm_lists(&realm, "ci", "old", 1);
        realm_lists(&realm, "web", other, 1);
        realm_declares(&realm, &named, "ops", "ci", "named");
        realm_declares(&realm, &plain, "bot", "ci", "bot");
        realm_sync(&realm);
        assert_state(&realm, "named", KSA_ACCOUNT_ACTIVE);
        assert_state(&realm, "bot", KSA_ACCOUNT_ACTIVE);
        assert_told(&realm, KSA_CHANGE_REFUSED, "old", "in an [account] section of its own");
        assert_told(&realm, KSA_CHANGE_REFUSED, other, "in an [account] section of its own");
}

/* An [account] section declares one account, and not the group of its namespace. */
static void test_group_of_a_declared_account_is_not_declared(void **state)
{
        char incumbent[32];
        struct ksa_account section = {0};

        (void)state;
        grind("web", computed("prod", "ci", ""), incumbent);
        realm_lists(&realm, "web", incumbent, 100);
        realm_sync(&realm);
        realm_declares(&realm, &section, "bot", "ci", "bot");
        realm_sync(&realm);
        assert_int_equal(realm_record(&realm, "web", incumbent).state, KSA_ACCOUNT_ACTIVE);
        assert_told(&realm, KSA_CHANGE_WARNING, "bot", "the gid");

        /* Nor does the name of the group come before that of a cluster which lists its accounts. */
        forget_the_host();
        realm_declares(&realm, &section, "bot", "app", "bot");
        test_lists("app", "a", 100);
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_WARNING, "bot", "the group of test:app asks for");
}

/* --- The last word: namespace, account, cluster ------------------------------------- */

static void test_equals_come_by_namespace(void **state)
{
        (void)state;
        realm_lists(&realm, "web", "a", 100)->uid = 70001;
        test_lists("ci", "b", 100)->uid = 70001;
        struct ksa_wanted *one = realm_lists(&realm, "web", "c", 100);
        one->name = "ops";
        one = realm_lists(&realm, "ci", "d", 100);
        one->name = "ops";
        realm_sync(&realm);
        assert_int_equal(test_state("ci", "b"), KSA_ACCOUNT_ACTIVE);
        assert_told(&realm, KSA_CHANGE_REFUSED, "a", "comes first by its name");
        assert_state(&realm, "d", KSA_ACCOUNT_ACTIVE);
        assert_told(&realm, KSA_CHANGE_REFUSED, "c", "comes first by its name");
}

static void test_equals_come_by_cluster(void **state)
{
        (void)state;
        /* By names, behind numbers whose order is the other way round. */
        realm_lists(&realm, "ci", "a", 100)->uid = 70002;
        struct ksa_wanted *other = test_lists("ci", "a", 100);
        other->uid = 70001;
        other->rank = 1;
        realm_sync(&realm);
        assert_state(&realm, "a", KSA_ACCOUNT_ACTIVE);
        assert_int_equal(test_state("ci", "a"), 0);
        assert_told(&realm, KSA_CHANGE_REFUSED, "a", "prod:ci/a asks for the name");

        forget_the_host();
        realm_lists(&realm, "ci", "a", 100)->uid = 70001;
        other = test_lists("ci", "a", 100);
        other->uid = 70001;
        other->name = "ops";
        realm_sync(&realm);
        assert_state(&realm, "a", KSA_ACCOUNT_ACTIVE);
        assert_told(&realm, KSA_CHANGE_REFUSED, "a", "prod:ci/a asks for the uid 70001");
}

/* --- Retired ------------------------------------------------------------------------ */

/* Else whoever owns it could refuse others by what its annotations ask for. */
static void test_retired_asks_for_nothing(void **state)
{
        (void)state;
        realm_lists(&realm, "ci", "gone", 1);
        realm_lists(&realm, "ci", "victim", 100)->uid = 70001;
        realm_sync(&realm);
        realm_wish(&realm, KSA_WISH_RETIRE, "ci_gone");
        realm.wanted.items[0].uid = 70001;
        realm.wanted.items[0].name = "ci_victim";
        realm_sync(&realm);
        assert_state(&realm, "victim", KSA_ACCOUNT_ACTIVE);
        assert_state(&realm, "gone", KSA_ACCOUNT_RETIRED);
}

/* Whoever was retired left files and words of sudoers: not even an [account] section takes its name. */
static void test_name_of_a_retired_user_is_never_given_away(void **state)
{
        struct ksa_account section = {0};

        (void)state;
        realm_lists(&realm, "ci", "gone", 1);
        realm_sync(&realm);
        realm_wish(&realm, KSA_WISH_RETIRE, "ci_gone");
        realm_forget(&realm);
        realm_declares(&realm, &section, "ci_gone", "ci", "bot");
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_REFUSED, "bot",
                    "the name 'ci_gone' is that of prod:ci/gone");
        assert_state(&realm, "gone", KSA_ACCOUNT_RETIRED);
}

/* --- The age of an account that was made again --------------------------------------- */

static void make_again(struct ksa_wanted *wanted, int64_t created)
{
        wanted->account_uid = "made-again";
        wanted->created = created;
}

/* Its rival is older now, and has the number on hosts that never saw the first one. */
static void test_account_made_again_is_young(void **state)
{
        char rival[32];
        struct ksa_account_record record;

        (void)state;
        grind("web", computed("prod", "ci", "a"), rival);
        realm_lists(&realm, "ci", "a", 100);
        realm_lists(&realm, "web", rival, 200);
        realm_sync(&realm);
        assert_state(&realm, "a", KSA_ACCOUNT_ACTIVE);
        make_again(&realm.wanted.items[0], 300);
        realm_sync(&realm);
        assert_told(&realm, KSA_CHANGE_CONTESTED, "a", "is older");
        assert_told(&realm, KSA_CHANGE_CONTESTED, "a", "deleted and made again");
        assert_changed(&realm, KSA_CHANGE_REFUSED, rival);
        record = realm_record(&realm, "ci", "a");
        assert_int_equal(record.created, 300);
        assert_string_equal(record.account_uid, "uid-a");
        /* One word decides both, for good. */
        realm_wish(&realm, KSA_WISH_ACCEPT, "ci_a");
        record = realm_record(&realm, "ci", "a");
        assert_int_equal(record.state, KSA_ACCOUNT_ACTIVE);
        assert_string_equal(record.account_uid, "made-again");
        assert_true((record.flags & KSA_ACCOUNT_SETTLED) != 0);
        realm_sync(&realm);
        assert_state(&realm, "a", KSA_ACCOUNT_ACTIVE);
        assert_changed(&realm, KSA_CHANGE_REFUSED, rival);
}

/* Without a rival it is made again alone, and stays active once accepted whoever comes. */
static void test_account_made_again_without_a_rival(void **state)
{
        char rival[32];

        (void)state;
        grind("web", computed("prod", "ci", "a"), rival);
        realm_lists(&realm, "ci", "a", 100);
        realm_sync(&realm);
        make_again(&realm.wanted.items[0], 300);
        realm_sync(&realm);
        assert_state(&realm, "a", KSA_ACCOUNT_RECREATED);
        assert_int_equal(realm_record(&realm, "ci", "a").created, 300);
        realm_wish(&realm, KSA_WISH_ACCEPT, "ci_a");
        assert_state(&realm, "a", KSA_ACCOUNT_ACTIVE);
        realm_lists(&realm, "web", rival, 400);
        realm_sync(&realm);
        assert_state(&realm, "a", KSA_ACCOUNT_ACTIVE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_no_cluster_comes_before_another),
                TEST(test_annotation_yields_to_a_computed_uid),
                TEST(test_annotation_that_was_there_first),
                TEST(test_section_comes_before_a_computed_uid),
                TEST(test_group_of_a_declared_account_is_not_declared),
                TEST(test_equals_come_by_namespace),
                TEST(test_equals_come_by_cluster),
                TEST(test_retired_asks_for_nothing),
                TEST(test_name_of_a_retired_user_is_never_given_away),
                TEST(test_account_made_again_is_young),
                TEST(test_account_made_again_without_a_rival),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

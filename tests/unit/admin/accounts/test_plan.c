/* SPDX-License-Identifier: BSD-2-Clause */
/* plan_*.c, plan.c: the holder keeps. Random histories of three hosts: test_accounts_model.py. */
#include "admin/accounts/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/accounts/names.h"
#include "support/plan_fixture.h"

#define DISABLED KSA_ACCOUNT_DISABLED
#define REMOVED  KSA_ACCOUNT_REMOVED

static struct fixture host;

static int setup(void **state)
{
        if (workdir_setup(state) != 0)
                return -1;
        fixture_open(&host);
        fixture_has_files(&host, ((struct workdir *)*state)->directory);
        return 0;
}

static int teardown(void **state)
{
        fixture_close(&host);
        return workdir_teardown(state);
}

#define USE_FIXTURE                      \
        struct fixture *fixture = &host; \
        (void)state

static uint32_t computed(const struct fixture *fixture, const char *account)
{
        uint32_t uid = 0;

        assert_int_equal(
                ksa_account_uid("prod", "ci", account, &fixture->config.host.uid_range, &uid, NULL),
                KSA_OK);
        return uid;
}

/* --- Newcomers -------------------------------------------------------------- */

static void test_a_user_and_its_group(void **state)
{
        USE_FIXTURE;

        fixture_lists(fixture, "ci", "deployer", 5);
        fixture_sync(fixture);
        struct ksa_account_record record = fixture_record(fixture, "ci", "deployer");
        assert_string_equal(record.name, "ci_deployer");
        assert_int_equal(record.uid, computed(fixture, "deployer"));
        assert_int_equal(record.group_count, 1);
        assert_string_equal(record.home, "/home/ci_deployer");
        struct ksa_group_record group;
        assert_int_equal(ksa_registry_group_by_name(&fixture->registry, "k8s-ci", &group),
                         KSA_REGISTRY_FOUND);
        assert_int_equal(group.gid, computed(fixture, ""));
        assert_int_equal(record.groups[0], group.gid);
}

/* In a range of one number all ask for it; the group asks for it too, just before its oldest account. */
static void test_of_newcomers_the_first_gets_it(void **state)
{
        static const struct {
                const char *first;
                int64_t ages[3]; /* of a, b and c */
        } rows[] = {{"b", {9, 5, 7}}, {"a", {5, 5, 5}}, {"c", {0, 0, 1}}};
        USE_FIXTURE;

        fixture->config.host.uid_range = (struct ksa_uid_range){70000, 70000};
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                /* The group is elsewhere, or it would ask for the number before its oldest account. */
                struct ksa_desired_group elsewhere = {"prod", "ops", "k8s-ops", 90000};

                fixture->registry = (struct ksa_registry){.bytes = NULL};
                fixture_forget(fixture);
                fixture_lists(fixture, "ops", "c", rows[i].ages[2]);
                fixture_lists(fixture, "ops", "b", rows[i].ages[1]);
                fixture_lists(fixture, "ops", "a", rows[i].ages[0]);
                fixture->desired.groups = (struct ksa_list){&elsewhere, 1};
                fixture_sync(fixture);
                fixture->desired.groups = (struct ksa_list){.items = NULL};
                for (const char *one = "abc"; *one != '\0'; one++) {
                        const char name[] = {*one, '\0'};
                        const bool first = strcmp(name, rows[i].first) == 0;

                        assert_int_equal(fixture_record(fixture, "ops", name).state,
                                         first ? KSA_ACCOUNT_ACTIVE : 0);
                        if (!first)
                                assert_int_equal(
                                        fixture_change(fixture, KSA_CHANGE_REFUSED, name)->refusal,
                                        KSA_REFUSAL_NUMBER_TAKEN);
                }
        }
}

/* A local user of one host must not hand a number to another account there. */
static void test_a_refused_newcomer_counts_against_younger_ones(void **state)
{
        struct ksa_account section = {.uid = 70001};
        USE_FIXTURE;

        workdir_write(*state, "passwd", "bot:x:1500:1500::/:/bin/sh\n");
        fixture_declares(fixture, &section, "bot", "ci", "older");
        fixture_lists(fixture, "ci", "younger", 5)->uid = 70001;
        fixture_sync(fixture);
        assert_refused(fixture, "older", KSA_REFUSAL_NAME_LOCAL);
        assert_refused(fixture, "younger", KSA_REFUSAL_RANGE);
        fixture->config.host.uid_range.min = 70000;
        fixture_sync(fixture);
        assert_refused(fixture, "younger", KSA_REFUSAL_NUMBER_TAKEN);
}

static void test_an_older_newcomer_takes_nothing(void **state)
{
        USE_FIXTURE;

        fixture_lists(fixture, "ci", "holder", 9)->uid = 1900000000;
        fixture_sync(fixture);
        fixture_lists(fixture, "ci", "older", 1)->uid = 1900000000;
        fixture_sync(fixture);
        assert_state(fixture, "holder", KSA_ACCOUNT_ACTIVE, 0);
        assert_refused(fixture, "older", KSA_REFUSAL_NUMBER_TAKEN);
        /* Not even once the holder is gone. */
        fixture_forget(fixture);
        fixture_lists(fixture, "ci", "older", 1)->uid = 1900000000;
        fixture_sync(fixture);
        assert_state(fixture, "holder", REMOVED, 0);
        assert_refused(fixture, "older", KSA_REFUSAL_NUMBER_TAKEN);
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
        USE_FIXTURE;

        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                fixture_forget(fixture);
                fixture->registry = (struct ksa_registry){.bytes = NULL};
                fixture_lists(fixture, "ci", "a", 5)->uid = 1900000000;
                workdir_write(*state, rows[i].file, rows[i].text);
                fixture_sync(fixture);
                workdir_write(*state, rows[i].file, "");
                if (rows[i].refusal != KSA_REFUSAL_NONE)
                        assert_refused(fixture, "a", rows[i].refusal);
                else
                        assert_state(fixture, "a", KSA_ACCOUNT_ACTIVE, 0);
        }
}

static void test_a_namespace_that_left_too_many_names_behind(void **state)
{
        struct ksa_account section = {.uid = 0};
        char name[16];
        USE_FIXTURE;

        for (int i = 0; i < 10000; i++) {
                (void)snprintf(name, sizeof(name), "a%d", i);
                fixture_lists(fixture, "ci", name, 5);
        }
        fixture_sync(fixture);
        fixture_forget(fixture);
        fixture_sync(fixture);
        fixture_lists(fixture, "ci", "newcomer", 5);
        fixture_declares(fixture, &section, "bot", "ci", "declared");
        fixture_sync(fixture);
        assert_refused(fixture, "newcomer", KSA_REFUSAL_FULL);
        assert_state(fixture, "declared", KSA_ACCOUNT_ACTIVE, 0);
}

/* --- Names and uids that stay ----------------------------------------------- */

static void test_removal_loses_nothing(void **state)
{
        USE_FIXTURE;

        fixture_lists(fixture, "ci", "a", 5);
        fixture_lists(fixture, "ci", "b", 5);
        fixture_sync(fixture);
        fixture_keeps(fixture);
        fixture_apply(fixture, KSA_ACTION_DISABLE, "ci_b");
        const uint32_t uid = fixture_record(fixture, "ci", "a").uid;
        fixture_forget(fixture);
        fixture_sync(fixture);
        assert_changed(fixture, KSA_CHANGE_REMOVED, "a");
        fixture->config.host.uid_range = (struct ksa_uid_range){70000, 79999};
        fixture_lists(fixture, "ci", "a", 5);
        fixture_lists(fixture, "ci", "b", 5);
        fixture_sync(fixture);
        assert_changed(fixture, KSA_CHANGE_RETURNED, "a");
        assert_int_equal(fixture_record(fixture, "ci", "a").uid, uid);
        assert_state(fixture, "b", DISABLED, KSA_DISABLED_ADMINISTRATOR);
}

static void test_a_section_for_a_listed_account(void **state)
{
        struct ksa_account section = {.uid = 70001}, other = {.uid = 70001};
        USE_FIXTURE;

        fixture_lists(fixture, "ci", "a", 5);
        fixture_lists(fixture, "ci", "b", 5);
        fixture_sync(fixture);
        const uint32_t uid = fixture_record(fixture, "ci", "a").uid;
        section.uid = 0;
        fixture_declares(fixture, &section, "bot", "ci", "a");
        fixture_sync(fixture);
        assert_changed(fixture, KSA_CHANGE_RENAMED, "a");
        assert_string_equal(fixture_record(fixture, "ci", "a").name, "bot");
        assert_int_equal(fixture_record(fixture, "ci", "a").uid, uid);
        /* Its former name stays its own, as do its former uids. */
        fixture_forget(fixture);
        section.uid = 70001;
        fixture_declares(fixture, &section, "bot", "ci", "a");
        fixture_declares(fixture, &other, "ci_a", "ci", "thief");
        fixture_sync(fixture);
        assert_changed(fixture, KSA_CHANGE_RENUMBERED, "a");
        assert_refused(fixture, "thief", KSA_REFUSAL_NAME_TAKEN);
        fixture_forget(fixture);
        section.uid = 70002;
        fixture_declares(fixture, &section, "bot", "ci", "a");
        fixture_declares(fixture, &other, "bot2", "ci", "thief");
        fixture_sync(fixture);
        assert_refused(fixture, "thief", KSA_REFUSAL_NUMBER_TAKEN);
        /* The account itself may have them again. */
        fixture_forget(fixture);
        section.uid = uid;
        fixture_declares(fixture, &section, "ci_a", "ci", "a");
        fixture_sync(fixture);
        assert_int_equal(fixture_record(fixture, "ci", "a").uid, uid);
        assert_string_equal(fixture_record(fixture, "ci", "a").name, "ci_a");
}

static void test_a_taken_name_leaves_the_user_as_it_is(void **state)
{
        struct ksa_account section = {.uid = 0};
        USE_FIXTURE;

        fixture_lists(fixture, "ci", "a", 5);
        fixture_lists(fixture, "ci", "b", 5);
        fixture_sync(fixture);
        section.uid = fixture_record(fixture, "ci", "b").uid;
        fixture_declares(fixture, &section, "ci_b", "ci", "a");
        fixture_sync(fixture);
        assert_string_equal(fixture_record(fixture, "ci", "a").name, "ci_a");
        assert_state(fixture, "a", KSA_ACCOUNT_ACTIVE, 0);
        assert_int_equal(fixture_change(fixture, KSA_CHANGE_WARNING, "a")->refusal,
                         KSA_REFUSAL_NAME_TAKEN);
}

/* --- Reasons ---------------------------------------------------------------- */

static void test_recreated(void **state)
{
        USE_FIXTURE;

        fixture_lists(fixture, "ci", "a", 5);
        fixture_sync(fixture);
        fixture_forget(fixture);
        fixture_lists(fixture, "ci", "a", 6)->account_uid = "second";
        fixture_sync(fixture);
        assert_state(fixture, "a", DISABLED, KSA_DISABLED_RECREATED);
        assert_string_equal(fixture_record(fixture, "ci", "a").account_uid, "uid-a");
        /* enable is about the one that the registry has; a third one is another again. */
        fixture_keeps(fixture);
        fixture_apply(fixture, KSA_ACTION_ENABLE, "ci_a");
        assert_state(fixture, "a", KSA_ACCOUNT_ACTIVE, 0);
        assert_string_equal(fixture_record(fixture, "ci", "a").account_uid, "second");
        fixture_forget(fixture);
        fixture_lists(fixture, "ci", "a", 7)->account_uid = "third";
        fixture_sync(fixture);
        assert_state(fixture, "a", DISABLED, KSA_DISABLED_RECREATED);
        /* The same account again needs no decision. */
        fixture_forget(fixture);
        fixture_lists(fixture, "ci", "a", 6)->account_uid = "second";
        fixture_sync(fixture);
        assert_state(fixture, "a", KSA_ACCOUNT_ACTIVE, 0);
        fixture_forget(fixture);
        struct ksa_desired *item = fixture_lists(fixture, "ci", "a", 8);
        item->account_uid = "fourth";
        item->source = &listing_accept;
        fixture_sync(fixture);
        assert_state(fixture, "a", KSA_ACCOUNT_ACTIVE, 0);
        assert_string_equal(fixture_record(fixture, "ci", "a").account_uid, "fourth");
}

static void test_a_local_user_that_comes_later(void **state)
{
        USE_FIXTURE;

        fixture_lists(fixture, "ci", "a", 5);
        fixture_sync(fixture);
        workdir_write(*state, "passwd", "ci_a:x:1500:1500::/:/bin/sh\n");
        fixture_sync(fixture);
        assert_state(fixture, "a", DISABLED, KSA_DISABLED_CONFLICT);
        assert_int_equal(fixture_plan(fixture, KSA_ACTION_ENABLE, "ci_a"), KSA_DISABLED);
        workdir_write(*state, "passwd", "");
        fixture_sync(fixture);
        assert_state(fixture, "a", DISABLED, KSA_DISABLED_CONFLICT);
        fixture_apply(fixture, KSA_ACTION_ENABLE, "ci_a");
        assert_state(fixture, "a", KSA_ACCOUNT_ACTIVE, 0);
}

/* Only enable on this host lifts it. */
static void test_the_administrators_reason_stays(void **state)
{
        struct ksa_account section = {.uid = 0};
        USE_FIXTURE;

        fixture_lists(fixture, "ci", "a", 5);
        fixture_sync(fixture);
        fixture_apply(fixture, KSA_ACTION_DISABLE, "ci_a");
        assert_int_equal(fixture_record(fixture, "ci", "a").group_count, 0);
        assert_int_equal(fixture_plan(fixture, KSA_ACTION_DISABLE, "ci_a"), KSA_ACCOUNT_UNKNOWN);
        assert_int_equal(fixture_plan(fixture, KSA_ACTION_ENABLE, "nobody"), KSA_ACCOUNT_UNKNOWN);
        fixture_forget(fixture);
        fixture_sync(fixture);
        struct ksa_desired *item = fixture_lists(fixture, "ci", "a", 6);
        item->account_uid = "second";
        item->source = &listing_accept;
        fixture_sync(fixture);
        assert_state(fixture, "a", DISABLED, KSA_DISABLED_ADMINISTRATOR);
        fixture_forget(fixture);
        item = fixture_lists(fixture, "ci", "a", 6);
        item->leader = KSA_LEADER_USER;
        item->source = &following;
        fixture_sync(fixture);
        fixture_declares(fixture, &section, "ci_a", "ci", "a");
        fixture_sync(fixture);
        assert_state(fixture, "a", DISABLED, KSA_DISABLED_ADMINISTRATOR);
        fixture_apply(fixture, KSA_ACTION_ENABLE, "ci_a");
        assert_state(fixture, "a", KSA_ACCOUNT_ACTIVE, 0);
        assert_int_equal(fixture_record(fixture, "ci", "a").group_count, 1);
        assert_int_equal(fixture_plan(fixture, KSA_ACTION_ENABLE, "ci_a"), KSA_ACCOUNT_UNKNOWN);
}

/* --- A leader --------------------------------------------------------------- */

static struct ksa_desired *leader_lists(struct fixture *fixture, const char *account,
                                        const char *name, uint32_t uid,
                                        enum ksa_leader_state leader)
{
        static struct ksa_accounts source;
        struct ksa_desired *item = fixture_lists(fixture, "ci", account, 5);

        source = following;
        item->source = &source;
        item->name = name;
        item->uid = uid;
        item->leader = leader;
        fixture->config.account_sources = &source;
        fixture->config.counts[KSA_SECTION_ACCOUNTS] = 1;
        return item;
}

static void test_a_follower_takes_what_the_leader_has(void **state)
{
        USE_FIXTURE;

        leader_lists(fixture, "a", "deploy", 1900000000, KSA_LEADER_USER);
        leader_lists(fixture, "a", "ci_a", 1900000001, KSA_LEADER_FORMER);
        leader_lists(fixture, "b", "ci_b", 1900000002, KSA_LEADER_USER)->disabled = true;
        leader_lists(fixture, "gone", "ci_gone", 1900000003, KSA_LEADER_REMOVED);
        fixture_sync(fixture);
        assert_string_equal(fixture_record(fixture, "ci", "a").name, "deploy");
        assert_int_equal(fixture_record(fixture, "ci", "a").uid, 1900000000);
        assert_state(fixture, "b", DISABLED, KSA_DISABLED_LEADER);
        assert_state(fixture, "gone", REMOVED, 0);
        assert_int_equal(fixture_plan(fixture, KSA_ACTION_ENABLE, "ci_b"), KSA_DISABLED);
        /* Its group is the leader's too, unless its gid is outside uid_range. */
        struct ksa_desired_group group = {"prod", "ci", "k8s-ci", 5000};
        fixture->registry = (struct ksa_registry){.bytes = NULL};
        for (int i = 0; i < 2; i++, group.gid = 1900000009) {
                fixture->desired.groups = (struct ksa_list){&group, 1};
                fixture_sync(fixture);
                fixture->desired.groups = (struct ksa_list){.items = NULL};
                assert_int_equal(fixture_record(fixture, "ci", "a").group_count, i);
        }
        assert_int_equal(fixture_record(fixture, "ci", "a").groups[0], 1900000009);
        fixture_forget(fixture);
        leader_lists(fixture, "b", "ci_b", 1900000002, KSA_LEADER_USER);
        leader_lists(fixture, "thief", "ci_t", 1900000001, KSA_LEADER_USER);
        leader_lists(fixture, "other", "ci_o", 1900000003, KSA_LEADER_USER);
        fixture_sync(fixture);
        assert_state(fixture, "b", KSA_ACCOUNT_ACTIVE, 0);
        assert_refused(fixture, "thief", KSA_REFUSAL_NUMBER_TAKEN);
        assert_refused(fixture, "other", KSA_REFUSAL_NUMBER_TAKEN);
}

/* A removed account lost them, and enable or a section made it active. */
static void test_a_leaders_reasons_of_a_removed_account(void **state)
{
        struct ksa_account section = {.uid = 0};
        USE_FIXTURE;

        for (int first = 0; first < 2;
             first++) { /* a record of the account comes first, or the file */
                fixture->registry = (struct ksa_registry){.bytes = NULL};
                fixture_forget(fixture);
                if (first == 0)
                        leader_lists(fixture, "a", "ci_a", 1900000001, KSA_LEADER_USER);
                fixture_sync(fixture);
                fixture_forget(fixture);
                leader_lists(fixture, "a", "ci_a", 1900000001, KSA_LEADER_REMOVED)->disabled = true;
                fixture_sync(fixture);
                assert_state(fixture, "a", REMOVED, KSA_DISABLED_LEADER);
                fixture_keeps(fixture); /* enable reads no file */
                assert_int_equal(fixture_plan(fixture, KSA_ACTION_ENABLE, "ci_a"), KSA_DISABLED);
                fixture_declares(fixture, &section, "ci_a", "ci", "a");
                fixture_sync(fixture);
                assert_state(fixture, "a", DISABLED, KSA_DISABLED_LEADER);
                assert_int_equal(fixture_plan(fixture, KSA_ACTION_ENABLE, "ci_a"), KSA_DISABLED);
                leader_lists(fixture, "a", "ci_a", 1900000001, KSA_LEADER_REMOVED);
                fixture_sync(fixture);
                assert_state(fixture, "a", KSA_ACCOUNT_ACTIVE, 0);
        }
}

/* It got the computed one. */
static void test_a_section_gets_the_uid_of_a_removed_account_of_the_leader(void **state)
{
        struct ksa_account section = {.uid = 0};
        USE_FIXTURE;

        leader_lists(fixture, "a", "ci_a", 1900000001, KSA_LEADER_REMOVED);
        fixture_declares(fixture, &section, "bot", "ci", "a")->account_uid = "";
        fixture_sync(fixture);
        assert_string_equal(fixture_record(fixture, "ci", "a").name, "bot");
        assert_int_equal(fixture_record(fixture, "ci", "a").uid, 1900000001);
        assert_string_equal(fixture_record(fixture, "ci", "a").account_uid, "uid-a");
}

/* They were left out without a message. */
static void test_a_removed_account_of_the_leader_that_is_taken_here(void **state)
{
        static const struct {
                const char *name;
                uint32_t uid;
                enum ksa_refusal refusal;
                const char *why;
        } rows[] = {
                {"alice", 1900000001, KSA_REFUSAL_NAME_LOCAL, "'alice' of "},
                {"ci_gone", 1900000500, KSA_REFUSAL_NUMBER_LOCAL, "'alice' of "},
                {"ci_b", 1900000001, KSA_REFUSAL_NAME_TAKEN, "belongs to prod:ci/b"},
                {"ci_gone", 5000, KSA_REFUSAL_RANGE, "outside uid_range"},
        };
        USE_FIXTURE;

        workdir_write(*state, "passwd", "alice:x:1900000500:1500::/:/bin/sh\n");
        leader_lists(fixture, "b", "ci_b", 1900000002, KSA_LEADER_USER);
        fixture_sync(fixture);
        for (size_t i = 0; i < 2 * KSA_COUNT(rows); i++) {
                const size_t row = i / 2;
                const bool former = i % 2 == 1;

                fixture_forget(fixture);
                leader_lists(fixture, "b", "ci_b", 1900000002, KSA_LEADER_USER);
                leader_lists(fixture, former ? "b" : "gone", rows[row].name, rows[row].uid,
                             former ? KSA_LEADER_FORMER : KSA_LEADER_REMOVED);
                if (former && rows[row].refusal == KSA_REFUSAL_NAME_TAKEN)
                        continue; /* its own name */
                fixture_sync(fixture);
                const struct ksa_plan_change *told =
                        fixture_change(fixture, KSA_CHANGE_REFUSED, former ? "b" : "gone");
                assert_non_null(told);
                assert_int_equal(told->refusal, rows[row].refusal);
                assert_int_equal(told->record->state, REMOVED);
                assert_string_equal(told->record->name, rows[row].name);
                if (strstr(told->why, rows[row].why) == NULL)
                        fail_msg("%s", told->why);
                assert_int_equal(fixture_record(fixture, "ci", "gone").state, 0);
        }
}

static size_t count_formers(const struct fixture *fixture)
{
        struct ksa_account_record record;
        size_t position = 0, count = 0;

        while (ksa_registry_next(&fixture->registry, &position, &record) == KSA_REGISTRY_FOUND)
                count += (record.flags & KSA_ACCOUNT_FORMER) != 0;
        return count;
}

static void test_a_former_name_is_written_once(void **state)
{
        struct ksa_account section = {.uid = 0};
        USE_FIXTURE;

        leader_lists(fixture, "a", "ci_a", 1900000001, KSA_LEADER_USER);
        fixture_sync(fixture);
        fixture_forget(fixture);
        leader_lists(fixture, "a", "deploy", 1900000001, KSA_LEADER_USER);
        leader_lists(fixture, "a", "ci_a", 1900000001, KSA_LEADER_FORMER);
        leader_lists(fixture, "a", "ci_a", 1900000001, KSA_LEADER_FORMER);
        fixture_sync(fixture);
        assert_int_equal(count_formers(fixture), 1);
        /* A registry that repeats it is corrected. */
        struct ksa_plan *plan = fixture->plan;
        struct ksa_account_record *twice = calloc(3, sizeof(*twice));
        assert_non_null(twice);
        assert_int_equal(plan->account_count, 2);
        twice[0] = twice[1] = plan->accounts[0];
        twice[2] = plan->accounts[1];
        assert_string_equal(twice[0].name, "ci_a");
        fixture_write(fixture, twice, 3);
        free(twice);
        assert_int_equal(count_formers(fixture), 2);
        fixture_declares(fixture, &section, "deploy", "ci", "a");
        fixture_sync(fixture);
        assert_int_equal(count_formers(fixture), 1);
}

static void test_a_follower_keeps_the_uid_that_it_gave(void **state)
{
        USE_FIXTURE;

        fixture_lists(fixture, "ci", "a", 5);
        fixture_sync(fixture);
        fixture_forget(fixture);
        leader_lists(fixture, "a", "deploy", 1900000000, KSA_LEADER_USER);
        leader_lists(fixture, "far", "ci_far", 5000, KSA_LEADER_USER);
        fixture_sync(fixture);
        assert_int_equal(fixture_record(fixture, "ci", "a").uid, computed(fixture, "a"));
        assert_string_equal(fixture_record(fixture, "ci", "a").name, "deploy");
        assert_int_equal(fixture_change(fixture, KSA_CHANGE_WARNING, "a")->refusal,
                         KSA_REFUSAL_UID_DIFFERS);
        assert_refused(fixture, "far", KSA_REFUSAL_RANGE);
}

/* It was stored as removed, and a later sync made it active. */
static void test_a_follower_stores_no_uid_outside_its_range(void **state)
{
        static const enum ksa_leader_state gone[] = {KSA_LEADER_REMOVED, KSA_LEADER_FORMER};
        USE_FIXTURE;

        for (size_t i = 0; i < KSA_COUNT(gone); i++) {
                fixture_forget(fixture);
                leader_lists(fixture, "far", "ci_far", 5000, gone[i]);
                fixture_sync(fixture);
                assert_int_equal(fixture_record(fixture, "ci", "far").state, 0);
        }
        fixture_forget(fixture);
        leader_lists(fixture, "far", "ci_far", 5000, KSA_LEADER_USER);
        fixture_sync(fixture);
        assert_refused(fixture, "far", KSA_REFUSAL_RANGE);
        /* The remedy: its uid in a section. */
        struct ksa_account section = {.uid = 5000};
        fixture_forget(fixture);
        leader_lists(fixture, "far", "ci_far", 5000, KSA_LEADER_USER);
        fixture_declares(fixture, &section, "ci_far", "ci", "far");
        fixture_sync(fixture);
        assert_int_equal(fixture_record(fixture, "ci", "far").uid, 5000);
}

/* A section for the groups of a listed account admitted whichever account had the name. */
static void test_a_section_without_account_uid_lifts_nothing(void **state)
{
        struct ksa_account section = {.uid = 0};
        USE_FIXTURE;

        fixture_lists(fixture, "ci", "a", 5);
        fixture_sync(fixture);
        for (int i = 0; i < 2; i++) {
                fixture_forget(fixture);
                fixture_lists(fixture, "ci", "a", 6)->account_uid = "second";
                if (i == 1)
                        fixture_declares(fixture, &section, "ci_a", "ci", "a")->account_uid = "";
                fixture_sync(fixture);
                assert_state(fixture, "a", DISABLED, KSA_DISABLED_RECREATED);
                assert_string_equal(fixture_record(fixture, "ci", "a").account_uid, "uid-a");
        }
}

/* --- Groups ----------------------------------------------------------------- */

static void test_a_group_whose_name_a_local_group_has(void **state)
{
        USE_FIXTURE;

        workdir_write(*state, "group", "k8s-ci:x:1500:\n");
        fixture_lists(fixture, "ci", "a", 5);
        fixture_sync(fixture);
        assert_state(fixture, "a", KSA_ACCOUNT_ACTIVE, 0);
        assert_int_equal(fixture_record(fixture, "ci", "a").group_count, 0);
        assert_int_equal(fixture_change(fixture, KSA_CHANGE_WARNING, "a")->refusal,
                         KSA_REFUSAL_NAME_LOCAL);
        workdir_write(*state, "group", "");
        fixture_sync(fixture);
        assert_int_equal(fixture_record(fixture, "ci", "a").group_count, 1);
        /* Once it is made, it stays, with its gid, without members too. */
        workdir_write(*state, "group", "k8s-ci:x:1500:\n");
        fixture_sync(fixture);
        assert_int_equal(fixture_record(fixture, "ci", "a").group_count, 0);
        assert_int_equal(fixture->plan->group_count, 1);
}

/* Only the host's files were asked, not its directories. The machine's own groups stand for a directory's. */
static void test_a_group_whose_name_a_directory_has(void **state)
{
        struct ksa_desired_group group = {"prod", "ci", "root", 1900000009};
        USE_FIXTURE;

        fixture->files.ask_nss = true;
        fixture_lists(fixture, "ci", "a", 5);
        fixture->desired.groups = (struct ksa_list){&group, 1};
        fixture_sync(fixture);
        fixture->desired.groups = (struct ksa_list){.items = NULL};
        assert_int_equal(fixture_record(fixture, "ci", "a").group_count, 0);
        const struct ksa_plan_change *told = fixture_change(fixture, KSA_CHANGE_WARNING, "a");
        assert_non_null(told);
        assert_int_equal(told->refusal, KSA_REFUSAL_NAME_LOCAL);
        assert_non_null(strstr(told->why, "of NSS"));
}

/* The registry takes none, so that no account of any cluster got a user. */
static void test_a_colon_in_a_home_stops_no_other_account(void **state)
{
        struct ksa_accounts source = listing;
        struct ksa_account section = {.uid = 0};
        USE_FIXTURE;

        fixture_lists(fixture, "ci", "before", 5);
        fixture_sync(fixture);
        fixture_forget(fixture);
        source.home = "/srv/a:b";
        fixture_lists(fixture, "ci", "before", 5)->source = &source;
        fixture_lists(fixture, "ci", "a", 5)->source = &source;
        fixture_declares(fixture, &section, "bot", "ci", "b");
        fixture_sync(fixture);
        assert_refused(fixture, "a", KSA_REFUSAL_UNUSABLE);
        assert_state(fixture, "b", KSA_ACCOUNT_ACTIVE, 0);
        assert_state(fixture, "before", KSA_ACCOUNT_ACTIVE, 0);
        assert_string_equal(fixture_record(fixture, "ci", "before").home, "/home/ci_before");
}

static void test_groups_that_a_section_names(void **state)
{
        static const char *names[] = {"web", "docker", "none", "root"};
        struct ksa_account section = {.uid = 0, .groups = {names, KSA_COUNT(names)}};
        USE_FIXTURE;

        workdir_write(*state, "group", "root:x:0:\nweb:x:8000:\ndocker:x:999:\n");
        fixture_declares(fixture, &section, "bot", "ci", "a");
        fixture_sync(fixture);
        assert_int_equal(fixture_record(fixture, "ci", "a").group_count, 2);
        section.allow_powerful_groups = true;
        fixture_sync(fixture);
        assert_int_equal(fixture_record(fixture, "ci", "a").group_count, 3);
        assert_true((fixture_record(fixture, "ci", "a").flags & KSA_ACCOUNT_POWERFUL) != 0);
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
                TEST(test_a_follower_stores_no_uid_outside_its_range),
                TEST(test_a_section_without_account_uid_lifts_nothing),
                TEST(test_a_follower_keeps_the_uid_that_it_gave),
                TEST(test_a_leaders_reasons_of_a_removed_account),
                TEST(test_a_section_gets_the_uid_of_a_removed_account_of_the_leader),
                TEST(test_a_removed_account_of_the_leader_that_is_taken_here),
                TEST(test_a_former_name_is_written_once),
                TEST(test_a_group_whose_name_a_directory_has),
                TEST(test_a_colon_in_a_home_stops_no_other_account),
                TEST(test_a_group_whose_name_a_local_group_has),
                TEST(test_groups_that_a_section_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * account_plan.c over random histories: accounts are made, deleted and made again, several hosts look
 * at different times, their administrators accept now and then, and the range is so small that uids
 * collide all the time.
 */
#include "account_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account_name.h"
#include "realm.h"

enum { HOSTS = 3, ACCOUNTS = 24, STEPS = 40, HISTORIES = 40, FIRST_UID = 70000, UIDS = 60 };

static const char *const namespaces[] = {"ci", "web", "kube-system"};

/* What there is in the cluster. */
struct account {
        const char *namespace;
        char name[8];
        bool lives;
        int64_t created;
        unsigned generation; /* its Kubernetes uid */
        uint32_t uid;        /* that an annotation asks for, or 0 */
};

struct world {
        struct account accounts[ACCOUNTS];
        struct realm hosts[HOSTS];
        char owners[HOSTS][UIDS][16]; /* who was first to be given the number; "" for nobody yet */
        int64_t now;
        uint32_t seed;
        bool annotations, accepts;
};

static void change_something(struct world *world)
{
        struct account *account = &world->accounts[next_random(&world->seed) % ACCOUNTS];

        world->now += 1 + next_random(&world->seed) % 3;
        if (world->annotations && account->lives && next_random(&world->seed) % 4 == 0) {
                account->uid = next_random(&world->seed) % 2 == 0
                                       ? 0
                                       : FIRST_UID + next_random(&world->seed) % UIDS;
                return;
        }
        account->lives = !account->lives;
        if (!account->lives)
                return;
        /* Some are only looked at again, others made again. */
        if (account->generation == 0 || next_random(&world->seed) % 3 == 0) {
                account->generation++;
                account->created = world->now;
                account->uid = 0;
        }
}

static void sync_host(struct world *world, size_t number)
{
        struct realm *host = &world->hosts[number];

        realm_forget(host);
        for (size_t i = 0; i < ACCOUNTS; i++) {
                struct account *account = &world->accounts[(i * 7 + number) % ACCOUNTS];
                char account_uid[32];

                if (!account->lives)
                        continue;
                struct ksa_wanted *wanted =
                        realm_lists(host, account->namespace, account->name, account->created);
                (void)snprintf(account_uid, sizeof(account_uid), "%s-%u", account->name,
                               account->generation);
                wanted->account_uid = ksa_wanted_keep(&host->wanted, account_uid);
                wanted->uid = account->uid;
        }
        realm_sync(host);
}

/* ksactl accounts accept asks no cluster: it has what the registry knows of them. */
static void want_what_is_known(struct realm *host)
{
        struct ksa_account_record record;
        size_t position = 0;

        realm_forget(host);
        while (ksa_registry_next(&host->registry, &position, &record) == KSA_REGISTRY_FOUND) {
                if (record.state == KSA_ACCOUNT_REMOVED)
                        continue;
                struct ksa_wanted *wanted =
                        realm_lists(host, record.namespace, record.account, record.created);
                wanted->account_uid = record.new_account_uid[0] != '\0' ? record.new_account_uid
                                                                        : record.account_uid;
                wanted->uid = record.wanted_uid;
        }
}

/* One of those that wait for a decision; the administrator of another host may decide otherwise. */
static bool accept_somebody(struct world *world, size_t number)
{
        struct realm *host = &world->hosts[number];
        const struct ksa_plan *plan = host->plan;
        char user[KSA_NAME_SIZE] = "";
        uint32_t waiting = 0;

        for (size_t i = 0; i < plan->account_count; i++) {
                const struct ksa_account_record *record = &plan->accounts[i];

                if (record->state != KSA_ACCOUNT_CONTESTED &&
                    record->state != KSA_ACCOUNT_RECREATED)
                        continue;
                if (next_random(&world->seed) % ++waiting == 0)
                        (void)snprintf(user, sizeof(user), "%s", record->name);
        }
        if (waiting == 0)
                return false;
        want_what_is_known(host);
        if (realm_plan(host, KSA_WISH_ACCEPT, user) == KSA_OK) {
                realm_wish(host, KSA_WISH_ACCEPT, user);
                return true;
        }
        assert_int_equal(host->err.reason, KSA_CONTESTED);
        sync_host(world, number);
        return false;
}

/* A number belongs to the first that was given it, for as long as the host stands. */
static void check_never_given_twice(struct world *world, size_t number)
{
        const struct ksa_plan *plan = world->hosts[number].plan;

        for (size_t i = 0; i < plan->account_count + plan->group_count; i++) {
                bool group = i >= plan->account_count;
                const struct ksa_account_record *account = &plan->accounts[group ? 0 : i];
                uint32_t uid = group ? plan->groups[i - plan->account_count].gid : account->uid;
                char *owner = world->owners[number][uid - FIRST_UID];
                const char *name =
                        group ? plan->groups[i - plan->account_count].name : account->account;

                if (owner[0] == '\0')
                        (void)snprintf(owner, sizeof(world->owners[0][0]), "%s", name);
                assert_string_equal(owner, name);
        }
}

static bool is_settled(const struct ksa_account_record *record)
{
        return (record->flags & KSA_ACCOUNT_SETTLED) != 0;
}

/*
 * Who is let in has one uid on all hosts, and that uid is on none of them somebody else's who is let in:
 * but for who was let in against another's claim, by an administrator on that host.
 */
static void check_agreement(const struct world *world)
{
        for (size_t one = 0; one < HOSTS; one++) {
                const struct ksa_plan *plan = world->hosts[one].plan;

                for (size_t i = 0; i < plan->account_count * HOSTS; i++) {
                        const struct ksa_account_record *record = &plan->accounts[i / HOSTS];
                        const struct realm *other = &world->hosts[i % HOSTS];
                        struct ksa_account_record there;

                        if (record->state != KSA_ACCOUNT_ACTIVE || is_settled(record))
                                continue;
                        there = realm_record(other, record->namespace, record->account);
                        if (there.state == KSA_ACCOUNT_ACTIVE && !is_settled(&there))
                                assert_int_equal(there.uid, record->uid);
                        if (ksa_registry_by_uid(&other->registry, record->uid, &there) ==
                                    KSA_REGISTRY_FOUND &&
                            there.state == KSA_ACCOUNT_ACTIVE && !is_settled(&there))
                                assert_string_equal(there.account, record->account);
                }
        }
}

static void open_world(struct world *world, uint32_t seed, bool annotations, bool accepts)
{
        memset(world, 0, sizeof(*world));
        world->seed = seed;
        world->annotations = annotations;
        world->accepts = accepts;
        world->now = 1000;
        for (size_t i = 0; i < ACCOUNTS; i++) {
                world->accounts[i].namespace = namespaces[i % KSA_COUNT(namespaces)];
                (void)snprintf(world->accounts[i].name, sizeof(world->accounts[i].name), "a%zu", i);
        }
        for (size_t i = 0; i < HOSTS; i++) {
                realm_open(&world->hosts[i]);
                world->hosts[i].range = (struct ksa_uid_range){FIRST_UID, FIRST_UID + UIDS - 1};
        }
}

/* What the histories came to: a test in which nothing happens shows nothing. */
struct count {
        size_t refused, contested, recreated, returned, active, accepted;
};

static void live(struct world *world, struct count *count)
{
        for (size_t step = 0; step < STEPS; step++) {
                bool all = step % 10 == 9;

                for (unsigned i = 0; i < 4; i++)
                        change_something(world);
                for (size_t i = 0; i < HOSTS; i++) {
                        if (!all && next_random(&world->seed) % (2 + i) != 0)
                                continue;
                        sync_host(world, i);
                        check_never_given_twice(world, i);
                        count->refused += realm_changes(&world->hosts[i], KSA_CHANGE_REFUSED);
                        count->contested += realm_changes(&world->hosts[i], KSA_CHANGE_CONTESTED);
                        count->recreated += realm_changes(&world->hosts[i], KSA_CHANGE_RECREATED);
                        count->returned += realm_changes(&world->hosts[i], KSA_CHANGE_RETURNED);
                        count->active += realm_changes(&world->hosts[i], KSA_CHANGE_ADDED);
                        if (world->accepts && next_random(&world->seed) % 3 == 0 &&
                            accept_somebody(world, i)) {
                                check_never_given_twice(world, i);
                                count->accepted++;
                        }
                }
                if (all)
                        check_agreement(world);
        }
}

static void run_histories(bool annotations, bool accepts)
{
        struct world *world = malloc(sizeof(*world));
        struct count count = {0};

        assert_non_null(world);
        for (uint32_t history = 1; history <= HISTORIES; history++) {
                open_world(world, history * 7919, annotations, accepts);
                live(world, &count);
                for (size_t i = 0; i < HOSTS; i++)
                        realm_close(&world->hosts[i]);
        }
        free(world);
        assert_true(count.refused > 100 && count.contested > 10 && count.recreated > 100 &&
                    count.returned > 100 && count.active > 100 &&
                    (count.accepted > 100) == accepts);
}

static void test_hosts_agree(void **state)
{
        (void)state;
        run_histories(false, false);
}

static void test_hosts_agree_with_annotations(void **state)
{
        (void)state;
        run_histories(true, false);
}

static void test_hosts_agree_but_for_what_was_settled(void **state)
{
        (void)state;
        run_histories(false, true);
}

static void test_hosts_agree_with_annotations_but_for_what_was_settled(void **state)
{
        (void)state;
        run_histories(true, true);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_hosts_agree),
                cmocka_unit_test(test_hosts_agree_with_annotations),
                cmocka_unit_test(test_hosts_agree_but_for_what_was_settled),
                cmocka_unit_test(test_hosts_agree_with_annotations_but_for_what_was_settled),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

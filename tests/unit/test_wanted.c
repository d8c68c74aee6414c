/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wanted.c: what the configuration declares, and what the registry has of a source. */
#include "wanted.h"

#include <stdlib.h>
#include <string.h>

#include "realm.h"

static void test_declared(void **state)
{
        struct ksa_account sections[] = {
                {.name = "deploy-bot",
                 .account = {"prod", "ci", "deployer"},
                 .account_uid = "42aa",
                 .uid = 5000,
                 .home = "/srv/bot",
                 .shell = "/bin/bash"},
                {.name = "plain", .account = {"prod", "ci", "default"}},
        };
        const struct ksa_config config = {.accounts = sections,
                                          .counts = {[KSA_SECTION_ACCOUNT] = 2}};
        struct ksa_wanted_list list = {0};
        struct ksa_error err = {0};

        (void)state;
        assert_int_equal(ksa_wanted_declared(&config, &list, &err), KSA_OK);
        assert_int_equal(list.count, 2);
        assert_string_equal(list.items[0].name, "deploy-bot");
        assert_string_equal(list.items[0].account, "deployer");
        assert_string_equal(list.items[0].account_uid, "42aa");
        assert_int_equal(list.items[0].uid, 5000);
        assert_string_equal(list.items[0].home, "/srv/bot");
        assert_string_equal(list.items[0].shell, "/bin/bash");
        assert_ptr_equal(list.items[0].section, &sections[0]);
        assert_int_equal(list.items[0].rank, 0);
        assert_string_equal(list.items[1].account_uid, "");
        assert_string_equal(list.items[1].home, "");
        assert_string_equal(list.items[1].fault, "");
        ksa_wanted_clear(&list);
}

static void test_covers(void **state)
{
        const char *one[] = {"ci"}, *all[] = {"web", "*"};
        const struct ksa_accounts ci = {.namespaces = {one, 1}}, every = {.namespaces = {all, 2}};

        (void)state;
        assert_true(ksa_source_covers(&ci, "ci", "deployer"));
        assert_false(ksa_source_covers(&ci, "ci2", "deployer"));
        assert_false(ksa_source_covers(&ci, "c", "deployer"));
        assert_true(ksa_source_covers(&every, "anything", "deployer"));
        assert_false(ksa_source_covers(&ci, "ci", "default"));
        assert_false(ksa_source_covers(&every, "ci", "default"));
}

/* Five of which two are still the source's own. */
static void test_known(void **state)
{
        const char *namespaces[] = {"ci"};
        struct ksa_accounts source = {.name = "prod",
                                      .namespaces = {namespaces, 1},
                                      .home = "/srv/homes",
                                      .annotations = true};
        struct ksa_account section = {0};
        struct ksa_wanted_list list = {0};
        struct realm realm;

        (void)state;
        realm_open(&realm);
        realm_lists(&realm, "ci", "kept", 100)->name = "ci_mine";
        realm_lists(&realm, "ci", "again", 200);
        realm_lists(&realm, "web", "elsewhere", 300);
        realm_lists(&realm, "ci", "gone", 400);
        realm_declares(&realm, &section, "byhand", "ci", "hand");
        realm_sync(&realm);
        realm_forget(&realm);
        realm_lists(&realm, "ci", "kept", 100)->name = "ci_mine";
        realm_lists(&realm, "ci", "again", 200)->account_uid = "another";
        realm_lists(&realm, "web", "elsewhere", 300);
        realm_declares(&realm, &section, "byhand", "ci", "hand");
        realm_sync(&realm);

        assert_int_equal(ksa_wanted_known(NULL, &source, 3, &realm.registry, &list, &realm.err),
                         KSA_OK);
        assert_int_equal(list.count, 2);
        assert_string_equal(list.items[0].account, "again");
        assert_string_equal(list.items[0].account_uid, "another");
        assert_int_equal(list.items[0].rank, 3);
        assert_int_equal(list.items[0].created, 200);
        assert_string_equal(list.items[1].account, "kept");
        assert_string_equal(list.items[1].name, "ci_mine");
        assert_string_equal(list.items[1].home, "/srv/homes");
        assert_ptr_equal(list.items[1].source, &source);
        ksa_wanted_clear(&list);

        source.annotations = false;
        assert_int_equal(ksa_wanted_known(NULL, &source, 3, &realm.registry, &list, &realm.err),
                         KSA_OK);
        assert_string_equal(list.items[1].name, "");
        ksa_wanted_clear(&list);

        source.name = "test";
        assert_int_equal(ksa_wanted_known(NULL, &source, 3, &realm.registry, &list, &realm.err),
                         KSA_OK);
        assert_int_equal(list.count, 0);
        ksa_wanted_clear(&list);
        realm_close(&realm);
}

/* A run that does not ask the cluster leaves everything as it is. */
static void test_known_changes_nothing(void **state)
{
        struct realm realm;

        (void)state;
        realm_open(&realm);
        realm_lists(&realm, "ci", "a", 100);
        realm_lists(&realm, "ci", "b", 200);
        realm_sync(&realm);
        realm_forget(&realm);
        realm_lists(&realm, "ci", "a", 100);
        realm_lists(&realm, "ci", "b", 900)->account_uid = "another";
        realm_sync(&realm);
        realm_forget(&realm);
        assert_int_equal(ksa_wanted_known(NULL, &listing_prod, 1, &realm.registry, &realm.wanted,
                                          &realm.err),
                         KSA_OK);
        assert_int_equal(realm_plan(&realm, KSA_WISH_NONE, NULL), KSA_OK);
        assert_false(realm.plan->differs);
        assert_state(&realm, "b", KSA_ACCOUNT_RECREATED);
        realm_wish(&realm, KSA_WISH_ACCEPT, "ci_b");
        assert_state(&realm, "b", KSA_ACCOUNT_ACTIVE);
        assert_string_equal(realm_record(&realm, "ci", "b").account_uid, "another");
        realm_close(&realm);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_declared),
                cmocka_unit_test(test_covers),
                cmocka_unit_test(test_known),
                cmocka_unit_test(test_known_changes_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

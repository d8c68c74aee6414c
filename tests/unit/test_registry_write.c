/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registry_write.c: what goes in comes out; what may not stand there is refused, by name. */
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "registry_format.h"
#include "support.h"

/* --- In and out ------------------------------------------------------------- */

static void same(const struct ksa_account_record *read, const struct ksa_account_record *written)
{
        assert_string_equal(read->name, written->name);
        assert_int_equal(read->uid, written->uid);
        assert_int_equal(read->state, written->state);
        assert_int_equal(read->flags, written->flags);
        assert_string_equal(read->home, written->home);
        assert_string_equal(read->shell, written->shell);
        assert_string_equal(read->cluster, written->cluster);
        assert_string_equal(read->namespace, written->namespace);
        assert_string_equal(read->account, written->account);
        assert_string_equal(read->account_uid, written->account_uid);
        assert_string_equal(read->new_account_uid, written->new_account_uid);
        assert_string_equal(read->wanted_name, written->wanted_name);
        assert_int_equal(read->wanted_uid, written->wanted_uid);
        assert_int_equal(read->created, written->created);
        assert_int_equal(read->changed, written->changed);
        assert_int_equal(read->group_count, written->group_count);
        if (written->group_count > 0)
                assert_memory_equal(read->groups, written->groups,
                                    written->group_count * sizeof(*written->groups));
}

/* One of each kind, ordered by name. */
static size_t all_kinds(struct ksa_account_record accounts[6])
{
        static const uint32_t gids[] = {SAMPLE_GID, 27, 1234};

        accounts[0] = sample_account("a.name-of-32-bytes_0123456789012", "long", 1900000010);
        accounts[1] = sample_account("ci_again", "again", 1900000011);
        accounts[1].state = KSA_ACCOUNT_RECREATED;
        accounts[1].new_account_uid = "0b0b93fa-0000-4000-8000-ba5d1f4ad2a6";
        accounts[2] = sample_account("ci_contested", "contested", 2147483647);
        accounts[2].state = KSA_ACCOUNT_CONTESTED;
        accounts[2].group_count = 0;
        accounts[3] = sample_account("ci_deployer", "deployer", 1000);
        accounts[3].flags = KSA_ACCOUNT_DECLARED | KSA_ACCOUNT_POWERFUL | KSA_ACCOUNT_SETTLED;
        accounts[3].groups = gids;
        accounts[3].group_count = KSA_COUNT(gids);
        accounts[3].wanted_name = "ci_deployer";
        accounts[3].wanted_uid = 1000;
        accounts[4] = sample_account("ci_gone", "gone", 1900000012);
        accounts[4].state = KSA_ACCOUNT_REMOVED;
        accounts[4].account_uid = "";
        accounts[4].created = 0;
        accounts[5] = sample_account("ci_retired", "retired", 1900000013);
        accounts[5].state = KSA_ACCOUNT_RETIRED;
        return 6;
}

static void test_what_goes_in_comes_out(void **state)
{
        struct ksa_account_record accounts[6], read;
        size_t count = all_kinds(accounts), size, position = 0;
        struct ksa_registry registry;
        unsigned char *bytes;
        const char *why = "";

        (void)state;
        sample_build(accounts, count, &bytes, &size);
        assert_int_equal(ksa_registry_read(bytes, size, &registry, &why), KSA_REGISTRY_FOUND);
        assert_int_equal(registry.account_count, count);
        assert_int_equal(registry.made, 1795464267);
        for (size_t i = 0; i < count; i++) {
                assert_int_equal(ksa_registry_next(&registry, &position, &read),
                                 KSA_REGISTRY_FOUND);
                same(&read, &accounts[i]);
                assert_int_equal(ksa_registry_by_name(&registry, accounts[i].name, &read),
                                 KSA_REGISTRY_FOUND);
                same(&read, &accounts[i]);
                assert_int_equal(ksa_registry_by_uid(&registry, accounts[i].uid, &read),
                                 KSA_REGISTRY_FOUND);
                same(&read, &accounts[i]);
                assert_int_equal(ksa_registry_by_account(&registry, "prod", "ci",
                                                         accounts[i].account, &read),
                                 KSA_REGISTRY_FOUND);
                same(&read, &accounts[i]);
        }
        assert_int_equal(ksa_registry_next(&registry, &position, &read), KSA_REGISTRY_NOT_FOUND);
        assert_true(ksa_registry_is_whole(&registry, &why));
        free(bytes);
}

static void test_members_are_who_has_the_gid_and_is_there(void **state)
{
        static const char *const expected[] = {"a.name-of-32-bytes_0123456789012", "ci_again",
                                               "ci_deployer", "ci_retired"};
        struct ksa_account_record accounts[6], read;
        struct ksa_group_record group;
        struct ksa_registry registry;
        unsigned char *bytes;
        size_t size;

        (void)state;
        sample_build(accounts, all_kinds(accounts), &bytes, &size);
        assert_int_equal(ksa_registry_read(bytes, size, &registry, NULL), KSA_REGISTRY_FOUND);
        assert_int_equal(ksa_registry_group_by_name(&registry, "k8s-ci", &group),
                         KSA_REGISTRY_FOUND);
        assert_int_equal(group.gid, SAMPLE_GID);
        assert_int_equal(ksa_registry_group_by_gid(&registry, SAMPLE_GID, &group),
                         KSA_REGISTRY_FOUND);
        assert_string_equal(group.name, "k8s-ci");
        assert_string_equal(group.cluster, "prod");
        assert_string_equal(group.namespace, "ci");
        assert_int_equal(group.member_count, KSA_COUNT(expected));
        for (uint32_t i = 0; i < group.member_count; i++) {
                assert_int_equal(ksa_registry_member(&registry, &group, i, &read),
                                 KSA_REGISTRY_FOUND);
                assert_string_equal(read.name, expected[i]);
        }
        assert_int_equal(ksa_registry_member(&registry, &group, group.member_count, &read),
                         KSA_REGISTRY_NOT_FOUND);
        free(bytes);
}

static void test_a_hundred_thousand_accounts_are_whole(void **state)
{
        struct ksa_registry registry;
        struct ksa_group_record group;
        unsigned char *bytes;
        const char *why = "";
        size_t size;

        (void)state;
        sample_build_many(100000, 1, &bytes, &size);
        assert_int_equal(ksa_registry_read(bytes, size, &registry, NULL), KSA_REGISTRY_FOUND);
        if (!ksa_registry_is_whole(&registry, &why))
                fail_msg("%s", why);
        assert_int_equal(ksa_registry_group_by_gid(&registry, SAMPLE_GID, &group),
                         KSA_REGISTRY_FOUND);
        assert_int_equal(group.member_count, 100000);
        free(bytes);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_goes_in_comes_out),
                cmocka_unit_test(test_members_are_who_has_the_gid_and_is_there),
                cmocka_unit_test(test_a_hundred_thousand_accounts_are_whole),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

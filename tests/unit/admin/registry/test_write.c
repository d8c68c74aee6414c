/* SPDX-License-Identifier: BSD-2-Clause */
/* write.c: values are read as they were written; a forbidden value is refused, by name. */
#include <stdlib.h>
#include <string.h>

#include "registry/format.h"
#include "support/registry_samples.h"
#include "support/support.h"

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
        assert_int_equal(read->reasons, written->reasons);
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
        accounts[1].state = KSA_ACCOUNT_DISABLED;
        accounts[1].reasons = KSA_DISABLED_RECREATED;
        accounts[1].new_account_uid = "0b0b93fa-0000-4000-8000-ba5d1f4ad2a6";
        accounts[2] = sample_account("ci_contested", "contested", 2147483647);
        accounts[2].state = KSA_ACCOUNT_DISABLED;
        accounts[2].reasons = KSA_DISABLED_ALL;
        accounts[2].group_count = 0;
        accounts[3] = sample_account("ci_deployer", "deployer", 1000);
        accounts[3].flags = KSA_ACCOUNT_FLAGS & ~KSA_ACCOUNT_FORMER;
        accounts[3].groups = gids;
        accounts[3].group_count = KSA_COUNT(gids);
        accounts[4] = sample_account("ci_gone", "gone", 1900000012);
        accounts[4].state = KSA_ACCOUNT_REMOVED;
        accounts[4].reasons = KSA_DISABLED_ADMINISTRATOR;
        accounts[4].flags = KSA_ACCOUNT_FORMER;
        accounts[4].account_uid = "";
        accounts[4].created = 0;
        accounts[5] = sample_account("ci_retired", "retired", 1900000013);
        accounts[5].state = KSA_ACCOUNT_DISABLED;
        accounts[5].reasons = KSA_DISABLED_ADMINISTRATOR;
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

/* --- Refusals --------------------------------------------------------------- */

static enum ksa_reason build(const struct ksa_account_record *accounts, size_t count,
                             const struct ksa_group_record *groups, size_t group_count,
                             struct ksa_error *err)
{
        const struct ksa_registry_content content = {accounts,    count,          groups,
                                                     group_count, &sample_source, 1};
        unsigned char *bytes = NULL;
        size_t size = 0;

        *err = (struct ksa_error){0};
        enum ksa_reason reason = ksa_registry_build(&content, 1, &bytes, &size, err);
        assert_int_equal(reason == KSA_OK, bytes != NULL);
        free(bytes);
        return reason;
}

static char long_text[1100];

static void make_bad(struct ksa_account_record *account, int number)
{
        static const uint32_t zero[] = {SAMPLE_GID, 0}, system_group[] = {27}, nobody[] = {65534};
        static const uint32_t many[KSA_ACCOUNT_GROUPS_MAX + 1] = {0};

        switch (number) {
#define BAD(number, change) \
        case number:        \
                change;     \
                return
                BAD(0, account->uid = 0);
                BAD(1, account->uid = 999);
                BAD(2, account->uid = 61200);
                BAD(3, account->uid = 65534);
                BAD(4, account->uid = UINT32_MAX);
                BAD(5, account->reasons = KSA_DISABLED_LEADER);
                BAD(6, account->name = "");
                BAD(7, account->name = "a.name-of-33-bytes_01234567890123");
                BAD(8, account->name = "ci:b");
                BAD(9, account->name = "-b");
                BAD(10, account->name = "c\nd");
                BAD(11, account->home = "home");
                BAD(12, account->home = "");
                BAD(13, account->shell = "sh");
                BAD(14, account->shell = "/bin/sh\nroot::0:0::/:/bin/sh");
                BAD(15, account->shell = "/bin/sh:");
                BAD(16, account->state = 0);
                BAD(17, account->state = KSA_ACCOUNT_STATE_COUNT);
                BAD(18, account->state = KSA_ACCOUNT_DISABLED);
                BAD(19, account->flags = KSA_ACCOUNT_FLAGS + 1);
                BAD(20, account->flags = 65536);
                BAD(21, account->groups = zero; account->group_count = 2);
                BAD(22, account->groups = system_group);
                BAD(23, account->groups = nobody);
                BAD(24, account->groups = many; account->group_count = KSA_COUNT(many));
                BAD(25, account->cluster = "pr/od");
                BAD(26, account->namespace = "ci/x");
                BAD(27, account->account = "x/y");
                BAD(28, account->account = "x\x7f");
                BAD(29, account->home = long_text);
                BAD(30, account->account_uid = long_text);
                BAD(31, account->flags = KSA_ACCOUNT_FORMER);
                BAD(32, account->new_account_uid = "\t");
                BAD(33, account->group_count = 65536);
#undef BAD
        default:
                fail();
        }
}

static void test_what_the_reader_would_refuse_is_refused(void **state)
{
        struct ksa_error error;

        (void)state;
        memset(long_text, '/', sizeof(long_text) - 1);
        for (int i = 0; i <= 33; i++) {
                struct ksa_account_record account = sample_account("ci_x", "x", 1900000010);

                assert_int_equal(build(&account, 1, NULL, 0, &error), KSA_OK);
                make_bad(&account, i);
                if (build(&account, 1, NULL, 0, &error) != KSA_INTERNAL)
                        fail_msg("case %d was written", i);
                assert_non_null(strstr(error.text, "the registry cannot hold the"));
                assert_null(strchr(error.text, '\n'));
        }
}

static void test_two_of_one_name_uid_or_account(void **state)
{
        struct ksa_error error;

        (void)state;
        for (int i = 0; i < 3; i++) {
                struct ksa_account_record two[] = {sample_account("ci_x", "x", 1900000010),
                                                   sample_account("ci_y", "y", 1900000011)};

                assert_int_equal(build(two, 2, &sample_group, 1, &error), KSA_OK);
                if (i == 0)
                        two[1].name = "ci_x";
                if (i == 1)
                        two[1].uid = 1900000010;
                if (i == 2)
                        two[1].account = "x";
                assert_int_equal(build(two, 2, &sample_group, 1, &error), KSA_INTERNAL);
                assert_non_null(strstr(error.text, "may not both have"));
                assert_non_null(strstr(error.text, "ci_x"));
                two[i % 2].state = KSA_ACCOUNT_REMOVED;
                assert_int_equal(build(two, 2, &sample_group, 1, &error), KSA_OK);
                two[(i + 1) % 2].state = KSA_ACCOUNT_REMOVED;
                assert_int_equal(build(two, 2, &sample_group, 1, &error), KSA_OK);
        }
}

static void test_who_is_there_is_found_before_who_was_removed(void **state)
{
        (void)state;
        for (int removed = 0; removed < 2; removed++) {
                struct ksa_account_record two[] = {sample_account("ci_x", "x", 1900000010),
                                                   sample_account("ci_x", "x", 1900000010)};
                struct ksa_registry registry;
                struct ksa_account_record read;
                unsigned char *bytes;
                const char *why = "";
                size_t size;

                two[removed].state = KSA_ACCOUNT_REMOVED;
                two[1 - removed].state = KSA_ACCOUNT_DISABLED;
                two[1 - removed].reasons = KSA_DISABLED_ADMINISTRATOR;
                sample_build(two, 2, &bytes, &size);
                assert_int_equal(ksa_registry_read(bytes, size, &registry, NULL),
                                 KSA_REGISTRY_FOUND);
                assert_int_equal(ksa_registry_by_name(&registry, "ci_x", &read),
                                 KSA_REGISTRY_FOUND);
                assert_int_equal(read.state, KSA_ACCOUNT_DISABLED);
                assert_int_equal(ksa_registry_by_uid(&registry, 1900000010, &read),
                                 KSA_REGISTRY_FOUND);
                assert_int_equal(read.state, KSA_ACCOUNT_DISABLED);
                assert_int_equal(ksa_registry_by_account(&registry, "prod", "ci", "x", &read),
                                 KSA_REGISTRY_FOUND);
                assert_int_equal(read.state, KSA_ACCOUNT_DISABLED);
                assert_true(ksa_registry_is_whole(&registry, &why));
                free(bytes);
        }
}

static void test_groups(void **state)
{
        const struct ksa_account_record account = sample_account("ci_x", "x", 1900000010);
        struct ksa_group_record two[] = {sample_group, sample_group};
        struct ksa_error error;

        (void)state;
        two[1].name = "k8s-cj";
        two[1].gid++;
        assert_int_equal(build(&account, 1, two, 2, &error), KSA_OK);
        two[1].gid = SAMPLE_GID;
        assert_int_equal(build(&account, 1, two, 2, &error), KSA_INTERNAL);
        two[1].gid = 999;
        assert_int_equal(build(&account, 1, two, 2, &error), KSA_INTERNAL);
        assert_non_null(strstr(error.text, "the registry cannot hold the group 'k8s-cj'"));
        two[1] = sample_group;
        two[1].gid++;
        assert_int_equal(build(&account, 1, two, 2, &error), KSA_INTERNAL);
        two[1].name = "k8s-a";
        assert_int_equal(build(&account, 1, two, 2, &error), KSA_INTERNAL);
        /* Of the number or name of a private group. */
        two[1].name = "k8s-cj";
        two[1].gid = account.uid;
        assert_int_equal(build(&account, 1, two, 2, &error), KSA_INTERNAL);
        two[0].name = account.name;
        assert_int_equal(build(&account, 1, two, 1, &error), KSA_INTERNAL);
}

static void test_out_of_order(void **state)
{
        const struct ksa_account_record two[] = {sample_account("ci_y", "y", 1900000011),
                                                 sample_account("ci_x", "x", 1900000010)};
        struct ksa_error error;

        (void)state;
        assert_int_equal(build(two, 2, NULL, 0, &error), KSA_INTERNAL);
        assert_string_equal(error.text, "'ci_x' is out of order");
}

static void test_nothing_at_all(void **state)
{
        const struct ksa_registry_content content = {0};
        struct ksa_registry registry;
        struct ksa_account_record read;
        struct ksa_error error = {0};
        unsigned char *bytes = NULL;
        const char *why = "";
        size_t size, position = 0;

        (void)state;
        assert_int_equal(ksa_registry_build(&content, 1, &bytes, &size, &error), KSA_OK);
        assert_int_equal(ksa_registry_read(bytes, size, &registry, NULL), KSA_REGISTRY_FOUND);
        assert_int_equal(ksa_registry_next(&registry, &position, &read), KSA_REGISTRY_NOT_FOUND);
        assert_int_equal(ksa_registry_by_name(&registry, "ci_x", &read), KSA_REGISTRY_NOT_FOUND);
        assert_true(ksa_registry_is_whole(&registry, &why));
        free(bytes);
}

/* --- Not whole -------------------------------------------------------------- */

/* Errors that a reader would not meet: valid checksums, and a missing part. */
static void test_an_account_that_cannot_be_found_is_missed(void **state)
{
        struct ksa_registry registry;
        struct ksa_format_bucket bucket = {0};
        unsigned char *bytes;
        const char *why = "";
        size_t size;

        (void)state;
        sample_build_many(3, 1, &bytes, &size);
        assert_int_equal(ksa_registry_read(bytes, size, &registry, NULL), KSA_REGISTRY_FOUND);
        for (uint32_t i = 0; i < registry.bucket_count; i++) {
                unsigned char *at = bytes + registry.buckets + i * sizeof(bucket);
                struct ksa_format_bucket before;

                memcpy(&before, at, sizeof(before));
                memcpy(at, &bucket, sizeof(bucket));
                sample_seal(bytes, size, false);
                assert_int_equal(ksa_registry_is_whole(&registry, &why),
                                 before.slots[0].record == 0);
                memcpy(at, &before, sizeof(before));
        }
        sample_seal(bytes, size, false);
        assert_true(ksa_registry_is_whole(&registry, &why));
        free(bytes);
}

static void test_a_member_who_is_not_listed_is_missed(void **state)
{
        struct ksa_registry registry;
        unsigned char *bytes;
        const char *why = "";
        size_t size;
        uint32_t two = 2;

        (void)state;
        sample_build_many(3, 1, &bytes, &size);
        assert_int_equal(ksa_registry_read(bytes, size, &registry, NULL), KSA_REGISTRY_FOUND);
        memcpy(bytes + registry.groups + offsetof(struct ksa_format_group, member_count), &two,
               sizeof(two));
        sample_seal(bytes, size, false);
        assert_false(ksa_registry_is_whole(&registry, &why));
        assert_string_equal(why, "a group is damaged, or not to be found");
        free(bytes);
}

static void test_what_is_counted_wrongly_or_unfit_is_missed(void **state)
{
        struct ksa_registry registry;
        unsigned char *bytes;
        const char *why = "";
        size_t size;
        const uint32_t two = 2;

        (void)state;
        sample_build_many(3, 1, &bytes, &size);
        assert_int_equal(ksa_registry_read(bytes, size, &registry, NULL), KSA_REGISTRY_FOUND);
        bytes[registry.sources + sizeof(struct ksa_format_source)] = ':';
        sample_seal(bytes, size, false);
        assert_false(ksa_registry_is_whole(&registry, &why));
        assert_string_equal(why, "a source is damaged");
        bytes[registry.sources + sizeof(struct ksa_format_source)] = 'p';
        memcpy(bytes + offsetof(struct ksa_format_header, account_count), &two, sizeof(two));
        sample_seal(bytes, size, false);
        assert_int_equal(ksa_registry_read(bytes, size, &registry, NULL), KSA_REGISTRY_FOUND);
        assert_false(ksa_registry_is_whole(&registry, &why));
        assert_string_equal(why, "an account is damaged, or not to be found");
        free(bytes);
}

static void test_a_former_name_is_found_last(void **state)
{
        (void)state;
        for (int former = 0; former < 2; former++) {
                struct ksa_account_record two[] = {sample_account("ci_x", "x", 1900000010),
                                                   sample_account("ci_x", "x", 1900000010)};
                struct ksa_registry registry;
                struct ksa_account_record read;
                unsigned char *bytes;
                size_t size;

                two[0].state = two[1].state = KSA_ACCOUNT_REMOVED;
                two[former].flags |= KSA_ACCOUNT_FORMER;
                sample_build(two, 2, &bytes, &size);
                assert_int_equal(ksa_registry_read(bytes, size, &registry, NULL),
                                 KSA_REGISTRY_FOUND);
                assert_int_equal(ksa_registry_by_name(&registry, "ci_x", &read),
                                 KSA_REGISTRY_FOUND);
                assert_int_equal(read.flags & KSA_ACCOUNT_FORMER, 0);
                free(bytes);
        }
}

static void test_a_member_is_listed_once(void **state)
{
        static const uint32_t repeated[] = {SAMPLE_GID, 1234, SAMPLE_GID};
        struct ksa_account_record account = sample_account("ci_x", "x", 1900000010);
        struct ksa_registry registry;
        struct ksa_group_record group;
        unsigned char *bytes;
        const char *why = "";
        size_t size;

        (void)state;
        account.groups = repeated;
        account.group_count = KSA_COUNT(repeated);
        sample_build(&account, 1, &bytes, &size);
        assert_int_equal(ksa_registry_read(bytes, size, &registry, NULL), KSA_REGISTRY_FOUND);
        assert_int_equal(ksa_registry_group_by_gid(&registry, SAMPLE_GID, &group),
                         KSA_REGISTRY_FOUND);
        assert_int_equal(group.member_count, 1);
        assert_true(ksa_registry_is_whole(&registry, &why));
        free(bytes);
}

static void test_a_member_in_anothers_place_and_a_slot_of_nobody_are_missed(void **state)
{
        struct ksa_registry registry;
        struct ksa_format_bucket bucket;
        unsigned char *bytes, *at;
        const char *why = "";
        size_t size;

        (void)state;
        sample_build_many(3, 1, &bytes, &size);
        assert_int_equal(ksa_registry_read(bytes, size, &registry, NULL), KSA_REGISTRY_FOUND);
        at = bytes + registry.buckets;
        memcpy(&bucket, at, sizeof(bucket));
        bucket.slots[KSA_FORMAT_SLOTS - 1].record = 1;
        memcpy(at, &bucket, sizeof(bucket));
        sample_seal(bytes, size, false);
        assert_false(ksa_registry_is_whole(&registry, &why));
        assert_string_equal(why, "its table is damaged");
        free(bytes);
        sample_build_many(3, 1, &bytes, &size);
        assert_int_equal(ksa_registry_read(bytes, size, &registry, NULL), KSA_REGISTRY_FOUND);
        memcpy(bytes + registry.members, bytes + registry.members + 4, 4);
        sample_seal(bytes, size, false);
        assert_false(ksa_registry_is_whole(&registry, &why));
        assert_string_equal(why, "a group is damaged, or not to be found");
        free(bytes);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_goes_in_comes_out),
                cmocka_unit_test(test_members_are_who_has_the_gid_and_is_there),
                cmocka_unit_test(test_a_hundred_thousand_accounts_are_whole),
                cmocka_unit_test(test_what_the_reader_would_refuse_is_refused),
                cmocka_unit_test(test_two_of_one_name_uid_or_account),
                cmocka_unit_test(test_who_is_there_is_found_before_who_was_removed),
                cmocka_unit_test(test_groups),
                cmocka_unit_test(test_out_of_order),
                cmocka_unit_test(test_nothing_at_all),
                cmocka_unit_test(test_an_account_that_cannot_be_found_is_missed),
                cmocka_unit_test(test_a_member_who_is_not_listed_is_missed),
                cmocka_unit_test(test_what_is_counted_wrongly_or_unfit_is_missed),
                cmocka_unit_test(test_a_former_name_is_found_last),
                cmocka_unit_test(test_a_member_is_listed_once),
                cmocka_unit_test(test_a_member_in_anothers_place_and_a_slot_of_nobody_are_missed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

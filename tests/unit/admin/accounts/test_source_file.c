/* SPDX-License-Identifier: BSD-2-Clause */
/* source_file.c: the export of a leader, and its reading by a follower. */
#include "admin/accounts/source_file.h"

#include <stdlib.h>
#include <string.h>

#include "support/registry_samples.h"
#include "support/support.h"

static const char *namespaces[] = {"ci", "build"};
static const struct ksa_accounts source = {.name = "prod", .namespaces = {namespaces, 2}};

#define ACCOUNT(more)                                                                            \
        "{\"namespace\":\"ci\",\"account\":\"deployer\",\"account_uid\":\"u-1\",\"created\":17," \
        "\"user\":\"ci_deployer\",\"uid\":1900000001," more "}"
#define ACTIVE ACCOUNT("\"state\":\"active\",\"reasons\":[]")
#define FORMER ACCOUNT("\"state\":\"former\",\"reasons\":[]")
#define GROUP  "{\"namespace\":\"ci\",\"group\":\"k8s-ci\",\"gid\":1900000000}"
#define CLUSTER(name, groups, accounts)                    \
        "{\"cluster\":\"" name "\",\"listed\":1790000000," \
        "\"groups\":[" groups "],\"accounts\":[" accounts "]}"
#define FILE_OF(clusters) "{\"format\":\"ksa-accounts\",\"version\":2,\"clusters\":[" clusters "]}"

static enum ksa_reason read_text(const char *text, struct ksa_desired_list *list,
                                 struct ksa_source_record *record)
{
        struct ksa_error error = {0};
        enum ksa_reason reason =
                ksa_account_file_read(text, strlen(text), &source, list, record, &error);

        assert_int_equal(reason == KSA_OK, error.text[0] == '\0');
        if (reason != KSA_OK)
                assert_int_equal(list->count + list->groups.count, 0);
        return reason;
}

static void test_states(void **state)
{
        static const struct {
                const char *text;
                enum ksa_leader_state leader; /* NONE: the file is invalid */
                bool disabled;
        } rows[] = {
                {ACTIVE, KSA_LEADER_USER, false},
                {FORMER, KSA_LEADER_FORMER, false},
                {ACCOUNT("\"state\":\"disabled\",\"reasons\":[\"recreated\"]"), KSA_LEADER_USER,
                 true},
                {ACCOUNT("\"state\":\"removed\",\"reasons\":[\"administrator\"]"),
                 KSA_LEADER_REMOVED, true},
                {ACCOUNT("\"state\":\"removed\",\"reasons\":[]"), KSA_LEADER_REMOVED, false},
                {ACCOUNT("\"state\":\"active\",\"reasons\":[\"conflict\"]"), KSA_LEADER_NONE,
                 false},
                {ACCOUNT("\"state\":\"disabled\",\"reasons\":[\"contested\"]"), KSA_LEADER_NONE,
                 false},
                {ACCOUNT("\"state\":\"retired\",\"reasons\":[]"), KSA_LEADER_NONE, false},
                {ACCOUNT("\"state\":null,\"reasons\":[]"), KSA_LEADER_NONE, false},
                {ACCOUNT("\"state\":\"active\""), KSA_LEADER_NONE, false},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_desired_list list = {0};
                struct ksa_source_record record = {.cluster = NULL};
                char text[1024];

                (void)snprintf(text, sizeof(text), FILE_OF(CLUSTER("prod", GROUP, "%s")),
                               rows[i].text);
                if (rows[i].leader == KSA_LEADER_NONE) {
                        assert_int_equal(read_text(text, &list, &record), KSA_CONFIG_INVALID);
                } else {
                        assert_int_equal(read_text(text, &list, &record), KSA_OK);
                        assert_int_equal(list.items[0].leader, rows[i].leader);
                        assert_int_equal(list.items[0].disabled, rows[i].disabled);
                        assert_string_equal(list.items[0].name, "ci_deployer");
                        assert_int_equal(list.items[0].uid, 1900000001);
                        assert_int_equal(list.groups.count, 1);
                        assert_int_equal(record.listed, 1790000000);
                }
                ksa_desired_clear(&list);
        }
}

static void test_invalid_files(void **state)
{
        static const char *const texts[] = {
                "",
                "[]",
                FILE_OF(""),
                FILE_OF(CLUSTER("test", "", ACTIVE)),
                FILE_OF(CLUSTER("prod", "", ACTIVE) "," CLUSTER("prod", "", "")),
                FILE_OF(CLUSTER("prod", "", ACTIVE "," ACTIVE)),
                FILE_OF(CLUSTER("prod", "", "1")),
                FILE_OF(CLUSTER("prod", "{}", "")),
                FILE_OF("{\"cluster\":\"prod\",\"accounts\":[]}"),
                "{\"format\":\"ksa-accounts\",\"version\":1,\"clusters\":[]}",
                "{\"format\":\"x\",\"version\":2,\"clusters\":[]}",
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(texts); i++) {
                struct ksa_desired_list list = {0};
                struct ksa_source_record record;

                if (read_text(texts[i], &list, &record) != KSA_CONFIG_INVALID)
                        fail_msg("%s", texts[i]);
                ksa_desired_clear(&list);
        }
}

/* Removed, declared and disabled accounts, and former names: the follower must give none of them away. */
static void test_every_record_is_exported(void **state)
{
        struct ksa_account_record records[] = {
                sample_account("bot", "declared", SAMPLE_GID + 1),
                sample_account("ci_a", "a", SAMPLE_GID + 2),
                sample_account("ci_former", "a", SAMPLE_GID + 3),
                sample_account("ci_gone", "gone", SAMPLE_GID + 4),
                sample_account("ci_off", "off", SAMPLE_GID + 5),
        };
        static const enum ksa_leader_state states[] = {KSA_LEADER_USER, KSA_LEADER_USER,
                                                       KSA_LEADER_FORMER, KSA_LEADER_REMOVED,
                                                       KSA_LEADER_USER};
        struct ksa_desired_list list = {0};
        struct ksa_source_record record;
        struct ksa_registry registry;
        unsigned char *bytes;
        size_t size;

        (void)state;
        records[0].flags = KSA_ACCOUNT_DECLARED;
        records[0].account_uid = "";
        records[2].state = records[3].state = KSA_ACCOUNT_REMOVED;
        records[2].flags = KSA_ACCOUNT_FORMER;
        records[3].reasons = KSA_DISABLED_CONFLICT;
        records[4].state = KSA_ACCOUNT_DISABLED;
        records[4].reasons = KSA_DISABLED_ADMINISTRATOR | KSA_DISABLED_RECREATED;
        sample_build(records, KSA_COUNT(records), &bytes, &size);
        assert_int_equal(ksa_registry_read(bytes, size, &registry, NULL), KSA_REGISTRY_FOUND);
        json_t *file = ksa_account_file_write(&registry, NULL);
        char *text = json_dumps(file, JSON_COMPACT);
        assert_int_equal(read_text(text, &list, &record), KSA_OK);
        assert_int_equal(list.count, KSA_COUNT(records));
        for (size_t i = 0; i < list.count; i++) {
                assert_string_equal(list.items[i].name, records[i].name);
                assert_int_equal(list.items[i].uid, records[i].uid);
                assert_int_equal(list.items[i].leader, states[i]);
                assert_int_equal(list.items[i].disabled, records[i].reasons != 0);
                assert_string_equal(list.items[i].account_uid, records[i].account_uid);
        }
        assert_int_equal(list.groups.count, 1);
        assert_int_equal(((struct ksa_desired_group *)list.groups.items)->gid, SAMPLE_GID);
        free(text);
        json_decref(file);
        file = ksa_account_file_write(&registry, "other");
        assert_int_equal(json_array_size(json_object_get(file, "clusters")), 0);
        json_decref(file);
        ksa_desired_clear(&list);
        free(bytes);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_states),
                cmocka_unit_test(test_invalid_files),
                cmocka_unit_test(test_every_record_is_exported),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

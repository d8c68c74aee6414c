/* SPDX-License-Identifier: GPL-2.0-or-later */
/* account_file.c: from a registry to a file of accounts and back, and what is no such file. */
#include "account_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "asked.h"
#include "support.h"

#define FILE_OF(accounts)                                                                 \
        "{\"format\":\"ksa-accounts\",\"version\":1,\"clusters\":[{\"cluster\":\"prod\"," \
        "\"resource_version\":\"77\",\"listed\":1795464000,\"accounts\":[" accounts "]}]}"
#define ACCOUNT                                                                                  \
        "{\"namespace\":\"ci\",\"account\":\"deployer\",\"uid\":\"u-1\",\"created\":1700000000," \
        "\"state\":\"active\",\"user\":null,\"user_uid\":null}"

static const char *namespaces[] = {"ci"};
static struct ksa_accounts sections[2];
static struct ksa_config config;

static int arrange(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(sections); i++)
                sections[i] = (struct ksa_accounts){.name = i == 0 ? "staging" : "prod",
                                                    .namespaces = {namespaces, 1},
                                                    .annotations = true};
        config = (struct ksa_config){.account_sources = sections,
                                     .host.uid_range = {1879048192, 2147483647}};
        config.counts[KSA_SECTION_ACCOUNTS] = KSA_COUNT(sections);
        return 0;
}

static enum ksa_reason read_text(const char *text, struct ksa_wanted_list *list,
                                 struct ksa_source_record sources[2], struct ksa_error *err)
{
        const size_t length = strlen(text), before = list->count;
        char *bytes = malloc(length + 1);

        assert_non_null(bytes);
        memcpy(bytes + 1, text, length);
        memset(err, 0, sizeof(*err));
        memset(sources, 0, 2 * sizeof(*sources));
        enum ksa_reason reason =
                ksa_account_file_read(bytes + 1, length, &config, list, sources, err);
        free(bytes);
        assert_int_equal(reason == KSA_OK, err->text[0] == '\0');
        if (reason != KSA_OK) {
                assert_int_equal(list->count, before);
                assert_null(sources[0].cluster);
                assert_null(sources[1].cluster);
        }
        return reason;
}

static void test_read(void **state)
{
        struct ksa_wanted_list list = {0};
        struct ksa_source_record sources[2];
        struct ksa_error error;

        (void)state;
        assert_int_equal(read_text(FILE_OF(ACCOUNT), &list, sources, &error), KSA_OK);
        assert_null(sources[0].cluster);
        assert_string_equal(sources[1].cluster, "prod");
        assert_string_equal(sources[1].version, "77");
        assert_int_equal(sources[1].listed, 1795464000);
        assert_int_equal(list.count, 1);
        assert_string_equal(list.items[0].account_uid, "u-1");
        assert_int_equal(list.items[0].created, 1700000000);
        assert_ptr_equal(list.items[0].source, &sections[1]);
        assert_int_equal(list.items[0].rank, 2);
        ksa_wanted_clear(&list);
}

/* A file whose account has the member MEMBER made VALUE; NULL: without it. */
static char *with(const char *member, const char *value)
{
        char *account = asked_change(ACCOUNT, member, value), *text = NULL;

        assert_true(
                asprintf(&text,
                         "{\"format\":\"ksa-accounts\",\"version\":1,\"clusters\":[{\"cluster\":"
                         "\"prod\",\"resource_version\":\"\",\"listed\":0,\"accounts\":[%s]}]}",
                         account) > 0);
        free(account);
        return text;
}

static void test_wishes(void **state)
{
        static const struct {
                const char *member, *value, *name, *fault;
                uint32_t uid;
        } rows[] = {
                {"user", "\"ci_bot\"", "ci_bot", NULL, 0},
                {"user_uid", "1879050000", "", NULL, 1879050000},
                {"user", "\"root\"", "", "'root'", 0},
                {"user_uid", "0", "", "'0'", 0},
                {"user_uid", "-1", "", "'-1'", 0},
                {"user_uid", "9223372036854775807", "", "uid_range", 0},
        };

        (void)state;
        for (size_t i = 0; i < 2 * KSA_COUNT(rows); i++) {
                const size_t row = i / 2;
                struct ksa_wanted_list list = {0};
                struct ksa_source_record sources[2];
                struct ksa_error error;
                char *text = with(rows[row].member, rows[row].value);

                sections[1].annotations = i % 2 == 0;
                assert_int_equal(read_text(text, &list, sources, &error), KSA_OK);
                assert_int_equal(list.count, 1);
                const struct ksa_wanted *item = &list.items[0];
                const char *fault = sections[1].annotations ? rows[row].fault : NULL;
                assert_string_equal(item->name, sections[1].annotations ? rows[row].name : "");
                assert_int_equal(item->uid, sections[1].annotations ? rows[row].uid : 0);
                if (fault == NULL)
                        assert_string_equal(item->fault, "");
                else
                        assert_non_null(strstr(item->fault, fault));
                free(text);
                ksa_wanted_clear(&list);
        }
}

/* Who is not active where the file was written is refused, and says why, whatever it asks for. */
static void test_states(void **state)
{
        static const char *const rows[][2] = {
                {"\"active\"", ""},
                {"\"retired\"", "it is retired on the host that exported it, where ksactl accounts "
                                "accept takes it back"},
                {"\"recreated\"",
                 "it was deleted and made again, and is not accepted on the host that "
                 "exported it, where ksactl accounts accept decides"},
                {"\"contested\"",
                 "it is contested on the host that exported it, where ksactl accounts "
                 "show tells what to decide"},
        };

        (void)state;
        for (size_t i = 0; i < 2 * KSA_COUNT(rows); i++) {
                struct ksa_wanted_list list = {0};
                struct ksa_source_record sources[2];
                struct ksa_error error;
                char *text = with("state", rows[i / 2][0]);

                sections[1].annotations = i % 2 == 0;
                assert_int_equal(read_text(text, &list, sources, &error), KSA_OK);
                assert_int_equal(list.count, 1);
                assert_string_equal(list.items[0].fault, rows[i / 2][1]);
                free(text);
                ksa_wanted_clear(&list);
        }
}

static void test_what_is_no_account(void **state)
{
        static const char *const rows[][2] = {
                {"namespace", NULL},     {"account", NULL},      {"uid", NULL},
                {"created", NULL},       {"state", NULL},        {"state", "null"},
                {"state", "1"},          {"state", "\"\""},      {"state", "\"removed\""},
                {"state", "\"Active\""}, {"state", "\"held\""},  {"user", NULL},
                {"user_uid", NULL},      {"more", "1"},          {"namespace", "\"A\""},
                {"namespace", "\"\""},   {"account", "\"a/b\""}, {"account", "1"},
                {"uid", "\"\""},         {"uid", "\"a b\""},     {"created", "\"1\""},
                {"created", "-1"},       {"created", "1.5"},     {"created", "253402300800"},
                {"user", "1"},           {"user_uid", "\"1\""},  {"user_uid", "1.0"},
                {"user", "[]"},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_wanted_list list = {0};
                struct ksa_source_record sources[2];
                struct ksa_error error;
                char *text = with(rows[i][0], rows[i][1]);

                if (read_text(text, &list, sources, &error) != KSA_CONFIG_INVALID)
                        fail_msg("%s", text);
                free(text);
                ksa_wanted_clear(&list);
        }
}

/* A number that jansson refuses is not null, which means that the host chose no uid. */
static void test_user_uid_above_64_bits(void **state)
{
        struct ksa_wanted_list list = {0};
        struct ksa_source_record sources[2];
        struct ksa_error error;
        char *text = with("user_uid", "\"18446744073709551615\"");
        char *number = strstr(text, "\"18446744073709551615\"");

        (void)state;
        assert_non_null(number);
        number[0] = number[21] = ' ';
        assert_int_equal(read_text(text, &list, sources, &error), KSA_CONFIG_INVALID);
        free(text);
        ksa_wanted_clear(&list);
}

static void test_what_is_no_file(void **state)
{
        static const char *const texts[] = {
                "",
                "[]",
                "{}",
                "{\"format\":\"ksa-accounts\",\"version\":1}",
                "{\"format\":\"ksa-accounts\",\"version\":1,\"clusters\":{}}",
                "{\"format\":\"ksa-accounts\",\"version\":1,\"clusters\":[1]}",
                "{\"format\":\"ksa-accounts\",\"version\":1,\"clusters\":[],\"more\":1}",
                "{\"format\":\"ksa-accounts\",\"version\":2,\"clusters\":[]}",
                "{\"format\":\"ksa-accounts\",\"version\":\"1\",\"clusters\":[]}",
                "{\"format\":\"ksa-account\",\"version\":1,\"clusters\":[]}",
                "{\"format\":\"ksa-accounts\",\"version\":1,\"clusters\":[{\"cluster\":\"prod\","
                "\"resource_version\":\"\",\"listed\":-1,\"accounts\":[]}]}",
                "{\"format\":\"ksa-accounts\",\"version\":1,\"clusters\":[{\"cluster\":\"prod\","
                "\"resource_version\":\"a b\",\"listed\":1,\"accounts\":[]}]}",
                "{\"format\":\"ksa-accounts\",\"version\":1,\"clusters\":[{\"cluster\":\"prod\","
                "\"resource_version\":\"\",\"listed\":1,\"accounts\":[],\"more\":1}]}",
                "{\"format\":\"ksa-accounts\",\"version\":1,\"clusters\":[{\"cluster\":\"x\","
                "\"resource_version\":\"\",\"listed\":1,\"accounts\":[]},{\"cluster\":\"x\","
                "\"resource_version\":\"\",\"listed\":1,\"accounts\":[]}]}",
                FILE_OF(ACCOUNT "," ACCOUNT),
        };
        struct ksa_wanted_list list = {0};
        struct ksa_source_record sources[2];
        struct ksa_error error;

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(texts); i++) {
                if (read_text(texts[i], &list, sources, &error) != KSA_CONFIG_INVALID)
                        fail_msg("%s", texts[i]);
        }
        for (size_t length = 0; length < strlen(FILE_OF(ACCOUNT)); length++) {
                char *text = strndup(FILE_OF(ACCOUNT), length);

                assert_int_equal(read_text(text, &list, sources, &error), KSA_CONFIG_INVALID);
                free(text);
        }
        ksa_wanted_clear(&list);
}

/* What no section speaks of is judged alike, and brings nobody. */
static void test_other_clusters(void **state)
{
        struct ksa_wanted_list list = {0};
        struct ksa_source_record sources[2];
        struct ksa_error error;

        (void)state;
        sections[1].name = "other";
        assert_int_equal(read_text(FILE_OF(ACCOUNT), &list, sources, &error), KSA_OK);
        assert_int_equal(list.count, 0);
        assert_null(sources[1].cluster);
        char *text = with("account", "\"A B\"");
        assert_int_equal(read_text(text, &list, sources, &error), KSA_CONFIG_INVALID);
        free(text);
        ksa_wanted_clear(&list);
}

static void test_write(void **state)
{
        struct ksa_account_record records[8];
        struct ksa_registry registry;
        unsigned char *bytes = NULL;
        size_t size = 0;
        static const char *const states[] = {"active", "recreated", "active", "retired",
                                             "contested"};
        static char names[8][16];

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(records); i++) {
                (void)snprintf(names[i], sizeof(names[i]), "ci_%zu", i);
                records[i] = sample_account(names[i], names[i] + 3, SAMPLE_GID + 1 + (uint32_t)i);
        }
        records[1].state = KSA_ACCOUNT_REMOVED;
        records[2].flags = KSA_ACCOUNT_DECLARED;
        records[3].state = KSA_ACCOUNT_RECREATED;
        records[3].new_account_uid = "another";
        records[4].wanted_name = names[4];
        records[4].wanted_uid = records[4].uid;
        records[5].state = KSA_ACCOUNT_RETIRED;
        records[6].state = KSA_ACCOUNT_CONTESTED;
        records[6].wanted_name = names[6];
        records[6].wanted_uid = records[6].uid;
        records[7].flags = KSA_ACCOUNT_HELD; /* no source has it */
        for (size_t i = 3; i < KSA_COUNT(records); i++) {
                if (records[i].state != KSA_ACCOUNT_ACTIVE)
                        records[i].group_count = 0;
        }
        sample_build(records, KSA_COUNT(records), &bytes, &size);
        assert_int_equal(ksa_registry_read(bytes, size, &registry, NULL), KSA_REGISTRY_FOUND);

        json_t *file = ksa_account_file_write(&registry, NULL);
        const json_t *cluster = json_array_get(json_object_get(file, "clusters"), 0);
        const json_t *accounts = json_object_get(cluster, "accounts");
        assert_string_equal(json_string_value(json_object_get(cluster, "cluster")), "prod");
        assert_int_equal(json_array_size(accounts), KSA_COUNT(states));
        for (size_t i = 0; i < KSA_COUNT(states); i++) {
                const json_t *written = json_object_get(json_array_get(accounts, i), "state");

                assert_string_equal(json_string_value(written), states[i]);
        }
        const json_t *again = json_array_get(accounts, 1), *asks = json_array_get(accounts, 2);
        assert_string_equal(json_string_value(json_object_get(again, "uid")), "another");
        assert_true(json_is_null(json_object_get(again, "user")));
        assert_string_equal(json_string_value(json_object_get(asks, "user")), "ci_4");
        assert_int_equal(json_integer_value(json_object_get(asks, "user_uid")), records[4].uid);

        /* And what was written is read. */
        struct ksa_wanted_list list = {0};
        struct ksa_source_record sources[2];
        struct ksa_error error;
        char *text = json_dumps(file, JSON_COMPACT);
        assert_int_equal(read_text(text, &list, sources, &error), KSA_OK);
        assert_int_equal(list.count, KSA_COUNT(states));
        assert_string_equal(list.items[0].fault, "");
        assert_string_not_equal(list.items[4].fault, "");
        assert_string_equal(list.items[4].name, "");
        assert_int_equal(list.items[4].uid, 0);
        assert_int_equal(sources[1].listed, sample_source.listed);
        assert_string_equal(list.items[2].name, "ci_4");
        free(text);
        json_decref(file);
        ksa_wanted_clear(&list);

        file = ksa_account_file_write(&registry, "staging");
        assert_int_equal(json_array_size(json_object_get(file, "clusters")), 0);
        json_decref(file);
        free(bytes);
}

#define UNIT_TEST(test) cmocka_unit_test_setup(test, arrange)

int main(void)
{
        const struct CMUnitTest tests[] = {
                UNIT_TEST(test_read),
                UNIT_TEST(test_wishes),
                UNIT_TEST(test_states),
                UNIT_TEST(test_what_is_no_account),
                UNIT_TEST(test_user_uid_above_64_bits),
                UNIT_TEST(test_what_is_no_file),
                UNIT_TEST(test_other_clusters),
                UNIT_TEST(test_write),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

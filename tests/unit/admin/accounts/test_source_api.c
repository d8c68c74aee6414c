/* SPDX-License-Identifier: BSD-2-Clause */
/* source_api.c, source_item.c: pages of service accounts, the checks of their members, and the requests. */
#include "admin/accounts/source_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fake_cluster.h"
#include "support/review_fixture.h"
#include "support/support.h"

#define ONE                                                                                   \
        "{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/v1\","          \
        "\"metadata\":{\"resourceVersion\":\"77\"},\"items\":[{\"metadata\":{\"name\":"       \
        "\"deployer\",\"namespace\":\"ci\",\"uid\":\"14e75b93-b974-47ca-a847-ba5d1f4ad2a6\"," \
        "\"creationTimestamp\":\"2026-11-24T09:30:00Z\"}}]}"

#define CONFIG                                                          \
        "[host]\naudience = ssh://build-7\nuid_range = 100000-199999\n" \
        "[cluster prod]\nissuer = https://issuer\nkeys = api\n"         \
        "api_server = https://10.0.0.1:6443\n"

static const char *namespaces[] = {"ci", "build"};
static struct ksa_accounts source;
static struct ksa_account_origin origin;

static int arrange(void **state)
{
        source = (struct ksa_accounts){.name = "prod",
                                       .namespaces = {namespaces, KSA_COUNT(namespaces)},
                                       .home = "/srv/home",
                                       .shell = "/bin/bash"};
        origin = (struct ksa_account_origin){.source = &source, .namespace = "ci"};
        return workdir_setup(state);
}

/* Reads TEXT at the end of a buffer, so that the sanitizers notice a read beyond it. */
static enum ksa_reason read_text(const char *text, struct ksa_desired_list *list,
                                 struct ksa_account_page *page, struct ksa_error *err)
{
        const size_t length = strlen(text), before = list->count;
        char *body = malloc(length);

        assert_non_null(body);
        memcpy(body, text, length);
        memset(err, 0, sizeof(*err));
        enum ksa_reason reason = ksa_account_page_read(body, length, &origin, list, page, err);
        free(body);
        assert_int_equal(reason == KSA_OK, err->text[0] == '\0');
        if (reason != KSA_OK)
                assert_int_equal(list->count, before);
        return reason;
}

static void test_page(void **state)
{
        struct ksa_desired_list list = {0};
        struct ksa_account_page page;
        struct ksa_error error;

        (void)state;
        assert_int_equal(read_text(ONE, &list, &page, &error), KSA_OK);
        assert_string_equal(page.version, "77");
        assert_string_equal(page.next, "");
        assert_int_equal(list.count, 1);
        const struct ksa_desired *item = &list.items[0];
        assert_string_equal(item->cluster, "prod");
        assert_string_equal(item->namespace, "ci");
        assert_string_equal(item->account, "deployer");
        assert_string_equal(item->account_uid, "14e75b93-b974-47ca-a847-ba5d1f4ad2a6");
        assert_int_equal(item->created, 1795512600);
        assert_string_equal(item->name, "");
        assert_int_equal(item->uid, 0);
        assert_ptr_equal(item->source, &source);
        ksa_desired_clear(&list);
}

/* ONE with the member at PATH changed, in the page or (with ".") in its account. */
static char *change(const char *path, const char *value)
{
        char item[1024];

        if (path == NULL || path[0] != '.')
                return review_fixture_change(ONE, path, value);
        char *account = review_fixture_change(
                "{\"metadata\":{\"name\":\"deployer\",\"namespace\":\"ci\",\"uid\":\"u-1\","
                "\"creationTimestamp\":\"2026-11-24T09:30:00Z\"}}",
                path + 1, value);
        (void)snprintf(item, sizeof(item), "[%s]", account);
        free(account);
        return review_fixture_change(ONE, "items", item);
}

static void test_what_is_read_too(void **state)
{
        static const struct {
                const char *path, *value;
                size_t count;
        } rows[] = {
                {"kind", "\"PartialObjectMetadataList\"", 1},
                {"metadata|continue", "\"\"", 1},
                {"metadata|remainingItemCount", "7", 1},
                {"items", "[]", 0},
                {"items", "null", 0},
                {".metadata|annotations", "null", 1},
                {".metadata|annotations", "{}", 1},
                {".metadata|labels", "{\"a\":\"b\"}", 1},
                {".metadata|name", "\"a.b-c\"", 1},
                {".metadata|deletionTimestamp", "null", 1},
                {".secrets", "[{\"name\":\"x\"}]", 1},
                /* As deleted. */
                {".metadata|deletionTimestamp", "\"2026-11-24T09:30:00Z\"", 0},
                /* Which every namespace has. */
                {".metadata|name", "\"default\"", 0},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_desired_list list = {0};
                struct ksa_account_page page;
                struct ksa_error error;
                char *text = change(rows[i].path, rows[i].value);

                if (read_text(text, &list, &page, &error) != KSA_OK || list.count != rows[i].count)
                        fail_msg("%s: %s", text, error.text);
                free(text);
                ksa_desired_clear(&list);
        }
        char *plain = review_fixture_change(ONE, "kind", "\"ServiceAccountList\"");
        char *both = review_fixture_change(plain, "apiVersion", "\"v1\"");
        struct ksa_desired_list list = {0};
        struct ksa_account_page page;
        struct ksa_error error;
        assert_int_equal(read_text(both, &list, &page, &error), KSA_OK);
        assert_int_equal(list.count, 1);
        assert_int_equal(read_text(plain, &list, &page, &error), KSA_API_BROKEN);
        ksa_desired_clear(&list);
        free(plain);
        free(both);
}

/* A page of one account, with MORE in its metadata: as text, for it may be what no parser here takes. */
static char *page_with(const char *more)
{
        char *text = NULL;
        const char *name = strncmp(more, "\"name\"", 6) == 0 ? "" : "\"name\":\"deployer\",";

        assert_true(asprintf(&text,
                             "{\"kind\":\"ServiceAccountList\",\"apiVersion\":\"v1\",\"metadata\":"
                             "{\"resourceVersion\":\"77\"},\"items\":[{\"metadata\":{%s"
                             "\"namespace\":\"ci\",\"uid\":\"u-1\",\"creationTimestamp\":"
                             "\"2026-11-24T09:30:00Z\",%s}}]}",
                             name, more) > 0);
        return text;
}

/* The annotations of one account must not prevent that the others are read. */
static void test_what_others_wrote(void **state)
{
        char deep[1024] = "\"managedFields\":[{\"fieldsV1\":";
        const char *const rows[] = {
                "\"annotations\":{\"x\":\"a\\u0000b\",\"y\":\"\\\\u0000\"}",
                deep,
                "\"managedFields\" : [{\"fieldsV1\":{\"f:a\\u0000b\":{},\"]\":{}}}]",
                "\"annotations\":{\"x\":\"a\\ud800b\",\"y\":\"\\udc00\"}",
                "\"generation\":1e400,\"annotations\":{\"managedFields\":\"[{\"}",
                "\"labels\":{\"managedFields\":\"\"}",
        };

        (void)state;
        for (size_t i = 0; i < 40; i++)
                strcat(deep, "{\"f:[\":");
        strcat(deep, "1");
        for (size_t i = 0; i < 40; i++)
                strcat(deep, "}");
        strcat(deep, "}]");
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_desired_list list = {0};
                struct ksa_account_page page;
                struct ksa_error error;
                char *account = page_with(rows[i]);

                if (read_text(account, &list, &page, &error) != KSA_OK || list.count != 1)
                        fail_msg("%s: %s", account, error.text);
                free(account);
                ksa_desired_clear(&list);
        }
}

/* A text with a NUL must not be read as a name. */
static void test_name_with_a_nul(void **state)
{
        static const char *const texts[] = {"\"name\":\"deployer\\u0000x\"",
                                            "\"name\":\"deployer\\u0000\""};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(texts); i++) {
                struct ksa_desired_list list = {0};
                struct ksa_account_page page;
                struct ksa_error error;
                char *text = page_with(texts[i]);

                assert_int_equal(read_text(text, &list, &page, &error), KSA_API_BROKEN);
                free(text);
                ksa_desired_clear(&list);
        }
}

static void test_what_is_none(void **state)
{
        static const char *const rows[][2] = {
                {"kind", "\"SecretList\""},
                {"kind", "null"},
                {"kind", NULL},
                {"apiVersion", "\"v1\""},
                {"apiVersion", NULL},
                {"metadata", NULL},
                {"metadata", "[]"},
                {"metadata|resourceVersion", NULL},
                {"metadata|resourceVersion", "77"},
                {"metadata|resourceVersion", "\"\""},
                {"metadata|resourceVersion", "\"a b\""},
                {"metadata|continue", "1"},
                {"metadata|continue", "\"a b\""},
                {"metadata|continue", "\"\\n\""},
                {"items", NULL},
                {"items", "{}"},
                {"items", "\"\""},
                {"items", "[null]"},
                {"items", "[{}]"},
                {"items", "[{\"metadata\":[]}]"},
                {".metadata|name", NULL},
                {".metadata|name", "\"\""},
                {".metadata|name", "\"a/b\""},
                {".metadata|name", "\"A\""},
                {".metadata|name", "\"a:b\""},
                {".metadata|name", "\"a\\nb\""},
                {".metadata|name", "[\"a\"]"},
                {".metadata|namespace", NULL},
                {".metadata|namespace", "\"\""},
                {".metadata|namespace", "\"a.b\""},
                {".metadata|namespace", "\"*\""},
                /* Of the source, but not what was asked for; and another's. */
                {".metadata|namespace", "\"build\""},
                {".metadata|namespace", "\"kube-system\""},
                {".metadata|uid", NULL},
                {".metadata|uid", "\"\""},
                {".metadata|uid", "\"a b\""},
                {".metadata|uid", "1"},
                {".metadata|creationTimestamp", NULL},
                {".metadata|creationTimestamp", "null"},
                {".metadata|creationTimestamp", "1795464267"},
                {".metadata|creationTimestamp", "\"\""},
                {".metadata|creationTimestamp", "\"2026-11-24\""},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_desired_list list = {0};
                struct ksa_account_page page;
                struct ksa_error error;
                char *text = change(rows[i][0], rows[i][1]);

                if (read_text(text, &list, &page, &error) != KSA_API_BROKEN)
                        fail_msg("%s", text);
                free(text);
                ksa_desired_clear(&list);
        }
}

static void test_no_json(void **state)
{
        static const char *const texts[] = {"", "{", "[]", "<html>", "{}", "{}{}", "null"};
        struct ksa_desired_list list = {0};
        struct ksa_account_page page;
        struct ksa_error error;

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(texts); i++)
                assert_int_equal(read_text(texts[i], &list, &page, &error), KSA_API_BROKEN);
        /* Cut anywhere, it is invalid. */
        for (size_t length = 1; length < strlen(ONE); length++) {
                char *text = strndup(ONE, length);

                assert_int_equal(read_text(text, &list, &page, &error), KSA_API_BROKEN);
                free(text);
        }
        ksa_desired_clear(&list);
}

static void test_times(void **state)
{
        static const struct {
                const char *text;
                int64_t seconds; /* -1: none */
        } rows[] = {
                {"1970-01-01T00:00:00Z", 0},          {"2026-11-24T09:30:00Z", 1795512600},
                {"2024-02-29T23:59:59Z", 1709251199}, {"9999-12-31T23:59:59Z", 253402300799},
                {"2023-02-29T00:00:00Z", -1},         {"2026-04-31T00:00:00Z", -1},
                {"2026-13-01T00:00:00Z", -1},         {"2026-00-01T00:00:00Z", -1},
                {"2026-01-00T00:00:00Z", -1},         {"2026-01-01T24:00:00Z", -1},
                {"2026-01-01T00:60:00Z", -1},         {"2026-01-01T00:00:60Z", -1},
                {"1969-12-31T23:59:59Z", -1},         {"2026-11-24T09:30:00", -1},
                {"2026-11-24 09:30:00Z", -1},         {"2026-11-24T09:30:00z", -1},
                {"2026-11-24T09:30:00+00:00", -1},    {"2026-11-24T09:30:00.5Z", -1},
                {"+026-11-24T09:30:00Z", -1},         {"2026-1 -24T09:30:00Z", -1},
                {" 2026-11-24T09:30:00Z", -1},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                int64_t seconds = -1;

                if (ksa_account_time(rows[i].text, &seconds) != (rows[i].seconds >= 0) ||
                    seconds != rows[i].seconds)
                        fail_msg("%s", rows[i].text);
        }
}

/* --- Whole lists ------------------------------------------------------------ */

static char first_page[2048], second_page[2048];

/* Two pages of a list of ci, and one of build. */
static void make_pages(const char *second_version, const char *second_name)
{
        (void)snprintf(
                first_page, sizeof(first_page),
                "{\"kind\":\"ServiceAccountList\",\"apiVersion\":\"v1\",\"metadata\":{"
                "\"resourceVersion\":\"77\",\"continue\":\"a+b/c=\"},\"items\":[{\"metadata\":{"
                "\"name\":\"one\",\"namespace\":\"ci\",\"uid\":\"u-1\","
                "\"creationTimestamp\":\"2026-11-24T09:30:00Z\"}}]}");
        (void)snprintf(second_page, sizeof(second_page),
                       "{\"kind\":\"ServiceAccountList\",\"apiVersion\":\"v1\",\"metadata\":{"
                       "\"resourceVersion\":\"%s\"},\"items\":[{\"metadata\":{"
                       "\"name\":\"%s\",\"namespace\":\"ci\",\"uid\":\"u-2\","
                       "\"creationTimestamp\":\"2026-11-24T09:30:00Z\"}}]}",
                       second_version, second_name);
}

/* A colon in it stopped the sync of every cluster. It is compared, and not kept. */
#define EMPTY                                                                   \
        "{\"kind\":\"ServiceAccountList\",\"apiVersion\":\"v1\",\"metadata\":{" \
        "\"resourceVersion\":\"7:8\"},\"items\":null}"

static void note_page(void *context, size_t accounts)
{
        *(size_t *)context = accounts;
}

static enum ksa_reason fetch(struct workdir *workdir, struct answers *answers,
                             struct ksa_desired_list *list, struct ksa_error *err)
{
        struct ksa_config *config = NULL;

        assert_int_equal(workdir_load(workdir, CONFIG, &config, err), KSA_OK);
        answers_use(&workdir->env, answers);
        const size_t before = list->count;
        size_t noted = SIZE_MAX;
        const struct ksa_list_watch watch = {note_page, &noted};
        enum ksa_reason reason = ksa_account_list_fetch(ksa_config_cluster(config, "prod"), &source,
                                                        &workdir->env, 60000, &watch, list, err);
        if (reason == KSA_OK)
                assert_int_equal(noted, list->count - before);
        assert_int_equal(reason == KSA_OK, err->text[0] == '\0');
        if (reason != KSA_OK)
                assert_int_equal(list->count, before);
        ksa_config_free(&config);
        return reason;
}

static void test_pages(void **state)
{
        const struct answer_row rows[] = {
                {.url = "namespaces/ci/serviceaccounts?limit=500&continue=a%2Bb%2Fc%3D",
                 .status = 200,
                 .body = second_page},
                {.url = "namespaces/ci/serviceaccounts?limit=500",
                 .status = 200,
                 .body = first_page},
                {.url = "namespaces/build/serviceaccounts?limit=500",
                 .status = 200,
                 .body = EMPTY}};
        struct answers answers = {.rows = rows, .count = KSA_COUNT(rows)};
        struct ksa_desired_list list = {0};
        struct ksa_error error = {0};

        make_pages("77", "two");
        assert_int_equal(fetch(*state, &answers, &list, &error), KSA_OK);
        assert_int_equal(list.count, 2);
        assert_int_equal(answers.requests, 3);
        assert_int_equal(answers.milliseconds, 60000);
        assert_string_equal(answers.method, "GET");
        assert_string_equal(
                answers.accept,
                "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json");
        ksa_desired_clear(&list);
}

static void test_pages_that_do_not_fit(void **state)
{
        const struct answer_row rows[] = {
                {.url = "ci/serviceaccounts?limit=500&continue=",
                 .status = 200,
                 .body = second_page},
                {.url = "ci/serviceaccounts?limit=500", .status = 200, .body = first_page},
                {.url = "build/serviceaccounts?limit=500", .status = 200, .body = EMPTY}};
        struct answers answers = {.rows = rows, .count = KSA_COUNT(rows)};
        struct ksa_desired_list list = {0};
        struct ksa_error error = {0};

        make_pages("78", "two");
        assert_int_equal(fetch(*state, &answers, &list, &error), KSA_API_BROKEN);
        assert_non_null(strstr(error.text, "different versions"));
        memset(&error, 0, sizeof(error));
        make_pages("77", "one");
        assert_int_equal(fetch(*state, &answers, &list, &error), KSA_API_BROKEN);
        assert_non_null(strstr(error.text, "twice"));
        /* The second page leads to itself. */
        memset(&error, 0, sizeof(error));
        make_pages("77", "two");
        memcpy(second_page, first_page, sizeof(second_page));
        answers.requests = 0;
        assert_int_equal(fetch(*state, &answers, &list, &error), KSA_API_BROKEN);
        assert_int_equal(answers.requests, 2);
        ksa_desired_clear(&list);
}

static void test_expired(void **state)
{
        const struct answer_row rows[] = {
                {.url = "continue=", .status = 410, .body = "{}"},
                {.url = "ci/serviceaccounts?limit=500", .status = 200, .body = first_page}};
        struct answers answers = {.rows = rows, .count = KSA_COUNT(rows)};
        struct ksa_desired_list list = {0};
        struct ksa_error error = {0};

        make_pages("77", "two");
        /* Begun again once, and no more. */
        assert_int_equal(fetch(*state, &answers, &list, &error), KSA_API_BROKEN);
        assert_int_equal(answers.requests, 4);
        const struct answer_row gone[] = {{.url = "/", .status = 410, .body = "{}"}};
        answers = (struct answers){.rows = gone, .count = 1};
        memset(&error, 0, sizeof(error));
        assert_int_equal(fetch(*state, &answers, &list, &error), KSA_API_BROKEN);
        assert_int_equal(answers.requests, 1);
        ksa_desired_clear(&list);
}

/* 500 accounts of a namespace whose owner puts 256 KiB of annotations on each do not fit. */
static void test_too_large(void **state)
{
        const struct answer_row rows[] = {
                {.url = "ci/serviceaccounts?limit=500", .reason = KSA_API_BROKEN},
                {.url = "ci/serviceaccounts?limit=250", .reason = KSA_API_BROKEN},
                {.url = "ci/serviceaccounts?limit=125", .reason = KSA_API_BROKEN},
                {.url = "ci/serviceaccounts?limit=62&continue=", .reason = KSA_API_BROKEN},
                {.url = "ci/serviceaccounts?limit=62", .status = 200, .body = first_page},
                {.url = "ci/serviceaccounts?limit=124&continue=", .reason = KSA_API_BROKEN},
                {.url = "ci/serviceaccounts?limit=31&continue=",
                 .status = 200,
                 .body = second_page},
                {.url = "build/serviceaccounts?limit=500", .status = 200, .body = EMPTY}};
        struct answers answers = {.rows = rows, .count = KSA_COUNT(rows)};
        struct ksa_desired_list list = {0};
        struct ksa_error error = {0};

        make_pages("77", "two");
        assert_int_equal(fetch(*state, &answers, &list, &error), KSA_OK);
        assert_int_equal(list.count, 2);
        assert_int_equal(answers.requests, 8);
        /* One that is too large alone. */
        const struct answer_row never[] = {{.url = "/", .reason = KSA_API_BROKEN}};
        answers = (struct answers){.rows = never, .count = 1};
        assert_int_equal(fetch(*state, &answers, &list, &error), KSA_API_BROKEN);
        assert_int_equal(answers.requests, 9);
        /* An unreachable cluster is reported as such. */
        const struct answer_row away[] = {{.url = "/", .reason = KSA_API_UNREACHABLE}};
        answers = (struct answers){.rows = away, .count = 1};
        memset(&error, 0, sizeof(error));
        assert_int_equal(fetch(*state, &answers, &list, &error), KSA_API_UNREACHABLE);
        assert_int_equal(answers.requests, 1);
        ksa_desired_clear(&list);
}

static void test_what_is_asked(void **state)
{
        static const char *all[] = {"ci", "*", "ci"};
        const struct answer_row rows[] = {{.url = "/", .status = 200, .body = EMPTY}};
        struct answers answers = {.rows = rows, .count = 1};
        struct ksa_desired_list list = {0};
        struct ksa_error error = {0};

        source.namespaces = (struct ksa_list){all, 3};
        source.selector = "team in (a,b),x!=\"1\"&y+z";
        assert_int_equal(fetch(*state, &answers, &list, &error), KSA_OK);
        assert_int_equal(answers.requests, 1);
        assert_string_equal(answers.url,
                            "https://10.0.0.1:6443/api/v1/serviceaccounts?limit=500&labelSelector="
                            "team%20in%20%28a%2Cb%29%2Cx%21%3D%221%22%26y%2Bz");
        /* A namespace that is named twice is asked for once. */
        source.namespaces = (struct ksa_list){all, 1};
        all[1] = "ci";
        source.namespaces.count = 3;
        answers.requests = 0;
        assert_int_equal(fetch(*state, &answers, &list, &error), KSA_OK);
        assert_int_equal(answers.requests, 1);
        all[1] = "*";
        /* 403 has its own reason, in each list. */
        const struct answer_row no[] = {{.url = "/", .status = 403, .body = "{}"}};
        answers = (struct answers){.rows = no, .count = 1};
        assert_int_equal(fetch(*state, &answers, &list, &error), KSA_API_FORBIDDEN);
        ksa_desired_clear(&list);
}

#define UNIT_TEST(test) cmocka_unit_test_setup_teardown(test, arrange, workdir_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                UNIT_TEST(test_page),
                UNIT_TEST(test_what_is_read_too),
                UNIT_TEST(test_what_is_none),
                UNIT_TEST(test_no_json),
                UNIT_TEST(test_times),
                UNIT_TEST(test_pages),
                UNIT_TEST(test_pages_that_do_not_fit),
                UNIT_TEST(test_expired),
                UNIT_TEST(test_too_large),
                UNIT_TEST(test_what_is_asked),
                UNIT_TEST(test_what_others_wrote),
                UNIT_TEST(test_name_with_a_nul),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

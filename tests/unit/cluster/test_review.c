/* SPDX-License-Identifier: BSD-2-Clause */
/* review.c: TokenReview. The request, and the members of the answer that must equal the token's claims. */
#include "cluster/review.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/review_fixture.h"
#include "support/support.h"

/* A signature that lost its beginning: it was shown. */
#define REVIEWED_TAIL "2lnbmF0dXJlLXRoYXQtbm9ib2R5LW1heS1zZWUtaW4tYW55LXRleHQtb3ItbWVtb3J5"

#define EXTRA "authentication.kubernetes.io/"

/* The answers to review_fixture_account and review_fixture_pod, as 1.37.2 writes them. */
#define ANSWER(extra)                                                                          \
        "{\"kind\":\"TokenReview\",\"apiVersion\":\"authentication.k8s.io/v1\",\"metadata\":{" \
        "\"managedFields\":[]},\"spec\":{\"token\":\"" REVIEWED_COMPACT "\",\"audiences\":["   \
        "\"ssh://build-7.example.com\"]},\"status\":{\"authenticated\":true,\"user\":{"        \
        "\"username\":\"system:serviceaccount:ci:deployer\","                                  \
        "\"uid\":\"14e75b93-b974-47ca-a847-ba5d1f4ad2a6\","                                    \
        "\"groups\":[\"system:serviceaccounts\",\"system:serviceaccounts:ci\","                \
        "\"system:authenticated\"],\"extra\":{" extra "\"" EXTRA "credential-id\":"            \
        "[\"JTI=a3d6008b-3634-42c7-8fe9-b4b1fed31d4d\"]}},\"audiences\":["                     \
        "\"ssh://build-7.example.com\"]}}\n"
static const char account_answer[] = ANSWER("");
static const char pod_answer[] = ANSWER("\"" EXTRA "node-name\":[\"worker-1\"],"
                                        "\"" EXTRA "pod-name\":[\"job-1\"],"
                                        "\"" EXTRA "pod-uid\":"
                                        "[\"d7fce6df-a4a0-4d4e-9a19-f63e05597290\"],");

/* Reviews a copy of its own size, so that the sanitizers see a byte too far. */
static enum ksa_reason check(const struct ksa_token *token, const char *text, size_t length,
                             struct ksa_error *err)
{
        char *body = malloc(length + 1);

        assert_non_null(body);
        memcpy(body + 1, text, length);
        enum ksa_reason reason = ksa_review_check(token, REVIEWED_AUDIENCE, body + 1, length, err);
        assert_int_equal(reason == KSA_OK, err->text[0] == '\0');
        assert_null(memmem(body + 1, length, REVIEWED_SIGNATURE, 16));
        assert_null(strstr(err->text, "lnbmF0"));
        free(body);
        return reason;
}

struct row {
        const char *path, *value;
        enum ksa_reason reason;
};

static void check_rows(const struct ksa_token *token, const char *answer, const struct row *rows,
                       size_t count)
{
        for (size_t i = 0; i < count; i++) {
                struct ksa_error error = {0};
                char *text = review_fixture_change(answer, rows[i].path, rows[i].value);
                enum ksa_reason reason = check(token, text, strlen(text), &error);

                if (reason != rows[i].reason)
                        fail_msg("%s = %s: %s (%s)", rows[i].path, rows[i].value,
                                 ksa_reason_name(reason), error.text);
                free(text);
        }
}

/* Values that jansson refuses, in members that ksa reads and in others. */
static void test_values_that_jansson_refuses(void **state)
{
        static const char *const values[] = {"1e400", "18446744073709551615", "\"\\u0000\"",
                                             "\"\\ud800\""};
        static const struct row rows[] = {
                {"metadata|generation", NULL, KSA_OK},
                {"status|user|other", NULL, KSA_OK},
                {"status|authenticated", NULL, KSA_API_BROKEN},
                {"status|audiences", NULL, KSA_API_BROKEN},
                {"status|user|extra", NULL, KSA_API_BROKEN},
                {"status|user|uid", NULL, KSA_REVIEW_DIFFERS},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows) * KSA_COUNT(values); i++) {
                const struct row *row = &rows[i / KSA_COUNT(values)];
                const char *value = values[i % KSA_COUNT(values)];
                char *text = review_fixture_change(account_answer, row->path, "\"@\""),
                     *changed = NULL;
                char *at = strstr(text, "\"@\"");
                struct ksa_error error = {0};

                assert_true(asprintf(&changed, "%.*s%s%s", (int)(at - text), text, value, at + 3) >
                            0);
                enum ksa_reason reason =
                        check(&review_fixture_account, changed, strlen(changed), &error);
                if (reason != row->reason &&
                    !(row->reason == KSA_REVIEW_DIFFERS && reason == KSA_API_BROKEN))
                        fail_msg("%s = %s: %s", row->path, value, ksa_reason_name(reason));
                free(text);
                free(changed);
        }
}

static void test_answers(void **state)
{
        static const struct row rows[] = {
                {NULL, NULL, KSA_OK},
                {"kind", "\"Status\"", KSA_API_BROKEN},
                {"apiVersion", "\"authentication.k8s.io/v1beta1\"", KSA_API_BROKEN},
                {"metadata", NULL, KSA_OK},
                {"spec", NULL, KSA_OK},
                {"status", NULL, KSA_API_BROKEN},
                {"status", "{}", KSA_REVIEW_REFUSED},
                {"status", "{\"user\":{}}", KSA_REVIEW_REFUSED},
                {"status|authenticated", NULL, KSA_REVIEW_REFUSED},
                {"status|authenticated", "false", KSA_REVIEW_REFUSED},
                {"status|authenticated", "\"true\"", KSA_API_BROKEN},
                {"status|authenticated", "1", KSA_API_BROKEN},
                {"status|authenticated", "null", KSA_API_BROKEN},
                {"status|authenticated", "[true]", KSA_API_BROKEN},
                {"status|error", "\"\"", KSA_OK},
                {"status|error", "\"x\"", KSA_REVIEW_REFUSED},
                {"status|error", "{}", KSA_API_BROKEN},
                {"status|user", NULL, KSA_REVIEW_DIFFERS},
                {"status|user", "{}", KSA_REVIEW_DIFFERS},
                {"status|user", "[]", KSA_API_BROKEN},
                {"status|user|username", NULL, KSA_REVIEW_DIFFERS},
                {"status|user|username", "\"\"", KSA_REVIEW_DIFFERS},
                {"status|user|username", "\"system:anonymous\"", KSA_REVIEW_DIFFERS},
                {"status|user|username", "\"deployer\"", KSA_REVIEW_DIFFERS},
                {"status|user|username", "\"system:serviceaccount:cd:deployer\"",
                 KSA_REVIEW_DIFFERS},
                {"status|user|username", "\"system:serviceaccount:ci:deployer2\"",
                 KSA_REVIEW_DIFFERS},
                {"status|user|username", "\"system:serviceaccount:ci:deploye\"",
                 KSA_REVIEW_DIFFERS},
                {"status|user|username", "\"System:serviceaccount:ci:deployer\"",
                 KSA_REVIEW_DIFFERS},
                {"status|user|username", "[\"system:serviceaccount:ci:deployer\"]", KSA_API_BROKEN},
                {"status|user|uid", NULL, KSA_REVIEW_DIFFERS},
                {"status|user|uid", "\"14e75b93-b974-47ca-a847-ba5d1f4ad2a7\"", KSA_REVIEW_DIFFERS},
                {"status|user|uid", "14", KSA_API_BROKEN},
                {"status|user|groups", NULL, KSA_OK},
        };

        (void)state;
        check_rows(&review_fixture_account, account_answer, rows, KSA_COUNT(rows));
}

static void test_audiences(void **state)
{
        static const struct row rows[] = {
                /* a server that knows no audiences */
                {"status|audiences", NULL, KSA_REVIEW_DIFFERS},
                {"status|audiences", "[]", KSA_REVIEW_DIFFERS},
                {"status|audiences", "[\"https://kubernetes.default.svc.cluster.local\"]",
                 KSA_REVIEW_DIFFERS},
                {"status|audiences", "[\"ssh://build-7.example.com/\"]", KSA_REVIEW_DIFFERS},
                {"status|audiences", "[\"ssh://build-7\"]", KSA_REVIEW_DIFFERS},
                {"status|audiences", "[\"x\",\"ssh://build-7.example.com\"]", KSA_OK},
                {"status|audiences", "[\"ssh://build-7.example.com\",\"x\"]", KSA_OK},
                {"status|audiences", "\"ssh://build-7.example.com\"", KSA_API_BROKEN},
                {"status|audiences", "[\"ssh://build-7.example.com\",1]", KSA_API_BROKEN},
                {"status|audiences", "{\"ssh://build-7.example.com\":true}", KSA_API_BROKEN},
        };

        (void)state;
        check_rows(&review_fixture_account, account_answer, rows, KSA_COUNT(rows));
}

static void test_extras(void **state)
{
        static const char *const id = "status|user|extra|" EXTRA "credential-id";
        const struct row rows[] = {
                {"status|user|extra", NULL, KSA_OK},
                {"status|user|extra", "{}", KSA_OK},
                {"status|user|extra", "[]", KSA_API_BROKEN},
                {"status|user|extra|other", "[\"x\",\"y\"]", KSA_OK},
                {"status|user|extra|other", "\"x\"", KSA_API_BROKEN},
                {id, NULL, KSA_OK},
                {id, "[]", KSA_OK},
                {id, "[\"JTI=a3d6008b-3634-42c7-8fe9-b4b1fed31d4e\"]", KSA_REVIEW_DIFFERS},
                {id, "[\"JTI=\"]", KSA_REVIEW_DIFFERS},
                {id, "[\"\"]", KSA_REVIEW_DIFFERS},
                {id, "[\"X5T=a3d6008b-3634-42c7-8fe9-b4b1fed31d4d\"]", KSA_REVIEW_DIFFERS},
                {id, "[\"jti=a3d6008b-3634-42c7-8fe9-b4b1fed31d4d\"]", KSA_REVIEW_DIFFERS},
                {id, "[\"a3d6008b-3634-42c7-8fe9-b4b1fed31d4d\"]", KSA_REVIEW_DIFFERS},
                {id, "[\"JTI=a3d6008b-3634-42c7-8fe9-b4b1fed31d4d\",\"JTI=x\"]",
                 KSA_REVIEW_DIFFERS},
                {id, "\"JTI=a3d6008b-3634-42c7-8fe9-b4b1fed31d4d\"", KSA_API_BROKEN},
                /* the token names no Pod */
                {"status|user|extra|" EXTRA "pod-uid", "[\"x\"]", KSA_REVIEW_DIFFERS},
                {"status|user|extra|" EXTRA "pod-name", "[\"x\"]", KSA_REVIEW_DIFFERS},
                {"status|user|extra|" EXTRA "pod-uid", "[]", KSA_OK},
                {"status|user|extra|" EXTRA "pod-uid", "[\"\"]", KSA_REVIEW_DIFFERS},
                {"status|user|extra|" EXTRA "pod-uid", "\"x\"", KSA_API_BROKEN},
        };
        struct ksa_token without = review_fixture_account;

        (void)state;
        check_rows(&review_fixture_account, account_answer, rows, KSA_COUNT(rows));
        without.jti = NULL;
        check_rows(&without, account_answer, rows, 1);
}

static void test_pods(void **state)
{
        static const char *const uid = "status|user|extra|" EXTRA "pod-uid";
        static const char *const name = "status|user|extra|" EXTRA "pod-name";
        const struct row rows[] = {
                {NULL, NULL, KSA_OK},
                {"status|user|extra", NULL, KSA_REVIEW_DIFFERS},
                {uid, NULL, KSA_REVIEW_DIFFERS},
                {uid, "[]", KSA_REVIEW_DIFFERS},
                {uid, "[\"d7fce6df-a4a0-4d4e-9a19-f63e05597291\"]", KSA_REVIEW_DIFFERS},
                {uid, "[\"d7fce6df-a4a0-4d4e-9a19-f63e05597290\",\"x\"]", KSA_REVIEW_DIFFERS},
                {uid, "[\"x\",\"d7fce6df-a4a0-4d4e-9a19-f63e05597290\"]", KSA_REVIEW_DIFFERS},
                {uid, "\"d7fce6df-a4a0-4d4e-9a19-f63e05597290\"", KSA_API_BROKEN},
                {name, NULL, KSA_REVIEW_DIFFERS},
                {name, "[\"job-2\"]", KSA_REVIEW_DIFFERS},
        };
        struct row one = {NULL, NULL, KSA_REVIEW_DIFFERS};

        (void)state;
        check_rows(&review_fixture_pod, pod_answer, rows, KSA_COUNT(rows));
        check_rows(&review_fixture_account, pod_answer, &one, 1);
        check_rows(&review_fixture_pod, account_answer, &one, 1);
}

static void test_members_twice(void **state)
{
        static const char *const texts[] = {
                "{\"kind\":\"TokenReview\",\"apiVersion\":\"authentication.k8s.io/v1\","
                "\"status\":{\"authenticated\":false,\"authenticated\":true}}",
                "{\"kind\":\"TokenReview\",\"kind\":\"TokenReview\","
                "\"apiVersion\":\"authentication.k8s.io/v1\",\"status\":{}}",
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(texts); i++) {
                struct ksa_error error = {0};

                assert_int_equal(check(&review_fixture_account, texts[i], strlen(texts[i]), &error),
                                 KSA_API_BROKEN);
        }
}

static void test_cut_at_every_byte(void **state)
{
        (void)state;
        review_fixture_seen = false;
        /* All but the line end, which is not a part of the object. */
        for (size_t length = 0; length < sizeof(pod_answer) - 2; length++) {
                struct ksa_error error = {0};

                assert_int_equal(check(&review_fixture_pod, pod_answer, length, &error),
                                 KSA_API_BROKEN);
        }
        assert_false(review_fixture_seen);
}

/* A token that an end of the answer cuts is blotted out up to that end, and no byte further. */
static void test_token_cut(void **state)
{
        char body[] = "{\"token\":\"" REVIEWED_COMPACT;
        const size_t kept = strlen(REVIEWED_SIGNATURE) - 20;
        const size_t length = strlen(body) - kept;
        struct ksa_error error = {0};

        (void)state;
        assert_int_equal(
                ksa_review_check(&review_fixture_account, REVIEWED_AUDIENCE, body, length, &error),
                KSA_API_BROKEN);
        assert_int_equal(strcspn(body, "*") + strspn(body + strcspn(body, "*"), "*."), length);
        assert_string_equal(body + length, &REVIEWED_SIGNATURE[20]);

        char tail[] = REVIEWED_TAIL;
        assert_int_equal(ksa_review_check(&review_fixture_account, REVIEWED_AUDIENCE, tail,
                                          sizeof(tail) - 1, &error),
                         KSA_API_BROKEN);
        assert_int_equal(strspn(tail, "*"), sizeof(tail) - 1);
}

/* Blotting cannot make an answer valid: outside a string a blot is not a space. */
static void test_token_outside_a_string(void **state)
{
        struct ksa_error error = {0};
        char *text = NULL;

        (void)state;
        assert_true(asprintf(&text, "%.*s%s}", (int)sizeof(account_answer) - 3, account_answer,
                             REVIEWED_SIGNATURE) > 0);
        assert_int_equal(check(&review_fixture_account, text, strlen(text), &error),
                         KSA_API_BROKEN);
        free(text);
}

/* An API server that quotes the token, whole or in part, brings it into no log and no memory. */
static void test_errors_show_no_token(void **state)
{
        static const char *const quotes[] = {REVIEWED_COMPACT,
                                             "x" REVIEWED_COMPACT REVIEWED_COMPACT,
                                             REVIEWED_SIGNATURE,
                                             REVIEWED_HEADER "." REVIEWED_PAYLOAD,
                                             &(REVIEWED_COMPACT)[1],
                                             "..." REVIEWED_TAIL,
                                             REVIEWED_HEADER "." REVIEWED_PAYLOAD
                                                             ".x" REVIEWED_TAIL};

        (void)state;
        review_fixture_seen = false;
        for (size_t i = 0; i < KSA_COUNT(quotes); i++) {
                struct ksa_error error = {0};
                char *value = NULL;

                assert_true(asprintf(&value, "\"token %s is bad\"", quotes[i]) > 0);
                char *text = review_fixture_change(account_answer, "status|error", value);
                review_fixture_seen = false;
                assert_int_equal(check(&review_fixture_account, text, strlen(text), &error),
                                 KSA_REVIEW_REFUSED);
                assert_false(review_fixture_seen);
                assert_non_null(strstr(error.text, "token "));
                assert_null(strstr(error.text, "eyJ"));
                free(text);
                free(value);
        }
}

/* JSON can spell the token so that it is not found before the answer is parsed. */
static void test_errors_show_no_escaped_token(void **state)
{
        static const char *const members[] = {"{\"error\":", "{\"authenticated\":true,\"user\":"
                                                             "{\"username\":"};
        static const char *const ends[] = {"}", "}}"};
        char escaped[sizeof(REVIEWED_SIGNATURE) * 6] = "";

        (void)state;
        for (size_t i = 0; i + 1 < sizeof(REVIEWED_SIGNATURE); i++)
                (void)snprintf(escaped + 6 * i, 7, "\\u%04x", (unsigned)REVIEWED_SIGNATURE[i]);
        for (size_t i = 0; i < KSA_COUNT(members); i++) {
                struct ksa_error error = {0};
                char *text = NULL;

                assert_true(asprintf(&text,
                                     "{\"kind\":\"TokenReview\","
                                     "\"apiVersion\":\"authentication.k8s.io/v1\","
                                     "\"status\":%s\"<%s>\"%s}",
                                     members[i], escaped, ends[i]) > 0);
                assert_int_equal(check(&review_fixture_account, text, strlen(text), &error),
                                 i == 0 ? KSA_REVIEW_REFUSED : KSA_REVIEW_DIFFERS);
                assert_non_null(strstr(error.text, "\"<***"));
                assert_non_null(strstr(error.text, "***>\""));
                free(text);
        }
}

static void test_errors_are_short_and_plain(void **state)
{
        struct ksa_error error = {0};
        char value[2000] = "\"\\n";

        (void)state;
        memset(value + 3, 'x', sizeof(value) - 5);
        value[sizeof(value) - 2] = '"';
        char *text = review_fixture_change(account_answer, "status|error", value);
        assert_int_equal(check(&review_fixture_account, text, strlen(text), &error),
                         KSA_REVIEW_REFUSED);
        assert_non_null(strstr(error.text, "\"\\x0axxx"));
        assert_null(strstr(error.text, "\n"));
        assert_true(strlen(error.text) < 200);
        free(text);

        text = review_fixture_change(account_answer, "status|user|username", value);
        assert_int_equal(check(&review_fixture_account, text, strlen(text), &error),
                         KSA_REVIEW_DIFFERS);
        assert_non_null(strstr(error.text, "\"system:serviceaccount:ci:deployer\""));
        free(text);
}

static void test_request(void **state)
{
        struct ksa_secret *body = ksa_review_request(&review_fixture_account, REVIEWED_AUDIENCE);

        (void)state;
        assert_string_equal(ksa_secret_bytes(body),
                            "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenReview\","
                            "\"spec\":{\"token\":\"" REVIEWED_COMPACT "\","
                            "\"audiences\":[\"ssh://build-7.example.com\"]}}");
        ksa_secret_free(&body);
        body = ksa_review_request(&review_fixture_account, "a\"],\"x\":[\"\\");
        assert_non_null(
                strstr(ksa_secret_bytes(body), "\"audiences\":[\"a\\\"],\\\"x\\\":[\\\"\\\\\"]}}"));
        ksa_secret_free(&body);
}

/* jansson calls some of it a syntax error, and does without the rest. */
static void test_each_allocation(void **state)
{
        unsigned refused = 0;
        bool over = false;

        (void)state;
        for (unsigned long number = 1; !over; number++) {
                struct ksa_error error = {0};
                char body[] = ANSWER("");

                review_fixture_counted = 0;
                review_fixture_failing = number;
                struct ksa_secret *request =
                        ksa_review_request(&review_fixture_account, REVIEWED_AUDIENCE);
                enum ksa_reason reason = ksa_review_check(
                        &review_fixture_account, REVIEWED_AUDIENCE, body, strlen(body), &error);
                over = review_fixture_counted < number;
                review_fixture_failing = 0;
                bool whole = request != NULL && reason == KSA_OK;
                refused += !whole;
                assert_true(!over || whole);
                assert_int_equal(review_fixture_living, 0);
                ksa_secret_free(&request);
        }
        assert_true(refused > 20);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values_that_jansson_refuses),
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_audiences),
                cmocka_unit_test(test_extras),
                cmocka_unit_test(test_pods),
                cmocka_unit_test(test_members_twice),
                cmocka_unit_test(test_cut_at_every_byte),
                cmocka_unit_test(test_token_cut),
                cmocka_unit_test(test_token_outside_a_string),
                cmocka_unit_test(test_errors_show_no_token),
                cmocka_unit_test(test_errors_show_no_escaped_token),
                cmocka_unit_test(test_errors_are_short_and_plain),
                cmocka_unit_test(test_request),
                cmocka_unit_test(test_each_allocation),
        };

        review_fixture_watch_json();
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* review.c: SubjectAccessReview. */
#include <stdlib.h>
#include <string.h>

#include "cluster/review.h"
#include "support/review_fixture.h"
#include "support/support.h"

static const char answer[] =
        "{\"kind\":\"SubjectAccessReview\",\"apiVersion\":\"authorization.k8s.io/v1\","
        "\"metadata\":{},\"spec\":{\"user\":\"system:serviceaccount:ci:deployer\"},"
        "\"status\":{\"allowed\":true,\"reason\":\"RBAC: allowed by RoleBinding\"}}\n";

static enum ksa_reason check(const char *text, size_t length, bool *ret_allowed)
{
        struct ksa_error error = {0};
        char *body = malloc(length + 1), said[KSA_WHY_SIZE] = "";

        assert_non_null(body);
        memcpy(body + 1, text, length);
        enum ksa_reason reason = ksa_access_check(body + 1, length, ret_allowed, said, &error);
        assert_int_equal(reason == KSA_OK, error.text[0] == '\0');
        free(body);
        return reason;
}

static void test_answers(void **state)
{
        static const struct {
                const char *path, *value;
                enum ksa_reason reason;
                bool allowed;
        } rows[] = {
                {NULL, NULL, KSA_OK, true},
                {"kind", "\"SelfSubjectAccessReview\"", KSA_API_BROKEN, false},
                {"apiVersion", "\"authorization.k8s.io/v1beta1\"", KSA_API_BROKEN, false},
                {"status", NULL, KSA_API_BROKEN, false},
                {"status", "{}", KSA_API_BROKEN, false},
                {"status|allowed", "false", KSA_OK, false},
                {"status|allowed", "\"true\"", KSA_API_BROKEN, false},
                {"status|allowed", "1", KSA_API_BROKEN, false},
                {"status|allowed", "null", KSA_API_BROKEN, false},
                {"status|denied", "false", KSA_OK, true},
                {"status|denied", "true", KSA_RBAC_DENIED, false},
                {"status|denied", "\"false\"", KSA_API_BROKEN, false},
                {"status|denied", "0", KSA_API_BROKEN, false},
                {"status|reason", NULL, KSA_OK, true},
                {"status|reason", "1", KSA_API_BROKEN, false},
                {"status|evaluationError", "\"\"", KSA_OK, true},
                {"status|evaluationError", "\"webhook down\"", KSA_OK, false},
                {"status|evaluationError", "[]", KSA_API_BROKEN, false},
                {"status", "{\"allowed\":false,\"denied\":true}", KSA_RBAC_DENIED, false},
                {"status", "{\"allowed\":true,\"denied\":true,\"evaluationError\":\"x\"}",
                 KSA_RBAC_DENIED, false},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                char *text = review_fixture_change(answer, rows[i].path, rows[i].value);
                bool allowed = !rows[i].allowed;
                enum ksa_reason reason = check(text, strlen(text), &allowed);

                if (reason != rows[i].reason ||
                    (reason == KSA_OK ? allowed != rows[i].allowed : allowed == rows[i].allowed))
                        fail_msg("%s = %s: %s", rows[i].path, rows[i].value,
                                 ksa_reason_name(reason));
                free(text);
        }
}

static void test_members_twice(void **state)
{
        static const char twice[] =
                "{\"kind\":\"SubjectAccessReview\",\"apiVersion\":\"authorization.k8s.io/v1\","
                "\"status\":{\"allowed\":false,\"allowed\":true}}";
        bool allowed = false;

        (void)state;
        assert_int_equal(check(twice, strlen(twice), &allowed), KSA_API_BROKEN);
        assert_false(allowed);
}

static void test_cut_at_every_byte(void **state)
{
        (void)state;
        for (size_t length = 0; length < sizeof(answer) - 2; length++) {
                bool allowed = false;

                assert_int_equal(check(answer, length, &allowed), KSA_API_BROKEN);
                assert_false(allowed);
        }
}

/* The name of the webhook that forbade it is in the log, quoted. */
static void test_why_it_is_denied(void **state)
{
        static const char denied[] =
                "{\"kind\":\"SubjectAccessReview\",\"apiVersion\":\"authorization.k8s.io/v1\","
                "\"status\":{\"allowed\":false,\"denied\":true,\"reason\":\"by\\n\\\"policy\"}}";
        struct ksa_error error = {0};
        bool allowed = false;
        char said[KSA_WHY_SIZE] = "untouched";

        (void)state;
        assert_int_equal(ksa_access_check(denied, strlen(denied), &allowed, said, &error),
                         KSA_RBAC_DENIED);
        assert_string_equal(error.text, "an authorizer forbids it: \"by\\x0a\\x22policy\"");
        assert_string_equal(said, "untouched");
}

#define NO(members)                                                                                         \
        "{\"kind\":\"SubjectAccessReview\",\"apiVersion\":\"authorization.k8s.io/v1\",\"status\":{" members \
        "}}"

/* A missing Role of a RoleBinding is reported in the reason or the evaluationError. */
static void test_what_is_said_of_a_no(void **state)
{
        static const struct {
                const char *answer, *said;
        } rows[] = {
                {NO("\"allowed\":false"), ""},
                {NO("\"allowed\":false,\"reason\":\"\""), ""},
                {NO("\"allowed\":false,\"reason\":\"role \\\"ksa-logn\\\" not found\""),
                 "role 'ksa-logn' not found"},
                {NO("\"allowed\":false,\"reason\":\"no\",\"evaluationError\":\"role not found\""),
                 "role not found"},
                {NO("\"allowed\":true,\"reason\":\"yes\",\"evaluationError\":\"role not found\""),
                 "role not found"},
                {NO("\"allowed\":false,\"reason\":\"a\\nresult=allow\\u001b[31m\""),
                 "a?result=allow?[31m"},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_error error = {0};
                bool allowed = true;
                char said[KSA_WHY_SIZE] = "before";

                assert_int_equal(ksa_access_check(rows[i].answer, strlen(rows[i].answer), &allowed,
                                                  said, &error),
                                 KSA_OK);
                assert_false(allowed);
                assert_string_equal(said, rows[i].said);
        }
}

#define REQUEST(extra)                                                                               \
        "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":\"SubjectAccessReview\",\"spec\":{"    \
        "\"user\":\"system:serviceaccount:ci:deployer\","                                            \
        "\"uid\":\"14e75b93-b974-47ca-a847-ba5d1f4ad2a6\","                                          \
        "\"groups\":[\"system:serviceaccounts\",\"system:serviceaccounts:ci\","                      \
        "\"system:authenticated\"],\"resourceAttributes\":{\"group\":\"ksa.dev\","                   \
        "\"resource\":\"hosts\",\"verb\":\"login\",\"name\":\"build-7\",\"namespace\":\"ci\"}" extra \
        "}}"

static const char pod_request[] =
        REQUEST(",\"extra\":{\"authentication.kubernetes.io/pod-name\":[\"job-1\"],"
                "\"authentication.kubernetes.io/pod-uid\":"
                "[\"d7fce6df-a4a0-4d4e-9a19-f63e05597290\"]}");

static void test_request(void **state)
{
        struct ksa_secret *body = ksa_access_request(&review_fixture_account, "login", "build-7");

        (void)state;
        assert_string_equal(ksa_secret_bytes(body), REQUEST(""));
        ksa_secret_free(&body);
        body = ksa_access_request(&review_fixture_pod, "login", "build-7");
        assert_string_equal(ksa_secret_bytes(body), pod_request);
        ksa_secret_free(&body);
        body = ksa_access_request(&review_fixture_account, "sudo", "a\"b");
        assert_non_null(strstr(ksa_secret_bytes(body), "\"verb\":\"sudo\",\"name\":\"a\\\"b\","));
        ksa_secret_free(&body);
}

/* The names that Kubernetes allows at most fit; a token without names causes no request. */
static void test_names(void **state)
{
        char namespace[64] = "", account[254] = "";
        struct ksa_token token = review_fixture_account;

        (void)state;
        memset(namespace, 'n', sizeof(namespace) - 1);
        memset(account, 'a', sizeof(account) - 1);
        token.namespace = namespace;
        token.account = account;
        struct ksa_secret *body = ksa_access_request(&token, "login", "build-7");
        assert_non_null(strstr(ksa_secret_bytes(body), account));
        assert_non_null(strstr(ksa_secret_bytes(body), namespace));
        ksa_secret_free(&body);
        token.account = NULL;
        assert_null(ksa_access_request(&token, "login", "build-7"));
}

/* jansson calls some of it a syntax error, and does without the rest. */
static void test_each_allocation(void **state)
{
        unsigned refused = 0;
        bool over = false;

        (void)state;
        for (unsigned long number = 1; !over; number++) {
                struct ksa_error error = {0};
                bool allowed = false;
                char said[KSA_WHY_SIZE];

                review_fixture_counted = 0;
                review_fixture_failing = number;
                struct ksa_secret *request =
                        ksa_access_request(&review_fixture_pod, "login", "build-7");
                enum ksa_reason reason =
                        ksa_access_check(answer, strlen(answer), &allowed, said, &error);
                over = review_fixture_counted < number;
                review_fixture_failing = 0;
                bool whole = request != NULL && reason == KSA_OK;
                refused += !whole;
                assert_true(!over || whole);
                assert_int_equal(allowed, reason == KSA_OK);
                assert_int_equal(review_fixture_living, 0);
                if (request != NULL)
                        assert_string_equal(ksa_secret_bytes(request), pod_request);
                ksa_secret_free(&request);
        }
        assert_true(refused > 20);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_members_twice),
                cmocka_unit_test(test_cut_at_every_byte),
                cmocka_unit_test(test_why_it_is_denied),
                cmocka_unit_test(test_request),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_each_allocation),
                cmocka_unit_test(test_what_is_said_of_a_no),
        };

        review_fixture_watch_json();
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* self_review.c: answers with a user name, answers with this host's permissions, and invalid ones. */
#include "admin/credential/self_review.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/review_fixture.h"
#include "support/support.h"

#define SOUND                                                                                      \
        "{\"kind\":\"SelfSubjectReview\",\"apiVersion\":\"authentication.k8s.io/v1\","             \
        "\"metadata\":{\"creationTimestamp\":\"2026-11-24T10:00:00Z\"},\"status\":{\"userInfo\":{" \
        "\"username\":\"system:serviceaccount:ksa-system:host-verifier\",\"uid\":\"u\","           \
        "\"groups\":[\"system:authenticated\"]}}}"

/* As Kubernetes 1.37.2 answered, except managedFields. */
#define ACCESS                                                                              \
        "{\"kind\":\"SelfSubjectAccessReview\",\"apiVersion\":\"authorization.k8s.io/v1\"," \
        "\"metadata\":{},\"spec\":{\"resourceAttributes\":{\"verb\":\"create\","            \
        "\"group\":\"authentication.k8s.io\",\"resource\":\"tokenreviews\"}},"              \
        "\"status\":{\"allowed\":false}}"

static enum ksa_reason read_it(const char *text, size_t length, char **ret_user)
{
        struct ksa_error error = {0};
        enum ksa_reason reason = ksa_self_review_read(text, length, ret_user, &error);

        assert_int_equal(reason == KSA_OK, error.text[0] == '\0');
        return reason;
}

static void test_sound(void **state)
{
        char *user = NULL;

        (void)state;
        assert_int_equal(read_it(SOUND, strlen(SOUND), &user), KSA_OK);
        assert_string_equal(user, "system:serviceaccount:ksa-system:host-verifier");
        free(user);
}

static void test_changed(void **state)
{
        static const char *const rows[][2] = {{"kind", "\"Status\""},
                                              {"kind", NULL},
                                              {"apiVersion", "\"v1\""},
                                              {"status", NULL},
                                              {"status", "[]"},
                                              {"status|userInfo", NULL},
                                              {"status|userInfo", "\"x\""},
                                              {"status|userInfo|username", NULL},
                                              {"status|userInfo|username", "7"}};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                char *text = review_fixture_change(SOUND, rows[i][0], rows[i][1]), *user = NULL;

                assert_int_equal(read_it(text, strlen(text), &user), KSA_API_BROKEN);
                assert_null(user);
                free(text);
        }
}

static void test_cut(void **state)
{
        (void)state;
        for (size_t length = 0; length < strlen(SOUND); length++) {
                char *user = NULL;

                assert_int_equal(read_it(SOUND, length, &user), KSA_API_BROKEN);
                assert_null(user);
        }
}

/* --- What this host may ----------------------------------------------------- */

static enum ksa_reason parse_access(const char *text, size_t length, bool *ret_allowed)
{
        struct ksa_error error = {0};
        enum ksa_reason reason = ksa_self_access_check(text, length, ret_allowed, &error);

        assert_int_equal(reason == KSA_OK, error.text[0] == '\0');
        return reason;
}

static void test_may(void **state)
{
        static const struct {
                const char *status;
                bool allowed;
        } rows[] = {{"{\"allowed\":false}", false},
                    {"{\"allowed\":true}", true},
                    {"{\"allowed\":true,\"denied\":false,\"reason\":\"RBAC: allowed\"}", true},
                    {"{\"allowed\":false,\"denied\":true}", false},
                    {"{\"allowed\":true,\"denied\":true}", false}};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                char *text = review_fixture_change(ACCESS, "status", rows[i].status);
                bool allowed = !rows[i].allowed;

                assert_int_equal(parse_access(text, strlen(text), &allowed), KSA_OK);
                assert_int_equal(allowed, rows[i].allowed);
                free(text);
        }
}

static void test_may_changed(void **state)
{
        static const char *const rows[][2] = {{"kind", "\"SubjectAccessReview\""},
                                              {"kind", NULL},
                                              {"apiVersion", "\"v1\""},
                                              {"status", NULL},
                                              {"status", "[]"},
                                              {"status|allowed", NULL},
                                              {"status|allowed", "\"true\""},
                                              {"status|allowed", "1"},
                                              {"status|denied", "1"}};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                char *text = review_fixture_change(ACCESS, rows[i][0], rows[i][1]);
                bool allowed = true;

                assert_int_equal(parse_access(text, strlen(text), &allowed), KSA_API_BROKEN);
                assert_true(allowed);
                free(text);
        }
        for (size_t length = 0; length < strlen(ACCESS); length++) {
                bool allowed = true;

                assert_int_equal(parse_access(ACCESS, length, &allowed), KSA_API_BROKEN);
                assert_true(allowed);
        }
}

/* An absent attribute is not in the request: an empty name would be another request. */
static void test_may_request(void **state)
{
        static const struct ksa_self_access review = {.group = "authentication.k8s.io",
                                                      .resource = "tokenreviews"},
                                            token = {.group = "",
                                                     .resource = "serviceaccounts",
                                                     .subresource = "token",
                                                     .namespace = "ksa-system",
                                                     .name = "host-verifier"};
        static const char head[] =
                "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":\"SelfSubjectAccessReview\","
                "\"spec\":{\"resourceAttributes\":{\"verb\":\"create\",";
        char wanted[512];
        struct ksa_secret *body = ksa_self_access_request(&review);

        (void)state;
        (void)snprintf(wanted, sizeof(wanted),
                       "%s\"group\":\"authentication.k8s.io\",\"resource\":\"tokenreviews\"}}}",
                       head);
        assert_string_equal(ksa_secret_bytes(body), wanted);
        ksa_secret_free(&body);
        body = ksa_self_access_request(&token);
        (void)snprintf(
                wanted, sizeof(wanted),
                "%s\"group\":\"\",\"resource\":\"serviceaccounts\",\"subresource\":\"token\","
                "\"namespace\":\"ksa-system\",\"name\":\"host-verifier\"}}}",
                head);
        assert_string_equal(ksa_secret_bytes(body), wanted);
        ksa_secret_free(&body);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sound),       cmocka_unit_test(test_changed),
                cmocka_unit_test(test_cut),         cmocka_unit_test(test_may),
                cmocka_unit_test(test_may_changed), cmocka_unit_test(test_may_request)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* token_request.c: the successor of a credential is one for the same account, and still good. */
#include "admin/credential/token_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/review_fixture.h"
#include "support/signer.h"
#include "support/support.h"

static struct signer signer;

static int set_up(void **state)
{
        (void)state;
        signer = signer_new(KSA_ES256, "k1");
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        signer_free(&signer);
        return 0;
}

/* As claims_with() has it. */
static struct ksa_token current(void)
{
        return (struct ksa_token){.namespace = "ci",
                                  .account = "deployer",
                                  .account_uid = "055340be-da7c-4afd-8213-e998a1704706"};
}

/* An answer with a token whose claims differ in one member. */
static char *answer_with(const char *member, const char *value, char **ret_token)
{
        char *claims = claims_with(member, value), *text = NULL;
        struct ksa_secret *token = signer_token(&signer, NULL, claims);

        assert_true(
                asprintf(&text,
                         "{\"kind\":\"TokenRequest\",\"apiVersion\":\"authentication.k8s.io/v1\","
                         "\"spec\":{\"expirationSeconds\":3600},"
                         "\"status\":{\"token\":\"%s\","
                         "\"expirationTimestamp\":\"2026-11-23T20:14:27Z\"}}\n",
                         ksa_secret_bytes(token)) > 0);
        *ret_token = strdup(ksa_secret_bytes(token));
        ksa_secret_free(&token);
        free(claims);
        return text;
}

/* TOKEN's signature is in no error. */
static enum ksa_reason read_answer(const char *text, size_t length, const char *token,
                                   const struct ksa_token *of, int64_t now,
                                   struct ksa_secret **ret_secret)
{
        struct ksa_error error = {0};
        char *body = malloc(length + 1), start[12];

        assert_non_null(body);
        memcpy(body + 1, text, length);
        enum ksa_reason reason =
                ksa_token_request_read(body + 1, length, of, now, ret_secret, &error);
        assert_int_equal(reason == KSA_OK, error.text[0] == '\0');
        (void)snprintf(start, sizeof(start), "%s", strrchr(token, '.') + 1);
        assert_null(strstr(error.text, start));
        assert_null(strstr(error.text, "eyJ"));
        free(body);
        return reason;
}

static void test_tokens(void **state)
{
        static const struct {
                const char *member, *value;
                int64_t now;
                enum ksa_reason reason;
        } rows[] = {
                {NULL, NULL, NOW, KSA_OK},
                {NULL, NULL, NOW + 599, KSA_OK},
                {NULL, NULL, NOW + 600, KSA_API_BROKEN},
                {"exp", NULL, NOW, KSA_API_BROKEN},
                {"exp", "\"2026\"", NOW, KSA_API_BROKEN},
                {"kubernetes.io/namespace", "\"cd\"", NOW, KSA_API_BROKEN},
                {"kubernetes.io/namespace", NULL, NOW, KSA_API_BROKEN},
                {"kubernetes.io/serviceaccount/name", "\"default\"", NOW, KSA_API_BROKEN},
                {"kubernetes.io/serviceaccount/uid", "\"x\"", NOW, KSA_API_BROKEN},
                {"kubernetes.io/serviceaccount", NULL, NOW, KSA_API_BROKEN},
                {"kubernetes.io", NULL, NOW, KSA_API_BROKEN},
                {"aud", "[\"https://kubernetes.default.svc\"]", NOW, KSA_OK},
        };
        const struct ksa_token of = current();

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_secret *secret = NULL;
                char *token, *text = answer_with(rows[i].member, rows[i].value, &token);

                if (read_answer(text, strlen(text), token, &of, rows[i].now, &secret) !=
                    rows[i].reason)
                        fail_msg("%s = %s", rows[i].member, rows[i].value);
                assert_int_equal(secret != NULL, rows[i].reason == KSA_OK);
                if (secret != NULL)
                        assert_string_equal(ksa_secret_bytes(secret), token);
                ksa_secret_free(&secret);
                free(token);
                free(text);
        }
}

static void test_answers(void **state)
{
        static const struct {
                const char *path, *value;
                enum ksa_reason reason;
        } rows[] = {
                {NULL, NULL, KSA_OK},
                {"kind", "\"TokenReview\"", KSA_API_BROKEN},
                {"apiVersion", "\"v1\"", KSA_API_BROKEN},
                {"spec", NULL, KSA_OK},
                {"status", NULL, KSA_API_BROKEN},
                {"status|token", NULL, KSA_API_BROKEN},
                {"status|token", "\"\"", KSA_API_BROKEN},
                {"status|token", "\"x\"", KSA_API_BROKEN},
                {"status|token", "[\"x\"]", KSA_API_BROKEN},
                {"status|token", "null", KSA_API_BROKEN},
                {"status|token", "\"eyJhIjoxfQ.eyJhIjoxfQ.YQ\"", KSA_API_BROKEN},
        };
        const struct ksa_token of = current();
        char *token, *sound = answer_with(NULL, NULL, &token);

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_secret *secret = NULL;
                char *text = review_fixture_change(sound, rows[i].path, rows[i].value);

                if (read_answer(text, strlen(text), token, &of, NOW, &secret) != rows[i].reason)
                        fail_msg("%s = %s", rows[i].path, rows[i].value);
                assert_int_equal(secret != NULL, rows[i].reason == KSA_OK);
                ksa_secret_free(&secret);
                free(text);
        }
        free(token);
        free(sound);
}

static void test_cut_at_every_byte(void **state)
{
        const struct ksa_token of = current();
        char *token, *text = answer_with(NULL, NULL, &token);
        struct ksa_secret *secret = NULL;

        (void)state;
        for (size_t length = 0; length < strlen(text) - 1; length++) {
                assert_int_equal(read_answer(text, length, token, &of, NOW, &secret),
                                 KSA_API_BROKEN);
                assert_null(secret);
        }
        free(token);
        free(text);
}

/* A credential that names no account is not renewed as one. */
static void test_current_without_names(void **state)
{
        struct ksa_token of = current();
        struct ksa_secret *secret = NULL;
        char *token, *text = answer_with("kubernetes.io/serviceaccount/uid", NULL, &token);

        (void)state;
        of.account_uid = NULL;
        assert_int_equal(read_answer(text, strlen(text), token, &of, NOW, &secret), KSA_API_BROKEN);
        assert_null(secret);
        free(token);
        free(text);
}

static void test_path(void **state)
{
        static const struct {
                const char *namespace, *account, *path;
        } rows[] = {
                {"ci", "deployer", "/api/v1/namespaces/ci/serviceaccounts/deployer/token"},
                {"ci", "a.b", "/api/v1/namespaces/ci/serviceaccounts/a.b/token"},
                {"ci", "../x", NULL},
                {"ci", "a/b", NULL},
                {"ci", "a?b", NULL},
                {"c/i", "a", NULL},
                {"", "a", NULL},
                {"ci", "", NULL},
                {NULL, "a", NULL},
                {"ci", NULL, NULL},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                const struct ksa_token of = {.namespace = rows[i].namespace,
                                             .account = rows[i].account};
                char *path = ksa_token_request_path(&of);

                assert_int_equal(path != NULL, rows[i].path != NULL);
                if (path != NULL)
                        assert_string_equal(path, rows[i].path);
                free(path);
        }
}

static void test_body(void **state)
{
        struct ksa_secret *body = ksa_token_request_body(INT64_C(86400), NULL, NULL);

        (void)state;
        assert_string_equal(
                ksa_secret_bytes(body),
                "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenRequest\","
                "\"spec\":{\"expirationSeconds\":86400}}");
        ksa_secret_free(&body);
}

/* A job requests a token for one host, bound to its own Pod. */
static void test_body_for_a_host(void **state)
{
        const struct ksa_token own = {.pod = "job-1", .pod_uid = "5a"}, loose = {.pod = NULL};
        struct ksa_secret *bound = ksa_token_request_body(600, "ssh://build-7", &own),
                          *unbound = ksa_token_request_body(600, "ssh://build-7", &loose);

        (void)state;
        assert_string_equal(
                ksa_secret_bytes(bound),
                "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenRequest\","
                "\"spec\":{\"expirationSeconds\":600,\"audiences\":[\"ssh://build-7\"],"
                "\"boundObjectRef\":{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"job-1\","
                "\"uid\":\"5a\"}}}");
        assert_null(strstr(ksa_secret_bytes(unbound), "boundObjectRef"));
        ksa_secret_free(&bound);
        ksa_secret_free(&unbound);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_tokens),
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_cut_at_every_byte),
                cmocka_unit_test(test_current_without_names),
                cmocka_unit_test(test_path),
                cmocka_unit_test(test_body),
                cmocka_unit_test(test_body_for_a_host),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* discovery.c: the URL of the document, the checks of its members, and the receivers of a credential. */
#include "admin/keys/discovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

#define ISSUER "https://oidc.example.com/id/1"

static void test_url(void **state)
{
        static const char *const rows[][2] = {
                {"https://a", "https://a/.well-known/openid-configuration"},
                {"https://a/", "https://a/.well-known/openid-configuration"},
                {"https://a//", "https://a//.well-known/openid-configuration"},
                {"https://a/id/1", "https://a/id/1/.well-known/openid-configuration"},
                {"https://a/id/1/", "https://a/id/1/.well-known/openid-configuration"},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                char *url = ksa_discovery_url(rows[i][0]);

                assert_string_equal(url, rows[i][1]);
                free(url);
        }
}

static enum ksa_reason read_text(const char *text, size_t length, const char *issuer,
                                 char **ret_jwks_uri)
{
        struct ksa_error error = {0};
        char *body = malloc(length + 1);

        assert_non_null(body);
        memcpy(body + 1, text, length);
        enum ksa_reason reason = ksa_discovery_read(body + 1, length, issuer, ret_jwks_uri, &error);
        assert_int_equal(reason == KSA_OK, error.text[0] == '\0');
        assert_true(strlen(error.text) < 400);
        free(body);
        return reason;
}

static void test_read(void **state)
{
        static const char *const texts[] = {
                "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"https://keys.example.com/k\"}",
                " {\"jwks_uri\":\"https:\\/\\/keys.example.com\\/k\",\"issuer\":\"" ISSUER
                "\",\"response_types_supported\":[\"id_token\"]}\n",
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(texts); i++) {
                char *jwks_uri = NULL;

                assert_int_equal(read_text(texts[i], strlen(texts[i]), ISSUER, &jwks_uri), KSA_OK);
                assert_string_equal(jwks_uri, "https://keys.example.com/k");
                free(jwks_uri);
        }
}

/* A number above 2^63 in a member that ksa does not read refused the document. */
static void test_found_document(void **state)
{
        char *text = read_whole(KSA_TEST_DATA "/found/discovery-number-over-int64.json");
        char *jwks_uri = NULL;

        (void)state;
        assert_int_equal(read_text(text, strlen(text), "https://issuer.example", &jwks_uri),
                         KSA_OK);
        assert_string_equal(jwks_uri, "https://issuer.example/keys");
        free(jwks_uri);
        free(text);
}

/* In a member that it reads, a replaced value has a wrong type, or differs. */
static void test_replaced_members_are_refused(void **state)
{
        static const char *const texts[] = {
                "{\"issuer\":1e400,\"jwks_uri\":\"https://a/k\"}",
                "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":18446744073709551615}",
                "{\"issuer\":\"" ISSUER "\\u0000\",\"jwks_uri\":\"https://a/k\"}",
                "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"https://a/k\\u0000\"}",
                "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"https://a\\ud800/k\"}",
        };
        char *jwks_uri = NULL;

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(texts); i++)
                if (read_text(texts[i], strlen(texts[i]), ISSUER, &jwks_uri) != KSA_API_BROKEN)
                        fail_msg("%s", texts[i]);
}

static void test_what_is_none(void **state)
{
        static const char *const texts[] = {
                "",
                "<html>",
                "[]",
                "{}",
                "{\"issuer\":\"" ISSUER "\"}",
                "{\"jwks_uri\":\"https://a/k\"}",
                "{\"issuer\":1,\"jwks_uri\":\"https://a/k\"}",
                "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":[\"https://a/k\"]}",
                "{\"issuer\":\"" ISSUER
                "\",\"jwks_uri\":\"https://a/k\",\"jwks_uri\":\"https://b\"}",
                "{\"issuer\":\"" ISSUER "/\",\"jwks_uri\":\"https://a/k\"}",
                "{\"issuer\":\"https://oidc.example.com/id/2\",\"jwks_uri\":\"https://a/k\"}",
                "{\"issuer\":\"HTTPS://oidc.example.com/id/1\",\"jwks_uri\":\"https://a/k\"}",
                "{\"issuer\":\"\",\"jwks_uri\":\"https://a/k\"}",
        };
        char *jwks_uri = NULL;

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(texts); i++) {
                if (read_text(texts[i], strlen(texts[i]), ISSUER, &jwks_uri) != KSA_API_BROKEN)
                        fail_msg("%s", texts[i]);
                assert_null(jwks_uri);
        }
}

static void test_jwks_uris(void **state)
{
        static const struct {
                const char *uri; /* in JSON */
                enum ksa_reason reason;
        } rows[] = {
                {"https://a", KSA_OK},
                {"https://a/", KSA_OK},
                {"https://a?x=@", KSA_OK},
                {"https://a/@b", KSA_OK},
                {"https://10.0.0.1:6443/openid/v1/jwks", KSA_OK},
                {"https://[fd00::1]:6443/openid/v1/jwks", KSA_OK},
                {"https://a:65535/", KSA_OK},
                {"", KSA_API_BROKEN},
                {"https://", KSA_API_BROKEN},
                {"https:///k", KSA_API_BROKEN},
                {"https:a/k", KSA_API_BROKEN},
                {"http://a/k", KSA_API_BROKEN},
                {"HTTPS://a/k", KSA_API_BROKEN},
                {"file:///etc/passwd", KSA_API_BROKEN},
                {"//a/k", KSA_API_BROKEN},
                {"/openid/v1/jwks", KSA_API_BROKEN},
                {" https://a/k", KSA_API_BROKEN},
                {"https://a/k ", KSA_API_BROKEN},
                {"https://a/\\n", KSA_API_BROKEN},
                {"https://\\u00e4/k", KSA_API_BROKEN},
                {"https://a@b/k", KSA_API_BROKEN},
                {"https://a:b@c/k", KSA_API_BROKEN},
                {"https://@a/k", KSA_API_BROKEN},
                {"https://a%40b/k", KSA_API_BROKEN},
                {"https://a\\\\@b/k", KSA_API_BROKEN},
                {"https://a/\\\\b", KSA_API_BROKEN},
                {"https://a#@b/k", KSA_API_BROKEN},
                {"https://a/k#x", KSA_API_BROKEN},
                {"https://a:/k", KSA_API_BROKEN},
                {"https://a:0/k", KSA_API_BROKEN},
                {"https://a:65536/k", KSA_API_BROKEN},
                {"https://a:00443/k", KSA_API_BROKEN},
                {"https://a:6443:1/k", KSA_API_BROKEN},
                {"https://a:x/k", KSA_API_BROKEN},
                {"https://[::1/k", KSA_API_BROKEN},
                {"https://[]/k", KSA_API_BROKEN},
                {"https://[::1]a/k", KSA_API_BROKEN},
                {"https://::1/k", KSA_API_BROKEN},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                char text[256], *jwks_uri = NULL;

                (void)snprintf(text, sizeof(text), "{\"issuer\":\"%s\",\"jwks_uri\":\"%s\"}",
                               ISSUER, rows[i].uri);
                if (read_text(text, strlen(text), ISSUER, &jwks_uri) != rows[i].reason)
                        fail_msg("%s", rows[i].uri);
                assert_int_equal(jwks_uri != NULL, rows[i].reason == KSA_OK);
                free(jwks_uri);
        }
}

static void test_longest_jwks_uri(void **state)
{
        char path[KSA_JWKS_URI_MAX + 1], text[KSA_JWKS_URI_MAX + 256];

        (void)state;
        memset(path, 'x', sizeof(path));
        for (size_t length = KSA_JWKS_URI_MAX; length < KSA_JWKS_URI_MAX + 2; length++) {
                char *jwks_uri = NULL;

                (void)snprintf(text, sizeof(text),
                               "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"https://a/%.*s\"}",
                               (int)(length - strlen("https://a/")), path);
                assert_int_equal(read_text(text, strlen(text), ISSUER, &jwks_uri),
                                 length == KSA_JWKS_URI_MAX ? KSA_OK : KSA_API_BROKEN);
                free(jwks_uri);
        }
}

static void test_origins(void **state)
{
        static const struct {
                const char *left, *right;
                bool same;
        } rows[] = {
                {"https://a", "https://a", true},
                {"https://a", "https://a/k?x#y", true},
                {"https://a:6443/", "https://a:6443/openid/v1/jwks", true},
                {"https://A.Example.com", "HTTPS://a.example.COM/k", true},
                {"https://a", "https://a:443/k", true},
                {"https://[fd00::1]:6443", "https://[FD00::1]:6443/k", true},
                {"https://a", "https://b", false},
                {"https://a", "https://ab", false},
                {"https://a", "https://a.", false},
                {"https://a", "https://a.b", false},
                {"https://a:6443", "https://a", false},
                {"https://a:6443", "https://a:6444", false},
                {"https://a:443", "https://a:4430", false},
                {"http://a", "http://a", false},
                {"https://a", "http://a", false},
                {"https://a", "https://a@b/", false},
                {"https://a", "https://a:443@b/", false},
                {"https://a@b", "https://a@b", false},
                {"https://a", "https://a\\@b/", false},
                {"https://a", "https://a%00", false},
                {"https://a", "https://a\n", false},
                {"https://", "https://", false},
                {"", "", false},
                {"a", "a", false},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                if (ksa_same_origin(rows[i].left, rows[i].right) != rows[i].same ||
                    ksa_same_origin(rows[i].right, rows[i].left) != rows[i].same)
                        fail_msg("%s and %s", rows[i].left, rows[i].right);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_url),
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_found_document),
                cmocka_unit_test(test_replaced_members_are_refused),
                cmocka_unit_test(test_what_is_none),
                cmocka_unit_test(test_jwks_uris),
                cmocka_unit_test(test_longest_jwks_uri),
                cmocka_unit_test(test_origins),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

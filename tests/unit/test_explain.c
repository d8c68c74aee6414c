/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain.c: one honest line, and what the client may know. */
#include "explain.h"

#include <stdlib.h>
#include <string.h>

#include "scene.h"

/* The line of an attempt as USER from RHOST, and what the client is told. */
static char *line_of(const struct ksa_secret *token, const char *user, const char *rhost,
                     char **ret_client)
{
        struct ksa_attempt attempt = attempt_with(token);
        struct ksa_decision decision;

        attempt.user = attempt.local.name = user;
        attempt.rhost = rhost;
        decide(&attempt, &decision);
        char *line = ksa_explain_line(&attempt, &decision, "0123abcd");
        *ret_client = ksa_explain_to_client(&decision, "0123abcd", "build-7");
        assert_non_null(line);
        assert_non_null(*ret_client);
        const char *signature = strrchr(ksa_secret_bytes(token), '.');
        if (signature != NULL && strlen(signature) > 24)
                assert_null(strstr(line, signature + 1));
        ksa_decision_clear(&decision);
        return line;
}

static void test_allowed(void **state)
{
        struct ksa_secret *token = scene_token(NULL, NULL);
        char *client, *line = line_of(token, "deploy-bot", "10.1.2.3", &client);
        static const char *const parts[] = {
                " ref=0123abcd ", " rhost=\"10.1.2.3\"", " user=\"deploy-bot\"", " cluster=\"prod\"",
                " namespace=\"ci\"", " account=\"deployer\"", " aud=\"" AUDIENCE "\"", " kid=\"k1\"",
                " rule=\"deploy\""};

        (void)state;
        assert_int_equal(strncmp(line, "result=allow reason=ok service=sshd ", 36), 0);
        for (size_t i = 0; i < KSA_COUNT(parts); i++)
                assert_non_null(strstr(line, parts[i]));
        assert_null(strstr(line, "unverified_"));
        assert_null(strstr(line, "why="));
        free(client);
        free(line);
        ksa_secret_free(&token);
}

static void test_unverified(void **state)
{
        char *claims = claims_with(NULL, NULL);
        struct ksa_secret *token = token_of("{\"alg\":\"ES256\",\"kid\":\"k1\"}", claims,
                                            "0123456789012345678901234567890123456789012345678901234567890123",
                                            64);
        char *client, *line = line_of(token, "deploy-bot", "10.1.2.3", &client);

        (void)state;
        assert_non_null(strstr(line, "result=deny reason=bad-signature "));
        assert_non_null(strstr(line, " unverified_account=\"deployer\""));
        assert_null(strstr(line, " account="));
        assert_non_null(strstr(line, " remedy=\""));
        assert_string_equal(client, "Service account token refused (ref 0123abcd on build-7)");
        free(client);
        free(line);
        ksa_secret_free(&token);
        free(claims);
}

static void test_client_is_told_once_the_token_is_known(void **state)
{
        struct ksa_secret *expired = scene_token("exp", "1795464200");
        char *client, *line = line_of(expired, "deploy-bot", "10.1.2.3", &client);

        (void)state;
        assert_string_equal(client, "Service account token refused (ref 0123abcd on build-7): "
                                    "expired 67 s ago");
        free(client);
        free(line);
        ksa_secret_free(&expired);
}

static void test_names_cannot_forge(void **state)
{
        static const char *const names[] = {"a result=allow", "a\" result=allow x=\"", "a\nresult=allow",
                                            "a\\", "\x1b[2J", "l\xc3\xb6we"};
        struct ksa_secret *token = scene_token(NULL, NULL);

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(names); i++) {
                char *client, *line = line_of(token, names[i], names[i], &client);

                assert_int_equal(strncmp(line, "result=deny ", 12), 0);
                bool quoted = false;
                for (const char *c = line; *c != '\0'; c++) {
                        assert_true(*c >= ' ' && *c <= '~');
                        quoted = quoted != (*c == '"');
                        assert_true(quoted || strncmp(c, "result=allow", 12) != 0);
                }
                assert_false(quoted);
                free(client);
                free(line);
        }
        ksa_secret_free(&token);
}

static void test_user_that_looks_like_a_token(void **state)
{
        struct ksa_secret *token = scene_token(NULL, NULL);
        char *client, *line = line_of(token, ksa_secret_bytes(token), "10.1.2.3", &client);

        (void)state;
        assert_null(strstr(line, "eyJ"));
        free(client);
        free(line);
        ksa_secret_free(&token);
}

static void test_long_values_are_cut(void **state)
{
        char name[2000];
        struct ksa_secret *token = scene_token(NULL, NULL);

        (void)state;
        memset(name, 'x', sizeof(name));
        name[sizeof(name) - 1] = '\0';
        char *client, *line = line_of(token, name, "10.1.2.3", &client);
        assert_true(strlen(line) < 1200);
        assert_non_null(strstr(line, "x\\...\""));
        free(client);
        free(line);
        ksa_secret_free(&token);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_allowed),
                cmocka_unit_test(test_unverified),
                cmocka_unit_test(test_client_is_told_once_the_token_is_known),
                cmocka_unit_test(test_names_cannot_forge),
                cmocka_unit_test(test_user_that_looks_like_a_token),
                cmocka_unit_test(test_long_values_are_cut),
        };

        return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* record.c: a session's record as text, in one spelling. */
#include "session/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/session_samples.h"
#include "support/support.h"
#include "token/token.h"

static const char sample_text[] = SAMPLE_TEXT;

static bool parses(const char *text, size_t length)
{
        struct ksa_record_text parsed;

        return ksa_record_parse(text, length, &parsed);
}

static void test_format(void **state)
{
        const struct ksa_record record = sample_record();
        struct ksa_secret *token = secret_of(SAMPLE_TOKEN);
        struct ksa_secret *open = ksa_record_format(&record, token);
        struct ksa_secret *ended = ksa_record_format(&record, NULL);

        (void)state;
        assert_non_null(open);
        assert_string_equal(ksa_secret_bytes(open), SAMPLE_TEXT);
        assert_non_null(ended);
        assert_string_equal(ksa_secret_bytes(ended), SAMPLE_HEAD);
        ksa_secret_free(&open);
        ksa_secret_free(&ended);
        ksa_secret_free(&token);
}

static void test_parse(void **state)
{
        const struct ksa_record record = sample_record();
        struct ksa_record_text text;

        (void)state;
        assert_true(ksa_record_parse(SAMPLE_TEXT, strlen(SAMPLE_TEXT), &text));
        assert_memory_equal(&text.record, &record, sizeof(record));
        assert_int_equal(text.head_length, strlen(SAMPLE_HEAD));
        assert_int_equal(text.token_length, strlen(SAMPLE_TOKEN));
        assert_memory_equal(text.token, SAMPLE_TOKEN, strlen(SAMPLE_TOKEN));
        assert_true(ksa_record_parse(SAMPLE_HEAD, strlen(SAMPLE_HEAD), &text));
        assert_null(text.token);
}

/* A file that is cut while it is read: only the head alone is a mark, and it has no token. */
static void test_each_length(void **state)
{
        (void)state;
        for (size_t length = 0; length <= strlen(SAMPLE_TEXT); length++) {
                bool whole = length == strlen(SAMPLE_HEAD) || length == strlen(SAMPLE_TEXT);
                char *text = malloc(length + 1); /* a sanitizer sees a byte too many */

                assert_non_null(text);
                memcpy(text, SAMPLE_TEXT, length);
                if (parses(text, length) != whole)
                        fail_msg("%zu bytes", length);
                free(text);
        }
}

/* Zeros instead of the bytes that a concurrent truncation has removed. */
static void test_zeroed_tail(void **state)
{
        (void)state;
        for (size_t length = 0; length < strlen(SAMPLE_TEXT); length++) {
                char text[sizeof(SAMPLE_TEXT)] = SAMPLE_TEXT;

                memset(text + length, 0, strlen(SAMPLE_TEXT) - length);
                if (parses(text, strlen(SAMPLE_TEXT)))
                        fail_msg("zeros from %zu on", length);
        }
}

static const struct {
        const char *from, *to;
} changes[] = {
        {"ksa-session 1", "ksa-session 2"},
        {"ksa-session 1", "ksa-session 01"},
        {"pid_namespace 4026532326", "pid_namespace 0"},
        {"pid_namespace 4026532326", "pid_namespace"},
        {"login 125 8271941", "login 125"},
        {"login 125 8271941", "login 0 8271941"},
        {"login 125 8271941", "login 125  8271941"},
        {"sshd 119 8271933", "sshd 0 0"},
        {"sshd 119 8271933", "sshd 4294967296 1"},
        {"sshd 119 8271933", "sshd -1 1"},
        {"sshd 119 8271933", "sshd 119 1000000000000000000"},
        {"sshd 119", "sshd 0119"},
        {"sshd 119", "sshd\t119"},
        {"audit 7917", "audit 4294967295"},
        {"audit 7917", "audit +7917"},
        {"audit 7917", "audit 7917 "},
        {"audit 7917\n", "audit 7917\r\n"},
        {"audit 7917\n", ""},
        {"audit 7917\n", "audit 7917\naudit 7917\n"},
        {"audit 7917\n", "\naudit 7917\n"},
        {"keyring 548727651", "keyring 4294967296"},
        {"uid 1500", "uid 4294967295"},
        {"uid 1500", "uid 0x5dc"},
        {"user deploy-bot", "user "},
        {"user deploy-bot", "user deploy bot"},
        {"user deploy-bot", "user -bot"},
        {"user deploy-bot", "user @own"},
        {"rhost 10.1.2.3", "rhost 10.1.2.3 x"},
        {"rhost 10.1.2.3", "rhost \x7f"},
        {"account prod:ci/deployer", "account deployer"},
        {"reference 1a2b3c4d", "reference 1A2B3C4D"},
        {"reference 1a2b3c4d", "reference 1a2b3c4"},
        {"reference 1a2b3c4d", "reference 1a2b3c4d5"},
        {"reference 1a2b3c4d\n", "reference 1a2b3c4d\nowner root\n"},
        {"token ", "tokens "},
        {"token ", "token  "},
        {SAMPLE_TOKEN, ""},
        {SAMPLE_TOKEN, "a b"},
        {SAMPLE_TOKEN, "a\nb"},
        {SAMPLE_TOKEN "\n", SAMPLE_TOKEN "\n\n"},
        {SAMPLE_TOKEN "\n", SAMPLE_TOKEN},
        {SAMPLE_TOKEN "\n", SAMPLE_TOKEN "\ntoken a\n"},
};

static void test_changes(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(changes); i++) {
                const char *at = strstr(sample_text, changes[i].from);
                char text[2 * sizeof(SAMPLE_TEXT)];

                assert_non_null(at);
                int length = snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - sample_text),
                                      sample_text, changes[i].to, at + strlen(changes[i].from));
                if (parses(text, (size_t)length))
                        fail_msg("%s as %s", changes[i].from, changes[i].to);
        }
}

/* A text after its NUL would be ignored, so one record would have many spellings. */
static void test_nul(void **state)
{
        static const char *const lines[] = {"audit 7917", "user deploy-bot", "rhost 10.1.2.3",
                                            "account prod:ci/deployer"};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(lines); i++) {
                char text[sizeof(sample_text)];

                memcpy(text, sample_text, sizeof(text));
                strstr(text, lines[i])[strlen(lines[i]) - 1] = '\0';
                if (parses(text, sizeof(text) - 1))
                        fail_msg("%s", lines[i]);
        }
}

static void test_limits(void **state)
{
        struct ksa_record record = sample_record();
        struct ksa_secret *token = ksa_secret_new(KSA_TOKEN_MAX + 1);

        (void)state;
        assert_non_null(token);
        memset(record.user, 'u', sizeof(record.user) - 1);
        memset(record.rhost, 'h', sizeof(record.rhost) - 1);
        memset(record.account + strlen("prod:ci/"), 'a',
               sizeof(record.account) - 1 - strlen("prod:ci/"));
        for (size_t i = 0; i < KSA_TOKEN_MAX; i++)
                assert_true(ksa_secret_append(token, "t", 1));
        struct ksa_secret *text = ksa_record_format(&record, token);
        assert_non_null(text);
        ksa_secret_free(&text);
        assert_true(ksa_secret_append(token, "t", 1));
        assert_null(ksa_record_format(&record, token));
        ksa_secret_free(&token);
}

/* What has no representation is not written, instead of being written so that it reads otherwise. */
static void test_values_without_representation(void **state)
{
        struct ksa_record record = sample_record();
        struct ksa_secret *token = secret_of("a b");

        (void)state;
        assert_null(ksa_record_format(&record, token));
        (void)snprintf(record.rhost, sizeof(record.rhost), "a\nuid 0");
        assert_null(ksa_record_format(&record, NULL));
        record = sample_record();
        record.sshd.start = UINT64_MAX;
        assert_null(ksa_record_format(&record, NULL));
        ksa_secret_free(&token);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_each_length),
                cmocka_unit_test(test_zeroed_tail),
                cmocka_unit_test(test_changes),
                cmocka_unit_test(test_nul),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_values_without_representation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

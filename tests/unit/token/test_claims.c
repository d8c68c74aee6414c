/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/signer.h"
#include "support/support.h"
#include "token/claims.h"

/* --- Audience --------------------------------------------------------------- */

#define OTHER "ssh://build-8.example.com"
#define API   ISSUER

static struct ksa_list list_of(const char **texts)
{
        struct ksa_list list = {.items = texts};

        while (texts[list.count] != NULL)
                list.count++;
        return list;
}

static const struct {
        const char *audiences[4];
        enum ksa_reason one;     /* multiple_audiences = no */
        enum ksa_reason several; /* = yes */
} audience_rows[] = {
        {{NULL}, KSA_NO_AUDIENCE, KSA_NO_AUDIENCE},
        {{AUDIENCE}, KSA_OK, KSA_OK},
        {{"ssh://second"}, KSA_OK, KSA_OK},
        {{OTHER}, KSA_WRONG_AUDIENCE, KSA_WRONG_AUDIENCE},
        {{API}, KSA_WRONG_AUDIENCE, KSA_WRONG_AUDIENCE},
        {{""}, KSA_WRONG_AUDIENCE, KSA_WRONG_AUDIENCE},
        {{AUDIENCE "/"}, KSA_WRONG_AUDIENCE, KSA_WRONG_AUDIENCE},
        {{"SSH://build-7.example.com"}, KSA_WRONG_AUDIENCE, KSA_WRONG_AUDIENCE},
        {{"ssh://build-7"}, KSA_WRONG_AUDIENCE, KSA_WRONG_AUDIENCE},
        {{AUDIENCE, API}, KSA_SEVERAL_AUDIENCES, KSA_OK},
        {{API, AUDIENCE}, KSA_SEVERAL_AUDIENCES, KSA_OK},
        {{AUDIENCE, AUDIENCE}, KSA_SEVERAL_AUDIENCES, KSA_OK},
        {{OTHER, API}, KSA_WRONG_AUDIENCE, KSA_WRONG_AUDIENCE},
};

static void test_audience(void **state)
{
        const char *accepted_texts[] = {AUDIENCE, "ssh://second", NULL};
        struct ksa_list accepted = list_of(accepted_texts);

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(audience_rows); i++) {
                struct ksa_token token = {0};
                struct ksa_error error = {0};
                const char *texts[4];

                memcpy(texts, audience_rows[i].audiences, sizeof(texts));
                token.audiences = list_of(texts);
                assert_int_equal(ksa_claims_audience(&token, &accepted, false, &error),
                                 audience_rows[i].one);
                assert_int_equal(ksa_claims_audience(&token, &accepted, true, &error),
                                 audience_rows[i].several);
        }
}

/* An empty list allows no audience. */
static void test_no_audience_is_accepted_by_an_empty_list(void **state)
{
        const char *texts[] = {AUDIENCE, NULL};
        struct ksa_token token = {.audiences = list_of(texts)};
        struct ksa_list accepted = {0};
        struct ksa_error error = {0};

        (void)state;
        assert_int_equal(ksa_claims_audience(&token, &accepted, false, &error), KSA_WRONG_AUDIENCE);
        assert_int_equal(ksa_claims_audience(&token, &accepted, true, &error), KSA_WRONG_AUDIENCE);
}

static void test_both_audiences_are_named(void **state)
{
        const char *texts[] = {"ssh://\"\n", NULL}, *accepted_texts[] = {AUDIENCE, NULL};
        struct ksa_token token = {.audiences = list_of(texts)};
        struct ksa_list accepted = list_of(accepted_texts);
        struct ksa_error error = {0};

        (void)state;
        assert_int_equal(ksa_claims_audience(&token, &accepted, false, &error), KSA_WRONG_AUDIENCE);
        assert_string_equal(error.text, "the token is for \"ssh://\\x22\\x0a\", this host is "
                                        "\"" AUDIENCE "\"");
}

/* --- Times ------------------------------------------------------------------ */

static struct ksa_token timed(int64_t exp, int64_t nbf, int64_t iat)
{
        return (struct ksa_token){.exp = {true, exp}, .nbf = {true, nbf}, .iat = {true, iat}};
}

static const struct {
        int64_t exp, nbf, iat; /* from NOW on */
        enum ksa_reason reason;
        const char *text;
} time_rows[] = {
        {600, 0, 0, KSA_OK, NULL},
        {0, -600, -600, KSA_OK, NULL},
        {-60, -600, -600, KSA_OK, NULL}, /* the edge of the leeway is inside */
        {-61, -600, -600, KSA_EXPIRED, "expired 61 s ago"},
        {-86400, -90000, -90000, KSA_EXPIRED, "expired 86400 s ago"},
        {600, 60, 0, KSA_OK, NULL},
        {600, 61, 0, KSA_NOT_YET_VALID, "not valid for another 61 s; the clocks may differ"},
        {600, 0, 60, KSA_OK, NULL},
        {600, 0, 61, KSA_NOT_YET_VALID, "issued 61 s in the future; the clocks may differ"},
        {-61, 61, 61, KSA_EXPIRED, NULL},
        {600, 100, 200, KSA_NOT_YET_VALID, "not valid for another 100 s; the clocks may differ"},
};

static void test_times(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(time_rows); i++) {
                struct ksa_token token = timed(NOW + time_rows[i].exp, NOW + time_rows[i].nbf,
                                               NOW + time_rows[i].iat);
                struct ksa_error error = {0};

                assert_int_equal(ksa_claims_times(&token, NOW, &error), time_rows[i].reason);
                if (time_rows[i].text != NULL)
                        assert_string_equal(error.text, time_rows[i].text);
        }
}

static void test_each_time_is_required(void **state)
{
        (void)state;
        for (unsigned missing = 0; missing < 3; missing++) {
                struct ksa_token token = timed(NOW + 600, NOW, NOW);
                struct ksa_error error = {0};

                *(struct ksa_time *[]){&token.exp, &token.nbf, &token.iat}[missing] =
                        (struct ksa_time){0};
                assert_int_equal(ksa_claims_times(&token, NOW, &error), KSA_BAD_CLAIMS);
        }
}

/* The largest times that the token reader lets through, at the ends of the clock. */
static void test_times_do_not_overflow(void **state)
{
        struct ksa_token last = timed(253402300799, 253402300799, 253402300799);
        struct ksa_token first = timed(0, 0, 0);

        (void)state;
        assert_int_equal(ksa_claims_times(&last, 0, NULL), KSA_NOT_YET_VALID);
        assert_int_equal(ksa_claims_times(&first, 253402300799, NULL), KSA_EXPIRED);
}

/* --- Lifetime --------------------------------------------------------------- */

static void test_lifetime(void **state)
{
        struct ksa_token hour = timed(NOW + 3600, NOW, NOW), longer = timed(NOW + 3601, NOW, NOW);
        struct ksa_token none = timed(NOW, NOW, NOW), backwards = timed(NOW, NOW, NOW + 1);
        struct ksa_error error = {0};

        (void)state;
        assert_int_equal(ksa_claims_lifetime(&hour, 3600, &error), KSA_OK);
        assert_int_equal(ksa_claims_lifetime(&longer, 3600, &error), KSA_LIFETIME);
        assert_string_equal(error.text, "has a lifetime of 3601 s, max_lifetime is 3600 s");
        assert_int_equal(ksa_claims_lifetime(&none, 3600, &error), KSA_OK);
        assert_int_equal(ksa_claims_lifetime(&backwards, 3600, &error), KSA_BAD_CLAIMS);
}

/* The whole life counts, from iat on, not what is left of it, nor what nbf makes of it. */
static void test_lifetime_is_exp_minus_iat(void **state)
{
        struct ksa_token token = timed(NOW + 10, NOW, NOW - 86400);

        (void)state;
        assert_int_equal(ksa_claims_lifetime(&token, 3600, NULL), KSA_LIFETIME);
}

/* --- Subject ---------------------------------------------------------------- */

static struct ksa_token deployer(void)
{
        return (struct ksa_token){.namespace = "ci",
                                  .account = "deployer",
                                  .account_uid = "055340be",
                                  .sub = "system:serviceaccount:ci:deployer"};
}

static void test_subject(void **state)
{
        struct ksa_token token = deployer();

        (void)state;
        assert_int_equal(ksa_claims_subject(&token, NULL), KSA_OK);
        token.jti = "360a28dd";
        token.pod = "job-1";
        token.pod_uid = "u-2";
        assert_int_equal(ksa_claims_subject(&token, NULL), KSA_OK);
        token.account = "deploy.v2";
        token.sub = "system:serviceaccount:ci:deploy.v2";
        assert_int_equal(ksa_claims_subject(&token, NULL), KSA_OK);
}

static const char *const not_subjects[] = {
        "",
        "deployer",
        "ci:deployer",
        "system:serviceaccount:ci:deployer2",
        "system:serviceaccount:ci:deploye",
        "system:serviceaccount:ci2:deployer",
        "system:serviceaccount::deployer",
        "system:serviceaccount:ci:deployer ",
        "system:serviceaccount:ci/deployer",
        "system:node:ci:deployer",
        "System:serviceaccount:ci:deployer",
        "xsystem:serviceaccount:ci:deployer",
};

static void test_other_subjects(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(not_subjects); i++) {
                struct ksa_token token = deployer();

                token.sub = not_subjects[i];
                if (ksa_claims_subject(&token, NULL) != KSA_BAD_SUBJECT)
                        fail_msg("sub '%s'", not_subjects[i]);
        }
        struct ksa_token token = deployer();
        token.sub = NULL;
        assert_int_equal(ksa_claims_subject(&token, NULL), KSA_BAD_SUBJECT);
}

/* One value out of each place that the account's name comes from. */
static const struct {
        size_t offset;
        const char *value;
        enum ksa_reason reason;
} members[] = {
#define MEMBER(field, value, reason)                             \
        {                                                        \
                offsetof(struct ksa_token, field), value, reason \
        }
        MEMBER(namespace, NULL, KSA_BAD_CLAIMS),
        MEMBER(namespace, "", KSA_BAD_CLAIMS),
        MEMBER(namespace, "*", KSA_BAD_CLAIMS),
        MEMBER(namespace, "Ci", KSA_BAD_CLAIMS),
        MEMBER(namespace, "a.b", KSA_BAD_CLAIMS), /* a label, not a subdomain */
        MEMBER(namespace, "ci:x", KSA_BAD_CLAIMS),
        MEMBER(namespace, "ci/x", KSA_BAD_CLAIMS),
        MEMBER(account, NULL, KSA_BAD_CLAIMS),
        MEMBER(account, "", KSA_BAD_CLAIMS),
        MEMBER(account, "*", KSA_BAD_CLAIMS),
        MEMBER(account, "Deployer", KSA_BAD_CLAIMS),
        MEMBER(account, "deployer\n", KSA_BAD_CLAIMS),
        MEMBER(account, "a:b", KSA_BAD_CLAIMS),
        MEMBER(account_uid, NULL, KSA_BAD_CLAIMS),
        MEMBER(account_uid, "", KSA_BAD_CLAIMS),
        MEMBER(account_uid, "a b", KSA_BAD_CLAIMS),
        MEMBER(account_uid, "a\nb", KSA_BAD_CLAIMS),
        MEMBER(pod, "", KSA_BAD_CLAIMS),
        MEMBER(pod, "Job", KSA_BAD_CLAIMS),
        MEMBER(pod, "a b", KSA_BAD_CLAIMS),
        MEMBER(pod_uid, "", KSA_BAD_CLAIMS),
        MEMBER(pod_uid, "a\x7f", KSA_BAD_CLAIMS),
        MEMBER(jti, "", KSA_BAD_CLAIMS),
        MEMBER(jti, "a\nb", KSA_BAD_CLAIMS),
        MEMBER(pod, NULL, KSA_OK),
        MEMBER(pod_uid, NULL, KSA_OK),
        MEMBER(jti, NULL, KSA_OK),
        MEMBER(account_uid, "anything-printable!", KSA_OK),
};

static void test_members(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(members); i++) {
                struct ksa_token token = deployer();
                char subject[512];

                *(const char **)(void *)((char *)&token + members[i].offset) = members[i].value;
                /* So that sub alone would not refuse it. */
                (void)snprintf(subject, sizeof(subject), "system:serviceaccount:%s:%s",
                               token.namespace != NULL ? token.namespace : "",
                               token.account != NULL ? token.account : "");
                token.sub = subject;
                if (ksa_claims_subject(&token, NULL) != members[i].reason)
                        fail_msg("row %zu: %s", i, members[i].value);
        }
}

static void test_uids_have_at_most_128_bytes(void **state)
{
        (void)state;
        for (size_t length = 128; length <= 129; length++) {
                enum ksa_reason wanted = length > 128 ? KSA_BAD_CLAIMS : KSA_OK;
                struct ksa_token token = deployer();
                char uid[130];

                memset(uid, 'u', sizeof(uid));
                uid[length] = '\0';
                token.account_uid = uid;
                assert_int_equal(ksa_claims_subject(&token, NULL), wanted);
                token = deployer();
                token.pod_uid = uid;
                assert_int_equal(ksa_claims_subject(&token, NULL), wanted);
                token = deployer();
                token.jti = uid;
                assert_int_equal(ksa_claims_subject(&token, NULL), wanted);
        }
}

/* The longest names that Kubernetes allows: the subject must not be cut before it is compared. */
static void test_longest_names(void **state)
{
        char namespace[64], account[254], subject[512];
        struct ksa_token token = deployer();

        (void)state;
        memset(namespace, 'n', sizeof(namespace));
        namespace[63] = '\0';
        memset(account, 'a', sizeof(account));
        account[253] = '\0';
        (void)snprintf(subject, sizeof(subject), "system:serviceaccount:%s:%s", namespace, account);
        token.namespace = namespace;
        token.account = account;
        token.sub = subject;
        assert_int_equal(ksa_claims_subject(&token, NULL), KSA_OK);
        subject[strlen(subject) - 1] = 'b';
        assert_int_equal(ksa_claims_subject(&token, NULL), KSA_BAD_SUBJECT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_audience),
                cmocka_unit_test(test_no_audience_is_accepted_by_an_empty_list),
                cmocka_unit_test(test_both_audiences_are_named),
                cmocka_unit_test(test_times),
                cmocka_unit_test(test_each_time_is_required),
                cmocka_unit_test(test_times_do_not_overflow),
                cmocka_unit_test(test_lifetime),
                cmocka_unit_test(test_lifetime_is_exp_minus_iat),
                cmocka_unit_test(test_subject),
                cmocka_unit_test(test_other_subjects),
                cmocka_unit_test(test_members),
                cmocka_unit_test(test_uids_have_at_most_128_bytes),
                cmocka_unit_test(test_longest_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

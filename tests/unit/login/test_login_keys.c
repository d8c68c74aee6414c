/* SPDX-License-Identifier: BSD-2-Clause */
/* key_lookup.c through the one decision: clusters that share an issuer, and one refresh of an unknown kid. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fake_cluster.h"
#include "support/login_fixture.h"
#include "token/keyset.h"

/* Two clusters of one issuer whose keys are fetched, and one whose keys are in a file. */
#define CONFIG                                                                             \
        "[host]\naudience = " AUDIENCE "\n[service pg]\naudience = pg\nlocal_user = no\n"  \
        "[cluster prod]\nissuer = " ISSUER "\nkeys = api\napi_server = https://10.0.0.1\n" \
        "[cluster twin]\nissuer = " ISSUER "\nkeys = api\napi_server = https://10.0.0.2\n" \
        "[cluster file]\nissuer = https://file\nkeys = file:/nowhere/at/all\n"             \
        "[rule deploy]\naccount = prod:ci/deployer file:ci/deployer\nuser = deploy-bot\n"  \
        "service = sshd pg\n"

struct trial {
        struct workdir *workdir;
        struct ksa_config *config;
        struct answers answers;
        const struct signer
                *published;          /* by prod, at the next refresh; NULL: nothing comes of it */
        uid_t real_uid;              /* of the next login */
        bool may_refresh, need_root; /* as the last decision had it */
};

static struct signer old_key, new_key;

/* Puts the cached form of JWKS in place, fetched SECONDS ago. */
static void cache_text(const struct trial *trial, const char *name, const char *jwks,
                       int64_t seconds)
{
        struct ksa_keyset *keyset = NULL;
        char path[128];

        assert_int_equal(ksa_keyset_parse(jwks, strlen(jwks), &keyset, NULL), KSA_OK);
        char *text = ksa_keyset_format(keyset, ksa_config_cluster(trial->config, name),
                                       NOW - seconds, 3600);
        (void)snprintf(path, sizeof(path), "%s/keys", name);
        workdir_write(trial->workdir, path, text);
        free(text);
        ksa_keyset_free(&keyset);
}

/* The same for a set of KEY alone. */
static void cache(const struct trial *trial, const char *name, const struct signer *key,
                  int64_t seconds)
{
        char *jwks = signer_jwks(key, 1);

        cache_text(trial, name, jwks, seconds);
        free(jwks);
}

static void publish(struct answers *answers)
{
        const struct trial *trial = answers->context;

        if (trial->published != NULL)
                cache(trial, "prod", trial->published, 0);
}

static int set_up(void **state)
{
        struct trial *trial = calloc(1, sizeof(*trial));

        assert_non_null(trial);
        (void)workdir_setup((void **)&trial->workdir);
        workdir_directory(trial->workdir, "prod");
        workdir_directory(trial->workdir, "twin");
        trial->answers = (struct answers){.on_refresh = publish, .context = trial};
        answers_use(&trial->workdir->env, &trial->answers);
        assert_int_equal(workdir_load(trial->workdir, CONFIG, &trial->config, NULL), KSA_OK);
        *state = trial;
        return 0;
}

static int tear_down(void **state)
{
        struct trial *trial = *state;

        ksa_config_free(&trial->config);
        (void)workdir_teardown((void **)&trial->workdir);
        free(trial);
        return 0;
}

/* A login by a token of KEY with one claim changed; RET may be NULL. */
static enum ksa_reason try(struct trial *trial, const struct signer *key, const char *member,
                           const char *value, uid_t effective_uid)
{
        char *claims = claims_with(member, value);
        struct ksa_secret *token = signer_token(key, NULL, claims);
        struct ksa_attempt attempt = attempt_with(token);
        struct ksa_decision decision;

        attempt.effective_uid = effective_uid;
        attempt.real_uid = trial->real_uid;
        if (effective_uid != 0)
                attempt.service = "pg";
        trial->answers.clusters[0] = '\0';
        trial->answers.refreshes = 0;
        ksa_login(trial->config, &trial->workdir->env, &attempt, &decision);
        enum ksa_reason reason = decision.reason;
        trial->may_refresh = decision.keys_may_refresh;
        trial->need_root = decision.keys_need_root;
        assert_int_equal(decision.keys_looked_again, trial->answers.refreshes > 0);
        assert_int_equal(decision.outcome == KSA_ALLOW, reason == KSA_OK);
        ksa_decision_clear(&decision);
        ksa_secret_free(&token);
        free(claims);
        return reason;
}

static void test_a_known_kid_asks_nobody(void **state)
{
        struct trial *trial = *state;

        cache(trial, "prod", &old_key, 86000);
        assert_int_equal(try(trial, &old_key, NULL, NULL, 0), KSA_OK);
        assert_int_equal(trial->answers.refreshes, 0);
}

/* prod alone: the rule names it, so the token could not be twin's. */
static void test_an_unknown_kid_is_worth_one_refresh(void **state)
{
        struct trial *trial = *state;

        cache(trial, "prod", &old_key, 10);
        cache(trial, "twin", &old_key, 10);
        trial->published = &new_key;
        assert_int_equal(try(trial, &new_key, NULL, NULL, 0), KSA_OK);
        assert_int_equal(trial->answers.refreshes, 1);
        assert_string_equal(trial->answers.clusters, "prod,");
        assert_int_equal(trial->answers.milliseconds, 5000);
        trial->published = NULL;
        cache(trial, "prod", &old_key, 10);
        assert_int_equal(try(trial, &new_key, NULL, NULL, 0), KSA_UNKNOWN_KID);
        assert_int_equal(trial->answers.refreshes, 1);
}

/* If this process cannot refresh, as in ksactl explain: whether a login would; no request is sent. */
static void test_whether_a_login_would_refresh(void **state)
{
        struct trial *trial = *state;
        static const struct {
                const char *member, *value;
                uid_t effective_uid;
                bool may;
        } table[] = {
                {NULL, NULL, 0, true},
                {"aud", "[\"other\"]", 0, false},
                {"iss", "\"https://file\"", 0, false},
                {"aud", "[\"pg\"]", 26, false},
        };

        for (size_t i = 0; i < KSA_COUNT(table); i++) {
                trial->workdir->env.refresh = NULL;
                enum ksa_reason reason = try(trial, &new_key, table[i].member, table[i].value,
                                             table[i].effective_uid);
                assert_int_not_equal(reason, KSA_OK);
                assert_int_equal(trial->may_refresh, table[i].may);
        }
        cache(trial, "prod", &old_key, 10);
        assert_int_equal(try(trial, &old_key, NULL, NULL, 0), KSA_OK);
        assert_false(trial->may_refresh);
        assert_int_equal(try(trial, &new_key, NULL, NULL, 0), KSA_UNKNOWN_KID);
        assert_true(trial->may_refresh);
        answers_use(&trial->workdir->env, &trial->answers);
        assert_int_equal(try(trial, &new_key, NULL, NULL, 0), KSA_UNKNOWN_KID);
        assert_false(trial->may_refresh); /* it was asked for */
}

static void test_a_set_that_is_missing_or_too_old(void **state)
{
        struct trial *trial = *state;

        assert_int_equal(try(trial, &new_key, NULL, NULL, 0), KSA_KEYS_UNUSABLE);
        assert_int_equal(trial->answers.refreshes, 1);
        trial->published = &new_key;
        assert_int_equal(try(trial, &new_key, NULL, NULL, 0), KSA_OK);
        cache(trial, "prod", &new_key, 86401);
        trial->published = NULL;
        assert_int_equal(try(trial, &new_key, NULL, NULL, 0), KSA_KEYS_STALE);
        assert_int_equal(trial->answers.refreshes, 1);
        trial->published = &new_key;
        assert_int_equal(try(trial, &new_key, NULL, NULL, 0), KSA_OK);
        cache(trial, "prod", &new_key, -KSA_KEYSET_AHEAD - 10); /* fetched in the future */
        assert_int_equal(try(trial, &new_key, NULL, NULL, 0), KSA_OK);
        assert_int_equal(trial->answers.refreshes, 1);
}

/* A token that could not be admitted causes no request. */
static void test_only_for_a_token_that_fits(void **state)
{
        static const struct {
                const char *member, *value;
        } unfit[] = {
                {"aud", "[\"ssh://other\"]"},
                {"exp", "1795463000"},
                {"nbf", "1795469000"},
                {"exp", "1795474267"}, /* too long a life */
                {"sub", "\"system:serviceaccount:ci:other\""},
                {"kubernetes.io/namespace", "\"dev\""},
                {"kubernetes.io/serviceaccount", NULL},
                {"kubernetes.io", NULL},
        };
        struct trial *trial = *state;

        cache(trial, "prod", &old_key, 10);
        trial->published = &new_key;
        for (size_t i = 0; i < KSA_COUNT(unfit); i++) {
                assert_int_equal(try(trial, &new_key, unfit[i].member, unfit[i].value, 0),
                                 KSA_UNKNOWN_KID);
                assert_int_equal(trial->answers.refreshes, 0);
        }
}

static void test_a_file_is_not_refreshed(void **state)
{
        struct trial *trial = *state;

        assert_int_equal(try(trial, &new_key, "iss", "\"https://file\"", 0), KSA_FILE_MISSING);
        assert_int_equal(trial->answers.refreshes, 0);
}

static void test_without_root_or_anybody_to_do_it(void **state)
{
        struct trial *trial = *state;

        cache(trial, "prod", &old_key, 10);
        trial->published = &new_key;
        assert_int_equal(try(trial, &old_key, "aud", "[\"pg\"]", 26), KSA_OK);
        assert_int_equal(try(trial, &new_key, "aud", "[\"pg\"]", 26), KSA_UNKNOWN_KID);
        assert_int_equal(trial->answers.refreshes, 0);
        trial->workdir->env.refresh = NULL;
        assert_int_equal(try(trial, &new_key, NULL, NULL, 0), KSA_UNKNOWN_KID);
}

/* sudo and su: their caller could kill, stop or freeze the refresh, and other logins would wait for it. */
static void test_a_caller_without_root_starts_no_refresh(void **state)
{
        struct trial *trial = *state;

        trial->real_uid = 1500;
        trial->published = &new_key;
        assert_int_equal(try(trial, &new_key, NULL, NULL, 0), KSA_KEYS_UNUSABLE);
        assert_true(trial->need_root);
        cache(trial, "prod", &old_key, 86401);
        assert_int_equal(try(trial, &old_key, NULL, NULL, 0), KSA_KEYS_STALE);
        assert_true(trial->need_root);
        cache(trial, "prod", &old_key, 10);
        assert_int_equal(try(trial, &new_key, NULL, NULL, 0), KSA_UNKNOWN_KID);
        assert_true(trial->need_root);
        assert_int_equal(trial->answers.refreshes, 0);
        /* A refresh would be of no use, or is not needed. */
        assert_int_equal(try(trial, &new_key, "aud", "[\"ssh://other\"]", 0), KSA_UNKNOWN_KID);
        assert_false(trial->need_root);
        assert_int_equal(try(trial, &old_key, NULL, NULL, 0), KSA_OK);
        assert_false(trial->need_root);
        trial->workdir->env.refresh = NULL; /* ksactl explain --service sudo */
        assert_int_equal(try(trial, &new_key, NULL, NULL, 0), KSA_UNKNOWN_KID);
        assert_true(trial->need_root && !trial->may_refresh);
        answers_use(&trial->workdir->env, &trial->answers);
        trial->real_uid = 0;
        assert_int_equal(try(trial, &new_key, NULL, NULL, 0), KSA_OK);
        assert_int_equal(trial->answers.refreshes, 1);
}

/* The error on the way is in the text; the reason does not change. */
static void test_a_refresh_that_fails(void **state)
{
        struct trial *trial = *state;

        cache(trial, "prod", &old_key, 10);
        trial->answers.refreshed = KSA_API_TIMEOUT;
        assert_int_equal(try(trial, &new_key, NULL, NULL, 0), KSA_UNKNOWN_KID);
        assert_int_equal(trial->answers.refreshes, 1);
        trial->published = &new_key; /* another process did it */
        assert_int_equal(try(trial, &new_key, NULL, NULL, 0), KSA_OK);
}

static void test_a_kid_of_two_clusters(void **state)
{
        struct trial *trial = *state;

        cache(trial, "prod", &old_key, 10);
        cache(trial, "twin", &old_key, 10);
        assert_int_equal(try(trial, &old_key, NULL, NULL, 0), KSA_AMBIGUOUS_KID);
        assert_int_equal(trial->answers.refreshes, 0);
}

/* A cached set with two keys of the kid that a token names: no login by either. */
static void test_a_kid_that_one_set_has_twice(void **state)
{
        struct trial *trial = *state;
        struct signer keys[] = {signer_new(KSA_ES256, "old"), signer_new(KSA_ES384, "old"),
                                new_key};
        char *jwks = signer_jwks(keys, 3);

        cache_text(trial, "prod", jwks, 10);
        assert_int_equal(try(trial, &keys[0], NULL, NULL, 0), KSA_AMBIGUOUS_KID);
        assert_int_equal(try(trial, &keys[1], NULL, NULL, 0), KSA_AMBIGUOUS_KID);
        assert_int_equal(try(trial, &new_key, NULL, NULL, 0), KSA_OK);
        cache(trial, "twin", &old_key, 10);
        assert_int_equal(try(trial, &old_key, NULL, NULL, 0), KSA_AMBIGUOUS_KID);
        cache_text(trial, "twin", jwks, 10);
        cache(trial, "prod", &old_key, 10);
        assert_int_equal(try(trial, &old_key, NULL, NULL, 0), KSA_AMBIGUOUS_KID);
        assert_int_equal(trial->answers.refreshes, 0);
        free(jwks);
        signer_free(&keys[0]);
        signer_free(&keys[1]);
}

static int make_keys(void **state)
{
        (void)state;
        old_key = signer_new(KSA_ES256, "old");
        new_key = signer_new(KSA_ES256, "new");
        return 0;
}

static int free_keys(void **state)
{
        (void)state;
        signer_free(&old_key);
        signer_free(&new_key);
        return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(test_a_known_kid_asks_nobody),
                TEST(test_an_unknown_kid_is_worth_one_refresh),
                TEST(test_whether_a_login_would_refresh),
                TEST(test_a_set_that_is_missing_or_too_old),
                TEST(test_only_for_a_token_that_fits),
                TEST(test_a_file_is_not_refreshed),
                TEST(test_without_root_or_anybody_to_do_it),
                TEST(test_a_caller_without_root_starts_no_refresh),
                TEST(test_a_refresh_that_fails),
                TEST(test_a_kid_of_two_clusters),
                TEST(test_a_kid_that_one_set_has_twice),
        };

        return cmocka_run_group_tests(tests, make_keys, free_keys);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refresh.c and key_source.c, with answers from a table: when it sends a request, and when a set is
 * replaced.
 */
#include "admin/keys/refresh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/keys/key_source.h"
#include "support/fake_cluster.h"
#include "support/signer.h"
#include "support/support.h"

#define CONFIG                                                                                   \
        "[host]\naudience = " AUDIENCE "\n"                                                      \
        "[cluster prod]\nissuer = https://issuer/id\nkeys = %s\napi_server = https://api:6443\n" \
        "keys_max_stale = %s\ncredential_file = %s/credential\n"

static struct signer keys[2];
static char *sets[2];     /* of one key each */
static int64_t boot_time; /* env.uptime */

struct trial {
        struct workdir *workdir;
        struct ksa_config *config;
        const struct ksa_cluster *cluster;
        struct answer_row rows[3];
        struct answers answers;
        char run_dir[96], cache_dir[96];
};

static int64_t uptime(void)
{
        return boot_time;
}

static void configure(struct trial *trial, const char *source, const char *stale)
{
        struct ksa_error error = {0};
        char text[1024];

        ksa_config_free(&trial->config);
        (void)snprintf(text, sizeof(text), CONFIG, source, stale, trial->workdir->directory);
        if (workdir_load(trial->workdir, text, &trial->config, &error) != KSA_OK)
                fail_msg("%s", error.text);
        trial->cluster = ksa_config_cluster(trial->config, "prod");
}

static int set_up(void **state)
{
        struct trial *trial = calloc(1, sizeof(*trial));
        char path[128];

        assert_non_null(trial);
        (void)workdir_setup((void **)&trial->workdir);
        (void)snprintf(trial->run_dir, sizeof(trial->run_dir), "%s/run", trial->workdir->directory);
        (void)snprintf(trial->cache_dir, sizeof(trial->cache_dir), "%s/cache",
                       trial->workdir->directory);
        (void)snprintf(path, sizeof(path), "%s/credential", trial->workdir->directory);
        workdir_write(trial->workdir, "credential", "the-bearer\n");
        assert_int_equal(chmod(path, 0600), 0);
        trial->workdir->env.run_dir = trial->run_dir;
        trial->workdir->env.cache_dir = trial->cache_dir;
        trial->workdir->env.uptime = uptime;
        boot_time = 1000000000;
        trial->rows[0] = (struct answer_row){
                .url = "/keys", .status = 200, .body = sets[0], .max_age = 3600};
        trial->rows[1] = (struct answer_row){
                .url = "/jwks", .status = 200, .body = sets[0], .max_age = 3600};
        trial->rows[2] =
                (struct answer_row){.url = "/.well-known/openid-configuration", .status = 200};
        trial->answers = (struct answers){.rows = trial->rows, .count = 3};
        answers_use(&trial->workdir->env, &trial->answers);
        configure(trial, "api", "24h");
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

static int make_keys(void **state)
{
        static const char *const kids[] = {"k1", "k2"};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(keys); i++) {
                keys[i] = signer_new(KSA_ES256, kids[i]);
                sets[i] = signer_jwks(&keys[i], 1);
        }
        return 0;
}

static int free_keys(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(keys); i++) {
                signer_free(&keys[i]);
                free(sets[i]);
        }
        return 0;
}

static enum ksa_reason refresh(struct trial *trial, struct ksa_refresh_request options,
                               struct ksa_refreshed *ret_refreshed)
{
        struct ksa_error error = {0};

        options.milliseconds = 1234;
        *ret_refreshed = (struct ksa_refreshed){0};
        enum ksa_reason reason =
                ksa_refresh(trial->cluster, &trial->workdir->env, &options, ret_refreshed, &error);
        assert_int_equal(reason == KSA_OK, error.text[0] == '\0');
        assert_true(reason == KSA_OK || !ret_refreshed->asked);
        return reason;
}

/* Refreshes without a condition, which must work. */
static struct ksa_refreshed refresh_now(struct trial *trial)
{
        struct ksa_refreshed refreshed;

        assert_int_equal(refresh(trial, (struct ksa_refresh_request){0}, &refreshed), KSA_OK);
        assert_true(refreshed.asked);
        return refreshed;
}

/* Whether the cached set has the key; false without a usable set. */
static bool cached(const struct trial *trial, const char *kid)
{
        struct ksa_keyset *keyset = NULL;
        struct ksa_jwk jwk;
        bool has = ksa_keyset_open(trial->cluster, &trial->workdir->env, &keyset, NULL) == KSA_OK &&
                   ksa_keyset_find(keyset, kid, &jwk, NULL) == KSA_OK;

        ksa_keyset_free(&keyset);
        return has;
}

/* --- What it does ----------------------------------------------------------- */

static void test_a_first_set(void **state)
{
        struct trial *trial = *state;
        struct ksa_refreshed refreshed = refresh_now(trial);

        assert_false(refreshed.replaced);
        assert_int_equal(refreshed.keys, 1);
        assert_int_equal(refreshed.max_age, 3600);
        assert_between(refreshed.next, NOW + 1800, NOW + 3600);
        assert_true(cached(trial, "k1"));
        assert_string_equal(trial->answers.url, "https://api:6443/openid/v1/jwks");
        assert_string_equal(trial->answers.method, "GET");
        assert_string_equal(trial->answers.accept, "application/jwk-set+json, application/json");
        assert_string_equal(trial->answers.bearer, "the-bearer");
        assert_int_equal(trial->answers.milliseconds, 1234);
}

static void test_no_max_age(void **state)
{
        struct trial *trial = *state;

        trial->rows[1].max_age = -1;
        struct ksa_refreshed refreshed = refresh_now(trial);
        assert_int_equal(refreshed.max_age, 0);
        assert_between(refreshed.next, NOW + KSA_FRESH_MIN / 2, NOW + KSA_FRESH_MIN);
}

static void test_replaced(void **state)
{
        struct trial *trial = *state;
        char *both = NULL;

        (void)refresh_now(trial);
        both = signer_jwks(keys, 2);
        trial->rows[1].body = both;
        struct ksa_refreshed refreshed = refresh_now(trial);
        assert_false(refreshed.replaced);
        assert_int_equal(refreshed.keys, 2);
        trial->rows[1].body = sets[1];
        assert_false(refresh_now(trial).replaced); /* k2 was there */
        trial->rows[1].body = sets[0];
        assert_true(refresh_now(trial).replaced);
        assert_true(cached(trial, "k1"));
        assert_false(cached(trial, "k2"));
        /* A set that was of no use any more is not missed. */
        trial->workdir->env.now += 86401;
        trial->rows[1].body = sets[1];
        assert_false(refresh_now(trial).replaced);
        free(both);
}

/* A kid is a digest of its key: the API server never gives it to another key. */
static void test_another_key_under_a_known_kid(void **state)
{
        struct trial *trial = *state;
        struct signer forged = signer_new(KSA_ES256, keys[0].kid);
        char *set = signer_jwks(&forged, 1);

        trial->rows[1].body = sets[0];
        assert_false(refresh_now(trial).changed);
        assert_false(refresh_now(trial).changed);
        trial->rows[1].body = set;
        struct ksa_refreshed refreshed = refresh_now(trial);
        assert_true(refreshed.changed);
        assert_false(refreshed.replaced);
        free(set);
        signer_free(&forged);
}

static void test_sources(void **state)
{
        struct trial *trial = *state;
        static const struct {
                const char *source, *document; /* the jwks_uri in it */
                const char *url, *bearer;
                enum ksa_reason reason;
        } rows[] = {
                {"https://keys.example/keys", NULL, "https://keys.example/keys", "", KSA_OK},
                {"https://api:6443/keys", NULL, "https://api:6443/keys", "", KSA_OK},
                {"discover", "https://issuer/jwks", "https://issuer/jwks", "", KSA_OK},
                {"discover", "https://api:6443/jwks", "https://api:6443/jwks", "the-bearer",
                 KSA_OK},
                {"discover", "https://API:6443/jwks?x", "https://API:6443/jwks?x", "the-bearer",
                 KSA_OK},
                {"discover", "https://api/jwks", "https://api/jwks", "", KSA_OK},
                {"discover", "https://api:6443@other/jwks", NULL, NULL, KSA_API_BROKEN},
                {"discover", "http://api:6443/jwks", NULL, NULL, KSA_API_BROKEN},
        };

        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_refreshed refreshed;
                char document[256];

                configure(trial, rows[i].source, "24h");
                (void)snprintf(document, sizeof(document),
                               "{\"issuer\":\"https://issuer/id\",\"jwks_uri\":\"%s\"}",
                               rows[i].document);
                trial->rows[2].body = document;
                assert_int_equal(refresh(trial, (struct ksa_refresh_request){0}, &refreshed),
                                 rows[i].reason);
                if (rows[i].reason != KSA_OK)
                        continue;
                assert_string_equal(trial->answers.url, rows[i].url);
                assert_string_equal(trial->answers.bearer, rows[i].bearer);
                assert_true(cached(trial, "k1"));
        }
}

/* --- What does not replace a set -------------------------------------------- */

static void test_refused(void **state)
{
        struct trial *trial = *state;
        static const struct answer_row rows[] = {
                {.reason = KSA_API_UNREACHABLE},
                {.reason = KSA_API_TIMEOUT},
                {.status = 301, .body = "{}"},
                {.status = 401, .body = "{}"},
                {.status = 500, .body = "{}"},
                {.status = 200, .body = ""},
                {.status = 200, .body = "{\"keys\":[]}"},
                {.status = 200, .body = "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"k1\"}]}"},
                {.status = 200,
                 .body = "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"k1\",\"crv\":\"P-256\","
                         "\"x\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\","
                         "\"y\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\"}]}"},
        };

        (void)refresh_now(trial);
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_refreshed refreshed;

                trial->rows[1] = rows[i];
                trial->rows[1].url = "/jwks";
                assert_int_not_equal(refresh(trial, (struct ksa_refresh_request){0}, &refreshed),
                                     KSA_OK);
                assert_true(cached(trial, "k1"));
        }
        assert_int_equal(trial->answers.requests, 1 + KSA_COUNT(rows));
}

/* --- When it asks ----------------------------------------------------------- */

static void test_cooldown(void **state)
{
        struct trial *trial = *state;
        const struct ksa_refresh_request options = {.cooldown = true};
        static const struct {
                int64_t after;
                bool asks;
        } rows[] = {{0, false},      {KSA_COOLDOWN - 1, false},  {KSA_COOLDOWN, true},
                    {-1, false},     {-KSA_COOLDOWN + 1, false}, {-KSA_COOLDOWN, true},
                    {86400000, true}};

        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_refreshed refreshed;

                boot_time = 1000000000;
                (void)refresh_now(trial);
                boot_time += rows[i].after;
                assert_int_equal(refresh(trial, options, &refreshed), KSA_OK);
                assert_int_equal(refreshed.asked, rows[i].asks);
        }
}

static void test_a_failure_is_an_attempt(void **state)
{
        struct trial *trial = *state;
        const struct ksa_refresh_request options = {.cooldown = true};
        struct ksa_refreshed refreshed;

        trial->rows[1].reason = KSA_API_UNREACHABLE;
        assert_int_equal(refresh(trial, options, &refreshed), KSA_API_UNREACHABLE);
        assert_int_equal(refresh(trial, options, &refreshed), KSA_OK);
        assert_false(refreshed.asked);
        assert_int_equal(trial->answers.requests, 1);
}

static int64_t next(const struct trial *trial, int64_t fetched, int64_t max_age)
{
        return ksa_refresh_next(trial->cluster, &trial->workdir->env, fetched, max_age);
}

static void test_next(void **state)
{
        struct trial *trial = *state;
        static const struct {
                const char *stale;
                int64_t max_age, fresh;
        } rows[] = {{"24h", 0, 300},       {"24h", 299, 300},     {"24h", 301, 301},
                    {"24h", 43200, 43200}, {"24h", 43201, 43200}, {"24h", INT32_MAX, 43200},
                    {"8m", 3600, 240},     {"8m", 0, 240},        {"60s", 0, 30}};

        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_refreshed refreshed;

                configure(trial, "api", rows[i].stale);
                int64_t due = next(trial, NOW, rows[i].max_age);
                assert_between(due, NOW + rows[i].fresh / 2, NOW + rows[i].fresh);
                trial->rows[1].max_age = rows[i].max_age == 0 ? -1 : rows[i].max_age;
                trial->workdir->env.now = NOW;
                (void)refresh_now(trial);
                trial->workdir->env.now = due;
                assert_int_equal(
                        refresh(trial, (struct ksa_refresh_request){.if_due = true}, &refreshed),
                        KSA_OK);
                assert_false(refreshed.asked);
                trial->workdir->env.now++;
                assert_int_equal(
                        refresh(trial, (struct ksa_refresh_request){.if_due = true}, &refreshed),
                        KSA_OK);
                assert_true(refreshed.asked);
        }
}

/* Hosts that start together, with or without a set: each by its own share, and within today's limit. */
static void test_next_after_a_start(void **state)
{
        struct trial *trial = *state;
        struct ksa_env *env = &trial->workdir->env;

        configure(trial, "api", "24h");
        boot_time = 0;
        assert_between(next(trial, 0, 0), NOW + 1, NOW + KSA_START_SPREAD);
        assert_between(next(trial, NOW - 3600, 3600), NOW + 1, NOW + 1800); /* overdue */
        assert_between(next(trial, NOW - 43100, 43200), NOW, NOW + 100);    /* the limit is near */
        assert_between(next(trial, NOW - 80000, 43200), NOW + 1, NOW + KSA_START_SPREAD);
        assert_between(next(trial, NOW - 80000, 300), NOW, NOW + 150);
        int64_t due = next(trial, NOW, 3600);
        assert_between(due, NOW + 1800, NOW + 3600);
        env->now = NOW + 1000;
        boot_time = INT64_C(1000) * 1000;
        assert_int_equal(next(trial, NOW, 3600), due); /* it does not move with the clock */
        boot_time = INT64_C(7200) * 1000;
        assert_true(next(trial, 0, 0) < env->now);
        assert_true(next(trial, NOW - 80000, 3600) < env->now);
}

/* The requests of 10,000 hosts that start together, without a set: peaked at 15 times the mean. */
static void test_hosts_that_start_together_asked_together(void **state)
{
        enum { HOSTS = 10000, WINDOW = 10, SPAN = 5 * 3600 };
        static unsigned windows[SPAN / WINDOW];
        struct trial *trial = *state;
        struct ksa_env *env = &trial->workdir->env;
        unsigned requests = 0, most = 0;
        char name[32];

        configure(trial, "api", "24h");
        memset(windows, 0, sizeof(windows));
        boot_time = 0;
        env->host_name = name;
        for (unsigned i = 0; i < HOSTS; i++) {
                (void)snprintf(name, sizeof(name), "node-%u", i);
                int64_t fetched = 0, due;

                while ((due = next(trial, fetched, 3600)) - NOW < SPAN) {
                        assert_true(fetched == 0 || (due > fetched && due <= fetched + 3600));
                        windows[(due - NOW) / WINDOW]++;
                        fetched = due;
                }
        }
        for (unsigned i = 0; i < SPAN / WINDOW; i++) {
                most = windows[i] > most ? windows[i] : most;
                requests += windows[i];
        }
        assert_true(requests > 5 * HOSTS);
        assert_true(most * (SPAN / WINDOW) <= 3 * requests);
}

static void test_if_older(void **state)
{
        struct trial *trial = *state;
        const struct ksa_refresh_request options = {.if_older = true, .age = 100};
        struct ksa_refreshed refreshed;

        assert_int_equal(refresh(trial, options, &refreshed), KSA_OK);
        assert_true(refreshed.asked); /* the set was missing */
        trial->workdir->env.now += 100;
        assert_int_equal(refresh(trial, options, &refreshed), KSA_OK);
        assert_false(refreshed.asked);
        trial->workdir->env.now++;
        assert_int_equal(refresh(trial, options, &refreshed), KSA_OK);
        assert_true(refreshed.asked);
}

/* --- Forgetting ------------------------------------------------------------- */

static void test_purge(void **state)
{
        struct trial *trial = *state;
        struct ksa_refreshed refreshed;
        struct ksa_error error = {0};

        assert_int_equal(ksa_refresh_purge(trial->cluster, &trial->workdir->env, &error), KSA_OK);
        (void)refresh_now(trial);
        assert_int_equal(ksa_refresh_purge(trial->cluster, &trial->workdir->env, &error), KSA_OK);
        assert_false(cached(trial, "k1"));
        assert_int_equal(refresh(trial, (struct ksa_refresh_request){.cooldown = true}, &refreshed),
                         KSA_OK);
        assert_true(refreshed.asked);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_a_first_set),
                TEST(test_no_max_age),
                TEST(test_replaced),
                TEST(test_another_key_under_a_known_kid),
                TEST(test_sources),
                TEST(test_refused),
                TEST(test_cooldown),
                TEST(test_next),
                TEST(test_next_after_a_start),
                TEST(test_hosts_that_start_together_asked_together),
                TEST(test_a_failure_is_an_attempt),
                TEST(test_if_older),
                TEST(test_purge),
        };

        return cmocka_run_group_tests(tests, make_keys, free_keys);
}

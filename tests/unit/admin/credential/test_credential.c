/* SPDX-License-Identifier: BSD-2-Clause */
/* credential.c with answers from a table: the requests, their tokens, and the stored credential. */
#include "admin/credential/credential.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/fake_cluster.h"
#include "support/signer.h"
#include "support/support.h"

#define CONFIG                                                                   \
        "[host]\naudience = " AUDIENCE "\n[cluster prod]\nissuer = " ISSUER "\n" \
        "keys = api\napi_server = https://api:6443\ncredential_file = %s/credentials/prod\n"

#define ANSWER                                                                                \
        "{\"kind\":\"TokenRequest\",\"apiVersion\":\"authentication.k8s.io/v1\",\"spec\":{}," \
        "\"status\":{\"token\":\"%s\",\"expirationTimestamp\":\"2026-11-24T10:00:00Z\"}}"

static struct signer signer;

struct trial {
        struct workdir *workdir;
        struct ksa_config *config;
        const struct ksa_cluster *cluster;
        struct answer_row row;
        struct answers answers;
        char run_dir[96], body[4096];
};

static int set_up(void **state)
{
        struct trial *trial = calloc(1, sizeof(*trial));
        char text[512];

        assert_non_null(trial);
        (void)workdir_setup((void **)&trial->workdir);
        (void)snprintf(trial->run_dir, sizeof(trial->run_dir), "%s/run", trial->workdir->directory);
        trial->workdir->env.run_dir = trial->run_dir;
        trial->row = (struct answer_row){
                .url = "https://api:6443/api/v1/namespaces/ci/serviceaccounts/deployer/token",
                .status = 201,
                .body = trial->body};
        trial->answers = (struct answers){.rows = &trial->row, .count = 1};
        answers_use(&trial->workdir->env, &trial->answers);
        (void)snprintf(text, sizeof(text), CONFIG, trial->workdir->directory);
        assert_int_equal(workdir_load(trial->workdir, text, &trial->config, NULL), KSA_OK);
        trial->cluster = ksa_config_cluster(trial->config, "prod");
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

static int make_key(void **state)
{
        (void)state;
        signer = signer_new(KSA_ES256, "k1");
        return 0;
}

static int free_key(void **state)
{
        (void)state;
        signer_free(&signer);
        return 0;
}

/* A token of ci/deployer from NOW to NOW + 600, with one claim changed. */
static struct ksa_secret *token_with(const char *member, const char *value)
{
        char *claims = claims_with(member, value);
        struct ksa_secret *token = signer_token(&signer, NULL, claims);

        free(claims);
        return token;
}

/* Has the cluster grant a token with one claim changed. */
static void grant(struct trial *trial, const char *member, const char *value)
{
        struct ksa_secret *token = token_with(member, value);

        (void)snprintf(trial->body, sizeof(trial->body), ANSWER, ksa_secret_bytes(token));
        ksa_secret_free(&token);
}

/* The file as it is; "" if it does not exist. The caller frees it. */
static char *kept(const struct trial *trial)
{
        struct stat status;
        const char *path = trial->cluster->credential_file;

        if (stat(path, &status) != 0)
                return strdup("");
        assert_int_equal(status.st_mode & 07777, 0600);
        return read_whole(path);
}

static enum ksa_reason init(struct trial *trial, const struct ksa_secret *given)
{
        struct ksa_credential credential;
        struct ksa_error error = {0};
        const struct ksa_credential_renewal renewal = {trial->cluster, &trial->workdir->env, 1234};
        enum ksa_reason reason = ksa_credential_init(&renewal, given, 3600, &credential, &error);

        assert_int_equal(reason == KSA_OK, error.text[0] == '\0');
        assert_null(strstr(error.text, ksa_secret_bytes(given) + 40));
        ksa_credential_clear(&credential);
        return reason;
}

static enum ksa_reason renew(struct trial *trial, bool if_due, bool *ret_renewed)
{
        struct ksa_credential credential;
        struct ksa_error error = {0};
        const struct ksa_credential_renewal renewal = {trial->cluster, &trial->workdir->env, 1234};
        enum ksa_reason reason =
                ksa_credential_renew(&renewal, if_due, ret_renewed, &credential, &error);

        assert_int_equal(reason == KSA_OK, error.text[0] == '\0');
        assert_int_equal(reason == KSA_OK, credential.text != NULL && credential.token.exp.given &&
                                                   error.text[0] == '\0');
        ksa_credential_clear(&credential);
        return reason;
}

/* --- The first -------------------------------------------------------------- */

static void test_init(void **state)
{
        struct trial *trial = *state;
        struct ksa_secret *given = token_with("jti", "\"first\"");

        grant(trial, "jti", "\"second\"");
        assert_int_equal(init(trial, given), KSA_OK);
        assert_string_equal(trial->answers.method, "POST");
        assert_int_equal(strncmp(trial->answers.bearer, ksa_secret_bytes(given),
                                 sizeof(trial->answers.bearer) - 1),
                         0);
        assert_non_null(strstr(trial->answers.body, "\"expirationSeconds\":3600"));
        assert_int_equal(trial->answers.milliseconds, 1234);
        char *text = kept(trial);
        assert_non_null(strstr(trial->body, text));
        free(text);
        ksa_secret_free(&given);
}

static void test_init_that_is_forbidden(void **state)
{
        struct trial *trial = *state;
        struct ksa_secret *given = token_with(NULL, NULL);

        trial->row.status = 403;
        assert_int_equal(init(trial, given), KSA_API_FORBIDDEN);
        char *text = kept(trial);
        assert_string_equal(text, ksa_secret_bytes(given));
        free(text);
        ksa_secret_free(&given);
}

static void test_init_with_what_is_none(void **state)
{
        struct trial *trial = *state;
        static const struct {
                const char *member, *value;
                enum ksa_reason reason;
        } rows[] = {{"exp", "1795464268", KSA_EXPIRED},
                    /* another cluster's, which must not be sent to this one */
                    {"iss", "\"https://other\"", KSA_UNKNOWN_ISSUER},
                    {"iss", NULL, KSA_UNKNOWN_ISSUER},
                    {"exp", NULL, KSA_NOT_A_TOKEN},
                    {"iat", NULL, KSA_NOT_A_TOKEN},
                    {"iat", "1795464867", KSA_NOT_A_TOKEN}, /* as exp */
                    {"kubernetes.io", NULL, KSA_NOT_A_TOKEN},
                    {"kubernetes.io/namespace", "\"a/b\"", KSA_NOT_A_TOKEN},
                    {"kubernetes.io/serviceaccount/name", "\"../x\"", KSA_NOT_A_TOKEN},
                    {"exp", "\"x\"", KSA_NOT_A_TOKEN}};

        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_secret *given = token_with(rows[i].member, rows[i].value);

                trial->workdir->env.now = NOW + 1; /* iat is NOW */
                assert_int_equal(init(trial, given), rows[i].reason);
                ksa_secret_free(&given);
        }
        assert_int_equal(trial->answers.requests, 0);
        char *text = kept(trial);
        assert_string_equal(text, "");
        free(text);
}

/* --- The next --------------------------------------------------------------- */

static void test_due(void **state)
{
        struct trial *trial = *state;
        struct ksa_secret *given = token_with(NULL, NULL);
        static const struct {
                int64_t now;
                bool due;
        } rows[] = {{NOW, false},      {NOW + 149, false}, {NOW + 300, true},
                    {NOW + 599, true}, {NOW + 601, true},  {NOW - 100, false}};

        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                bool renewed;

                trial->workdir->env.now = NOW;
                trial->row.status = 403;
                assert_int_equal(init(trial, given), KSA_API_FORBIDDEN); /* so it is kept */
                trial->row.status = 201;
                grant(trial, "exp", "1795465000");
                trial->workdir->env.now = rows[i].now;
                assert_int_equal(renew(trial, true, &renewed), KSA_OK);
                assert_int_equal(renewed, rows[i].due);
                char *text = kept(trial);
                assert_int_equal(strcmp(text, ksa_secret_bytes(given)) != 0, rows[i].due);
                free(text);
        }
        ksa_secret_free(&given);
}

static int64_t long_ago(void)
{
        return INT64_C(30) * 86400 * 1000;
}

static int64_t just_now(void)
{
        return 0;
}

/* Each host in its own part of the second quarter of its life; after a start, with half of the rest to go. */
static void test_due_is_another_time_on_each_host(void **state)
{
        struct trial *trial = *state;
        struct ksa_env *env = &trial->workdir->env;
        struct ksa_token token = {.iat = {.given = true, .seconds = NOW},
                                  .exp = {.given = true, .seconds = NOW + 86400}};
        unsigned hours[6] = {0};
        char name[32];

        env->host_name = name;
        for (unsigned i = 0; i < 1200; i++) {
                (void)snprintf(name, sizeof(name), "node-%u", i);
                env->now = NOW;
                env->uptime = long_ago;
                int64_t due = ksa_credential_due(trial->cluster, env, &token);
                assert_between(due, NOW + 21600, NOW + 43200);
                hours[due == NOW + 43200 ? 5 : (due - NOW - 21600) / 3600]++;
                env->now = NOW + 80000;
                env->uptime = just_now;
                due = ksa_credential_due(trial->cluster, env, &token);
                assert_between(due, env->now, env->now + 3200);
        }
        for (unsigned i = 0; i < KSA_COUNT(hours); i++)
                assert_between(hours[i], 100, 300);
}

/* Time is left for two runs of the timer. If there is less, the credential is due at once. */
static void test_a_host_that_started_late_in_its_life_let_it_expire(void **state)
{
        static const int64_t left[] = {60, 600, 1200, 1300, 1800, 3600, 7200};
        struct trial *trial = *state;
        struct ksa_env *env = &trial->workdir->env;
        struct ksa_token token = {.iat = {.given = true, .seconds = NOW},
                                  .exp = {.given = true, .seconds = NOW + 86400}};
        char name[32];

        env->host_name = name;
        env->uptime = just_now;
        for (unsigned i = 0; i < 200 * KSA_COUNT(left); i++) {
                int64_t rest = left[i % KSA_COUNT(left)];

                (void)snprintf(name, sizeof(name), "node-%u", i);
                env->now = token.exp.seconds - rest;
                int64_t due = ksa_credential_due(trial->cluster, env, &token);
                assert_between(due, env->now, env->now + (rest > 1200 ? rest - 1200 : 0));
        }
}

static void test_the_old_one_stays(void **state)
{
        struct trial *trial = *state;
        struct ksa_secret *given = token_with(NULL, NULL);
        static const struct {
                enum ksa_reason transport;
                int status;
                const char *member, *value; /* of the token that comes, which is whole for "" */
                enum ksa_reason reason;
        } rows[] = {
                {KSA_API_UNREACHABLE, 0, NULL, NULL, KSA_API_UNREACHABLE},
                {KSA_API_TLS, 0, NULL, NULL, KSA_API_TLS},
                {KSA_OK, 401, NULL, NULL, KSA_API_UNAUTHORIZED},
                {KSA_OK, 403, NULL, NULL, KSA_API_FORBIDDEN},
                {KSA_OK, 500, NULL, NULL, KSA_API_ERROR},
                {KSA_OK, 201, "kubernetes.io/serviceaccount/uid", "\"x\"", KSA_API_BROKEN},
                {KSA_OK, 201, "exp", "1795464267", KSA_API_BROKEN},
                {KSA_OK, 201, "iat", NULL, KSA_API_BROKEN},
        };

        trial->row.status = 403;
        assert_int_equal(init(trial, given), KSA_API_FORBIDDEN);
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                bool renewed = true;

                trial->row.reason = rows[i].transport;
                trial->row.status = rows[i].status;
                grant(trial, rows[i].member, rows[i].value);
                assert_int_equal(renew(trial, false, &renewed), rows[i].reason);
                assert_false(renewed);
                char *text = kept(trial);
                assert_string_equal(text, ksa_secret_bytes(given));
                free(text);
        }
        ksa_secret_free(&given);
}

static void test_without_one(void **state)
{
        struct trial *trial = *state;
        bool renewed;

        assert_int_equal(renew(trial, false, &renewed), KSA_FILE_MISSING);
        workdir_directory(trial->workdir, "credentials");
        workdir_write(trial->workdir, "credentials/prod", "opaque\n");
        assert_int_equal(renew(trial, false, &renewed), KSA_FILE_UNSAFE); /* mode 0644 */
        assert_int_equal(chmod(trial->cluster->credential_file, 0600), 0);
        assert_int_equal(renew(trial, false, &renewed), KSA_NOT_A_TOKEN);
        assert_int_equal(trial->answers.requests, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_init),
                TEST(test_init_that_is_forbidden),
                TEST(test_init_with_what_is_none),
                TEST(test_due),
                TEST(test_due_is_another_time_on_each_host),
                TEST(test_a_host_that_started_late_in_its_life_let_it_expire),
                TEST(test_the_old_one_stays),
                TEST(test_without_one),
        };

        return cmocka_run_group_tests(tests, make_key, free_key);
}

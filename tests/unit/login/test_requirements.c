/* SPDX-License-Identifier: BSD-2-Clause */
/* requirements.c: further requirements of a rule, through the one decision. */
#include "login/requirements.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "login/report.h"
#include "support/fake_cluster.h"
#include "support/login_fixture.h"

#define REVIEW "/tokenreviews"
#define ACCESS "/subjectaccessreviews"
#define GOOD_REVIEW                                                                          \
        "{\"kind\":\"TokenReview\",\"apiVersion\":\"authentication.k8s.io/v1\",\"status\":{" \
        "\"authenticated\":true,\"audiences\":[\"" AUDIENCE "\"],\"user\":{\"username\":"    \
        "\"system:serviceaccount:ci:deployer\",\"uid\":"                                     \
        "\"055340be-da7c-4afd-8213-e998a1704706\"}}}"
#define NO_REVIEW                                                                            \
        "{\"kind\":\"TokenReview\",\"apiVersion\":\"authentication.k8s.io/v1\",\"status\":{" \
        "\"user\":{},\"error\":\"token has been invalidated\"}}"
#define ACCESS_OF(status)                                                               \
        "{\"kind\":\"SubjectAccessReview\",\"apiVersion\":\"authorization.k8s.io/v1\"," \
        "\"status\":{" status "}}"

/* One login on its own host: the options of its cluster and rule, and the cluster's answers. */
struct trial {
        struct workdir *workdir;
        char used[128];
        const char *host, *cluster, *rule;
        struct answers answers;
        const char *service;
        uid_t effective_uid, real_uid;
        struct ksa_decision decision;
        char line[KSA_LINE_SIZE];
};

static struct signer signer;

static int set_up(void **state)
{
        struct trial *trial = calloc(1, sizeof(*trial));

        assert_non_null(trial);
        (void)workdir_setup((void **)&trial->workdir);
        *trial = (struct trial){.workdir = trial->workdir, .host = "", .cluster = "", .rule = ""};
        char *keys = signer_jwks(&signer, 1);
        workdir_write(trial->workdir, "keys.json", keys);
        free(keys);
        workdir_write(trial->workdir, "token", "host-credential");
        workdir_directory(trial->workdir, "used");
        (void)snprintf(trial->used, sizeof(trial->used), "%s/used", trial->workdir->directory);
        trial->workdir->env.used_dir = trial->used;
        char path[128];
        (void)snprintf(path, sizeof(path), "%s/token", trial->workdir->directory);
        assert_int_equal(chmod(path, 0600), 0);
        *state = trial;
        return 0;
}

static int tear_down(void **state)
{
        struct trial *trial = *state;

        (void)workdir_teardown((void **)&trial->workdir);
        free(trial);
        return 0;
}

/* Decides, and checks the field of the log line for the requested review. */
static enum ksa_reason try(struct trial *trial, const char *member, const char *value)
{
        char text[4096];
        const char *directory = trial->workdir->directory;
        struct ksa_config *config = NULL;
        struct ksa_error error = {0};
        const char *service = trial->service != NULL ? trial->service : "sshd";

        answers_use(&trial->workdir->env, &trial->answers);
        (void)snprintf(text, sizeof(text),
                       "[host]\naudience = " AUDIENCE "\n%s[service postgresql]\naudience = pg\n"
                       "local_user = no\n[cluster prod]\nissuer = " ISSUER
                       "\nkeys = file:%s/keys.json\napi_server = https://10.0.0.1\n"
                       "credential_file = %s/token\n%s[rule deploy]\naccount = prod:ci/deployer\n"
                       "user = deploy-bot\nservice = sshd sudo postgresql\n%s",
                       trial->host, directory, directory, trial->cluster, trial->rule);
        if (workdir_load(trial->workdir, text, &config, &error) != KSA_OK)
                fail_msg("line %u: %s", error.line, error.text);
        char *claims = claims_with(member, value);
        struct ksa_secret *token = signer_token(&signer, NULL, claims);
        struct ksa_attempt attempt = attempt_with(token);
        attempt.service = service;
        attempt.effective_uid = trial->effective_uid;
        attempt.real_uid = trial->real_uid;
        trial->answers.requests = 0;
        ksa_login(config, &trial->workdir->env, &attempt, &trial->decision);
        enum ksa_reason reason = trial->decision.reason;
        assert_int_equal(trial->decision.outcome,
                         reason == KSA_OK ? KSA_ALLOW : ksa_reason_outcome(reason));
        (void)ksa_report_line(&attempt, &trial->decision, "ref", trial->line);
        free(claims);
        ksa_decision_clear(&trial->decision);
        ksa_secret_free(&token);
        ksa_config_free(&config);
        return reason;
}

static void rows(struct trial *trial, const struct answer_row *rows, size_t count)
{
        trial->answers.rows = rows;
        trial->answers.count = count;
}

/* --- Review ------------------------------------------------------------------- */

static void test_nobody_is_asked_where_nothing_is_demanded(void **state)
{
        struct trial *trial = *state;

        assert_int_equal(try(trial, NULL, NULL), KSA_OK);
        assert_int_equal(trial->answers.requests, 0);
        assert_non_null(strstr(trial->line, " review=never"));
        assert_null(strstr(trial->line, "audit_id"));
}

/* The stricter of cluster and rule; require where bound or rbac is. */
static void test_which_review(void **state)
{
        static const struct {
                const char *cluster, *rule, *word;
                enum ksa_reason reason;
        } table[] = {
                {"review = never\n", "review = never\n", "never", KSA_OK},
                {"review = never\n", "review = prefer\n", "skipped", KSA_OK},
                {"review = prefer\n", "review = never\n", "skipped", KSA_OK},
                {"review = prefer\n", "review = prefer\n", "skipped", KSA_OK},
                {"review = prefer\n", "review = require\n", "require", KSA_API_UNREACHABLE},
                {"review = require\n", "review = prefer\n", "require", KSA_API_UNREACHABLE},
                {"review = require\n", "", "require", KSA_API_UNREACHABLE},
                {"", "review = require\n", "require", KSA_API_UNREACHABLE},
                {"", "rbac = yes\n", "require", KSA_API_UNREACHABLE},
                {"review = prefer\n", "rbac = yes\n", "require", KSA_API_UNREACHABLE},
        };
        struct trial *trial = *state;

        for (size_t i = 0; i < KSA_COUNT(table); i++) {
                char word[32];

                trial->cluster = table[i].cluster;
                trial->rule = table[i].rule;
                assert_int_equal(try(trial, NULL, NULL), table[i].reason);
                (void)snprintf(word, sizeof(word), " review=%s", table[i].word);
                assert_non_null(strstr(trial->line, word));
        }
}

static void test_review_says_yes_or_no(void **state)
{
        static const struct answer_row yes[] = {
                {.url = REVIEW, .status = 201, .body = GOOD_REVIEW}};
        static const struct answer_row no[] = {{.url = REVIEW, .status = 201, .body = NO_REVIEW}};
        struct trial *trial = *state;

        trial->rule = "review = require\n";
        rows(trial, yes, 1);
        assert_int_equal(try(trial, NULL, NULL), KSA_OK);
        assert_string_equal(trial->answers.bearer, "host-credential");
        assert_non_null(strstr(trial->answers.body, "\"audiences\":[\"" AUDIENCE "\"]"));
        assert_non_null(strstr(trial->line, "review=require audit_id=7f3a9c2e-0000-4000"));
        rows(trial, no, 1);
        assert_int_equal(try(trial, NULL, NULL), KSA_REVIEW_REFUSED);
        assert_non_null(strstr(trial->line, "audit_id="));
}

/* The log line names an audit id where the API server's own log may have it: it answered, in any form. */
static void test_audit_id_only_where_it_answered(void **state)
{
        static const enum ksa_reason unheard[] = {KSA_API_UNREACHABLE, KSA_API_TIMEOUT,
                                                  KSA_API_TLS,         KSA_API_BROKEN,
                                                  KSA_HELPER,          KSA_HOST_ERROR};
        static const int statuses[] = {201, 301, 401, 403, 429, 500};
        struct answer_row row = {.url = REVIEW, .body = GOOD_REVIEW};
        struct trial *trial = *state;
        char path[128];

        rows(trial, &row, 1);
        for (unsigned prefer = 0; prefer < 2; prefer++) {
                trial->rule = prefer == 1 ? "review = prefer\n" : "review = require\n";
                for (size_t i = 0; i < KSA_COUNT(unheard); i++) {
                        row.reason = unheard[i];
                        (void)try(trial, NULL, NULL);
                        assert_null(strstr(trial->line, "audit_id="));
                }
                row.reason = KSA_OK;
                for (size_t i = 0; i < KSA_COUNT(statuses); i++) {
                        row.status = statuses[i];
                        (void)try(trial, NULL, NULL);
                        assert_non_null(strstr(trial->line, " audit_id=7f3a9c2e-0000"));
                }
        }
        (void)snprintf(path, sizeof(path), "%s/token", trial->workdir->directory);
        assert_int_equal(remove(path), 0);
        assert_int_equal(try(trial, NULL, NULL), KSA_FILE_MISSING);
        assert_null(strstr(trial->line, "audit_id="));
}

/* It answered the review, and then no more. */
static void test_audit_id_of_a_review_before_rbac_failed(void **state)
{
        static const struct answer_row table[] = {
                {.url = REVIEW, .status = 201, .body = GOOD_REVIEW}};
        struct trial *trial = *state;

        trial->rule = "rbac = yes\n";
        rows(trial, table, 1);
        assert_int_equal(try(trial, NULL, NULL), KSA_API_UNREACHABLE);
        assert_non_null(strstr(trial->line, " audit_id=7f3a9c2e-0000"));
}

/* ksactl explain --offline: not even the credential is read, which root alone can. */
static void test_offline(void **state)
{
        struct trial *trial = *state;
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/token", trial->workdir->directory);
        assert_int_equal(remove(path), 0);
        trial->workdir->env.offline = true;
        trial->rule = "review = prefer\n";
        assert_int_equal(try(trial, NULL, NULL), KSA_OK);
        trial->rule = "review = require\n";
        assert_int_equal(try(trial, NULL, NULL), KSA_API_UNREACHABLE);
        assert_non_null(strstr(trial->line, "why=\"--offline: not asked\""));
        assert_null(strstr(trial->line, "audit_id="));
        assert_int_equal(trial->answers.requests, 0);
}

/* prefer yields to an unreachable cluster and to a timeout, and to nothing else. */
static void test_what_prefer_yields_to(void **state)
{
        static const enum ksa_reason broken[] = {KSA_API_TLS,    KSA_API_BROKEN, KSA_HELPER,
                                                 KSA_HOST_ERROR, KSA_MEMORY,     KSA_NEEDS_ROOT};
        static const int statuses[] = {204, 301, 401, 403, 404, 429, 500, 503};
        struct answer_row row = {.url = REVIEW};
        struct trial *trial = *state;

        trial->rule = "review = prefer\n";
        rows(trial, &row, 1);
        row.reason = KSA_API_UNREACHABLE;
        assert_int_equal(try(trial, NULL, NULL), KSA_OK);
        row.reason = KSA_API_TIMEOUT;
        assert_int_equal(try(trial, NULL, NULL), KSA_OK);
        for (size_t i = 0; i < KSA_COUNT(broken); i++) {
                row.reason = broken[i];
                assert_int_equal(try(trial, NULL, NULL), broken[i]);
        }
        row.reason = KSA_OK;
        for (size_t i = 0; i < KSA_COUNT(statuses); i++) {
                row.status = statuses[i];
                assert_int_not_equal(try(trial, NULL, NULL), KSA_OK);
        }
        row.status = 201;
        row.body = NO_REVIEW;
        assert_int_equal(try(trial, NULL, NULL), KSA_REVIEW_REFUSED);
        row.body = "<html>";
        assert_int_equal(try(trial, NULL, NULL), KSA_API_BROKEN);
}

/* The caller of sudo can stop it until the time has ended: a review that must not be skipped is required. */
static void test_prefer_is_require_for_whom_a_user_runs(void **state)
{
        struct trial *trial = *state;

        trial->rule = "review = prefer\n";
        assert_int_equal(try(trial, NULL, NULL), KSA_OK);
        trial->real_uid = 1500;
        assert_int_equal(try(trial, NULL, NULL), KSA_API_UNREACHABLE);
        assert_non_null(strstr(trial->line, "review=require"));
        trial->rule = "review = never\n";
        assert_int_equal(try(trial, NULL, NULL), KSA_OK);
}

static void test_without_root_nobody_is_asked(void **state)
{
        static const char *const requirements[] = {"review = prefer\n", "review = require\n",
                                                   "rbac = yes\n", "once = yes\n"};
        struct trial *trial = *state;

        trial->service = "postgresql";
        trial->effective_uid = 26;
        for (size_t i = 0; i < KSA_COUNT(requirements); i++) {
                trial->rule = requirements[i];
                assert_int_equal(try(trial, "aud", "[\"pg\"]"), KSA_NEEDS_ROOT);
                assert_int_equal(trial->answers.requests, 0);
        }
}

/* The credential is looked at when it is needed. */
static void test_the_hosts_credential_is_missing(void **state)
{
        struct trial *trial = *state;
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/token", trial->workdir->directory);
        assert_int_equal(remove(path), 0);
        assert_int_equal(try(trial, NULL, NULL), KSA_OK);
        trial->rule = "review = prefer\n";
        assert_int_equal(try(trial, NULL, NULL), KSA_FILE_MISSING);
}

/* --- Bound -------------------------------------------------------------------- */

static void test_bound(void **state)
{
        static const struct answer_row yes[] = {
                {.url = REVIEW, .status = 201, .body = GOOD_REVIEW}};
        struct trial *trial = *state;

        trial->rule = "bound = pod\n";
        rows(trial, yes, 1);
        assert_int_equal(try(trial, NULL, NULL), KSA_NOT_BOUND);
        assert_int_equal(trial->answers.requests, 0);
        /* The API server sees no Pod in it: the token's claim of one proves nothing. */
        assert_int_equal(try(trial, "kubernetes.io/pod", "{\"name\":\"job-1\",\"uid\":\"p\"}"),
                         KSA_REVIEW_DIFFERS);
        assert_int_equal(trial->answers.requests, 1);
}

/* --- RBAC --------------------------------------------------------------------- */

static void test_rbac(void **state)
{
        struct answer_row table[] = {{.url = REVIEW, .status = 201, .body = GOOD_REVIEW},
                                     {.url = ACCESS, .status = 201}};
        struct trial *trial = *state;

        trial->rule = "rbac = yes\n";
        trial->host = "name = build-7\nclass = build linux\n";
        rows(trial, table, 2);
        table[1].body = ACCESS_OF("\"allowed\":true");
        assert_int_equal(try(trial, NULL, NULL), KSA_OK);
        assert_int_equal(trial->answers.requests, 2);
        assert_non_null(strstr(trial->line, "granted_as=\"build-7\""));
        assert_non_null(strstr(trial->answers.body, "\"verb\":\"login\""));
        /* Name and each class, in their order. */
        table[1].body = ACCESS_OF("\"allowed\":false");
        assert_int_equal(try(trial, NULL, NULL), KSA_RBAC_DENIED);
        assert_int_equal(trial->answers.requests, 4);
        assert_non_null(strstr(trial->answers.body, "\"name\":\"linux\""));
        table[1].body = ACCESS_OF("\"allowed\":true,\"evaluationError\":\"role is gone\"");
        assert_int_equal(try(trial, NULL, NULL), KSA_RBAC_DENIED);
        /* A webhook forbids it: no class helps. */
        table[1].body = ACCESS_OF("\"allowed\":false,\"denied\":true");
        assert_int_equal(try(trial, NULL, NULL), KSA_RBAC_DENIED);
        assert_int_equal(trial->answers.requests, 2);
        table[1].body = ACCESS_OF("\"allowed\":true");
        trial->service = "sudo-i";
        assert_int_equal(try(trial, NULL, NULL), KSA_OK);
        assert_non_null(strstr(trial->answers.body, "\"verb\":\"sudo\""));
        /* Never where the token itself is refused: SubjectAccessReview asks about strings. */
        table[0].body = NO_REVIEW;
        assert_int_equal(try(trial, NULL, NULL), KSA_REVIEW_REFUSED);
        assert_int_equal(trial->answers.requests, 1);
}

static void test_rbac_by_the_hosts_own_name(void **state)
{
        static const struct answer_row table[] = {
                {.url = REVIEW, .status = 201, .body = GOOD_REVIEW},
                {.url = ACCESS, .status = 201, .body = ACCESS_OF("\"allowed\":true")}};
        struct trial *trial = *state;

        trial->rule = "rbac = yes\n";
        rows(trial, table, 2);
        assert_int_equal(try(trial, NULL, NULL), KSA_OK);
        assert_non_null(strstr(trial->answers.body, "\"name\":\"build-7.example.com\""));
}

/* --- Once --------------------------------------------------------------------- */

static unsigned marks(const struct trial *trial)
{
        DIR *directory = opendir(trial->workdir->env.used_dir);
        unsigned count = 0;

        assert_non_null(directory);
        while (readdir(directory) != NULL)
                count++;
        (void)closedir(directory);
        return count - 2;
}

static void test_once(void **state)
{
        struct trial *trial = *state;

        trial->rule = "once = yes\n";
        trial->workdir->env.only_look = true;
        assert_int_equal(try(trial, NULL, NULL), KSA_OK);
        assert_int_equal(marks(trial), 0);
        trial->workdir->env.only_look = false;
        assert_int_equal(try(trial, NULL, NULL), KSA_OK);
        assert_int_equal(try(trial, NULL, NULL), KSA_USED_BEFORE);
        trial->workdir->env.only_look = true;
        assert_int_equal(try(trial, NULL, NULL), KSA_USED_BEFORE);
        trial->workdir->env.only_look = false;
        assert_int_equal(try(trial, "jti", "\"another\""), KSA_OK);
        assert_int_equal(marks(trial), 2);
        assert_int_equal(try(trial, "jti", NULL), KSA_NO_JTI);
        trial->rule = "once = no\n";
        assert_int_equal(try(trial, NULL, NULL), KSA_OK);
}

/* It is used only when all else was good. */
static void test_once_comes_last(void **state)
{
        struct trial *trial = *state;

        trial->rule = "once = yes\nreview = require\n";
        assert_int_equal(try(trial, NULL, NULL), KSA_API_UNREACHABLE);
        assert_int_equal(marks(trial), 0);
}

static void test_no_place_for_marks(void **state)
{
        struct trial *trial = *state;

        trial->rule = "once = yes\n";
        assert_int_equal(try(trial, "jti", "\"first\""), KSA_OK);
        assert_int_equal(chmod(trial->workdir->env.used_dir, 0777), 0);
        assert_int_equal(try(trial, NULL, NULL), KSA_MARK);
        trial->workdir->env.used_dir = "/nowhere/at/all";
        assert_int_equal(try(trial, NULL, NULL), KSA_MARK);
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(test_nobody_is_asked_where_nothing_is_demanded),
                TEST(test_which_review),
                TEST(test_review_says_yes_or_no),
                TEST(test_audit_id_only_where_it_answered),
                TEST(test_audit_id_of_a_review_before_rbac_failed),
                TEST(test_offline),
                TEST(test_what_prefer_yields_to),
                TEST(test_prefer_is_require_for_whom_a_user_runs),
                TEST(test_without_root_nobody_is_asked),
                TEST(test_the_hosts_credential_is_missing),
                TEST(test_bound),
                TEST(test_rbac),
                TEST(test_rbac_by_the_hosts_own_name),
                TEST(test_once),
                TEST(test_once_comes_last),
                TEST(test_no_place_for_marks),
        };

        return cmocka_run_group_tests(tests, make_key, free_key);
}

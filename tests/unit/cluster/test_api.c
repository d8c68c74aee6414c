/* SPDX-License-Identifier: BSD-2-Clause */
/* api.c: the parts of a request to a cluster, and the meaning of an HTTP status. */
#include "cluster/api.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "support/fake_cluster.h"
#include "support/support.h"

static struct ksa_cluster cluster;
static char paths[4][128];

/* A cluster whose files are in PLACE. */
static void arrange(const struct workdir *workdir)
{
        static const char *const names[] = {"ca", "token", "cert", "key"};

        for (size_t i = 0; i < KSA_COUNT(names); i++) {
                (void)snprintf(paths[i], sizeof(paths[i]), "%s/%s", workdir->directory, names[i]);
                workdir_write(workdir, names[i], names[i]);
                if (i == 1 || i == 3)
                        assert_int_equal(chmod(paths[i], 0600), 0);
        }
        cluster = (struct ksa_cluster){.name = "prod",
                                       .api_server = "https://10.0.0.1:6443",
                                       .api_ca_file = paths[0],
                                       .credential_file = paths[1]};
}

static enum ksa_reason ask(struct workdir *workdir, struct answers *answers, enum ksa_side side,
                           const struct ksa_call *call, struct ksa_error *err)
{
        struct ksa_api api;
        struct ksa_response response = {0};

        memset(err, 0, sizeof(*err));
        answers_use(&workdir->env, answers);
        enum ksa_reason reason = ksa_api_open(&cluster, &workdir->env, side, 5000, &api, err);
        if (reason == KSA_OK)
                reason = ksa_api_ask(&api, call, &response, err);
        assert_int_equal(reason == KSA_OK, err->text[0] == '\0');
        ksa_response_clear(&response);
        ksa_api_close(&api);
        return reason;
}

static void test_what_is_sent(void **state)
{
        struct workdir *workdir = *state;
        const struct answer_row rows[] = {{.url = "/x", .status = 200, .body = "{}"}};
        struct answers answers = {.rows = rows, .count = 1};
        struct ksa_error error;

        arrange(workdir);
        workdir_write(workdir, "token", "head.payload.signature\n");
        assert_int_equal(chmod(paths[1], 0600), 0);
        cluster.proxy = "http://127.0.0.1:3128";
        assert_int_equal(ask(workdir, &answers, KSA_SIDE_API,
                             &(struct ksa_call){.url = "/x", .max = 10}, &error),
                         KSA_OK);
        assert_string_equal(answers.method, "GET");
        assert_string_equal(answers.url, "https://10.0.0.1:6443/x");
        assert_string_equal(answers.accept, "application/json");
        assert_string_equal(answers.bearer, "head.payload.signature");
        assert_string_equal(answers.ca, "ca");
        assert_string_equal(answers.proxy, "http://127.0.0.1:3128");
        assert_string_equal(answers.audit_id, workdir->env.audit_id);
        assert_string_equal(answers.agent, "ksa-fetch/" PACKAGE_VERSION " (build-7.example.com)");
        assert_int_equal(answers.milliseconds, 5000);

        /* A body makes it a POST; a server's own path, and its slash, stay. */
        cluster.api_server = "https://rancher/k8s/clusters/c-1/";
        const struct ksa_call post = {.url = "/x", .accept = "a/b", .body = {"{}", 2}, .max = 10};
        assert_int_equal(ask(workdir, &answers, KSA_SIDE_API, &post, &error), KSA_OK);
        assert_string_equal(answers.method, "POST");
        assert_string_equal(answers.url, "https://rancher/k8s/clusters/c-1/x");
        assert_string_equal(answers.accept, "a/b");
        assert_string_equal(answers.body, "{}");
}

/* api_server_name is for the certificate of the API server, with any token, and for no other one. */
static void test_server_name(void **state)
{
        struct workdir *workdir = *state;
        const struct answer_row row = {.url = "/x", .status = 200};
        struct answers answers = {.rows = &row, .count = 1};
        const struct ksa_call call = {.url = "/x", .max = 10},
                              public = {.url = "https://issuer/x", .max = 10};
        struct ksa_secret *bearer = ksa_secret_new(8);
        struct ksa_response response = {0};
        struct ksa_api api;
        struct ksa_error error = {0};

        arrange(workdir);
        cluster.api_server_name = "kubernetes.default.svc";
        assert_int_equal(ask(workdir, &answers, KSA_SIDE_API, &call, &error), KSA_OK);
        assert_string_equal(answers.server_name, "kubernetes.default.svc");
        assert_int_equal(ask(workdir, &answers, KSA_SIDE_PUBLIC, &public, &error), KSA_OK);
        assert_string_equal(answers.server_name, "");
        assert_true(ksa_secret_append(bearer, "token", 5));
        assert_int_equal(ksa_api_open_with(&cluster, &workdir->env, bearer, 5000, &api, &error),
                         KSA_OK);
        assert_int_equal(ksa_api_ask(&api, &call, &response, &error), KSA_OK);
        assert_string_equal(answers.server_name, "kubernetes.default.svc");
        ksa_response_clear(&response);
        ksa_api_close(&api);
        ksa_secret_free(&bearer);
}

/* Other servers than the API server get none of this host's credentials. */
static void test_the_public_side(void **state)
{
        struct workdir *workdir = *state;
        const struct answer_row rows[] = {{.url = "https://issuer/keys", .status = 200}};
        struct answers answers = {.rows = rows, .count = 1};
        const struct ksa_call call = {.url = "https://issuer/keys", .max = 10};
        struct ksa_error error;

        arrange(workdir);
        assert_int_equal(ask(workdir, &answers, KSA_SIDE_PUBLIC, &call, &error), KSA_OK);
        assert_string_equal(answers.bearer, "");
        assert_string_equal(answers.ca, "");
        cluster.keys_ca_file = paths[2];
        assert_int_equal(ask(workdir, &answers, KSA_SIDE_PUBLIC, &call, &error), KSA_OK);
        assert_string_equal(answers.ca, "cert");
        cluster.api_server = NULL;
        assert_int_equal(ask(workdir, &answers, KSA_SIDE_PUBLIC,
                             &(struct ksa_call){.url = "/x", .max = 10}, &error),
                         KSA_CONFIG_INVALID);
}

static void test_statuses(void **state)
{
        static const struct {
                int status;
                int64_t retry_after;
                enum ksa_reason reason;
                const char *piece;
        } rows[] = {
                {200, 0, KSA_OK, ""},
                {201, 0, KSA_OK, ""},
                {202, 0, KSA_API_BROKEN, "status 202"},
                {204, 0, KSA_API_BROKEN, "status 204"},
                {301, 0, KSA_API_BROKEN, "redirect"},
                {307, 0, KSA_API_BROKEN, "redirect"},
                {400, 0, KSA_API_BROKEN, "status 400"},
                {401, 0, KSA_API_UNAUTHORIZED, "401"},
                {403, 0, KSA_API_FORBIDDEN, "403"},
                {404, 0, KSA_API_BROKEN, "status 404"},
                {406, 0, KSA_API_BROKEN, "status 406"},
                {429, 0, KSA_API_BUSY, "(429)"},
                {429, 7, KSA_API_BUSY, "in 7 s"},
                {500, 0, KSA_API_ERROR, "500"},
                {503, 0, KSA_API_ERROR, "503"},
        };

        arrange(*state);
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                const struct answer_row row = {
                        .url = "/", .status = rows[i].status, .retry_after = rows[i].retry_after};
                struct answers answers = {.rows = &row, .count = 1};
                struct ksa_error error;

                assert_int_equal(ask(*state, &answers, KSA_SIDE_API,
                                     &(struct ksa_call){.url = "/x", .max = 10}, &error),
                                 rows[i].reason);
                assert_non_null(strstr(error.text, rows[i].piece));
        }
}

#define STATUS(message) "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"message\":\"" message "\"}"
#define A_TOKEN \
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2t1YmVybmV0ZXMifQ.c2lnbmF0dXJlLW9mLXRoaXM"

/* The server's words are shown, and of a credential or token in them nothing, however JSON spells it. */
static void test_what_a_status_says(void **state)
{
        static const struct {
                int status;
                enum ksa_reason reason;
                const char *body, *piece;
        } rows[] = {
                {403, KSA_API_FORBIDDEN, STATUS("User \\\"a\\\" cannot get path"),
                 "\"User 'a' cannot get path\""},
                {403, KSA_API_FORBIDDEN, STATUS("a\\nresult=allow\\u001b"), "\"a?result=allow?\""},
                {403, KSA_API_FORBIDDEN, STATUS("your token is " A_TOKEN "!"),
                 "\"your token is ****"},
                {403, KSA_API_FORBIDDEN, STATUS("it is head.payload.signature-of-31-bytes!"),
                 "\"it is ****"},
                {403, KSA_API_FORBIDDEN,
                 STATUS("\\u0065yJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2t1YmVybmV0ZXMifQ."
                        "c2lnbmF0dXJ\\u006cLW9mLXRoaXM"),
                 "****"},
                {404, KSA_API_BROKEN, STATUS("no such resource"), "404: \"no such resource\""},
                {500, KSA_API_ERROR, STATUS("etcd is away"), "(500): \"etcd is away\""},
                {403, KSA_API_FORBIDDEN, "{\"kind\":\"Other\",\"message\":\"x\"}", "(403)"},
                {403, KSA_API_FORBIDDEN, "{\"kind\":\"Status\",\"message\":7}", "(403)"},
                {403, KSA_API_FORBIDDEN, "<html>", "(403)"},
                {403, KSA_API_FORBIDDEN, "", "(403)"},
        };

        arrange(*state);
        workdir_write(*state, "token", "head.payload.signature-of-31-bytes");
        assert_int_equal(chmod(paths[1], 0600), 0);
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                const struct answer_row row = {
                        .url = "/", .status = rows[i].status, .body = rows[i].body};
                struct answers answers = {.rows = &row, .count = 1};
                struct ksa_error error;

                assert_int_equal(ask(*state, &answers, KSA_SIDE_API,
                                     &(struct ksa_call){.url = "/x", .max = 10, .secret = A_TOKEN},
                                     &error),
                                 rows[i].reason);
                assert_non_null(strstr(error.text, rows[i].piece));
                assert_null(strstr(error.text, "c2lnbmF0"));
                assert_null(strstr(error.text, "signature"));
                for (const char *c = error.text; *c != '\0'; c++)
                        assert_true(*c >= ' ' && *c <= '~');
        }
}

static void test_files(void **state)
{
        struct workdir *workdir = *state;
        const struct answer_row row = {.url = "/", .status = 200};
        struct answers answers = {.rows = &row, .count = 1};
        const struct ksa_call call = {.url = "/x", .max = 10};
        struct ksa_error error;

        arrange(workdir);
        assert_int_equal(chmod(paths[1], 0640), 0);
        assert_int_equal(ask(workdir, &answers, KSA_SIDE_API, &call, &error), KSA_FILE_UNSAFE);
        assert_int_equal(chmod(paths[1], 0604), 0);
        assert_int_equal(ask(workdir, &answers, KSA_SIDE_API, &call, &error), KSA_FILE_UNSAFE);
        assert_int_equal(chmod(paths[1], 0600), 0);
        static const char *const no_tokens[] = {"", "\n", "a b", "a\nb\n", "a\n\n", "a\r\n"};
        for (size_t i = 0; i < KSA_COUNT(no_tokens); i++) {
                workdir_write(workdir, "token", no_tokens[i]);
                assert_int_equal(chmod(paths[1], 0600), 0);
                assert_int_equal(ask(workdir, &answers, KSA_SIDE_API, &call, &error),
                                 KSA_FILE_UNREADABLE);
        }
        assert_int_equal(remove(paths[1]), 0);
        assert_int_equal(ask(workdir, &answers, KSA_SIDE_API, &call, &error), KSA_FILE_MISSING);
        cluster.credential_file = NULL;
        cluster.client_cert_file = paths[2];
        cluster.client_key_file = paths[3];
        assert_int_equal(ask(workdir, &answers, KSA_SIDE_API, &call, &error), KSA_OK);
        assert_int_equal(chmod(paths[3], 0644), 0);
        assert_int_equal(ask(workdir, &answers, KSA_SIDE_API, &call, &error), KSA_FILE_UNSAFE);
        assert_int_equal(chmod(paths[0], 0666), 0);
        assert_int_equal(ask(workdir, &answers, KSA_SIDE_API, &call, &error), KSA_FILE_UNSAFE);
        assert_int_equal(answers.requests, 1);
}

static void test_nobody_to_ask(void **state)
{
        struct workdir *workdir = *state;
        struct ksa_api api;
        struct ksa_response response;
        struct ksa_error error = {0};

        arrange(workdir);
        workdir->env.fetch = NULL;
        assert_int_equal(ksa_api_open(&cluster, &workdir->env, KSA_SIDE_API, 1, &api, &error),
                         KSA_OK);
        assert_int_equal(
                ksa_api_ask(&api, &(struct ksa_call){.url = "/x", .max = 1}, &response, &error),
                KSA_HELPER);
        ksa_api_close(&api);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, workdir_setup, workdir_teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_what_is_sent),       TEST(test_server_name), TEST(test_the_public_side),
                TEST(test_statuses),           TEST(test_files),       TEST(test_nobody_to_ask),
                TEST(test_what_a_status_says),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Each allocation of a login fails once, ours, jansson's and OpenSSL's: denied, and nothing leaks. */
#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "login/report.h"
#include "support/fake_cluster.h"
#include "support/login_fixture.h"

/* The allocation that fails, counted from 1; 0 for none. */
static unsigned long failing, counted;
static long living;

static bool fails(void)
{
        return failing != 0 && ++counted == failing;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t length);
int __real_vasprintf(char **text, const char *format, va_list arguments);
FILE *__real_open_memstream(char **text, size_t *length);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t length);
int __wrap_asprintf(char **text, const char *format, ...) KSA_PRINTF(2, 3);
FILE *__wrap_open_memstream(char **text, size_t *length);

void *__wrap_malloc(size_t size)
{
        return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
        return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
        return fails() ? NULL : __real_reallocarray(old, count, size);
}

char *__wrap_strdup(const char *text)
{
        return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t length)
{
        return fails() ? NULL : __real_strndup(text, length);
}

int __wrap_asprintf(char **text, const char *format, ...)
{
        va_list arguments;

        if (fails())
                return -1;
        va_start(arguments, format);
        int length = vasprintf(text, format, arguments);
        va_end(arguments);
        return length;
}

FILE *__wrap_open_memstream(char **text, size_t *length)
{
        return fails() ? NULL : __real_open_memstream(text, length);
}

/* --- Jansson and OpenSSL ---------------------------------------------------------- */

static void *json_allocate(size_t size)
{
        void *bytes = fails() ? NULL : __real_malloc(size);

        living += bytes != NULL;
        return bytes;
}

static void json_free(void *bytes)
{
        living -= bytes != NULL;
        free(bytes);
}

static void *crypto_allocate(size_t size, const char *file, int line)
{
        (void)file;
        (void)line;
        return fails() ? NULL : __real_malloc(size);
}

static void *crypto_reallocate(void *old, size_t size, const char *file, int line)
{
        (void)file;
        (void)line;
        return fails() ? NULL : realloc(old, size);
}

static void crypto_free(void *bytes, const char *file, int line)
{
        (void)file;
        (void)line;
        free(bytes);
}

/* --- The login ---------------------------------------------------------------------- */

/* Configuration, decision, log line, all with the FAILING-th allocation failing. */
static enum ksa_outcome log_in(const struct ksa_secret *token)
{
        struct ksa_attempt attempt = attempt_with(token);
        struct ksa_config *config = NULL;
        struct ksa_error error = {0};
        struct ksa_decision decision = {0};

        enum ksa_reason reason =
                ksa_config_load(&login_fixture.workdir->env, NULL, &config, &error);
        if (reason != KSA_OK) {
                assert_null(config);
                return ksa_reason_outcome(reason);
        }
        ksa_login(config, &login_fixture.workdir->env, &attempt, &decision);
        enum ksa_outcome outcome = decision.outcome;
        char line[KSA_LINE_SIZE];
        (void)ksa_report_line(&attempt, &decision, "00000000", line);
        assert_int_equal(strncmp(line, "result=allow ", 13) == 0, outcome == KSA_ALLOW);
        ksa_decision_clear(&decision);
        ksa_config_free(&config);
        return outcome;
}

/* Lets each allocation of a login fail that is allowed where none does. */
static void fail_each(void)
{
        struct ksa_secret *token = login_fixture_token(NULL, NULL);
        unsigned long refused = 0;
        bool over = false;

        failing = 0;
        assert_int_equal(log_in(token), KSA_ALLOW); /* OpenSSL keeps some of its allocations */
        for (unsigned long number = 1; !over; number++) {
                long before = living;

                failing = number;
                counted = 0;
                enum ksa_outcome outcome = log_in(token);
                over = counted < number;
                failing = 0;
                assert_int_equal(living, before);
                assert_int_equal(ERR_peek_error(), 0);
                refused += outcome != KSA_ALLOW;
                assert_true(!over || outcome == KSA_ALLOW);
        }
        assert_true(refused > 100);
        ksa_secret_free(&token);
}

static void test_each_allocation(void **state)
{
        (void)state;
        fail_each();
}

/* --- One that asks the cluster -------------------------------------------------------- */

static const struct answer_row yes[] = {
        {.url = "/tokenreviews",
         .status = 201,
         .body = "{\"kind\":\"TokenReview\",\"apiVersion\":\"authentication.k8s.io/v1\","
                 "\"status\":{\"authenticated\":true,\"audiences\":[\"" AUDIENCE "\"],\"user\":{"
                 "\"username\":\"system:serviceaccount:ci:deployer\",\"uid\":"
                 "\"055340be-da7c-4afd-8213-e998a1704706\"}}}"},
        {.url = "/subjectaccessreviews",
         .status = 201,
         .body = "{\"kind\":\"SubjectAccessReview\",\"apiVersion\":\"authorization.k8s.io/v1\","
                 "\"status\":{\"allowed\":true}}"},
};
static struct answers answers = {.rows = yes, .count = KSA_COUNT(yes)};
static enum ksa_reason (*answer)(void *, const struct ksa_request *, struct ksa_response *,
                                 struct ksa_error *);

/* The cluster's own memory does not run out. */
static enum ksa_reason ask(void *context, const struct ksa_request *request,
                           struct ksa_response *ret_response, struct ksa_error *err)
{
        unsigned long kept = failing;

        failing = 0;
        enum ksa_reason reason = answer(context, request, ret_response, err);
        failing = kept;
        return reason;
}

static void test_each_allocation_of_a_review(void **state)
{
        struct workdir *workdir = login_fixture.workdir;
        char text[2048], path[128];

        (void)state;
        (void)snprintf(text, sizeof(text),
                       "[host]\naudience = " AUDIENCE "\n[cluster prod]\nissuer = " ISSUER
                       "\nkeys = file:%s/keys.json\napi_server = https://10.0.0.1\n"
                       "credential_file = %s/token\napi_ca_file = %s/keys.json\n"
                       "[rule deploy]\naccount = prod:ci/deployer\nuser = deploy-bot\n"
                       "service = sshd\nreview = require\nrbac = yes\nonce = yes\n",
                       workdir->directory, workdir->directory, workdir->directory);
        workdir_write(workdir, "ksa.conf", text);
        workdir_write(workdir, "token", "host-credential");
        (void)snprintf(path, sizeof(path), "%s/token", workdir->directory);
        assert_int_equal(chmod(path, 0600), 0);
        answers_use(&workdir->env, &answers);
        answer = workdir->env.fetch;
        workdir->env.fetch = ask;
        workdir->env.used_dir = workdir->directory;
        workdir->env.only_look = true;
        fail_each();
        assert_true(answers.requests > 100);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_allocation),
                cmocka_unit_test(test_each_allocation_of_a_review),
        };

        if (CRYPTO_set_mem_functions(crypto_allocate, crypto_reallocate, crypto_free) != 1)
                return 1;
        json_set_alloc_funcs(json_allocate, json_free);
        return cmocka_run_group_tests(tests, login_fixture_setup, login_fixture_teardown);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A decision in other people's processes: threads, small stacks, and their own state. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <openssl/err.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "login/report.h"
#include "support/login_fixture.h"

#define ROUNDS 200

static void *log_in_over_and_over(void *good)
{
        size_t wrong = 0;

        for (size_t i = 0; i < ROUNDS; i++) {
                struct ksa_attempt attempt = attempt_with(good);
                struct ksa_decision decision;

                if (i % 2 == 1)
                        attempt.user = attempt.local.name = "root";
                ksa_login(login_fixture.config, &login_fixture.workdir->env, &attempt, &decision);
                char line[KSA_LINE_SIZE];
                (void)ksa_report_line(&attempt, &decision, "00000000", line);
                if ((decision.outcome == KSA_ALLOW) != (i % 2 == 0) ||
                    (strstr(line, "result=allow") != NULL) != (i % 2 == 0))
                        wrong++;
                ksa_decision_clear(&decision);
        }
        return (void *)wrong;
}

static void test_two_logins_in_two_threads(void **state)
{
        struct ksa_secret *token = login_fixture_token(NULL, NULL);
        pthread_t threads[2];

        (void)state;
        for (size_t i = 0; i < 2; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, log_in_over_and_over, token), 0);
        for (size_t i = 0; i < 2; i++) {
                void *wrong;

                assert_int_equal(pthread_join(threads[i], &wrong), 0);
                assert_null(wrong);
        }
        ksa_secret_free(&token);
}

/* --- 128 KiB of stack --------------------------------------------------------- */

static char *nested(size_t depth)
{
        char *text = malloc(2 * depth + 16);

        assert_non_null(text);
        (void)strcpy(text, "{\"x\":");
        memset(text + 5, '[', depth);
        memset(text + 5 + depth, ']', depth);
        (void)strcpy(text + 5 + 2 * depth, "}");
        return text;
}

static void *decide_in_thread(void *token)
{
        struct ksa_attempt attempt = attempt_with(token);
        struct ksa_decision *decision = calloc(1, sizeof(*decision));
        uintptr_t reason = KSA_MEMORY;

        if (decision != NULL) {
                ksa_login(login_fixture.config, &login_fixture.workdir->env, &attempt, decision);
                reason = decision->reason;
                ksa_decision_clear(decision);
        }
        free(decision);
        return (void *)reason;
}

static enum ksa_reason decide_on_small_stack(struct ksa_secret *token)
{
        pthread_attr_t attributes;
        pthread_t thread;
        void *reason;

        assert_int_equal(pthread_attr_init(&attributes), 0);
        assert_int_equal(pthread_attr_setstacksize(&attributes, (size_t)128 * 1024), 0);
        assert_int_equal(pthread_create(&thread, &attributes, decide_in_thread, token), 0);
        assert_int_equal(pthread_join(thread, &reason), 0);
        assert_int_equal(pthread_attr_destroy(&attributes), 0);
        return (enum ksa_reason)(uintptr_t)reason;
}

static void test_nesting_in_a_small_stack(void **state)
{
        static const size_t depths[] = {17, 1000, 4000};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(depths); i++) {
                char *payload = nested(depths[i]);
                struct ksa_secret *token = signer_token(&login_fixture.signer, NULL, payload);

                assert_int_equal(decide_on_small_stack(token), KSA_NOT_A_TOKEN);
                ksa_secret_free(&token);
                free(payload);
        }
        /* 10 000 deep, one way only: more does not fit into a token. */
        char *open = nested(10000);
        memset(open + 5 + 10000, '\0', 1);
        struct ksa_secret *token = signer_token(&login_fixture.signer, NULL, open);
        assert_int_equal(decide_on_small_stack(token), KSA_NOT_A_TOKEN);
        ksa_secret_free(&token);
        free(open);
        token = login_fixture_token(NULL, NULL);
        assert_int_equal(decide_on_small_stack(token), KSA_OK);
        ksa_secret_free(&token);
}

/* --- Left as found ------------------------------------------------------------- */

static unsigned count_descriptors(void)
{
        DIR *directory = opendir("/proc/self/fd");
        unsigned count = 0;

        assert_non_null(directory);
        while (readdir(directory) != NULL)
                count++;
        assert_int_equal(closedir(directory), 0);
        return count;
}

static void note_dispositions(struct sigaction *actions)
{
        for (int number = 1; number < 32; number++)
                (void)sigaction(number, NULL, &actions[number]);
}

static void check_left_as_found(const struct ksa_secret *token)
{
        static struct sigaction before[32], after[32];
        struct ksa_attempt attempt = attempt_with(token);
        struct ksa_decision decision;
        sigset_t mask_before = {0}, mask_after = {0}; /* the kernel fills 8 of 128 bytes */
        char *locale = strdup(setlocale(LC_ALL, NULL));
        mode_t mask = umask(0);

        (void)umask(mask);
        note_dispositions(before);
        assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask_before), 0);
        unsigned descriptors = count_descriptors();
        decide(&attempt, &decision);
        ksa_decision_clear(&decision);
        note_dispositions(after);
        assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask_after), 0);
        assert_int_equal(count_descriptors(), descriptors);
        for (int number = 1; number < 32; number++)
                assert_ptr_equal(before[number].sa_handler, after[number].sa_handler);
        assert_memory_equal(&mask_before, &mask_after, sizeof(mask_before));
        assert_string_equal(setlocale(LC_ALL, NULL), locale);
        mode_t mask_now = umask(mask);
        assert_int_equal(mask_now, mask);
        assert_int_equal(ERR_peek_error(), 0);
        free(locale);
}

static void test_left_as_found(void **state)
{
        struct ksa_secret *tokens[] = {
                login_fixture_token(NULL, NULL), login_fixture_token("exp", "1"),
                login_fixture_token("aud", "[]"), secret_of("nonsense"), secret_of("")};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(tokens); i++) {
                check_left_as_found(tokens[i]);
                ksa_secret_free(&tokens[i]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_two_logins_in_two_threads),
                cmocka_unit_test(test_nesting_in_a_small_stack),
                cmocka_unit_test(test_left_as_found),
        };

        return cmocka_run_group_tests(tests, login_fixture_setup, login_fixture_teardown);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fetch_process.c: a ksa-fetch that is missing, ends, sends nonsense or does not answer; programs of the
 * test replace it.
 */
#include "cluster/fetch_process.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/support.h"

static const struct ksa_request request = {
        .method = {"GET", 3}, .url = {"https://127.0.0.1/", 18}, .milliseconds = 5000, .max = 10};

static unsigned descriptors(void)
{
        DIR *directory = opendir("/proc/self/fd");
        unsigned count = 0;

        while (readdir(directory) != NULL)
                count++;
        (void)closedir(directory);
        return count;
}

/* Asks a helper that runs SCRIPT; NULL for a program that is not there. */
static enum ksa_reason ask(const struct workdir *workdir, const char *script, int64_t milliseconds)
{
        char path[128];
        struct ksa_request sent = request;
        struct ksa_response response;
        struct ksa_error error = {0};

        (void)snprintf(path, sizeof(path), "%s/%s", workdir->directory, "helper");
        (void)unlink(path);
        if (script != NULL)
                workdir_write(workdir, "helper", script);
        if (script != NULL)
                assert_int_equal(chmod(path, 0755), 0);
        unsigned before = descriptors();
        struct ksa_fetch_process fetch = {.fetch_program = path};
        sent.milliseconds = milliseconds;
        enum ksa_reason reason = ksa_fetch_process_ask(&fetch, &sent, &response, &error);
        ksa_fetch_process_close(&fetch);
        assert_int_equal(descriptors(), before);
        assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
        return reason;
}

static void test_faults_of_the_helper(void **state)
{
        const struct workdir *workdir = *state;

        if (geteuid() != 0) {
                assert_int_equal(ask(workdir, "#!/bin/sh\n", 5000), KSA_NEEDS_ROOT);
                return;
        }
        assert_int_equal(ask(workdir, NULL, 5000), KSA_HELPER);
        assert_int_equal(ask(workdir, "#!/bin/sh\nexit 0\n", 5000), KSA_HELPER);
        assert_int_equal(ask(workdir, "#!/bin/sh\nkill -9 $$\n", 5000), KSA_HELPER);
        assert_int_equal(ask(workdir, "#!/bin/sh\nprintf '1ask'\n", 5000), KSA_HELPER);
        assert_int_equal(ask(workdir, "#!/bin/sh\nprintf '1ask\\377\\377\\377\\377'\n", 5000),
                         KSA_HELPER); /* a frame of 4 GiB */
        assert_int_equal(ask(workdir, "#!/bin/sh\nprintf '1ask\\100\\0\\0\\0half'\n", 5000),
                         KSA_HELPER);
        assert_int_equal(ask(workdir, "#!/bin/sh\nexec cat\n", 5000),
                         KSA_HELPER); /* our own words */
        assert_int_equal(ask(workdir, "#!/bin/sh\nexec sleep 1000\n", 200), KSA_API_TIMEOUT);
        assert_int_equal(ask(workdir, "#!/bin/sh\nkill -STOP $$\n", 200), KSA_API_TIMEOUT);
}

/* Everybody but root is refused before a process is made. */
static void test_nobody_but_root(void **state)
{
        const struct workdir *workdir = *state;

        if (geteuid() != 0)
                return;
        assert_int_equal(seteuid(65534), 0);
        struct ksa_fetch_process fetch = {.fetch_program = "/bin/true"};
        struct ksa_response response;
        struct ksa_error error = {0};
        const char *clusters[] = {"prod", NULL};
        assert_int_equal(ksa_fetch_process_ask(&fetch, &request, &response, &error),
                         KSA_NEEDS_ROOT);
        assert_int_equal(
                ksa_fetch_process_refresh(&fetch, workdir->config_file, clusters, 100, &error),
                KSA_NEEDS_ROOT);
        assert_int_equal(seteuid(0), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_faults_of_the_helper, workdir_setup,
                                                workdir_teardown),
                cmocka_unit_test_setup_teardown(test_nobody_but_root, workdir_setup,
                                                workdir_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

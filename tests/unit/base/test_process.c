/* SPDX-License-Identifier: BSD-2-Clause */
/* process.c: processes that the host program does not notice, and words before a deadline. */
#include "base/process.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/support.h"

static unsigned signals;

static void count_signal(int number)
{
        (void)number;
        signals++;
}

/* A child that waits until it is killed, or ends at once. */
static struct ksa_process start(bool waits)
{
        sigset_t mask;
        struct ksa_process child;

        if (ksa_process_start(&child, &mask) == 0) {
                (void)prctl(PR_SET_PDEATHSIG,
                            SIGKILL); /* a test that fails leaves no process running */
                while (waits)
                        (void)pause();
                _exit(0);
        }
        (void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
        assert_true(child.pid > 0);
        return child;
}

static void test_no_signal_and_no_zombie(void **state)
{
        void (*const actions[])(int) = {count_signal, SIG_IGN, SIG_DFL};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(actions); i++) {
                struct timespec deadline = ksa_deadline_in(5000);
                (void)signal(SIGCHLD, actions[i]);
                struct ksa_process child = start(false);
                assert_true(ksa_process_wait(&child, &deadline));
                ksa_process_end(&child);
                assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
                assert_int_equal(errno, ECHILD);
        }
        assert_int_equal(signals, 0);
}

static void test_end_of_one_that_waits(void **state)
{
        struct timespec over = ksa_deadline_in(0);
        struct ksa_process child = start(true);

        (void)state;
        assert_false(ksa_process_wait(&child, &over));
        ksa_process_end(&child);
        assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
}

/* The process that was started, and the one that waits for it, are gone. */
static void test_end_leaves_no_process(void **state)
{
        struct timespec deadline = ksa_deadline_in(20000);
        struct ksa_process child;
        sigset_t mask;
        int ends[2];
        pid_t started = -1;

        (void)state;
        assert_int_equal(pipe(ends), 0);
        if (ksa_process_start(&child, &mask) == 0) {
                pid_t self = getpid();

                if (write(ends[1], &self, sizeof(self)) > 0) {
                        for (;;)
                                (void)pause();
                }
                _exit(1);
        }
        (void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
        assert_true(ksa_receive(ends[0], &started, sizeof(started), &deadline));
        assert_int_not_equal(started, child.pid);
        ksa_process_end(&child);
        assert_int_equal(kill(started, 0), -1);
        assert_int_equal(errno, ESRCH);
        assert_int_equal(kill(child.pid, 0), -1);
        (void)close(ends[0]);
        (void)close(ends[1]);
}

/* The end of the child closes what it had, though another process waits for it. */
static void test_descriptors_close_with_the_child(void **state)
{
        struct timespec deadline = ksa_deadline_in(20000);
        struct ksa_process child;
        sigset_t mask;
        int ends[2];
        char byte;

        (void)state;
        assert_int_equal(pipe(ends), 0);
        if (ksa_process_start(&child, &mask) == 0)
                _exit(0);
        (void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
        (void)close(ends[1]);
        assert_false(ksa_receive(ends[0], &byte, 1, &deadline));
        assert_true(ksa_deadline_left(&deadline) > 0);
        ksa_process_end(&child);
        (void)close(ends[0]);
}

/* From here on this process has no pidfd_send_signal: a kernel, or a sandbox, that knows none. */
static void forbid_pidfd_signals(void)
{
        struct sock_filter steps[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_send_signal, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        const struct sock_fprog filter = {KSA_COUNT(steps), steps};

        assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
}

/* Waited for ever: the signal was not sent. */
static void test_end_in_a_sandbox(void **state)
{
        int status = -1;
        pid_t sandbox = fork();

        (void)state;
        if (sandbox == 0) {
                (void)alarm(20);
                forbid_pidfd_signals();
                struct ksa_process child = start(true);
                ksa_process_end(&child);
                _exit(waitpid(-1, NULL, WNOHANG | __WALL) == -1 ? 0 : 1);
        }
        assert_int_equal(waitpid(sandbox, &status, 0), sandbox);
        assert_int_equal(status, 0);
}

static void test_words(void **state)
{
        struct timespec deadline = ksa_deadline_in(5000), over = ksa_deadline_in(0);
        int ends[2];
        char got[4];

        (void)state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        assert_true(ksa_send(ends[0], "word", 4, &deadline));
        assert_true(ksa_receive(ends[1], got, 4, &deadline));
        assert_memory_equal(got, "word", 4);
        assert_false(ksa_receive(ends[1], got, 1, &over)); /* nothing there, and no time */
        assert_true(ksa_send(ends[0], "wo", 2, &deadline));
        (void)close(ends[0]);
        assert_false(ksa_receive(ends[1], got, 4, &deadline)); /* ends in the middle */
        (void)signal(SIGPIPE, count_signal);
        assert_false(ksa_send(ends[1], "x", 1, &deadline));
        assert_int_equal(signals, 0);
        (void)close(ends[1]);
}

/* Programs that end well, badly, or not in time, and one that is not there. The child becomes root wholly. */
static void test_run(void **state)
{
        static const struct {
                const char *path, *argument;
                unsigned milliseconds;
                bool good;
        } runs[] = {
                {"/bin/true", NULL, 30000, true},
                {"/bin/false", NULL, 30000, false},
                {"/nowhere/true", NULL, 30000, false},
                {"/bin/sleep", "600", 50, false},
        };

        (void)state;
        if (geteuid() != 0)
                skip();
        for (size_t i = 0; i < KSA_COUNT(runs); i++) {
                const char *const arguments[] = {"run", runs[i].argument, NULL};
                const struct timespec deadline = ksa_deadline_in(runs[i].milliseconds);

                if (ksa_process_run(runs[i].path, (char *const *)(uintptr_t)arguments, &deadline) !=
                    runs[i].good)
                        fail_msg("%s", runs[i].path);
                assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
        }
        const struct timespec deadline = ksa_deadline_in(30000);
        char name[] = "run";
        char *const arguments[] = {name, NULL};

        (void)signal(SIGCHLD, SIG_IGN);
        assert_true(ksa_process_run("/bin/true", arguments, &deadline));
        (void)signal(SIGCHLD, SIG_DFL);
}

/* Output and errors are kept as far as there is room, and files get the mode that a tool asks for. */
static void test_capture(void **state)
{
        static const struct {
                const char *script;
                unsigned milliseconds;
                int status;
                const char *output;
        } runs[] = {
                {"echo out; echo error >&2; exit 3", 30000, 3, "out\nerror\n"},
                {"umask; pwd; echo ${HOME-none}", 30000, 0, "0022\n/\nnone\n"},
                {"i=0; while [ $i -lt 9999 ]; do echo 0123456; i=$((i+1)); done", 30000, 0,
                 "0123456\n0123456\n0123456\n0123456"},
                {"kill -9 $$", 30000, 127, ""},
                {"echo a; exec sleep 600", 200, -1, "a\n"},
        };

        (void)state;
        if (geteuid() != 0)
                skip();
        for (size_t i = 0; i < KSA_COUNT(runs); i++) {
                const char *const arguments[] = {"sh", "-c", runs[i].script, NULL};
                const struct timespec deadline = ksa_deadline_in(runs[i].milliseconds);
                char out[32];

                assert_int_equal(ksa_process_capture("/bin/sh", (char *const *)(uintptr_t)arguments,
                                                     &deadline, out, sizeof(out)),
                                 runs[i].status);
                if (runs[i].status >= 0 || *runs[i].output == '\0')
                        assert_string_equal(out, runs[i].output);
        }
        char name[] = "none";
        char *const arguments[] = {name, NULL};
        const struct timespec deadline = ksa_deadline_in(30000);
        char out[8];

        assert_int_equal(
                ksa_process_capture("/nowhere/none", arguments, &deadline, out, sizeof(out)), 127);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_signal_and_no_zombie),
                cmocka_unit_test(test_end_of_one_that_waits),
                cmocka_unit_test(test_end_leaves_no_process),
                cmocka_unit_test(test_descriptors_close_with_the_child),
                cmocka_unit_test(test_end_in_a_sandbox),
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_run),
                cmocka_unit_test(test_capture),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef SYS_setresuid32
#define SET_GROUPS SYS_setgroups32
#define SET_GIDS   SYS_setresgid32
#define SET_UIDS   SYS_setresuid32
#else
#define SET_GROUPS SYS_setgroups
#define SET_GIDS   SYS_setresgid
#define SET_UIDS   SYS_setresuid
#endif

#define GRACE 500 /* milliseconds to wait for a killed process */

/* --- Deadlines -------------------------------------------------------------- */

struct timespec ksa_deadline_in(unsigned milliseconds)
{
        struct timespec deadline;

        if (clock_gettime(CLOCK_MONOTONIC, &deadline) != 0)
                return (struct timespec){0};
        deadline.tv_sec += milliseconds / 1000;
        deadline.tv_nsec += (long)(milliseconds % 1000) * 1000000;
        if (deadline.tv_nsec >= 1000000000) {
                deadline.tv_sec++;
                deadline.tv_nsec -= 1000000000;
        }
        return deadline;
}

int ksa_deadline_left(const struct timespec *deadline)
{
        struct timespec now;

        if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
                return 0;
        int64_t left = (int64_t)(deadline->tv_sec - now.tv_sec) * 1000 +
                       (deadline->tv_nsec - now.tv_nsec) / 1000000;
        return left <= 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

/* --- Start and end ---------------------------------------------------------- */

/* Raw system calls: glibc's wrappers would wait for threads that this copy does not have. */
static bool become_root(void)
{
        gid_t none;

        return syscall(SET_GROUPS, 0, &none) == 0 && syscall(SET_GIDS, 0, 0, 0) == 0 &&
               syscall(SET_UIDS, 0, 0, 0) == 0;
}

/*
 * Runs in the keeper: starts the child, and returns only in the child. On SIGTERM the keeper kills
 * the child. It exits with the child's status. Both die with HOST by PDEATHSIG, unless the child
 * clears its own. A child blocked on a file system cannot be killed; when the keeper is killed,
 * init inherits and reaps it.
 */
static void keep(pid_t host)
{
        const struct sigaction action = {.sa_handler = SIG_DFL};
        siginfo_t info = {0};
        sigset_t awaited;

        (void)become_root(); /* the caller of sudo must not be able to signal it */
        (void)setsid();      /* at LoginGraceTime sshd sends SIGTERM to its process group */
        (void)sigaction(SIGCHLD, &action, NULL);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        pid_t child = getppid() != host ? -1
                                        : (pid_t)syscall(SYS_clone, (unsigned long)SIGCHLD, NULL,
                                                         NULL, NULL, NULL);
        if (child == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                return;
        }
        if (child < 0)
                _exit(127);
        (void)syscall(SYS_close_range, 0, ~0U, 0); /* the child's exit must close its pipe */
        (void)sigemptyset(&awaited);
        (void)sigaddset(&awaited, SIGCHLD);
        (void)sigaddset(&awaited, SIGTERM);
        while (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0) {
                if (sigwaitinfo(&awaited, NULL) == SIGTERM)
                        (void)kill(child, SIGKILL);
        }
        _exit(info.si_code == CLD_EXITED ? info.si_status : 127);
}

pid_t ksa_process_start(struct ksa_process *ret_child, sigset_t *ret_mask)
{
        pid_t host = getpid();
        sigset_t all;

        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, ret_mask);
        ret_child->pidfd = -1;
        ret_child->pid = (pid_t)syscall(SYS_clone, (unsigned long)CLONE_PIDFD, NULL,
                                        &ret_child->pidfd, NULL, NULL);
        if (ret_child->pid == 0)
                keep(host);
        return ret_child->pid;
}

void ksa_process_default_signals(void)
{
        struct sigaction action = {.sa_handler = SIG_DFL};
        sigset_t none;

        for (int number = 1; number < NSIG; number++)
                (void)sigaction(number, &action, NULL);
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Sets a limit, or as much of it as possible: a container's root may not raise a hard limit. */
static void reset_limit(ksa_limit resource, rlim_t value)
{
        struct rlimit limit = {value, value};

        if (setrlimit(resource, &limit) == 0 || getrlimit(resource, &limit) != 0)
                return;
        limit.rlim_cur = limit.rlim_max < value ? limit.rlim_max : value;
        (void)setrlimit(resource, &limit);
}

/*
 * The caller of sudo sets the inherited limits, and `ulimit -f 0` kills every process that writes.
 */
static void reset_limits(void)
{
        reset_limit(RLIMIT_CORE, 0);
        reset_limit(RLIMIT_NOFILE, 1024);
        reset_limit(RLIMIT_FSIZE, RLIM_INFINITY);
        reset_limit(RLIMIT_CPU, RLIM_INFINITY);
        reset_limit(RLIMIT_AS, RLIM_INFINITY);
        reset_limit(RLIMIT_DATA, RLIM_INFINITY);
        reset_limit(RLIMIT_NPROC, RLIM_INFINITY);
}

/* The caller's scheduling class is inherited too: SCHED_IDLE could delay the child forever. */
static void reset_priority(void)
{
        const struct sched_param none = {0};

        (void)sched_setscheduler(0, SCHED_OTHER, &none);
        (void)setpriority(PRIO_PROCESS, 0, 0);
}

/* IN becomes 0, OUT 1, ERRORS 2, and all others are closed. */
static bool arrange_descriptors(int in, int out, int errors)
{
        /* Duplicate above 2 first: each may be one of 0 to 2. */
        int kept[] = {fcntl(in, F_DUPFD_CLOEXEC, 3), fcntl(out, F_DUPFD_CLOEXEC, 3),
                      fcntl(errors, F_DUPFD_CLOEXEC, 3)};

        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
                if (kept[fd] < 0 || dup2(kept[fd], fd) < 0)
                        return false;
        }
        return syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) == 0;
}

static void execute(const char *path, char *const *arguments)
{
        char search[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", language[] = "LANG=C";
        char *const environment[] = {search, language, NULL};

        ksa_process_default_signals();
        (void)setsid();
        if (chdir("/") == 0 && become_root()) {
                reset_limits();
                reset_priority();
                (void)execve(path, arguments, environment);
        }
}

void ksa_process_become(const char *path, char *const *arguments, int io)
{
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        (void)umask(077);
        if (null >= 0 && arrange_descriptors(io, io, null))
                execute(path, arguments);
        _exit(127);
}

bool ksa_process_wait(const struct ksa_process *child, const struct timespec *deadline)
{
        struct pollfd ended = {.fd = child->pidfd, .events = POLLIN};
        int answer;

        do {
                answer = poll(&ended, 1, ksa_deadline_left(deadline));
        } while (answer < 0 && errno == EINTR);
        return answer > 0;
}

/* Sends signal NUMBER. Returns whether the keeper ended within GRACE. */
static bool end_by(const struct ksa_process *child, int number)
{
        struct timespec deadline = ksa_deadline_in(GRACE);

        if (syscall(SYS_pidfd_send_signal, child->pidfd, number, NULL, 0) != 0 && errno != ESRCH)
                (void)kill(child->pid, number);
        return ksa_process_wait(child, &deadline);
}

void ksa_process_end(const struct ksa_process *child)
{
        siginfo_t unread;

        if (!end_by(child, SIGTERM))
                (void)end_by(child, SIGKILL);
        (void)waitid(P_PID, (id_t)child->pid, &unread, WEXITED | WNOHANG | __WALL);
        (void)close(child->pidfd);
}

/* --- Input and output ------------------------------------------------------- */

/* Whether FD is ready for EVENTS before the deadline. */
static bool is_ready(int fd, short events, const struct timespec *deadline)
{
        struct pollfd ready = {.fd = fd, .events = events};

        for (;;) {
                int left = ksa_deadline_left(deadline);
                int answer = left == 0 ? 0 : poll(&ready, 1, left);

                if (answer >= 0 || errno != EINTR)
                        return answer > 0;
        }
}

/* Returns the exit status; -1 if the child was killed or did not end before the deadline. */
static int exit_status(const struct ksa_process *child, const struct timespec *deadline)
{
        siginfo_t end = {.si_pid = 0};

        return ksa_process_wait(child, deadline) &&
                               waitid(P_PID, (id_t)child->pid, &end,
                                      WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 &&
                               end.si_code == CLD_EXITED
                       ? end.si_status
                       : -1;
}

bool ksa_process_run(const char *path, char *const *arguments, const struct timespec *deadline)
{
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        struct ksa_process child;
        sigset_t mask;

        if (null < 0)
                return false;
        pid_t pid = ksa_process_start(&child, &mask);
        if (pid == 0)
                ksa_process_become(path, arguments, null);
        (void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
        (void)close(null);
        if (pid < 0)
                return false;
        bool good = exit_status(&child, deadline) == 0;
        ksa_process_end(&child);
        return good;
}

/* In the child. Output and errors go to OUT; umask 022 lets the tool choose the modes of files. */
static void __attribute__((noreturn)) become_tool(const char *path, char *const *arguments, int out)
{
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        (void)umask(022);
        if (null >= 0 && arrange_descriptors(null, out, out))
                execute(path, arguments);
        _exit(127);
}

/* Reads to the end of the stream or the deadline. Bytes that do not fit into OUT are dropped. */
static void collect(int in, const struct timespec *deadline, char *out, size_t size)
{
        char dropped[512];
        size_t length = 0;

        while (is_ready(in, POLLIN, deadline)) {
                bool full = length + 1 == size;
                ssize_t got = full ? read(in, dropped, sizeof(dropped))
                                   : read(in, out + length, size - 1 - length);

                if (got == 0 || (got < 0 && errno != EINTR))
                        break;
                if (got > 0 && !full)
                        length += (size_t)got;
        }
        out[length] = '\0';
}

int ksa_process_capture(const char *path, char *const *arguments, const struct timespec *deadline,
                        char *out, size_t size)
{
        int ends[2], status = -1;
        struct ksa_process child;
        sigset_t mask;

        out[0] = '\0';
        if (pipe2(ends, O_CLOEXEC) != 0)
                return -1;
        pid_t pid = ksa_process_start(&child, &mask);
        if (pid == 0)
                become_tool(path, arguments, ends[1]);
        (void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
        (void)close(ends[1]);
        if (pid > 0) {
                collect(ends[0], deadline, out, size);
                status = exit_status(&child, deadline);
                ksa_process_end(&child);
        }
        (void)close(ends[0]);
        return status;
}

/* --- Words ------------------------------------------------------------------ */

bool ksa_receive(int in, void *bytes, size_t count, const struct timespec *deadline)
{
        for (char *at = bytes; count > 0;) {
                if (!is_ready(in, POLLIN, deadline))
                        return false;
                ssize_t got = read(in, at, count);
                if (got < 0 && (errno == EINTR || errno == EAGAIN))
                        continue;
                if (got <= 0)
                        return false;
                at += got;
                count -= (size_t)got;
        }
        return true;
}

bool ksa_send(int out, const void *bytes, size_t count, const struct timespec *deadline)
{
        for (const char *at = bytes; count > 0;) {
                if (!is_ready(out, POLLOUT, deadline))
                        return false;
                ssize_t put = send(out, at, count, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (put < 0 && (errno == EINTR || errno == EAGAIN))
                        continue;
                if (put <= 0)
                        return false;
                at += put;
                count -= (size_t)put;
        }
        return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Child processes of a host program that must not notice them, and what is said to
 * them before a deadline. Used by whatever starts a process, and by nothing else.
 */
#ifndef KSA_BASE_PROCESS_H
#define KSA_BASE_PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "base/macros.h"

/* --- Deadlines, on the clock that nobody sets back --- */

/* That many milliseconds from now. Without a clock the time is over at once. */
struct timespec ksa_deadline_in(unsigned milliseconds);
int ksa_deadline_left(const struct timespec *deadline); /* milliseconds; 0: over */

/* --- Start and end --- */

/* A process started here, until ksa_process_end(): the keeper, which waits for the child and ends with it. */
struct ksa_process {
        pid_t pid;
        int pidfd;
};

/*
 * Starts the child, a copy of this process, under a keeper. The keeper has no exit signal: the host program
 * gets no SIGCHLD for it, its waits do not see it, and with SIGCHLD ignored it still is ours to wait for.
 * All signals are blocked on both sides, so that no handler of the host program runs in a copy: the parent
 * gives *RET_MASK back by pthread_sigmask.
 *
 * The copy shares nothing with the host program's threads but memory as it was: it may make
 * plain system calls alone. Returns 0 in the copy, below 0 on failure.
 */
pid_t ksa_process_start(struct ksa_process *ret_child, sigset_t *ret_mask);

/* In the copy: every signal as it was when the machine started, and none blocked. */
void ksa_process_default_signals(void);

/*
 * In the copy: becomes the program at PATH with ARGUMENTS (ended by NULL), as a daemon would start
 * it: new session, default signals, umask 077, folder /, IO as 0 and 1, /dev/null as 2, no other
 * descriptor, an environment of PATH and LANG=C alone, and root wholly (sudo's real uid is the
 * caller's, who could signal what he started), with limits of its own. Does not return.
 */
void ksa_process_become(const char *path, char *const *arguments, int io) __attribute__((noreturn));

/* Waits for the end of the child, until the deadline. False: it still runs. */
bool ksa_process_wait(const struct ksa_process *child, const struct timespec *deadline);

/*
 * Kills the child and closes its descriptor. Returns within a second even if the child cannot be killed,
 * because it waits for a file system that does not answer: such a child is left to init, and never becomes
 * a zombie of the host program. The keeper is signalled by its descriptor, for a number may already be
 * another process; by the number where a sandbox knows no such call (valgrind, a seccomp filter older than
 * Linux 5.4).
 */
void ksa_process_end(const struct ksa_process *child);

/*
 * Runs the program at PATH to its end, started as by ksa_process_become with /dev/null as 0 and 1, and kills
 * it at the deadline. True: it ended by itself, with status 0.
 */
bool ksa_process_run(const char *path, char *const *arguments,
                     const struct timespec *deadline) KSA_MUST_CHECK;

/*
 * Runs a tool of the administrator's to its end: as ksa_process_run(), but with umask 022, and with what the
 * tool prints to standard output and error in OUT, SIZE bytes with the NUL; more is dropped.
 * Returns the exit status, 127 also if PATH cannot be executed; -1 if it could not be started, was killed,
 * or did not end before the deadline.
 */
int ksa_process_capture(const char *path, char *const *arguments, const struct timespec *deadline,
                        char *out, size_t size) KSA_MUST_CHECK;

/* --- Words --- */

/* Exactly COUNT bytes from, or to, a pipe or socket, before the deadline; no SIGPIPE on a socket. */
bool ksa_receive(int in, void *bytes, size_t count, const struct timespec *deadline) KSA_MUST_CHECK;
bool ksa_send(int out, const void *bytes, size_t count,
              const struct timespec *deadline) KSA_MUST_CHECK;

#endif

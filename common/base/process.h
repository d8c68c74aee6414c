/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts child processes that the host program does not notice, and exchanges bytes with them until
 * a deadline. All processes are started here.
 */
#ifndef KSA_BASE_PROCESS_H
#define KSA_BASE_PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <time.h>

#include "base/macros.h"

/* --- Deadlines, on the monotonic clock --- */

/* Returns the deadline MILLISECONDS from now; one that has passed if the clock cannot be read. */
struct timespec ksa_deadline_in(unsigned milliseconds);
int ksa_deadline_left(const struct timespec *deadline); /* milliseconds; 0: passed */

/* The first argument of getrlimit(2), which has a type of its own in glibc. */
#ifdef __GLIBC__
typedef __rlimit_resource_t ksa_limit;
#else
typedef int ksa_limit;
#endif

/* --- Start and end --- */

/*
 * A process started by ksa_process_start(), until ksa_process_end(). Both members name the keeper,
 * a process that waits for the child and exits as the child did.
 */
struct ksa_process {
        pid_t pid;
        int pidfd;
};

/*
 * Starts the child, a copy of this process, under a keeper. The keeper has no exit signal: the host
 * program receives no SIGCHLD for it, its wait calls do not return it, and ignoring SIGCHLD does
 * not reap it. All signals are blocked in parent and child, so that the child runs no signal
 * handler of the host program. The parent restores *RET_MASK with pthread_sigmask().
 *
 * Returns 0 in the child and a negative number on failure. The child does not have the host
 * program's other threads, so it may only make plain system calls.
 */
pid_t ksa_process_start(struct ksa_process *ret_child, sigset_t *ret_mask);

/* In the child: sets every signal to its default action and unblocks all. */
void ksa_process_default_signals(void);

/*
 * In the child: executes PATH with ARGUMENTS (ended by NULL) as a daemon would be started. It gets
 * a new session, default signals and resource limits, umask 077, directory /, IO as descriptors 0
 * and 1, /dev/null as 2, no other descriptor, and only PATH and LANG=C as environment. All its uids
 * become 0: under sudo the real uid is the caller's, and the caller could send signals. Does not
 * return.
 */
void ksa_process_become(const char *path, char *const *arguments, int io) __attribute__((noreturn));

/* Waits until the child has ended or the deadline has passed. False: it is still running. */
bool ksa_process_wait(const struct ksa_process *child, const struct timespec *deadline);

/*
 * Kills the child and closes its descriptor. Returns within a second even if the child cannot be
 * killed because its file system does not answer: init then inherits the child, and the host
 * program gets no zombie. The keeper is signalled through its descriptor, because its pid may have
 * been reused; by pid only if a sandbox lacks that call (valgrind, a seccomp filter older than
 * Linux 5.4).
 */
void ksa_process_end(const struct ksa_process *child);

/*
 * Runs the program at PATH as by ksa_process_become(), with /dev/null as descriptors 0 and 1, and
 * kills it at the deadline. True if it exited with status 0.
 */
bool ksa_process_run(const char *path, char *const *arguments,
                     const struct timespec *deadline) KSA_MUST_CHECK;

/*
 * The same for an administrator's tool, with umask 022. OUT receives what it prints to standard
 * output and error, cut to SIZE bytes with the NUL. Returns the exit status, 127 also if PATH
 * cannot be executed or was killed. -1 if it could not be started or did not end before the deadline.
 */
int ksa_process_capture(const char *path, char *const *arguments, const struct timespec *deadline,
                        char *out, size_t size) KSA_MUST_CHECK;

/* --- Input and output --- */

/*
 * Transfer exactly COUNT bytes from or to a pipe or socket before the deadline. False on error, end
 * of file or timeout. A closed socket raises no SIGPIPE.
 */
bool ksa_receive(int in, void *bytes, size_t count, const struct timespec *deadline) KSA_MUST_CHECK;
bool ksa_send(int out, const void *bytes, size_t count,
              const struct timespec *deadline) KSA_MUST_CHECK;

#endif

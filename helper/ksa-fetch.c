/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ksa-fetch, the only program that uses the network. Root starts it with a socket as standard input
 * and no other descriptor (common/cluster/fetch_process.c). It first becomes the user _ksa permanently,
 * then starts the libraries, and serves requests until the socket is closed.
 */
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/process.h"
#include "base/http_message.h"
#include "fetch_transfer.h"

#define FETCH_USER "_ksa"
/* Limit of one request in seconds, even if its caller hangs. */
#define SECONDS_MAX 120

/* More than the largest response, libcurl and TLS need. A sanitizer's shadow memory is larger. */
#ifdef __SANITIZE_ADDRESS__
#define DATA_MAX RLIM_INFINITY
#else
#define DATA_MAX ((rlim_t)256 * 1024 * 1024)
#endif

/* --- Privileges ------------------------------------------------------------- */

/* Groups first: only root can change them. */
static bool become(const struct passwd *user)
{
        uid_t real, effective, saved;
        gid_t real_group, effective_group, saved_group;

        return user->pw_uid != 0 && user->pw_gid != 0 && setgroups(0, NULL) == 0 &&
               setresgid(user->pw_gid, user->pw_gid, user->pw_gid) == 0 &&
               setresuid(user->pw_uid, user->pw_uid, user->pw_uid) == 0 &&
               getresuid(&real, &effective, &saved) == 0 && real == user->pw_uid &&
               effective == user->pw_uid && saved == user->pw_uid &&
               getresgid(&real_group, &effective_group, &saved_group) == 0 &&
               real_group == user->pw_gid && effective_group == user->pw_gid &&
               saved_group == user->pw_gid;
}

/* Keeps a limit that is already lower, because root could not raise it (base/process.c). */
static bool lower_limit(ksa_limit resource, rlim_t limit)
{
        struct rlimit both;

        if (getrlimit(resource, &both) != 0)
                return false;
        if (both.rlim_max > limit)
                both.rlim_max = limit;
        both.rlim_cur = both.rlim_max;
        return setrlimit(resource, &both) == 0;
}

/*
 * Limits the damage by an attacker who takes over this program: no new privileges, few resources,
 * little time.
 */
static bool confine(pid_t parent)
{
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
               prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
               prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
               getppid() == parent && /* it may have exited before prctl() */
               lower_limit(RLIMIT_CORE, 0) && lower_limit(RLIMIT_FSIZE, 0) &&
               lower_limit(RLIMIT_NOFILE, 64) && lower_limit(RLIMIT_CPU, SECONDS_MAX) &&
               lower_limit(RLIMIT_DATA, DATA_MAX);
}

/* Returns NULL, or a description of the failure. Static. */
static const char *give_up_privileges(void)
{
        pid_t parent = getppid();

        if (geteuid() != 0)
                return "only root can start it";
        const struct passwd *user = getpwnam(FETCH_USER);
        if (user == NULL)
                return "user " FETCH_USER
                       " does not exist: run useradd -r -s /usr/sbin/nologin " FETCH_USER;
        if (!become(user) || !confine(parent))
                return "it cannot become the user " FETCH_USER;
        return NULL;
}

/* --- Requests --------------------------------------------------------------- */

/* Deadline of reading a message: the parent sends it at once or has died. */
static struct timespec soon(void)
{
        return ksa_deadline_in(SECONDS_MAX * 1000);
}

static bool send_response(const struct ksa_response *response)
{
        struct ksa_secret *message = ksa_response_write(response);
        struct timespec deadline = soon();
        bool sent = message != NULL && ksa_send(STDIN_FILENO, ksa_secret_bytes(message),
                                                ksa_secret_length(message), &deadline);

        ksa_secret_free(&message);
        return sent;
}

/* Reads the next request. NULL at the end of the stream or for an invalid message. */
static struct ksa_secret *next_message(void)
{
        unsigned char head[KSA_MESSAGE_HEAD];
        struct timespec deadline = soon();
        size_t size = 0, room;

        if (!ksa_receive(STDIN_FILENO, head, sizeof(head), &deadline) ||
            !ksa_message_size(head, KSA_REQUEST_MAX, &size))
                return NULL;
        struct ksa_secret *message = ksa_secret_new(size);
        if (message == NULL)
                return NULL;
        if (!ksa_receive(STDIN_FILENO, ksa_secret_tail(message, &room), size, &deadline)) {
                ksa_secret_free(&message);
                return NULL;
        }
        ksa_secret_extend(message, size);
        return message;
}

static bool serve(struct transfer *transfer, const struct ksa_secret *message)
{
        struct ksa_request request;
        struct ksa_response response = {.transport = KSA_TRANSPORT_REQUEST,
                                        .why = ksa_bytes_of("not a request")};

        if (ksa_request_read(message, &request)) {
                (void)alarm((unsigned)(request.milliseconds / 1000) + 2);
                transfer_ask(transfer, &request, &response);
                (void)alarm(0);
        }
        return send_response(&response);
}

int main(void)
{
        const char *why = give_up_privileges();
        struct transfer *transfer = why == NULL ? transfer_new() : NULL;

        if (transfer == NULL) {
                const struct ksa_response response = {
                        .transport = KSA_TRANSPORT_USER,
                        .why = ksa_bytes_of(why != NULL ? why
                                                        : "libcurl could not be initialized")};

                return send_response(&response) ? EXIT_FAILURE : 2;
        }
        bool served = true;
        while (served) {
                struct ksa_secret *message = next_message();

                if (message == NULL)
                        break;
                served = serve(transfer, message);
                ksa_secret_free(&message);
        }
        transfer_free(&transfer);
        return EXIT_SUCCESS;
}

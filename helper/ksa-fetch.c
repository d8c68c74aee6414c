/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ksa-fetch: the only program of the host side that speaks to the network. Started by root with
 * a socket as standard input and nothing else (common/cluster/helper.c), it becomes a user of its own for
 * good before any library starts, answers requests until the socket ends, and ends too.
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

#define OWN_USER "_ksa"
/* No request may keep it longer, whatever its caller does meanwhile. */
#define SECONDS_MAX 120

/* More than the largest answer, libcurl and TLS ever take; a sanitizer's shadow alone is larger. */
#ifdef __SANITIZE_ADDRESS__
#define DATA_MAX RLIM_INFINITY
#else
#define DATA_MAX ((rlim_t)256 * 1024 * 1024)
#endif

/* --- Who it is -------------------------------------------------------------- */

/* Groups first: without root nobody gives them up. */
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

/* A limit that is lower already, because root could not raise it (base/process.c), is strict enough. */
static bool lower_limit(__rlimit_resource_t resource, rlim_t limit)
{
        struct rlimit both;

        if (getrlimit(resource, &both) != 0)
                return false;
        if (both.rlim_max > limit)
                both.rlim_max = limit;
        both.rlim_cur = both.rlim_max;
        return setrlimit(resource, &both) == 0;
}

/* What is left to somebody who takes this program over: little, and not for long. */
static bool confine(pid_t parent)
{
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
               prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
               prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
               getppid() == parent && /* or it died before this line */
               lower_limit(RLIMIT_CORE, 0) && lower_limit(RLIMIT_FSIZE, 0) &&
               lower_limit(RLIMIT_NOFILE, 64) && lower_limit(RLIMIT_CPU, SECONDS_MAX) &&
               lower_limit(RLIMIT_DATA, DATA_MAX);
}

/* NULL, or what went wrong. */
static const char *give_up_privileges(void)
{
        pid_t parent = getppid();

        if (geteuid() != 0)
                return "only root can start it";
        const struct passwd *user = getpwnam(OWN_USER);
        if (user == NULL)
                return "user " OWN_USER
                       " does not exist: run useradd -r -s /usr/sbin/nologin " OWN_USER;
        if (!become(user) || !confine(parent))
                return "it cannot become the user " OWN_USER;
        return NULL;
}

/* --- Requests --------------------------------------------------------------- */

/* A request is there at once, or belongs to nobody any more. */
static struct timespec soon(void)
{
        return ksa_deadline_in(SECONDS_MAX * 1000);
}

static bool answer(const struct ksa_response *response)
{
        struct ksa_secret *frame = ksa_response_write(response);
        struct timespec deadline = soon();
        bool sent = frame != NULL && ksa_send(STDIN_FILENO, ksa_secret_bytes(frame),
                                              ksa_secret_length(frame), &deadline);

        ksa_secret_free(&frame);
        return sent;
}

/* The next request's frame; NULL at the end, or where it is none. */
static struct ksa_secret *next_frame(void)
{
        unsigned char head[KSA_MESSAGE_HEAD];
        struct timespec deadline = soon();
        size_t size = 0, room;

        if (!ksa_receive(STDIN_FILENO, head, sizeof(head), &deadline) ||
            !ksa_message_size(head, KSA_REQUEST_MAX, &size))
                return NULL;
        struct ksa_secret *frame = ksa_secret_new(size);
        if (frame == NULL)
                return NULL;
        if (!ksa_receive(STDIN_FILENO, ksa_secret_tail(frame, &room), size, &deadline)) {
                ksa_secret_free(&frame);
                return NULL;
        }
        ksa_secret_extend(frame, size);
        return frame;
}

static bool serve(struct transfer *transfer, const struct ksa_secret *frame)
{
        struct ksa_request request;
        struct ksa_response response = {.transport = KSA_TRANSPORT_REQUEST,
                                        .why = ksa_bytes_of("not a request")};

        if (ksa_request_read(frame, &request)) {
                (void)alarm((unsigned)(request.milliseconds / 1000) + 2);
                transfer_ask(transfer, &request, &response);
                (void)alarm(0);
        }
        return answer(&response);
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

                return answer(&response) ? EXIT_FAILURE : 2;
        }
        bool served = true;
        while (served) {
                struct ksa_secret *frame = next_frame();

                if (frame == NULL)
                        break;
                served = serve(transfer, frame);
                ksa_secret_free(&frame);
        }
        transfer_free(&transfer);
        return EXIT_SUCCESS;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "cluster/fetch_process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/process.h"
#include "base/env.h"
#include "base/text.h"

#define TOO_MANY_REQUESTS 429
/*
 * ksa-fetch gets this many milliseconds less than the caller, so that it can report a timeout
 * itself: only it knows whether an error of this host was the cause.
 */
#define TO_REPORT 200

/* --- The process ------------------------------------------------------------ */

static enum ksa_reason broken(struct ksa_error *err, const char *what)
{
        return ksa_fail(err, KSA_HELPER, "%s", what);
}

/* Reports that WHAT, a call that creates a socket or process, failed with errno. */
static enum ksa_reason host_failed(struct ksa_error *err, const char *what)
{
        return ksa_fail(err, KSA_HOST_ERROR, "%s (errno %d)", what, errno);
}

/*
 * Starts PATH with one end of a socket pair; *RET_SOCKET is the other. With OUTLIVES it continues
 * after this process ends.
 */
static enum ksa_reason start(const char *path, char *const *arguments, bool outlives,
                             struct ksa_process *ret_child, int *ret_socket, struct ksa_error *err)
{
        int ends[2];
        sigset_t mask;

        if (geteuid() != 0)
                return ksa_fail(err, KSA_NEEDS_ROOT, "only root can send requests to the cluster");
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
                return host_failed(err, "a socket pair could not be created");
        pid_t child = ksa_process_start(ret_child, &mask);
        if (child == 0) {
                if (outlives)
                        (void)prctl(PR_SET_PDEATHSIG, 0);
                ksa_process_become(path, arguments, ends[1]);
        }
        enum ksa_reason reason =
                child < 0 ? host_failed(err, "a process could not be started") : KSA_OK;
        (void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
        (void)close(ends[1]);
        if (reason != KSA_OK) {
                (void)close(ends[0]);
                return reason;
        }
        *ret_socket = ends[0];
        return KSA_OK;
}

static enum ksa_reason start_fetch(struct ksa_fetch_process *fetch, struct ksa_error *err)
{
        char name[] = "ksa-fetch";
        char *const arguments[] = {name, NULL};

        if (fetch->is_running)
                return KSA_OK;
        enum ksa_reason reason =
                start(fetch->fetch_program, arguments, false, &fetch->child, &fetch->socket, err);
        fetch->is_running = reason == KSA_OK;
        return reason;
}

void ksa_fetch_process_close(struct ksa_fetch_process *fetch)
{
        if (!fetch->is_running)
                return;
        (void)close(fetch->socket);
        ksa_process_end(&fetch->child);
        fetch->is_running = false;
}

static void begin(struct ksa_fetch_process *fetch, int64_t milliseconds)
{
        if (!fetch->has_deadline)
                fetch->deadline = ksa_deadline_in((unsigned)milliseconds);
        fetch->has_deadline = true;
}

/* --- Requests and responses ------------------------------------------------- */

static enum ksa_reason too_late(struct ksa_error *err)
{
        return ksa_fail(err, KSA_API_TIMEOUT, "no answer from the cluster in time");
}

static enum ksa_reason receive_response(struct ksa_fetch_process *fetch,
                                        struct ksa_response *ret_response, struct ksa_error *err)
{
        unsigned char head[KSA_MESSAGE_HEAD];
        size_t size = 0, room;

        if (!ksa_receive(fetch->socket, head, sizeof(head), &fetch->deadline))
                return ksa_deadline_left(&fetch->deadline) == 0
                               ? too_late(err)
                               : broken(err, "ksa-fetch ended without an answer");
        if (!ksa_message_size(head, KSA_RESPONSE_MAX, &size))
                return broken(err, "ksa-fetch sent an invalid answer");
        struct ksa_secret *message = ksa_secret_new(size);
        if (message == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        void *tail = ksa_secret_tail(message, &room);
        if (!ksa_receive(fetch->socket, tail, size, &fetch->deadline)) {
                ksa_secret_free(&message);
                return ksa_deadline_left(&fetch->deadline) == 0
                               ? too_late(err)
                               : broken(err, "ksa-fetch ended in the middle of an answer");
        }
        ksa_secret_extend(message, size);
        if (ksa_response_read(message, ret_response))
                return KSA_OK;
        ksa_secret_free(&message);
        return broken(err, "ksa-fetch sent an invalid answer");
}

static enum ksa_reason transfer(struct ksa_fetch_process *fetch, const struct ksa_request *request,
                                struct ksa_response *ret_response, struct ksa_error *err)
{
        struct ksa_secret *message = ksa_request_write(request);

        if (message == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory, or more than %zu bytes to send",
                                KSA_REQUEST_MAX);
        bool sent = ksa_send(fetch->socket, ksa_secret_bytes(message), ksa_secret_length(message),
                             &fetch->deadline);
        ksa_secret_free(&message);
        if (!sent && ksa_deadline_left(&fetch->deadline) == 0)
                return too_late(err);
        return receive_response(fetch, ret_response, err);
}

/* Returns HOST or HOST:PORT of URL, whose scheme ends in "://". */
static const char *host_of(const char *url, char out[KSA_UNVERIFIED_SIZE])
{
        char plain[KSA_QUOTE_MAX], copy[KSA_UNVERIFIED_SIZE];
        const char *shown = ksa_text_url(url, plain, sizeof(plain));
        const char *host = strstr(shown, "://");

        host = host != NULL ? host + strlen("://") : shown;
        (void)snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(host, "/"), host);
        return ksa_text_quote(copy, out, KSA_UNVERIFIED_SIZE);
}

/* Bytes of a certificate's names in an error. */
#define NAMES_SIZE 193

/* Reports a certificate for other names. The names are untrusted. */
static enum ksa_reason other_name(const struct ksa_request *request,
                                  const struct ksa_response *response, struct ksa_error *err)
{
        char host[KSA_UNVERIFIED_SIZE], name[KSA_UNVERIFIED_SIZE], names[NAMES_SIZE];
        const char *server_name = request->server_name.bytes;
        bool named = response->names.length > 0;

        return ksa_fail(err, KSA_API_TLS,
                        "TLS: the certificate of %s is not for %s%s; its names: %s",
                        host_of(request->url.bytes, host),
                        server_name != NULL ? "api_server_name " : "that name",
                        server_name != NULL ? ksa_text_quote(server_name, name, sizeof(name)) : "",
                        named ? ksa_text_quote(response->names.bytes, names, sizeof(names))
                              : "none (it has no subjectAltName)");
}

/* Reports why the server's certificate is not valid, with a remedy. */
static enum ksa_reason certificate_error(const struct ksa_request *request,
                                         const struct ksa_response *response, struct ksa_error *err)
{
        const char *remedy = NULL, *anchors = request->ca.bytes != NULL
                                                      ? "the configured CA file"
                                                      : "the system's trust anchors";
        char host[KSA_UNVERIFIED_SIZE];
        enum ksa_reason reason = KSA_API_TLS;

        (void)host_of(request->url.bytes, host);
        if (response->transport == KSA_TRANSPORT_TLS_AUTHORITY) {
                (void)ksa_fail(err, reason, "TLS: no authority in %s signed the certificate of %s",
                               anchors, host);
                remedy = "put the CA of that server in api_ca_file (for an issuer's public "
                         "address: keys_ca_file); kubectl config view --raw --minify shows it "
                         "as certificate-authority-data";
        } else if (response->transport == KSA_TRANSPORT_TLS_NAME) {
                reason = other_name(request, response, err);
                remedy =
                        "use one of the certificate's names in the URL; or, for the API server, set "
                        "api_server_name to one of them and keep the address";
        } else if (response->transport == KSA_TRANSPORT_TLS_EXPIRED) {
                (void)ksa_fail(err, reason,
                               "TLS: the certificate of %s, or of its authority, has expired",
                               host);
                remedy =
                        "renew the server's certificate (kubeadm certs check-expiration shows it), "
                        "or set this host's clock";
        } else {
                (void)ksa_fail(err, reason,
                               "TLS: the certificate of %s, or of its authority, is not valid yet",
                               host);
                remedy = "set this host's clock, or that of the host that issued the certificate";
        }
        if (err != NULL)
                err->remedy = remedy;
        return reason;
}

enum ksa_reason ksa_fetch_check_transport(const struct ksa_request *request,
                                          const struct ksa_response *response,
                                          struct ksa_error *err)
{
        const char *why = response->why.bytes != NULL ? response->why.bytes : "";

        switch ((enum ksa_transport)response->transport) {
        case KSA_TRANSPORT_ANSWERED:
                return KSA_OK;
        case KSA_TRANSPORT_UNREACHABLE:
                return ksa_fail(err, KSA_API_UNREACHABLE, "no connection: %s", why);
        case KSA_TRANSPORT_TIMEOUT:
                return too_late(err);
        case KSA_TRANSPORT_TLS:
                return ksa_fail(err, KSA_API_TLS, "TLS: %s", why);
        case KSA_TRANSPORT_TLS_AUTHORITY:
        case KSA_TRANSPORT_TLS_NAME:
        case KSA_TRANSPORT_TLS_EXPIRED:
        case KSA_TRANSPORT_TLS_EARLY:
                return certificate_error(request, response, err);
        case KSA_TRANSPORT_TOO_LARGE:
                return ksa_fail(err, KSA_API_BROKEN, "the answer is too large");
        case KSA_TRANSPORT_BROKEN:
                return ksa_fail(err, KSA_API_BROKEN, "incomplete answer: %s", why);
        case KSA_TRANSPORT_USER:
                return broken(err, why);
        case KSA_TRANSPORT_HOST:
                return ksa_fail(err, KSA_HOST_ERROR, "this host could not connect: %s", why);
        case KSA_TRANSPORT_REQUEST:
        case KSA_TRANSPORT_COUNT:
        default:
                return ksa_fail(err, KSA_HELPER, "ksa-fetch cannot send this request: %s", why);
        }
}

static enum ksa_reason ask_once(struct ksa_fetch_process *fetch, const struct ksa_request *request,
                                struct ksa_response *ret_response, struct ksa_error *err)
{
        struct ksa_request timed = *request;
        struct ksa_response response = {0};

        int left = ksa_deadline_left(&fetch->deadline);
        if (left == 0)
                return too_late(err);
        timed.milliseconds = left > 2 * TO_REPORT ? left - TO_REPORT : (left + 1) / 2;
        enum ksa_reason reason = start_fetch(fetch, err);
        if (reason == KSA_OK)
                reason = transfer(fetch, &timed, &response, err);
        if (reason != KSA_OK) {
                ksa_fetch_process_close(
                        fetch); /* a late response would be taken for the next one's */
                return reason;
        }
        reason = ksa_fetch_check_transport(request, &response, err);
        if (reason == KSA_OK)
                *ret_response = response;
        else
                ksa_response_clear(&response);
        return reason;
}

/*
 * Waits as long as Retry-After requests (RFC 9110 section 10.2.3). False if too little time would
 * remain.
 */
static bool wait_for_retry(const struct ksa_fetch_process *fetch,
                           const struct ksa_response *response)
{
        int64_t wait = response->retry_after * 1000;

        if (response->status != TOO_MANY_REQUESTS || response->retry_after < 0 ||
            wait >= ksa_deadline_left(&fetch->deadline))
                return false;
        struct timespec until = ksa_deadline_in((unsigned)wait);
        return !ksa_process_wait(&fetch->child, &until);
}

enum ksa_reason ksa_fetch_process_ask(void *context, const struct ksa_request *request,
                                      struct ksa_response *ret_response, struct ksa_error *err)
{
        struct ksa_fetch_process *fetch = context;
        struct ksa_response first = {0}, second = {0};

        begin(fetch, request->milliseconds);
        enum ksa_reason reason = ask_once(fetch, request, &first, err);
        if (reason != KSA_OK)
                return reason;
        /*
         * The server did respond: without a second response the first one is the result, not a
         * timeout.
         */
        if (wait_for_retry(fetch, &first) && ask_once(fetch, request, &second, NULL) == KSA_OK) {
                ksa_response_clear(&first);
                first = second;
        }
        *ret_response = first;
        return KSA_OK;
}

/* --- Refresh ---------------------------------------------------------------- */

enum ksa_reason ksa_fetch_process_refresh(void *context, const char *config_file,
                                          const char *const *clusters, unsigned milliseconds,
                                          struct ksa_error *err)
{
        /* The name of a cluster may begin with a hyphen. */
        const char *const head[] = {"ksactl",    "keys",       "refresh", "--config",
                                    config_file, "--cooldown", "--"};
        struct ksa_fetch_process *fetch = context;
        const char *arguments[KSA_COUNT(head) + KSA_REFRESH_MAX + 1] = {0};
        struct ksa_process child;
        int socket = -1;

        memcpy(arguments, head, sizeof(head));
        for (size_t i = 0; i < KSA_REFRESH_MAX && clusters[i] != NULL; i++)
                arguments[KSA_COUNT(head) + i] = clusters[i];
        begin(fetch, milliseconds);
        /*
         * execve() takes char *, but does not modify the strings. The refresh outlives this
         * process, because it serves other logins too: a client that could end it would make them
         * wait for the cooldown.
         */
        enum ksa_reason reason = start(fetch->refresh_program, (char *const *)(uintptr_t)arguments,
                                       true, &child, &socket, err);
        if (reason != KSA_OK)
                return reason;
        if (!ksa_process_wait(&child, &fetch->deadline))
                reason = too_late(err);
        (void)close(socket);
        ksa_process_end(&child);
        return reason;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to the cluster through ksa's own programs: ksa-fetch for requests and responses, ksactl
 * for a refresh of key sets. These do the work that a host program must not do itself (network
 * sockets, locks, writes), and it waits for them until a deadline.
 */
#ifndef KSA_CLUSTER_FETCH_PROCESS_H
#define KSA_CLUSTER_FETCH_PROCESS_H

#include <stdbool.h>
#include <time.h>

#include "base/process.h"
#include "base/error.h"
#include "base/http_message.h"
#include "base/macros.h"

/*
 * The programs of one login or one command. Set the paths and zero the rest; the first request
 * starts ksa-fetch.
 */
struct ksa_fetch_process {
        const char *fetch_program;   /* ksa-fetch */
        const char *refresh_program; /* ksactl */
        struct timespec deadline;    /* set by the first request */
        bool has_deadline, is_running;
        struct ksa_process child;
        int socket;
};

/*
 * Sends one request and waits for its response. This is env.fetch in production; CONTEXT is a
 * struct ksa_fetch_process. The first call starts ksa-fetch and sets the deadline for all calls,
 * REQUEST->milliseconds from then. After status 429 with Retry-After the request is repeated once,
 * if the wait ends before the deadline.
 *
 * ret_response  on KSA_OK, an HTTP response of any status; ksa_response_clear() it
 *
 * KSA_NEEDS_ROOT       the effective uid is not 0; nothing is started
 * KSA_API_UNREACHABLE  no connection
 * KSA_API_TIMEOUT      the deadline has passed
 * KSA_API_TLS          the server could not prove its identity
 * KSA_API_BROKEN       the response is not HTTP, incomplete or too large
 * KSA_HELPER           ksa-fetch is missing, was killed, or sent an invalid message
 * KSA_HOST_ERROR       no port, descriptor, memory, process or permission on this host
 * KSA_MEMORY
 */
enum ksa_reason ksa_fetch_process_ask(void *context, const struct ksa_request *request,
                                      struct ksa_response *ret_response,
                                      struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Runs `ksactl keys refresh --cooldown` for CLUSTERS (ended by NULL) with the same deadline. This
 * is env.refresh in production. The result is in the cache. KSA_NEEDS_ROOT, KSA_API_TIMEOUT,
 * KSA_HELPER, KSA_HOST_ERROR
 */
enum ksa_reason ksa_fetch_process_refresh(void *context, const char *config_file,
                                          const char *const *clusters, unsigned milliseconds,
                                          struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Converts RESPONSE without an HTTP response to one of these reasons. KSA_OK with one.
 */
enum ksa_reason ksa_fetch_check_transport(const struct ksa_request *request,
                                          const struct ksa_response *response,
                                          struct ksa_error *err) KSA_MUST_CHECK;

/* Ends ksa-fetch if it was started. */
void ksa_fetch_process_close(struct ksa_fetch_process *fetch);

#endif

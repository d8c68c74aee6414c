/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks the cluster, through programs of our own: ksa-fetch for one request and answer after the other,
 * ksactl for a refresh of key sets. What a host program may not do itself (sockets to
 * the network, locks, writes), they do, and it waits until a deadline.
 */
#ifndef KSA_CLUSTER_HELPER_H
#define KSA_CLUSTER_HELPER_H

#include <stdbool.h>
#include <time.h>

#include "base/process.h"
#include "base/error.h"
#include "base/http_message.h"
#include "base/macros.h"

/* Zeroed but for the paths, it is a helper that was not started. One login's, or one command's. */
struct ksa_helper {
        const char *fetch_program;   /* ksa-fetch */
        const char *refresh_program; /* ksactl */
        struct timespec deadline;    /* from the first request on */
        bool has_deadline, is_running;
        struct ksa_process child;
        int socket;
};

/*
 * One request and its answer: the production env.fetch, whose context is a struct ksa_helper. The
 * first call starts the helper and the clock: REQUEST->milliseconds from then on all must be over.
 * A server that answers 429 with Retry-After is asked once more, if the wait ends before the deadline.
 *
 * ret_response  ksa_response_clear() it; an HTTP answer of any status
 *
 * KSA_NEEDS_ROOT       the effective uid is not 0: nothing is started
 * KSA_API_UNREACHABLE  no connection
 * KSA_API_TIMEOUT      the time is over
 * KSA_API_TLS          a connection, but not to whom we meant
 * KSA_API_BROKEN       no HTTP answer, one that ends early or is too large
 * KSA_HELPER           ksa-fetch is missing, was killed, or talks nonsense
 * KSA_HOST_ERROR       this host has no port, descriptor, memory, process or permission left
 * KSA_MEMORY
 */
enum ksa_reason ksa_helper_ask(void *context, const struct ksa_request *request,
                               struct ksa_response *ret_response,
                               struct ksa_error *err) KSA_MUST_CHECK;

/*
 * `ksactl keys refresh --cooldown` for these CLUSTERS (ended by NULL), with the same deadline as all
 * else: env.refresh. The result is in the cache. KSA_NEEDS_ROOT, KSA_API_TIMEOUT, KSA_HELPER,
 * KSA_HOST_ERROR
 */
enum ksa_reason ksa_helper_refresh(void *context, const char *config_file,
                                   const char *const *clusters, unsigned milliseconds,
                                   struct ksa_error *err) KSA_MUST_CHECK;

/* Ends the helper, if there is one. */
void ksa_helper_close(struct ksa_helper *fetch);

#endif

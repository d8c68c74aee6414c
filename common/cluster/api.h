/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends requests to a cluster: to its API server with this host's credential, or to the public
 * addresses of its keys without one. Certificates and credentials are read here, because ksa-fetch
 * may not read the files.
 */
#ifndef KSA_API_H
#define KSA_API_H

#include "base/env.h"
#include "config/types.h"

enum ksa_side {
        KSA_SIDE_API = 1, /* api_server, with api_ca_file and credential_file or client_cert_file */
        KSA_SIDE_PUBLIC,  /* the issuer and its jwks_uri, with keys_ca_file, without a credential */
};

/* The inputs of requests to one side. Free it with ksa_api_close(). */
struct ksa_api {
        const struct ksa_cluster *cluster;
        const struct ksa_env *env;
        enum ksa_side side;
        unsigned milliseconds; /* for all requests together, from the first one on */
        char *ca, *client_cert;
        size_t ca_length, client_cert_length;
        struct ksa_secret *bearer, *client_key;
};

/* The parts of an HTTP response that do not depend on its status. Zeroed without a response. */
struct ksa_response_head {
        int64_t status;
        int64_t date; /* seconds since 1970; -1 if absent */
};

struct ksa_call {
        const char *url;       /* https://…; or a path, from a slash, at api_server */
        const char *accept;    /* NULL: application/json */
        const char *agent;     /* the program's name for User-Agent; NULL: ksa-fetch */
        struct ksa_bytes body; /* makes the request a POST */
        size_t max;            /* limit of the response's body, in bytes */
        const char *secret;    /* the token in BODY, which no error may show; or NULL */
        struct ksa_response_head *ret_head; /* may be NULL */
};

/*
 * Reads the files that the options for SIDE name.
 *
 * ret_api  zeroed first; ksa_api_close() it always, also on failure
 *
 * KSA_FILE_MISSING, KSA_FILE_UNREADABLE   see file.h
 * KSA_FILE_UNSAFE  others could change the file, or read it if it is a credential
 * KSA_MEMORY
 */
enum ksa_reason ksa_api_open(const struct ksa_cluster *cluster, const struct ksa_env *env,
                             enum ksa_side side, unsigned milliseconds, struct ksa_api *ret_api,
                             struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Opens the API server's side with BEARER (copied) in place of the host's credential. Same errors.
 */
enum ksa_reason ksa_api_open_with(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                  const struct ksa_secret *bearer, unsigned milliseconds,
                                  struct ksa_api *ret_api, struct ksa_error *err) KSA_MUST_CHECK;
void ksa_api_close(struct ksa_api *api);

/*
 * Sends one request. KSA_OK: the status is 200 or 201 and the body is complete.
 *
 * ret_response  on KSA_OK, ksa_response_clear() it
 *
 * errors of env.fetch    no HTTP response (fetch_process.h)
 * KSA_API_UNAUTHORIZED   401; with another remedy if the credential was just issued
 * KSA_API_FORBIDDEN      403
 * KSA_API_BUSY           429
 * KSA_API_ERROR          500 and above
 * KSA_API_BROKEN         any other status; redirects are not followed
 */
enum ksa_reason ksa_api_ask(const struct ksa_api *api, const struct ksa_call *call,
                            struct ksa_response *ret_response,
                            struct ksa_error *err) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One side of a cluster, and how to ask it: its API server, with this host's credential, or a public
 * address of its keys, without. The bytes of certificates and credentials are read here, because
 * ksa-fetch has no rights to files.
 */
#ifndef KSA_API_H
#define KSA_API_H

#include "base/env.h"
#include "config/types.h"

enum ksa_side {
        KSA_SIDE_API = 1, /* api_server: api_ca_file, credential_file or client_cert_file */
        KSA_SIDE_PUBLIC, /* the issuer's and its keys' addresses: keys_ca_file, and no credential */
};

/* What it takes to speak to one side; owned, freed by ksa_api_close(). */
struct ksa_api {
        const struct ksa_cluster *cluster;
        const struct ksa_env *env;
        enum ksa_side side;
        unsigned
                milliseconds; /* until all is over, from the first question of this environment on */
        char *ca, *client_cert;
        size_t ca_length, client_cert_length;
        struct ksa_secret *bearer, *client_key;
};

/* What an HTTP answer of any status says of itself; zeroed where there is none. */
struct ksa_answer_head {
        int64_t status;
        int64_t date; /* seconds since 1970; -1 for none */
};

struct ksa_call {
        const char *url;       /* https://…; or a path that begins with a slash, at api_server */
        const char *accept;    /* NULL: application/json */
        struct ksa_bytes body; /* with one it is a POST */
        size_t max;            /* bytes of the answer */
        const char *secret;    /* the token that BODY holds, which no error may show; or NULL */
        struct ksa_answer_head *ret_head; /* or NULL */
};

/*
 * Reads the files that CLUSTER names for SIDE.
 *
 * ret_api  zeroed first, and always to be closed, whatever is returned
 *
 * KSA_FILE_MISSING, KSA_FILE_UNREADABLE   a file, see file.h
 * KSA_FILE_UNSAFE    others could change it; for a credential: read it
 * KSA_MEMORY
 */
enum ksa_reason ksa_api_open(const struct ksa_cluster *cluster, const struct ksa_env *env,
                             enum ksa_side side, unsigned milliseconds, struct ksa_api *ret_api,
                             struct ksa_error *err) KSA_MUST_CHECK;

/*
 * The API server's side with BEARER (copied) in place of the host's credential. The same reasons.
 */
enum ksa_reason ksa_api_open_with(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                  const struct ksa_secret *bearer, unsigned milliseconds,
                                  struct ksa_api *ret_api, struct ksa_error *err) KSA_MUST_CHECK;
void ksa_api_close(struct ksa_api *api);

/*
 * Asks once. KSA_OK is an answer of 200 or 201, with all its bytes.
 *
 * ret_response  ksa_response_clear() it where KSA_OK
 *
 * what env.fetch says     there was no HTTP answer (helper.h)
 * KSA_API_UNAUTHORIZED    401; with a remedy of its own if the credential was issued just now
 * KSA_API_FORBIDDEN       403
 * KSA_API_BUSY            429
 * KSA_API_ERROR           500 and above
 * KSA_API_BROKEN          any other status: redirects are not followed
 */
enum ksa_reason ksa_api_ask(const struct ksa_api *api, const struct ksa_call *call,
                            struct ksa_response *ret_response,
                            struct ksa_error *err) KSA_MUST_CHECK;

#endif

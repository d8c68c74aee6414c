/* SPDX-License-Identifier: BSD-2-Clause */
/* The request to an API server that ksa-fetch reads, and the response that it writes. */
#ifndef KSA_BASE_HTTP_MESSAGE_H
#define KSA_BASE_HTTP_MESSAGE_H

#include <stdint.h>

#include "base/message.h"

/* Fits two tokens of 16 KiB, a bundle of trust anchors, and a client certificate with its key. */
#define KSA_REQUEST_MAX ((size_t)1024 * 1024)
/*
 * The largest response body: a page of service accounts, with room for the largest possible
 * account. etcd stores at most 1.5 MiB, and JSON escapes may need six bytes for one.
 */
#define KSA_BODY_MAX     ((size_t)16 * 1024 * 1024)
#define KSA_RESPONSE_MAX (KSA_BODY_MAX + 4096)
/* Limit of every number of seconds in a response: the last second of the year 9999. */
#define KSA_SECONDS_MAX INT64_C(253402300799)

/* Texts are followed by a NUL, and unset ones are NULL. All are borrowed. */
struct ksa_request {
        struct ksa_bytes method; /* "GET" or "POST" */
        struct ksa_bytes url;
        struct ksa_bytes accept;
        struct ksa_bytes user_agent;
        struct ksa_bytes audit_id;    /* header Audit-ID; may be unset */
        struct ksa_bytes bearer;      /* may be unset */
        struct ksa_bytes client_cert; /* PEM; may be unset */
        struct ksa_bytes client_key;  /* PEM; may be unset */
        struct ksa_bytes ca;          /* PEM; unset: the system's trust anchors */
        struct ksa_bytes proxy;       /* unset: no proxy; the environment's is never used */
        struct ksa_bytes server_name; /* for SNI and verification; unset: the host of the URL */
        struct ksa_bytes body;        /* JSON; may be unset */
        int64_t milliseconds;         /* timeout of the whole request */
        int64_t max;                  /* limit of the response's body, in bytes */
};

/* Result of a request below HTTP. Zero is not valid. */
enum ksa_transport {
        KSA_TRANSPORT_ANSWERED = 1,
        KSA_TRANSPORT_UNREACHABLE, /* no address, no route, or connection refused */
        KSA_TRANSPORT_TIMEOUT,
        KSA_TRANSPORT_TLS,       /* handshake failed, other than by an error below */
        KSA_TRANSPORT_TOO_LARGE, /* body larger than max */
        KSA_TRANSPORT_BROKEN,    /* connection closed early, or invalid HTTP */
        KSA_TRANSPORT_REQUEST, /* ksa-fetch refuses the request: not https, or an invalid option */
        KSA_TRANSPORT_USER,    /* ksa-fetch could not become the user _ksa */
        KSA_TRANSPORT_HOST,    /* local error: no free port, descriptor, memory or permission */
        KSA_TRANSPORT_TLS_AUTHORITY, /* certificate not signed by a trust anchor of the request */
        KSA_TRANSPORT_TLS_NAME,      /* certificate is for other names, see `names` */
        KSA_TRANSPORT_TLS_EXPIRED,
        KSA_TRANSPORT_TLS_EARLY, /* certificate is not valid yet */
        KSA_TRANSPORT_COUNT,
};

struct ksa_response {
        int64_t transport;    /* enum ksa_transport */
        int64_t status;       /* HTTP status; 0 without a response */
        int64_t max_age;      /* seconds, from Cache-Control; -1 if absent */
        int64_t retry_after;  /* seconds from now; -1 if absent */
        int64_t date;         /* Date, seconds since 1970; -1 if absent */
        struct ksa_bytes why; /* a constant text of libcurl, never sent by the server */
        struct ksa_bytes body;
        /*
         * Names and addresses of the server's certificate, shortened, in printable ASCII.
         * Untrusted.
         */
        struct ksa_bytes names;
        struct ksa_secret *message; /* owns the bytes of the texts; see ksa_response_clear() */
};

/*
 * Writes and reads. The caller frees what is written (ksa_secret_free); NULL if memory runs out or the
 * message is too long. A request that was read borrows from MESSAGE, a message without its header. False if
 * it is not a valid request.
 */
struct ksa_secret *ksa_request_write(const struct ksa_request *request) KSA_MUST_CHECK;
bool ksa_request_read(const struct ksa_secret *message,
                      struct ksa_request *ret_request) KSA_MUST_CHECK;
struct ksa_secret *ksa_response_write(const struct ksa_response *response) KSA_MUST_CHECK;

/*
 * Reads a response from MESSAGE, a message without its header. Takes ownership of MESSAGE on success.
 * False if it is not a valid response.
 */
bool ksa_response_read(struct ksa_secret *message,
                       struct ksa_response *ret_response) KSA_MUST_CHECK;
void ksa_response_clear(struct ksa_response *response);

#endif

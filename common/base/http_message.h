/* SPDX-License-Identifier: BSD-2-Clause */
/* A request to an API server and its answer, as ksa-fetch takes the one and gives the other. */
#ifndef KSA_BASE_HTTP_MESSAGE_H
#define KSA_BASE_HTTP_MESSAGE_H

#include <stdint.h>

#include "base/message.h"

/* A token of 16 KiB twice, a bundle of trust anchors, and a client certificate with its key. */
#define KSA_REQUEST_MAX ((size_t)1024 * 1024)
/*
 * The largest answer that anybody asks for: a page of service accounts, which must have room for
 * the largest one that there can be. etcd takes 1.5 MiB, and in JSON one byte may become six.
 */
#define KSA_BODY_MAX     ((size_t)16 * 1024 * 1024)
#define KSA_RESPONSE_MAX (KSA_BODY_MAX + 4096)
/* The last second of the year 9999: no number of seconds in an answer is larger. */
#define KSA_SECONDS_MAX INT64_C(253402300799)

/* Texts end in a NUL, and have none where they are not given. All borrowed. */
struct ksa_request {
        struct ksa_bytes method; /* "GET" or "POST" */
        struct ksa_bytes url;
        struct ksa_bytes accept;
        struct ksa_bytes user_agent;
        struct ksa_bytes audit_id;    /* header Audit-ID, or none */
        struct ksa_bytes bearer;      /* or none */
        struct ksa_bytes client_cert; /* PEM, or none */
        struct ksa_bytes client_key;  /* PEM, or none */
        struct ksa_bytes ca;          /* PEM; none: the system's trust anchors */
        struct ksa_bytes proxy;       /* or none: never the environment's */
        struct ksa_bytes server_name; /* of the certificate and SNI; none: the URL's */
        struct ksa_bytes body;        /* JSON, or none */
        int64_t milliseconds;         /* until there must be an answer */
        int64_t max;                  /* bytes of the answer's body */
};

/* Why there is no HTTP answer, or that there is one. Zero is neither. */
enum ksa_transport {
        KSA_TRANSPORT_ANSWERED = 1,
        KSA_TRANSPORT_UNREACHABLE, /* no address, no route, refused */
        KSA_TRANSPORT_TIMEOUT,
        KSA_TRANSPORT_TLS,       /* no agreement, and none of the errors of a certificate below */
        KSA_TRANSPORT_TOO_LARGE, /* more than max */
        KSA_TRANSPORT_BROKEN,    /* ended in the middle, or is no HTTP */
        KSA_TRANSPORT_REQUEST,   /* the request itself is refused: not https, a bad option */
        KSA_TRANSPORT_USER,      /* the helper could not become its own user */
        KSA_TRANSPORT_HOST, /* an error of this host: no port, descriptor, memory, permission */
        KSA_TRANSPORT_TLS_AUTHORITY, /* no trust anchor of the request signed the certificate */
        KSA_TRANSPORT_TLS_NAME,      /* the certificate is for other names, see `names` */
        KSA_TRANSPORT_TLS_EXPIRED,
        KSA_TRANSPORT_TLS_EARLY, /* the certificate is not valid yet */
        KSA_TRANSPORT_COUNT,
};

struct ksa_response {
        int64_t transport;    /* enum ksa_transport */
        int64_t status;       /* HTTP; 0 where there was none */
        int64_t max_age;      /* seconds, of Cache-Control; -1 for none */
        int64_t retry_after;  /* seconds from now; -1 for none */
        int64_t date;         /* seconds since 1970, of Date; -1 for none */
        struct ksa_bytes why; /* a constant text of the library, never what the server sent */
        struct ksa_bytes body;
        /* Names and addresses of the certificate, as the server sent them, cut, in printable ASCII. */
        struct ksa_bytes names;
        struct ksa_secret *frame; /* what the texts point into; ksa_response_clear() */
};

struct ksa_secret *ksa_request_write(const struct ksa_request *request) KSA_MUST_CHECK;
bool ksa_request_read(const struct ksa_secret *frame,
                      struct ksa_request *ret_request) KSA_MUST_CHECK;
struct ksa_secret *ksa_response_write(const struct ksa_response *response) KSA_MUST_CHECK;

/* Takes FRAME over where it succeeds. */
bool ksa_response_read(struct ksa_secret *frame, struct ksa_response *ret_response) KSA_MUST_CHECK;
void ksa_response_clear(struct ksa_response *response);

#endif

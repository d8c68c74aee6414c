/* SPDX-License-Identifier: BSD-2-Clause */
/* A server on loopback that sends one text to each client, with or without TLS. */
#ifndef KSA_TEST_WEB_SERVER_H
#define KSA_TEST_WEB_SERVER_H

#include <openssl/ssl.h>
#include <pthread.h>

#define REQUEST_SIZE 4096

struct web_server {
        int listener;
        unsigned port;
        pthread_t thread;
        SSL_CTX *tls;               /* NULL: plain */
        const char *answer;         /* borrowed; NULL: it accepts, and never answers */
        char request[REQUEST_SIZE]; /* of the last client, to be read after web_server_stop() */
        size_t length;
};

/* A certificate and its key: it is its own authority. */
struct certificate {
        EVP_PKEY *key;
        X509 *x509;
        char pem[4096];
};

/*
 * For NAMES in OpenSSL's form ("IP:127.0.0.1,DNS:x"; NULL: none), valid from FIRST to LAST, in seconds from
 * now. Free it with certificate_free().
 */
struct certificate *certificate_new(const char *names, long first, long last);
void certificate_free(struct certificate *certificate);

/* CERTIFICATE is borrowed, NULL for a plain server. */
void web_server_start(struct web_server *server, const char *answer,
                      const struct certificate *certificate);

/* Ends the thread; the last client has what was sent. */
void web_server_stop(struct web_server *server);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/web_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/support.h"

/* --- Certificates ----------------------------------------------------------- */

static void add_extension(X509 *x509, int kind, const char *value)
{
        X509V3_CTX context;

        X509V3_set_ctx_nodb(&context);
        X509V3_set_ctx(&context, x509, x509, NULL, NULL, 0);
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
        assert_non_null(extension);
        assert_int_equal(X509_add_ext(x509, extension, -1), 1);
        X509_EXTENSION_free(extension);
}

struct certificate *certificate_new(const char *names, long first, long last)
{
        struct certificate *made = calloc(1, sizeof(*made));

        assert_non_null(made);
        made->key = EVP_EC_gen("P-256");
        made->x509 = X509_new();
        assert_non_null(made->key);
        assert_non_null(made->x509);
        X509_NAME *name = X509_NAME_new();
        assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                    (const unsigned char *)"test", -1, -1, 0),
                         1);
        assert_int_equal(X509_set_version(made->x509, X509_VERSION_3), 1);
        assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(made->x509), 1), 1);
        assert_int_equal(X509_set_subject_name(made->x509, name), 1);
        assert_int_equal(X509_set_issuer_name(made->x509, name), 1);
        X509_NAME_free(name);
        assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made->x509), first));
        assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made->x509), last));
        assert_int_equal(X509_set_pubkey(made->x509, made->key), 1);
        add_extension(made->x509, NID_basic_constraints, "critical,CA:TRUE");
        if (names != NULL)
                add_extension(made->x509, NID_subject_alt_name, names);
        assert_true(X509_sign(made->x509, made->key, EVP_sha256()) > 0);
        BIO *text = BIO_new(BIO_s_mem());
        assert_int_equal(PEM_write_bio_X509(text, made->x509), 1);
        assert_true(BIO_read(text, made->pem, sizeof(made->pem) - 1) > 0);
        BIO_free(text);
        return made;
}

void certificate_free(struct certificate *certificate)
{
        X509_free(certificate->x509);
        EVP_PKEY_free(certificate->key);
        free(certificate);
}

/* --- The server ------------------------------------------------------------- */

static int take(int client, SSL *tls, char *bytes, size_t size)
{
        return tls != NULL ? SSL_read(tls, bytes, (int)size) : (int)read(client, bytes, size);
}

static int give(int client, SSL *tls, const char *bytes)
{
        size_t length = strlen(bytes);

        return tls != NULL ? SSL_write(tls, bytes, (int)length)
                           : (int)send(client, bytes, length, MSG_NOSIGNAL);
}

/*
 * Reads until the head of the request has arrived, or the client closes. A client that refuses the
 * certificate sends no request. A plain server that receives a TLS record (0x16) answers at once.
 */
static void serve(struct web_server *server, int client, SSL *tls)
{
        server->length = 0;
        if (tls != NULL && SSL_accept(tls) != 1)
                return;
        while (server->length + 1 < REQUEST_SIZE) {
                int got = take(client, tls, server->request + server->length,
                               REQUEST_SIZE - 1 - server->length);

                if (got <= 0)
                        break;
                server->length += (size_t)got;
                server->request[server->length] = '\0';
                if (strstr(server->request, "\r\n\r\n") != NULL || server->request[0] == 0x16)
                        break;
        }
        if (server->answer != NULL && server->length > 0)
                (void)give(client, tls, server->answer);
        if (tls != NULL)
                (void)SSL_shutdown(tls);
}

static void *run(void *context)
{
        struct web_server *server = context;
        sigset_t broken;

        /* OpenSSL may write to a client that has closed; the signal would end the test. */
        (void)sigemptyset(&broken);
        (void)sigaddset(&broken, SIGPIPE);
        (void)pthread_sigmask(SIG_BLOCK, &broken, NULL);
        for (;;) {
                int client = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);

                if (client < 0)
                        return NULL; /* web_server_stop() */
                SSL *tls = server->tls != NULL ? SSL_new(server->tls) : NULL;
                if (tls != NULL)
                        (void)SSL_set_fd(tls, client);
                serve(server, client, tls);
                SSL_free(tls);
                (void)shutdown(client, SHUT_WR);
                (void)close(client);
        }
}

void web_server_start(struct web_server *server, const char *answer,
                      const struct certificate *certificate)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof(address);

        memset(server, 0, sizeof(*server));
        server->answer = answer;
        if (certificate != NULL) {
                server->tls = SSL_CTX_new(TLS_server_method());
                assert_non_null(server->tls);
                assert_int_equal(SSL_CTX_use_certificate(server->tls, certificate->x509), 1);
                assert_int_equal(SSL_CTX_use_PrivateKey(server->tls, certificate->key), 1);
        }
        server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(server->listener >= 0);
        assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &length), 0);
        assert_int_equal(listen(server->listener, 8), 0);
        server->port = ntohs(address.sin_port);
        if (answer != NULL)
                assert_int_equal(pthread_create(&server->thread, NULL, run, server), 0);
}

void web_server_stop(struct web_server *server)
{
        (void)shutdown(server->listener, SHUT_RDWR);
        if (server->answer != NULL)
                assert_int_equal(pthread_join(server->thread, NULL), 0);
        (void)close(server->listener);
        SSL_CTX_free(server->tls);
}

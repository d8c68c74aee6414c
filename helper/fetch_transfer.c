/* SPDX-License-Identifier: BSD-2-Clause */
#include "fetch_transfer.h"

#include <curl/curl.h>
#include <openssl/x509_vfy.h> /* only constants: ksa-fetch does not link libcrypto itself */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "fetch_host.h"

#define HTTP_OK 200

/* Bytes of a certificate's names in the response. */
#define NAMES_SIZE 513

struct transfer {
        CURL *curl;
        struct ksa_secret *body;
        size_t max;
        bool too_large;
        int host_error; /* errno of an error of this host at one of the addresses, or 0 */
        int64_t max_age, retry_after, date;
        int64_t retry_date; /* seconds since 1970, of a Retry-After that is a date; -1 if absent */
        char names[NAMES_SIZE];
};

struct transfer *transfer_new(void)
{
        struct transfer *transfer = calloc(1, sizeof(*transfer));

        if (transfer == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
            (transfer->curl = curl_easy_init()) == NULL) {
                free(transfer);
                return NULL;
        }
        return transfer;
}

void transfer_free(struct transfer **transfer)
{
        if (*transfer == NULL)
                return;
        ksa_secret_free(&(*transfer)->body);
        curl_easy_cleanup((*transfer)->curl);
        curl_global_cleanup();
        free(*transfer);
        *transfer = NULL;
}

/* --- Response --------------------------------------------------------------- */

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
        struct transfer *transfer = context;

        if (ksa_secret_append(transfer->body, bytes, size * count))
                return size * count;
        transfer->too_large = true;
        return CURL_WRITEFUNC_ERROR;
}

/* Copies the value of header NAME in LINE, without the line break. False for another header. */
static bool header_value(const char *line, size_t length, const char *name, char *value,
                         size_t size)
{
        size_t prefix = strlen(name);

        if (length <= prefix || strncasecmp(line, name, prefix) != 0 || line[prefix] != ':')
                return false;
        const char *start = line + prefix + 1, *end = line + length;
        while (start < end && (*start == ' ' || *start == '\t'))
                start++;
        while (end > start && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
                end--;
        if ((size_t)(end - start) >= size)
                return false;
        memcpy(value, start, (size_t)(end - start));
        value[end - start] = '\0';
        return true;
}

/* Returns the end of the directive at TEXT: a comma outside of quotation marks, or the end. */
static char *directive_end(char *text)
{
        bool quoted = false;

        for (; *text != '\0' && (quoted || *text != ','); text++) {
                if (*text == '"')
                        quoted = !quoted;
                else if (quoted && *text == '\\' && text[1] != '\0')
                        text++;
        }
        return text;
}

/* Returns max-age of DIRECTIVE in seconds, plain or quoted (RFC 9111 section 5.2); -1 if absent. */
static int64_t max_age_in(const char *directive)
{
        static const char name[] = "max-age=";
        char digits[16];
        uint64_t seconds;

        directive += strspn(directive, " \t");
        if (strncasecmp(directive, name, sizeof(name) - 1) != 0)
                return -1;
        directive += sizeof(name) - 1;
        size_t quote = *directive == '"' ? 1 : 0;
        size_t length = strspn(directive + quote, "0123456789");
        const char *rest = directive + quote + length + quote;
        if (length >= sizeof(digits) || (quote == 1 && directive[1 + length] != '"') ||
            rest[strspn(rest, " \t")] != '\0')
                return -1;
        (void)snprintf(digits, sizeof(digits), "%.*s", (int)length, directive + quote);
        return ksa_text_number(digits, 0, INT32_MAX, &seconds) ? (int64_t)seconds : -1;
}

/* Parses a Cache-Control header. A response may have several; the smallest max-age counts. */
static void take_cache_control(struct transfer *transfer, char *value)
{
        for (bool more = true; more;) {
                char *end = directive_end(value);

                more = *end != '\0';
                *end = '\0';
                int64_t seconds = max_age_in(value);
                if (seconds >= 0 && (transfer->max_age < 0 || seconds < transfer->max_age))
                        transfer->max_age = seconds;
                value = end + 1;
        }
}

/*
 * Returns seconds since 1970, or -1 if VALUE is not an IMF-fixdate (RFC 9110 section 5.6.7), the
 * form that servers send. Not curl_getdate(), whose result is libcurl's time_t, which may have 32
 * bits.
 */
static int64_t date_in(const char *value)
{
        struct tm parts = {0};
        const char *end = strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        int64_t date = end != NULL && *end == '\0' ? (int64_t)timegm(&parts) : -1;

        return date >= 0 && date <= KSA_SECONDS_MAX ? date : -1;
}

static size_t take_header(char *line, size_t size, size_t count, void *context)
{
        struct transfer *transfer = context;
        char value[256];
        uint64_t seconds;

        if (header_value(line, size * count, "Cache-Control", value, sizeof(value)))
                take_cache_control(transfer, value);
        else if (header_value(line, size * count, "Retry-After", value, sizeof(value)) &&
                 ksa_text_number(value, 0, INT32_MAX, &seconds))
                transfer->retry_after = (int64_t)seconds;
        else if (header_value(line, size * count, "Retry-After", value, sizeof(value)))
                transfer->retry_date = date_in(value);
        else if (header_value(line, size * count, "Date", value, sizeof(value)))
                transfer->date = date_in(value);
        return size * count;
}

/* Returns Retry-After in seconds from now, by the server's clock; -1 if absent. */
static int64_t retry_after(const struct transfer *transfer)
{
        if (transfer->retry_after >= 0 || transfer->retry_date < 0 || transfer->date < 0)
                return transfer->retry_after;
        return transfer->retry_date > transfer->date ? transfer->retry_date - transfer->date : 0;
}

/* --- Errors of this host ---------------------------------------------------- */

static void note_error(struct transfer *transfer, int number)
{
        if (transfer->host_error == 0)
                transfer->host_error = number;
}

/* Records errno of libcurl's last connect(). */
static void note_connect(struct transfer *transfer)
{
        long number = 0;

        (void)curl_easy_getinfo(transfer->curl, CURLINFO_OS_ERRNO, &number);
        if (fetch_host_failed((int)number))
                note_error(transfer, (int)number);
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
        int number = 0;
        int fd = fetch_host_socket(&address->addr, address->addrlen, address->socktype,
                                   address->protocol, &number);

        (void)purpose;
        note_error(context, number);
        return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* libcurl calls this for each failed address before it tries the next one. */
static int close_socket(void *context, curl_socket_t fd)
{
        note_connect(context);
        return close(fd);
}

/* --- Request ---------------------------------------------------------------- */

/* Adds "NAME: VALUE" if VALUE is set. False if memory runs out. */
static bool add_header(struct curl_slist **headers, const char *name, struct ksa_bytes value)
{
        char *line = NULL;

        if (value.bytes == NULL)
                return true;
        int length = asprintf(&line, "%s: %s", name, value.bytes);
        struct curl_slist *longer = length < 0 ? NULL : curl_slist_append(*headers, line);
        if (length >= 0)
                ksa_secret_wipe(line, (size_t)length);
        free(line);
        if (longer == NULL)
                return false;
        *headers = longer;
        return true;
}

static bool add_headers(struct curl_slist **headers, const struct ksa_request *request)
{
        struct ksa_bytes json = {NULL, 0};

        if (request->body.bytes != NULL)
                json = ksa_bytes_of("application/json");
        return add_header(headers, "Accept", request->accept) &&
               add_header(headers, "Audit-ID", request->audit_id) &&
               add_header(headers, "Content-Type", json) &&
               add_header(headers, "Expect", ksa_bytes_of("")); /* do not wait for status 100 */
}

static bool set_blob(CURL *curl, CURLoption option, struct ksa_bytes bytes)
{
        struct curl_blob blob = {.data = (void *)(uintptr_t)bytes.bytes,
                                 .len = bytes.length,
                                 .flags = CURL_BLOB_NOCOPY};

        return bytes.bytes == NULL || curl_easy_setopt(curl, option, &blob) == CURLE_OK;
}

/* http: is only for tests and local proxies: the host must be this machine. */
static bool is_loopback(const char *url)
{
        static const char *const hosts[] = {"http://127.0.0.1", "http://[::1]", "http://localhost"};

        for (size_t i = 0; i < KSA_COUNT(hosts); i++) {
                size_t length = strlen(hosts[i]);

                if (strncmp(url, hosts[i], length) == 0 && strchr("/:", url[length]) != NULL)
                        return true; /* or at the end: strchr() finds the NUL */
        }
        return false;
}

/*
 * Checked before libcurl starts, because its error for another scheme is also its error for a
 * response that is not HTTP.
 */
static bool may_ask(const char *url)
{
        return strncmp(url, "https://", 8) == 0 || is_loopback(url);
}

/*
 * Makes libcurl use request->server_name for verification, SNI and Host, but connect to the URL's
 * host: the URL gets that name, and CONNECT_TO, a list of one, the host. False if memory runs out
 * or the URL is invalid.
 */
static bool set_name(CURL *curl, const struct ksa_request *request, struct curl_slist **connect_to)
{
        CURLU *url = curl_url();
        char *host = NULL, *port = NULL, *named = NULL, *line = NULL;
        bool ok = url != NULL &&
                  curl_url_set(url, CURLUPART_URL, request->url.bytes, 0) == CURLUE_OK &&
                  curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                  curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                  curl_url_set(url, CURLUPART_HOST, request->server_name.bytes, 0) == CURLUE_OK &&
                  curl_url_get(url, CURLUPART_URL, &named, 0) == CURLUE_OK &&
                  asprintf(&line, "::%s:%s", host, port) > 0;

        if (ok) {
                *connect_to = curl_slist_append(NULL, line);
                ok = *connect_to != NULL &&
                     curl_easy_setopt(curl, CURLOPT_URL, named) == CURLE_OK &&
                     curl_easy_setopt(curl, CURLOPT_CONNECT_TO, *connect_to) == CURLE_OK;
        }
        free(line);
        curl_free(named);
        curl_free(port);
        curl_free(host);
        curl_url_cleanup(url);
        return ok;
}

static bool set_options(struct transfer *transfer, const struct ksa_request *request,
                        struct curl_slist *headers)
{
        CURL *curl = transfer->curl;
        bool plain = is_loopback(request->url.bytes);

#define SET(option, value) (curl_easy_setopt(curl, option, value) == CURLE_OK)
        return SET(CURLOPT_URL, request->url.bytes) &&
               SET(CURLOPT_PROTOCOLS_STR, plain ? "http" : "https") &&
               SET(CURLOPT_CUSTOMREQUEST, request->method.bytes) &&
               SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
               SET(CURLOPT_FOLLOWLOCATION, 0L) &&
               /* reject "http://127.0.0.1:x@elsewhere", which is not this machine */
               SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) && SET(CURLOPT_HTTPHEADER, headers) &&
               SET(CURLOPT_USERAGENT, request->user_agent.bytes) &&
               SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER) &&
               SET(CURLOPT_XOAUTH2_BEARER, request->bearer.bytes) &&
               SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
               SET(CURLOPT_SSL_VERIFYPEER, 1L) && SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
               SET(CURLOPT_CERTINFO, 1L) && set_blob(curl, CURLOPT_CAINFO_BLOB, request->ca) &&
               /* otherwise libcurl's default directory of anchors would be trusted as well */
               (request->ca.bytes == NULL || SET(CURLOPT_CAPATH, NULL)) &&
               set_blob(curl, CURLOPT_SSLCERT_BLOB, request->client_cert) &&
               set_blob(curl, CURLOPT_SSLKEY_BLOB, request->client_key) &&
               SET(CURLOPT_PROXY, request->proxy.bytes != NULL ? request->proxy.bytes : "") &&
               SET(CURLOPT_NOPROXY, "") && SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) &&
               SET(CURLOPT_POSTFIELDS, request->body.bytes) &&
               SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.length) &&
               SET(CURLOPT_TIMEOUT_MS, (long)request->milliseconds) &&
               SET(CURLOPT_CONNECTTIMEOUT_MS, (long)request->milliseconds) &&
               SET(CURLOPT_OPENSOCKETFUNCTION, open_socket) &&
               SET(CURLOPT_OPENSOCKETDATA, transfer) &&
               SET(CURLOPT_CLOSESOCKETFUNCTION, close_socket) &&
               SET(CURLOPT_CLOSESOCKETDATA, transfer) && SET(CURLOPT_NOSIGNAL, 1L) &&
               SET(CURLOPT_TCP_KEEPALIVE, 1L) && SET(CURLOPT_WRITEFUNCTION, take_body) &&
               SET(CURLOPT_WRITEDATA, transfer) && SET(CURLOPT_HEADERFUNCTION, take_header) &&
               SET(CURLOPT_HEADERDATA, transfer) &&
               (request->body.bytes != NULL || SET(CURLOPT_HTTPGET, 1L));
#undef SET
}

static enum ksa_transport transport_of(CURLcode code, bool too_large)
{
        if (too_large)
                return KSA_TRANSPORT_TOO_LARGE;
        switch ((int)code) {
        case CURLE_OK:
                return KSA_TRANSPORT_ANSWERED;
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_CONNECT:
                return KSA_TRANSPORT_UNREACHABLE;
        case CURLE_OPERATION_TIMEDOUT:
                return KSA_TRANSPORT_TIMEOUT;
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CIPHER:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_INVALIDCERTSTATUS:
        case CURLE_SSL_CLIENTCERT:
                return KSA_TRANSPORT_TLS;
        case CURLE_URL_MALFORMAT:
        case CURLE_UNKNOWN_OPTION:
        case CURLE_BAD_FUNCTION_ARGUMENT:
                return KSA_TRANSPORT_REQUEST;
        case CURLE_OUT_OF_MEMORY: /* before 8.6 also for a header that is too long */
        default:
                return KSA_TRANSPORT_BROKEN;
        }
}

/*
 * Formats names and addresses of the server's certificate as OpenSSL prints them, in printable
 * ASCII.
 */
static struct ksa_bytes certificate_names(struct transfer *transfer,
                                          const struct curl_certinfo *chain)
{
        static const char extension[] = "X509v3 Subject Alternative Name:";
        const size_t prefix = sizeof(extension) - 1;

        transfer->names[0] = '\0';
        for (const struct curl_slist *field = chain->certinfo[0]; field != NULL;
             field = field->next) {
                if (strncmp(field->data, extension, prefix) == 0)
                        (void)ksa_text_whole(field->data + prefix, transfer->names,
                                             sizeof(transfer->names));
        }
        return ksa_bytes_of(transfer->names);
}

/*
 * Sets why the certificate is not valid, if libcurl uses OpenSSL. CHAIN information exists only
 * after a successful verification of the chain: then the name is wrong.
 */
static void check_certificate(struct transfer *transfer, const struct ksa_request *request,
                              struct ksa_response *response)
{
        const char *library = curl_version_info(CURLVERSION_NOW)->ssl_version;
        struct curl_certinfo *chain = NULL;
        long verified = X509_V_OK, connected = 0;

        (void)curl_easy_getinfo(transfer->curl, CURLINFO_SSL_VERIFYRESULT, &verified);
        (void)curl_easy_getinfo(transfer->curl, CURLINFO_CERTINFO, &chain);
        (void)curl_easy_getinfo(transfer->curl, CURLINFO_HTTP_CONNECTCODE, &connected);
        if (library == NULL || strncmp(library, "OpenSSL/", strlen("OpenSSL/")) != 0)
                return;
        /* Before a response to CONNECT the certificate is the proxy's. */
        if (request->proxy.bytes != NULL && connected != HTTP_OK)
                return;
        if (chain != NULL && chain->num_of_certs > 0) {
                response->transport = KSA_TRANSPORT_TLS_NAME;
                response->names = certificate_names(transfer, chain);
                return;
        }
        switch (verified) {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_CERT_SIGNATURE_FAILURE: /* another authority with the same name */
                response->transport = KSA_TRANSPORT_TLS_AUTHORITY;
                break;
        case X509_V_ERR_CERT_HAS_EXPIRED:
                response->transport = KSA_TRANSPORT_TLS_EXPIRED;
                break;
        case X509_V_ERR_CERT_NOT_YET_VALID:
                response->transport = KSA_TRANSPORT_TLS_EARLY;
                break;
        default:
                break;
        }
}

/*
 * Reports an error of this host if one occurred: the cluster is unreachable only if this host did
 * its part.
 */
static void check_host(struct transfer *transfer, struct ksa_response *response)
{
        if (response->transport == KSA_TRANSPORT_UNREACHABLE)
                note_connect(transfer);
        else if (response->transport != KSA_TRANSPORT_TIMEOUT)
                return;
        if (transfer->host_error == 0)
                transfer->host_error = fetch_host_probe();
        if (transfer->host_error == 0)
                return;
        response->transport = KSA_TRANSPORT_HOST;
        response->why = ksa_bytes_of(strerror(transfer->host_error));
}

static void run(struct transfer *transfer, const struct ksa_request *request,
                struct curl_slist *headers, struct ksa_response *response)
{
        long status = 0;
        CURLcode code = CURLE_BAD_FUNCTION_ARGUMENT;
        struct curl_slist *connect_to = NULL;
        bool named = request->server_name.bytes != NULL && !is_loopback(request->url.bytes);

        if (may_ask(request->url.bytes) && set_options(transfer, request, headers) &&
            (!named || set_name(transfer->curl, request, &connect_to)))
                code = curl_easy_perform(transfer->curl);
        curl_slist_free_all(connect_to);
        response->transport = transport_of(code, transfer->too_large);
        response->why = ksa_bytes_of(curl_easy_strerror(code));
        if (code == CURLE_PEER_FAILED_VERIFICATION)
                check_certificate(transfer, request, response);
        check_host(transfer, response);
        if (response->transport != KSA_TRANSPORT_ANSWERED)
                return;
        (void)curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
        response->status = status;
        response->max_age = transfer->max_age;
        response->retry_after = retry_after(transfer);
        response->date = transfer->date;
        response->body = (struct ksa_bytes){ksa_secret_bytes(transfer->body),
                                            ksa_secret_length(transfer->body)};
}

void transfer_ask(struct transfer *transfer, const struct ksa_request *request,
                  struct ksa_response *ret_response)
{
        struct curl_slist *headers = NULL;

        *ret_response = (struct ksa_response){.transport = KSA_TRANSPORT_REQUEST,
                                              .max_age = -1,
                                              .retry_after = -1,
                                              .date = -1,
                                              .why = ksa_bytes_of("out of memory")};
        ksa_secret_free(&transfer->body);
        transfer->body = ksa_secret_new((size_t)request->max);
        transfer->too_large = false;
        transfer->host_error = 0;
        transfer->max_age = transfer->retry_after = transfer->date = transfer->retry_date = -1;
        curl_easy_reset(transfer->curl); /* keeps connections and TLS sessions */
        if (transfer->body != NULL && add_headers(&headers, request))
                run(transfer, request, headers, ret_response);
        curl_slist_free_all(headers);
}

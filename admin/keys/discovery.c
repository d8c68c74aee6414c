/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/keys/discovery.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "token/json.h"

#define HTTPS        "https://"
#define HTTPS_LENGTH (sizeof(HTTPS) - 1)
/* Bytes of one value from outside that an error shows. */
#define SHOWN 160

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

char *ksa_discovery_url(const char *issuer)
{
        size_t length = strlen(issuer);
        char *url = NULL;

        if (length > 0 && issuer[length - 1] == '/')
                length--;
        if (asprintf(&url, "%.*s/.well-known/openid-configuration", (int)length, issuer) < 0)
                return NULL;
        return url;
}

/* The length of the host at TEXT: a name, an IPv4 address, or [an IPv6 address]. */
static size_t host_length(const char *text)
{
        if (*text != '[')
                return strspn(text, LETTERS DIGITS "-._");
        size_t length = strspn(text + 1, "abcdefABCDEF" DIGITS ":.");
        return length > 0 && text[length + 1] == ']' ? length + 2 : 0;
}

struct origin {
        const char *host;
        size_t length;
        uint64_t port;
};

/*
 * The server of URL: a host, and perhaps a port. Anything else that an authority may contain (a user,
 * escapes) is refused, because parsers disagree about it.
 */
static bool read_origin(const char *url, struct origin *ret_origin)
{
        struct origin origin = {.host = url + HTTPS_LENGTH, .port = 443};
        char port[6] = "";

        if (strncasecmp(url, HTTPS, HTTPS_LENGTH) != 0 || !ksa_is_graphic(url))
                return false;
        origin.length = host_length(origin.host);
        const char *end = origin.host + origin.length;
        if (*end == ':') {
                size_t digits = strspn(++end, DIGITS);

                (void)snprintf(port, sizeof(port), "%.*s", digits < 6 ? (int)digits : 0, end);
                if (!ksa_text_number(port, 1, 65535, &origin.port))
                        return false;
                end += digits;
        }
        if (origin.length == 0 || (*end != '\0' && strchr("/?", *end) == NULL))
                return false;
        *ret_origin = origin;
        return true;
}

bool ksa_same_origin(const char *left, const char *right)
{
        struct origin one, other;

        return read_origin(left, &one) && read_origin(right, &other) && one.port == other.port &&
               one.length == other.length && strncasecmp(one.host, other.host, one.length) == 0;
}

/* Some parsers take a backslash for a slash, and clients do not send what follows a #. */
static bool is_url(const char *text)
{
        struct origin origin;

        return strlen(text) <= KSA_JWKS_URI_MAX && strncmp(text, HTTPS, HTTPS_LENGTH) == 0 &&
               read_origin(text, &origin) && strpbrk(text, "\\#") == NULL;
}

static enum ksa_reason check_document(const json_t *document, const char *issuer,
                                      struct ksa_error *err)
{
        const char *said = ksa_json_text(document, "issuer");
        const char *jwks_uri = ksa_json_text(document, "jwks_uri");
        char quoted[SHOWN], wanted[SHOWN], plain[2][KSA_QUOTE_MAX];

        if (said == NULL || jwks_uri == NULL)
                return ksa_fail(err, KSA_API_BROKEN,
                                "the discovery document has no issuer or no jwks_uri");
        if (strcmp(said, issuer) != 0)
                return ksa_fail(err, KSA_API_BROKEN,
                                "the discovery document is that of \"%s\", not of \"%s\"",
                                ksa_text_quote(ksa_text_url(said, plain[0], sizeof(plain[0])),
                                               quoted, sizeof(quoted)),
                                ksa_text_quote(ksa_text_url(issuer, plain[1], sizeof(plain[1])),
                                               wanted, sizeof(wanted)));
        if (!is_url(jwks_uri))
                return ksa_fail(err, KSA_API_BROKEN, "jwks_uri \"%s\" is not a plain https URL",
                                ksa_text_quote(ksa_text_url(jwks_uri, plain[0], sizeof(plain[0])),
                                               quoted, sizeof(quoted)));
        return KSA_OK;
}

enum ksa_reason ksa_discovery_read(const char *body, size_t length, const char *issuer,
                                   char **ret_jwks_uri, struct ksa_error *err)
{
        KSA_CLEANUP(ksa_json_free) json_t *document = NULL;
        struct ksa_error inner = {0};
        enum ksa_reason reason = ksa_json_load_document(body, length, &document, &inner);

        if (reason != KSA_OK)
                return ksa_fail(err, reason == KSA_MEMORY ? reason : KSA_API_BROKEN,
                                "the answer is not a discovery document: %s", inner.text);
        reason = check_document(document, issuer, err);
        if (reason != KSA_OK)
                return reason;
        char *copy = strdup(ksa_json_text(document, "jwks_uri"));
        if (copy == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        *ret_jwks_uri = copy;
        return KSA_OK;
}

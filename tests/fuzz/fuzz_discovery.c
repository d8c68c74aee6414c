/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers that only ksactl gets. The input's first line: "o" compares the origins of the two lines
 * that follow; "t" takes the rest as the answer to a TokenRequest, "c" as the claims of the token
 * in one; anything else takes it as a discovery document.
 */
#include <jansson.h>

#include "admin/credential/token_request.h"
#include "admin/keys/discovery.h"
#include "base/text.h"
#include "document.h"
#include "fuzz.h"
#include "support/review_fixture.h"
#include "support/signer.h"

/* How long the part of an https URL is that names its server. */
static size_t authority_length(const char *url)
{
        return strcspn(url + 8, "/?#");
}

static void check_origins(const char *left, const char *right)
{
        bool same = ksa_same_origin(left, right);

        MUST(same == ksa_same_origin(right, left));
        if (!same)
                return;
        MUST(ksa_same_origin(left, left) && ksa_same_origin(right, right));
        MUST(strncasecmp(left, "https://", 8) == 0 && strncasecmp(right, "https://", 8) == 0);
        const char *at[] = {left + 8, right + 8};
        size_t length[] = {authority_length(left), authority_length(right)};
        for (size_t i = 0; i < 2; i++) {
                MUST(length[i] > 0 && memchr(at[i], '@', length[i]) == NULL);
                MUST(memchr(at[i], '%', length[i]) == NULL &&
                     memchr(at[i], '\\', length[i]) == NULL);
                if (length[i] > 4 && memcmp(at[i] + length[i] - 4, ":443", 4) == 0)
                        length[i] -= 4;
        }
        MUST(length[0] == length[1] && strncasecmp(at[0], at[1], length[0]) == 0);
}

static void read_document(const char *body, size_t size)
{
        struct ksa_error error = {0};
        char *uri = NULL;
        enum ksa_reason reason = ksa_discovery_read(body, size, ISSUER, &uri, &error);
        const char *issuer = NULL, *said = NULL;
        json_t *root = load_again(body, size);

        MUST(reason == KSA_OK || reason == KSA_API_BROKEN);
        MUST((reason == KSA_OK) == (uri != NULL) && (uri != NULL) == (error.text[0] == '\0'));
        if (reason != KSA_OK) {
                json_decref(root);
                return;
        }
        MUST(root != NULL &&
             json_unpack(root, "{s:s, s:s}", "issuer", &issuer, "jwks_uri", &said) == 0);
        MUST(strcmp(issuer, ISSUER) == 0 && strcmp(said, uri) == 0);
        json_decref(root);
        MUST(strncmp(uri, "https://", 8) == 0 && strlen(uri) <= 2048 && ksa_same_origin(uri, uri));
        MUST(memchr(uri + 8, '@', authority_length(uri)) == NULL);
        for (const char *c = uri; *c != '\0'; c++)
                MUST(*c > ' ' && *c <= '~');
        free(uri);
}

/* A token that replaces the host's own is for the same account and not expired; parsed again here. */
static void check_token(const struct ksa_secret *secret)
{
        const char *text = ksa_secret_bytes(secret), *payload = strchr(text, '.') + 1;
        size_t length = strcspn(payload, "."), size = 0;
        unsigned char *bytes = malloc(KSA_BASE64URL_DECODED(length));
        const char *namespace, *name, *uid;
        json_int_t exp = 0;

        MUST(bytes != NULL && ksa_base64url_decode(payload, length, bytes, &size));
        json_t *claims = json_loadb((char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
        MUST(claims != NULL);
        MUST(json_unpack(claims, "{s:I, s:{s:s, s:{s:s, s:s}}}", "exp", &exp, "kubernetes.io",
                         "namespace", &namespace, "serviceaccount", "name", &name, "uid",
                         &uid) == 0);
        MUST(exp > NOW && strcmp(namespace, "ci") == 0 && strcmp(name, "deployer") == 0);
        MUST(strcmp(uid, review_fixture_account.account_uid) == 0);
        json_decref(claims);
        free(bytes);
}

static void read_answer(const char *body, size_t size)
{
        struct ksa_error error = {0};
        struct ksa_secret *secret = NULL;
        enum ksa_reason reason =
                ksa_token_request_read(body, size, &review_fixture_account, NOW, &secret, &error);

        MUST(reason == KSA_OK || reason == KSA_API_BROKEN);
        MUST((reason == KSA_OK) == (secret != NULL) && (secret != NULL) == (error.text[0] == '\0'));
        MUST(strstr(error.text, "eyJ") == NULL);
        json_decref(load_again(body, size));
        if (secret != NULL)
                check_token(secret);
        ksa_secret_free(&secret);
}

static void read_claims(const char *claims)
{
        static const char signature[64];
        struct ksa_secret *token = token_of("{\"alg\":\"ES256\",\"kid\":\"k1\"}", claims, signature,
                                            sizeof(signature));
        char *body = NULL;
        int length =
                asprintf(&body,
                         "{\"kind\":\"TokenRequest\",\"apiVersion\":\"authentication.k8s.io/v1\","
                         "\"status\":{\"token\":\"%s\"}}",
                         ksa_secret_bytes(token));

        MUST(length > 0);
        read_answer(body, (size_t)length);
        free(body);
        ksa_secret_free(&token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *how = next_line(&data, &size);
        char *left = how[0] == 'o' ? next_line(&data, &size) : NULL;
        char *body = calloc(1, size + 1);

        MUST(body != NULL);
        if (size > 0)
                memcpy(body, data, size);
        if (left != NULL)
                check_origins(left, body);
        else if (how[0] == 't')
                read_answer(body, size);
        else if (how[0] == 'c')
                read_claims(body);
        else
                read_document(body, size);
        free(how);
        free(left);
        free(body);
        return 0;
}

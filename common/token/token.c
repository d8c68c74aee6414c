/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/token.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "token/json.h"

/* The last second of the year 9999: adding two times cannot overflow. */
#define TIME_MAX INT64_C(253402300799)

/* Length of the shortest signature in base64url: RSA with 2048 bits; R and S of each curve. */
static const struct {
        const char *name;
        size_t signature_length;
} algorithms[KSA_ALGORITHM_COUNT] = {
        /* clang-format off */
        [KSA_ALGORITHM_NONE] = {"none", 0},
        [KSA_RS256] = {"RS256", 342},
        [KSA_ES256] = {"ES256", 86},
        [KSA_ES384] = {"ES384", 128},
        [KSA_ES512] = {"ES512", 176},
        /* clang-format on */
};

const char *ksa_algorithm_name(enum ksa_algorithm algorithm)
{
        return algorithms[algorithm].name;
}

enum ksa_algorithm ksa_algorithm_find(const char *name)
{
        for (unsigned i = KSA_RS256; i < KSA_ALGORITHM_COUNT; i++) {
                if (strcmp(name, algorithms[i].name) == 0)
                        return (enum ksa_algorithm)i;
        }
        return KSA_ALGORITHM_NONE;
}

/* --- Three parts ------------------------------------------------------------ */

struct part {
        const char *text;
        size_t length;
};

static enum ksa_reason cut_short(size_t length, struct ksa_error *err)
{
        return ksa_fail(err, KSA_CUT_SHORT,
                        length == 1023 ? "the token ends after %zu bytes, where OpenSSH's client "
                                         "cuts an answer: use ksa-ssh or ksa-askpass"
                                       : "the token is incomplete: it ends after %zu bytes",
                        length);
}

/* Splits at the dots. Exactly two are required. */
static enum ksa_reason split(const struct ksa_secret *secret, struct part parts[3],
                             struct ksa_error *err)
{
        const char *text = ksa_secret_bytes(secret);
        size_t length = ksa_secret_length(secret), count = 0;
        const char *start = text;

        if (length > KSA_TOKEN_MAX)
                return ksa_fail(err, KSA_TOKEN_TOO_LONG, "the token is longer than %d bytes",
                                KSA_TOKEN_MAX);
        for (const char *c = text; c <= text + length; c++) {
                if (c < text + length && *c != '.')
                        continue;
                if (count < 3)
                        parts[count] = (struct part){start, (size_t)(c - start)};
                count++;
                start = c + 1;
        }
        /* A JSON object begins with {", which is eyJ in base64. */
        if (count < 3 && strncmp(text, "eyJ", 3) == 0)
                return cut_short(length, err);
        if (length == 0)
                return ksa_fail(err, KSA_NOT_A_TOKEN, "the text is empty");
        if (count != 3)
                return ksa_fail(err, KSA_NOT_A_TOKEN, "the text has %zu dots; a token has two",
                                count - 1);
        return KSA_OK;
}

static enum ksa_reason decode_object(const struct part *part, const char *what, json_t **ret_object,
                                     struct ksa_error *err)
{
        size_t length;
        unsigned char *bytes = malloc(KSA_BASE64URL_DECODED(part->length));
        enum ksa_reason reason;

        if (bytes == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        if (part->length == 0 || !ksa_base64url_decode(part->text, part->length, bytes, &length))
                reason = ksa_fail(err, KSA_NOT_A_TOKEN, "the %s is not base64url", what);
        else
                reason = ksa_json_load((const char *)bytes, length, ret_object, err);
        if (reason == KSA_NOT_A_TOKEN && err != NULL && part->length > 0) {
                struct ksa_error inner = *err;

                (void)ksa_fail(err, reason, "%s: %s", what, inner.text);
        }
        free(bytes);
        return reason;
}

static enum ksa_reason decode_signature(const struct part *part, size_t token_length,
                                        struct ksa_token *token, struct ksa_error *err)
{
        size_t length, room;

        /* The lengths at which pam_exec, ssh and sshd cut an answer. */
        bool cut = part->length < algorithms[token->algorithm].signature_length ||
                   token_length == 511 || token_length == 1023 || token_length == 1024;
        token->signature = ksa_secret_new(KSA_BASE64URL_DECODED(part->length));
        if (token->signature == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        bool decoded = ksa_base64url_decode(part->text, part->length,
                                            ksa_secret_tail(token->signature, &room), &length);
        if (!decoded || part->length < algorithms[token->algorithm].signature_length)
                return cut ? cut_short(token_length, err)
                           : ksa_fail(err, KSA_NOT_A_TOKEN, "the signature is not base64url");
        ksa_secret_extend(token->signature, length);
        return KSA_OK;
}

/* --- Header ----------------------------------------------------------------- */

static enum ksa_reason read_header(struct ksa_token *token, struct ksa_error *err)
{
        const char *name;
        json_t *value;

        json_object_foreach (token->header, name, value) {
                char quoted[KSA_UNVERIFIED_SIZE];

                /*
                 * Reject crit, jku, jwk, x5u, b64 and everything else that could change the
                 * verification.
                 */
                if (strcmp(name, "alg") != 0 && strcmp(name, "kid") != 0 &&
                    strcmp(name, "typ") != 0)
                        return ksa_fail(err, KSA_BAD_HEADER, "unexpected header member \"%s\"",
                                        ksa_text_quote(name, quoted, sizeof(quoted)));
        }
        const char *typ = ksa_json_text(token->header, "typ");
        if (json_object_get(token->header, "typ") != NULL &&
            (typ == NULL || strcmp(typ, "JWT") != 0))
                return ksa_fail(err, KSA_BAD_HEADER, "typ is not JWT");

        const char *kid = ksa_json_text(token->header, "kid");
        if (json_object_get(token->header, "kid") != NULL &&
            (kid == NULL || strlen(kid) > KSA_KID_MAX || (*kid != '\0' && !ksa_is_graphic(kid))))
                return ksa_fail(err, KSA_BAD_HEADER, "kid is not a string of at most %d bytes",
                                KSA_KID_MAX);
        token->kid = kid != NULL && *kid != '\0' ? kid : NULL;

        const char *algorithm = ksa_json_text(token->header, "alg");
        if (algorithm == NULL)
                return ksa_fail(err, KSA_BAD_ALGORITHM, "alg is missing or not a string");
        token->algorithm = ksa_algorithm_find(algorithm);
        if (token->algorithm == KSA_ALGORITHM_NONE) {
                char quoted[KSA_UNVERIFIED_SIZE];

                return ksa_fail(err, KSA_BAD_ALGORITHM, "unsupported alg \"%s\"",
                                ksa_text_quote(algorithm, quoted, sizeof(quoted)));
        }
        return KSA_OK;
}

/* --- Claims ----------------------------------------------------------------- */

static enum ksa_reason read_text(const json_t *object, const char *name, const char **ret_text,
                                 struct ksa_error *err)
{
        const json_t *value = json_object_get(object, name);

        if (value == NULL)
                return KSA_OK;
        *ret_text = json_string_value(value);
        return *ret_text != NULL ? KSA_OK
                                 : ksa_fail(err, KSA_BAD_CLAIMS, "%s is not a string", name);
}

/*
 * A NumericDate (RFC 7519 section 2) may have fractions; Kubernetes never writes one, so they are
 * errors.
 */
static enum ksa_reason read_time(const json_t *payload, const char *name, struct ksa_time *ret_time,
                                 struct ksa_error *err)
{
        const json_t *value = json_object_get(payload, name);

        if (value == NULL)
                return KSA_OK;
        json_int_t seconds = json_integer_value(value);
        if (!json_is_integer(value) || seconds < 0 || seconds > TIME_MAX)
                return ksa_fail(err, KSA_BAD_CLAIMS, "%s is not a time in whole seconds", name);
        *ret_time = (struct ksa_time){.given = true, .seconds = seconds};
        return KSA_OK;
}

static enum ksa_reason add_audience(struct ksa_token *token, const json_t *value,
                                    struct ksa_error *err)
{
        const char *audience = json_string_value(value);

        if (audience == NULL)
                return ksa_fail(err, KSA_BAD_CLAIMS, "aud has an item that is not a string");
        const char **item = ksa_list_next(&token->audiences, sizeof(audience));
        if (item == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        *item = audience;
        token->audiences.count++;
        return KSA_OK;
}

/* A string or an array of strings (RFC 7519 section 4.1.3). */
static enum ksa_reason read_audiences(struct ksa_token *token, struct ksa_error *err)
{
        const json_t *value = json_object_get(token->payload, "aud");
        enum ksa_reason reason = KSA_OK;

        if (value == NULL)
                return KSA_OK;
        if (!json_is_array(value))
                return add_audience(token, value, err);
        if (json_array_size(value) > KSA_AUDIENCES_MAX)
                return ksa_fail(err, KSA_BAD_CLAIMS, "more than %d audiences", KSA_AUDIENCES_MAX);
        for (size_t i = 0; reason == KSA_OK && i < json_array_size(value); i++)
                reason = add_audience(token, json_array_get(value, i), err);
        return reason;
}

/* Reads name and uid of the object that MEMBER refers to, if it is present. */
static enum ksa_reason read_reference(const json_t *kubernetes, const char *member,
                                      const char **ret_name, const char **ret_uid,
                                      struct ksa_error *err)
{
        const json_t *reference = json_object_get(kubernetes, member);
        enum ksa_reason reason;

        if (reference == NULL)
                return KSA_OK;
        if (!json_is_object(reference))
                return ksa_fail(err, KSA_BAD_CLAIMS, "kubernetes.io: %s is not an object", member);
        reason = read_text(reference, "name", ret_name, err);
        if (reason == KSA_OK)
                reason = read_text(reference, "uid", ret_uid, err);
        return reason;
}

static enum ksa_reason read_kubernetes(struct ksa_token *token, struct ksa_error *err)
{
        const json_t *kubernetes = json_object_get(token->payload, "kubernetes.io");
        enum ksa_reason reason;

        if (kubernetes == NULL)
                return KSA_OK;
        if (!json_is_object(kubernetes))
                return ksa_fail(err, KSA_BAD_CLAIMS, "kubernetes.io is not an object");
        reason = read_text(kubernetes, "namespace", &token->namespace, err);
        if (reason == KSA_OK)
                reason = read_reference(kubernetes, "serviceaccount", &token->account,
                                        &token->account_uid, err);
        if (reason == KSA_OK)
                reason = read_reference(kubernetes, "pod", &token->pod, &token->pod_uid, err);
        if (reason == KSA_OK)
                reason = read_reference(kubernetes, "secret", &token->secret, &token->secret_uid,
                                        err);
        if (reason == KSA_OK)
                reason = read_reference(kubernetes, "node", &token->node, &token->node_uid, err);
        return reason;
}

static enum ksa_reason read_claims(struct ksa_token *token, struct ksa_error *err)
{
        const json_t *payload = token->payload;
        enum ksa_reason reason = read_text(payload, "iss", &token->iss, err);

        if (reason == KSA_OK)
                reason = read_text(payload, "sub", &token->sub, err);
        if (reason == KSA_OK)
                reason = read_text(payload, "jti", &token->jti, err);
        if (reason == KSA_OK)
                reason = read_audiences(token, err);
        if (reason == KSA_OK)
                reason = read_time(payload, "exp", &token->exp, err);
        if (reason == KSA_OK)
                reason = read_time(payload, "nbf", &token->nbf, err);
        if (reason == KSA_OK)
                reason = read_time(payload, "iat", &token->iat, err);
        if (reason == KSA_OK)
                reason = read_kubernetes(token, err);
        return reason;
}

enum ksa_reason ksa_token_parse(const struct ksa_secret *text, struct ksa_token *ret_token,
                                struct ksa_error *err)
{
        struct part parts[3] = {0};
        enum ksa_reason reason;

        memset(ret_token, 0, sizeof(*ret_token));
        ret_token->compact = ksa_secret_bytes(text);
        reason = split(text, parts, err);
        if (reason == KSA_OK)
                reason = decode_object(&parts[0], "header", &ret_token->header, err);
        if (reason == KSA_OK)
                reason = read_header(ret_token, err);
        if (reason == KSA_OK)
                reason = decode_object(&parts[1], "payload", &ret_token->payload, err);
        if (reason == KSA_OK)
                reason = read_claims(ret_token, err);
        if (reason == KSA_OK)
                reason = decode_signature(&parts[2], ksa_secret_length(text), ret_token, err);
        ret_token->signed_length = parts[0].length + 1 + parts[1].length;
        return reason;
}

/* A token is bound to one object (TokenRequestSpec.boundObjectRef). That of a Pod may name the node too. */
const char *ksa_token_bound(const struct ksa_token *token)
{
        if (token->pod != NULL || token->pod_uid != NULL)
                return "pod";
        if (token->secret != NULL || token->secret_uid != NULL)
                return "secret";
        return token->node != NULL || token->node_uid != NULL ? "node" : "none";
}

void ksa_token_clear(struct ksa_token *token)
{
        ksa_secret_free(&token->signature);
        free(token->audiences.items);
        ksa_json_free(&token->header);
        ksa_json_free(&token->payload);
        memset(token, 0, sizeof(*token));
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/keys/key_source.h"

#include <stdlib.h>
#include <string.h>

#include "admin/keys/discovery.h"
#include "base/text.h"
#include "cluster/api.h"

/* Real documents have about 600 bytes. */
#define DOCUMENT_MAX ((size_t)64 * 1024)
/* Bytes of a URL from outside that an error shows. */
#define SHOWN 160

/* An API server sends the first type alone, and 406 without it; other servers send the second. */
#define KEYS_TYPES "application/jwk-set+json, application/json"
#define KEYS_PATH  "/openid/v1/jwks"

/* One cluster's fetch. */
struct source {
        const struct ksa_cluster *cluster;
        const struct ksa_env *env;
        unsigned milliseconds;
};

/* --- Requests --------------------------------------------------------------- */

/* Puts the URL of the request in front of the error. */
static enum ksa_reason name_url(const char *url, enum ksa_side side, enum ksa_reason reason,
                                struct ksa_error *err)
{
        const char *hint = "";
        const struct ksa_error inner = *err;
        char plain[KSA_QUOTE_MAX], shown[SHOWN];

        if (reason == KSA_API_FORBIDDEN && side == KSA_SIDE_API)
                hint = ": the ClusterRole system:service-account-issuer-discovery allows it";
        (void)ksa_fail(
                err, reason, "%s: %s%s",
                ksa_text_quote(ksa_text_url(url, plain, sizeof(plain)), shown, sizeof(shown)),
                inner.text, hint);
        ksa_error_keep_remedy(err, &inner);
        return reason;
}

static enum ksa_reason get(const struct source *source, enum ksa_side side,
                           const struct ksa_call *call, struct ksa_response *ret_response,
                           struct ksa_error *err)
{
        KSA_CLEANUP(ksa_api_close) struct ksa_api api;
        enum ksa_reason reason =
                ksa_api_open(source->cluster, source->env, side, source->milliseconds, &api, err);

        if (reason != KSA_OK)
                return reason;
        reason = ksa_api_ask(&api, call, ret_response, err);
        return reason == KSA_OK ? KSA_OK : name_url(call->url, side, reason, err);
}

/* The credential and the trust anchors of the API server are for its own origin. */
static enum ksa_side side_of(const struct ksa_cluster *cluster, const char *url)
{
        bool ours = cluster->api_server != NULL && ksa_same_origin(url, cluster->api_server);

        return ours ? KSA_SIDE_API : KSA_SIDE_PUBLIC;
}

/* --- Keys ------------------------------------------------------------------- */

static enum ksa_reason fetch_keys(const struct source *source, enum ksa_side side, const char *url,
                                  struct ksa_keyset **ret_keyset, int64_t *ret_max_age,
                                  struct ksa_error *err)
{
        const struct ksa_call call = {
                .url = url, .accept = KEYS_TYPES, .max = KSA_KEYSET_BYTES_MAX};
        struct ksa_keyset *keyset = NULL;
        KSA_CLEANUP(ksa_response_clear) struct ksa_response response = {0};
        enum ksa_reason reason = get(source, side, &call, &response, err);

        if (reason != KSA_OK)
                return reason;
        reason = ksa_keyset_parse(response.body.bytes, response.body.length, &keyset, err);
        if (reason == KSA_OK && ksa_keyset_count_usable(keyset) == 0)
                reason = ksa_fail(err, KSA_KEYS_UNUSABLE, "none of %zu keys is usable",
                                  ksa_keyset_count(keyset));
        if (reason != KSA_OK) {
                ksa_keyset_free(&keyset);
                return name_url(url, side, reason, err);
        }
        *ret_keyset = keyset;
        *ret_max_age = response.max_age > 0 ? response.max_age : 0;
        return KSA_OK;
}

static enum ksa_reason read_document(const struct source *source, const char *url,
                                     const char *issuer, char **ret_jwks_uri, struct ksa_error *err)
{
        const struct ksa_call call = {.url = url, .max = DOCUMENT_MAX};
        enum ksa_side side = side_of(source->cluster, url);
        KSA_CLEANUP(ksa_response_clear) struct ksa_response response = {0};
        enum ksa_reason reason = get(source, side, &call, &response, err);

        if (reason != KSA_OK)
                return reason;
        reason = ksa_discovery_read(response.body.bytes, response.body.length, issuer, ret_jwks_uri,
                                    err);
        return reason == KSA_OK ? KSA_OK : name_url(url, side, reason, err);
}

/* The jwks_uri of the issuer; of the first one, if there are several (a migration). */
static enum ksa_reason discover(const struct source *source, char **ret_jwks_uri,
                                struct ksa_error *err)
{
        const char *issuer = ksa_list_text(&source->cluster->issuer, 0);

        if (strncmp(issuer, "https://", 8) != 0)
                return ksa_fail(err, KSA_CONFIG_INVALID,
                                "[cluster %s] has keys = discover, but its issuer is not an "
                                "https URL",
                                source->cluster->name);
        char *url = ksa_discovery_url(issuer);
        if (url == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        enum ksa_reason reason = read_document(source, url, issuer, ret_jwks_uri, err);
        free(url);
        return reason;
}

enum ksa_reason ksa_key_source_fetch(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                     unsigned milliseconds, struct ksa_keyset **ret_keyset,
                                     int64_t *ret_max_age, struct ksa_error *err)
{
        const struct source source = {cluster, env, milliseconds};
        char *jwks_uri = NULL;

        if (strcmp(cluster->keys, "api") == 0)
                return fetch_keys(&source, KSA_SIDE_API, KEYS_PATH, ret_keyset, ret_max_age, err);
        if (strcmp(cluster->keys, "discover") != 0)
                return fetch_keys(&source, KSA_SIDE_PUBLIC, cluster->keys, ret_keyset, ret_max_age,
                                  err);
        enum ksa_reason reason = discover(&source, &jwks_uri, err);
        if (reason == KSA_OK)
                reason = fetch_keys(&source, side_of(cluster, jwks_uri), jwks_uri, ret_keyset,
                                    ret_max_age, err);
        free(jwks_uri);
        return reason;
}

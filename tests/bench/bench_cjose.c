/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/bench_cjose.h"

#include <cjose/cjose.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Without any check of who else could have changed the file. */
static char *read_file(const char *path, size_t *ret_length)
{
        struct stat status;
        char *bytes = NULL;
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return NULL;
        if (fstat(fd, &status) == 0)
                bytes = malloc((size_t)status.st_size);
        ssize_t got = bytes == NULL ? -1 : read(fd, bytes, (size_t)status.st_size);
        (void)close(fd);
        if (got < 0) {
                free(bytes);
                return NULL;
        }
        *ret_length = (size_t)got;
        return bytes;
}

static cjose_jwk_t *find_key(const char *path, const char *kid)
{
        size_t length, position;
        char *bytes = read_file(path, &length);
        json_t *entry, *keys = bytes == NULL ? NULL : json_loadb(bytes, length, 0, NULL);
        cjose_jwk_t *jwk = NULL;

        free(bytes);
        json_array_foreach (json_object_get(keys, "keys"), position, entry) {
                const char *name = json_string_value(json_object_get(entry, "kid"));

                if (name == NULL || strcmp(name, kid) != 0)
                        continue;
                jwk = cjose_jwk_import_json((cjose_header_t *)entry, NULL);
                break;
        }
        json_decref(keys);
        return jwk;
}

static bool has_text(const json_t *object, const char *member, const char *text)
{
        const char *value = json_string_value(json_object_get(object, member));

        return value != NULL && strcmp(value, text) == 0;
}

static bool fit_claims(const struct bench_peer *peer, const json_t *claims)
{
        const json_t *kubernetes = json_object_get(claims, "kubernetes.io");
        const json_t *audience = json_array_get(json_object_get(claims, "aud"), 0);
        const char *sub = json_string_value(json_object_get(claims, "sub"));

        return has_text(claims, "iss", peer->issuer) && json_is_string(audience) &&
               strcmp(json_string_value(audience), peer->audience) == 0 &&
               json_integer_value(json_object_get(claims, "exp")) > peer->now &&
               json_integer_value(json_object_get(claims, "nbf")) <= peer->now &&
               json_integer_value(json_object_get(claims, "iat")) <= peer->now && sub != NULL &&
               strncmp(sub, "system:serviceaccount:", 22) == 0 &&
               has_text(kubernetes, "namespace", peer->namespace) &&
               has_text(json_object_get(kubernetes, "serviceaccount"), "name", peer->account);
}

static bool is_verified(const struct bench_peer *peer, cjose_jws_t *jws)
{
        cjose_header_t *header = cjose_jws_get_protected(jws);
        const char *algorithm = cjose_header_get(header, CJOSE_HDR_ALG, NULL);
        const char *kid = cjose_header_get(header, CJOSE_HDR_KID, NULL);

        if (algorithm == NULL || kid == NULL || strcmp(algorithm, peer->algorithm) != 0)
                return false;
        cjose_jwk_t *jwk = find_key(peer->keys_file, kid);
        bool verified = jwk != NULL && cjose_jws_verify(jws, jwk, NULL);
        cjose_jwk_release(jwk);
        return verified;
}

bool bench_cjose_login(const struct bench_peer *peer, const char *token, size_t length)
{
        cjose_jws_t *jws = cjose_jws_import(token, length, NULL);
        uint8_t *plaintext;
        size_t size;
        bool fits = false;

        if (jws == NULL)
                return false;
        if (is_verified(peer, jws) && cjose_jws_get_plaintext(jws, &plaintext, &size, NULL)) {
                json_t *claims = json_loadb((const char *)plaintext, size, 0, NULL);

                fits = claims != NULL && fit_claims(peer, claims);
                json_decref(claims);
        }
        cjose_jws_release(jws);
        return fits;
}

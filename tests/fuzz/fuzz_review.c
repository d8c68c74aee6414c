/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TokenReview's answer. The input's first line: "p" for a token that is bound to a Pod, anything
 * else for one that is not; the rest is the answer. An accepted answer has all required members,
 * and nothing of the token is left anywhere.
 */
#include <jansson.h>

#include "cluster/review.h"
#include "document.h"
#include "fuzz.h"
#include "support/review_fixture.h"

#define EXTRA "authentication.kubernetes.io/"

/* Whether an extra is exactly ["PREFIX" "TEXT"]. */
static int is_one(const json_t *extra, const char *key, const char *prefix, const char *text)
{
        const json_t *texts = json_object_get(extra, key);
        const char *value = json_string_value(json_array_get(texts, 0));
        size_t length = strlen(prefix);

        return json_array_size(texts) == 1 && value != NULL &&
               strncmp(value, prefix, length) == 0 && strcmp(value + length, text) == 0;
}

/* The members of an accepted answer, checked without the code of review.c. */
static void check_accepted(const struct ksa_token *token, const char *body, size_t length)
{
        const char *kind, *version, *username, *uid, *error = "";
        json_t *root = load_again(body, length), *audiences;
        const json_t *extra, *audience;
        int authenticated = 0, found = 0;
        size_t i;

        MUST(root != NULL);
        MUST(json_unpack(root, "{s:s, s:s, s:{s:b, s?s, s:o, s:{s:s, s:s}}}", "kind", &kind,
                         "apiVersion", &version, "status", "authenticated", &authenticated, "error",
                         &error, "audiences", &audiences, "user", "username", &username, "uid",
                         &uid) == 0);
        MUST(strcmp(kind, "TokenReview") == 0 && strcmp(version, "authentication.k8s.io/v1") == 0);
        MUST(authenticated == 1 && error[0] == '\0');
        MUST(strcmp(username, "system:serviceaccount:ci:deployer") == 0);
        MUST(strcmp(uid, "14e75b93-b974-47ca-a847-ba5d1f4ad2a6") == 0);
        json_array_foreach (audiences, i, audience)
                found += strcmp(json_string_value(audience), REVIEWED_AUDIENCE) == 0;
        MUST(found > 0);
        extra = json_object_get(json_object_get(json_object_get(root, "status"), "user"), "extra");
        if (token->pod != NULL) {
                MUST(is_one(extra, EXTRA "pod-name", "", "job-1"));
                MUST(is_one(extra, EXTRA "pod-uid", "", "d7fce6df-a4a0-4d4e-9a19-f63e05597290"));
        } else {
                MUST(json_array_size(json_object_get(extra, EXTRA "pod-name")) == 0);
                MUST(json_array_size(json_object_get(extra, EXTRA "pod-uid")) == 0);
        }
        MUST(json_array_size(json_object_get(extra, EXTRA "credential-id")) == 0 ||
             is_one(extra, EXTRA "credential-id", "JTI=", "a3d6008b-3634-42c7-8fe9-b4b1fed31d4d"));
        json_decref(root);
}

static void check_error(enum ksa_reason reason, const struct ksa_error *error)
{
        MUST(reason == KSA_OK || reason == KSA_REVIEW_REFUSED || reason == KSA_REVIEW_DIFFERS ||
             reason == KSA_API_BROKEN);
        MUST((reason == KSA_OK) == (error->text[0] == '\0'));
        for (const char *c = error->text; *c != '\0'; c++)
                MUST(*c >= ' ' && *c <= '~');
}

/* No RUN bytes of the token. */
static void check_no_token(const char *bytes, size_t length, size_t run)
{
        for (size_t i = 0; i + run < sizeof(REVIEWED_COMPACT); i++)
                MUST(memmem(bytes, length, &(REVIEWED_COMPACT)[i], run) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *how = next_line(&data, &size), *body = malloc(size);
        const struct ksa_token *token =
                how[0] == 'p' ? &review_fixture_pod : &review_fixture_account;
        struct ksa_error error = {0};

        MUST(body != NULL || size == 0);
        if (size > 0)
                memcpy(body, data, size);
        enum ksa_reason reason = ksa_review_check(token, REVIEWED_AUDIENCE, body, size, &error);
        check_error(reason, &error);
        json_decref(load_again(body, size));
        if (size > 0)
                check_no_token(body, size, 31);
        check_no_token(error.text, strlen(error.text), 34); /* \xNN may look like three more */
        if (reason == KSA_OK)
                check_accepted(token, body, size);
        free(body);
        free(how);
        return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recorded answers of real API servers, whole and cut at every byte: each has the expected result,
 * and a cut one is never valid. Our requests are those that they answered.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/credential/token_request.h"
#include "admin/keys/discovery.h"
#include "cluster/review.h"
#include "support/signer.h"
#include "support/support.h"
#include "token/json.h"
#include "token/keyset.h"

#define DATA KSA_TEST_DATA "/kubernetes/answers/"

static const char *const servers[] = {"1.37.2", "1.33.13"};

/* A token that was asked about. */
struct reviewed {
        struct ksa_secret *secret;
        struct ksa_token token;
};

/* Reviews a body of LENGTH bytes, which may be written to; *RET_ALLOWED for an access review. */
typedef enum ksa_reason checker(const struct ksa_token *token, char *body, size_t length,
                                bool *ret_allowed);

static enum ksa_reason check_review(const struct ksa_token *token, char *body, size_t length,
                                    bool *ret_allowed)
{
        struct ksa_error error = {0};
        enum ksa_reason reason = ksa_review_check(token, AUDIENCE, body, length, &error);
        const char *signature = token->compact + token->signed_length + 1;

        *ret_allowed = false;
        assert_null(memmem(body, length, signature, 16));
        assert_null(strstr(error.text, "eyJ"));
        return reason;
}

static enum ksa_reason check_access(const struct ksa_token *token, char *body, size_t length,
                                    bool *ret_allowed)
{
        struct ksa_error error = {0};
        char said[KSA_WHY_SIZE];

        (void)token;
        return ksa_access_check(body, length, ret_allowed, said, &error);
}

static enum ksa_reason check_discovery(const struct ksa_token *token, char *body, size_t length,
                                       bool *ret_allowed)
{
        struct ksa_error error = {0};
        char *jwks_uri = NULL;
        enum ksa_reason reason = ksa_discovery_read(body, length, ISSUER, &jwks_uri, &error);

        (void)token;
        *ret_allowed = false;
        assert_int_equal(jwks_uri != NULL, reason == KSA_OK);
        free(jwks_uri);
        return reason;
}

static enum ksa_reason check_keys(const struct ksa_token *token, char *body, size_t length,
                                  bool *ret_allowed)
{
        struct ksa_error error = {0};
        struct ksa_keyset *keyset = NULL;
        struct ksa_jwk jwk;
        enum ksa_reason reason = ksa_keyset_parse(body, length, &keyset, &error);

        *ret_allowed = false;
        if (reason == KSA_OK)
                assert_int_equal(ksa_keyset_find(keyset, token->kid, &jwk, &error), KSA_OK);
        ksa_keyset_free(&keyset);
        return reason;
}

static enum ksa_reason check_token(const struct ksa_token *token, char *body, size_t length,
                                   bool *ret_allowed)
{
        struct ksa_error error = {0};
        struct ksa_secret *secret = NULL;
        enum ksa_reason reason = ksa_token_request_read(body, length, token, NOW, &secret, &error);

        *ret_allowed = false;
        assert_int_equal(secret != NULL, reason == KSA_OK);
        assert_null(strstr(error.text, "eyJ"));
        ksa_secret_free(&secret);
        return reason;
}

static const struct row {
        const char *file;
        checker *check;
        const char *reviewed; /* whose token it is about */
        enum ksa_reason reason;
        bool allowed;
} rows[] = {
        {"tokenreview-account", check_review, "account", KSA_OK, false},
        {"tokenreview-audit-id", check_review, "account", KSA_OK, false},
        {"tokenreview-pod", check_review, "pod", KSA_OK, false},
        {"tokenreview-account", check_review, "pod", KSA_REVIEW_DIFFERS, false},
        {"tokenreview-pod", check_review, "account", KSA_REVIEW_DIFFERS, false},
        {"tokenreview-no-audiences", check_review, "no-audiences", KSA_REVIEW_DIFFERS, false},
        {"tokenreview-other-audience", check_review, "other-audience", KSA_REVIEW_REFUSED, false},
        {"tokenreview-not-a-token", check_review, "account", KSA_REVIEW_REFUSED, false},
        /* accepted by the API server, as system:anonymous, and for the audience asked for */
        {"tokenreview-leading-space", check_review, "account", KSA_REVIEW_DIFFERS, false},
        {"tokenreview-admin", check_review, "account", KSA_REVIEW_DIFFERS, false},
        {"tokenreview-401", check_review, "account", KSA_API_BROKEN, false},
        {"tokenreview-403", check_review, "account", KSA_API_BROKEN, false},
        {"tokenreview-415", check_review, "account", KSA_API_BROKEN, false},
        {"tokenreview-bad-json-400", check_review, "account", KSA_API_BROKEN, false},
        {"tokenreview-empty-400", check_review, "account", KSA_API_BROKEN, false},
        {"subjectaccessreview-allowed", check_access, "account", KSA_OK, true},
        {"subjectaccessreview-none", check_access, "account", KSA_OK, false},
        {"subjectaccessreview-other-host", check_access, "account", KSA_OK, false},
        {"subjectaccessreview-422", check_access, "account", KSA_API_BROKEN, false},
        {"discovery", check_discovery, "account", KSA_OK, false},
        {"jwks", check_keys, "account", KSA_OK, false},
        {"jwks-401", check_keys, "account", KSA_KEYS_UNUSABLE, false},
        {"jwks-406", check_keys, "account", KSA_KEYS_UNUSABLE, false},
        {"jwks-anonymous-403", check_keys, "account", KSA_KEYS_UNUSABLE, false},
        {"tokenrequest", check_token, "account", KSA_OK, false},
        {"tokenrequest-403", check_token, "account", KSA_API_BROKEN, false},
        {"tokenrequest-409-pod-uid", check_token, "account", KSA_API_BROKEN, false},
        /* one kind of answer for another */
        {"subjectaccessreview-allowed", check_review, "account", KSA_API_BROKEN, false},
        {"tokenreview-account", check_access, "account", KSA_API_BROKEN, false},
        {"tokenreview-account", check_token, "account", KSA_API_BROKEN, false},
        {"tokenrequest", check_review, "account", KSA_API_BROKEN, false},
        {"jwks", check_discovery, "account", KSA_API_BROKEN, false},
};

/* The body after the head of a recorded message. */
static char *read_body(const char *server, const char *file, const char *kind)
{
        char path[512];

        (void)snprintf(path, sizeof(path), DATA "%s/%s.%s", server, file, kind);
        char *whole = read_whole(path);
        const char *end = strstr(whole, "\r\n\r\n");
        size_t skip = 4;
        if (end == NULL) {
                end = strstr(whole, "\n\n");
                skip = 2;
        }
        assert_non_null(end);
        char *body = strdup(end + skip);
        assert_non_null(body);
        free(whole);
        return body;
}

static struct reviewed read_reviewed(const char *server, const char *name)
{
        char file[64];
        struct reviewed reviewed = {0};
        struct ksa_error error = {0};
        json_t *request = NULL;

        (void)snprintf(file, sizeof(file), "tokenreview-%s", name);
        char *body = read_body(server, file, "request");
        assert_int_equal(ksa_json_load(body, strlen(body), &request, &error), KSA_OK);
        reviewed.secret = secret_of(ksa_json_text(json_object_get(request, "spec"), "token"));
        assert_int_equal(ksa_token_parse(reviewed.secret, &reviewed.token, &error), KSA_OK);
        ksa_json_free(&request);
        free(body);
        return reviewed;
}

static void forget(struct reviewed *reviewed)
{
        ksa_token_clear(&reviewed->token);
        ksa_secret_free(&reviewed->secret);
}

/* Reviews the first LENGTH bytes, in a copy of that size. */
static enum ksa_reason review_copy(const struct row *row, const struct ksa_token *token,
                                   const char *text, size_t length, bool *ret_allowed)
{
        char *body = malloc(length + 1);

        assert_non_null(body);
        memcpy(body + 1, text, length);
        enum ksa_reason reason = row->check(token, body + 1, length, ret_allowed);
        free(body);
        return reason;
}

static void check_row(const char *server, const struct row *row)
{
        struct reviewed reviewed = read_reviewed(server, row->reviewed);
        char *text = read_body(server, row->file, "http");
        size_t length = strlen(text);
        bool allowed = false;
        enum ksa_reason reason = review_copy(row, &reviewed.token, text, length, &allowed);

        if (reason != row->reason || allowed != row->allowed)
                fail_msg("%s %s of %s: %s, %s", server, row->file, row->reviewed,
                         ksa_reason_name(reason), allowed ? "allowed" : "not allowed");
        /* The line end is not a part of the object. */
        while (length > 0 && text[length - 1] == '\n')
                length--;
        while (length-- > 0) {
                allowed = false;
                if (review_copy(row, &reviewed.token, text, length, &allowed) == KSA_OK || allowed)
                        fail_msg("%s %s: good when cut at %zu", server, row->file, length);
        }
        free(text);
        forget(&reviewed);
}

static void test_every_answer(void **state)
{
        (void)state;
        for (size_t s = 0; s < KSA_COUNT(servers); s++) {
                for (size_t i = 0; i < KSA_COUNT(rows); i++)
                        check_row(servers[s], &rows[i]);
        }
}

static void check_request(const char *server, const char *file, struct ksa_secret *ours)
{
        struct ksa_error error = {0};
        char *text = read_body(server, file, "request");
        json_t *recorded = NULL, *made = NULL;

        assert_non_null(ours);
        assert_int_equal(ksa_json_load(text, strlen(text), &recorded, &error), KSA_OK);
        assert_int_equal(
                ksa_json_load(ksa_secret_bytes(ours), ksa_secret_length(ours), &made, &error),
                KSA_OK);
        assert_true(json_equal(recorded, made));
        ksa_json_free(&recorded);
        ksa_json_free(&made);
        ksa_secret_free(&ours);
        free(text);
}

static void test_every_request(void **state)
{
        (void)state;
        for (size_t s = 0; s < KSA_COUNT(servers); s++) {
                struct reviewed account = read_reviewed(servers[s], "account");
                struct reviewed pod = read_reviewed(servers[s], "pod");

                check_request(servers[s], "tokenreview-account",
                              ksa_review_request(&account.token, AUDIENCE));
                check_request(servers[s], "tokenreview-pod",
                              ksa_review_request(&pod.token, AUDIENCE));
                check_request(servers[s], "subjectaccessreview-allowed",
                              ksa_access_request(&account.token, "login", "build-7"));
                check_request(servers[s], "subjectaccessreview-other-host",
                              ksa_access_request(&account.token, "login", "build-8"));
                forget(&account);
                forget(&pod);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_answer),
                cmocka_unit_test(test_every_request),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "login/requirements.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "cluster/api.h"
#include "cluster/review.h"

/* The response contains the token again, and little else. */
#define REVIEW_MAX ((size_t)64 * 1024)

/* --- Bound ------------------------------------------------------------------ */

enum ksa_reason ksa_requirement_bound(const struct ksa_rule *rule, const struct ksa_token *token,
                                      struct ksa_error *err)
{
        if (rule->bound != KSA_BOUND_POD || (token->pod != NULL && token->pod_uid != NULL))
                return KSA_OK;
        return ksa_fail(err, KSA_NOT_BOUND, "[rule %s] requires a token that is bound to a Pod",
                        rule->name);
}

/* --- Asking ----------------------------------------------------------------- */

static enum ksa_reason needs_root(const struct ksa_requirement *requirement, struct ksa_error *err)
{
        if (requirement->effective_uid == 0)
                return KSA_OK;
        return ksa_fail(err, KSA_NEEDS_ROOT,
                        "[rule %s] has requirements that only root can check, but the service runs "
                        "as uid %u",
                        requirement->rule->name, (unsigned)requirement->effective_uid);
}

/*
 * Posts BODY to PATH at the API server and records whether it responded. BODY may be NULL if memory
 * ran out.
 */
static enum ksa_reason post(const struct ksa_requirement *requirement, const char *path,
                            const struct ksa_secret *body,
                            struct ksa_requirement_result *requirement_result,
                            struct ksa_response *ret_response, struct ksa_error *err)
{
        unsigned milliseconds = (unsigned)requirement->host->timeout * 1000;
        struct ksa_response_head head = {0};
        struct ksa_api api;

        if (body == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        if (requirement->env->offline)
                return ksa_fail(err, KSA_API_UNREACHABLE, "--offline: not asked");
        enum ksa_reason reason = ksa_api_open(requirement->cluster, requirement->env, KSA_SIDE_API,
                                              milliseconds, &api, err);
        if (reason == KSA_OK) {
                const struct ksa_call call = {
                        .url = path,
                        .body = {ksa_secret_bytes(body), ksa_secret_length(body)},
                        .max = REVIEW_MAX,
                        .secret = requirement->token->compact,
                        .ret_head = &head};

                reason = ksa_api_ask(&api, &call, ret_response, err);
        }
        ksa_api_close(&api);
        requirement_result->asked = requirement_result->asked || head.status != 0;
        return reason;
}

/* --- Review ----------------------------------------------------------------- */

/*
 * bound and rbac require a review: the token's claims about its Pod are not enough, and RBAC knows
 * accounts only by name, so a token of a deleted account would still be allowed.
 */
static enum ksa_review required_review(const struct ksa_requirement *requirement)
{
        enum ksa_review review = requirement->rule->review < requirement->cluster->review
                                         ? requirement->rule->review
                                         : requirement->cluster->review;

        if (requirement->rule->bound == KSA_BOUND_POD || requirement->rule->rbac)
                return KSA_REVIEW_REQUIRE;
        /*
         * The caller of sudo can stop it, limit it and exhaust its ports until the timeout, so that
         * the review fails. So "prefer" would not protect.
         */
        if (review == KSA_REVIEW_PREFER && requirement->real_uid != 0)
                return KSA_REVIEW_REQUIRE;
        return review;
}

/* Returns an audience of the token that the host, and the rule if it has audiences, accept. */
static const char *common_audience(const struct ksa_requirement *requirement)
{
        const struct ksa_list *audiences = &requirement->rule->audience;

        for (size_t i = 0; i < requirement->token->audiences.count; i++) {
                const char *audience = ksa_list_text(&requirement->token->audiences, i);

                if (ksa_list_has(requirement->accepted, audience) &&
                    (audiences->count == 0 || ksa_list_has(audiences, audience)))
                        return audience;
        }
        return NULL;
}

static enum ksa_reason review(const struct ksa_requirement *requirement,
                              struct ksa_requirement_result *requirement_result,
                              struct ksa_error *err)
{
        const char *audience = common_audience(requirement);
        struct ksa_response response = {0};

        if (audience == NULL)
                return ksa_fail(err, KSA_WRONG_AUDIENCE,
                                "the token has no audience that this host accepts");
        struct ksa_secret *request = ksa_review_request(requirement->token, audience);
        enum ksa_reason reason =
                post(requirement, KSA_REVIEW_PATH, request, requirement_result, &response, err);
        ksa_secret_free(&request);
        if (reason != KSA_OK)
                return reason;
        /* The body is writable: it is in a secret that only this process holds. */
        reason =
                ksa_review_check(requirement->token, audience,
                                 (char *)(uintptr_t)response.body.bytes, response.body.length, err);
        ksa_response_clear(&response);
        return reason;
}

enum ksa_reason ksa_requirement_review(const struct ksa_requirement *requirement,
                                       struct ksa_requirement_result *requirement_result,
                                       struct ksa_error *err)
{
        enum ksa_review required = required_review(requirement);

        requirement_result->review = required;
        if (required == KSA_REVIEW_NEVER)
                return KSA_OK;
        enum ksa_reason reason = needs_root(requirement, err);
        if (reason != KSA_OK)
                return reason;
        reason = review(requirement, requirement_result, err);
        bool nobody_there = reason == KSA_API_UNREACHABLE || reason == KSA_API_TIMEOUT;
        if (required != KSA_REVIEW_PREFER || !nobody_there)
                return reason;
        requirement_result->review_skipped = true;
        return KSA_OK;
}

/* --- RBAC ------------------------------------------------------------------- */

/* Whether RBAC allows a login to hosts with this name or class. */
static enum ksa_reason may_enter(const struct ksa_requirement *requirement, const char *name,
                                 struct ksa_requirement_result *requirement_result,
                                 bool *ret_allowed, char ret_why[KSA_WHY_SIZE],
                                 struct ksa_error *err)
{
        bool is_sudo = strcmp(ksa_service_in_rules(requirement->service), "sudo") == 0;
        struct ksa_response response = {0};
        struct ksa_secret *request =
                ksa_access_request(requirement->token, is_sudo ? "sudo" : "login", name);
        enum ksa_reason reason =
                post(requirement, KSA_ACCESS_PATH, request, requirement_result, &response, err);

        ksa_secret_free(&request);
        if (reason != KSA_OK)
                return reason;
        reason = ksa_access_check(response.body.bytes, response.body.length, ret_allowed, ret_why,
                                  err);
        ksa_response_clear(&response);
        return reason;
}

enum ksa_reason ksa_requirement_rbac(const struct ksa_requirement *requirement,
                                     struct ksa_requirement_result *requirement_result,
                                     struct ksa_error *err)
{
        const struct ksa_host *host = requirement->host;
        const char *host_name = host->host != NULL ? host->host : requirement->env->host_name;
        char why[KSA_WHY_SIZE] = "", first[KSA_WHY_SIZE] = ""; /* the first non-empty one */

        if (!requirement->rule->rbac)
                return KSA_OK;
        enum ksa_reason reason = needs_root(requirement, err);
        if (reason != KSA_OK)
                return reason;
        for (size_t i = 0; i <= host->class.count; i++) {
                const char *name = i == 0 ? host_name : ksa_list_text(&host->class, i - 1);
                bool allowed = false;

                reason = may_enter(requirement, name, requirement_result, &allowed, why, err);
                if (reason != KSA_OK)
                        return reason;
                if (allowed) {
                        requirement_result->granted_as = name;
                        return KSA_OK;
                }
                if (first[0] == '\0')
                        memcpy(first, why, sizeof(first));
        }
        char account[KSA_UNVERIFIED_SIZE], shown[KSA_UNVERIFIED_SIZE];
        bool has_why = first[0] != '\0';
        return ksa_fail(
                err, KSA_RBAC_DENIED,
                "RBAC of cluster %s does not admit %s/%s to host %s or any of its classes%s%s%s",
                requirement->cluster->name, requirement->token->namespace,
                ksa_text_quote(requirement->token->account, account, sizeof(account)),
                ksa_text_quote(host_name, shown, sizeof(shown)), has_why ? "; its reason: \"" : "",
                first, has_why ? "\"" : "");
}

/* --- Once ------------------------------------------------------------------- */

/*
 * Writes the file name of the mark: exp, and a hash of issuer and jti with the NUL between them,
 * which neither contains. False if the hash failed.
 */
static bool name_of_mark(const struct ksa_token *token, char *out, size_t size)
{
        unsigned char digest[32];

        (void)ERR_set_mark(); /* restore OpenSSL's error queue, which is the host program's */
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        bool made = context != NULL && EVP_DigestInit_ex2(context, EVP_sha256(), NULL) == 1 &&
                    EVP_DigestUpdate(context, token->iss, strlen(token->iss) + 1) == 1 &&
                    EVP_DigestUpdate(context, token->jti, strlen(token->jti)) == 1 &&
                    EVP_DigestFinal_ex(context, digest, NULL) == 1;

        EVP_MD_CTX_free(context);
        (void)ERR_pop_to_mark();
        int length = snprintf(out, size, "%lld-", (long long)token->exp.seconds);
        for (size_t i = 0; made && i < sizeof(digest); i++)
                length += snprintf(out + length, size - (size_t)length, "%02x", digest[i]);
        return made;
}

enum ksa_reason ksa_requirement_once(const struct ksa_requirement *requirement,
                                     struct ksa_error *err)
{
        char name[128], path[PATH_MAX];

        if (!requirement->rule->once || requirement->of_session)
                return KSA_OK;
        enum ksa_reason reason = needs_root(requirement, err);
        if (reason != KSA_OK)
                return reason;
        if (requirement->token->jti == NULL)
                return ksa_fail(err, KSA_NO_JTI, "[rule %s] requires a token with a jti",
                                requirement->rule->name);
        if (requirement->env->used_dir == NULL)
                return ksa_fail(err, KSA_MARK,
                                "the directory for marks of used tokens is not known");
        if (!name_of_mark(requirement->token, name, sizeof(name)))
                return ksa_fail(err, KSA_MEMORY, "the digest of the jti could not be computed");
        int length = snprintf(path, sizeof(path), "%s/%s", requirement->env->used_dir, name);
        if (length < 0 || (size_t)length >= sizeof(path))
                return ksa_fail(err, KSA_MARK, "the path of the mark is too long");
        return ksa_file_mark(path, requirement->env->owner, requirement->env->only_look, err);
}

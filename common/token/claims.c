/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/claims.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Limit for an object's uid. Kubernetes defines no format (types.UID) and uses UUIDs. */
#define UID_BYTES_MAX 128

bool ksa_is_api_audience(const char *audience)
{
        static const char *const usual[] = {"https://kubernetes.default.svc.cluster.local",
                                            "https://kubernetes.default.svc",
                                            "https://kubernetes.default",
                                            "kubernetes.default.svc",
                                            "kubernetes",
                                            "api",
                                            "kubernetes.default.svc.cluster.local"};

        for (size_t i = 0; i < KSA_COUNT(usual); i++) {
                if (strcmp(audience, usual[i]) == 0)
                        return true;
        }
        return false;
}

/*
 * Returns the audience that shows that TOKEN is for its API server, or NULL. Without configuration
 * that audience is the issuer.
 */
static const char *api_audience(const struct ksa_token *token)
{
        for (size_t i = 0; i < token->audiences.count; i++) {
                const char *audience = ksa_list_text(&token->audiences, i);

                if (ksa_is_api_audience(audience) ||
                    (token->iss != NULL && strcmp(audience, token->iss) == 0))
                        return audience;
        }
        return NULL;
}

const char *ksa_claims_accepted(const struct ksa_token *token, const struct ksa_list *accepted)
{
        for (size_t i = 0; i < token->audiences.count; i++) {
                if (ksa_list_has(accepted, ksa_list_text(&token->audiences, i)))
                        return ksa_list_text(&token->audiences, i);
        }
        return NULL;
}

enum ksa_reason ksa_claims_audience(const struct ksa_token *token, const struct ksa_list *accepted,
                                    bool several, struct ksa_error *err)
{
        char theirs[KSA_VERIFIED_SIZE], ours[KSA_VERIFIED_SIZE];

        if (token->audiences.count == 0)
                return ksa_fail(err, KSA_NO_AUDIENCE, "the token has no audience");
        const bool is_ours = ksa_claims_accepted(token, accepted) != NULL;
        if (is_ours && token->audiences.count > 1 && !several)
                return ksa_fail(err, KSA_SEVERAL_AUDIENCES, "the token has %zu audiences",
                                token->audiences.count);
        if (is_ours)
                return KSA_OK;
        const char *api = api_audience(token);
        (void)ksa_text_quote(api != NULL ? api : ksa_list_text(&token->audiences, 0), theirs,
                             sizeof(theirs));
        (void)ksa_text_quote(accepted->count > 0 ? ksa_list_text(accepted, 0) : "", ours,
                             sizeof(ours));
        if (api == NULL)
                return ksa_fail(err, KSA_WRONG_AUDIENCE,
                                "the token is for \"%s\", this host is \"%s\"", theirs, ours);
        return ksa_fail(err, KSA_WRONG_AUDIENCE,
                        "the token is for the API server (\"%s\"), %s; this host is \"%s\"", theirs,
                        token->pod != NULL ? "like the default token of a Pod"
                                           : "like a token from kubectl create token without "
                                             "--audience",
                        ours);
}

enum ksa_reason ksa_claims_times(const struct ksa_token *token, int64_t now, struct ksa_error *err)
{
        if (!token->exp.given || !token->nbf.given || !token->iat.given)
                return ksa_fail(err, KSA_BAD_CLAIMS, "exp, nbf or iat is missing");
        if (now - token->exp.seconds > KSA_LEEWAY)
                return ksa_fail(err, KSA_EXPIRED, "expired %lld s ago",
                                (long long)(now - token->exp.seconds));
        if (token->nbf.seconds - now > KSA_LEEWAY)
                return ksa_fail(err, KSA_NOT_YET_VALID,
                                "not valid for another %lld s; the clocks may differ",
                                (long long)(token->nbf.seconds - now));
        if (token->iat.seconds - now > KSA_LEEWAY)
                return ksa_fail(err, KSA_NOT_YET_VALID,
                                "issued %lld s in the future; the clocks may differ",
                                (long long)(token->iat.seconds - now));
        return KSA_OK;
}

enum ksa_reason ksa_claims_lifetime(const struct ksa_token *token, uint64_t max,
                                    struct ksa_error *err)
{
        int64_t lifetime = token->exp.seconds - token->iat.seconds;

        if (lifetime < 0)
                return ksa_fail(err, KSA_BAD_CLAIMS, "exp is before iat");
        if ((uint64_t)lifetime > max)
                return ksa_fail(err, KSA_LIFETIME,
                                "has a lifetime of %lld s, max_lifetime is %llu s",
                                (long long)lifetime, (unsigned long long)max);
        return KSA_OK;
}

static bool is_uid(const char *text)
{
        return text != NULL && ksa_is_graphic(text) && strlen(text) <= UID_BYTES_MAX;
}

enum ksa_reason ksa_claims_subject(const struct ksa_token *token, struct ksa_error *err)
{
        /* prefix (22), namespace (63), colon, name (253), NUL */
        char subject[22 + 63 + 1 + 253 + 1];

        if (token->namespace == NULL || token->account == NULL || token->account_uid == NULL)
                return ksa_fail(err, KSA_BAD_CLAIMS, "kubernetes.io does not name an account");
        if (!ksa_is_dns_label(token->namespace) || !ksa_is_dns_subdomain(token->account))
                return ksa_fail(err, KSA_BAD_CLAIMS,
                                "namespace or account is not a valid Kubernetes name");
        if (!is_uid(token->account_uid) || (token->pod_uid != NULL && !is_uid(token->pod_uid)))
                return ksa_fail(err, KSA_BAD_CLAIMS, "a uid is empty, too long or not printable");
        if (token->pod != NULL && !ksa_is_dns_subdomain(token->pod))
                return ksa_fail(err, KSA_BAD_CLAIMS,
                                "the Pod's name is not a valid Kubernetes name");
        if (token->jti != NULL && !is_uid(token->jti))
                return ksa_fail(err, KSA_BAD_CLAIMS, "jti is empty, too long or not printable");
        (void)snprintf(subject, sizeof(subject), "system:serviceaccount:%s:%s", token->namespace,
                       token->account);
        if (token->sub == NULL || strcmp(token->sub, subject) != 0)
                return ksa_fail(err, KSA_BAD_SUBJECT, "sub is not \"%s\"", subject);
        return KSA_OK;
}

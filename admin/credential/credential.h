/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This host's own token for the API server of a cluster, in credential_file. An administrator supplies the
 * first token. From then on it requests its successor by TokenRequest, before half of its life has passed.
 * One process at a time does that for a cluster (RUN/clusters/CLUSTER.renew), and the old token stays until
 * the new one is stored.
 */
#ifndef KSA_CREDENTIAL_H
#define KSA_CREDENTIAL_H

#include "base/env.h"
#include "config/types.h"
#include "token/token.h"

/* The shortest life that an API server grants, in seconds (TokenRequest, spec.expirationSeconds). */
#define KSA_CREDENTIAL_LIFE_MIN 600

/* A token and its claims, which are not verified. Owned: ksa_credential_clear(). */
struct ksa_credential {
        struct ksa_secret *text;
        struct ksa_token token;
};

/*
 * The token in the credential_file of CLUSTER, which has one.
 *
 * ret_credential  zeroed first, and always to be cleared
 *
 * KSA_FILE_MISSING, KSA_FILE_UNREADABLE, KSA_FILE_UNSAFE
 * KSA_NOT_A_TOKEN  not a service account token that expires: it may be accepted, but is not renewed
 * KSA_MEMORY
 */
enum ksa_reason ksa_credential_read(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                    struct ksa_credential *ret_credential,
                                    struct ksa_error *err) KSA_MUST_CHECK;
void ksa_credential_clear(struct ksa_credential *credential);

/*
 * When the token is due on this host: between a quarter and half of its life, or soon after the host's start.
 */
int64_t ksa_credential_due(const struct ksa_cluster *cluster, const struct ksa_env *env,
                           const struct ksa_token *token);

/* The cluster that issues the token, and the time for its requests. */
struct ksa_credential_renewal {
        const struct ksa_cluster *cluster;
        const struct ksa_env *env;
        unsigned milliseconds;
};

/*
 * Exchanges GIVEN for a token that lives for SECONDS, and stores that. If the cluster forbids the exchange,
 * GIVEN is stored, and the reason is KSA_API_FORBIDDEN. With any other reason nothing changes.
 *
 * ret_credential  the token that was stored; zeroed first, and always to be cleared
 *
 * KSA_NOT_A_TOKEN     GIVEN is not a service account token that expires
 * KSA_UNKNOWN_ISSUER  it is from another cluster
 * KSA_EXPIRED         it has expired
 * KSA_API_BROKEN      the response is not the next token of this account
 * the reasons of ksa_api_open(), ksa_api_ask() and file_write.h
 */
enum ksa_reason ksa_credential_init(const struct ksa_credential_renewal *renewal,
                                    const struct ksa_secret *given, int64_t seconds,
                                    struct ksa_credential *ret_credential,
                                    struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Requests the successor, with the same life, and stores it; with IF_DUE only if it is due. After an error
 * the old token stays.
 *
 * ret_renewed     whether the token was renewed
 * ret_credential  the token that is stored now, if KSA_OK; zeroed first, and always to be cleared
 *
 * The reasons of ksa_credential_read() and ksa_credential_init()
 */
enum ksa_reason ksa_credential_renew(const struct ksa_credential_renewal *renewal, bool if_due,
                                     bool *ret_renewed, struct ksa_credential *ret_credential,
                                     struct ksa_error *err) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This host's own token for the API server of a cluster, in credential_file. Somebody gives the first one;
 * from then on it asks by TokenRequest for its successor, before half its life is over. One process at a time
 * does that for a cluster (RUN/clusters/CLUSTER.renew), and the old one stays until the new one is there.
 */
#ifndef KSA_CREDENTIAL_H
#define KSA_CREDENTIAL_H

#include "base/env.h"
#include "config/types.h"
#include "token/token.h"

/* An API server gives none that live shorter (TokenRequest, spec.expirationSeconds). */
#define KSA_CREDENTIAL_LIFE_MIN 600

/* A token, and what it says of itself; owned, ksa_credential_clear(). Nobody verified it. */
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
 * KSA_NOT_A_TOKEN  no service account token that ends: it may be of use, but is not renewed
 * KSA_MEMORY
 */
enum ksa_reason ksa_credential_read(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                    struct ksa_credential *ret_credential,
                                    struct ksa_error *err) KSA_MUST_CHECK;
void ksa_credential_clear(struct ksa_credential *credential);

/* When it is due on this host: between a quarter and half of its life, or soon after the host's start. */
int64_t ksa_credential_due(const struct ksa_cluster *cluster, const struct ksa_env *env,
                           const struct ksa_token *token);

/* The cluster that is asked for a token, and how long that may take. */
struct ksa_credential_renewal {
        const struct ksa_cluster *cluster;
        const struct ksa_env *env;
        unsigned milliseconds;
};

/*
 * Exchanges GIVEN for a token that lives for SECONDS, and keeps that. Where the cluster forbids the
 * exchange, GIVEN is kept, and the reason is KSA_API_FORBIDDEN; with any other reason nothing changes.
 *
 * ret_credential  what was kept; zeroed first, and always to be cleared
 *
 * KSA_NOT_A_TOKEN  GIVEN is no service account token that ends
 * KSA_EXPIRED      it is over
 * KSA_API_BROKEN   the answer is not the next token of this account
 * what ksa_api_open() and ksa_api_ask() say, and what file_write.h says
 */
enum ksa_reason ksa_credential_init(const struct ksa_credential_renewal *renewal,
                                    const struct ksa_secret *given, int64_t seconds,
                                    struct ksa_credential *ret_credential,
                                    struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Asks for the successor, of the same life, and keeps it; IF_DUE: only where it is due. With any reason
 * but KSA_OK the old one stays.
 *
 * ret_renewed     whether it was asked for
 * ret_credential  what is kept now, where KSA_OK; zeroed first, and always to be cleared
 *
 * What ksa_credential_read() and ksa_credential_init() say
 */
enum ksa_reason ksa_credential_renew(const struct ksa_credential_renewal *renewal, bool if_due,
                                     bool *ret_renewed, struct ksa_credential *ret_credential,
                                     struct ksa_error *err) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fetches the key set of a cluster from the source that `keys =` names: its API server, its issuer's
 * discovery document, or a URL. The host's credential goes only to the API server's own origin.
 */
#ifndef KSA_KEY_SOURCE_H
#define KSA_KEY_SOURCE_H

#include "base/env.h"
#include "config/types.h"
#include "token/keyset.h"

/*
 * Fetches the key set of CLUSTER, within MILLISECONDS of the environment's first request.
 *
 * ret_keyset   owned by the caller (ksa_keyset_free); at least one of its keys is usable
 * ret_max_age  seconds for which its server calls it fresh; 0 if the server sets no time
 *
 * KSA_CONFIG_INVALID  `keys = discover`, and the issuer is not an https URL
 * KSA_API_BROKEN      not a discovery document
 * KSA_KEYS_UNUSABLE   not a key set, or one without a usable key
 * the reasons of ksa_api_open() and ksa_api_ask()
 */
enum ksa_reason ksa_key_source_fetch(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                     unsigned milliseconds, struct ksa_keyset **ret_keyset,
                                     int64_t *ret_max_age, struct ksa_error *err) KSA_MUST_CHECK;

#endif

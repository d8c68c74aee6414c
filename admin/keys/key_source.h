/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the key set of a cluster comes from, as `keys =` has it, and the way there: its API server, its
 * issuer's discovery document, or an address. The host's credential goes to the API server's own
 * origin and nowhere else.
 */
#ifndef KSA_KEY_SOURCE_H
#define KSA_KEY_SOURCE_H

#include "base/env.h"
#include "config/types.h"
#include "token/keyset.h"

/*
 * Fetches the key set of CLUSTER, within MILLISECONDS from the environment's first question on.
 *
 * ret_keyset   owned by the caller (ksa_keyset_free); at least one of its keys is usable
 * ret_max_age  seconds for which its server calls it fresh; 0 where it does not say
 *
 * KSA_CONFIG_INVALID  `keys = discover`, and the issuer is no https URL
 * KSA_API_BROKEN      no discovery document
 * KSA_KEYS_UNUSABLE   no key set, or one without a usable key
 * what ksa_api_open() and ksa_api_ask() say
 */
enum ksa_reason ksa_key_source_fetch(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                     unsigned milliseconds, struct ksa_keyset **ret_keyset,
                                     int64_t *ret_max_age, struct ksa_error *err) KSA_MUST_CHECK;

#endif

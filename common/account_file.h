/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accounts of clusters in a file of JSON: from a host that asks a cluster to hosts that do not. */
#ifndef KSA_ACCOUNT_FILE_H
#define KSA_ACCOUNT_FILE_H

#include <jansson.h>

#include "wanted.h"

/* The listed accounts of CLUSTER (NULL: of all) as they stand in the registry; NULL when memory runs out. */
json_t *ksa_account_file_write(const struct ksa_registry *registry, const char *cluster,
                               int64_t now) KSA_MUST_CHECK;

/*
 * Adds to LIST the accounts in the file that a source of CONFIG covers.
 *
 * ret_sources  CALLER-OWNED array of one flag a [accounts] section: whether the file speaks of its cluster
 *
 * KSA_CONFIG_INVALID  no such file; KSA_MEMORY
 */
enum ksa_reason ksa_account_file_read(const char *bytes, size_t length,
                                      const struct ksa_config *config, struct ksa_wanted_list *list,
                                      bool *ret_sources, struct ksa_error *err) KSA_MUST_CHECK;

#endif

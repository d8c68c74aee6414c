/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accounts of clusters in a file of JSON: from a host that asks a cluster to hosts that do not. */
#ifndef KSA_ACCOUNT_FILE_H
#define KSA_ACCOUNT_FILE_H

#include <jansson.h>

#include "account_item.h"
#include "wanted.h"

/* Bytes of a file: KSA_ACCOUNTS_MAX accounts with names of usual lengths. For more, a file a cluster. */
#define KSA_ACCOUNT_FILE_MAX ((size_t)256 * 1024 * 1024)

/*
 * The listed accounts of CLUSTER (NULL: of all) as they stand in the registry, with what they asked for by
 * annotations: names and uids that are computed are the same on every host. With their states: what was
 * decided against an account counts where the file is taken. NULL when memory runs out, or the registry
 * is damaged.
 */
json_t *ksa_account_file_write(const struct ksa_registry *registry,
                               const char *cluster) KSA_MUST_CHECK;

/*
 * Adds to LIST the accounts in the file that a source of CONFIG covers, with a fault where they are not
 * active on the host that wrote it; its items are unchanged unless KSA_OK.
 *
 * ret_sources  CALLER-OWNED array of one record a [accounts] section: when its cluster was listed. Its
 *              cluster is NULL where the file does not speak of it; the texts are CONFIG's and LIST's
 *
 * KSA_CONFIG_INVALID  no such file; KSA_MEMORY
 */
enum ksa_reason ksa_account_file_read(const char *bytes, size_t length,
                                      const struct ksa_config *config, struct ksa_wanted_list *list,
                                      struct ksa_source_record *ret_sources,
                                      struct ksa_error *err) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The accounts of a host in a file of JSON, from a leader to the hosts that follow it. */
#ifndef KSA_ACCOUNTS_SOURCE_FILE_H
#define KSA_ACCOUNTS_SOURCE_FILE_H

#include <jansson.h>

#include "admin/accounts/source_item.h"

/* Bytes of a file: KSA_ACCOUNTS_MAX accounts with names of usual lengths. */
#define KSA_ACCOUNT_FILE_MAX ((size_t)256 * 1024 * 1024)

/*
 * Every account of CLUSTER (NULL: of all) in the registry, removed and declared ones too, with the names
 * and uids that it has and had. Returns NULL if memory runs out or the registry is damaged.
 */
json_t *ksa_account_file_write(const struct ksa_registry *registry,
                               const char *cluster) KSA_MUST_CHECK;

/*
 * Adds to LIST the accounts and groups of SOURCE's cluster that are in the file and that SOURCE covers. The
 * items are unchanged unless KSA_OK.
 *
 * ret_record  when the leader listed the cluster
 *
 * KSA_CONFIG_INVALID  an invalid file, or one without the cluster; KSA_MEMORY
 */
enum ksa_reason ksa_account_file_read(const char *bytes, size_t length,
                                      const struct ksa_accounts *source,
                                      struct ksa_desired_list *list,
                                      struct ksa_source_record *ret_record,
                                      struct ksa_error *err) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of ksactl, and what they share. */
#ifndef KSACTL_H
#define KSACTL_H

#include <jansson.h>

#include "cli.h"
#include "output.h"

/*
 * The credential of CLUSTER: cluster, file, account, audiences, issued, expires, due, problem. NULL if it has
 * none. The caller frees it (json_decref).
 *
 * ret_reason  KSA_OK; KSA_EXPIRED; KSA_NOT_A_TOKEN if its end is unknown; or the reason of its file
 */
json_t *show_credential(const struct ksa_cluster *cluster, const struct ksa_env *env,
                        enum ksa_reason *ret_reason);

int command_check(const struct args *arguments);
int command_disable(const struct args *arguments);
int command_enable(const struct args *arguments);
int command_explain(const struct args *arguments);
int command_options(const struct args *arguments);
int command_status(const struct args *arguments);
int credential_init(const struct args *arguments);
int credential_renew(const struct args *arguments);
int credential_show(const struct args *arguments);
int keys_convert(const struct args *arguments);
int keys_purge(const struct args *arguments);
int keys_refresh(const struct args *arguments);
int keys_show(const struct args *arguments);

#endif

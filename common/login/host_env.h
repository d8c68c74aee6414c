/* SPDX-License-Identifier: BSD-2-Clause */
/* The environment of a real decision: this host's clock, name, paths, and way to the cluster. */
#ifndef KSA_LOGIN_HOST_ENV_H
#define KSA_LOGIN_HOST_ENV_H

#include "base/env.h"
#include "cluster/helper.h"

/* What the environment points to; must stay where it is. */
struct ksa_host_env {
        struct ksa_env env;
        struct ksa_helper fetch;
        char host_name[256];
        char audit_id[37]; /* a random UUID, new for each login */
        char reference[9]; /* its first eight digits */
};

/*
 * Fills RET_HOST; CONFIG_FILE is borrowed, NULL for the default. Cannot fail, starts nothing. At the
 * end ksa_helper_close() its fetch.
 */
void ksa_host_env_fill(struct ksa_host_env *ret_host, const char *config_file);

/* Reads the clock again: whoever answers a prompt decides how long it stays open. */
void ksa_host_env_read_clock(struct ksa_host_env *host);

#endif

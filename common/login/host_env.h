/* SPDX-License-Identifier: BSD-2-Clause */
/* The environment of a real decision: this host's clock, name, paths, and requests to clusters. */
#ifndef KSA_LOGIN_HOST_ENV_H
#define KSA_LOGIN_HOST_ENV_H

#include "base/env.h"
#include "cluster/fetch_process.h"

/* Owns what env points to. Do not move it after ksa_host_env_fill(). */
struct ksa_host_env {
        struct ksa_env env;
        struct ksa_fetch_process fetch;
        char host_name[256];
        char audit_id[37]; /* a random UUID for each login */
        char reference[9]; /* the first eight digits of it */
};

/*
 * Fills RET_HOST. CONFIG_FILE is borrowed; NULL for the default. Cannot fail and starts nothing.
 * Afterwards ksa_fetch_process_close() its fetch.
 */
void ksa_host_env_fill(struct ksa_host_env *ret_host, const char *config_file);

/* Reads the clock again. Call it after a prompt, because the client decides how long that takes. */
void ksa_host_env_read_clock(struct ksa_host_env *host);

#endif

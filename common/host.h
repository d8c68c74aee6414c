/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The environment of a real decision: this host's clock, name and paths. */
#ifndef KSA_HOST_H
#define KSA_HOST_H

#include "env.h"

/* The texts that the environment points to; must stay where it is. */
struct ksa_host_env {
        struct ksa_env env;
        char host_name[256];
        char reference[9]; /* eight hex digits, new for each login */
};

/* Fills RET_HOST; CONFIG_FILE is borrowed, NULL for the default. Cannot fail. */
void ksa_host_env_fill(struct ksa_host_env *ret_host, const char *config_file);

#endif

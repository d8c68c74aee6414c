/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the outside supplies to a decision. common/ has no clock, no host name and
 * no network of its own: whoever calls it hands them in, and a test hands in others.
 */
#ifndef KSA_ENV_H
#define KSA_ENV_H

#include <stdint.h>
#include <sys/types.h>

struct ksa_request;
struct ksa_response;

struct ksa_env {
        int64_t now;             /* seconds since 1970, read once for one login */
        uid_t owner;             /* who beside root may own the files: 0 outside tests */
        const char *config_file; /* conf.d stands beside it */
        const char *cache_dir;   /* fetched key sets, one folder a cluster */
        const char *host_name;   /* as gethostname has it */
        const char *reference;   /* what log line and client are both told */

        /*
         * What is not there yet is NULL, and a configuration that needs it is
         * refused by the option's name.
         */
        int (*fetch)(void *context, const struct ksa_request *request,
                     struct ksa_response *ret_response); /* asks the cluster */
        void *fetch_context;
        const char *used_dir;      /* marks of tokens that count once */
        const char *registry_file; /* local accounts made from service accounts */
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the outside supplies to a decision. common/ has no clock, no host name and
 * no network of its own: whoever calls it hands them in, and a test hands in others.
 */
#ifndef KSA_ENV_H
#define KSA_ENV_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/http_message.h"

/* Clusters that one refresh names. */
#define KSA_REFRESH_MAX 64

struct ksa_env {
        int64_t now;             /* seconds since 1970, read once for one login */
        int64_t (*uptime)(void); /* milliseconds since the machine started, its sleep included */
        uid_t owner;             /* who beside root may own the files: 0 outside tests */
        const char *config_file; /* conf.d stands beside it */
        const char *cache_dir;   /* fetched key sets, one folder a cluster */
        const char *run_dir;     /* locks and stamps of what refreshes them */
        const char *host_name;   /* as gethostname has it */
        const char *reference;   /* what log line and client are both told */
        const char
                *audit_id; /* what the API server's audit log is told; begins with the reference */

        /*
         * What is not there is NULL: nobody here can ask. Both as helper.h has them.
         */
        enum ksa_reason (*fetch)(void *context, const struct ksa_request *request,
                                 struct ksa_response *ret_response, struct ksa_error *err);
        enum ksa_reason (*refresh)(void *context, const char *config_file,
                                   const char *const *clusters, unsigned milliseconds,
                                   struct ksa_error *err); /* NULL: key sets stay as they are */
        void *fetch_context;
        const char *used_dir;      /* marks of tokens that count once */
        bool only_look;            /* marks are looked for, and none is made */
        bool offline;              /* of ksactl: no cluster is asked, as where none is there */
        const char *registry_file; /* local users made from service accounts; NULL for none */
        const char *nscd_socket;   /* exists while nscd runs; NULL: its caches stay as they are */
        const char *nscd_program;
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inputs of a decision from outside: clock, paths, names, requests. common/ reads no clock and
 * no host name and opens no socket of its own; its caller supplies them, and tests supply their
 * own.
 */
#ifndef KSA_ENV_H
#define KSA_ENV_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/http_message.h"

/* Clusters in one call of refresh(). */
#define KSA_REFRESH_MAX 64

struct ksa_env {
        int64_t now;             /* seconds since 1970, read once for one login */
        int64_t (*uptime)(void); /* milliseconds since boot, including suspend */
        uid_t owner;             /* may own the files in addition to root; 0 outside tests */
        const char *config_file; /* conf.d is in the same directory */
        const char *cache_dir;   /* fetched key sets, one directory per cluster */
        const char *run_dir;     /* locks and time stamps of refreshes, records of sessions */
        const char *proc_dir;    /* /proc outside tests */
        const char *host_name;   /* as returned by gethostname() */
        const char *reference;   /* identifies this login in the log line and to the client */
        const char *audit_id;    /* Audit-ID of requests; begins with reference */

        /* Contracts: see fetch_process.h. NULL if this process cannot make requests. */
        enum ksa_reason (*fetch)(void *context, const struct ksa_request *request,
                                 struct ksa_response *ret_response, struct ksa_error *err);
        enum ksa_reason (*refresh)(void *context, const char *config_file,
                                   const char *const *clusters, unsigned milliseconds,
                                   struct ksa_error *err); /* NULL: key sets are not refreshed */
        void *fetch_context;
        const char *used_dir;      /* directory of the marks of once = yes */
        bool only_look;            /* only look for marks */
        bool offline;              /* ksactl --offline: send no request, as if fetch were NULL */
        const char *registry_file; /* managed local users; may be NULL */
        const char *nscd_socket;   /* exists while nscd runs; NULL: nscd is not invalidated */
        const char *nscd_program;
};

#endif

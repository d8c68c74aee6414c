/* SPDX-License-Identifier: BSD-2-Clause */
/* A cluster that answers from a table, in place of ksa-fetch: env.fetch and env.refresh of a test. */
#ifndef KSA_TEST_FAKE_CLUSTER_H
#define KSA_TEST_FAKE_CLUSTER_H

#include "base/env.h"

struct answer_row {
        const char *url;        /* a part of the URL */
        enum ksa_reason reason; /* other than KSA_OK: the request gets no HTTP answer */
        int status;
        const char *body;
        int64_t max_age, retry_after;
};

struct answers {
        const struct answer_row *rows;
        size_t count;
        void (*on_refresh)(struct answers *answers); /* changes the answers at a refresh, or NULL */
        void *context;                               /* of the test */
        enum ksa_reason refreshed;                   /* the result of a refresh; 0: KSA_OK */

        /* Number of requests, and the last one. */
        unsigned requests, refreshes;
        char method[8], url[256], accept[128], agent[128], audit_id[64], bearer[128], ca[64],
                proxy[64], server_name[64], body[8192];
        char clusters[256]; /* of the last refresh, each followed by a comma */
        unsigned milliseconds;
};

/* Puts ANSWERS in place of the network. */
void answers_use(struct ksa_env *env, struct answers *answers);

#endif

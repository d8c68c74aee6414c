/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The service accounts of a cluster, page by page from its API server
 * (GET /api/v1/namespaces/NAMESPACE/serviceaccounts, GET /api/v1/serviceaccounts): all of them, or none.
 */
#ifndef KSA_ACCOUNTS_SOURCE_API_H
#define KSA_ACCOUNTS_SOURCE_API_H

#include "admin/accounts/source_item.h"
#include "admin/accounts/desired.h"
#include "base/env.h"

/* Accounts of one page. A page that does not arrive whole is requested again in smaller ones. */
#define KSA_PAGE_LIMIT 500
/* Pages of one source, at most. */
#define KSA_PAGES_MAX 65536u

/* Is told after each page how many accounts the source has listed so far. */
struct ksa_list_watch {
        void (*page)(void *context, size_t accounts);
        void *context;
};

/*
 * Requests all that SOURCE names from CLUSTER, within MILLISECONDS, and adds it to LIST, whose items are
 * unchanged unless KSA_OK. WATCH may be NULL.
 *
 * KSA_API_BROKEN  the response is not such a list, or its pages do not fit together; KSA_MEMORY
 * the reasons of ksa_api_open() and ksa_api_ask()
 */
enum ksa_reason ksa_account_list_fetch(const struct ksa_cluster *cluster,
                                       const struct ksa_accounts *source, const struct ksa_env *env,
                                       unsigned milliseconds, const struct ksa_list_watch *watch,
                                       struct ksa_desired_list *list,
                                       struct ksa_error *err) KSA_MUST_CHECK;

/* One page as the server sent it. Public for the fuzz target. */
struct ksa_account_page {
        const char *next;    /* continue; "" on the last page; owned by the list, as the version */
        const char *version; /* resourceVersion, the same on all pages of a list */
};
enum ksa_reason ksa_account_page_read(const char *body, size_t length,
                                      const struct ksa_account_origin *origin,
                                      struct ksa_desired_list *list,
                                      struct ksa_account_page *ret_page,
                                      struct ksa_error *err) KSA_MUST_CHECK;

#endif

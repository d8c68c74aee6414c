/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/accounts/source_api.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "admin/accounts/json_list.h"
#include "base/text.h"
#include "cluster/api.h"
#include "cluster/api_object.h"
#include "token/json.h"

/*
 * Metadata alone, from API servers that know how (Kubernetes 1.15 and later): no secrets, no
 * imagePullSecrets; from others the accounts as they are.
 */
#define ACCEPT "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"

/* Bytes of resourceVersion, of continue, and of the path with both and a selector in it. */
#define VERSION_MAX 128
#define NEXT_MAX    1024
#define PATH_SIZE   3840

/* --- One page --------------------------------------------------------------- */

static enum ksa_reason read_account(const json_t *item, const struct ksa_account_origin *origin,
                                    struct ksa_desired_list *list, struct ksa_error *err)
{
        const json_t *metadata = json_object_get(item, "metadata");
        struct ksa_desired said = {.namespace = ksa_json_text(metadata, "namespace"),
                                   .account = ksa_json_text(metadata, "name"),
                                   .account_uid = ksa_json_text(metadata, "uid"),
                                   .name = ""};
        const char *created = ksa_json_text(metadata, "creationTimestamp");
        const json_t *deleted = json_object_get(metadata, "deletionTimestamp");

        if (said.namespace == NULL || said.account == NULL || said.account_uid == NULL)
                return ksa_fail(err, KSA_API_BROKEN,
                                "an account without a name, a namespace or a uid");
        if (created == NULL || !ksa_account_time(created, &said.created))
                return ksa_fail(err, KSA_API_BROKEN,
                                "an account with an invalid creationTimestamp");
        /* One that is being deleted is gone: only a finalizer keeps its name. */
        if (deleted != NULL && !json_is_null(deleted))
                return KSA_OK;
        return ksa_account_item_add(origin, &said, list, err);
}

/* Both are read: metadata alone, and the accounts themselves. */
static bool is_list(const json_t *page)
{
        static const char *const kinds[][2] = {{"PartialObjectMetadataList", "meta.k8s.io/v1"},
                                               {"ServiceAccountList", "v1"}};
        const char *kind = ksa_json_text(page, "kind");
        const char *version = ksa_json_text(page, "apiVersion");

        for (size_t i = 0; kind != NULL && version != NULL && i < KSA_COUNT(kinds); i++) {
                if (strcmp(kind, kinds[i][0]) == 0 && strcmp(version, kinds[i][1]) == 0)
                        return true;
        }
        return false;
}

static enum ksa_reason read_head(const json_t *page, struct ksa_desired_list *list,
                                 struct ksa_account_page *ret_page, struct ksa_error *err)
{
        const json_t *metadata = json_object_get(page, "metadata");
        const char *version = ksa_json_text(metadata, "resourceVersion");
        const char *next = ksa_json_text(metadata, "continue");

        if (!is_list(page))
                return ksa_fail(err, KSA_API_BROKEN,
                                "the response is not a list of service accounts");
        if (version == NULL || !ksa_is_graphic(version) || strlen(version) > VERSION_MAX)
                return ksa_fail(err, KSA_API_BROKEN, "the list has no resourceVersion");
        if (!ksa_api_object_may_be_text(json_object_get(metadata, "continue")))
                return ksa_fail(err, KSA_API_BROKEN, "the list's continue is not a string");
        next = next != NULL ? next : "";
        if (*next != '\0' && (!ksa_is_graphic(next) || strlen(next) > NEXT_MAX))
                return ksa_fail(err, KSA_API_BROKEN,
                                "the list's continue is longer than %d bytes, or not graphic",
                                NEXT_MAX);
        ret_page->version = ksa_desired_keep(list, version);
        ret_page->next = ksa_desired_keep(list, next);
        return list->texts.failed ? ksa_fail(err, KSA_MEMORY, "out of memory") : KSA_OK;
}

enum ksa_reason ksa_account_page_read(const char *body, size_t length,
                                      const struct ksa_account_origin *origin,
                                      struct ksa_desired_list *list,
                                      struct ksa_account_page *ret_page, struct ksa_error *err)
{
        KSA_CLEANUP(ksa_json_free) json_t *page = NULL;
        struct ksa_account_page read = {NULL, NULL};
        struct ksa_error inner = {0};
        const size_t before = list->count;
        enum ksa_reason reason = ksa_json_load_list(body, length, &page, &inner);

        if (reason != KSA_OK)
                return ksa_fail(err, reason == KSA_MEMORY ? reason : KSA_API_BROKEN,
                                "the response is not a list of service accounts: %s", inner.text);
        reason = read_head(page, list, &read, err);
        /* A list of nothing has null in place of its items. */
        const json_t *items = json_object_get(page, "items");
        if (reason == KSA_OK && !json_is_array(items) && !json_is_null(items))
                reason = ksa_fail(err, KSA_API_BROKEN, "the list has no items");
        for (size_t i = 0; reason == KSA_OK && i < json_array_size(items); i++)
                reason = read_account(json_array_get(items, i), origin, list, err);
        if (reason == KSA_OK)
                *ret_page = read;
        else
                list->count = before;
        return reason;
}

/* --- Pages ------------------------------------------------------------------ */

/* One list: of a namespace, or of all. */
struct listing {
        const struct ksa_api *api;
        struct ksa_account_origin origin;
        struct ksa_desired_list *list;
        size_t first;                 /* of its accounts in the list */
        unsigned limit;               /* accounts of the next page */
        unsigned pages;               /* of all lists of the source */
        bool expired;                 /* it was begun again */
        struct ksa_account_page page; /* the last one */
        const struct ksa_list_watch *watch;
        size_t before; /* accounts of other sources in the list */
};

/* Appends NAME and VALUE, percent-encoded (RFC 3986). Returns false if PATH is too small. */
static bool add_parameter(char path[PATH_SIZE], const char *name, const char *value)
{
        size_t length = strlen(path);
        const int put = snprintf(path + length, PATH_SIZE - length, "&%s=", name);

        if (put < 0 || (size_t)put >= PATH_SIZE - length)
                return false;
        length += (size_t)put;
        for (; *value != '\0'; value++) {
                const unsigned char byte = (unsigned char)*value;
                const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                                   (byte >= '0' && byte <= '9') || strchr("-._~", byte) != NULL;

                if (length + 4 > PATH_SIZE)
                        return false;
                length += (size_t)snprintf(path + length, PATH_SIZE - length,
                                           plain ? "%c" : "%%%02X", byte);
        }
        return true;
}

static enum ksa_reason make_path(const struct listing *listing, char path[PATH_SIZE],
                                 struct ksa_error *err)
{
        const char *namespace = listing->origin.namespace;
        const char *selector = listing->origin.source->selector;

        (void)snprintf(path, PATH_SIZE, "/api/v1/%s%s%sserviceaccounts?limit=%u",
                       namespace != NULL ? "namespaces/" : "", namespace != NULL ? namespace : "",
                       namespace != NULL ? "/" : "", listing->limit);
        if ((selector != NULL && !add_parameter(path, "labelSelector", selector)) ||
            (*listing->page.next != '\0' && !add_parameter(path, "continue", listing->page.next)))
                return ksa_fail(err, KSA_API_BROKEN, "selector and continue are too long together");
        return KSA_OK;
}

static void begin(struct listing *listing)
{
        listing->list->count = listing->first;
        listing->page = (struct ksa_account_page){"", ""};
}

/*
 * Prepares the next attempt after an error. Returns false if the list has failed. A tenant can make its
 * accounts large: a page that does not arrive whole is requested again in smaller pages.
 */
static bool may_try_again(struct listing *listing, enum ksa_reason reason, int64_t status)
{
        if (status == 410 && *listing->page.next != '\0' && !listing->expired) {
                listing->expired = true;
                begin(listing);
                return true;
        }
        if (reason != KSA_API_BROKEN || status != 0 || listing->limit == 1)
                return false;
        listing->limit /= 2;
        return true;
}

/* Whether the page before and this one show one state of the cluster, and the list comes to an end. */
static enum ksa_reason check_page(const struct listing *listing,
                                  const struct ksa_account_page *page, struct ksa_error *err)
{
        const struct ksa_account_page *before = &listing->page;

        if (*before->version != '\0' && strcmp(before->version, page->version) != 0)
                return ksa_fail(err, KSA_API_BROKEN,
                                "the pages of the list are of different versions");
        if (*page->next != '\0' && strcmp(before->next, page->next) == 0)
                return ksa_fail(err, KSA_API_BROKEN, "the list does not come to an end");
        if (listing->list->count - listing->first > KSA_ACCOUNTS_MAX)
                return ksa_fail(err, KSA_API_BROKEN, "more than %zu accounts", KSA_ACCOUNTS_MAX);
        return KSA_OK;
}

/* Requests the next page, or prepares a smaller request after an error. *RET_LAST is true after the last. */
static enum ksa_reason next_page(struct listing *listing, bool *ret_last, struct ksa_error *err)
{
        char path[PATH_SIZE];
        struct ksa_response_head head = {0};
        struct ksa_response response = {0};
        struct ksa_account_page page = {"", ""};
        const struct ksa_call call = {
                .url = path, .accept = ACCEPT, .max = KSA_BODY_MAX, .ret_head = &head};
        enum ksa_reason reason = make_path(listing, path, err);

        *ret_last = false;
        if (reason != KSA_OK)
                return reason;
        listing->pages++;
        reason = ksa_api_ask(listing->api, &call, &response, err);
        if (reason != KSA_OK) {
                const bool again = may_try_again(listing, reason, head.status);

                if (again && err != NULL)
                        *err = (struct ksa_error){0};
                if (head.status == 400 && listing->origin.source->selector != NULL)
                        return ksa_fail(err, KSA_CONFIG_INVALID,
                                        "the API server does not accept the selector '%s' (400)",
                                        listing->origin.source->selector);
                return again ? KSA_OK : reason;
        }
        reason = ksa_account_page_read(response.body.bytes, response.body.length, &listing->origin,
                                       listing->list, &page, err);
        ksa_response_clear(&response);
        if (reason == KSA_OK)
                reason = check_page(listing, &page, err);
        if (reason != KSA_OK)
                return reason;
        listing->page = page;
        listing->limit = listing->limit > KSA_PAGE_LIMIT / 2 ? KSA_PAGE_LIMIT : listing->limit * 2;
        *ret_last = *page.next == '\0';
        if (listing->watch != NULL)
                listing->watch->page(listing->watch->context,
                                     listing->list->count - listing->before);
        return KSA_OK;
}

static enum ksa_reason fetch_list(struct listing *listing, const char *namespace,
                                  struct ksa_error *err)
{
        enum ksa_reason reason = KSA_OK;
        bool last = false;

        listing->origin.namespace = namespace;
        listing->first = listing->list->count;
        listing->limit = KSA_PAGE_LIMIT;
        listing->expired = false;
        begin(listing);
        while (reason == KSA_OK && !last) {
                reason = listing->pages < KSA_PAGES_MAX
                                 ? next_page(listing, &last, err)
                                 : ksa_fail(err, KSA_API_BROKEN, "more than %u pages",
                                            KSA_PAGES_MAX);
        }
        return reason;
}

/* --- A source --------------------------------------------------------------- */

static enum ksa_reason fetch_all(struct listing *listing, struct ksa_error *err)
{
        const struct ksa_list *namespaces = &listing->origin.source->namespaces;
        enum ksa_reason reason = KSA_OK;

        if (ksa_list_has(namespaces, "*"))
                return fetch_list(listing, NULL, err);
        for (size_t i = 0; reason == KSA_OK && i < namespaces->count; i++) {
                const char *namespace = ksa_list_text(namespaces, i);
                bool asked = false;

                for (size_t n = 0; n < i; n++)
                        asked = asked || strcmp(ksa_list_text(namespaces, n), namespace) == 0;
                if (!asked)
                        reason = fetch_list(listing, namespace, err);
        }
        return reason;
}

enum ksa_reason ksa_account_list_fetch(const struct ksa_cluster *cluster,
                                       const struct ksa_accounts *source, const struct ksa_env *env,
                                       unsigned milliseconds, const struct ksa_list_watch *watch,
                                       struct ksa_desired_list *list, struct ksa_error *err)
{
        const size_t before = list->count;
        struct ksa_api api;
        enum ksa_reason reason = ksa_api_open(cluster, env, KSA_SIDE_API, milliseconds, &api, err);
        struct listing listing = {.api = &api,
                                  .origin = {.source = source},
                                  .list = list,
                                  .page = {"", ""},
                                  .watch = watch,
                                  .before = before};

        if (reason == KSA_OK)
                reason = fetch_all(&listing, err);
        if (reason == KSA_OK)
                reason = ksa_account_items_check(list, before, err);
        if (reason != KSA_OK)
                list->count = before;
        ksa_api_close(&api);
        return reason;
}

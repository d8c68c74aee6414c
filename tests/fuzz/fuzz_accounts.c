/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Service accounts, as an API server lists them and as a file has them. The input's first line: "f" takes the
 * rest as a file; anything else as a page, of the namespace ci alone where it is "p".
 */
#include <jansson.h>

#include "admin/accounts/source_file.h"
#include "admin/accounts/source_api.h"
#include "admin/accounts/json_list.h"
#include "base/text.h"
#include "document.h"
#include "fuzz.h"

static const char *namespaces[] = {"ci", "build"};
static struct ksa_accounts source = {.name = "prod", .namespaces = {namespaces, 2}};

/* Properties of every desired account, from each source. */
static void check_items(const struct ksa_desired_list *list, const char *namespace)
{
        for (size_t i = 0; i < list->count; i++) {
                const struct ksa_desired *item = &list->items[i];

                MUST(item->source == &source && strcmp(item->cluster, "prod") == 0);
                MUST(strcmp(item->namespace, "ci") == 0 || strcmp(item->namespace, "build") == 0);
                MUST(namespace == NULL || strcmp(item->namespace, namespace) == 0);
                MUST(ksa_is_dns_subdomain(item->account) && item->created >= 0);
                MUST((item->leader == KSA_LEADER_NONE) == (item->uid == 0));
                MUST((item->leader == KSA_LEADER_NONE) == (*item->name == '\0'));
                MUST(item->leader != KSA_LEADER_NONE || strcmp(item->account, "default") != 0);
                MUST(*item->account_uid == '\0' ? item->leader != KSA_LEADER_NONE
                                                : ksa_is_graphic(item->account_uid));
                MUST(strlen(item->name) <= KSA_ACCOUNT_NAME_MAX);
        }
}

static void read_page(const char *body, size_t size, const char *namespace)
{
        const struct ksa_account_origin origin = {.source = &source, .namespace = namespace};
        struct ksa_desired_list list = {0};
        struct ksa_account_page page = {NULL, NULL};
        struct ksa_error error = {0};
        enum ksa_reason reason = ksa_account_page_read(body, size, &origin, &list, &page, &error);

        MUST(reason == KSA_OK || reason == KSA_API_BROKEN);
        MUST((reason == KSA_OK) == (page.version != NULL) &&
             (reason == KSA_OK) == (error.text[0] == '\0'));
        MUST(reason == KSA_OK || list.count == 0);
        if (reason == KSA_OK) {
                MUST(ksa_is_graphic(page.version));
                MUST(*page.next == '\0' || ksa_is_graphic(page.next));
                json_t *root = NULL;
                MUST(ksa_json_load_list(body, size, &root, NULL) == KSA_OK);
                MUST(list.count <= json_array_size(json_object_get(root, "items")));
                json_decref(root);
        }
        check_items(&list, namespace);
        ksa_desired_clear(&list);
}

static void read_file(const char *bytes, size_t size)
{
        struct ksa_desired_list list = {0};
        struct ksa_source_record record = {.cluster = NULL};
        struct ksa_error error = {0};
        enum ksa_reason reason =
                ksa_account_file_read(bytes, size, &source, &list, &record, &error);

        MUST(reason == KSA_OK || reason == KSA_CONFIG_INVALID);
        MUST((reason == KSA_OK) == (error.text[0] == '\0'));
        MUST(reason == KSA_OK || (list.count == 0 && list.groups.count == 0));
        MUST((reason == KSA_OK) == (record.cluster != NULL));
        check_items(&list, NULL);
        /* No account twice. */
        MUST(reason != KSA_OK || ksa_account_items_check(&list, 0, NULL) == KSA_OK);
        ksa_desired_clear(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *how = next_line(&data, &size);
        char *body = calloc(1, size + 1);

        MUST(body != NULL);
        if (size > 0)
                memcpy(body, data, size);
        json_decref(load_again(body, size));
        if (how[0] == 'f')
                read_file(body, size);
        else
                read_page(body, size, how[0] == 'p' ? "ci" : NULL);
        free(how);
        free(body);
        return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/accounts/source_item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/accounts/names.h"
#include "base/text.h"

/* --- Times ------------------------------------------------------------------ */

bool ksa_account_time(const char *text, int64_t *ret_seconds)
{
        static const char form[] = "0000-00-00T00:00:00Z";
        struct tm parts = {.tm_year = 0};

        if (strlen(text) != sizeof(form) - 1)
                return false;
        for (size_t i = 0; i < sizeof(form) - 1; i++) {
                const bool digit = text[i] >= '0' && text[i] <= '9';

                if (form[i] == '0' ? !digit : text[i] != form[i])
                        return false;
        }
        if (strptime(text, "%Y-%m-%dT%H:%M:%SZ", &parts) == NULL || parts.tm_year < 70 ||
            parts.tm_sec > 59)
                return false;
        const int day = parts.tm_mday;
        const int64_t seconds = (int64_t)timegm(&parts);
        /* The 31st of a month that has 30 became the 1st of the next. */
        if (parts.tm_mday != day)
                return false;
        *ret_seconds = seconds;
        return true;
}

/* Bytes of an invalid name in a message. */
#define SHOWN_SIZE 128

/* --- One account ------------------------------------------------------------ */

static enum ksa_reason check(const struct ksa_account_origin *origin,
                             const struct ksa_desired *said, struct ksa_error *err)
{
        char namespace[SHOWN_SIZE], account[SHOWN_SIZE];

        (void)ksa_text_quote(said->namespace, namespace, sizeof(namespace));
        (void)ksa_text_quote(said->account, account, sizeof(account));
        if (!ksa_is_dns_label(said->namespace) || !ksa_is_dns_subdomain(said->account))
                return ksa_fail(err, KSA_API_BROKEN, "'%s/%s' cannot be an account's name",
                                namespace, account);
        if (origin->namespace != NULL && strcmp(said->namespace, origin->namespace) != 0)
                return ksa_fail(err, KSA_API_BROKEN,
                                "the account '%s/%s' is not of the namespace that was asked for",
                                namespace, account);
        if (said->leader != KSA_LEADER_NONE && said->account_uid[0] == '\0')
                return KSA_OK; /* of an [account] without account_uid */
        if (!ksa_is_graphic(said->account_uid) || strchr(said->account_uid, ':') != NULL ||
            strlen(said->account_uid) > KSA_ACCOUNT_UID_MAX)
                return ksa_fail(err, KSA_API_BROKEN, "the account '%s/%s' has no valid uid",
                                namespace, account);
        return KSA_OK;
}

enum ksa_reason ksa_account_item_add(const struct ksa_account_origin *origin,
                                     const struct ksa_desired *said, struct ksa_desired_list *list,
                                     struct ksa_error *err)
{
        const struct ksa_accounts *source = origin->source;
        enum ksa_reason reason = check(origin, said, err);
        struct ksa_desired item = *said;

        if (reason != KSA_OK || !ksa_source_covers(source, said->namespace))
                return reason;
        /* Each namespace has an account default for Pods that name none. A leader may declare it. */
        if (said->leader == KSA_LEADER_NONE && strcmp(said->account, "default") == 0)
                return KSA_OK;
        item.source = source;
        item.cluster = source->name;
        item.namespace = ksa_desired_keep(list, said->namespace);
        item.account = ksa_desired_keep(list, said->account);
        item.account_uid = ksa_desired_keep(list, said->account_uid);
        item.name = ksa_desired_keep(list, said->name);
        return ksa_desired_add(list, &item, err);
}

/* --- All of them ------------------------------------------------------------ */

static int compare(const void *left, const void *right)
{
        const struct ksa_desired *one = *(const struct ksa_desired *const *)left;
        const struct ksa_desired *other = *(const struct ksa_desired *const *)right;
        const int order = strcmp(one->namespace, other->namespace);

        return order != 0 ? order : strcmp(one->account, other->account);
}

enum ksa_reason ksa_account_items_check(const struct ksa_desired_list *list, size_t first,
                                        struct ksa_error *err)
{
        const size_t count = list->count - first;
        enum ksa_reason reason = KSA_OK;

        if (count > KSA_ACCOUNTS_MAX)
                return ksa_fail(err, KSA_API_BROKEN, "more than %zu accounts", KSA_ACCOUNTS_MAX);
        const struct ksa_desired **order = calloc(count + 1, sizeof(const struct ksa_desired *));
        if (order == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        size_t live = 0;
        for (size_t i = 0; i < count; i++) {
                if (list->items[first + i].leader != KSA_LEADER_FORMER)
                        order[live++] = &list->items[first + i];
        }
        qsort(order, live, sizeof(const struct ksa_desired *), compare);
        for (size_t i = 1; reason == KSA_OK && i < live; i++) {
                if (compare(&order[i - 1], &order[i]) == 0)
                        reason = ksa_fail(err, KSA_API_BROKEN, "the account '%s/%s' is in it twice",
                                          order[i]->namespace, order[i]->account);
        }
        free(order);
        return reason;
}

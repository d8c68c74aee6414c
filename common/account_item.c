/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account_item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "account_name.h"
#include "text.h"

/* --- Times ------------------------------------------------------------------ */

/* The number of COUNT digits at TEXT; -1 where one is none. */
static int digits(const char *text, size_t count)
{
        int number = 0;

        for (size_t i = 0; i < count; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return -1;
                number = number * 10 + (text[i] - '0');
        }
        return number;
}

bool ksa_account_time(const char *text, int64_t *ret_seconds)
{
        static const char form[] = "0000-00-00T00:00:00Z";

        if (strlen(text) != sizeof(form) - 1)
                return false;
        for (size_t i = 0; i < sizeof(form) - 1; i++) {
                if (form[i] != '0' && text[i] != form[i])
                        return false;
        }
        const int year = digits(text, 4), month = digits(text + 5, 2), day = digits(text + 8, 2),
                  hour = digits(text + 11, 2), minute = digits(text + 14, 2),
                  second = digits(text + 17, 2);
        if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 ||
            hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
                return false;
        struct tm parts = {.tm_year = year - 1900,
                           .tm_mon = month - 1,
                           .tm_mday = day,
                           .tm_hour = hour,
                           .tm_min = minute,
                           .tm_sec = second};
        const int64_t seconds = (int64_t)timegm(&parts);
        /* The 31st of a month that has 30 became the 1st of the next. */
        if (parts.tm_mday != day)
                return false;
        *ret_seconds = seconds;
        return true;
}

/* --- What it asks for ------------------------------------------------------- */

/* Enough of what came from outside to recognise it in a message. */
#define SHOWN_SIZE 128

/* NULL where the account may have that name; else why not, in OUT. */
static const char *judge_user(const struct ksa_account_said *said, char *out, size_t size)
{
        const size_t length = strlen(said->namespace);
        char shown[SHOWN_SIZE];

        (void)ksa_text_quote(said->user, shown, sizeof(shown));
        if (strncmp(said->user, said->namespace, length) != 0 || said->user[length] != '_' ||
            said->user[length + 1] == '\0') {
                (void)snprintf(out, size,
                               "its annotation ksa.dev/user asks for '%s', and may only ask for a "
                               "name that begins with '%s_'",
                               shown, said->namespace);
                return out;
        }
        const char *fault = ksa_account_name_fault(said->user);
        /* With 'abc' for its namespace it could be what a name in the namespace 'abcdef' was cut to. */
        if (fault == NULL && said->user[length + 1] == '_')
                fault = "it has two _ behind the namespace, as one that was cut";
        /* sudo takes ci_Deployer for ci_deployer, and would give one the rights of the other. */
        if (fault == NULL && strpbrk(said->user, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL)
                fault = "it has a capital letter";
        if (fault == NULL)
                return NULL;
        (void)snprintf(out, size, "its annotation ksa.dev/user asks for '%s': %s", shown, fault);
        return out;
}

static const char *judge_uid(const struct ksa_account_origin *origin,
                             const struct ksa_account_said *said, uint32_t *ret_uid, char *out,
                             size_t size)
{
        char shown[SHOWN_SIZE];
        uint64_t uid;

        if (ksa_text_number(said->user_uid, origin->range.min, origin->range.max, &uid)) {
                *ret_uid = (uint32_t)uid;
                return NULL;
        }
        (void)snprintf(out, size,
                       "its annotation ksa.dev/uid asks for '%s', and may only ask for a number in "
                       "uid_range (%u-%u)",
                       ksa_text_quote(said->user_uid, shown, sizeof(shown)),
                       (unsigned)origin->range.min, (unsigned)origin->range.max);
        return out;
}

/* Name and uid that an account asks for, or the fault, into ITEM. */
static bool read_wishes(const struct ksa_account_origin *origin,
                        const struct ksa_account_said *said, struct ksa_wanted_list *list,
                        struct ksa_wanted *item)
{
        char text[512];
        const char *fault = NULL;

        if (!origin->source->annotations)
                return true;
        if (said->user != NULL)
                fault = judge_user(said, text, sizeof(text));
        if (fault == NULL && said->user_uid != NULL)
                fault = judge_uid(origin, said, &item->uid, text, sizeof(text));
        if (fault != NULL)
                item->fault = ksa_wanted_keep(list, fault);
        else if (said->user != NULL)
                item->name = ksa_wanted_keep(list, said->user);
        return item->fault != NULL && item->name != NULL;
}

/* --- One account ------------------------------------------------------------ */

static enum ksa_reason judge(const struct ksa_account_origin *origin,
                             const struct ksa_account_said *said, struct ksa_error *err)
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
        if (!ksa_is_graphic(said->uid) || strlen(said->uid) > KSA_ACCOUNT_UID_MAX)
                return ksa_fail(err, KSA_API_BROKEN, "the account '%s/%s' has no uid that is one",
                                namespace, account);
        return KSA_OK;
}

static const char *text_or_none(const char *text)
{
        return text != NULL ? text : "";
}

enum ksa_reason ksa_account_item_add(const struct ksa_account_origin *origin,
                                     const struct ksa_account_said *said,
                                     struct ksa_wanted_list *list, struct ksa_error *err)
{
        const struct ksa_accounts *source = origin->source;
        enum ksa_reason reason = judge(origin, said, err);

        if (reason != KSA_OK || !ksa_source_covers(source, said->namespace, said->account))
                return reason;
        struct ksa_wanted item = {.cluster = source->name,
                                  .namespace = ksa_wanted_keep(list, said->namespace),
                                  .account = ksa_wanted_keep(list, said->account),
                                  .account_uid = ksa_wanted_keep(list, said->uid),
                                  .created = said->created,
                                  .name = "",
                                  .home = text_or_none(source->home),
                                  .shell = text_or_none(source->shell),
                                  .source = source,
                                  .rank = origin->rank,
                                  .fault = ""};
        if (!read_wishes(origin, said, list, &item) || item.namespace == NULL ||
            item.account == NULL || item.account_uid == NULL || !ksa_wanted_add(list, &item))
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        return KSA_OK;
}

/* --- All of them ------------------------------------------------------------ */

static int compare(const void *left, const void *right)
{
        const struct ksa_wanted *one = *(const struct ksa_wanted *const *)left;
        const struct ksa_wanted *other = *(const struct ksa_wanted *const *)right;
        const int order = strcmp(one->namespace, other->namespace);

        return order != 0 ? order : strcmp(one->account, other->account);
}

enum ksa_reason ksa_account_items_judge(const struct ksa_wanted_list *list, size_t first,
                                        struct ksa_error *err)
{
        const size_t count = list->count - first;
        enum ksa_reason reason = KSA_OK;

        if (count > KSA_ACCOUNTS_MAX)
                return ksa_fail(err, KSA_API_BROKEN, "more than %zu accounts", KSA_ACCOUNTS_MAX);
        const struct ksa_wanted **order = calloc(count + 1, sizeof(const struct ksa_wanted *));
        if (order == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        for (size_t i = 0; i < count; i++)
                order[i] = &list->items[first + i];
        qsort(order, count, sizeof(const struct ksa_wanted *), compare);
        for (size_t i = 1; reason == KSA_OK && i < count; i++) {
                if (compare(&order[i - 1], &order[i]) == 0)
                        reason = ksa_fail(err, KSA_API_BROKEN,
                                          "the account '%s/%s' stands there twice",
                                          order[i]->namespace, order[i]->account);
        }
        free(order);
        return reason;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/registry/put.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "registry/registry.h"
#include "registry/format.h"

static enum ksa_reason refuse(const struct ksa_registry_output *output, const char *kind,
                              const char *name, const char *why)
{
        char quoted[KSA_QUOTED_SIZE];

        return ksa_fail(output->err, KSA_INTERNAL, "the registry cannot hold the %s '%s': %s", kind,
                        ksa_text_quote(name, quoted, sizeof(quoted)), why);
}

/* --- Bytes ------------------------------------------------------------------ */

enum ksa_reason ksa_output_add(struct ksa_registry_output *output, size_t size, size_t *ret_offset)
{
        if (size > KSA_FORMAT_SIZE_MAX - output->length)
                return ksa_fail(output->err, KSA_INTERNAL, "too many accounts for one registry");
        if (size > output->room - output->length) {
                /* glibc moves pages, not bytes, and those that are not touched cost nothing. */
                size_t room = 2 * output->room > output->length + size ? 2 * output->room
                                                                       : output->length + size;
                unsigned char *bytes = realloc(output->bytes, room);

                if (bytes == NULL)
                        return ksa_fail(output->err, KSA_MEMORY, "no memory for the registry");
                output->bytes = bytes;
                output->room = room;
        }
        memset(output->bytes + output->length, 0, size);
        *ret_offset = output->length;
        output->length += size;
        return KSA_OK;
}

/* The texts' bytes with their NULs, or 0 where one is too long. */
static size_t texts_size(const char *const texts[], size_t count)
{
        size_t size = 0;

        for (size_t i = 0; i < count; i++) {
                size_t length = strnlen(texts[i], KSA_FORMAT_TEXT_MAX + 1);

                if (length > KSA_FORMAT_TEXT_MAX)
                        return 0;
                size += length + 1;
        }
        return size;
}

/* Copies the texts, each with its END (NUL, or what joins it to the next); returns what is behind. */
static char *put_texts(char *at, const char *const texts[], size_t count, char end)
{
        for (size_t i = 0; i < count; i++) {
                size_t length = strlen(texts[i]);

                memcpy(at, texts[i], length);
                at[length] = end;
                at += length + 1;
        }
        at[-1] = '\0';
        return at;
}

/* A record of FIXED bytes and these texts behind it, and its sum. */
static enum ksa_reason put_record(struct ksa_registry_output *output, const void *fixed,
                                  size_t size, const char *const texts[], size_t count)
{
        size_t texts_length = texts_size(texts, count);
        size_t length = (size + texts_length + 7) / 8 * 8;
        struct ksa_format_record head;
        size_t offset = 0;

        if (texts_length == 0)
                return refuse(output, "record", texts[0], "too long a text");
        enum ksa_reason reason = ksa_output_add(output, length, &offset);
        if (reason != KSA_OK)
                return reason;
        unsigned char *record = output->bytes + offset;
        memcpy(record, fixed, size);
        put_texts((char *)record + size, texts, count, '\0');
        memcpy(&head, record, sizeof(head));
        head.length = (uint32_t)length;
        head.sum = ksa_format_sum32(head.length, record + 8, length - 8);
        memcpy(record, &head, 8);
        return KSA_OK;
}

/* --- Accounts --------------------------------------------------------------- */

/* What the reader could not see: what is cut, or means something else, once it is written. */
static const char *account_fault(const struct ksa_account_record *account)
{
        if ((account->flags & ~KSA_ACCOUNT_FLAGS) != 0 ||
            (unsigned)account->state >= KSA_ACCOUNT_STATE_COUNT)
                return "an unknown state or flag";
        if (strchr(account->cluster, '/') != NULL || strchr(account->namespace, '/') != NULL ||
            strchr(account->account, '/') != NULL)
                return "a slash in the name of its cluster, namespace or account";
        if (account->group_count > KSA_ACCOUNT_GROUPS_MAX)
                return "too many groups";
        return NULL;
}

static void put_account_texts(char *at, const struct ksa_account_record *account, const char *shell,
                              const char *const texts[])
{
        const char *first[] = {account->name, "*"};
        const char *triple[] = {account->cluster, account->namespace, account->account};
        const char *last[] = {account->home, shell};

        at = put_texts(at, first, KSA_COUNT(first), '\0');
        at = put_texts(at, triple, KSA_COUNT(triple), '/');
        at = put_texts(at, last, KSA_COUNT(last), '\0');
        put_texts(at, texts, KSA_TEXT_COUNT, '\0');
}

/* Nothing is written that the reader would refuse: it is asked. */
static enum ksa_reason would_read_account(const struct ksa_registry_output *output,
                                          const struct ksa_account_record *account, size_t offset)
{
        const struct ksa_registry reader = {
                .bytes = output->bytes, .accounts = offset, .accounts_end = output->length};
        struct ksa_account_record read;
        size_t position = 0;

        if (ksa_registry_next(&reader, &position, &read) == KSA_REGISTRY_FOUND)
                return KSA_OK;
        return refuse(output, "account", account->name,
                      "a name, text or number that no account may have");
}

enum ksa_reason ksa_output_account(struct ksa_registry_output *output,
                                   const struct ksa_account_record *account)
{
        const char *shell = account->state == KSA_ACCOUNT_ACTIVE ? account->shell : KSA_NOLOGIN;
        const char *texts[] = {account->cluster, account->namespace,   account->account,
                               account->shell,   account->account_uid, account->new_account_uid};
        const char *passwd[] = {
                account->name,   "*", account->home, shell, account->cluster, account->namespace,
                account->account};
        size_t passwd_size = texts_size(passwd, KSA_COUNT(passwd));
        size_t more = texts_size(texts, KSA_COUNT(texts));
        size_t gids = account->group_count * sizeof(uint32_t);
        size_t begin = sizeof(struct ksa_format_account) + gids, offset = 0;

        const char *fault = account_fault(account);

        if (fault == NULL && (passwd_size == 0 || more == 0))
                fault = "too long a text";
        if (fault != NULL)
                return refuse(output, "account", account->name, fault);
        size_t length = (begin + passwd_size + more + 7) / 8 * 8;
        enum ksa_reason reason = ksa_output_add(output, length, &offset);
        if (reason != KSA_OK)
                return reason;
        unsigned char *record = output->bytes + offset;
        struct ksa_format_account fixed = {
                .length = (uint32_t)length,
                .kind = KSA_FORMAT_ACCOUNT,
                .state = (uint8_t)account->state,
                .flags = (uint16_t)account->flags,
                .uid = account->uid,
                .reasons = account->reasons,
                .groups = sizeof(fixed),
                .group_count = (uint16_t)account->group_count,
                .created = account->created,
                .changed = account->changed,
                .passwd = (uint16_t)begin,
                .passwd_size = (uint16_t)passwd_size,
                .texts = (uint16_t)(begin + passwd_size),
                .texts_size = (uint16_t)more,
        };
        memcpy(record, &fixed, sizeof(fixed));
        if (gids > 0)
                memcpy(record + sizeof(fixed), account->groups, gids);
        put_account_texts((char *)record + begin, account, shell, texts);
        fixed.sum = ksa_format_sum32(fixed.length, record + 8, length - 8);
        memcpy(record, &fixed, 8);
        return would_read_account(output, account, offset);
}

/* --- Groups and sources ----------------------------------------------------- */

static enum ksa_reason would_read_group(const struct ksa_registry_output *output,
                                        const struct ksa_group_record *group, size_t offset)
{
        const struct ksa_registry reader = {.bytes = output->bytes,
                                            .groups = offset,
                                            .groups_end = output->length,
                                            .members = (size_t)output->members,
                                            .members_end = (size_t)output->members_end};
        struct ksa_group_record read;
        size_t position = 0;

        if (ksa_registry_next_group(&reader, &position, &read) == KSA_REGISTRY_FOUND)
                return KSA_OK;
        return refuse(output, "group", group->name, "a name, text or gid that no group may have");
}

enum ksa_reason ksa_output_group(struct ksa_registry_output *output,
                                 const struct ksa_group_record *group, uint64_t lines,
                                 uint32_t member_count)
{
        const char *texts[] = {group->name, group->cluster, group->namespace};
        size_t offset = output->length;
        struct ksa_format_group fixed = {
                .kind = KSA_FORMAT_GROUP,
                .gid = group->gid,
                .texts = sizeof(fixed),
                .texts_size = (uint16_t)texts_size(texts, KSA_COUNT(texts)),
                .member_count = member_count,
                .members = lines,
        };
        enum ksa_reason reason = put_record(output, &fixed, sizeof(fixed), texts, KSA_COUNT(texts));

        return reason == KSA_OK ? would_read_group(output, group, offset) : reason;
}

enum ksa_reason ksa_output_source(struct ksa_registry_output *output,
                                  const struct ksa_source_record *source)
{
        const char *texts[] = {source->cluster, source->version};
        struct ksa_registry reader = {.sources = output->length};
        struct ksa_format_source fixed = {
                .kind = KSA_FORMAT_SOURCE,
                .listed = source->listed,
                .texts = sizeof(fixed),
                .texts_size = (uint16_t)texts_size(texts, KSA_COUNT(texts)),
        };
        struct ksa_source_record read;
        size_t position = 0;
        enum ksa_reason reason = put_record(output, &fixed, sizeof(fixed), texts, KSA_COUNT(texts));

        if (reason != KSA_OK)
                return reason;
        reader.bytes = output->bytes;
        reader.sources_end = output->length;
        if (ksa_registry_next_source(&reader, &position, &read) != KSA_REGISTRY_FOUND)
                return refuse(output, "source", source->cluster, "a control byte or a colon");
        return KSA_OK;
}

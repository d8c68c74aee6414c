/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry_write.h"

#include <stdlib.h>
#include <string.h>

#include "registry_format.h"
#include "registry_table.h"
#include "text.h"

/* A group by its gid: where the list of its members is in the file, and how many there are. */
struct by_gid {
        uint32_t gid, count;
        size_t lines;
        size_t last; /* the account that was counted last, from 1 */
};

struct writer {
        const struct ksa_registry_content *content;
        unsigned char *bytes;
        size_t length, room;
        struct ksa_format_header header;
        struct by_gid *groups; /* ordered by gid */
        struct ksa_error *err;
};

static enum ksa_reason refuse(const struct writer *writer, const char *kind, const char *name,
                              const char *why)
{
        char quoted[KSA_QUOTED_SIZE];

        return ksa_fail(writer->err, KSA_INTERNAL, "the %s '%s' may not stand in the registry: %s",
                        kind, ksa_text_quote(name, quoted, sizeof(quoted)), why);
}

/* --- Bytes ------------------------------------------------------------------ */

/* SIZE more bytes, zero, at RET_OFFSET. */
static enum ksa_reason add(struct writer *writer, size_t size, size_t *ret_offset)
{
        if (size > KSA_FORMAT_SIZE_MAX - writer->length)
                return ksa_fail(writer->err, KSA_INTERNAL, "too many accounts for one registry");
        if (size > writer->room - writer->length) {
                /* glibc moves pages, not bytes, and those that are not touched cost nothing. */
                size_t room = 2 * writer->room > writer->length + size ? 2 * writer->room
                                                                       : writer->length + size;
                unsigned char *bytes = realloc(writer->bytes, room);

                if (bytes == NULL)
                        return ksa_fail(writer->err, KSA_MEMORY, "no memory for the registry");
                writer->bytes = bytes;
                writer->room = room;
        }
        memset(writer->bytes + writer->length, 0, size);
        *ret_offset = writer->length;
        writer->length += size;
        return KSA_OK;
}

static enum ksa_reason align(struct writer *writer, size_t to)
{
        size_t offset;

        return add(writer, (to - writer->length % to) % to, &offset);
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
static enum ksa_reason put_record(struct writer *writer, const void *fixed, size_t size,
                                  const char *const texts[], size_t count)
{
        size_t texts_length = texts_size(texts, count);
        size_t length = (size + texts_length + 7) / 8 * 8;
        struct ksa_format_record head;
        size_t offset;

        if (texts_length == 0)
                return refuse(writer, "record", texts[0], "too long a text");
        enum ksa_reason reason = add(writer, length, &offset);
        if (reason != KSA_OK)
                return reason;
        unsigned char *record = writer->bytes + offset;
        memcpy(record, fixed, size);
        put_texts((char *)record + size, texts, count, '\0');
        memcpy(&head, record, sizeof(head));
        head.length = (uint32_t)length;
        head.sum = ksa_format_sum32(head.length, record + 8, length - 8);
        memcpy(record, &head, 8);
        return KSA_OK;
}

/* --- Accounts --------------------------------------------------------------- */

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
static enum ksa_reason would_read_account(const struct writer *writer,
                                          const struct ksa_account_record *account, size_t offset)
{
        const struct ksa_registry reader = {
                .bytes = writer->bytes, .accounts = offset, .accounts_end = writer->length};
        struct ksa_account_record read;
        size_t position = 0;

        if (ksa_registry_next(&reader, &position, &read) == KSA_REGISTRY_FOUND)
                return KSA_OK;
        return refuse(writer, "account", account->name,
                      "a name, text or number that no account may have");
}

static enum ksa_reason put_account(struct writer *writer, const struct ksa_account_record *account)
{
        const char *shell = account->state == KSA_ACCOUNT_ACTIVE ? account->shell : KSA_NOLOGIN;
        const char *texts[] = {account->cluster,    account->namespace,   account->account,
                               account->shell,      account->account_uid, account->new_account_uid,
                               account->wanted_name};
        const char *passwd[] = {
                account->name,   "*", account->home, shell, account->cluster, account->namespace,
                account->account};
        size_t passwd_size = texts_size(passwd, KSA_COUNT(passwd));
        size_t more = texts_size(texts, KSA_COUNT(texts));
        size_t gids = account->group_count * sizeof(uint32_t);
        size_t begin = sizeof(struct ksa_format_account) + gids, offset;

        if (passwd_size == 0 || more == 0)
                return refuse(writer, "account", account->name, "too long a text");
        size_t length = (begin + passwd_size + more + 7) / 8 * 8;
        enum ksa_reason reason = add(writer, length, &offset);
        if (reason != KSA_OK)
                return reason;
        unsigned char *record = writer->bytes + offset;
        struct ksa_format_account fixed = {
                .length = (uint32_t)length,
                .kind = KSA_FORMAT_ACCOUNT,
                .state = (uint8_t)account->state,
                .flags = (uint16_t)account->flags,
                .uid = account->uid,
                .wanted_uid = account->wanted_uid,
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
        return would_read_account(writer, account, offset);
}

/* What the reader could not see: what is cut, or means something else, once it is written. */
static const char *account_fault(const struct ksa_account_record *account,
                                 const struct ksa_account_record *before)
{
        if (before != NULL && strcmp(before->name, account->name) > 0)
                return "it is out of order";
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

static int compare_gid(const void *a, const void *b)
{
        const struct by_gid *first = a, *second = b;

        return (first->gid > second->gid) - (first->gid < second->gid);
}

static struct by_gid *find_group(const struct writer *writer, uint32_t gid)
{
        const struct by_gid key = {.gid = gid};

        return writer->content->group_count == 0
                       ? NULL
                       : bsearch(&key, writer->groups, writer->content->group_count, sizeof(key),
                                 compare_gid);
}

static enum ksa_reason put_accounts(struct writer *writer)
{
        const struct ksa_account_record *accounts = writer->content->accounts;

        writer->header.accounts = writer->length;
        for (size_t i = 0; i < writer->content->account_count; i++) {
                const char *fault = account_fault(&accounts[i], i > 0 ? &accounts[i - 1] : NULL);

                if (fault != NULL)
                        return refuse(writer, "account", accounts[i].name, fault);
                enum ksa_reason reason = put_account(writer, &accounts[i]);
                if (reason != KSA_OK)
                        return reason;
        }
        writer->header.accounts_end = writer->length;
        return KSA_OK;
}

/* --- Groups and sources ----------------------------------------------------- */

/* Calls MEMBER for each group of each account that is there, once. */
static void each_member(struct writer *writer,
                        void (*member)(struct writer *writer, struct by_gid *group, size_t offset))
{
        size_t offset = writer->header.accounts;

        for (size_t i = 0; i < writer->content->group_count; i++)
                writer->groups[i].last = 0;
        for (size_t i = 0; i < writer->content->account_count; i++) {
                const struct ksa_account_record *account = &writer->content->accounts[i];
                uint32_t length;

                for (size_t j = 0; j < account->group_count; j++) {
                        struct by_gid *group = find_group(writer, account->groups[j]);

                        if (group == NULL || group->last == i + 1 ||
                            account->state == KSA_ACCOUNT_REMOVED)
                                continue;
                        group->last = i + 1;
                        member(writer, group, offset);
                }
                memcpy(&length, writer->bytes + offset, sizeof(length));
                offset += length;
        }
}

static void count_member(struct writer *writer, struct by_gid *group, size_t offset)
{
        (void)writer;
        (void)offset;
        group->count++;
}

static void put_member(struct writer *writer, struct by_gid *group, size_t offset)
{
        size_t line =
                group->lines + group->count / KSA_FORMAT_LINE * sizeof(struct ksa_format_line);
        uint32_t record = (uint32_t)(offset / 8);

        memcpy(writer->bytes + line + group->count % KSA_FORMAT_LINE * sizeof(record), &record,
               sizeof(record));
        group->count++;
}

static void sum_lines(struct writer *writer, const struct by_gid *group)
{
        for (uint32_t i = 0; i * KSA_FORMAT_LINE < group->count; i++) {
                unsigned char *at =
                        writer->bytes + group->lines + i * sizeof(struct ksa_format_line);
                struct ksa_format_line line;

                memcpy(&line, at, sizeof(line));
                line.sum = ksa_format_sum32(i, line.members, sizeof(line.members));
                memcpy(at, &line, sizeof(line));
        }
}

static enum ksa_reason put_members(struct writer *writer)
{
        size_t count = writer->content->group_count;
        enum ksa_reason reason = KSA_OK;

        for (size_t i = 0; i < count; i++)
                writer->groups[i].gid = writer->content->groups[i].gid;
        if (count > 0)
                qsort(writer->groups, count, sizeof(*writer->groups), compare_gid);
        writer->header.members = writer->length;
        each_member(writer, count_member);
        for (size_t i = 0; i < count && reason == KSA_OK; i++) {
                reason = add(writer, (size_t)ksa_format_lines(writer->groups[i].count),
                             &writer->groups[i].lines);
                writer->groups[i].count = 0;
        }
        writer->header.members_end = writer->length;
        if (reason != KSA_OK)
                return reason;
        each_member(writer, put_member);
        for (size_t i = 0; i < count; i++)
                sum_lines(writer, &writer->groups[i]);
        return KSA_OK;
}

static enum ksa_reason would_read_group(const struct writer *writer,
                                        const struct ksa_group_record *group, size_t offset)
{
        const struct ksa_registry reader = {.bytes = writer->bytes,
                                            .groups = offset,
                                            .groups_end = writer->length,
                                            .members = (size_t)writer->header.members,
                                            .members_end = (size_t)writer->header.members_end};
        struct ksa_group_record read;
        size_t position = 0;

        if (ksa_registry_next_group(&reader, &position, &read) == KSA_REGISTRY_FOUND)
                return KSA_OK;
        return refuse(writer, "group", group->name, "a name, text or gid that no group may have");
}

static enum ksa_reason put_groups(struct writer *writer)
{
        const struct ksa_group_record *groups = writer->content->groups;

        writer->header.groups = writer->length;
        for (size_t i = 0; i < writer->content->group_count; i++) {
                const struct by_gid *found = find_group(writer, groups[i].gid);
                size_t offset = writer->length;
                const char *texts[] = {groups[i].name, groups[i].cluster, groups[i].namespace};
                struct ksa_format_group fixed = {
                        .kind = KSA_FORMAT_GROUP,
                        .gid = groups[i].gid,
                        .texts = sizeof(fixed),
                        .texts_size = (uint16_t)texts_size(texts, KSA_COUNT(texts)),
                        .member_count = found->count,
                        .members = found->lines,
                };

                if (i > 0 && strcmp(groups[i - 1].name, groups[i].name) >= 0)
                        return refuse(writer, "group", groups[i].name, "it is out of order");
                enum ksa_reason reason =
                        put_record(writer, &fixed, sizeof(fixed), texts, KSA_COUNT(texts));
                if (reason == KSA_OK)
                        reason = would_read_group(writer, &groups[i], offset);
                if (reason != KSA_OK)
                        return reason;
        }
        writer->header.groups_end = writer->length;
        return KSA_OK;
}

static enum ksa_reason put_sources(struct writer *writer)
{
        writer->header.sources = writer->length;
        for (size_t i = 0; i < writer->content->source_count; i++) {
                const struct ksa_source_record *source = &writer->content->sources[i];
                const char *texts[] = {source->cluster, source->version};
                struct ksa_format_source fixed = {
                        .kind = KSA_FORMAT_SOURCE,
                        .listed = source->listed,
                        .texts = sizeof(fixed),
                        .texts_size = (uint16_t)texts_size(texts, KSA_COUNT(texts)),
                };
                struct ksa_registry reader = {.sources = writer->length};
                struct ksa_source_record read;
                size_t position = 0;
                enum ksa_reason reason =
                        put_record(writer, &fixed, sizeof(fixed), texts, KSA_COUNT(texts));

                if (reason != KSA_OK)
                        return reason;
                reader.bytes = writer->bytes;
                reader.sources_end = writer->length;
                if (ksa_registry_next_source(&reader, &position, &read) != KSA_REGISTRY_FOUND)
                        return refuse(writer, "source", source->cluster, "its texts");
        }
        writer->header.sources_end = writer->length;
        return KSA_OK;
}

/* --- The whole -------------------------------------------------------------- */

/* Room for the table: at most half of its slots will be in use. */
static enum ksa_reason put_buckets(struct writer *writer)
{
        uint64_t keys = 3 * (uint64_t)writer->content->account_count +
                        2 * (uint64_t)writer->content->group_count;
        uint32_t count = 1;
        size_t offset;
        enum ksa_reason reason = align(writer, sizeof(struct ksa_format_bucket));

        while ((uint64_t)count * KSA_FORMAT_SLOTS < 2 * keys)
                count *= 2;
        if (reason == KSA_OK)
                reason = add(writer, count * sizeof(struct ksa_format_bucket), &offset);
        if (reason != KSA_OK)
                return reason;
        writer->header.buckets = offset;
        writer->header.bucket_count = count;
        return KSA_OK;
}

static enum ksa_reason put_all(struct writer *writer)
{
        size_t offset;
        enum ksa_reason reason =
                add(writer, sizeof(struct ksa_format_header) + sizeof(uint64_t), &offset);

        writer->header.header_size = (uint32_t)writer->length;
        if (reason == KSA_OK)
                reason = put_accounts(writer);
        if (reason == KSA_OK)
                reason = put_members(writer);
        if (reason == KSA_OK)
                reason = put_groups(writer);
        if (reason == KSA_OK)
                reason = put_sources(writer);
        if (reason == KSA_OK)
                reason = put_buckets(writer);
        if (reason != KSA_OK)
                return reason;
        writer->header.size = writer->length;
        return ksa_registry_table_fill(writer->bytes, &writer->header, writer->err);
}

enum ksa_reason ksa_registry_build(const struct ksa_registry_content *content, int64_t now,
                                   unsigned char **ret_bytes, size_t *ret_size,
                                   struct ksa_error *err)
{
        struct writer writer = {
                .content = content,
                .header = {.magic = KSA_REGISTRY_MAGIC,
                           .byte_order = KSA_REGISTRY_BYTE_ORDER,
                           .version = KSA_REGISTRY_VERSION,
                           .oldest_reader = KSA_REGISTRY_OLDEST,
                           .made = now},
                .err = err,
        };

        /* A record takes 48 bytes at least: more would not fit into the file, nor their count into 32 bits. */
        if (content->account_count > UINT32_MAX / 8 || content->group_count > UINT32_MAX / 8)
                return ksa_fail(err, KSA_INTERNAL, "too many accounts for one registry");
        writer.header.account_count = (uint32_t)content->account_count;
        writer.header.group_count = (uint32_t)content->group_count;
        writer.header.source_count = (uint32_t)content->source_count;
        writer.groups = calloc(content->group_count + 1, sizeof(*writer.groups));
        enum ksa_reason reason = writer.groups == NULL
                                         ? ksa_fail(err, KSA_MEMORY, "no memory for the registry")
                                         : put_all(&writer);
        free(writer.groups);
        if (reason != KSA_OK) {
                free(writer.bytes);
                return reason;
        }
        *ret_bytes = writer.bytes;
        *ret_size = writer.length;
        return KSA_OK;
}

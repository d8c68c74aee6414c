/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/registry/write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/registry/table.h"
#include "base/text.h"
#include "registry/format.h"

/* The file in memory, as far as it is written. */
struct output {
        unsigned char *bytes; /* free() */
        size_t length, room;
        size_t members, members_end; /* offsets of the lists of members */
        struct ksa_error *err;
};

static enum ksa_reason refuse(const struct output *output, enum ksa_format_kind kind,
                              const char *name, const char *why)
{
        static const char *const kinds[] = {[KSA_FORMAT_ACCOUNT] = "account",
                                            [KSA_FORMAT_GROUP] = "group",
                                            [KSA_FORMAT_SOURCE] = "source"};
        char quoted[KSA_QUOTED_SIZE];

        return ksa_fail(output->err, KSA_INTERNAL, "the registry cannot hold the %s '%s': %s",
                        kinds[kind], ksa_text_quote(name, quoted, sizeof(quoted)), why);
}

/* --- Bytes ------------------------------------------------------------------ */

static enum ksa_reason add_bytes(struct output *output, size_t size, size_t *ret_offset)
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

/* The bytes of the texts with their NULs; 0 if a text is too long. */
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

/* Whether the reader accepts the record at OFFSET, the last one. */
static bool would_read(const struct output *output, enum ksa_format_kind kind, size_t offset)
{
        const size_t end = output->length;
        const struct ksa_registry reader = {.bytes = output->bytes,
                                            .accounts = offset,
                                            .accounts_end = end,
                                            .groups = offset,
                                            .groups_end = end,
                                            .sources = offset,
                                            .sources_end = end,
                                            .members = output->members,
                                            .members_end = output->members_end};
        struct ksa_account_record account;
        struct ksa_group_record group;
        struct ksa_source_record source;
        size_t position = 0;
        enum ksa_registry_answer answer =
                kind == KSA_FORMAT_ACCOUNT ? ksa_registry_next(&reader, &position, &account)
                : kind == KSA_FORMAT_GROUP ? ksa_registry_next_group(&reader, &position, &group)
                                           : ksa_registry_next_source(&reader, &position, &source);

        return answer == KSA_REGISTRY_FOUND;
}

/*
 * A record of FIXED bytes, then these texts, and its checksum. The first text names it. The reader is asked,
 * so that it never refuses a record that was written.
 */
static enum ksa_reason put_record(struct output *output, const void *fixed, size_t size,
                                  const char *const texts[], size_t count)
{
        size_t texts_length = texts_size(texts, count);
        size_t length = (size + texts_length + 7) / 8 * 8;
        struct ksa_format_record head;
        size_t offset = 0;

        memcpy(&head, fixed, sizeof(head));
        if (texts_length == 0)
                return refuse(output, head.kind, texts[0], "too long a text");
        enum ksa_reason reason = add_bytes(output, length, &offset);
        if (reason != KSA_OK)
                return reason;
        unsigned char *record = output->bytes + offset;
        memcpy(record, fixed, size);
        char *at = (char *)record + size;
        for (size_t i = 0; i < count; i++)
                at = stpcpy(at, texts[i]) + 1;
        head.length = (uint32_t)length;
        head.sum = ksa_format_sum32(head.length, record + 8, length - 8);
        memcpy(record, &head, 8);
        if (!would_read(output, head.kind, offset))
                return refuse(output, head.kind, texts[0],
                              "a name, text or number that is not valid");
        return KSA_OK;
}

/* --- Accounts --------------------------------------------------------------- */

/* Errors that the reader could not see, because the value is cut or changes its meaning when written. */
static const char *account_error(const struct ksa_account_record *account)
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

static enum ksa_reason put_account(struct output *output, const struct ksa_account_record *account)
{
        char gecos[KSA_FORMAT_TEXT_MAX + 2]; /* a longer one is refused */
        const char *shell = account->state == KSA_ACCOUNT_ACTIVE ? account->shell : KSA_NOLOGIN;
        const char *texts[] = {account->name,
                               "*",
                               gecos,
                               account->home,
                               shell,
                               account->cluster,
                               account->namespace,
                               account->account,
                               account->shell,
                               account->account_uid,
                               account->new_account_uid};
        const char *error = account_error(account);

        if (error != NULL)
                return refuse(output, KSA_FORMAT_ACCOUNT, account->name, error);
        (void)snprintf(gecos, sizeof(gecos), "%s/%s/%s", account->cluster, account->namespace,
                       account->account);
        size_t passwd_size = texts_size(texts, KSA_PASSWD_COUNT);
        size_t size = sizeof(struct ksa_format_account) + account->group_count * sizeof(uint32_t);
        struct {
                struct ksa_format_account fixed;
                uint32_t groups[KSA_ACCOUNT_GROUPS_MAX];
        } head = {.fixed = {
                          .kind = KSA_FORMAT_ACCOUNT,
                          .state = (uint8_t)account->state,
                          .flags = (uint16_t)account->flags,
                          .uid = account->uid,
                          .reasons = account->reasons,
                          .groups = sizeof(head.fixed),
                          .group_count = (uint16_t)account->group_count,
                          .created = account->created,
                          .changed = account->changed,
                          .passwd = (uint16_t)size,
                          .passwd_size = (uint16_t)passwd_size,
                          .texts = (uint16_t)(size + passwd_size),
                          .texts_size =
                                  (uint16_t)texts_size(texts + KSA_PASSWD_COUNT, KSA_TEXT_COUNT),
                  }};
        for (size_t i = 0; i < account->group_count; i++)
                head.groups[i] = account->groups[i];
        return put_record(output, &head, size, texts, KSA_COUNT(texts));
}

/* --- Groups and sources ----------------------------------------------------- */

static enum ksa_reason put_group(struct output *output, const struct ksa_group_record *group,
                                 uint64_t lines, uint32_t member_count)
{
        const char *texts[] = {group->name, group->cluster, group->namespace};
        struct ksa_format_group fixed = {
                .kind = KSA_FORMAT_GROUP,
                .gid = group->gid,
                .texts = sizeof(fixed),
                .texts_size = (uint16_t)texts_size(texts, KSA_COUNT(texts)),
                .member_count = member_count,
                .members = lines,
        };

        return put_record(output, &fixed, sizeof(fixed), texts, KSA_COUNT(texts));
}

static enum ksa_reason put_source(struct output *output, const struct ksa_source_record *source)
{
        const char *texts[] = {source->cluster};
        struct ksa_format_source fixed = {
                .kind = KSA_FORMAT_SOURCE,
                .listed = source->listed,
                .texts = sizeof(fixed),
                .texts_size = (uint16_t)texts_size(texts, KSA_COUNT(texts)),
        };

        return put_record(output, &fixed, sizeof(fixed), texts, KSA_COUNT(texts));
}

/* --- The parts of the file -------------------------------------------------- */

/* A group by its gid, with the offset and length of its list of members. */
struct by_gid {
        uint32_t gid, count;
        size_t lines;
        size_t last; /* the number of the account that was counted last, from 1 */
};

struct writer {
        const struct ksa_registry_content *content;
        struct output output;
        struct ksa_format_header header;
        struct by_gid *groups; /* ordered by gid */
};

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

static enum ksa_reason out_of_order(const struct writer *writer, const char *name)
{
        char quoted[KSA_QUOTED_SIZE];

        return ksa_fail(writer->output.err, KSA_INTERNAL, "'%s' is out of order",
                        ksa_text_quote(name, quoted, sizeof(quoted)));
}

static enum ksa_reason put_accounts(struct writer *writer)
{
        const struct ksa_account_record *accounts = writer->content->accounts;
        enum ksa_reason reason = KSA_OK;

        writer->header.accounts = writer->output.length;
        for (size_t i = 0; i < writer->content->account_count && reason == KSA_OK; i++) {
                if (i > 0 && strcmp(accounts[i - 1].name, accounts[i].name) > 0)
                        return out_of_order(writer, accounts[i].name);
                reason = put_account(&writer->output, &accounts[i]);
        }
        writer->header.accounts_end = writer->output.length;
        return reason;
}

/* --- Members ---------------------------------------------------------------- */

/* Calls MEMBER once for each group of each account that is not removed. */
static void each_member(struct writer *writer,
                        void (*member)(struct writer *writer, struct by_gid *group, size_t offset))
{
        size_t offset = (size_t)writer->header.accounts;

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
                memcpy(&length, writer->output.bytes + offset, sizeof(length));
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

        memcpy(writer->output.bytes + line + group->count % KSA_FORMAT_LINE * sizeof(record),
               &record, sizeof(record));
        group->count++;
}

static void set_checksums(struct writer *writer, const struct by_gid *group)
{
        for (uint32_t i = 0; i * KSA_FORMAT_LINE < group->count; i++) {
                unsigned char *at =
                        writer->output.bytes + group->lines + i * sizeof(struct ksa_format_line);
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
        writer->header.members = writer->output.length;
        each_member(writer, count_member);
        for (size_t i = 0; i < count && reason == KSA_OK; i++) {
                reason = add_bytes(&writer->output,
                                   (size_t)ksa_format_lines(writer->groups[i].count),
                                   &writer->groups[i].lines);
                writer->groups[i].count = 0;
        }
        writer->header.members_end = writer->output.length;
        writer->output.members = (size_t)writer->header.members;
        writer->output.members_end = writer->output.length;
        if (reason != KSA_OK)
                return reason;
        each_member(writer, put_member);
        for (size_t i = 0; i < count; i++)
                set_checksums(writer, &writer->groups[i]);
        return KSA_OK;
}

static enum ksa_reason put_groups(struct writer *writer)
{
        const struct ksa_group_record *groups = writer->content->groups;
        enum ksa_reason reason = KSA_OK;

        writer->header.groups = writer->output.length;
        for (size_t i = 0; i < writer->content->group_count && reason == KSA_OK; i++) {
                const struct by_gid *found = find_group(writer, groups[i].gid);

                if (i > 0 && strcmp(groups[i - 1].name, groups[i].name) > 0)
                        return out_of_order(writer, groups[i].name);
                reason = put_group(&writer->output, &groups[i], found->lines, found->count);
        }
        writer->header.groups_end = writer->output.length;
        return reason;
}

static enum ksa_reason put_sources(struct writer *writer)
{
        enum ksa_reason reason = KSA_OK;

        writer->header.sources = writer->output.length;
        for (size_t i = 0; i < writer->content->source_count && reason == KSA_OK; i++)
                reason = put_source(&writer->output, &writer->content->sources[i]);
        writer->header.sources_end = writer->output.length;
        return reason;
}

/* --- The whole -------------------------------------------------------------- */

/* Room for the table: at most half of its slots will be in use. */
static enum ksa_reason put_buckets(struct writer *writer)
{
        uint64_t keys = 3 * (uint64_t)writer->content->account_count +
                        2 * (uint64_t)writer->content->group_count;
        uint32_t count = 1;
        size_t offset = 0;
        /* Each bucket in one line of the processor's cache. */
        size_t room = sizeof(struct ksa_format_bucket);
        enum ksa_reason reason =
                add_bytes(&writer->output, (room - writer->output.length % room) % room, &offset);

        while ((uint64_t)count * KSA_FORMAT_SLOTS < 2 * keys)
                count *= 2;
        if (reason == KSA_OK)
                reason = add_bytes(&writer->output, count * sizeof(struct ksa_format_bucket),
                                   &offset);
        if (reason != KSA_OK)
                return reason;
        writer->header.buckets = offset;
        writer->header.bucket_count = count;
        return KSA_OK;
}

static enum ksa_reason put_all(struct writer *writer)
{
        size_t offset = 0;
        enum ksa_reason reason = add_bytes(
                &writer->output, sizeof(struct ksa_format_header) + sizeof(uint64_t), &offset);

        writer->header.header_size = (uint32_t)writer->output.length;
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
        writer->header.size = writer->output.length;
        return ksa_registry_table_fill(writer->output.bytes, &writer->header, writer->output.err);
}

enum ksa_reason ksa_registry_build(const struct ksa_registry_content *content, int64_t now,
                                   unsigned char **ret_bytes, size_t *ret_size,
                                   struct ksa_error *err)
{
        struct writer writer = {
                .content = content,
                .header = {.byte_order = KSA_REGISTRY_BYTE_ORDER,
                           .version = KSA_REGISTRY_VERSION,
                           .oldest_reader = KSA_REGISTRY_OLDEST,
                           .made = now},
                .output = {.err = err},
        };

        memcpy(writer.header.magic, KSA_REGISTRY_MAGIC, sizeof(writer.header.magic));
        /*
         * A record takes 48 bytes at least: more would not fit into the file, nor their count
         * into 32 bits.
         */
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
                free(writer.output.bytes);
                return reason;
        }
        *ret_bytes = writer.output.bytes;
        *ret_size = writer.output.length;
        return KSA_OK;
}

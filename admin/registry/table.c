/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/registry/table.h"

#include <string.h>
#include <sys/random.h>

#include "base/text.h"
#include "registry/record.h"

/* Seeds that are tried. A second one is hardly ever necessary. */
#define SEEDS_MAX 64

struct table {
        unsigned char *bytes;
        const struct ksa_format_header *header;
        struct ksa_registry reader; /* of the same bytes */
        bool full;                  /* with this seed: a key found no free slot near enough */
        struct ksa_error *err;
};

/* One key of one record. */
struct entry {
        enum ksa_format_key kind;
        const void *bytes;
        size_t length;
        size_t record;    /* offset */
        const char *name; /* of the user or group, for messages */
        unsigned rank;    /* rank_of() its record */
};

/* Of records that share a key, the lowest one answers for it; only one may have rank 0. */
static unsigned rank_of(const struct ksa_account_record *account)
{
        if (account->state != KSA_ACCOUNT_REMOVED)
                return 0;
        return (account->flags & KSA_ACCOUNT_FORMER) == 0 ? 1 : 2;
}

static bool is_of_group(enum ksa_format_key kind)
{
        return kind == KSA_KEY_GROUP_NAME || kind == KSA_KEY_GROUP_GID;
}

/* cluster/namespace/account, after the name and the password in the record. */
static const char *gecos(const struct ksa_account_record *account)
{
        return account->name + strlen(account->name) + sizeof("*") + 1;
}

static bool has_key(const struct entry *entry, const struct ksa_account_record *account)
{
        if (entry->kind == KSA_KEY_UID)
                return memcmp(entry->bytes, &account->uid, sizeof(account->uid)) == 0;
        const char *text = entry->kind == KSA_KEY_NAME ? account->name : gecos(account);
        return strlen(text) == entry->length && memcmp(text, entry->bytes, entry->length) == 0;
}

static bool has_group_key(const struct entry *entry, const struct ksa_group_record *group)
{
        if (entry->kind == KSA_KEY_GROUP_GID)
                return memcmp(entry->bytes, &group->gid, sizeof(group->gid)) == 0;
        return strlen(group->name) == entry->length &&
               memcmp(group->name, entry->bytes, entry->length) == 0;
}

static enum ksa_reason two_have(struct table *table, const struct entry *entry, const char *other)
{
        static const char *const names[] = {
                [KSA_KEY_NAME] = "name",       [KSA_KEY_UID] = "uid",
                [KSA_KEY_ACCOUNT] = "account", [KSA_KEY_GROUP_NAME] = "name",
                [KSA_KEY_GROUP_GID] = "gid",
        };
        char quoted[KSA_QUOTED_SIZE];

        return ksa_fail(table->err, KSA_INTERNAL, "'%s' and '%s' may not both have one %s",
                        ksa_text_quote(entry->name, quoted, sizeof(quoted)), other,
                        names[entry->kind]);
}

/*
 * Whether the record at OFFSET, whose tag is the same, has the same key. If so, the slot refers to
 * RET_RECORD, the one with the lower rank.
 */
static enum ksa_reason match_record(struct table *table, const struct entry *entry, size_t offset,
                                    bool *ret_same, size_t *ret_record)
{
        struct ksa_account_record account;
        struct ksa_group_record group;

        *ret_same = false;
        if (is_of_group(entry->kind)) {
                if (ksa_registry_group_at(&table->reader, offset, &group, NULL) !=
                            KSA_REGISTRY_FOUND ||
                    !has_group_key(entry, &group))
                        return KSA_OK;
                return two_have(table, entry, group.name);
        }
        if (ksa_registry_account_at(&table->reader, offset, &account, NULL) != KSA_REGISTRY_FOUND ||
            !has_key(entry, &account))
                return KSA_OK;
        if (entry->rank == 0 && rank_of(&account) == 0)
                return two_have(table, entry, account.name);
        *ret_same = true;
        *ret_record = entry->rank < rank_of(&account) ? entry->record : offset;
        return KSA_OK;
}

static enum ksa_reason insert(struct table *table, const struct entry *entry)
{
        uint64_t hash =
                ksa_format_hash(table->reader.seed, entry->kind, entry->bytes, entry->length);
        struct ksa_format_bucket bucket;

        for (uint32_t i = 0; i < KSA_FORMAT_PROBES_MAX; i++) {
                size_t number = ((uint32_t)hash + i) & (table->header->bucket_count - 1);
                unsigned char *at = table->bytes + table->header->buckets + number * sizeof(bucket);

                memcpy(&bucket, at, sizeof(bucket));
                for (size_t j = 0; j < KSA_FORMAT_SLOTS; j++) {
                        size_t record = (size_t)bucket.slots[j].record * 8;
                        bool same = record == 0;
                        enum ksa_reason reason = KSA_OK;

                        if (same)
                                record = entry->record;
                        else if (bucket.slots[j].tag == hash >> 32)
                                reason = match_record(table, entry, record, &same, &record);
                        if (reason != KSA_OK)
                                return reason;
                        if (!same)
                                continue;
                        bucket.slots[j].tag = (uint32_t)(hash >> 32);
                        bucket.slots[j].record = (uint32_t)(record / 8);
                        memcpy(at, &bucket, sizeof(bucket));
                        return KSA_OK;
                }
        }
        table->full = true;
        return KSA_OK;
}

/* Inserts COUNT keys of one RECORD, called NAME. */
static enum ksa_reason insert_keys(struct table *table, struct entry *entries, size_t count,
                                   size_t record, const char *name, unsigned rank)
{
        enum ksa_reason reason = KSA_OK;

        for (size_t i = 0; i < count && reason == KSA_OK && !table->full; i++) {
                entries[i].record = record;
                entries[i].name = name;
                entries[i].rank = rank;
                reason = insert(table, &entries[i]);
        }
        return reason;
}

static enum ksa_reason insert_account(struct table *table, const struct ksa_account_record *account,
                                      size_t record)
{
        const char *triple = gecos(account);
        struct entry entries[] = {
                {.kind = KSA_KEY_NAME, .bytes = account->name, .length = strlen(account->name)},
                {.kind = KSA_KEY_UID, .bytes = &account->uid, .length = sizeof(account->uid)},
                {.kind = KSA_KEY_ACCOUNT, .bytes = triple, .length = strlen(triple)},
        };

        return insert_keys(table, entries, KSA_COUNT(entries), record, account->name,
                           rank_of(account));
}

static enum ksa_reason insert_group(struct table *table, const struct ksa_group_record *group,
                                    size_t record)
{
        struct entry entries[] = {
                {.kind = KSA_KEY_GROUP_NAME, .bytes = group->name, .length = strlen(group->name)},
                {.kind = KSA_KEY_GROUP_GID, .bytes = &group->gid, .length = sizeof(group->gid)},
        };

        return insert_keys(table, entries, KSA_COUNT(entries), record, group->name, 0);
}

static enum ksa_reason insert_all(struct table *table)
{
        struct ksa_account_record account;
        struct ksa_group_record group;
        enum ksa_registry_answer answer = KSA_REGISTRY_FOUND;
        enum ksa_reason reason = KSA_OK;
        size_t position = 0, offset = table->reader.accounts;

        while (reason == KSA_OK && !table->full &&
               (answer = ksa_registry_next(&table->reader, &position, &account)) ==
                       KSA_REGISTRY_FOUND) {
                reason = insert_account(table, &account, offset);
                offset = position;
        }
        position = 0;
        offset = table->reader.groups;
        while (reason == KSA_OK && !table->full && answer != KSA_REGISTRY_BROKEN &&
               (answer = ksa_registry_next_group(&table->reader, &position, &group)) ==
                       KSA_REGISTRY_FOUND) {
                reason = insert_group(table, &group, offset);
                offset = position;
        }
        return answer == KSA_REGISTRY_BROKEN
                       ? ksa_fail(table->err, KSA_INTERNAL, "the registry was not written whole")
                       : reason;
}

/* --- Seed and checksums ----------------------------------------------------- */

static void sum_buckets(const struct table *table)
{
        struct ksa_format_bucket bucket;
        unsigned char *at = table->bytes + table->header->buckets;

        for (size_t i = 0; i < table->header->bucket_count; i++, at += sizeof(bucket)) {
                memcpy(&bucket, at, sizeof(bucket));
                bucket.sum = ksa_format_checksum(i, bucket.slots, sizeof(bucket.slots));
                memcpy(at, &bucket, sizeof(bucket));
        }
}

static void write_header(unsigned char *bytes, const struct ksa_format_header *header)
{
        size_t length = header->header_size - sizeof(uint64_t);

        memcpy(bytes, header, sizeof(*header));
        uint64_t sum = ksa_format_checksum(0, bytes, length);
        memcpy(bytes + length, &sum, sizeof(sum));
}

/* Fills the table with a new seed; it may come out full. */
static enum ksa_reason try_seed(struct table *table, struct ksa_format_header *header)
{
        const char *why = "";

        if (getrandom(&header->seed, sizeof(header->seed), 0) != sizeof(header->seed))
                return ksa_fail(table->err, KSA_INTERNAL, "the kernel has no random bytes");
        write_header(table->bytes, header);
        if (ksa_registry_read(table->bytes, (size_t)header->size, &table->reader, &why) !=
            KSA_REGISTRY_FOUND)
                return ksa_fail(table->err, KSA_INTERNAL,
                                "the new registry failed verification: %s", why);
        memset(table->bytes + header->buckets, 0,
               header->bucket_count * sizeof(struct ksa_format_bucket));
        table->full = false;
        return insert_all(table);
}

/* Lookups would find two groups where a group has the name or gid of a private group. */
static enum ksa_reason check_groups(struct table *table)
{
        struct ksa_group_record group;
        struct ksa_account_record account;
        size_t position = 0;

        while (ksa_registry_next_group(&table->reader, &position, &group) == KSA_REGISTRY_FOUND) {
                struct entry entry = {.kind = KSA_KEY_GROUP_NAME, .name = group.name};

                if (ksa_registry_by_name(&table->reader, group.name, &account) ==
                            KSA_REGISTRY_FOUND &&
                    account.state != KSA_ACCOUNT_REMOVED)
                        return two_have(table, &entry, account.name);
                entry.kind = KSA_KEY_GROUP_GID;
                if (ksa_registry_by_uid(&table->reader, group.gid, &account) ==
                            KSA_REGISTRY_FOUND &&
                    account.state != KSA_ACCOUNT_REMOVED)
                        return two_have(table, &entry, account.name);
        }
        return KSA_OK;
}

enum ksa_reason ksa_registry_table_fill(unsigned char *bytes, struct ksa_format_header *header,
                                        struct ksa_error *err)
{
        struct table table = {.bytes = bytes, .header = header, .full = true, .err = err};
        enum ksa_reason reason = KSA_OK;

        if (getrandom(&header->serial, sizeof(header->serial), 0) != sizeof(header->serial))
                return ksa_fail(err, KSA_INTERNAL, "the kernel has no random bytes");
        for (int i = 0; i < SEEDS_MAX && reason == KSA_OK && table.full; i++)
                reason = try_seed(&table, header);
        if (reason == KSA_OK && table.full)
                reason = ksa_fail(err, KSA_INTERNAL, "no seed spreads the accounts");
        if (reason != KSA_OK)
                return reason;
        sum_buckets(&table);
        header->content_checksum = ksa_format_checksum(0, bytes + header->header_size,
                                                       (size_t)header->size - header->header_size);
        write_header(bytes, header);
        return check_groups(&table);
}

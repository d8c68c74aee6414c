/* SPDX-License-Identifier: BSD-2-Clause */
/* The registry's hash table. */
#include <string.h>

#include "registry/format.h"
#include "registry/record.h"

struct key {
        enum ksa_format_key kind;
        uint32_t number;
        const char *text, *namespace,
                *account; /* a name; or a cluster with namespace and account */
};

union found {
        struct ksa_account_record account;
        struct ksa_group_record group;
};

static bool is_of_group(const struct key *key)
{
        return key->kind == KSA_KEY_GROUP_NAME || key->kind == KSA_KEY_GROUP_GID;
}

static bool is_meant(const struct key *key, const union found *found)
{
        switch (key->kind) {
        case KSA_KEY_NAME:
                return strcmp(found->account.name, key->text) == 0;
        case KSA_KEY_UID:
                return found->account.uid == key->number;
        case KSA_KEY_ACCOUNT:
                return strcmp(found->account.cluster, key->text) == 0 &&
                       strcmp(found->account.namespace, key->namespace) == 0 &&
                       strcmp(found->account.account, key->account) == 0;
        case KSA_KEY_GROUP_NAME:
                return strcmp(found->group.name, key->text) == 0;
        case KSA_KEY_GROUP_GID:
                return found->group.gid == key->number;
        }
        return false;
}

/* Searches one bucket. KSA_REGISTRY_NOT_FOUND: continue with the next bucket, unless *RET_OVER. */
static enum ksa_registry_answer look_in(const struct ksa_registry *registry, size_t number,
                                        uint64_t hash, const struct key *key,
                                        union found *ret_found, bool *ret_over)
{
        struct ksa_format_bucket bucket;
        enum ksa_registry_answer answer;

        memcpy(&bucket, registry->bytes + registry->buckets + number * sizeof(bucket),
               sizeof(bucket));
        if (bucket.sum != ksa_format_checksum(number, bucket.slots, sizeof(bucket.slots)))
                return KSA_REGISTRY_BROKEN;
        for (size_t i = 0; i < KSA_FORMAT_SLOTS; i++) {
                size_t offset = (size_t)bucket.slots[i].record * 8;
                union found found;

                if (offset == 0) {
                        *ret_over = true;
                        return KSA_REGISTRY_NOT_FOUND;
                }
                if (bucket.slots[i].tag != hash >> 32)
                        continue;
                answer = is_of_group(key)
                                 ? ksa_registry_group_at(registry, offset, &found.group, NULL)
                                 : ksa_registry_account_at(registry, offset, &found.account, NULL);
                if (answer != KSA_REGISTRY_FOUND)
                        return answer;
                if (is_meant(key, &found)) {
                        *ret_found = found;
                        return KSA_REGISTRY_FOUND;
                }
        }
        return KSA_REGISTRY_NOT_FOUND;
}

static enum ksa_registry_answer find(const struct ksa_registry *registry, const struct key *key,
                                     const void *bytes, size_t length, union found *ret_found)
{
        uint64_t hash = ksa_format_hash(registry->seed, key->kind, bytes, length);
        bool over = false;

        if (registry->bytes == NULL)
                return KSA_REGISTRY_NOT_FOUND;
        for (uint32_t i = 0; i < KSA_FORMAT_PROBES_MAX && !over; i++) {
                size_t number = ((uint32_t)hash + i) & (registry->bucket_count - 1);
                enum ksa_registry_answer answer =
                        look_in(registry, number, hash, key, ret_found, &over);

                if (answer != KSA_REGISTRY_NOT_FOUND)
                        return answer;
        }
        return KSA_REGISTRY_NOT_FOUND;
}

static enum ksa_registry_answer find_text(const struct ksa_registry *registry,
                                          enum ksa_format_key kind, const char *name,
                                          union found *ret_found)
{
        size_t length = strnlen(name, KSA_ACCOUNT_NAME_MAX + 1);

        if (length > KSA_ACCOUNT_NAME_MAX)
                return KSA_REGISTRY_NOT_FOUND;
        return find(registry, &(struct key){.kind = kind, .text = name}, name, length, ret_found);
}

static enum ksa_registry_answer find_number(const struct ksa_registry *registry,
                                            enum ksa_format_key kind, uint32_t number,
                                            union found *ret_found)
{
        return find(registry, &(struct key){.kind = kind, .number = number}, &number,
                    sizeof(number), ret_found);
}

/* --- Lookups --------------------------------------------------------------- */

enum ksa_registry_answer ksa_registry_by_name(const struct ksa_registry *registry, const char *name,
                                              struct ksa_account_record *ret_record)
{
        union found found;
        enum ksa_registry_answer answer = find_text(registry, KSA_KEY_NAME, name, &found);

        if (answer == KSA_REGISTRY_FOUND)
                *ret_record = found.account;
        return answer;
}

enum ksa_registry_answer ksa_registry_by_uid(const struct ksa_registry *registry, uint32_t uid,
                                             struct ksa_account_record *ret_record)
{
        union found found;
        enum ksa_registry_answer answer = find_number(registry, KSA_KEY_UID, uid, &found);

        if (answer == KSA_REGISTRY_FOUND)
                *ret_record = found.account;
        return answer;
}

enum ksa_registry_answer ksa_registry_by_account(const struct ksa_registry *registry,
                                                 const char *cluster, const char *namespace,
                                                 const char *account,
                                                 struct ksa_account_record *ret_record)
{
        const struct key key = {KSA_KEY_ACCOUNT, 0, cluster, namespace, account};
        const char *parts[] = {cluster, namespace, account};
        char text[3 * KSA_FORMAT_TEXT_MAX + 3];
        size_t at = 0;
        union found found;

        for (size_t i = 0; i < KSA_COUNT(parts); i++) {
                size_t length = strnlen(parts[i], KSA_FORMAT_TEXT_MAX + 1);

                if (length > KSA_FORMAT_TEXT_MAX)
                        return KSA_REGISTRY_NOT_FOUND;
                memcpy(text + at, parts[i], length);
                at += length;
                text[at++] = '/';
        }
        enum ksa_registry_answer answer = find(registry, &key, text, at - 1, &found);
        if (answer == KSA_REGISTRY_FOUND)
                *ret_record = found.account;
        return answer;
}

enum ksa_registry_answer ksa_registry_group_by_name(const struct ksa_registry *registry,
                                                    const char *name,
                                                    struct ksa_group_record *ret_group)
{
        union found found;
        enum ksa_registry_answer answer = find_text(registry, KSA_KEY_GROUP_NAME, name, &found);

        if (answer == KSA_REGISTRY_FOUND)
                *ret_group = found.group;
        return answer;
}

enum ksa_registry_answer ksa_registry_group_by_gid(const struct ksa_registry *registry,
                                                   uint32_t gid, struct ksa_group_record *ret_group)
{
        union found found;
        enum ksa_registry_answer answer = find_number(registry, KSA_KEY_GROUP_GID, gid, &found);

        if (answer == KSA_REGISTRY_FOUND)
                *ret_group = found.group;
        return answer;
}

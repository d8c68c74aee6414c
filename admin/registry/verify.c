/* SPDX-License-Identifier: BSD-2-Clause */
/* Verifies a registry: each record both ways through the table, and the checksum of all bytes. */
#include <string.h>

#include "admin/registry/write.h"
#include "registry/format.h"
#include "registry/record.h"

static bool is_content_sound(const struct ksa_registry *registry)
{
        struct ksa_format_header header;

        memcpy(&header, registry->bytes, sizeof(header));
        return header.header_size <= registry->size &&
               header.content_checksum == ksa_format_checksum(0,
                                                              registry->bytes + header.header_size,
                                                              registry->size - header.header_size);
}

/* Whether the table's answer is this record, or for one that is REMOVED another of the same key. */
static bool is_answer(enum ksa_registry_answer answer, const struct ksa_account_record *found,
                      const struct ksa_account_record *account)
{
        return answer == KSA_REGISTRY_FOUND &&
               (found->name == account->name || account->state == KSA_ACCOUNT_REMOVED);
}

static bool is_account_found(const struct ksa_registry *registry,
                             const struct ksa_account_record *account)
{
        struct ksa_account_record found;

        return is_answer(ksa_registry_by_name(registry, account->name, &found), &found, account) &&
               is_answer(ksa_registry_by_uid(registry, account->uid, &found), &found, account) &&
               is_answer(ksa_registry_by_account(registry, account->cluster, account->namespace,
                                                 account->account, &found),
                         &found, account);
}

/* Groups of the registry that the account is in, each once. */
static bool count_groups(const struct ksa_registry *registry,
                         const struct ksa_account_record *account, uint64_t *total)
{
        struct ksa_group_record group;

        for (uint32_t i = 0; account->state != KSA_ACCOUNT_REMOVED && i < account->group_count;
             i++) {
                bool again = false;

                for (uint32_t j = 0; j < i; j++)
                        again = again || account->groups[j] == account->groups[i];
                if (again)
                        continue;
                switch (ksa_registry_group_by_gid(registry, account->groups[i], &group)) {
                case KSA_REGISTRY_FOUND:
                        (*total)++;
                        break;
                case KSA_REGISTRY_NOT_FOUND:
                        break;
                case KSA_REGISTRY_BROKEN:
                        return false;
                }
        }
        return true;
}

static bool are_accounts_sound(const struct ksa_registry *registry, uint64_t *ret_memberships)
{
        struct ksa_account_record account;
        enum ksa_registry_answer answer;
        const char *before = "";
        size_t position = 0, count = 0;
        uint64_t total = 0;

        for (; (answer = ksa_registry_next(registry, &position, &account)) == KSA_REGISTRY_FOUND;
             count++) {
                if (!is_account_found(registry, &account) ||
                    !count_groups(registry, &account, &total) || strcmp(before, account.name) > 0)
                        return false;
                before = account.name;
        }
        *ret_memberships = total;
        return answer == KSA_REGISTRY_NOT_FOUND && count == registry->account_count;
}

/* In ascending order no member appears twice, so the right number of members is all of them. */
static bool are_members_sound(const struct ksa_registry *registry,
                              const struct ksa_group_record *group)
{
        struct ksa_account_record member;
        const char *before = NULL;

        for (uint32_t i = 0; i < group->member_count; i++) {
                if (ksa_registry_member(registry, group, i, &member) != KSA_REGISTRY_FOUND ||
                    member.state == KSA_ACCOUNT_REMOVED ||
                    (before != NULL && member.name <= before))
                        return false;
                before = member.name;
        }
        return true;
}

static bool are_groups_sound(const struct ksa_registry *registry, uint64_t memberships)
{
        struct ksa_group_record group, found;
        enum ksa_registry_answer answer;
        size_t position = 0, count = 0;
        uint64_t total = 0;

        for (;
             (answer = ksa_registry_next_group(registry, &position, &group)) == KSA_REGISTRY_FOUND;
             count++) {
                if (ksa_registry_group_by_name(registry, group.name, &found) !=
                            KSA_REGISTRY_FOUND ||
                    found.name != group.name ||
                    ksa_registry_group_by_gid(registry, group.gid, &found) != KSA_REGISTRY_FOUND ||
                    found.name != group.name || !are_members_sound(registry, &group))
                        return false;
                total += group.member_count;
        }
        return answer == KSA_REGISTRY_NOT_FOUND && count == registry->group_count &&
               total == memberships;
}

static bool are_sources_sound(const struct ksa_registry *registry)
{
        struct ksa_source_record source;
        enum ksa_registry_answer answer;
        size_t position = 0;

        while ((answer = ksa_registry_next_source(registry, &position, &source)) ==
               KSA_REGISTRY_FOUND)
                ;
        return answer == KSA_REGISTRY_NOT_FOUND;
}

/* The other direction: each slot refers to a record, and each bucket has its own checksum. */
static bool are_buckets_sound(const struct ksa_registry *registry)
{
        const unsigned char *at = registry->bytes + registry->buckets;
        struct ksa_format_bucket bucket;
        struct ksa_account_record account;
        struct ksa_group_record group;

        for (size_t i = 0; i < registry->bucket_count; i++, at += sizeof(bucket)) {
                memcpy(&bucket, at, sizeof(bucket));
                if (bucket.sum != ksa_format_checksum(i, bucket.slots, sizeof(bucket.slots)))
                        return false;
                for (size_t j = 0; j < KSA_FORMAT_SLOTS; j++) {
                        size_t offset = (size_t)bucket.slots[j].record * 8;

                        if (offset != 0 &&
                            ksa_registry_account_at(registry, offset, &account, NULL) !=
                                    KSA_REGISTRY_FOUND &&
                            ksa_registry_group_at(registry, offset, &group, NULL) !=
                                    KSA_REGISTRY_FOUND)
                                return false;
                }
        }
        return true;
}

bool ksa_registry_is_whole(const struct ksa_registry *registry, const char **ret_why)
{
        uint64_t memberships = 0;
        const char *why = NULL;

        if (registry->bytes == NULL)
                why = "there is none";
        else if (!is_content_sound(registry))
                why = "its content is not what was written";
        else if (!are_buckets_sound(registry))
                why = "its table is damaged";
        else if (!are_accounts_sound(registry, &memberships))
                why = "an account is damaged, or not to be found";
        else if (!are_groups_sound(registry, memberships))
                why = "a group is damaged, or not to be found";
        else if (!are_sources_sound(registry))
                why = "a source is damaged";
        if (why != NULL)
                *ret_why = why;
        return why == NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A registry from an attacker with write access: in half of the inputs all checksums are valid. No
 * answer has a number that an account may not have, a text that does not end, or an invalid member.
 *
 * A selector of four bytes: the checksums to compute, and the lookup; then the file.
 */
#include "fuzz.h"
#include "support/registry_samples.h"

/* Copied into a block of its very size, so that a sanitizer sees a byte too far. */
static void check_passwd(const struct ksa_account_record *account)
{
        char *fields[5] = {NULL}, none[1];
        size_t size = 0, again = 0;

        MUST(ksa_registry_copy_passwd(account, none, 0, fields, &size) == KSA_REGISTRY_NOT_FOUND);
        MUST(size > 0 && fields[0] == NULL);
        char *buffer = malloc(size);
        MUST(buffer != NULL);
        MUST(ksa_registry_copy_passwd(account, buffer, size, fields, &again) == KSA_REGISTRY_FOUND);
        MUST(again == size && fields[0] == buffer);
        for (size_t i = 0; i < 5; i++) {
                MUST(fields[i] >= buffer && fields[i] < buffer + size);
                for (const char *at = fields[i]; *at != '\0'; at++)
                        MUST((unsigned char)*at >= ' ' && *at != ':' && *at != 0x7f);
        }
        MUST(fields[4] + strlen(fields[4]) + 1 == buffer + size);
        MUST(strcmp(fields[0], account->name) == 0 && strcmp(fields[1], "*") == 0);
        MUST(account->state == KSA_ACCOUNT_ACTIVE || strcmp(fields[4], KSA_NOLOGIN) == 0);
        free(buffer);
}

static size_t check_account(const struct ksa_account_record *account)
{
        const char *texts[] = {account->home,           account->shell,   account->cluster,
                               account->namespace,      account->account, account->account_uid,
                               account->new_account_uid};
        size_t length = strlen(account->name);

        MUST(ksa_uid_is_usable(account->uid) && account->uid >= 1000);
        MUST((account->reasons & ~KSA_DISABLED_ALL) == 0);
        MUST(account->state == KSA_ACCOUNT_REMOVED ||
             (account->reasons != 0) == (account->state == KSA_ACCOUNT_DISABLED));
        MUST(length > 0 && length <= KSA_ACCOUNT_NAME_MAX);
        MUST(account->state > 0 && account->state < KSA_ACCOUNT_STATE_COUNT);
        MUST((account->flags & ~KSA_ACCOUNT_FLAGS) == 0);
        MUST(account->group_count <= KSA_ACCOUNT_GROUPS_MAX);
        for (uint32_t i = 0; i < account->group_count; i++) {
                MUST(account->groups[i] != 0);
                MUST(account->groups[i] >= 1000 || (account->flags & KSA_ACCOUNT_POWERFUL) != 0);
        }
        for (size_t i = 0; i < KSA_COUNT(texts); i++)
                length += strlen(texts[i]);
        check_passwd(account);
        return length;
}

static void check_group(const struct ksa_registry *registry, const struct ksa_group_record *group)
{
        struct ksa_account_record member;

        MUST(ksa_uid_is_usable(group->gid));
        MUST(strlen(group->name) > 0 && strlen(group->name) <= KSA_ACCOUNT_NAME_MAX);
        MUST(strlen(group->cluster) + strlen(group->namespace) < registry->size);
        for (uint32_t i = 0; i < group->member_count && i < 100; i++) {
                if (ksa_registry_member(registry, group, i, &member) != KSA_REGISTRY_FOUND)
                        continue;
                bool has = false;
                (void)check_account(&member);
                for (uint32_t j = 0; j < member.group_count; j++)
                        has = has || member.groups[j] == group->gid;
                MUST(has);
        }
        MUST(ksa_registry_member(registry, group, group->member_count, &member) ==
             KSA_REGISTRY_NOT_FOUND);
}

static void ask_for(const struct ksa_registry *registry, const struct ksa_account_record *account)
{
        struct ksa_account_record found;

        if (ksa_registry_by_name(registry, account->name, &found) == KSA_REGISTRY_FOUND) {
                (void)check_account(&found);
                MUST(strcmp(found.name, account->name) == 0);
        }
        if (ksa_registry_by_uid(registry, account->uid, &found) == KSA_REGISTRY_FOUND) {
                (void)check_account(&found);
                MUST(found.uid == account->uid);
        }
        if (ksa_registry_by_account(registry, account->cluster, account->namespace,
                                    account->account, &found) == KSA_REGISTRY_FOUND) {
                (void)check_account(&found);
                MUST(strcmp(found.account, account->account) == 0);
        }
}

/* Names and numbers of the seeds, and unknown ones. */
static void ask_names(const struct ksa_registry *registry)
{
        static const char *const names[] = {
                "ci_deployer", "ci_gone", "k8s-ci",
                "root",        "",        "a-name-of-more-than-thirty-two-bytes"};
        static const uint32_t numbers[] = {1900000011, SAMPLE_GID, 0, 999, 65534, UINT32_MAX};
        struct ksa_account_record account;
        struct ksa_group_record group;

        for (size_t i = 0; i < KSA_COUNT(names); i++) {
                if (ksa_registry_by_name(registry, names[i], &account) == KSA_REGISTRY_FOUND)
                        (void)check_account(&account);
                if (ksa_registry_group_by_name(registry, names[i], &group) == KSA_REGISTRY_FOUND)
                        check_group(registry, &group);
                if (ksa_registry_by_account(registry, "prod", "ci", names[i], &account) ==
                    KSA_REGISTRY_FOUND)
                        (void)check_account(&account);
        }
        for (size_t i = 0; i < KSA_COUNT(numbers); i++) {
                if (ksa_registry_by_uid(registry, numbers[i], &account) == KSA_REGISTRY_FOUND)
                        MUST(account.uid == numbers[i] && check_account(&account) > 0);
                if (ksa_registry_group_by_gid(registry, numbers[i], &group) == KSA_REGISTRY_FOUND)
                        check_group(registry, &group);
        }
}

static void walk(const struct ksa_registry *registry)
{
        struct ksa_account_record account;
        struct ksa_group_record group;
        struct ksa_source_record source;
        size_t position = 0, before = 0;

        while (ksa_registry_next(registry, &position, &account) == KSA_REGISTRY_FOUND) {
                MUST(position > before && position <= registry->size);
                before = position;
                (void)check_account(&account);
                ask_for(registry, &account);
        }
        position = before = 0;
        while (ksa_registry_next_group(registry, &position, &group) == KSA_REGISTRY_FOUND) {
                MUST(position > before && position <= registry->size);
                before = position;
                check_group(registry, &group);
        }
        position = before = 0;
        while (ksa_registry_next_source(registry, &position, &source) == KSA_REGISTRY_FOUND) {
                MUST(position > before && position <= registry->size);
                before = position;
                MUST(strlen(source.cluster) < registry->size);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct ksa_registry registry;
        const char *why = NULL;

        if (size < 4)
                return 0;
        unsigned char *bytes = malloc(size - 4 > 0 ? size - 4 : 1);
        MUST(bytes != NULL);
        memcpy(bytes, data + 4, size - 4);
        if (data[0] % 2 == 1)
                sample_seal(bytes, size - 4, data[0] % 4 == 3);
        if (ksa_registry_read(bytes, size - 4, &registry, &why) == KSA_REGISTRY_FOUND) {
                ask_names(&registry);
                walk(&registry);
                why = NULL;
                MUST(ksa_registry_is_whole(&registry, &why) == (why == NULL));
        } else {
                MUST(why != NULL && registry.bytes == NULL);
        }
        free(bytes);
        return 0;
}

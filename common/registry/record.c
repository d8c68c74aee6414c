/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/record.h"

#include <endian.h>
#include <string.h>

#include "registry/format.h"

/* --- Texts ------------------------------------------------------------------ */

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* Returns the upper bit of each byte that is zero, and no other bit. */
static uint64_t zeros(uint64_t word)
{
        return ~(((word & EACH_BYTE(0x7f)) + EACH_BYTE(0x7f)) | word | EACH_BYTE(0x7f));
}

/* Whether a byte is not valid in passwd(5): a control character except NUL, or a colon. */
static bool is_unfit(uint64_t word)
{
        return ((zeros(word & EACH_BYTE(0xe0)) & ~zeros(word)) | zeros(word ^ EACH_BYTE(0x7f)) |
                zeros(word ^ EACH_BYTE(':'))) != 0;
}

/* Loads up to eight of LEFT bytes, the first one lowest, and pads with valid bytes. */
static uint64_t load_text(const char *at, size_t left)
{
        uint64_t word = EACH_BYTE('-');

        if (left >= sizeof(word))
                memcpy(&word, at, sizeof(word));
        else
                memcpy(&word, at, left);
        return le64toh(word);
}

/*
 * Splits a block into its first COUNT texts, each ended by a NUL inside the block. It checks eight
 * bytes at a time, because lookups spend most of their time here.
 */
static bool split(const char *block, size_t size, size_t count, const char *ret_texts[],
                  size_t *ret_used)
{
        size_t ended = 0;

        ret_texts[0] = block;
        for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
                uint64_t word = load_text(block + at, size - at);

                if (is_unfit(word))
                        return false;
                for (uint64_t ends = zeros(word); ends != 0; ends &= ends - 1) {
                        size_t next = at + (size_t)__builtin_ctzll(ends) / 8 + 1;

                        if (++ended < count)
                                ret_texts[ended] = block + next;
                        else if (ended == count)
                                *ret_used = next;
                }
        }
        return ended >= count;
}

/* Whether NAME has no special meaning in passwd(5), group(5), a path or a shell. */
static bool is_name(const char *name)
{
        size_t length = 0;

        for (; name[length] != '\0'; length++) {
                char c = name[length];

                if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '.' || c == '-'))
                        return false;
        }
        return length > 0 && length <= KSA_ACCOUNT_NAME_MAX && name[0] != '-' && name[0] != '.';
}

static bool split_passwd(const char *block, size_t size, const char *ret_fields[KSA_PASSWD_COUNT])
{
        size_t used = 0;

        return split(block, size, KSA_PASSWD_COUNT, ret_fields, &used) && used == size &&
               is_name(ret_fields[KSA_PASSWD_NAME]) &&
               strcmp(ret_fields[KSA_PASSWD_PASSWORD], "*") == 0 &&
               ret_fields[KSA_PASSWD_HOME][0] == '/' && ret_fields[KSA_PASSWD_SHELL][0] == '/';
}

/* --- Records ---------------------------------------------------------------- */

/*
 * Returns the record at OFFSET, or NULL unless it is complete, of that kind and inside its part of
 * the file. RET_RECORD receives a copy of its fixed part (SIZE bytes). Use only this checked copy.
 */
static const char *record_at(const struct ksa_registry *registry, enum ksa_format_kind kind,
                             size_t offset, void *ret_record, size_t size)
{
        size_t begin = registry->accounts, end = registry->accounts_end;
        struct ksa_format_record head;

        if (kind == KSA_FORMAT_GROUP) {
                begin = registry->groups;
                end = registry->groups_end;
        } else if (kind == KSA_FORMAT_SOURCE) {
                begin = registry->sources;
                end = registry->sources_end;
        }
        if (offset < begin || offset > end || end - offset < size || offset % 8 != 0)
                return NULL;
        const unsigned char *bytes = registry->bytes + offset;
        memcpy(&head, bytes, sizeof(head));
        if (head.kind != (unsigned)kind || head.length < size || head.length % 8 != 0 ||
            head.length > KSA_FORMAT_RECORD_MAX || head.length > end - offset)
                return NULL;
        if (head.sum != ksa_format_sum32(head.length, bytes + 8, head.length - 8))
                return NULL;
        memcpy(ret_record, bytes, size);
        /* The file may have changed in place between the two loads. */
        memcpy(ret_record, &head.length, sizeof(head.length));
        return (const char *)bytes;
}

static bool is_inside(size_t offset, size_t size, size_t length)
{
        return offset <= length && size <= length - offset;
}

static bool are_groups_usable(const char *record, const struct ksa_format_account *account)
{
        if (account->group_count > KSA_ACCOUNT_GROUPS_MAX || account->groups % 4 != 0 ||
            !is_inside(account->groups, account->group_count * sizeof(uint32_t), account->length))
                return false;
        for (size_t i = 0; i < account->group_count; i++) {
                uint32_t gid;

                memcpy(&gid, record + account->groups + i * sizeof(gid), sizeof(gid));
                bool system = gid > 0 && gid < 1000;
                if (!ksa_uid_is_usable(gid) &&
                    !(system && (account->flags & KSA_ACCOUNT_POWERFUL) != 0))
                        return false;
        }
        return true;
}

static bool are_numbers_sound(const struct ksa_format_account *account)
{
        const bool disabled = account->reasons != 0;
        const bool removed = account->state == KSA_ACCOUNT_REMOVED;

        return ksa_uid_is_usable(account->uid) && account->state > 0 &&
               account->state < KSA_ACCOUNT_STATE_COUNT &&
               (account->reasons & ~KSA_DISABLED_ALL) == 0 &&
               (removed || disabled == (account->state == KSA_ACCOUNT_DISABLED)) &&
               (account->flags & ~KSA_ACCOUNT_FLAGS) == 0 &&
               (removed || (account->flags & KSA_ACCOUNT_FORMER) == 0) &&
               is_inside(account->passwd, account->passwd_size, account->length) &&
               is_inside(account->texts, account->texts_size, account->length);
}

enum ksa_registry_answer ksa_registry_account_at(const struct ksa_registry *registry, size_t offset,
                                                 struct ksa_account_record *ret_account,
                                                 size_t *ret_length)
{
        struct ksa_format_account account;
        const char *record =
                record_at(registry, KSA_FORMAT_ACCOUNT, offset, &account, sizeof(account));
        const char *fields[KSA_PASSWD_COUNT], *texts[KSA_TEXT_COUNT];
        size_t used;

        if (record == NULL || !are_numbers_sound(&account) || !are_groups_usable(record, &account))
                return KSA_REGISTRY_BROKEN;
        if (!split_passwd(record + account.passwd, account.passwd_size, fields) ||
            !split(record + account.texts, account.texts_size, KSA_TEXT_COUNT, texts, &used))
                return KSA_REGISTRY_BROKEN;
        /* Enforced here as well as by the writer: an account that is not active gets no shell. */
        const char *shell =
                account.state == KSA_ACCOUNT_ACTIVE ? texts[KSA_TEXT_SHELL] : KSA_NOLOGIN;
        if (strcmp(fields[KSA_PASSWD_SHELL], shell) != 0)
                return KSA_REGISTRY_BROKEN;
        *ret_account = (struct ksa_account_record){
                .name = fields[KSA_PASSWD_NAME],
                .uid = account.uid,
                .state = (enum ksa_account_state)account.state,
                .reasons = account.reasons,
                .flags = account.flags,
                .home = fields[KSA_PASSWD_HOME],
                .shell = texts[KSA_TEXT_SHELL],
                .cluster = texts[KSA_TEXT_CLUSTER],
                .namespace = texts[KSA_TEXT_NAMESPACE],
                .account = texts[KSA_TEXT_ACCOUNT],
                .account_uid = texts[KSA_TEXT_ACCOUNT_UID],
                .new_account_uid = texts[KSA_TEXT_NEW_ACCOUNT_UID],
                .created = account.created,
                .changed = account.changed,
                /* aligned: records to 8, and the offset to 4 */
                .groups = (const void *)(record + account.groups),
                .group_count = account.group_count,
                .passwd_size = account.passwd_size,
        };
        if (ret_length != NULL)
                *ret_length = account.length;
        return KSA_REGISTRY_FOUND;
}

enum ksa_registry_answer ksa_registry_group_at(const struct ksa_registry *registry, size_t offset,
                                               struct ksa_group_record *ret_group,
                                               size_t *ret_length)
{
        struct ksa_format_group group;
        const char *record = record_at(registry, KSA_FORMAT_GROUP, offset, &group, sizeof(group));
        const char *texts[3];
        size_t used;

        if (record == NULL || !ksa_uid_is_usable(group.gid) ||
            !is_inside(group.texts, group.texts_size, group.length) ||
            !split(record + group.texts, group.texts_size, KSA_COUNT(texts), texts, &used) ||
            !is_name(texts[0]))
                return KSA_REGISTRY_BROKEN;
        if (group.members < registry->members || group.members > registry->members_end ||
            group.members % 8 != 0 ||
            ksa_format_lines(group.member_count) > registry->members_end - group.members)
                return KSA_REGISTRY_BROKEN;
        *ret_group = (struct ksa_group_record){
                .name = texts[0],
                .gid = group.gid,
                .cluster = texts[1],
                .namespace = texts[2],
                .members = (const void *)(registry->bytes + group.members),
                .member_count = group.member_count,
        };
        if (ret_length != NULL)
                *ret_length = group.length;
        return KSA_REGISTRY_FOUND;
}

static enum ksa_registry_answer source_at(const struct ksa_registry *registry, size_t offset,
                                          struct ksa_source_record *ret_source, size_t *ret_length)
{
        struct ksa_format_source source;
        const char *record =
                record_at(registry, KSA_FORMAT_SOURCE, offset, &source, sizeof(source));
        const char *texts[1];
        size_t used;

        if (record == NULL || !is_inside(source.texts, source.texts_size, source.length) ||
            !split(record + source.texts, source.texts_size, KSA_COUNT(texts), texts, &used))
                return KSA_REGISTRY_BROKEN;
        *ret_source = (struct ksa_source_record){
                .cluster = texts[0],
                .listed = source.listed,
        };
        *ret_length = source.length;
        return KSA_REGISTRY_FOUND;
}

/* --- Iteration ------------------------------------------------------------- */

enum ksa_registry_answer ksa_registry_next(const struct ksa_registry *registry, size_t *position,
                                           struct ksa_account_record *ret_record)
{
        size_t offset = *position == 0 ? registry->accounts : *position;
        size_t length;

        if (offset >= registry->accounts_end)
                return KSA_REGISTRY_NOT_FOUND;
        enum ksa_registry_answer answer =
                ksa_registry_account_at(registry, offset, ret_record, &length);
        if (answer == KSA_REGISTRY_FOUND)
                *position = offset + length;
        return answer;
}

enum ksa_registry_answer ksa_registry_next_group(const struct ksa_registry *registry,
                                                 size_t *position,
                                                 struct ksa_group_record *ret_group)
{
        size_t offset = *position == 0 ? registry->groups : *position;
        size_t length;

        if (offset >= registry->groups_end)
                return KSA_REGISTRY_NOT_FOUND;
        enum ksa_registry_answer answer =
                ksa_registry_group_at(registry, offset, ret_group, &length);
        if (answer == KSA_REGISTRY_FOUND)
                *position = offset + length;
        return answer;
}

enum ksa_registry_answer ksa_registry_next_source(const struct ksa_registry *registry,
                                                  size_t *position,
                                                  struct ksa_source_record *ret_source)
{
        size_t offset = *position == 0 ? registry->sources : *position;
        size_t length;

        if (offset >= registry->sources_end)
                return KSA_REGISTRY_NOT_FOUND;
        enum ksa_registry_answer answer = source_at(registry, offset, ret_source, &length);
        if (answer == KSA_REGISTRY_FOUND)
                *position = offset + length;
        return answer;
}

static bool has_group(const struct ksa_account_record *account, uint32_t gid)
{
        for (uint32_t i = 0; i < account->group_count; i++)
                if (account->groups[i] == gid)
                        return true;
        return false;
}

enum ksa_registry_answer ksa_registry_member(const struct ksa_registry *registry,
                                             const struct ksa_group_record *group, uint32_t number,
                                             struct ksa_account_record *ret_record)
{
        struct ksa_format_line line;
        uint32_t in = number / KSA_FORMAT_LINE;
        struct ksa_account_record record;

        if (number >= group->member_count)
                return KSA_REGISTRY_NOT_FOUND;
        memcpy(&line, (const unsigned char *)group->members + in * sizeof(line), sizeof(line));
        if (line.sum != ksa_format_sum32(in, line.members, sizeof(line.members)))
                return KSA_REGISTRY_BROKEN;
        enum ksa_registry_answer answer = ksa_registry_account_at(
                registry, (size_t)line.members[number % KSA_FORMAT_LINE] * 8, &record, NULL);
        /* A member must list the group in its own record too. */
        if (answer == KSA_REGISTRY_FOUND && !has_group(&record, group->gid))
                return KSA_REGISTRY_BROKEN;
        if (answer == KSA_REGISTRY_FOUND)
                *ret_record = record;
        return answer;
}

enum ksa_registry_answer ksa_registry_copy_passwd(const struct ksa_account_record *record,
                                                  char *buffer, size_t size, char *ret_fields[5],
                                                  size_t *ret_size)
{
        const char *fields[KSA_PASSWD_COUNT];

        if (record->passwd_size == 0)
                return KSA_REGISTRY_BROKEN;
        if (record->passwd_size > size) {
                *ret_size = record->passwd_size;
                return KSA_REGISTRY_NOT_FOUND;
        }
        memcpy(buffer, record->name, record->passwd_size);
        if (!split_passwd(buffer, record->passwd_size, fields))
                return KSA_REGISTRY_BROKEN;
        for (size_t i = 0; i < KSA_PASSWD_COUNT; i++)
                ret_fields[i] = buffer + (fields[i] - buffer);
        *ret_size = record->passwd_size;
        return KSA_REGISTRY_FOUND;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registry as it lies on the disk, for its reader and its writer alone: a header, records of
 * accounts, of groups and of sources, members of groups, and one hash table for all kinds of
 * keys. Everything is aligned to 8, numbers are the host's own, and whatever a reader can be
 * asked for is under some sum: a header's, a record's, a bucket's or that of a line of members.
 *
 * How versions move: a reader takes files from KSA_REGISTRY_OLDEST to KSA_REGISTRY_VERSION, and
 * later ones whose oldest_reader is no later than itself, for a process that runs for a year must
 * still find users in what a newer ksactl writes. So fields and texts are only ever appended: the
 * header says its own size, each record its own length, and what lies behind the fixed part is
 * found by offsets. What an older reader must not overlook (a new state, flag or kind of group)
 * raises oldest_reader.
 */
#ifndef KSA_REGISTRY_FORMAT_H
#define KSA_REGISTRY_FORMAT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define KSA_REGISTRY_MAGIC      "ksa-reg\n"
#define KSA_REGISTRY_BYTE_ORDER 0x01020304u
#define KSA_REGISTRY_OLDEST     2u
#define KSA_REGISTRY_VERSION    2u

/* Records are named by their offset / 8, in 32 bits. */
#define KSA_FORMAT_SIZE_MAX   (UINT64_C(8) << 32)
#define KSA_FORMAT_HEADER_MAX 4096u
#define KSA_FORMAT_RECORD_MAX 16384u
#define KSA_FORMAT_TEXT_MAX   1024u
/* Buckets that a lookup reads at most; the writer draws seeds until no key lies further off. */
#define KSA_FORMAT_PROBES_MAX 8u
#define KSA_FORMAT_SLOTS      7u
#define KSA_FORMAT_LINE       15u

/* The last eight bytes of header_size are the sum of all before them. */
struct ksa_format_header {
        unsigned char magic[8];
        uint32_t byte_order, version, oldest_reader, header_size;
        uint64_t size, content_checksum; /* content: all behind the header */
        uint64_t seed, serial;
        int64_t made;
        /* offsets, in this order in the file */
        uint64_t accounts, accounts_end, members, members_end, groups, groups_end;
        uint64_t sources, sources_end, buckets;
        uint32_t bucket_count, account_count, group_count, source_count;
};

enum ksa_format_kind {
        KSA_FORMAT_ACCOUNT = 1,
        KSA_FORMAT_GROUP,
        KSA_FORMAT_SOURCE,
};

/* What a record begins with. Its sum is over what follows these eight bytes, and over its length. */
struct ksa_format_record {
        uint32_t length, sum;
        uint8_t kind;
};

/* Offsets in a record are from its beginning. */
struct ksa_format_account {
        uint32_t length, sum;
        uint8_t kind, state;
        uint16_t flags;
        uint32_t uid, reasons;
        uint16_t groups, group_count; /* uint32_t each */
        int64_t created, changed;
        /* enum ksa_format_passwd, together, so that one copy makes a struct passwd of it */
        uint16_t passwd, passwd_size;
        uint16_t texts, texts_size; /* enum ksa_format_text */
};

enum ksa_format_passwd {
        KSA_PASSWD_NAME,
        KSA_PASSWD_PASSWORD,
        KSA_PASSWD_GECOS,
        KSA_PASSWD_HOME,
        KSA_PASSWD_SHELL, /* KSA_NOLOGIN for who is not active */
        KSA_PASSWD_COUNT,
};

enum ksa_format_text {
        KSA_TEXT_CLUSTER,
        KSA_TEXT_NAMESPACE,
        KSA_TEXT_ACCOUNT,
        KSA_TEXT_SHELL,
        KSA_TEXT_ACCOUNT_UID,
        KSA_TEXT_NEW_ACCOUNT_UID,
        KSA_TEXT_COUNT,
};

/* Texts: name, cluster, namespace. */
struct ksa_format_group {
        uint32_t length, sum;
        uint8_t kind, unused;
        uint16_t texts, texts_size, unused_too;
        uint32_t gid, member_count;
        uint64_t members; /* offset in the file, of lines */
};

/* Texts: cluster, version. */
struct ksa_format_source {
        uint32_t length, sum;
        uint8_t kind, unused;
        uint16_t texts, texts_size, unused_too;
        int64_t listed;
};

/*
 * Members, the offsets / 8 of their records; not in the group's record, whose sum each getgrgid
 * takes.
 */
struct ksa_format_line {
        uint32_t members[KSA_FORMAT_LINE];
        uint32_t sum;
};

/*
 * A cache line of the hash table. Filled from the front; a key whose bucket is full is in the
 * next one. The sum makes "there is no such user" as certain as an answer.
 */
struct ksa_format_bucket {
        struct {
                uint32_t tag, record; /* upper half of the hash; offset / 8, 0 for an empty slot */
        } slots[KSA_FORMAT_SLOTS];
        uint64_t sum;
};

static_assert(sizeof(struct ksa_format_header) == 152, "no holes");
static_assert(sizeof(struct ksa_format_account) == 48, "no holes");
static_assert(sizeof(struct ksa_format_group) == 32, "no holes");
static_assert(sizeof(struct ksa_format_source) == 24, "no holes");
static_assert(sizeof(struct ksa_format_line) == 64, "no holes");
static_assert(sizeof(struct ksa_format_bucket) == 64, "no holes");

/* Bytes of the lines that hold COUNT members. */
static inline uint64_t ksa_format_lines(uint32_t count)
{
        return ((uint64_t)count + KSA_FORMAT_LINE - 1) / KSA_FORMAT_LINE *
               sizeof(struct ksa_format_line);
}

/*
 * Against damage, not against forgers: LENGTH is a multiple of 4. Each step can be undone, so
 * that one changed word always changes the sum.
 */
static inline uint64_t ksa_format_checksum(uint64_t begin, const void *bytes, size_t length)
{
        const unsigned char *at = bytes;
        uint64_t sum = begin ^ UINT64_C(0x6b73612d73756d31);
        uint64_t word;

        while (length > 0) {
                size_t part = length < sizeof(word) ? length : sizeof(word);

                word = 0;
                if (part == sizeof(word))
                        memcpy(&word, at, sizeof(word));
                else
                        memcpy(&word, at, part);
                sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
                sum ^= sum >> 32;
                at += part;
                length -= part;
        }
        return sum;
}

static inline uint32_t ksa_format_sum32(uint64_t begin, const void *bytes, size_t length)
{
        uint64_t sum = ksa_format_checksum(begin, bytes, length) * UINT64_C(0x9e3779b97f4a7c15);

        return (uint32_t)(sum >> 32);
}

/* What a key is of. */
enum ksa_format_key {
        KSA_KEY_NAME = 1,
        KSA_KEY_UID,
        KSA_KEY_ACCOUNT, /* cluster/namespace/account, none of which holds a slash */
        KSA_KEY_GROUP_NAME,
        KSA_KEY_GROUP_GID,
};

static inline void ksa_format_round(uint64_t v[4])
{
        v[0] += v[1];
        v[1] = (v[1] << 13 | v[1] >> 51) ^ v[0];
        v[0] = v[0] << 32 | v[0] >> 32;
        v[2] += v[3];
        v[3] = (v[3] << 16 | v[3] >> 48) ^ v[2];
        v[0] += v[3];
        v[3] = (v[3] << 21 | v[3] >> 43) ^ v[0];
        v[2] += v[1];
        v[1] = (v[1] << 17 | v[1] >> 47) ^ v[2];
        v[2] = v[2] << 32 | v[2] >> 32;
}

/*
 * SipHash-1-3: people who name accounts choose the keys, and a hash that is not made for it has
 * keys that meet under every seed.
 */
static inline uint64_t ksa_format_hash(uint64_t seed, enum ksa_format_key kind, const void *key,
                                       size_t length)
{
        const unsigned char *at = key;
        uint64_t second = seed ^ (uint64_t)kind << 56;
        uint64_t v[4] = {seed ^ UINT64_C(0x736f6d6570736575), second ^ UINT64_C(0x646f72616e646f6d),
                         seed ^ UINT64_C(0x6c7967656e657261),
                         second ^ UINT64_C(0x7465646279746573)};
        uint64_t word;
        size_t left = length;

        for (; left >= sizeof(word); left -= sizeof(word), at += sizeof(word)) {
                memcpy(&word, at, sizeof(word));
                v[3] ^= word;
                ksa_format_round(v);
                v[0] ^= word;
        }
        word = (uint64_t)length << 56;
        for (size_t i = 0; i < left; i++)
                word |= (uint64_t)at[i] << (8 * i);
        v[3] ^= word;
        ksa_format_round(v);
        v[0] ^= word;
        v[2] ^= 0xff;
        for (int i = 0; i < 3; i++)
                ksa_format_round(v);
        return v[0] ^ v[1] ^ v[2] ^ v[3];
}

#endif

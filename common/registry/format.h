/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The layout of the registry file, for its reader and its writer: a header, records of accounts, of
 * groups and of sources, members of groups, and one hash table for all kinds of keys. All parts are
 * aligned to 8 bytes, and numbers have native byte order. Every byte that a lookup uses is covered
 * by a checksum: the header's, or that of a record, bucket or line of members.
 *
 * Versions: a reader accepts files from KSA_REGISTRY_OLDEST to KSA_REGISTRY_VERSION, and later ones
 * if their oldest_reader allows it: a process that runs for a year must still find users in a file
 * of a newer ksactl. So fields and texts are only appended. The header stores its size and each
 * record its length, and offsets lead to the data after the fixed part. A change that an older
 * reader must not overlook (a new state, flag or kind of group) raises oldest_reader.
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

/* A record's id is its offset / 8, in 32 bits. */
#define KSA_FORMAT_SIZE_MAX   (UINT64_C(8) << 32)
#define KSA_FORMAT_HEADER_MAX 4096u
#define KSA_FORMAT_RECORD_MAX 16384u
#define KSA_FORMAT_TEXT_MAX   1024u
/*
 * The most buckets that a lookup reads. The writer tries seeds until every key is within this
 * distance.
 */
#define KSA_FORMAT_PROBES_MAX 8u
#define KSA_FORMAT_SLOTS      7u
#define KSA_FORMAT_LINE       15u

/* The last eight bytes of header_size are the checksum of all bytes before them. */
struct ksa_format_header {
        unsigned char magic[8];
        uint32_t byte_order, version, oldest_reader, header_size;
        uint64_t size, content_checksum; /* content_checksum: of all bytes after the header */
        uint64_t seed, serial;
        int64_t made;
        /* offsets in the file, in ascending order */
        uint64_t accounts, accounts_end, members, members_end, groups, groups_end;
        uint64_t sources, sources_end, buckets;
        uint32_t bucket_count, account_count, group_count, source_count;
};

enum ksa_format_kind {
        KSA_FORMAT_ACCOUNT = 1,
        KSA_FORMAT_GROUP,
        KSA_FORMAT_SOURCE,
};

/* The beginning of every record. The checksum covers the length and the bytes after it. */
struct ksa_format_record {
        uint32_t length, sum;
        uint8_t kind;
};

/* Offsets in a record count from its beginning. */
struct ksa_format_account {
        uint32_t length, sum;
        uint8_t kind, state;
        uint16_t flags;
        uint32_t uid, reasons;
        uint16_t groups, group_count; /* array of uint32_t */
        int64_t created, changed;
        /* enum ksa_format_passwd; together, so that one copy makes a struct passwd */
        uint16_t passwd, passwd_size;
        uint16_t texts, texts_size; /* enum ksa_format_text */
};

enum ksa_format_passwd {
        KSA_PASSWD_NAME,
        KSA_PASSWD_PASSWORD,
        KSA_PASSWD_GECOS,
        KSA_PASSWD_HOME,
        KSA_PASSWD_SHELL, /* KSA_NOLOGIN if the account is not active */
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
        uint64_t members; /* offset of its lines in the file */
};

/* Text: cluster. */
struct ksa_format_source {
        uint32_t length, sum;
        uint8_t kind, unused;
        uint16_t texts, texts_size, unused_too;
        int64_t listed;
};

/*
 * Ids of the members. They are not in the group's record, because every getgrgid() computes that
 * record's checksum.
 */
struct ksa_format_line {
        uint32_t members[KSA_FORMAT_LINE];
        uint32_t sum;
};

/*
 * One cache line of the hash table. Slots are filled from the first; if a bucket is full, its keys
 * continue in the next one. The checksum also protects the answer "no such user".
 */
struct ksa_format_bucket {
        struct {
                uint32_t tag, record; /* upper half of the hash; id of the record, 0: empty slot */
        } slots[KSA_FORMAT_SLOTS];
        uint64_t sum;
};

static_assert(sizeof(struct ksa_format_header) == 152, "no holes");
static_assert(sizeof(struct ksa_format_account) == 48, "no holes");
static_assert(sizeof(struct ksa_format_group) == 32, "no holes");
static_assert(sizeof(struct ksa_format_source) == 24, "no holes");
static_assert(sizeof(struct ksa_format_line) == 64, "no holes");
static_assert(sizeof(struct ksa_format_bucket) == 64, "no holes");

/* Returns the bytes of the lines for COUNT members. */
static inline uint64_t ksa_format_lines(uint32_t count)
{
        return ((uint64_t)count + KSA_FORMAT_LINE - 1) / KSA_FORMAT_LINE *
               sizeof(struct ksa_format_line);
}

/*
 * A checksum against damage, not forgery. LENGTH is a multiple of 4. Each step is invertible, so
 * one changed word always changes the checksum.
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

/* The kinds of keys. */
enum ksa_format_key {
        KSA_KEY_NAME = 1,
        KSA_KEY_UID,
        KSA_KEY_ACCOUNT, /* cluster/namespace/account, which contain no slash */
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
 * SipHash-1-3. Anyone who names accounts chooses keys, and an unkeyed hash has collisions under
 * every seed.
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

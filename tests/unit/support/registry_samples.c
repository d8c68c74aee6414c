/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/registry_samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/format.h"
#include "support/support.h"

static const uint32_t sample_gids[] = {SAMPLE_GID};

const struct ksa_group_record sample_group = {
        .name = "k8s-ci", .gid = SAMPLE_GID, .cluster = "prod", .namespace = "ci"};
const struct ksa_source_record sample_source = {.cluster = "prod", .listed = 1795464267};

struct ksa_account_record sample_account(const char *name, const char *account, uint32_t uid)
{
        return (struct ksa_account_record){
                .name = name,
                .uid = uid,
                .state = KSA_ACCOUNT_ACTIVE,
                .home = "/home/ci",
                .shell = "/bin/sh",
                .cluster = "prod",
                .namespace = "ci",
                .account = account,
                .account_uid = "14e75b93-b974-47ca-a847-ba5d1f4ad2a6",
                .new_account_uid = "",
                .created = 1795460000,
                .changed = 1795464267,
                .groups = sample_gids,
                .group_count = 1,
        };
}

void sample_build(const struct ksa_account_record *accounts, size_t count,
                  unsigned char **ret_bytes, size_t *ret_size)
{
        const struct ksa_registry_content content = {accounts, count,          &sample_group,
                                                     1,        &sample_source, 1};
        struct ksa_error error = {0};

        if (ksa_registry_build(&content, 1795464267, ret_bytes, ret_size, &error) != KSA_OK)
                fail_msg("%s", error.text);
}

void sample_build_many_timed(size_t count, unsigned generation, unsigned char **ret_bytes,
                             size_t *ret_size, double (*now)(void), double *ret_time)
{
        struct ksa_account_record *accounts = calloc(count + 1, sizeof(*accounts));
        enum { ROOM = 32 };
        char(*texts)[2][ROOM] = calloc(count + 1, sizeof(*texts));

        assert_non_null(accounts);
        assert_non_null(texts);
        for (size_t i = 0; i < count; i++) {
                (void)snprintf(texts[i][0], ROOM, "ci_%07zu", i);
                (void)snprintf(texts[i][1], ROOM, "/home/%u/%s", generation, texts[i][0]);
                /* The account's name is the tail of the user's. */
                accounts[i] =
                        sample_account(texts[i][0], texts[i][0] + 3, SAMPLE_GID + 1 + (uint32_t)i);
                accounts[i].home = texts[i][1];
        }
        double started = now == NULL ? 0 : now();
        sample_build(accounts, count, ret_bytes, ret_size);
        if (now != NULL)
                *ret_time = now() - started;
        free(texts);
        free(accounts);
}

void sample_build_many(size_t count, unsigned generation, unsigned char **ret_bytes,
                       size_t *ret_size)
{
        sample_build_many_timed(count, generation, ret_bytes, ret_size, NULL, NULL);
}

/* --- Sums ------------------------------------------------------------------- */

static void seal_records(unsigned char *bytes, uint64_t begin, uint64_t end)
{
        struct ksa_format_record head;

        while (begin + sizeof(head) <= end) {
                memcpy(&head, bytes + begin, sizeof(head));
                if (head.length < sizeof(head) || head.length > end - begin)
                        return;
                head.sum = ksa_format_sum32(head.length, bytes + begin + 8, head.length - 8);
                memcpy(bytes + begin, &head, 8);
                begin += head.length;
        }
}

static void seal_buckets(unsigned char *at, const struct ksa_format_header *header)
{
        struct ksa_format_bucket bucket;

        for (size_t i = 0; i < header->bucket_count; i++, at += sizeof(bucket)) {
                memcpy(&bucket, at, sizeof(bucket));
                bucket.sum = ksa_format_checksum(i, bucket.slots, sizeof(bucket.slots));
                memcpy(at, &bucket, sizeof(bucket));
        }
}

/* Lines of the first group: the others' begin at other numbers. */
static void seal_lines(unsigned char *at, uint64_t size)
{
        struct ksa_format_line line;

        for (uint32_t i = 0; (i + 1) * sizeof(line) <= size; i++, at += sizeof(line)) {
                memcpy(&line, at, sizeof(line));
                line.sum = ksa_format_sum32(i, line.members, sizeof(line.members));
                memcpy(at, &line, sizeof(line));
        }
}

static bool is_part(uint64_t begin, uint64_t end, size_t size)
{
        return begin <= end && end <= size;
}

void sample_seal(unsigned char *bytes, size_t size, bool length)
{
        struct ksa_format_header header;
        uint64_t sum;

        if (size < sizeof(header) + sizeof(sum))
                return;
        memcpy(&header, bytes, sizeof(header));
        if (length)
                header.size = size;
        if (is_part(header.accounts, header.accounts_end, size))
                seal_records(bytes, header.accounts, header.accounts_end);
        if (is_part(header.groups, header.groups_end, size))
                seal_records(bytes, header.groups, header.groups_end);
        if (is_part(header.sources, header.sources_end, size))
                seal_records(bytes, header.sources, header.sources_end);
        if (is_part(header.members, header.members_end, size))
                seal_lines(bytes + header.members, header.members_end - header.members);
        if (header.buckets <= size &&
            header.bucket_count <= (size - header.buckets) / sizeof(struct ksa_format_bucket))
                seal_buckets(bytes + header.buckets, &header);
        if (header.header_size < sizeof(header) + sizeof(sum) || header.header_size > size)
                return;
        header.content_checksum =
                ksa_format_checksum(0, bytes + header.header_size, size - header.header_size);
        memcpy(bytes, &header, sizeof(header));
        sum = ksa_format_checksum(0, bytes, header.header_size - sizeof(sum));
        memcpy(bytes + header.header_size - sizeof(sum), &sum, sizeof(sum));
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/format.h"

/*
 * Makefile.am requests 64 bits: with 32, fstat() fails for large inode numbers, and time ends in
 * 2038.
 */
_Static_assert(sizeof(off_t) >= 8 && sizeof(time_t) >= 8, "off_t and time_t need 64 bits");

bool ksa_uid_is_usable(uint32_t uid)
{
        /* systemd's: DynamicUser services, and "foreign" files of images since systemd 258. */
        const bool of_systemd =
                (uid >= 61184 && uid <= 65519) || (uid >= 2147352576 && uid <= 2147418111);

        return uid >= 1000 && !of_systemd && uid != 65534 && uid != 65535 && uid != UINT32_MAX;
}

/* --- The file --------------------------------------------------------------- */

static bool is_version(const struct ksa_format_header *header)
{
        if (header->version < KSA_REGISTRY_OLDEST || header->oldest_reader > header->version)
                return false;
        return header->version <= KSA_REGISTRY_VERSION ||
               header->oldest_reader <= KSA_REGISTRY_VERSION;
}

/* Whether the parts follow each other and have space for the number of records in the header. */
static bool are_parts_in_order(const struct ksa_format_header *header)
{
        const uint64_t ends[] = {header->header_size, header->accounts,    header->accounts_end,
                                 header->members,     header->members_end, header->groups,
                                 header->groups_end,  header->sources,     header->sources_end,
                                 header->buckets,     header->size};

        for (size_t i = 0; i < KSA_COUNT(ends); i++)
                if (ends[i] % 8 != 0 || (i > 0 && ends[i] < ends[i - 1]))
                        return false;
        return header->bucket_count > 0 &&
               (header->bucket_count & (header->bucket_count - 1)) == 0 &&
               header->bucket_count <=
                       (header->size - header->buckets) / sizeof(struct ksa_format_bucket) &&
               header->account_count <= (header->accounts_end - header->accounts) /
                                                sizeof(struct ksa_format_account) &&
               header->group_count <=
                       (header->groups_end - header->groups) / sizeof(struct ksa_format_group);
}

static const char *header_error(const unsigned char *bytes, size_t size,
                                struct ksa_format_header *ret_header)
{
        struct ksa_format_header header;
        uint64_t checksum;

        if (size < sizeof(header) + sizeof(checksum))
                return "too short to be a registry";
        memcpy(&header, bytes, sizeof(header));
        if (memcmp(header.magic, KSA_REGISTRY_MAGIC, sizeof(header.magic)) != 0)
                return "no registry";
        if (header.byte_order != KSA_REGISTRY_BYTE_ORDER)
                return "written by a host of another byte order";
        if (!is_version(&header))
                return "of a version that this one cannot read";
        if (header.header_size < sizeof(header) + sizeof(checksum) || header.header_size % 8 != 0 ||
            header.header_size > KSA_FORMAT_HEADER_MAX || header.header_size > size)
                return "its header is damaged";
        memcpy(&checksum, bytes + header.header_size - sizeof(checksum), sizeof(checksum));
        if (checksum != ksa_format_checksum(0, bytes, header.header_size - sizeof(checksum)))
                return "its header is damaged";
        if (header.size != size || header.size > KSA_FORMAT_SIZE_MAX)
                return "not as long as it says";
        if (!are_parts_in_order(&header))
                return "its parts are not where they can be";
        *ret_header = header;
        return NULL;
}

enum ksa_registry_answer ksa_registry_read(const void *bytes, size_t size,
                                           struct ksa_registry *ret_registry, const char **ret_why)
{
        struct ksa_format_header header = {0};
        const char *error = header_error(bytes, size, &header);

        *ret_registry = (struct ksa_registry){0};
        if (error != NULL) {
                if (ret_why != NULL)
                        *ret_why = error;
                return KSA_REGISTRY_BROKEN;
        }
        *ret_registry = (struct ksa_registry){
                .bytes = bytes,
                .size = size,
                .seed = header.seed,
                .serial = header.serial,
                .made = header.made,
                .accounts = (size_t)header.accounts,
                .accounts_end = (size_t)header.accounts_end,
                .groups = (size_t)header.groups,
                .groups_end = (size_t)header.groups_end,
                .sources = (size_t)header.sources,
                .sources_end = (size_t)header.sources_end,
                .members = (size_t)header.members,
                .members_end = (size_t)header.members_end,
                .buckets = (size_t)header.buckets,
                .bucket_count = header.bucket_count,
                .account_count = header.account_count,
                .group_count = header.group_count,
        };
        return KSA_REGISTRY_FOUND;
}

static int64_t nanoseconds(const struct stat *status)
{
        return (int64_t)((uint64_t)status->st_mtim.tv_sec * 1000000000u +
                         (uint64_t)status->st_mtim.tv_nsec);
}

static const char *status_error(const struct stat *status, uid_t owner)
{
        if (!S_ISREG(status->st_mode))
                return "no regular file";
        if (status->st_uid != 0 && status->st_uid != owner)
                return "does not belong to root";
        if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
                return "others may write it";
        if (status->st_size < (off_t)sizeof(struct ksa_format_header))
                return "too short to be a registry";
        if ((uint64_t)status->st_size > KSA_FORMAT_SIZE_MAX ||
            (uint64_t)status->st_size > PTRDIFF_MAX)
                return "too long to be a registry";
        return NULL;
}

/* Returns why FD is not a registry, or NULL and the mapping in RET_REGISTRY. */
static const char *map(int fd, uid_t owner, struct ksa_registry *ret_registry)
{
        struct stat status;
        const char *error;

        if (fstat(fd, &status) != 0)
                return "cannot be examined";
        error = status_error(&status, owner);
        if (error != NULL)
                return error;
        size_t size = (size_t)status.st_size;
        /* Truncating the file in place would kill all readers; so ksactl only ever replaces it. */
        void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED)
                return "cannot be mapped";
        if (ksa_registry_read(bytes, size, ret_registry, &error) != KSA_REGISTRY_FOUND) {
                (void)munmap(bytes, size);
                return error;
        }
        ret_registry->device = status.st_dev;
        ret_registry->inode = status.st_ino;
        ret_registry->mtime = nanoseconds(&status);
        return NULL;
}

enum ksa_registry_answer ksa_registry_open(const char *path, uid_t owner,
                                           struct ksa_registry *ret_registry, const char **ret_why)
{
        int saved = errno;
        const char *error;
        enum ksa_registry_answer answer = KSA_REGISTRY_BROKEN;

        *ret_registry = (struct ksa_registry){0};
        /* Opening a FIFO or a terminal at this path must not block. */
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        if (fd >= 0) {
                error = map(fd, owner, ret_registry);
                (void)close(fd);
                if (error == NULL)
                        answer = KSA_REGISTRY_FOUND;
        } else {
                error = errno == ELOOP ? "a symbolic link" : "cannot be opened";
                if (errno == ENOENT || errno == ENOTDIR)
                        answer = KSA_REGISTRY_NOT_FOUND;
        }
        if (answer == KSA_REGISTRY_BROKEN && ret_why != NULL)
                *ret_why = error;
        errno = saved;
        return answer;
}

void ksa_registry_close(struct ksa_registry *registry)
{
        int saved = errno;

        if (registry->bytes != NULL)
                (void)munmap((void *)(uintptr_t)registry->bytes, registry->size);
        *registry = (struct ksa_registry){0};
        errno = saved;
}

bool ksa_registry_is_current(const struct ksa_registry *registry, const char *path)
{
        int saved = errno;
        struct stat status;
        bool current = registry->bytes != NULL && stat(path, &status) == 0 &&
                       status.st_dev == registry->device && status.st_ino == registry->inode &&
                       nanoseconds(&status) == registry->mtime &&
                       (uint64_t)status.st_size == registry->size;

        errno = saved;
        return current;
}

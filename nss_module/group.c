/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups: the private group of each user, and one group for each namespace. */
#include "nss_ksa.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "name.h"

/* The caller's buffer: pointers to the members first, for their alignment, then the texts. */
struct sheet {
        char *buffer;
        size_t size;
        size_t used;
};

/* The group to return. Its members are read twice: for the size, and to copy them. */
struct source {
        const struct ksa_registry *registry;
        const char *name;
        gid_t gid;
        const struct ksa_group_record *group; /* NULL: a private group, without members */
};

/* --- Filling the caller's buffer -------------------------------------------------- */

/* Reads member NUMBER. KSA_NSS_UNKNOWN if it is not active: then it is not listed. */
static enum ksa_nss_outcome member_name(const struct source *source, uint32_t number,
                                        struct ksa_account_record *ret_record)
{
        if (ksa_registry_member(source->registry, source->group, number, ret_record) !=
            KSA_REGISTRY_FOUND)
                return KSA_NSS_UNAVAILABLE;
        return ret_record->state == KSA_ACCOUNT_ACTIVE ? KSA_NSS_FOUND : KSA_NSS_UNKNOWN;
}

/* Limits the length again after the reader's check: the file may change in place. */
static size_t length_of(const char *name)
{
        return strnlen(name, KSA_ACCOUNT_NAME_MAX);
}

/*
 * Counts the members and their size. Stops early when the buffer is too small: groups can be large.
 */
static enum ksa_nss_outcome measure(const struct source *source, size_t size, size_t *ret_count)
{
        uint32_t end = source->group == NULL ? 0 : source->group->member_count;
        size_t count = 0, needed = length_of(source->name) + 1 + sizeof("*") + sizeof(char *);

        for (uint32_t i = 0; i < end && needed <= size; i++) {
                struct ksa_account_record record;
                enum ksa_nss_outcome outcome = member_name(source, i, &record);

                if (outcome == KSA_NSS_UNAVAILABLE)
                        return outcome;
                if (outcome != KSA_NSS_FOUND)
                        continue;
                needed += sizeof(char *) + length_of(record.name) + 1;
                count++;
        }
        if (needed > size)
                return KSA_NSS_TOO_SMALL;
        *ret_count = count;
        return KSA_NSS_FOUND;
}

/*
 * Appends TEXT to the buffer and returns the copy. NULL if it does not fit, which measure()
 * excludes unless the file changed.
 */
static char *put(struct sheet *sheet, const char *text)
{
        size_t length = length_of(text);
        char *copy = sheet->buffer + sheet->used;

        if (length >= sheet->size - sheet->used)
                return NULL;
        memcpy(copy, text, length);
        copy[length] = '\0';
        sheet->used += length + 1;
        return copy;
}

/* Copies exactly COUNT members. False if the file changed since measure(). */
static bool put_members(const struct source *source, struct sheet *sheet, size_t count,
                        char **ret_members)
{
        uint32_t end = source->group == NULL ? 0 : source->group->member_count;
        size_t found = 0;

        for (uint32_t i = 0; i < end && found < count; i++) {
                struct ksa_account_record record;
                enum ksa_nss_outcome outcome = member_name(source, i, &record);

                if (outcome == KSA_NSS_UNKNOWN)
                        continue;
                if (outcome != KSA_NSS_FOUND ||
                    (ret_members[found] = put(sheet, record.name)) == NULL)
                        return false;
                found++;
        }
        ret_members[found] = NULL;
        return found == count;
}

static enum ksa_nss_outcome fill_group(const struct source *source, struct group *ret_group,
                                       char *buffer, size_t size)
{
        size_t padding = -(uintptr_t)buffer % _Alignof(char *), count = 0;

        if (padding > size)
                return KSA_NSS_TOO_SMALL;
        enum ksa_nss_outcome outcome = measure(source, size - padding, &count);
        if (outcome != KSA_NSS_FOUND)
                return outcome;
        void *aligned = buffer + padding;
        char **members = aligned;
        struct sheet sheet = {buffer, size, padding + (count + 1) * sizeof(*members)};
        char *name = put(&sheet, source->name), *password = put(&sheet, "*");
        if (name == NULL || password == NULL || !put_members(source, &sheet, count, members))
                return KSA_NSS_UNAVAILABLE;
        *ret_group = (struct group){
                .gr_name = name, .gr_passwd = password, .gr_gid = source->gid, .gr_mem = members};
        return KSA_NSS_FOUND;
}

static enum ksa_nss_outcome fill_private(const struct ksa_account_record *record,
                                         struct group *ret_group, char *buffer, size_t size)
{
        struct source source = {.name = record->name, .gid = record->uid};

        if (record->state == KSA_ACCOUNT_REMOVED)
                return KSA_NSS_UNKNOWN;
        return fill_group(&source, ret_group, buffer, size);
}

static enum ksa_nss_outcome fill_namespace(const struct ksa_registry *registry,
                                           const struct ksa_group_record *record,
                                           struct group *ret_group, char *buffer, size_t size)
{
        struct source source = {registry, record->name, record->gid, record};

        return fill_group(&source, ret_group, buffer, size);
}

/* --- Lookups ---------------------------------------------------------------------- */

/* Looks up NAME, or GID if NAME is NULL. */
static enum ksa_nss_outcome look_up(const struct ksa_registry *registry, const char *name,
                                    gid_t gid, struct group *ret_group, char *buffer, size_t size)
{
        struct ksa_account_record account;
        struct ksa_group_record group;
        enum ksa_registry_answer answer = name != NULL
                                                  ? ksa_registry_by_name(registry, name, &account)
                                                  : ksa_registry_by_uid(registry, gid, &account);

        if (answer == KSA_REGISTRY_BROKEN)
                return KSA_NSS_UNAVAILABLE;
        if (answer == KSA_REGISTRY_FOUND && account.state != KSA_ACCOUNT_REMOVED)
                return fill_private(&account, ret_group, buffer, size);
        answer = name != NULL ? ksa_registry_group_by_name(registry, name, &group)
                              : ksa_registry_group_by_gid(registry, gid, &group);
        if (answer != KSA_REGISTRY_FOUND)
                return ksa_nss_outcome(answer);
        return fill_namespace(registry, &group, ret_group, buffer, size);
}

static enum ksa_nss_outcome find_group(const char *name, gid_t gid, struct group *ret_group,
                                       char *buffer, size_t size)
{
        struct ksa_map map;
        enum ksa_registry_answer answer = ksa_map_take(&map);

        if (answer != KSA_REGISTRY_FOUND)
                return ksa_nss_outcome(answer);
        enum ksa_nss_outcome outcome = look_up(map.registry, name, gid, ret_group, buffer, size);
        ksa_map_give(&map);
        return outcome;
}

KSA_EXPORT enum nss_status _nss_ksa_getgrnam_r(const char *name, struct group *ret_group,
                                               char *buffer, size_t size, int *errnop)
{
        int kept = errno;
        enum ksa_nss_outcome outcome = KSA_NSS_UNKNOWN;

        if (ksa_nss_name_may_be_ours(name))
                outcome = find_group(name, 0, ret_group, buffer, size);
        return ksa_nss_end(outcome, kept, errnop);
}

KSA_EXPORT enum nss_status _nss_ksa_getgrgid_r(gid_t gid, struct group *ret_group, char *buffer,
                                               size_t size, int *errnop)
{
        int kept = errno;
        enum ksa_nss_outcome outcome = KSA_NSS_UNKNOWN;

        if (ksa_uid_is_usable(gid))
                outcome = find_group(NULL, gid, ret_group, buffer, size);
        return ksa_nss_end(outcome, kept, errnop);
}

/* --- Enumeration: private groups, then groups of namespaces ----------------------- */

static struct ksa_listing listing;

KSA_EXPORT enum nss_status _nss_ksa_setgrent(int stay_open __attribute__((unused)))
{
        int kept = errno;

        return ksa_nss_end(ksa_listing_begin(&listing), kept, &errno);
}

KSA_EXPORT enum nss_status _nss_ksa_endgrent(void)
{
        int kept = errno;

        return ksa_nss_end(ksa_listing_end(&listing), kept, &errno);
}

static enum ksa_nss_outcome next_private(struct group *ret_group, char *buffer, size_t size)
{
        struct ksa_account_record record;
        enum ksa_nss_outcome outcome = KSA_NSS_UNKNOWN;

        while (outcome == KSA_NSS_UNKNOWN) {
                size_t position = listing.accounts;
                enum ksa_registry_answer answer =
                        ksa_registry_next(&listing.registry, &position, &record);

                if (answer != KSA_REGISTRY_FOUND) {
                        listing.accounts_over = answer == KSA_REGISTRY_NOT_FOUND;
                        return ksa_nss_outcome(answer);
                }
                outcome = fill_private(&record, ret_group, buffer, size);
                if (outcome == KSA_NSS_FOUND || outcome == KSA_NSS_UNKNOWN)
                        listing.accounts = position;
        }
        return outcome;
}

static enum ksa_nss_outcome next_group(struct group *ret_group, char *buffer, size_t size)
{
        struct ksa_group_record record;
        size_t position = listing.groups;

        if (!listing.accounts_over) {
                enum ksa_nss_outcome outcome = next_private(ret_group, buffer, size);

                if (!listing.accounts_over)
                        return outcome;
        }
        enum ksa_registry_answer answer =
                ksa_registry_next_group(&listing.registry, &position, &record);
        if (answer != KSA_REGISTRY_FOUND)
                return ksa_nss_outcome(answer);
        enum ksa_nss_outcome outcome =
                fill_namespace(&listing.registry, &record, ret_group, buffer, size);
        if (outcome == KSA_NSS_FOUND)
                listing.groups = position;
        return outcome;
}

KSA_EXPORT enum nss_status _nss_ksa_getgrent_r(struct group *ret_group, char *buffer, size_t size,
                                               int *errnop)
{
        int kept = errno;
        enum ksa_nss_outcome outcome = ksa_listing_take(&listing);

        if (outcome == KSA_NSS_FOUND) {
                outcome = next_group(ret_group, buffer, size);
                ksa_listing_give(&listing);
        }
        return ksa_nss_end(outcome, kept, errnop);
}

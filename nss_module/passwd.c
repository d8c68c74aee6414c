/* SPDX-License-Identifier: BSD-2-Clause */
/* Users: one for each account of the registry that is not REMOVED. */
#include "nss_ksa.h"

#include <errno.h>

#include "map.h"
#include "name.h"

static enum ksa_nss_outcome fill_user(const struct ksa_account_record *record,
                                      struct passwd *ret_user, char *buffer, size_t size)
{
        char *fields[5];
        size_t needed = 0;

        if (record->state == KSA_ACCOUNT_REMOVED)
                return KSA_NSS_UNKNOWN;
        switch (ksa_registry_copy_passwd(record, buffer, size, fields, &needed)) {
        case KSA_REGISTRY_FOUND:
                *ret_user = (struct passwd){.pw_name = fields[0],
                                            .pw_passwd = fields[1],
                                            .pw_uid = record->uid,
                                            .pw_gid = record->uid,
                                            .pw_gecos = fields[2],
                                            .pw_dir = fields[3],
                                            .pw_shell = fields[4]};
                return KSA_NSS_FOUND;
        case KSA_REGISTRY_NOT_FOUND:
                return KSA_NSS_TOO_SMALL;
        case KSA_REGISTRY_BROKEN:
                break;
        }
        return KSA_NSS_UNAVAILABLE;
}

/* Looks up NAME, or UID if NAME is NULL. */
static enum ksa_nss_outcome find_user(const char *name, uid_t uid, struct passwd *ret_user,
                                      char *buffer, size_t size)
{
        struct ksa_account_record record;
        struct ksa_map map;
        enum ksa_registry_answer answer = ksa_map_take(&map);

        if (answer != KSA_REGISTRY_FOUND)
                return ksa_nss_outcome(answer);
        answer = name != NULL ? ksa_registry_by_name(map.registry, name, &record)
                              : ksa_registry_by_uid(map.registry, uid, &record);
        enum ksa_nss_outcome outcome = answer == KSA_REGISTRY_FOUND
                                               ? fill_user(&record, ret_user, buffer, size)
                                               : ksa_nss_outcome(answer);
        ksa_map_give(&map);
        return outcome;
}

KSA_EXPORT enum nss_status _nss_ksa_getpwnam_r(const char *name, struct passwd *ret_user,
                                               char *buffer, size_t size, int *errnop)
{
        int kept = errno;
        enum ksa_nss_outcome outcome = KSA_NSS_UNKNOWN;

        if (ksa_nss_name_may_be_ours(name))
                outcome = find_user(name, 0, ret_user, buffer, size);
        return ksa_nss_end(outcome, kept, errnop);
}

KSA_EXPORT enum nss_status _nss_ksa_getpwuid_r(uid_t uid, struct passwd *ret_user, char *buffer,
                                               size_t size, int *errnop)
{
        int kept = errno;
        enum ksa_nss_outcome outcome = KSA_NSS_UNKNOWN;

        if (ksa_uid_is_usable(uid))
                outcome = find_user(NULL, uid, ret_user, buffer, size);
        return ksa_nss_end(outcome, kept, errnop);
}

/* --- Enumeration ---------------------------------------------------------------- */

static struct ksa_listing listing;

KSA_EXPORT enum nss_status _nss_ksa_setpwent(int stay_open __attribute__((unused)))
{
        int kept = errno;

        return ksa_nss_end(ksa_listing_begin(&listing), kept, &errno);
}

KSA_EXPORT enum nss_status _nss_ksa_endpwent(void)
{
        int kept = errno;

        return ksa_nss_end(ksa_listing_end(&listing), kept, &errno);
}

/* If the buffer is too small, the next call returns the same user. */
static enum ksa_nss_outcome next_user(struct passwd *ret_user, char *buffer, size_t size)
{
        for (;;) {
                struct ksa_account_record record;
                size_t position = listing.accounts;
                enum ksa_registry_answer answer =
                        ksa_registry_next(&listing.registry, &position, &record);

                if (answer != KSA_REGISTRY_FOUND)
                        return ksa_nss_outcome(answer);
                enum ksa_nss_outcome outcome = fill_user(&record, ret_user, buffer, size);
                if (outcome == KSA_NSS_FOUND || outcome == KSA_NSS_UNKNOWN)
                        listing.accounts = position;
                if (outcome != KSA_NSS_UNKNOWN)
                        return outcome;
        }
}

KSA_EXPORT enum nss_status _nss_ksa_getpwent_r(struct passwd *ret_user, char *buffer, size_t size,
                                               int *errnop)
{
        int kept = errno;
        enum ksa_nss_outcome outcome = ksa_listing_take(&listing);

        if (outcome == KSA_NSS_FOUND) {
                outcome = next_user(ret_user, buffer, size);
                ksa_listing_give(&listing);
        }
        return ksa_nss_end(outcome, kept, errnop);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The owners of names and numbers on this host: users, groups and subordinate ids. They come before ksa's. */
#ifndef KSA_ACCOUNTS_LOCAL_USERS_H
#define KSA_ACCOUNTS_LOCAL_USERS_H

#include "admin/accounts/id_map.h"
#include "base/error.h"
#include "base/macros.h"
#include "registry/registry.h"

struct ksa_local;

/*
 * The files, such as "/etc/passwd"; tests use others. A missing file is empty. The paths are borrowed for the
 * messages.
 */
struct ksa_local_files {
        const char *passwd, *group, *subuid, *subgid;
        const char *uid_map, *gid_map; /* as id_map.h has them; NULL: all ids are mapped */
        bool ask_nss; /* getpwnam() and its kin too, for names and numbers that are new to the registry */
};

/* KSA_FILE_UNREADABLE, KSA_MEMORY */
enum ksa_reason ksa_local_read(const struct ksa_local_files *files, struct ksa_local **ret_local,
                               struct ksa_error *err) KSA_MUST_CHECK;
void ksa_local_free(struct ksa_local **local);

/*
 * Whether a user or group of this host has the name (number); its owner is put into WHO for a message, as
 * "the user 'ci_deployer' of /etc/passwd". Reads files alone, or with NEW asks NSS too, which finds the users
 * of a directory, and those that ksa made.
 */
#define KSA_WHO_SIZE 160
bool ksa_local_has_name(const struct ksa_local *local, const char *name, bool new,
                        char who[KSA_WHO_SIZE]);
/* A uid, a gid or a subordinate id. */
bool ksa_local_has_number(const struct ksa_local *local, uint32_t number, bool new,
                          char who[KSA_WHO_SIZE]);
/* Whether subuid or subgid assigns ids to that name or uid: they were written for another user. */
bool ksa_local_gives_ids(const struct ksa_local *local, const char *name, uint32_t uid,
                         char who[KSA_WHO_SIZE]);

/* The ids of this user namespace: with another one, a login dies in setuid() or setgroups(). */
const struct ksa_id_maps *ksa_local_ids(const struct ksa_local *local);

/* The gid of a local group, of the files or else of NSS. Returns false if the host has no such group. */
bool ksa_local_gid(const struct ksa_local *local, const char *group, uint32_t *ret_gid);

/* Whether membership of the group can amount to root: by its name, or by a gid of the system (below 1000). */
bool ksa_local_is_powerful(const char *group, uint32_t gid);

#endif

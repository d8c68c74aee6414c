/* SPDX-License-Identifier: BSD-2-Clause */
/* The owners of names and numbers on this host: its users, groups and subordinate ids. They come first. */
#ifndef KSA_ACCOUNTS_LOCAL_USERS_H
#define KSA_ACCOUNTS_LOCAL_USERS_H

#include "admin/accounts/id_map.h"
#include "base/error.h"
#include "base/macros.h"
#include "registry/registry.h"

struct ksa_local;

/*
 * The files, "/etc/passwd" and so on; in tests others. Those that are missing have nothing in them.
 * Their paths are borrowed for the messages.
 */
struct ksa_local_files {
        const char *passwd, *group, *subuid, *subgid;
        const char *uid_map, *gid_map; /* as id_map.h has them; NULL: all ids are mapped */
        bool ask_nss; /* getpwnam and its kin too, for names and numbers that the registry has not given */
};

/* KSA_FILE_UNREADABLE, KSA_MEMORY */
enum ksa_reason ksa_local_read(const struct ksa_local_files *files, struct ksa_local **ret_local,
                               struct ksa_error *err) KSA_MUST_CHECK;
void ksa_local_free(struct ksa_local **local);

/*
 * Who has it, as "the user 'ci_deployer' of /etc/passwd", for a message: into WHO. False where nobody has.
 * Files alone, or with NEW also what NSS says (a directory's users; ksa's own for what it already gave).
 */
#define KSA_WHO_SIZE 160
bool ksa_local_has_user(const struct ksa_local *local, const char *name, bool new,
                        char who[KSA_WHO_SIZE]);
bool ksa_local_has_group(const struct ksa_local *local, const char *name, bool new,
                         char who[KSA_WHO_SIZE]);
/* A uid or a gid of somebody's, or inside somebody's subordinate ones. */
bool ksa_local_has_number(const struct ksa_local *local, uint32_t number, bool new,
                          char who[KSA_WHO_SIZE]);
/* Whether subuid or subgid gives ids to a user of that name or uid, for whom they were not written. */
bool ksa_local_gives_ids(const struct ksa_local *local, const char *name, uint32_t uid,
                         char who[KSA_WHO_SIZE]);

/*
 * Whether this user namespace has the number as a uid and as a gid, or as a gid: without it a login as the
 * user, or with the group, dies in setuid() or setgroups().
 */
bool ksa_local_maps(const struct ksa_local *local, uint32_t number);
bool ksa_local_maps_gid(const struct ksa_local *local, uint32_t gid);

/* For a remedy, the uids that it has: ksa_id_map_tell(). */
const char *ksa_local_tell_mapped(const struct ksa_local *local, char out[KSA_ID_MAP_TEXT]);

/* The gid of a local group (files, then NSS); false where there is none. */
bool ksa_local_gid(const struct ksa_local *local, const char *group, uint32_t *ret_gid);

/* Whether membership of the group can amount to root: by its name, or by a gid of the system (below 1000). */
bool ksa_local_is_powerful(const char *group, uint32_t gid);

#endif

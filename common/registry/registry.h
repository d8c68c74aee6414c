/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the registry of local accounts: an immutable file, mapped, that ksactl replaces whole. This is
 * all that the NSS module holds of ksa, and it is in every process that asks for a user: libc alone, no
 * allocation, no lock, no state. Whoever wrote the file, nothing of it is believed before it was
 * checked, and no answer has a uid or gid that an account may not have (ksa_uid_is_usable()).
 */
#ifndef KSA_REGISTRY_H
#define KSA_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/macros.h"

/* Bytes of a user's or group's name, as useradd and utmp have it. */
#define KSA_ACCOUNT_NAME_MAX 32
/* More supplementary groups than any account has; NGROUPS_MAX is 65536. */
#define KSA_ACCOUNT_GROUPS_MAX 64
/* What a user has for a shell who may not log in. */
#define KSA_NOLOGIN "/usr/sbin/nologin"

/* What became of a question. Zero is none of them. */
enum ksa_registry_answer {
        KSA_REGISTRY_FOUND = 1,
        KSA_REGISTRY_NOT_FOUND, /* and for open: there is no such file */
        KSA_REGISTRY_BROKEN, /* damaged, hostile, of another version, not root's, or not readable */
};

/* All but REMOVED have a user that NSS knows. */
enum ksa_account_state {
        KSA_ACCOUNT_ACTIVE = 1,
        KSA_ACCOUNT_DISABLED, /* for one reason or more */
        KSA_ACCOUNT_REMOVED,  /* no source lists it; its uid and name stay its own */
        KSA_ACCOUNT_STATE_COUNT,
};

/* Why an account is disabled; one that is removed keeps its reasons. */
#define KSA_DISABLED_ADMINISTRATOR 1u
#define KSA_DISABLED_RECREATED     2u /* the cluster has another account of the same name */
#define KSA_DISABLED_CONFLICT      4u /* a local user, group or subordinate range has its name or uid */
#define KSA_DISABLED_LEADER        8u /* the host that exports the accounts disabled it */
#define KSA_DISABLED_ALL           15u

/* Flags of an account. */
#define KSA_ACCOUNT_DECLARED 1u /* an [account] section declares it */
#define KSA_ACCOUNT_POWERFUL 2u /* its groups may be those of the system (gid below 1000) */
#define KSA_ACCOUNT_LISTED   4u /* its cluster's source lists it */
#define KSA_ACCOUNT_FORMER   8u /* REMOVED: a name or uid that the account had before */
#define KSA_ACCOUNT_FLAGS    15u

/*
 * One account, as it stands in the registry. No text is NULL. Read from a registry, all texts and gids
 * point into the mapping.
 */
struct ksa_account_record {
        const char *name; /* the local user, and its private group */
        uint32_t uid;     /* and its gid */
        enum ksa_account_state state;
        unsigned reasons; /* KSA_DISABLED_*; none of an ACTIVE one */
        unsigned flags;
        const char *home;
        const char *shell; /* as configured; a user that is not active gets KSA_NOLOGIN */

        const char *cluster, *namespace, *account;
        const char *account_uid;     /* the Kubernetes uid; "" if it is not known */
        const char *new_account_uid; /* that of the re-created account, or "" */
        int64_t created; /* creationTimestamp, seconds since 1970; 0 if it is not known */
        int64_t changed; /* when its state became what it is */

        const uint32_t *groups; /* gids beside its own; that of its namespace first */
        uint32_t group_count;
        uint32_t
                passwd_size; /* of a record that was read: what ksa_registry_copy_passwd() copies */
};

/* The group of a namespace, such as k8s-ci. A private group is its account's record. */
struct ksa_group_record {
        const char *name;
        uint32_t gid;
        const char *cluster, *namespace;
        /* of accounts that are members, for ksa_registry_member(); NULL before it is written */
        const uint32_t *members;
        uint32_t member_count;
};

/* When and how the accounts of a cluster were last listed. */
struct ksa_source_record {
        const char *cluster;
        const char *version; /* resourceVersion; "" for a file */
        int64_t listed;      /* seconds since 1970 */
};

/* An open registry. Its members are registry.c's own; zeroed, it has nothing in it. */
struct ksa_registry {
        const unsigned char *bytes;
        size_t size;
        uint64_t seed;
        uint64_t serial; /* another one for each file that was written */
        int64_t made;    /* seconds since 1970 */
        size_t accounts, accounts_end, groups, groups_end, sources, sources_end; /* offsets */
        size_t members, members_end, buckets;
        uint32_t bucket_count, account_count, group_count;
        dev_t device; /* with inode, mtime and size: whether PATH is still this file */
        ino_t inode;
        int64_t mtime;
};

/*
 * Maps the file at PATH. It must be a regular file of root's or OWNER's that only its owner may write.
 *
 * ret_registry  ksa_registry_close() it; zeroed unless KSA_REGISTRY_FOUND
 * ret_why       what is wrong with it, a constant text, where it is KSA_REGISTRY_BROKEN; may be NULL
 */
enum ksa_registry_answer ksa_registry_open(const char *path, uid_t owner,
                                           struct ksa_registry *ret_registry,
                                           const char **ret_why) KSA_MUST_CHECK;

/*
 * The same of BYTES (aligned to 8, borrowed) that hold a registry; for tests, and for what was
 * written and is not yet in place. Never to be closed.
 */
enum ksa_registry_answer ksa_registry_read(const void *bytes, size_t size,
                                           struct ksa_registry *ret_registry,
                                           const char **ret_why) KSA_MUST_CHECK;
void ksa_registry_close(struct ksa_registry *registry);

/* Whether PATH is (by one stat) still the file that REGISTRY was opened from. */
bool ksa_registry_is_current(const struct ksa_registry *registry, const char *path);

/*
 * The account of a local user's name, of a uid, or of a service account. If several records have it, the
 * one that is not REMOVED, else one that is not FORMER.
 */
enum ksa_registry_answer ksa_registry_by_name(const struct ksa_registry *registry, const char *name,
                                              struct ksa_account_record *ret_record) KSA_MUST_CHECK;
enum ksa_registry_answer ksa_registry_by_uid(const struct ksa_registry *registry, uint32_t uid,
                                             struct ksa_account_record *ret_record) KSA_MUST_CHECK;
enum ksa_registry_answer
ksa_registry_by_account(const struct ksa_registry *registry, const char *cluster,
                        const char *namespace, const char *account,
                        struct ksa_account_record *ret_record) KSA_MUST_CHECK;

/* The group of a namespace, by its name or gid. */
enum ksa_registry_answer
ksa_registry_group_by_name(const struct ksa_registry *registry, const char *name,
                           struct ksa_group_record *ret_group) KSA_MUST_CHECK;
enum ksa_registry_answer
ksa_registry_group_by_gid(const struct ksa_registry *registry, uint32_t gid,
                          struct ksa_group_record *ret_group) KSA_MUST_CHECK;

/*
 * One after the other, in the order of the file (by name): *POSITION is 0 before the first, and is moved
 * on. KSA_REGISTRY_NOT_FOUND behind the last.
 */
enum ksa_registry_answer ksa_registry_next(const struct ksa_registry *registry, size_t *position,
                                           struct ksa_account_record *ret_record) KSA_MUST_CHECK;
enum ksa_registry_answer ksa_registry_next_group(const struct ksa_registry *registry,
                                                 size_t *position,
                                                 struct ksa_group_record *ret_group) KSA_MUST_CHECK;

enum ksa_registry_answer
ksa_registry_next_source(const struct ksa_registry *registry, size_t *position,
                         struct ksa_source_record *ret_source) KSA_MUST_CHECK;

/* Member NUMBER of a group read from this registry. */
enum ksa_registry_answer ksa_registry_member(const struct ksa_registry *registry,
                                             const struct ksa_group_record *group, uint32_t number,
                                             struct ksa_account_record *ret_record) KSA_MUST_CHECK;

/*
 * What getpwnam needs of a record that was read from a registry, in one piece: name, "*", gecos
 * (cluster/namespace/account), home and shell, each ended by a NUL, COPIED into BUFFER and
 * checked there.
 *
 * ret_fields  where the five begin
 * ret_size    bytes needed; set where KSA_REGISTRY_NOT_FOUND says that SIZE is less
 */
enum ksa_registry_answer ksa_registry_copy_passwd(const struct ksa_account_record *record,
                                                  char *buffer, size_t size, char *ret_fields[5],
                                                  size_t *ret_size) KSA_MUST_CHECK;

/*
 * Whether an account may have this uid or gid: not a system's, nobody's, or one that systemd
 * gives away.
 */
bool ksa_uid_is_usable(uint32_t uid);

#endif

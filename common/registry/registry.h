/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the registry of local accounts, an immutable file that ksactl replaces as a whole. The NSS
 * module maps it into every process that looks up users, so the reader uses libc alone, allocates
 * nothing, takes no lock and keeps no state. It trusts no content of the file: everything is
 * checked before use, and a record never has a uid or gid that ksa_uid_is_usable() rejects.
 */
#ifndef KSA_REGISTRY_H
#define KSA_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/macros.h"

/* Bytes of a user's or group's name, the limit of useradd and utmp. */
#define KSA_ACCOUNT_NAME_MAX 32
/* Supplementary groups of one account; far below the kernel's NGROUPS_MAX, 65536. */
#define KSA_ACCOUNT_GROUPS_MAX 64
/* The shell of accounts that are not active. */
#define KSA_NOLOGIN "/usr/sbin/nologin"

/* After the path of the registry: the mark that this host has had one (admin/registry/mark.h). */
#define KSA_REGISTRY_MARK ".made"

/* The result of a lookup. Zero is not valid. */
enum ksa_registry_answer {
        KSA_REGISTRY_FOUND = 1,
        KSA_REGISTRY_NOT_FOUND, /* open: the file does not exist */
        KSA_REGISTRY_BROKEN,    /* damaged, unreadable, of another version, or not owned by root */
};

/* NSS has users for all states except REMOVED. */
enum ksa_account_state {
        KSA_ACCOUNT_ACTIVE = 1,
        KSA_ACCOUNT_DISABLED, /* for at least one reason */
        KSA_ACCOUNT_REMOVED,  /* no source lists it; name and uid stay reserved */
        KSA_ACCOUNT_STATE_COUNT,
};

/* Why an account is disabled, as bits. A removed account keeps its reasons. */
#define KSA_DISABLED_ADMINISTRATOR 1u
#define KSA_DISABLED_RECREATED     2u /* the cluster has another account of the same name */
#define KSA_DISABLED_CONFLICT      4u /* name or uid of a local user, group or subordinate range */
#define KSA_DISABLED_LEADER        8u /* the host that exports the accounts disabled it */
#define KSA_DISABLED_ALL           15u

/* Flags of an account. */
#define KSA_ACCOUNT_DECLARED 1u /* from an [account] section */
#define KSA_ACCOUNT_POWERFUL 2u /* may be in system groups (gid below 1000) */
#define KSA_ACCOUNT_LISTED   4u /* in the list of its cluster's source */
#define KSA_ACCOUNT_FORMER   8u /* REMOVED: reserves a name or uid that the account had earlier */
#define KSA_ACCOUNT_FLAGS    15u

/*
 * One account. No text is NULL. If it was read from a registry, its texts and gids point into the
 * mapping.
 */
struct ksa_account_record {
        const char *name; /* the local user and its private group */
        uint32_t uid;     /* also the gid of its private group */
        enum ksa_account_state state;
        unsigned reasons; /* KSA_DISABLED_*; 0 if ACTIVE */
        unsigned flags;
        const char *home;
        const char *shell; /* as configured; KSA_NOLOGIN if not active */

        const char *cluster, *namespace, *account;
        const char *account_uid;     /* the Kubernetes uid; "" if unknown */
        const char *new_account_uid; /* Kubernetes uid of the re-created account, or "" */
        int64_t created;             /* creationTimestamp, seconds since 1970; 0 if unknown */
        int64_t changed;             /* time of the last change of state, seconds since 1970 */

        const uint32_t *groups; /* supplementary gids; the namespace's group first */
        uint32_t group_count;
        uint32_t passwd_size; /* set by the reader: size for ksa_registry_copy_passwd() */
};

/*
 * The group of a namespace, such as k8s-ci. Private groups have no record: their account's is used.
 */
struct ksa_group_record {
        const char *name;
        uint32_t gid;
        const char *cluster, *namespace;
        /* Ids for ksa_registry_member(); NULL in a group that is not yet written. */
        const uint32_t *members;
        uint32_t member_count;
};

/* When the accounts of a cluster were last listed. */
struct ksa_source_record {
        const char *cluster;
        int64_t listed; /* seconds since 1970 */
};

/* An open registry. Its members are private to common/registry. A zeroed one is empty. */
struct ksa_registry {
        const unsigned char *bytes;
        size_t size;
        uint64_t seed;
        uint64_t serial; /* unique to each file that was written */
        int64_t made;    /* time of writing, seconds since 1970 */
        size_t accounts, accounts_end, groups, groups_end, sources, sources_end; /* offsets */
        size_t members, members_end, buckets;
        uint32_t bucket_count, account_count, group_count;
        dev_t device; /* with inode, mtime and size: identity of the file */
        ino_t inode;
        int64_t mtime;
};

/*
 * Maps the file at PATH. It must be a regular file, owned by root or OWNER, and writable only by
 * its owner.
 *
 * ret_registry  release it with ksa_registry_close(); zeroed unless KSA_REGISTRY_FOUND
 * ret_why       for KSA_REGISTRY_BROKEN: a description, static; may be NULL
 */
enum ksa_registry_answer ksa_registry_open(const char *path, uid_t owner,
                                           struct ksa_registry *ret_registry,
                                           const char **ret_why) KSA_MUST_CHECK;

/*
 * Opens a registry in memory, for tests and for verification before the file is replaced. BYTES are
 * aligned to 8 and borrowed. Do not call ksa_registry_close().
 */
enum ksa_registry_answer ksa_registry_read(const void *bytes, size_t size,
                                           struct ksa_registry *ret_registry,
                                           const char **ret_why) KSA_MUST_CHECK;
void ksa_registry_close(struct ksa_registry *registry);

/* Whether PATH still names the file that REGISTRY was opened from. Costs one stat(). */
bool ksa_registry_is_current(const struct ksa_registry *registry, const char *path);

/*
 * Look up an account by the local user's name, its uid, or the service account. If several records
 * match, return the one that is not REMOVED, else the one that is not FORMER.
 */
enum ksa_registry_answer ksa_registry_by_name(const struct ksa_registry *registry, const char *name,
                                              struct ksa_account_record *ret_record) KSA_MUST_CHECK;
enum ksa_registry_answer ksa_registry_by_uid(const struct ksa_registry *registry, uint32_t uid,
                                             struct ksa_account_record *ret_record) KSA_MUST_CHECK;
enum ksa_registry_answer
ksa_registry_by_account(const struct ksa_registry *registry, const char *cluster,
                        const char *namespace, const char *account,
                        struct ksa_account_record *ret_record) KSA_MUST_CHECK;

/* Look up the group of a namespace by name or gid. */
enum ksa_registry_answer
ksa_registry_group_by_name(const struct ksa_registry *registry, const char *name,
                           struct ksa_group_record *ret_group) KSA_MUST_CHECK;
enum ksa_registry_answer
ksa_registry_group_by_gid(const struct ksa_registry *registry, uint32_t gid,
                          struct ksa_group_record *ret_group) KSA_MUST_CHECK;

/*
 * Iterate in the order of the file (by name). *POSITION starts at 0 and is advanced.
 * KSA_REGISTRY_NOT_FOUND after the last record.
 */
enum ksa_registry_answer ksa_registry_next(const struct ksa_registry *registry, size_t *position,
                                           struct ksa_account_record *ret_record) KSA_MUST_CHECK;
enum ksa_registry_answer ksa_registry_next_group(const struct ksa_registry *registry,
                                                 size_t *position,
                                                 struct ksa_group_record *ret_group) KSA_MUST_CHECK;

enum ksa_registry_answer
ksa_registry_next_source(const struct ksa_registry *registry, size_t *position,
                         struct ksa_source_record *ret_source) KSA_MUST_CHECK;

/* Reads member NUMBER (from 0) of a group that was read from this registry. */
enum ksa_registry_answer ksa_registry_member(const struct ksa_registry *registry,
                                             const struct ksa_group_record *group, uint32_t number,
                                             struct ksa_account_record *ret_record) KSA_MUST_CHECK;

/*
 * Copies the texts of passwd(5) into BUFFER and checks the copy: name, "*", gecos
 * (cluster/namespace/account), home and shell, each ended by a NUL. RECORD was read from a
 * registry.
 *
 * ret_fields  pointers to the five texts in BUFFER
 * ret_size    bytes needed; also set if SIZE is too small, which is KSA_REGISTRY_NOT_FOUND
 */
enum ksa_registry_answer ksa_registry_copy_passwd(const struct ksa_account_record *record,
                                                  char *buffer, size_t size, char *ret_fields[5],
                                                  size_t *ret_size) KSA_MUST_CHECK;

/*
 * Whether an account may have this uid or gid: it is not in a range of the system or systemd, and
 * is not nobody's.
 */
bool ksa_uid_is_usable(uint32_t uid);

#endif

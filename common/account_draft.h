/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The material of a plan: one entry for each service account that is wanted or that the registry has,
 * one for each namespace with a group, and the tables to find a name's and a number's owners by. All
 * is sorted rather than hashed: who makes accounts chooses their names, and could choose them to
 * collide.
 */
#ifndef KSA_ACCOUNT_DRAFT_H
#define KSA_ACCOUNT_DRAFT_H

#include "account_change.h"
#include "arena.h"

/* Who asks for a name and a number: an account, or with account "" the group of a namespace. */
struct ksa_claim {
        const char *cluster, *namespace, *account;
        unsigned rank;   /* of the source in the configuration */
        int64_t created; /* INT64_MAX where nobody said: not knowing makes nobody old */
        const char *name;
        uint32_t number;
        bool asked;  /* for the number, by an annotation; else it is computed or an [account]'s */
        bool counts; /* against others */
        /* The first in order of those that ask for the same, itself where it is. */
        const struct ksa_claim *first_name, *first_number;
};

struct ksa_draft_group;

struct ksa_draft_entry {
        struct ksa_claim claim;
        const struct ksa_draft_group *group; /* of its namespace */
        const struct ksa_wanted *wanted;     /* NULL where nobody wants it */
        const char *fault; /* why it cannot be had whatever the host; NULL for none */
        /* All that the registry has of it; there may be former names and numbers, REMOVED. */
        const struct ksa_account_record *const *records;
        size_t record_count;
        const struct ksa_account_record
                *before; /* what it is; where it is REMOVED, the last of them */
        bool accept;     /* the administrator's word is for it */
        bool held;       /* it stays as it was, because too many would change at once */
        bool overrules;  /* and ends a contest: others' claims and what it asks for anew */
        const char *why; /* it is refused, contested or made again; NULL */
        const char *remedy;
        size_t place;                    /* of what it is afterwards, in the plan's accounts */
        struct ksa_account_record after; /* its state is 0 where it has no user and gets none */
};

struct ksa_draft_group {
        struct ksa_claim claim;
        const struct ksa_group_record *before; /* NULL for a new one */
        size_t first, end;                     /* its namespace's entries */
        size_t removed;  /* records of its namespace of names and uids that were left behind */
        const char *why; /* its members lack it; NULL */
        const uint32_t
                *gid; /* one for all its members to point to, the plan's; NULL: none is made */
};

struct ksa_draft_change {
        enum ksa_change change;
        const struct ksa_draft_entry *entry;
        const char *why, *remedy;
};

struct ksa_draft {
        const struct ksa_plan_input *input;
        struct ksa_arena *arena;

        struct ksa_account_record *records; /* of the registry before */
        size_t record_count;
        const struct ksa_account_record **by_account, **by_name, **by_uid;
        struct ksa_group_record *old_groups;
        size_t old_group_count;
        const struct ksa_group_record **groups_by_gid, **groups_by_name, **groups_by_namespace;

        struct ksa_draft_entry *entries; /* ordered by account */
        size_t entry_count;
        struct ksa_draft_group *groups; /* ordered by namespace */
        size_t group_count;
        struct ksa_draft_entry *subject; /* of the administrator's wish */

        struct ksa_list formers; /* struct ksa_account_record: names and numbers that were left */
        struct ksa_list changes; /* struct ksa_draft_change */
        bool differs;
};

/*
 * Reads the registry and the list of those wanted into DRAFT, whose input and arena are set.
 * KSA_REGISTRY, KSA_MEMORY, KSA_INTERNAL
 */
enum ksa_reason ksa_draft_load(struct ksa_draft *draft, struct ksa_error *err) KSA_MUST_CHECK;
void ksa_draft_clear(struct ksa_draft *draft);

/* The entry of an account; NULL where there is none. */
struct ksa_draft_entry *ksa_draft_find(const struct ksa_draft *draft, const char *cluster,
                                       const char *namespace, const char *account);

/* Records of the registry before that have a name or uid, from *POSITION (0) on; NULL behind the last. */
const struct ksa_account_record *ksa_draft_with_name(const struct ksa_draft *draft,
                                                     const char *name, size_t *position);
const struct ksa_account_record *ksa_draft_with_uid(const struct ksa_draft *draft, uint32_t uid,
                                                    size_t *position);
const struct ksa_group_record *ksa_draft_group_with_name(const struct ksa_draft *draft,
                                                         const char *name);
const struct ksa_group_record *ksa_draft_group_with_gid(const struct ksa_draft *draft,
                                                        uint32_t gid);

/* Whether a record is of that account. */
bool ksa_draft_is_of(const struct ksa_account_record *record, const struct ksa_claim *claim);

/* Whether the account has a user that NSS knows. */
bool ksa_draft_has_user(const struct ksa_draft_entry *entry);

/* Whether an [account] section declares it. */
bool ksa_draft_is_declared(const struct ksa_draft_entry *entry);

/* "prod:ci/deployer", quoted, for messages. */
const char *ksa_draft_account(struct ksa_draft *draft, const char *cluster, const char *namespace,
                              const char *account);

/* Text of somebody else's, quoted, for messages. */
const char *ksa_draft_quote(struct ksa_draft *draft, const char *text);

/* Notes a change; that memory ran out is the arena's to remember. */
void ksa_draft_tell(struct ksa_draft *draft, enum ksa_change change,
                    const struct ksa_draft_entry *entry, const char *why, const char *remedy);

#endif

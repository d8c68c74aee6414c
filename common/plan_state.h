/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The material of a plan: one entry for each account, one group for each namespace. All is sorted rather than
 * hashed, because the names are chosen by whoever creates accounts.
 */
#ifndef KSA_PLAN_STATE_H
#define KSA_PLAN_STATE_H

#include "account_change.h"
#include "arena.h"

/* An owner of a name and a number: an account, or with account "" the group of a namespace. */
struct ksa_party {
        const char *cluster, *namespace, *account;
};

/* What a party asks for, and why it does not get it. */
struct ksa_request {
        const char *name;
        uint32_t number;
        enum ksa_refusal refusal;
        const char *why, *remedy; /* NULL without a refusal */
};

struct ksa_plan_group;

struct ksa_plan_entry {
        struct ksa_party party;
        const struct ksa_desired *section; /* that declares it, or NULL */
        const struct ksa_desired *item;    /* that lists it, or NULL */
        /* Names and uids that are the account's on the leader, without a user. */
        const struct ksa_desired *const *reserved;
        size_t reserved_count;
        const struct ksa_account_record *before; /* NULL for a newcomer */
        const struct ksa_account_record *const *formers;
        size_t former_count;
        struct ksa_plan_group *group; /* of its namespace */
        struct ksa_request request;
        struct ksa_account_record after; /* its state is 0 if it has no user and gets none */
        size_t place;                    /* of `after` in the plan's accounts */
};

struct ksa_plan_group {
        struct ksa_party party;
        const struct ksa_group_record *before;   /* NULL for a new one */
        const struct ksa_desired_group *desired; /* of a leader's file, or NULL */
        size_t first, end;                       /* entries of its namespace */
        size_t left;                             /* records of it without a user, after this run */
        struct ksa_request request;
        const uint32_t *gid; /* shared by its members' records; NULL if there is no group */
};

/* A claim to a name and a number; of several the lowest order has it, and 0 is given already. */
struct ksa_claim {
        const struct ksa_party *party;
        const char *name;
        uint32_t number;
        size_t order;
        bool gone; /* given, and the party has no user by it now */
};

struct ksa_noted_change {
        enum ksa_change change;
        enum ksa_refusal refusal;
        const struct ksa_plan_entry *entry;
        const char *why, *remedy;
};

struct ksa_plan_state {
        const struct ksa_plan_input *input;
        struct ksa_arena *arena;
        struct ksa_list records;    /* struct ksa_account_record, of the registry before */
        struct ksa_list old_groups; /* struct ksa_group_record */
        const struct ksa_account_record **by_account;
        const struct ksa_desired **desired;        /* by account */
        const struct ksa_group_record **by_namespace;
        const struct ksa_desired_group **leader_groups; /* by namespace */
        struct ksa_plan_entry *entries;            /* by account */
        size_t entry_count;
        struct ksa_plan_group *groups; /* by namespace */
        size_t group_count;
        struct ksa_plan_entry *subject; /* of the wish, or NULL */
        struct ksa_list claims;         /* struct ksa_claim */
        const struct ksa_claim **claims_by_name, **claims_by_number;
        struct ksa_list formers; /* struct ksa_account_record: names and uids that are left now */
        struct ksa_list changes; /* struct ksa_noted_change */
        bool differs;
};

/* Reads the registry and the desired accounts. KSA_REGISTRY, KSA_MEMORY */
enum ksa_reason ksa_plan_state_load(struct ksa_plan_state *state,
                                    struct ksa_error *err) KSA_MUST_CHECK;
void ksa_plan_state_clear(struct ksa_plan_state *state);

/* By cluster, namespace and account, as strcmp(). */
int ksa_party_compare(const struct ksa_party *one, const struct ksa_party *other);

/* COUNT pointers to items of SIZE bytes, ordered, and a NULL; NULL if memory runs out. */
void *ksa_plan_sorted(const void *items, size_t count, size_t size,
                      int (*compare)(const void *a, const void *b)) KSA_MUST_CHECK;

/* Whether a section or a source has the account now. */
bool ksa_plan_is_desired(const struct ksa_plan_entry *entry);
bool ksa_plan_has_user(const struct ksa_plan_entry *entry);

/* "prod:ci/deployer" or "the group of prod:ci"; NAME in quotation marks. Both safe for messages. */
const char *ksa_plan_party(struct ksa_plan_state *state, const struct ksa_party *party);
const char *ksa_plan_quote(struct ksa_plan_state *state, const char *name);

/* Notes a change. That memory ran out is in the arena. */
void ksa_plan_note(struct ksa_plan_state *state, enum ksa_change change, enum ksa_refusal refusal,
                   const struct ksa_plan_entry *entry, const char *why, const char *remedy);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of a plan, shared by its parts (plan_*.c): one entry for each account and one group for each
 * namespace. They are sorted rather than hashed, because tenants choose the names.
 */
#ifndef KSA_PLAN_STATE_H
#define KSA_PLAN_STATE_H

#include "admin/accounts/changes.h"
#include "admin/accounts/arena.h"
#include "base/error.h"

/* An owner of a name and a number: an account, or with account "" the group of a namespace. */
struct ksa_party {
        const char *cluster, *namespace, *account;
};

/* The name and number that a party requests, and the reason to refuse them. */
struct ksa_allocation {
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
        const struct ksa_desired *removed; /* the leader has it without a user, or NULL */
        struct ksa_list leader_formers; /* const struct ksa_desired *: former users of it there */
        const struct ksa_account_record *before; /* NULL for a newcomer */
        const struct ksa_account_record
                *merged;              /* of the same account under the new cluster name, or NULL */
        struct ksa_list formers;      /* const struct ksa_account_record *, each once */
        struct ksa_plan_group *group; /* of its namespace */
        struct ksa_allocation request;
        struct ksa_account_record after; /* its state is 0 if it has no user and gets none */
};

struct ksa_plan_group {
        struct ksa_party party;
        const struct ksa_group_record *before;   /* NULL for a new one */
        const struct ksa_group_record *merged;   /* of the new cluster name, or NULL */
        const struct ksa_desired_group *desired; /* of a leader's file, or NULL */
        size_t first, end;                       /* entries of its namespace */
        size_t left;                             /* records of it without a user, after this run */
        struct ksa_allocation request;
        uint32_t gid; /* shared by its members' records; 0 if there is no group */
};

/* A claim to a name and a number. The first of several claims wins. */
struct ksa_claim {
        const struct ksa_party *party;
        const char *name;
        uint32_t number;
        bool given; /* on this host; else requested */
        bool gone;  /* given, and the party has no user by it now */
        /* The order of requests: sections in the order of their array, then by age. */
        const struct ksa_account *section;
        int64_t created;
};

struct ksa_plan_state {
        const struct ksa_plan_input *input;
        struct ksa_arena *arena;
        struct ksa_plan_entry
                *entries; /* by account; in the arena, as changes point to their records */
        size_t entry_count;
        struct ksa_plan_group
                *groups; /* by namespace; in the arena, as records point to their gids */
        size_t group_count;
        struct ksa_plan_entry *subject; /* of the administrator's decision, or NULL */
        struct ksa_list claims;         /* struct ksa_claim */
        const struct ksa_claim **claims_by_name, **claims_by_number;
        struct ksa_list records; /* struct ksa_account_record: of the next registry */
        struct ksa_list changes; /* struct ksa_plan_change */
        bool differs;
        bool twice; /* the registry has an account or group twice */
};

/* Reads the registry and the desired accounts. KSA_REGISTRY, KSA_MEMORY */
enum ksa_reason ksa_plan_state_load(struct ksa_plan_state *state,
                                    struct ksa_error *err) KSA_MUST_CHECK;
void ksa_plan_state_clear(struct ksa_plan_state *state);

/* Whether a section or a source has the account now. */
bool ksa_plan_is_desired(const struct ksa_plan_entry *entry);
bool ksa_plan_has_user(const struct ksa_plan_entry *entry);
/* The account in its source: as listed, or as removed on the leader; NULL if its source does not have it. */
const struct ksa_desired *ksa_plan_in_source(const struct ksa_plan_entry *entry);

/* The options home and shell of its section or, without one, of its source; NULL if they are not set. */
void ksa_plan_options(const struct ksa_plan_entry *entry, const char **ret_home,
                      const char **ret_shell);

bool ksa_plan_is_same_user(const struct ksa_account_record *record, const char *name, uint32_t uid);
bool ksa_plan_is_former(const struct ksa_plan_entry *entry, const char *name, uint32_t uid);

/* Keeps a name and uid for the account of RECORD, as a former user of it, unless it has that one already. */
void ksa_plan_add_former(struct ksa_plan_state *state, struct ksa_plan_entry *entry,
                         const struct ksa_account_record *record, const char *name, uint32_t uid);

/* "prod:ci/deployer" or "the group of prod:ci"; NAME in quotation marks. Both safe for messages. */
const char *ksa_plan_party(struct ksa_plan_state *state, const struct ksa_party *party);
const char *ksa_plan_quote(struct ksa_plan_state *state, const char *name);

/* Adds a copy of an item of SIZE bytes. If memory runs out, the arena has failed. */
void ksa_plan_add(struct ksa_plan_state *state, struct ksa_list *list, const void *item,
                  size_t size);

/* A copy of an item of SIZE bytes in the arena. Returns NULL if memory runs out. */
const void *ksa_plan_keep(struct ksa_plan_state *state, const void *item, size_t size);

/* Notes a change. */
void ksa_plan_note(struct ksa_plan_state *state, enum ksa_change change, enum ksa_refusal refusal,
                   const struct ksa_plan_entry *entry, const char *why, const char *remedy);

/* --- allocate.c -------------------------------------------------------- */

/*
 * The owners of names and numbers. Given ones stay their account's for good. Of newcomers with one request
 * the first has a claim to it, even if this host then refuses it: [account] sections in the order of the
 * configuration, then listed accounts by creation, namespace, name and cluster.
 */

/* Fills the requests of all entries and groups, and the claims. KSA_INTERNAL, KSA_MEMORY */
enum ksa_reason ksa_plan_allocate(struct ksa_plan_state *state,
                                  struct ksa_error *err) KSA_MUST_CHECK;

/* Refuses a uid outside uid_range, which only an [account] section may request. */
bool ksa_plan_check_range(struct ksa_plan_state *state, struct ksa_allocation *request);

/*
 * Check a name (number) that an entry or group has not yet. Return false and fill the request's refusal if
 * it may not have it. DECLARED is of the entry; an [account] section may declare a user of a directory.
 */
bool ksa_plan_check_name(struct ksa_plan_state *state, const struct ksa_party *party, bool declared,
                         struct ksa_allocation *request);
bool ksa_plan_check_number(struct ksa_plan_state *state, const struct ksa_party *party,
                           bool declared, struct ksa_allocation *request);

/* Whether ENTRY may get its first name and uid. */
bool ksa_plan_check_newcomer(struct ksa_plan_state *state, struct ksa_plan_entry *entry);

/*
 * The user, group or range of this host that owns the name or number; NULL if both are free. With FRESH, NSS
 * is asked too.
 */
const char *ksa_plan_conflict(struct ksa_plan_state *state, const char *name, uint32_t number,
                              bool fresh);

/* --- plan_decide.c, groups.c, plan_report.c ------------------------------ */

/* Fills ENTRY's `after`, except for its groups, and notes names and uids that it leaves. */
void ksa_plan_decide(struct ksa_plan_state *state, struct ksa_plan_entry *entry);

/* Gives the active accounts their groups: that of their namespace, and those that a section names. */
enum ksa_reason ksa_plan_groups(struct ksa_plan_state *state, struct ksa_error *err) KSA_MUST_CHECK;

/* Notes the changes of ENTRY, once the groups are decided. */
void ksa_plan_report(struct ksa_plan_state *state, const struct ksa_plan_entry *entry);

#endif

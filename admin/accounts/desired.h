/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The accounts that should have a local user: those that [account] sections declare, that an API server or a
 * leader's file lists, and that the registry has of a source that was not read.
 */
#ifndef KSA_DESIRED_H
#define KSA_DESIRED_H

#include "admin/accounts/arena.h"
#include "base/error.h"
#include "base/macros.h"
#include "config/types.h"
#include "registry/registry.h"

/* The state of an account in a leader's file. */
enum ksa_leader_state {
        KSA_LEADER_NONE = 0, /* the account does not come from a leader's file */
        KSA_LEADER_USER,     /* a user, active or disabled */
        KSA_LEADER_REMOVED,  /* a name and uid that are the account's, but it has no user */
        KSA_LEADER_FORMER,   /* the same of a name or uid that it had before */
};

/* No text is NULL. All are owned by the list, or borrowed from an object that outlives it. */
struct ksa_desired {
        const char *cluster, *namespace, *account;
        const char *account_uid; /* the Kubernetes uid; "" for an [account] without account_uid */
        int64_t created;         /* seconds since 1970; 0 if it is not known */
        const char *name;        /* of the local user; "" for the computed one */
        uint32_t uid;            /* 0 for the computed one */
        const struct ksa_account *section; /* that declares it; NULL for a listed one */
        const struct ksa_accounts *source; /* that lists it; NULL for a declared one */
        enum ksa_leader_state leader;
        bool disabled; /* on the leader, for any reason; a removed account too */
        bool kept;     /* its source was not read: the registry has it */
};

/* The group of a namespace in a leader's file. */
struct ksa_desired_group {
        const char *cluster, *namespace, *name;
        uint32_t gid;
};

struct ksa_desired_list {
        struct ksa_desired *items;
        size_t count;
        struct ksa_list groups; /* struct ksa_desired_group */
        struct ksa_arena texts;
};

/* Adds a copy of ITEM, whose texts are borrowed. KSA_MEMORY, also if ksa_desired_keep() has failed */
enum ksa_reason ksa_desired_add(struct ksa_desired_list *list, const struct ksa_desired *item,
                                struct ksa_error *err) KSA_MUST_CHECK;

/* A copy of TEXT that the list owns; "" if memory runs out. */
const char *ksa_desired_keep(struct ksa_desired_list *list, const char *text);

void ksa_desired_clear(struct ksa_desired_list *list);

/* Adds the accounts that [account] sections declare. KSA_MEMORY */
enum ksa_reason ksa_desired_declared(const struct ksa_config *config, struct ksa_desired_list *list,
                                     struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Adds the accounts that SOURCE listed last, as far as it still covers their namespaces, for a run that does
 * not read it. The registry has its cluster under the name CLUSTER. KSA_REGISTRY, KSA_MEMORY
 */
enum ksa_reason ksa_desired_known(const struct ksa_accounts *source, const char *cluster,
                                  const struct ksa_registry *registry,
                                  struct ksa_desired_list *list,
                                  struct ksa_error *err) KSA_MUST_CHECK;

/* Whether SOURCE lists NAMESPACE. */
bool ksa_source_covers(const struct ksa_accounts *source, const char *namespace);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accounts that a source says should have a local user: what a [account] section declares, an API server
 * lists, a file brings, or the registry already has.
 */
#ifndef KSA_WANTED_H
#define KSA_WANTED_H

#include "error.h"
#include "macros.h"
#include "registry.h"
#include "section.h"

/* No text is NULL. All owned by the list (ksa_wanted_clear), or borrowed from what outlives it. */
struct ksa_wanted {
        const char *cluster, *namespace, *account;
        const char *account_uid; /* the Kubernetes uid; "" for an [account] without */
        int64_t created;         /* seconds since 1970; 0 where nobody said */
        const char *name;        /* of the local user; "" for the computed one */
        uint32_t uid;            /* 0 for the computed one */
        const char *home;        /* "" for /home/NAME; of [accounts] the folder of the homes */
        const char *shell;       /* "" for /bin/sh */
        const struct ksa_account *section; /* that declares it; NULL for a listed one */
        const struct ksa_accounts *source; /* that lists it; NULL for a declared one */
        unsigned rank;     /* of its source in the configuration: 0 for [account], then in order */
        const char *fault; /* why the source may not ask for its name or uid, in words; "" for none:
                              refused where it has no user yet, contested where it has */
        bool kept;         /* its source was not asked: it is what the registry has */
};

struct ksa_wanted_list {
        struct ksa_wanted *items;
        size_t count, room;
        struct ksa_list texts; /* char *, owned */
};

/* Adds ITEM as it is; the texts it points to stay the caller's. False when memory runs out. */
bool ksa_wanted_add(struct ksa_wanted_list *list, const struct ksa_wanted *item) KSA_MUST_CHECK;

/* A copy of TEXT that the list owns; NULL when memory runs out. */
const char *ksa_wanted_keep(struct ksa_wanted_list *list, const char *text) KSA_MUST_CHECK;

void ksa_wanted_clear(struct ksa_wanted_list *list);

/* Adds what the [account] sections declare. KSA_MEMORY */
enum ksa_reason ksa_wanted_declared(const struct ksa_config *config, struct ksa_wanted_list *list,
                                    struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Adds what the registry has of the source of CLUSTER as it is: for a run that does not ask that
 * cluster. Accounts that are REMOVED, or declared, are not added; nor those of namespaces that the
 * source no longer names.
 */
enum ksa_reason ksa_wanted_known(const struct ksa_config *config, const struct ksa_accounts *source,
                                 unsigned rank, const struct ksa_registry *registry,
                                 struct ksa_wanted_list *list,
                                 struct ksa_error *err) KSA_MUST_CHECK;

/* Whether a source covers an account: by its namespace; "default" never, which every namespace has. */
bool ksa_source_covers(const struct ksa_accounts *source, const char *namespace,
                       const char *account);

#endif

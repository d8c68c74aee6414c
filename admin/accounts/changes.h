/* SPDX-License-Identifier: BSD-2-Clause */
/* The input of a plan, and the changes that it reports of accounts. */
#ifndef KSA_ACCOUNTS_CHANGES_H
#define KSA_ACCOUNTS_CHANGES_H

#include "admin/accounts/desired.h"
#include "admin/accounts/local_users.h"
#include "registry/registry.h"

/* An administrator's decision about one user. */
enum ksa_plan_action {
        KSA_ACTION_NONE = 0,
        KSA_ACTION_DISABLE,
        KSA_ACTION_ENABLE, /* lifts the reasons that the registry has */
};

struct ksa_plan_input {
        const struct ksa_registry *before; /* zeroed before the first sync */
        const struct ksa_desired_list *desired;
        const struct ksa_local *local;
        const struct ksa_config *config;
        int64_t now;
        enum ksa_plan_action action;
        const char *user; /* that the action is about */
        /* The cluster OLD_CLUSTER of the registry is called NEW_CLUSTER from now on; NULL for none. */
        const char *old_cluster, *new_cluster;
};

enum ksa_change {
        KSA_CHANGE_ADDED = 1,
        KSA_CHANGE_RETURNED, /* it was removed, and has the same user again */
        KSA_CHANGE_REMOVED,
        KSA_CHANGE_DISABLED,
        KSA_CHANGE_ENABLED,
        KSA_CHANGE_RENAMED,
        KSA_CHANGE_RENUMBERED,
        KSA_CHANGE_MODIFIED, /* home, shell, groups, Kubernetes uid */
        KSA_CHANGE_REFUSED,  /* it gets no user; or a leader's record that is not kept here */
        KSA_CHANGE_WARNING, /* it keeps its user, but not all of its configuration can be applied */
        KSA_CHANGE_COUNT,
};

/* Reasons to refuse a name, a uid, a group or a user. */
enum ksa_refusal {
        KSA_REFUSAL_NONE = 0,
        KSA_REFUSAL_UNUSABLE,     /* no user may have such a name, uid or text */
        KSA_REFUSAL_FULL,         /* its namespace has left too many names behind */
        KSA_REFUSAL_RANGE,        /* the leader's uid is outside uid_range */
        KSA_REFUSAL_NAME_TAKEN,   /* by another account or group */
        KSA_REFUSAL_NUMBER_TAKEN, /* by another account or group */
        KSA_REFUSAL_NAME_LOCAL,   /* a user or group of this host has it */
        KSA_REFUSAL_NUMBER_LOCAL, /* a user, group or subordinate range of this host has it */
        KSA_REFUSAL_UNMAPPED,     /* not an id of this user namespace */
        KSA_REFUSAL_UID_DIFFERS,  /* it has another uid here than on the leader */
        KSA_REFUSAL_GROUP,        /* a group that an [account] section names */
        KSA_REFUSAL_COUNT,
};

/* The texts are the plan's. */
struct ksa_plan_change {
        enum ksa_change change;
        enum ksa_refusal refusal;
        const struct ksa_account_record
                *record;    /* as it will be; of a refused one, as it would be */
        const char *why;    /* "" for a change that needs no explanation */
        const char *remedy; /* "" for none */
};

/* "added", "removed", … */
const char *ksa_change_name(enum ksa_change change);
/* "uid-taken", …; "" for none. */
const char *ksa_refusal_name(enum ksa_refusal refusal);
/* Whether CHANGE is a difference from before. Each run reports the others again. */
bool ksa_change_is_new(enum ksa_change change);

#endif

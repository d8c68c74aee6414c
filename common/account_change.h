/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plan is asked, and the changes that it answers with. */
#ifndef KSA_ACCOUNT_CHANGE_H
#define KSA_ACCOUNT_CHANGE_H

#include "local.h"
#include "wanted.h"

enum ksa_change {
        KSA_CHANGE_ADDED = 1,
        KSA_CHANGE_RETURNED,  /* was removed, or made again, and is back: the same Kubernetes uid */
        KSA_CHANGE_REMOVED,   /* no source has it any more */
        KSA_CHANGE_RECREATED, /* another Kubernetes uid: refused until accepted */
        KSA_CHANGE_ACCEPTED,  /* by the administrator, or by recreated = accept */
        KSA_CHANGE_RETIRED,
        KSA_CHANGE_CONTESTED, /* refused until the administrator decides */
        KSA_CHANGE_RENAMED,
        KSA_CHANGE_RENUMBERED,
        KSA_CHANGE_MODIFIED, /* home, shell, groups; or what is kept for later runs to decide by */
        KSA_CHANGE_HELD,     /* would be removed or contested, with too many others: stays */
        KSA_CHANGE_REFUSED,  /* has no local user, and got none */
        KSA_CHANGE_WARNING,  /* has one, less something: a group; or is refused, as it was before */
        KSA_CHANGE_COUNT,
};

/* The texts are the plan's. */
struct ksa_plan_change {
        enum ksa_change change;
        const struct ksa_account_record
                *record;    /* as it will be; what was refused as it would have been */
        const char *why;    /* in words; "" where the change says it all */
        const char *remedy; /* "" for none */
};

/* What an administrator asks for, beside what follows from the sources. */
enum ksa_plan_wish {
        KSA_WISH_NONE = 0,
        KSA_WISH_ACCEPT, /* the account made again, contested or retired, of this user */
        KSA_WISH_RETIRE,
};

struct ksa_plan_input {
        const struct ksa_registry *before; /* zeroed where there is none yet */
        const struct ksa_wanted_list *wanted;
        const struct ksa_local *local;
        struct ksa_uid_range range;
        int64_t now;
        bool force; /* hold nothing, however much goes */
        enum ksa_plan_wish wish;
        const char *user; /* whom the wish is about */
};

/* "added", "removed", … */
const char *ksa_change_word(enum ksa_change change);
/* "active", "retired", … */
const char *ksa_account_state_word(enum ksa_account_state state);

/* Whether it is about a difference from before; else it is told each time. */
bool ksa_change_is_new(enum ksa_change change);

#endif

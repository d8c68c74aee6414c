/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account_change.h"

const char *ksa_change_word(enum ksa_change change)
{
        static const char *const words[] = {
                [KSA_CHANGE_ADDED] = "added",
                [KSA_CHANGE_RETURNED] = "returned",
                [KSA_CHANGE_REMOVED] = "removed",
                [KSA_CHANGE_RECREATED] = "recreated",
                [KSA_CHANGE_ACCEPTED] = "accepted",
                [KSA_CHANGE_RETIRED] = "retired",
                [KSA_CHANGE_CONTESTED] = "contested",
                [KSA_CHANGE_RENAMED] = "renamed",
                [KSA_CHANGE_RENUMBERED] = "renumbered",
                [KSA_CHANGE_MODIFIED] = "modified",
                [KSA_CHANGE_HELD] = "held",
                [KSA_CHANGE_REFUSED] = "refused",
                [KSA_CHANGE_WARNING] = "warning",
        };

        _Static_assert(KSA_COUNT(words) == KSA_CHANGE_COUNT, "a word for each change");
        return change < KSA_CHANGE_COUNT && words[change] != NULL ? words[change] : "unknown";
}

const char *ksa_account_state_word(enum ksa_account_state state)
{
        static const char *const words[] = {
                [KSA_ACCOUNT_ACTIVE] = "active",       [KSA_ACCOUNT_RETIRED] = "retired",
                [KSA_ACCOUNT_RECREATED] = "recreated", [KSA_ACCOUNT_CONTESTED] = "contested",
                [KSA_ACCOUNT_REMOVED] = "removed",
        };

        _Static_assert(KSA_COUNT(words) == KSA_ACCOUNT_STATE_COUNT, "a word for each state");
        return state < KSA_ACCOUNT_STATE_COUNT && words[state] != NULL ? words[state] : "unknown";
}

bool ksa_change_is_new(enum ksa_change change)
{
        return change != KSA_CHANGE_HELD && change != KSA_CHANGE_REFUSED &&
               change != KSA_CHANGE_WARNING;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/accounts/changes.h"

const char *ksa_change_name(enum ksa_change change)
{
        static const char *const names[] = {
                [KSA_CHANGE_ADDED] = "added",           [KSA_CHANGE_RETURNED] = "returned",
                [KSA_CHANGE_REMOVED] = "removed",       [KSA_CHANGE_DISABLED] = "disabled",
                [KSA_CHANGE_ENABLED] = "enabled",       [KSA_CHANGE_RENAMED] = "renamed",
                [KSA_CHANGE_RENUMBERED] = "renumbered", [KSA_CHANGE_MODIFIED] = "modified",
                [KSA_CHANGE_REFUSED] = "refused",       [KSA_CHANGE_WARNING] = "warning",
        };

        _Static_assert(KSA_COUNT(names) == KSA_CHANGE_COUNT, "a name for each change");
        return change < KSA_CHANGE_COUNT && names[change] != NULL ? names[change] : "unknown";
}

const char *ksa_refusal_name(enum ksa_refusal refusal)
{
        static const char *const names[] = {
                [KSA_REFUSAL_NONE] = "",
                [KSA_REFUSAL_UNUSABLE] = "unusable",
                [KSA_REFUSAL_FULL] = "namespace-full",
                [KSA_REFUSAL_RANGE] = "uid-outside-range",
                [KSA_REFUSAL_NAME_TAKEN] = "name-taken",
                [KSA_REFUSAL_NUMBER_TAKEN] = "uid-taken",
                [KSA_REFUSAL_NAME_LOCAL] = "name-local",
                [KSA_REFUSAL_NUMBER_LOCAL] = "uid-local",
                [KSA_REFUSAL_UNMAPPED] = "uid-unmapped",
                [KSA_REFUSAL_UID_DIFFERS] = "uid-differs",
                [KSA_REFUSAL_GROUP] = "group-unusable",
        };

        _Static_assert(KSA_COUNT(names) == KSA_REFUSAL_COUNT, "a name for each refusal");
        return refusal < KSA_REFUSAL_COUNT ? names[refusal] : "";
}

bool ksa_change_is_new(enum ksa_change change)
{
        return change != KSA_CHANGE_REFUSED && change != KSA_CHANGE_WARNING;
}

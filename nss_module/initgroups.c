/* SPDX-License-Identifier: BSD-2-Clause */
/* Returns a user's supplementary groups from its record, without enumerating all groups. */
#include "nss_ksa.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "map.h"
#include "name.h"

/* The caller's array, which this module may enlarge with realloc (glibc's contract). */
struct list {
        long *start; /* number of groups in it */
        long *size;  /* its capacity */
        gid_t **groups;
        long limit; /* maximum of size; 0 or less: no limit */
};

/* Makes room for one more group. False if memory runs out. *RET_FULL: the limit is reached. */
static bool make_room(const struct list *list, bool *ret_full)
{
        long size = *list->size;

        *ret_full = false;
        if (*list->start < size)
                return true;
        if (list->limit > 0 && size >= list->limit) {
                *ret_full = true;
                return true;
        }
        long larger = size < 8 ? 16 : size > LONG_MAX / 2 ? LONG_MAX : 2 * size;
        if (list->limit > 0 && larger > list->limit)
                larger = list->limit;
        gid_t *groups = reallocarray(*list->groups, (size_t)larger, sizeof(**list->groups));
        if (groups == NULL)
                return false;
        *list->groups = groups;
        *list->size = larger;
        return true;
}

static enum ksa_nss_outcome add_groups(const struct ksa_account_record *record, gid_t primary,
                                       const struct list *list)
{
        for (uint32_t i = 0; i < record->group_count; i++) {
                gid_t gid = record->groups[i];
                bool full = false;

                if (gid == primary)
                        continue;
                if (!make_room(list, &full))
                        return KSA_NSS_NO_MEMORY;
                if (full)
                        break;
                (*list->groups)[(*list->start)++] = gid;
        }
        return KSA_NSS_FOUND;
}

static enum ksa_nss_outcome find_groups(const char *name, gid_t primary, const struct list *list)
{
        struct ksa_account_record record;
        struct ksa_map map;
        enum ksa_registry_answer answer = ksa_map_take(&map);

        if (answer != KSA_REGISTRY_FOUND)
                return ksa_nss_outcome(answer);
        answer = ksa_registry_by_name(map.registry, name, &record);
        enum ksa_nss_outcome outcome = ksa_nss_outcome(answer);
        if (answer == KSA_REGISTRY_FOUND && record.state == KSA_ACCOUNT_REMOVED)
                outcome = KSA_NSS_UNKNOWN;
        /* A disabled user still exists, but has no supplementary groups. */
        if (answer == KSA_REGISTRY_FOUND && record.state == KSA_ACCOUNT_ACTIVE)
                outcome = add_groups(&record, primary, list);
        ksa_map_give(&map);
        return outcome;
}

KSA_EXPORT enum nss_status _nss_ksa_initgroups_dyn(const char *name, gid_t primary, long *start,
                                                   long *size, gid_t **groupsp, long limit,
                                                   int *errnop)
{
        int kept = errno;
        const struct list list = {start, size, groupsp, limit};
        enum ksa_nss_outcome outcome = KSA_NSS_UNKNOWN;

        if (ksa_nss_name_may_be_ours(name))
                outcome = find_groups(name, primary, &list);
        return ksa_nss_end(outcome, kept, errnop);
}

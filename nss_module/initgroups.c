/* SPDX-License-Identifier: BSD-2-Clause */
/* The supplementary groups of a user, without going through all groups there are. */
#include "nss_ksa.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "map.h"
#include "name.h"

/* The caller's list, which glibc has us make larger by realloc. */
struct list {
        long *start; /* how many there are */
        long *size;  /* how many there is room for */
        gid_t **groups;
        long limit; /* how many there may be; none where it is not above zero */
};

/* Room for one more. False when memory runs out; *RET_FULL: no more are wanted. */
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
        long wanted = size < 8 ? 16 : size > LONG_MAX / 2 ? LONG_MAX : 2 * size;
        if (list->limit > 0 && wanted > list->limit)
                wanted = list->limit;
        gid_t *groups = reallocarray(*list->groups, (size_t)wanted, sizeof(**list->groups));
        if (groups == NULL)
                return false;
        *list->groups = groups;
        *list->size = wanted;
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
        /* Who is retired or contested is a user still, and nothing more. */
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

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registry as mapped by this process. It stays mapped between calls. A call checks for a new
 * file if its thread has not done so in this second. Nothing here blocks: a lookup may run in a
 * signal handler, in a child that was forked during a lookup, or in any number of threads.
 */
#ifndef KSA_NSS_MAP_H
#define KSA_NSS_MAP_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/macros.h"
#include "registry/registry.h"
#include "status.h"

/*
 * Lookups that can run at the same time with a cached mapping; further ones map the file themselves
 * (50 us).
 */
#define KSA_MAP_SLOTS 4

struct ksa_map_slot;

struct ksa_map {
        const struct ksa_registry *registry;
        struct ksa_map_slot *slot; /* NULL: `local` is mapped for this call */
        struct ksa_registry local;
};

/*
 * Returns the registry. On KSA_REGISTRY_FOUND, ksa_map_give() it in the same call; otherwise
 * nothing is held.
 */
enum ksa_registry_answer ksa_map_take(struct ksa_map *ret_map) KSA_MUST_CHECK;
void ksa_map_give(struct ksa_map *map);

/*
 * An enumeration. It uses one file from beginning to end, even if the file is replaced meanwhile.
 */
struct ksa_listing {
        atomic_bool taken;
        bool open;
        struct ksa_registry registry;
        size_t accounts,
                groups; /* positions for ksa_registry_next() and ksa_registry_next_group() */
        bool accounts_over;
};

/*
 * Start or restart, and end an enumeration. KSA_NSS_BUSY: another thread uses it, or did when the
 * process was forked.
 */
enum ksa_nss_outcome ksa_listing_begin(struct ksa_listing *listing) KSA_MUST_CHECK;
enum ksa_nss_outcome ksa_listing_end(struct ksa_listing *listing) KSA_MUST_CHECK;

/*
 * Locks the enumeration for one step, and starts it if necessary. On KSA_NSS_FOUND,
 * ksa_listing_give() it.
 */
enum ksa_nss_outcome ksa_listing_take(struct ksa_listing *listing) KSA_MUST_CHECK;
void ksa_listing_give(struct ksa_listing *listing);

#endif

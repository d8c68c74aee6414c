/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registry, as this process has it mapped. It stays mapped between calls, and a call looks for a
 * new file only when the second has changed, or for a thread that has not looked in it. Nothing here
 * waits for anybody: a lookup may run in a signal handler, in a child whose parent forked in the
 * middle of one, or beside any number of threads.
 */
#ifndef KSA_NSS_MAP_H
#define KSA_NSS_MAP_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/macros.h"
#include "registry/registry.h"
#include "status.h"

/* How many threads find a mapping that is kept; one more maps the file for its own call (50 us). */
#define KSA_MAP_SLOTS 4

struct ksa_map_slot;

struct ksa_map {
        const struct ksa_registry *registry;
        struct ksa_map_slot *slot; /* NULL: OWN is this call's alone */
        struct ksa_registry own;
};

/*
 * ret_map  ksa_map_give() it back, in the same call; the registry is in it where the answer is
 *          KSA_REGISTRY_FOUND, and there is nothing to give back otherwise
 */
enum ksa_registry_answer ksa_map_take(struct ksa_map *ret_map) KSA_MUST_CHECK;
void ksa_map_give(struct ksa_map *map);

/* An enumeration sees one file from its beginning to its end, whatever takes that file's place meanwhile. */
struct ksa_listing {
        atomic_bool taken;
        bool open;
        struct ksa_registry registry;
        size_t accounts,
                groups; /* how far it came: positions of ksa_registry_next() and next_group() */
        bool accounts_over;
};

/*
 * Before the first, again after the last, and the end of it. KSA_NSS_BUSY: another thread is inside, or was
 * when the process forked.
 */
enum ksa_nss_outcome ksa_listing_begin(struct ksa_listing *listing) KSA_MUST_CHECK;
enum ksa_nss_outcome ksa_listing_end(struct ksa_listing *listing) KSA_MUST_CHECK;

/* For one step: begins it where nobody did. ksa_listing_give() it back where the outcome is KSA_NSS_FOUND. */
enum ksa_nss_outcome ksa_listing_take(struct ksa_listing *listing) KSA_MUST_CHECK;
void ksa_listing_give(struct ksa_listing *listing);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Four slots with a try-lock each. A blocking lock would deadlock in a child that was forked during
 * another thread's lookup, and in a signal handler that interrupts a lookup. A mapping per thread
 * would cost memory in every thread of the host program. A slot that a child inherits locked stays
 * locked there: it has three others, and finally a mapping for each call.
 *
 * All threads share the slots. A thread may have another root directory (unshare with CLONE_FS,
 * then chroot), in which the same path is another file. So a thread uses a slot only after its own
 * check of the path, once a second. If it finds another file, the slot is remapped to that. In a
 * process with two roots this costs at worst a mapping for each call; in others a stat() per thread
 * and second. Measured: no cost for 16 threads that take turns, 1.4 us a call for 200.
 */
#include "map.h"

#include <features.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

/*
 * Threads that a slot remembers. Threads that share an entry replace each other, and repeat the
 * check.
 */
#define THREADS 64

struct ksa_map_slot {
        atomic_bool taken;
        enum ksa_registry_answer answer; /* of the last check; zero before the first */
        time_t second;                   /* of the last check */
        clockid_t threads[THREADS];   /* that checked the path in this second, with this result */
        struct ksa_registry registry; /* valid if the answer is KSA_REGISTRY_FOUND */
};

/* The module's only state. It is not secret: the registry is world-readable. */
static struct ksa_map_slot slots[KSA_MAP_SLOTS];

/* Costs two reads of memory. A stat() takes 1.5 us, longer than a lookup. */
static time_t this_second(void)
{
        struct timespec now = {0};

        (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
        return now.tv_sec;
}

/*
 * Returns an id of this thread, its CPU clock; 0 if it is unavailable. Unlike an address, it is not
 * reused soon. It takes 2 ns, the system call gettid() 100.
 */
static clockid_t this_thread(void)
{
        clockid_t clock = 0;

#if __GLIBC_PREREQ(2, 34) /* older glibc: in libpthread, which is not always loaded */
        if (pthread_getcpuclockid(pthread_self(), &clock) != 0)
                clock = 0;
#endif
        return clock;
}

/* Returns the entry of a thread. The upper bits of a thread's clock contain its number. */
static clockid_t *entry_of(struct ksa_map_slot *slot, clockid_t thread)
{
        return &slot->threads[((uint32_t)thread >> 3) % THREADS];
}

static void forget_threads(struct ksa_map_slot *slot)
{
        memset(slot->threads, 0, sizeof(slot->threads));
}

static bool try_lock(atomic_bool *taken)
{
        return !atomic_exchange_explicit(taken, true, memory_order_acquire);
}

static void unlock(atomic_bool *taken)
{
        atomic_store_explicit(taken, false, memory_order_release);
}

static enum ksa_registry_answer open_it(struct ksa_registry *ret_registry)
{
        return ksa_registry_open(KSA_REGISTRY_FILE, 0, ret_registry, NULL);
}

/* Checks the path for this thread and updates the slot. */
static void look(struct ksa_map_slot *slot)
{
        const enum ksa_registry_answer before = slot->answer;

        if (before == KSA_REGISTRY_FOUND) {
                if (ksa_registry_is_current(&slot->registry, KSA_REGISTRY_FILE))
                        return;
                ksa_registry_close(&slot->registry);
        }
        slot->answer = open_it(&slot->registry);
        /* If the file is missing or broken as before, earlier checks remain valid. */
        if (before == KSA_REGISTRY_FOUND || before != slot->answer)
                forget_threads(slot);
}

/* Checks the path at most once per thread and second, also while the file is missing or broken. */
static void refresh(struct ksa_map_slot *slot)
{
        const time_t second = this_second();
        const clockid_t thread = this_thread();
        clockid_t *entry = entry_of(slot, thread);

        if (slot->second != second)
                forget_threads(slot);
        slot->second = second;
        if (thread != 0 && *entry == thread)
                return;
        look(slot);
        *entry = thread;
}

enum ksa_registry_answer ksa_map_take(struct ksa_map *ret_map)
{
        for (size_t i = 0; i < KSA_COUNT(slots); i++) {
                struct ksa_map_slot *slot = &slots[i];

                if (!try_lock(&slot->taken))
                        continue;
                refresh(slot);
                enum ksa_registry_answer answer = slot->answer;
                if (answer != KSA_REGISTRY_FOUND) {
                        unlock(&slot->taken);
                        return answer;
                }
                ret_map->slot = slot;
                ret_map->registry = &slot->registry;
                return answer;
        }
        ret_map->slot = NULL;
        ret_map->registry = &ret_map->local;
        return open_it(&ret_map->local);
}

void ksa_map_give(struct ksa_map *map)
{
        if (map->slot != NULL)
                unlock(&map->slot->taken);
        else
                ksa_registry_close(&map->local);
}

/*
 * Runs at dlclose and exit. Slots that other threads use at exit stay mapped. Unmapped slots stay
 * locked, so that no lookup uses them.
 */
__attribute__((destructor)) static void unmap(void)
{
        for (size_t i = 0; i < KSA_COUNT(slots); i++)
                if (try_lock(&slots[i].taken) && slots[i].answer == KSA_REGISTRY_FOUND)
                        ksa_registry_close(&slots[i].registry);
}

/* --- Enumerations -------------------------------------------------------------- */

static void close_listing(struct ksa_listing *listing)
{
        if (listing->open)
                ksa_registry_close(&listing->registry);
        listing->open = false;
        listing->accounts = listing->groups = 0;
        listing->accounts_over = false;
}

static enum ksa_nss_outcome open_listing(struct ksa_listing *listing)
{
        enum ksa_registry_answer answer = open_it(&listing->registry);

        listing->open = answer == KSA_REGISTRY_FOUND;
        return ksa_nss_outcome(answer);
}

enum ksa_nss_outcome ksa_listing_begin(struct ksa_listing *listing)
{
        if (!try_lock(&listing->taken))
                return KSA_NSS_BUSY;
        close_listing(listing);
        enum ksa_nss_outcome outcome = open_listing(listing);
        unlock(&listing->taken);
        return outcome;
}

enum ksa_nss_outcome ksa_listing_end(struct ksa_listing *listing)
{
        if (!try_lock(&listing->taken))
                return KSA_NSS_BUSY;
        close_listing(listing);
        unlock(&listing->taken);
        return KSA_NSS_FOUND;
}

enum ksa_nss_outcome ksa_listing_take(struct ksa_listing *listing)
{
        if (!try_lock(&listing->taken))
                return KSA_NSS_BUSY;
        enum ksa_nss_outcome outcome = listing->open ? KSA_NSS_FOUND : open_listing(listing);
        if (outcome != KSA_NSS_FOUND)
                unlock(&listing->taken);
        return outcome;
}

void ksa_listing_give(struct ksa_listing *listing)
{
        unlock(&listing->taken);
}

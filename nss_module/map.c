/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Four slots with a try-lock each. A lock that waits would hang the child of a fork in another thread's
 * lookup, and a signal handler above its own; a mapping for each thread would need memory of every thread of
 * the host program. A slot that such a child inherits as taken stays so: it has three others, and in the end
 * a mapping for each call.
 *
 * All threads share the slots, and a thread may have another root directory than the others (unshare
 * with CLONE_FS, then chroot), in which the same path is another file. So what one thread found holds
 * for those alone that looked too: each thread looks once a second, and where it finds another file,
 * the slot is of that one. A process with two roots pays for it, in the worst case with a mapping for
 * each call; another one, with a stat for each of its threads and seconds. Measured: 16 threads in
 * turn pay nothing more, 200 pay 1.4 us a call.
 */
#include "map.h"

#include <features.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

/* How many threads a slot can know; of two that have the same place each looks after the other. */
#define THREADS 64

struct ksa_map_slot {
        atomic_bool taken;
        enum ksa_registry_answer answer; /* of the last look; zero before the first */
        time_t second;                   /* of the last look */
        clockid_t threads[THREADS];      /* that looked in this second, and found what is here */
        struct ksa_registry registry;    /* where the answer is KSA_REGISTRY_FOUND */
};

/* The only state, and none of it is secret: what everybody may read is mapped here. */
static struct ksa_map_slot slots[KSA_MAP_SLOTS];

/* Reads two words of memory, where a stat costs 1.5 us and with it more than a lookup. */
static time_t this_second(void)
{
        struct timespec now = {0};

        (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
        return now.tv_sec;
}

/*
 * A thread's clock is one that no other thread has, nor soon the next one, as an address of its memory
 * would be; it costs 2 ns, where gettid() is a system call of 100. 0 where it cannot be had.
 */
static clockid_t this_thread(void)
{
        clockid_t clock = 0;

#if __GLIBC_PREREQ(2, 34) /* before, it was in libpthread, which a program need not have */
        if (pthread_getcpuclockid(pthread_self(), &clock) != 0)
                clock = 0;
#endif
        return clock;
}

/* Where in the slot a thread would stand: the number of the thread is in the upper bits of its clock. */
static clockid_t *place_of(struct ksa_map_slot *slot, clockid_t thread)
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

/* Makes the slot what the file is to this thread now. */
static void look(struct ksa_map_slot *slot)
{
        const enum ksa_registry_answer before = slot->answer;

        if (before == KSA_REGISTRY_FOUND) {
                if (ksa_registry_is_current(&slot->registry, KSA_REGISTRY_FILE))
                        return;
                ksa_registry_close(&slot->registry);
        }
        slot->answer = open_it(&slot->registry);
        /* Where it is missing as it was, or broken, that holds for whoever found it so. */
        if (before == KSA_REGISTRY_FOUND || before != slot->answer)
                forget_threads(slot);
}

/* What is missing or broken is looked at again when the second changes, and by a thread no sooner. */
static void refresh(struct ksa_map_slot *slot)
{
        const time_t second = this_second();
        const clockid_t thread = this_thread();
        clockid_t *place = place_of(slot, thread);

        if (slot->second != second)
                forget_threads(slot);
        slot->second = second;
        if (thread != 0 && *place == thread)
                return;
        look(slot);
        *place = thread;
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
        ret_map->registry = &ret_map->own;
        return open_it(&ret_map->own);
}

void ksa_map_give(struct ksa_map *map)
{
        if (map->slot != NULL)
                unlock(&map->slot->taken);
        else
                ksa_registry_close(&map->own);
}

/*
 * dlclose and exit. Other threads may still be inside when a program exits: theirs are left to them, and
 * what is unmapped here stays taken, so that nobody finds it.
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

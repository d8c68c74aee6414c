/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The requests of many hosts that start in the same second: ksa_refresh_next() and ksa_credential_due(),
 * asked by a timer as packaging/systemd has it. Prints the busiest ten seconds against the mean.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/credential/credential.h"
#include "admin/keys/refresh.h"

#define START  INT64_C(1795464000) /* a full ten minutes */
#define WINDOW 10
#define DAY    INT64_C(86400)

struct timer {
        int64_t boot, period,
                delay; /* OnBootSec, OnCalendar, RandomizedDelaySec with FixedRandomDelay */
};

static const struct timer keys_timer = {30, 300, 300}, credential_timer = {60, 600, 600};
#define ACCURACY 10 /* AccuracySec */

struct simulation {
        const char *name;
        const struct timer *timer;
        int64_t max_age; /* of a key set; 0: a credential of 24 hours */
        int64_t before; /* 0: without a set; else it was got less than that long before the start */
        int64_t seconds;
        unsigned hosts;
};

static struct ksa_env env;
static struct ksa_cluster cluster;
static int64_t clock_now;

static int64_t uptime(void)
{
        return (clock_now - START) * 1000;
}

/* The same numbers in each run. */
static uint64_t draw(uint64_t *state)
{
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return *state >> 33;
}

/* The first run of TIMER at or after MOMENT, on a host with that OFFSET. */
static int64_t run_after(const struct timer *timer, int64_t offset, int64_t moment, uint64_t *state)
{
        int64_t first = START + timer->boot + offset;
        int64_t tick = START + offset;

        if (moment > tick)
                tick += (moment - tick + timer->period - 1) / timer->period * timer->period;
        if (first >= moment && first < tick)
                tick = first;
        if (tick < START + timer->boot)
                tick += timer->period;
        return tick + (int64_t)(draw(state) % ACCURACY);
}

static int64_t due_at(const struct simulation *simulation, int64_t got)
{
        const struct ksa_token token = {.iat = {.given = true, .seconds = got},
                                        .exp = {.given = true, .seconds = got + DAY}};

        if (simulation->max_age == 0)
                return ksa_credential_due(&cluster, &env, &token);
        return ksa_refresh_next(&cluster, &env, got, simulation->max_age);
}

static void simulate_host(const struct simulation *simulation, unsigned number, uint64_t *state,
                          unsigned *seconds)
{
        char name[32];
        int64_t offset = (int64_t)(draw(state) % (uint64_t)simulation->timer->delay);
        int64_t got = 0;

        (void)snprintf(name, sizeof(name), "node-%u.example.com", number);
        env.host_name = name;
        if (simulation->before != 0)
                got = START - (int64_t)(draw(state) % (uint64_t)simulation->before);
        for (;;) {
                clock_now = env.now = got > START ? got : START;
                int64_t due = due_at(simulation, got);
                got = run_after(simulation->timer, offset, due + 1 > env.now ? due + 1 : env.now,
                                state);
                if (got - START >= simulation->seconds)
                        return;
                seconds[got - START]++;
        }
}

static void run(const struct simulation *simulation)
{
        unsigned *seconds = calloc((size_t)simulation->seconds + WINDOW, sizeof(*seconds));
        uint64_t state = 1;
        unsigned most = 0, sum = 0;
        uint64_t all = 0;

        if (seconds == NULL)
                exit(1);
        for (unsigned i = 0; i < simulation->hosts; i++)
                simulate_host(simulation, i, &state, seconds);
        for (int64_t i = 0; i < simulation->seconds; i++) {
                sum += seconds[i] - (i >= WINDOW ? seconds[i - WINDOW] : 0);
                most = sum > most ? sum : most;
                all += seconds[i];
        }
        double mean = (double)all * WINDOW / (double)simulation->seconds;
        (void)printf("| %s | %u | %.1f | %u | %.2f |\n", simulation->name, simulation->hosts, mean,
                     most, most / mean);
        free(seconds);
}

int main(void)
{
        static const struct simulation simulations[] = {
                {"keys, max-age 1 h, no set", &keys_timer, 3600, 0, 12 * 3600, 10000},
                {"keys, max-age 1 h, off for a minute", &keys_timer, 3600, 3600, 12 * 3600, 10000},
                {"keys, max-age 1 h, off for a day", &keys_timer, 3600, 100 * DAY, 12 * 3600,
                 10000},
                {"keys, no max-age, no set", &keys_timer, -1, 0, 12 * 3600, 10000},
                {"keys, max-age 1 h, all fetched in one second", &keys_timer, 3600, 1, 30 * DAY,
                 10000},
                {"keys, max-age 1 day, off for hours", &keys_timer, DAY, DAY / 2, 10 * DAY, 100000},
                {"credentials of one second", &credential_timer, 0, 1, 10 * DAY, 100000},
                {"credentials, off for 12 h", &credential_timer, 0, DAY / 2, 10 * DAY, 100000},
        };
        static char cluster_name[] = "prod";

        env = (struct ksa_env){.uptime = uptime};
        cluster.name = cluster_name;
        cluster.keys_max_stale = (uint64_t)DAY;
        (void)printf(
                "| what | hosts | mean of 10 s | most in 10 s | ratio |\n|---|---|---|---|---|\n");
        for (size_t i = 0; i < KSA_COUNT(simulations); i++)
                run(&simulations[i]);
        return 0;
}

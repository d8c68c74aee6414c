/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cost of a lookup through glibc, by several services in turn in one process:
 *
 *   bench_nss users|uids|misses|groups NAME-PREFIX COUNT FIRST-UID SERVICE...
 *   bench_nss first SERVICE NAME          one lookup of a fresh process, and nothing else
 *
 * Random users of COUNT, PREFIX0 and so on, with uids from FIRST-UID. Prints for each service the median of
 * batches in microseconds a call. It ends with an error if a user is not found, so that all services do the same work.
 */
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS       31
#define BATCH_MAX    1000
#define BATCH_US     10000.0
#define SERVICES_MAX 8

enum question { USERS, UIDS, MISSES, GROUPS, QUESTION_COUNT };

struct bench {
        enum question question;
        const char *prefix;
        unsigned long count, first_uid;
        uint64_t random;
};

static double now_us(void)
{
        struct timespec time;

        (void)clock_gettime(CLOCK_MONOTONIC, &time);
        return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int by_size(const void *left, const void *right)
{
        double a = *(const double *)left, b = *(const double *)right;

        return (a > b) - (a < b);
}

static unsigned long any(struct bench *bench)
{
        bench->random ^= bench->random << 13;
        bench->random ^= bench->random >> 7;
        bench->random ^= bench->random << 17;
        return (unsigned long)(bench->random % bench->count);
}

static bool ask(const struct bench *bench, unsigned long number, const char *name)
{
        struct passwd user, *found = NULL;
        char buffer[1024];
        gid_t gids[64];
        int count = 64;

        switch (bench->question) {
        case USERS:
                return getpwnam_r(name, &user, buffer, sizeof(buffer), &found) == 0 &&
                       found != NULL;
        case UIDS:
                return getpwuid_r((uid_t)(bench->first_uid + number), &user, buffer, sizeof(buffer),
                                  &found) == 0 &&
                       found != NULL;
        case MISSES:
                return getpwnam_r(name, &user, buffer, sizeof(buffer), &found) == 0 &&
                       found == NULL;
        case GROUPS:
                return getgrouplist(name, (gid_t)(bench->first_uid + number), gids, &count) > 0;
        case QUESTION_COUNT:
                break;
        }
        return false;
}

/* The mean of a batch, as many calls as fit into the time. */
static double batch_us(struct bench *bench)
{
        static char names[BATCH_MAX][64];
        unsigned long numbers[BATCH_MAX];
        size_t asked = 0;

        for (size_t i = 0; i < BATCH_MAX; i++) {
                numbers[i] = any(bench);
                (void)snprintf(names[i], sizeof(names[i]), "%s%s%lu",
                               bench->question == MISSES ? "no-" : "", bench->prefix, numbers[i]);
        }
        double started = now_us(), ended = started;
        while (asked < BATCH_MAX && ended - started < BATCH_US) {
                for (size_t end = asked + (asked < 10 ? 1 : 10); asked < end; asked++)
                        if (!ask(bench, numbers[asked], names[asked])) {
                                (void)fprintf(stderr, "bench_nss: %s: not so\n", names[asked]);
                                exit(1);
                        }
                ended = now_us();
        }
        return (ended - started) / (double)asked;
}

static void choose(const char *service)
{
        if (__nss_configure_lookup("passwd", service) != 0 ||
            __nss_configure_lookup("group", service) != 0)
                exit(2);
}

static int first(const char *service, const char *name)
{
        choose(service);
        double started = now_us();
        bool found = getpwnam(name) != NULL;
        (void)printf("%.1f\n", now_us() - started);
        return found ? 0 : 1;
}

int main(int argc, char **argv)
{
        static const char *const questions[QUESTION_COUNT] = {"users", "uids", "misses", "groups"};
        static double times[SERVICES_MAX][ROUNDS];
        struct bench bench = {.random = 88172645463325252};

        if (argc == 4 && strcmp(argv[1], "first") == 0)
                return first(argv[2], argv[3]);
        if (argc < 6 || argc - 5 > SERVICES_MAX)
                return 2;
        while (bench.question < QUESTION_COUNT && strcmp(questions[bench.question], argv[1]) != 0)
                bench.question++;
        bench.prefix = argv[2];
        bench.count = strtoul(argv[3], NULL, 10);
        bench.first_uid = strtoul(argv[4], NULL, 10);
        for (size_t round = 0; round < ROUNDS; round++)
                for (int i = 5; i < argc; i++) {
                        choose(argv[i]);
                        times[i - 5][round] = batch_us(&bench);
                }
        for (int i = 5; i < argc; i++) {
                qsort(times[i - 5], ROUNDS, sizeof(double), by_size);
                (void)printf("%s %.3f\n", argv[i], times[i - 5][ROUNDS / 2]);
        }
        return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registry of local accounts, without glibc around it: the cost of writing it, and of a lookup,
 * at four sizes. Keys are drawn at random; figures are medians of batches.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "admin/base/file_write.h"
#include "support/registry_samples.h"
#include "support/support.h"

#define BATCHES 301
#define BATCH   64
#define OPENS   101

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

static double median(double *values, size_t count)
{
        qsort(values, count, sizeof(*values), by_size);
        return values[count / 2];
}

/* --- Building --------------------------------------------------------------- */

struct built {
        double build_ms, put_ms, whole_ms;
};

static void build_in(const char *path, size_t accounts, int report)
{
        struct built built;
        struct ksa_registry registry;
        unsigned char *bytes;
        const char *why = "";
        size_t size;
        double started;

        sample_build_many_timed(accounts, 1, &bytes, &size, now_us, &built.build_ms);
        started = now_us();
        assert_int_equal(ksa_file_replace(path, getuid(), 0644, bytes, size, NULL), KSA_OK);
        built.put_ms = (now_us() - started) / 1e3;
        assert_int_equal(ksa_registry_read(bytes, size, &registry, NULL), KSA_REGISTRY_FOUND);
        started = now_us();
        assert_true(ksa_registry_is_whole(&registry, &why));
        built.whole_ms = (now_us() - started) / 1e3;
        built.build_ms /= 1e3;
        assert_int_equal(write(report, &built, sizeof(built)), sizeof(built));
        _exit(0);
}

/* In a process of its own, whose peak memory has the accounts that went in. */
static void build(const char *path, size_t accounts)
{
        struct built built;
        struct rusage used;
        struct stat status;
        int ends[2], exited;

        (void)fflush(stdout);
        assert_int_equal(pipe(ends), 0);
        pid_t pid = fork();
        if (pid == 0)
                build_in(path, accounts, ends[1]);
        assert_int_equal(wait4(pid, &exited, 0, &used), pid);
        assert_int_equal(exited, 0);
        assert_int_equal(read(ends[0], &built, sizeof(built)), sizeof(built));
        (void)close(ends[0]);
        (void)close(ends[1]);
        assert_int_equal(stat(path, &status), 0);
        (void)printf("| %zu | %.1f kB | %.1f ms | %.1f ms | %.1f ms | %.0f MiB |\n", accounts,
                     (double)status.st_size / 1e3, built.build_ms, built.put_ms, built.whole_ms,
                     (double)used.ru_maxrss / 1024);
}

/* --- Asking ----------------------------------------------------------------- */

enum question { NAME, UID, MISS, GROUPS, QUESTIONS };

struct key {
        char name[32], none[32];
        uint32_t uid;
};

/* The cost of one lookup, in nanoseconds, as the median of batches of keys that were not used just before. */
static double ask_ns(const struct ksa_registry *registry, enum question question, uint32_t *seed)
{
        double times[BATCHES];
        struct ksa_account_record account;
        struct ksa_group_record group;

        for (size_t i = 0; i < BATCHES; i++) {
                struct key keys[BATCH];
                unsigned found = 0;

                for (size_t j = 0; j < BATCH; j++) {
                        uint32_t number = next_random(seed) % registry->account_count;

                        (void)snprintf(keys[j].name, sizeof(keys[j].name), "ci_%07u", number);
                        (void)snprintf(keys[j].none, sizeof(keys[j].none), "cj_%07u", number);
                        keys[j].uid = SAMPLE_GID + 1 + number;
                }
                double started = now_us();
                for (size_t j = 0; j < BATCH; j++) {
                        enum ksa_registry_answer answer =
                                question == UID
                                        ? ksa_registry_by_uid(registry, keys[j].uid, &account)
                                        : ksa_registry_by_name(registry,
                                                               question == MISS ? keys[j].none
                                                                                : keys[j].name,
                                                               &account);

                        if (question == GROUPS && answer == KSA_REGISTRY_FOUND)
                                for (uint32_t k = 0; k < account.group_count; k++)
                                        answer = ksa_registry_group_by_gid(
                                                registry, account.groups[k], &group);
                        found += answer == KSA_REGISTRY_FOUND;
                }
                times[i] = (now_us() - started) * 1e3 / BATCH;
                assert_int_equal(found, question == MISS ? 0 : BATCH);
        }
        return median(times, BATCHES);
}

static double open_us(const char *path, size_t accounts, uint32_t *seed)
{
        double times[OPENS];
        struct ksa_registry registry;
        struct ksa_account_record account;
        char name[32];

        for (size_t i = 0; i < OPENS; i++) {
                (void)snprintf(name, sizeof(name), "ci_%07u",
                               (unsigned)(next_random(seed) % accounts));
                double started = now_us();
                assert_int_equal(ksa_registry_open(path, getuid(), &registry, NULL),
                                 KSA_REGISTRY_FOUND);
                assert_int_equal(ksa_registry_by_name(&registry, name, &account),
                                 KSA_REGISTRY_FOUND);
                times[i] = now_us() - started;
                ksa_registry_close(&registry);
        }
        return median(times, OPENS);
}

static void ask(const char *path, size_t accounts)
{
        struct ksa_registry registry;
        uint32_t seed = 1;
        double times[QUESTIONS];

        assert_int_equal(ksa_registry_open(path, getuid(), &registry, NULL), KSA_REGISTRY_FOUND);
        for (enum question i = 0; i < QUESTIONS; i++)
                times[i] = ask_ns(&registry, i, &seed);
        ksa_registry_close(&registry);
        (void)printf("| %zu | %.0f ns | %.0f ns | %.0f ns | %.0f ns | %.1f µs |\n", accounts,
                     times[NAME], times[UID], times[MISS], times[GROUPS],
                     open_us(path, accounts, &seed));
}

int main(void)
{
        static const size_t sizes[] = {10, 1000, 100000, 1000000};
        struct workdir *workdir = NULL;
        char paths[KSA_COUNT(sizes)][96];

        (void)workdir_setup((void **)&workdir);
        (void)printf("| accounts | file | built | put in place | read whole | peak memory |\n"
                     "|---|---|---|---|---|---|\n");
        for (size_t i = 0; i < KSA_COUNT(sizes); i++) {
                (void)snprintf(paths[i], sizeof(paths[i]), "%s/%zu", workdir->directory, sizes[i]);
                build(paths[i], sizes[i]);
        }
        (void)printf("\n| accounts | name | uid | nobody | name and groups | map and first name |\n"
                     "|---|---|---|---|---|---|\n");
        for (size_t i = 0; i < KSA_COUNT(sizes); i++)
                ask(paths[i], sizes[i]);
        return workdir_teardown((void **)&workdir);
}

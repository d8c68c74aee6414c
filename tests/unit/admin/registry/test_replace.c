/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registry while it is replaced: a reader finds the whole old file or the whole new one, at any
 * time, after a killed writer, and on a full disk.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admin/base/file_write.h"
#include "support/registry_samples.h"
#include "support/support.h"

#define READERS      8
#define REPLACEMENTS 1000
#define GENERATIONS  3
#define ACCOUNTS     200

struct version {
        unsigned char *bytes;
        size_t size;
};

static const char *path_in(const char *directory)
{
        static char path[128];

        (void)snprintf(path, sizeof(path), "%s/registry", directory);
        return path;
}

static enum ksa_reason replace(const char *path, const struct version *version)
{
        struct ksa_error error = {0};

        return ksa_file_replace(path, getuid(), 0644, version->bytes, version->size, &error);
}

static struct version version_of(size_t accounts, unsigned generation)
{
        struct version version;

        sample_build_many(accounts, generation, &version.bytes, &version.size);
        return version;
}

/* The generation of an account's home: /home/GENERATION/NAME; 0 if it has another form. */
static unsigned long generation_of(const struct ksa_account_record *account)
{
        char *end;
        unsigned long generation = strtoul(account->home + strlen("/home/"), &end, 10);

        return *end == '/' && strcmp(end + 1, account->name) == 0 ? generation : 0;
}

/* --- The system calls of the writer ----------------------------------------- */

static struct {
        bool counted;
        int calls, kill_at; /* before this one, from 1 */
        size_t most;        /* bytes that a write takes; 0: all */
} stop;

static void step(void)
{
        if (stop.counted && ++stop.calls == stop.kill_at)
                (void)kill(getpid(), SIGKILL);
}

/* glibc's name where file offsets have 64 bits (Makefile.am): with openat, no step was counted there. */
int __real_openat64(int directory, const char *path, int flags, mode_t mode);
ssize_t __real_write(int fd, const void *bytes, size_t size);
int __real_fchmod(int fd, mode_t mode);
int __real_fsync(int fd);
int __real_unlinkat(int directory, const char *path, int flags);
int __real_renameat(int directory, const char *path, int other, const char *name);
int __wrap_openat64(int directory, const char *path, int flags, mode_t mode);
ssize_t __wrap_write(int fd, const void *bytes, size_t size);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fsync(int fd);
int __wrap_unlinkat(int directory, const char *path, int flags);
int __wrap_renameat(int directory, const char *path, int other, const char *name);

int __wrap_openat64(int directory, const char *path, int flags, mode_t mode)
{
        step();
        return __real_openat64(directory, path, flags, mode);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t size)
{
        step();
        return __real_write(fd, bytes, stop.most > 0 && size > stop.most ? stop.most : size);
}

int __wrap_fchmod(int fd, mode_t mode)
{
        step();
        return __real_fchmod(fd, mode);
}

int __wrap_fsync(int fd)
{
        step();
        return __real_fsync(fd);
}

int __wrap_unlinkat(int directory, const char *path, int flags)
{
        step();
        return __real_unlinkat(directory, path, flags);
}

int __wrap_renameat(int directory, const char *path, int other, const char *name)
{
        step();
        return __real_renameat(directory, path, other, name);
}

/* --- Readers next to a writer ----------------------------------------------- */

/* Shared by the processes. */
struct shared {
        _Atomic bool done;
        _Atomic unsigned long looked;
};

/* One lookup: 0, or the number of the error. */
static int look(const char *path, uint32_t number)
{
        struct ksa_registry registry;
        struct ksa_account_record by_name, by_uid;
        char name[32];
        int wrong = 0;

        (void)snprintf(name, sizeof(name), "ci_%07u", (unsigned)number);
        if (ksa_registry_open(path, getuid(), &registry, NULL) != KSA_REGISTRY_FOUND)
                return 2;
        if (ksa_registry_by_name(&registry, name, &by_name) != KSA_REGISTRY_FOUND)
                wrong = 3;
        else if (ksa_registry_by_uid(&registry, SAMPLE_GID + 1 + number, &by_uid) !=
                 KSA_REGISTRY_FOUND)
                wrong = 4;
        else if (generation_of(&by_name) < 1 || generation_of(&by_name) > GENERATIONS)
                wrong = 5;
        else if (generation_of(&by_name) != generation_of(&by_uid) || by_uid.uid != by_name.uid)
                wrong = 6;
        ksa_registry_close(&registry);
        return wrong;
}

static pid_t start_reader(const char *path, struct shared *shared, uint32_t seed)
{
        pid_t pid = fork();

        if (pid != 0)
                return pid;
        while (!shared->done) {
                int wrong = look(path, next_random(&seed) % ACCOUNTS);

                if (wrong != 0)
                        _exit(wrong);
                shared->looked++;
        }
        _exit(0);
}

struct readers {
        struct shared *shared;
        pid_t pids[READERS];
};

static void start_readers(const char *path, struct readers *ret_readers)
{
        ret_readers->shared = mmap(NULL, sizeof(*ret_readers->shared), PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert_true(ret_readers->shared != MAP_FAILED);
        for (uint32_t i = 0; i < READERS; i++)
                ret_readers->pids[i] = start_reader(path, ret_readers->shared, i + 1);
}

/* None of them found anything but a whole file; returns how often they looked. */
static unsigned long end_readers(struct readers *readers)
{
        int status;

        readers->shared->done = true;
        for (size_t i = 0; i < READERS; i++) {
                assert_int_equal(waitpid(readers->pids[i], &status, 0), readers->pids[i]);
                assert_int_equal(status, 0);
        }
        unsigned long looked = readers->shared->looked;
        assert_int_equal(munmap(readers->shared, sizeof(*readers->shared)), 0);
        return looked;
}

static void test_readers_find_the_old_file_or_the_new_one(void **state)
{
        const struct workdir *workdir = *state;
        const char *path = path_in(workdir->directory);
        struct version versions[GENERATIONS];
        struct readers readers;

        for (unsigned i = 0; i < GENERATIONS; i++)
                versions[i] = version_of(ACCOUNTS + i, i + 1);
        assert_int_equal(replace(path, &versions[0]), KSA_OK);
        start_readers(path, &readers);
        for (int i = 0; i < REPLACEMENTS; i++)
                assert_int_equal(replace(path, &versions[i % GENERATIONS]), KSA_OK);
        assert_true(end_readers(&readers) > REPLACEMENTS);
        for (size_t i = 0; i < GENERATIONS; i++)
                free(versions[i].bytes);
}

/* --- A writer that is killed ------------------------------------------------ */

/* Names in the directory that are neither the registry nor its one .registry.new. */
static unsigned others(const char *directory, bool *ret_new)
{
        DIR *entries = opendir(directory);
        const struct dirent *entry;
        unsigned count = 0;

        assert_non_null(entries);
        *ret_new = false;
        while ((entry = readdir(entries)) != NULL) {
                if (strcmp(entry->d_name, ".registry.new") == 0)
                        *ret_new = true;
                else if (entry->d_name[0] != '.' && strcmp(entry->d_name, "registry") != 0)
                        count++;
        }
        assert_int_equal(closedir(entries), 0);
        return count;
}

/* Whole, and of this generation; else 0. */
static unsigned long generation_at(const char *path)
{
        struct ksa_registry registry;
        struct ksa_account_record account;
        size_t position = 0;
        const char *why = "";

        assert_int_equal(ksa_registry_open(path, getuid(), &registry, &why), KSA_REGISTRY_FOUND);
        assert_true(ksa_registry_is_whole(&registry, &why));
        assert_int_equal(ksa_registry_next(&registry, &position, &account), KSA_REGISTRY_FOUND);
        unsigned long generation = generation_of(&account);
        ksa_registry_close(&registry);
        return generation;
}

/* Replaces in a process that is killed before its call KILL_AT; whether it came to that. */
static bool kill_writer(const char *path, const struct version *version, int kill_at)
{
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                stop.counted = true;
                stop.kill_at = kill_at;
                stop.most = 4096;
                _exit(replace(path, version) == KSA_OK ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) || status == 0);
        return WIFSIGNALED(status);
}

static void test_a_killed_writer_leaves_the_old_file_or_the_new_one(void **state)
{
        const struct workdir *workdir = *state;
        const char *path = path_in(workdir->directory);
        struct version old = version_of(ACCOUNTS, 1), new = version_of(ACCOUNTS, 2);
        struct readers readers;
        unsigned long before = 1;
        bool is_new, killed = true;
        int kills = 0, left = 0;

        assert_int_equal(replace(path, &old), KSA_OK);
        start_readers(path, &readers);
        while (killed) {
                assert_int_equal(replace(path, &old), KSA_OK);
                assert_int_equal(others(workdir->directory, &is_new), 0);
                assert_false(is_new);
                killed = kill_writer(path, &new, ++kills);
                unsigned long now = generation_at(path);
                /* From the rename on it is the new one. */
                assert_true(now == 1 || now == 2);
                assert_true(now >= before);
                before = now;
                assert_int_equal(others(workdir->directory, &is_new), 0);
                left += is_new;
        }
        assert_true(end_readers(&readers) > (unsigned long)kills);
        assert_int_equal(before, 2);
        /* unlink, create, writes, chmod, sync, rename, and the directory's: each was met. */
        assert_true(kills > 5 + (int)(new.size / 4096));
        assert_true(left > (int)(new.size / 4096));
        free(old.bytes);
        free(new.bytes);
}

/* --- A full disk ------------------------------------------------------------ */

/* 0 where the replacement failed and the old file is as it was. */
static int try_to_replace(const char *directory, const struct version *small,
                          const struct version *large)
{
        const char *path = path_in(directory);
        bool is_new;

        if (replace(path, small) != KSA_OK)
                return 2;
        if (replace(path, large) != KSA_FILE_UNWRITABLE)
                return 3;
        if (generation_at(path) != 1)
                return 4;
        if (others(directory, &is_new) != 0 || is_new)
                return 5;
        return replace(path, small) == KSA_OK ? 0 : 6;
}

/* The same in a process of its own. */
static int replace_fails(const char *directory, const struct version *small,
                         const struct version *large, bool (*limit)(const char *directory))
{
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                status = limit(directory) ? try_to_replace(directory, small, large) : 77;
                free(small->bytes); /* valgrind looks for leaks */
                free(large->bytes);
                _exit(status);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return status;
}

static bool limit_file(const char *directory)
{
        const struct rlimit limit = {65536, 65536};

        (void)directory;
        return signal(SIGXFSZ, SIG_IGN) != SIG_ERR && setrlimit(RLIMIT_FSIZE, &limit) == 0;
}

static bool mount_small(const char *directory)
{
        return unshare(CLONE_NEWNS) == 0 &&
               mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
               mount("none", directory, "tmpfs", 0, "size=128k,mode=0755") == 0;
}

static void test_a_full_disk_leaves_the_old_file(void **state)
{
        const struct workdir *workdir = *state;
        struct version small = version_of(20, 1), large = version_of(2000, 2);
        int status;

        assert_true(large.size > 2 * 131072 && small.size < 16384);
        assert_int_equal(replace_fails(workdir->directory, &small, &large, limit_file), 0);
        assert_int_equal(generation_at(path_in(workdir->directory)), 1);
        /* A full file system, if the test may mount one. */
        status = replace_fails(workdir->directory, &small, &large, mount_small);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 77)
                assert_int_equal(status, 0);
        free(small.bytes);
        free(large.bytes);
}

#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, workdir_setup, workdir_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_PLACE(test_readers_find_the_old_file_or_the_new_one),
                WITH_PLACE(test_a_killed_writer_leaves_the_old_file_or_the_new_one),
                WITH_PLACE(test_a_full_disk_leaves_the_old_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

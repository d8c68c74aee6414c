/* SPDX-License-Identifier: BSD-2-Clause */
/* nss_module/map.c: a new file is seen, nothing waits for anybody, a broken file costs one look a second. */
#include "../../nss_module/map.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../nss_module/nss_ksa.h"
#include "support/nss_registry.h"

#define LOOKUPS 20000
#define THREADS 8

/* How often the module asked for the file: the linker has it call these. */
static atomic_uint opens, looks;

enum ksa_registry_answer __real_ksa_registry_open(const char *path, uid_t owner,
                                                  struct ksa_registry *ret_registry,
                                                  const char **ret_why);
enum ksa_registry_answer __wrap_ksa_registry_open(const char *path, uid_t owner,
                                                  struct ksa_registry *ret_registry,
                                                  const char **ret_why);
bool __real_ksa_registry_is_current(const struct ksa_registry *registry, const char *path);
bool __wrap_ksa_registry_is_current(const struct ksa_registry *registry, const char *path);

enum ksa_registry_answer __wrap_ksa_registry_open(const char *path, uid_t owner,
                                                  struct ksa_registry *ret_registry,
                                                  const char **ret_why)
{
        atomic_fetch_add(&opens, 1);
        return __real_ksa_registry_open(path, owner, ret_registry, ret_why);
}

bool __wrap_ksa_registry_is_current(const struct ksa_registry *registry, const char *path)
{
        atomic_fetch_add(&looks, 1);
        return __real_ksa_registry_is_current(registry, path);
}

static enum nss_status find_active(char *buffer, size_t size, struct passwd *ret_user)
{
        int error = 0;

        return _nss_ksa_getpwnam_r("ci_active", ret_user, buffer, size, &error);
}

/* The end of ci_active's home: the tag of its file. */
static bool is_from(const char *tag)
{
        struct passwd user;
        char buffer[256];

        if (find_active(buffer, sizeof(buffer), &user) != NSS_STATUS_SUCCESS)
                return false;
        return strcmp(user.pw_dir + strlen("/home/ci_active"), tag) == 0;
}

static enum nss_status status_now(void)
{
        struct passwd user;
        char buffer[256];

        return find_active(buffer, sizeof(buffer), &user);
}

/* --- A new file -------------------------------------------------------------------- */

static void test_a_new_file_is_seen_when_the_second_changes(void **state)
{
        (void)state;
        accounts_put("-one");
        accounts_next_second();
        assert_true(is_from("-one"));
        accounts_put("-two");
        accounts_next_second();
        assert_true(is_from("-two"));
        assert_int_equal(unlink("registry"), 0);
        accounts_next_second();
        assert_int_equal(status_now(), NSS_STATUS_NOTFOUND);
        accounts_put("-three");
        accounts_next_second();
        assert_true(is_from("-three"));
}

/* A stat for each call would cost more than the lookup itself. */
static void test_a_second_costs_one_look(void **state)
{
        (void)state;
        accounts_put("");
        accounts_next_second();
        assert_true(is_from(""));
        accounts_next_second();
        atomic_store(&opens, 0);
        atomic_store(&looks, 0);
        for (int i = 0; i < 1000; i++)
                assert_true(is_from(""));
        assert_true(atomic_load(&looks) >= 1 && atomic_load(&looks) <= 2);
        assert_int_equal(atomic_load(&opens), 0);
}

static void test_a_broken_file_is_opened_once_a_second(void **state)
{
        (void)state;
        accounts_put_bytes("no registry, but long enough to be looked at", 44);
        accounts_next_second();
        atomic_store(&opens, 0);
        for (int i = 0; i < 1000; i++)
                assert_int_equal(status_now(), NSS_STATUS_UNAVAIL);
        assert_true(atomic_load(&opens) >= 1 && atomic_load(&opens) <= 2);
        accounts_put("-mended");
        accounts_next_second();
        assert_true(is_from("-mended"));
}

static void test_a_missing_file_is_looked_for_once_a_second(void **state)
{
        (void)state;
        (void)unlink("registry");
        accounts_next_second();
        atomic_store(&opens, 0);
        for (int i = 0; i < 1000; i++)
                assert_int_equal(status_now(), NSS_STATUS_NOTFOUND);
        assert_true(atomic_load(&opens) >= 1 && atomic_load(&opens) <= 2);
}

/* --- Threads ---------------------------------------------------------------------------- */

static pthread_barrier_t turn;
static atomic_uint wrong;

static void run_thread(void *(*start)(void *))
{
        pthread_t thread;

        assert_int_equal(pthread_create(&thread, NULL, start, NULL), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
}

/* Into a directory of this thread only, and so to another "registry", as by a chroot. */
static void leave_for(const char *directory)
{
        if (unshare(CLONE_FS) != 0 || chdir(directory) != 0)
                atomic_fetch_add(&wrong, 1);
}

static void *look_in_the_jail(void *unused)
{
        (void)unused;
        leave_for("jail");
        for (int i = 0; i < 100; i++) {
                (void)pthread_barrier_wait(&turn);
                atomic_fetch_add(&wrong, !is_from("-jail"));
                (void)pthread_barrier_wait(&turn);
        }
        return NULL;
}

static void test_a_thread_in_a_chroot_has_its_own_registry(void **state)
{
        pthread_t thread;

        (void)state;
        assert_int_equal(mkdir("jail", 0755), 0);
        assert_int_equal(chdir("jail"), 0);
        accounts_put("-jail");
        assert_int_equal(chdir(".."), 0);
        accounts_put("-outside");
        accounts_next_second();
        atomic_store(&wrong, 0);
        assert_int_equal(pthread_barrier_init(&turn, NULL, 2), 0);
        assert_int_equal(pthread_create(&thread, NULL, look_in_the_jail, NULL), 0);
        for (int i = 0; i < 100; i++) {
                atomic_fetch_add(&wrong, !is_from("-outside"));
                (void)pthread_barrier_wait(&turn);
                (void)pthread_barrier_wait(&turn);
        }
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_true(is_from("-outside"));
        assert_int_equal(atomic_load(&wrong), 0);
        assert_int_equal(pthread_barrier_destroy(&turn), 0);
        assert_int_equal(unlink("jail/registry"), 0);
        assert_int_equal(rmdir("jail"), 0);
}

static void *look_here(void *unused)
{
        (void)unused;
        atomic_fetch_add(&wrong, status_now() != NSS_STATUS_SUCCESS);
        return NULL;
}

static void *look_in_an_empty_directory(void *unused)
{
        (void)unused;
        leave_for("/");
        atomic_fetch_add(&wrong, status_now() != NSS_STATUS_NOTFOUND);
        return NULL;
}

/* libc gives the memory of a thread that has ended to the next one. */
static void test_a_thread_is_not_taken_for_the_one_before(void **state)
{
        (void)state;
        accounts_put("");
        accounts_next_second();
        atomic_store(&wrong, 0);
        run_thread(look_here);
        run_thread(look_in_an_empty_directory);
        run_thread(look_here);
        assert_int_equal(atomic_load(&wrong), 0);
}

static void *look_in_turn(void *unused)
{
        (void)unused;
        for (int i = 0; i < 100; i++) {
                (void)pthread_barrier_wait(&turn);
                atomic_fetch_add(&wrong, !is_from(""));
        }
        return NULL;
}

static time_t coarse_second(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
        return now.tv_sec;
}

/* In almost every process all have one root: a thread that follows another must not pay for it each time. */
static void test_threads_in_turn_look_once_a_second_each(void **state)
{
        pthread_t threads[THREADS];

        (void)state;
        accounts_put("");
        accounts_next_second();
        assert_int_equal(pthread_barrier_init(&turn, NULL, THREADS), 0);
        atomic_store(&wrong, 0);
        atomic_store(&looks, 0);
        time_t begin = coarse_second();
        for (size_t i = 0; i < THREADS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, look_in_turn, NULL), 0);
        for (size_t i = 0; i < THREADS; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        unsigned seconds = (unsigned)(coarse_second() - begin) + 1;
        assert_int_equal(atomic_load(&wrong), 0);
        assert_true(atomic_load(&looks) <= THREADS * KSA_MAP_SLOTS * seconds);
        assert_int_equal(pthread_barrier_destroy(&turn), 0);
}

/* --- Nothing waits -------------------------------------------------------------------- */

/* A child of a fork in the middle of other threads' calls has them all taken for ever. */
static void test_who_gets_no_slot_maps_the_file_for_one_call(void **state)
{
        struct ksa_map maps[KSA_MAP_SLOTS + 1];

        (void)state;
        accounts_put("");
        accounts_next_second();
        for (size_t i = 0; i < KSA_COUNT(maps); i++)
                assert_int_equal(ksa_map_take(&maps[i]), KSA_REGISTRY_FOUND);
        assert_ptr_equal(maps[KSA_MAP_SLOTS].registry, &maps[KSA_MAP_SLOTS].local);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                (void)alarm(10);
                _exit(is_from("") && is_from("") ? 0 : 1);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        for (size_t i = 0; i < KSA_COUNT(maps); i++)
                ksa_map_give(&maps[i]);
        atomic_store(&opens, 0);
        assert_true(is_from(""));
        assert_int_equal(atomic_load(&opens), 0);
}

static atomic_uint interrupted, wrong;

static void look_up_in_handler(int number)
{
        (void)number;
        if (!is_from(""))
                atomic_fetch_add(&wrong, 1);
        atomic_fetch_add(&interrupted, 1);
}

static void test_a_signal_handler_may_look_up(void **state)
{
        const struct sigaction action = {.sa_handler = look_up_in_handler, .sa_flags = SA_RESTART};
        struct sigaction before;

        (void)state;
        accounts_put("");
        accounts_next_second();
        assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
        pid_t parent = getpid(), child = fork();
        assert_true(child >= 0);
        if (child == 0) { /* it ends with the test, however that ends */
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                while (getppid() == parent && kill(parent, SIGUSR1) == 0)
                        (void)usleep(20);
                _exit(0);
        }
        while (atomic_load(&interrupted) < 200)
                assert_true(is_from(""));
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
        assert_int_equal(atomic_load(&wrong), 0);
}

/* --- Threads, forks and new files at once ------------------------------------------------ */

static atomic_bool over;

static bool is_from_either(void)
{
        struct passwd user;
        char buffer[256];

        if (find_active(buffer, sizeof(buffer), &user) != NSS_STATUS_SUCCESS)
                return false;
        return strcmp(user.pw_dir, "/home/ci_active-one") == 0 ||
               strcmp(user.pw_dir, "/home/ci_active-two") == 0;
}

static void *look_up(void *nothing)
{
        unsigned *faults = nothing;

        for (int i = 0; i < LOOKUPS; i++)
                *faults += !is_from_either();
        return NULL;
}

static void *replace(void *nothing)
{
        (void)nothing;
        for (int i = 0; !atomic_load(&over); i++)
                accounts_put(i % 2 == 0 ? "-one" : "-two");
        return NULL;
}

static void check_child(void)
{
        int status = 0;
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0) {
                (void)alarm(20);
                for (int i = 0; i < 50; i++)
                        if (!is_from_either())
                                _exit(1);
                /* At an exit valgrind would miss the stacks of the other threads. */
                (void)kill(getpid(), SIGKILL);
                _exit(2);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void test_threads_forks_and_replacements(void **state)
{
        pthread_t threads[THREADS], writer;
        unsigned faults[THREADS] = {0};

        (void)state;
        accounts_put("-one");
        accounts_next_second();
        atomic_store(&over, false);
        assert_int_equal(pthread_create(&writer, NULL, replace, NULL), 0);
        for (size_t i = 0; i < THREADS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, look_up, &faults[i]), 0);
        for (int i = 0; i < 50; i++)
                check_child();
        for (size_t i = 0; i < THREADS; i++) {
                assert_int_equal(pthread_join(threads[i], NULL), 0);
                assert_int_equal(faults[i], 0);
        }
        atomic_store(&over, true);
        assert_int_equal(pthread_join(writer, NULL), 0);
}

/* --- Enumerations ----------------------------------------------------------------------------- */

static void test_two_in_one_enumeration_are_told(void **state)
{
        static struct ksa_listing listing;

        (void)state;
        accounts_put("");
        assert_int_equal(ksa_listing_begin(&listing), KSA_NSS_FOUND);
        assert_int_equal(ksa_listing_take(&listing), KSA_NSS_FOUND);
        assert_int_equal(ksa_listing_take(&listing), KSA_NSS_BUSY);
        assert_int_equal(ksa_listing_begin(&listing), KSA_NSS_BUSY);
        assert_int_equal(ksa_listing_end(&listing), KSA_NSS_BUSY);
        ksa_listing_give(&listing);
        assert_int_equal(ksa_listing_end(&listing), KSA_NSS_FOUND);
        assert_null(listing.registry.bytes);
}

static void test_outcomes_as_nss_has_them(void **state)
{
        static const struct {
                enum ksa_nss_outcome outcome;
                enum nss_status status;
                int error;
        } rows[] = {{KSA_NSS_FOUND, NSS_STATUS_SUCCESS, 4242},
                    {KSA_NSS_UNKNOWN, NSS_STATUS_NOTFOUND, ENOENT},
                    {KSA_NSS_UNAVAILABLE, NSS_STATUS_UNAVAIL, EBADMSG},
                    {KSA_NSS_TOO_SMALL, NSS_STATUS_TRYAGAIN, ERANGE},
                    {KSA_NSS_BUSY, NSS_STATUS_TRYAGAIN, EAGAIN},
                    {KSA_NSS_NO_MEMORY, NSS_STATUS_TRYAGAIN, ENOMEM},
                    {0, NSS_STATUS_UNAVAIL, EBADMSG}};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                int error = 4242;

                errno = 1;
                assert_int_equal(ksa_nss_end(rows[i].outcome, 77, &error), rows[i].status);
                assert_int_equal(error, rows[i].error);
                assert_int_equal(errno, 77);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_new_file_is_seen_when_the_second_changes),
                cmocka_unit_test(test_a_second_costs_one_look),
                cmocka_unit_test(test_a_broken_file_is_opened_once_a_second),
                cmocka_unit_test(test_a_missing_file_is_looked_for_once_a_second),
                cmocka_unit_test(test_a_thread_in_a_chroot_has_its_own_registry),
                cmocka_unit_test(test_a_thread_is_not_taken_for_the_one_before),
                cmocka_unit_test(test_threads_in_turn_look_once_a_second_each),
                cmocka_unit_test(test_who_gets_no_slot_maps_the_file_for_one_call),
                cmocka_unit_test(test_a_signal_handler_may_look_up),
                cmocka_unit_test(test_threads_forks_and_replacements),
                cmocka_unit_test(test_two_in_one_enumeration_are_told),
                cmocka_unit_test(test_outcomes_as_nss_has_them),
        };

        /* A process that waits ends here at the latest. */
        (void)alarm(120);
        /* The module believes a file of root's alone. */
        return geteuid() != 0 ? 77
                              : cmocka_run_group_tests(tests, accounts_setup, accounts_teardown);
}

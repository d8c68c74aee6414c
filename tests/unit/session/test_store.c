/* SPDX-License-Identifier: BSD-2-Clause */
/* store.c: the life of a record, below a directory on tmpfs and a /proc of the test's own. */
#include "session/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "support/session_samples.h"
#include "support/support.h"

#define NOW 1795464267

/* Processes of the test's /proc: the listener, sshd for the connection, its auth phase, the user's. */
#define LISTENER "108"
#define SSHD     "119"
#define AUTH     "125"
#define SHELL    "130"

struct place {
        char run[64], proc[64];
        struct ksa_env env;
        struct ksa_secret *token;
};

static void write_file(const char *directory, const char *name, const char *text)
{
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(chmod(path, 0600), 0);
}

static void start(const struct place *place, const char *pid, const char *start_time,
                  const char *audit)
{
        char name[128], stat[128];

        (void)snprintf(name, sizeof(name), "%s/%s", place->proc, pid);
        (void)mkdir(name, 0755);
        (void)snprintf(name, sizeof(name), "%s/stat", pid);
        (void)snprintf(stat, sizeof(stat), "%s (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %s 0\n",
                       pid, start_time);
        write_file(place->proc, name, stat);
        (void)snprintf(name, sizeof(name), "%s/sessionid", pid);
        write_file(place->proc, name, audit);
}

static int remove_one(const char *path, const struct stat *status __attribute__((unused)),
                      int kind __attribute__((unused)), struct FTW *ftw __attribute__((unused)))
{
        return remove(path);
}

static void end(const struct place *place, const char *pid)
{
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/%s", place->proc, pid);
        assert_int_equal(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static int set_up(void **state)
{
        struct place *place = calloc(1, sizeof(*place));

        assert_non_null(place);
        (void)snprintf(place->run, sizeof(place->run), "/dev/shm/ksa-unit-XXXXXX");
        (void)snprintf(place->proc, sizeof(place->proc), "/dev/shm/ksa-unit-XXXXXX");
        assert_non_null(mkdtemp(place->run));
        assert_non_null(mkdtemp(place->proc));
        place->env = (struct ksa_env){
                .now = NOW, .owner = getuid(), .run_dir = place->run, .proc_dir = place->proc};
        place->token = secret_of(SAMPLE_TOKEN);
        start(place, LISTENER, "8271000", "4294967295");
        start(place, SSHD, "8271933", "4294967295");
        start(place, AUTH, "8271941", "4294967295");
        *state = place;
        return 0;
}

static int tear_down(void **state)
{
        struct place *place = *state;

        (void)nftw(place->run, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        (void)nftw(place->proc, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        ksa_secret_free(&place->token);
        free(place);
        return 0;
}

/* What a process gets whose memory is limited. */
static bool no_memory;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
        return no_memory ? NULL : __real_calloc(count, size);
}

/* --- The phases of a session -------------------------------------------------- */

static const struct ksa_tie auth_phase = {
        .pid_namespace = 4026532326,
        .self = {125, 8271941},
        .parent = {119, 8271933},
        .parent_known = true,
};
static const struct ksa_tie session_phase = {
        .pid_namespace = 4026532326,
        .self = {119, 8271933},
        .parent = {108, 8271000},
        .audit = 7917,
        .parent_known = true,
        .keyring = 548727651,
};
static const struct ksa_tie sudo = {
        .pid_namespace = 4026532326,
        .self = {400, 8280000},
        .audit = 7917,
        .keyring = 548727651,
};

static void keep(const struct place *place, char handle[KSA_HANDLE_SIZE])
{
        const struct ksa_record record = sample_record();
        const char *why = ksa_session_keep(&place->env, &auth_phase, &record, place->token, handle);

        if (why != NULL)
                fail_msg("%s", why);
        assert_int_equal(strlen(handle), KSA_HANDLE_SIZE - 1);
}

static const char *open_as(const struct place *place, const struct ksa_tie *tie, const char *handle)
{
        struct ksa_record record;

        return ksa_session_open(&place->env, tie, handle, "deploy-bot", 1500, &record);
}

/* The session of the sample; a process of the user is in it. */
static void open_session(const struct place *place)
{
        char handle[KSA_HANDLE_SIZE];

        keep(place, handle);
        assert_null(open_as(place, &session_phase, handle));
        start(place, SHELL, "8272000", "7917");
        start(place, SSHD, "8271933", "7917");
        end(place, AUTH);
}

static enum ksa_reason find(const struct place *place, const struct ksa_tie *tie, const char *user)
{
        struct ksa_session session;
        struct ksa_error error = {0};
        enum ksa_reason reason = ksa_session_find(&place->env, tie, user, 1500, &session, &error);

        if (reason == KSA_OK)
                assert_string_equal(ksa_secret_bytes(session.token), SAMPLE_TOKEN);
        ksa_session_clear(&session);
        return reason;
}

/* Files in the directory of records; those with TEXT in them, if it is not NULL. */
static unsigned files(const struct place *place, const char *text)
{
        char path[512];
        unsigned count = 0;
        const struct dirent *entry;

        (void)snprintf(path, sizeof(path), "%s/sessions", place->run);
        DIR *directory = opendir(path);
        assert_non_null(directory);
        while ((entry = readdir(directory)) != NULL) {
                if (entry->d_name[0] == '.')
                        continue;
                (void)snprintf(path, sizeof(path), "%s/sessions/%s", place->run, entry->d_name);
                char *whole = read_whole(path);
                count += text == NULL || strstr(whole, text) != NULL;
                free(whole);
        }
        (void)closedir(directory);
        return count;
}

static void test_life(void **state)
{
        const struct place *place = *state;
        char handle[KSA_HANDLE_SIZE], path[128];
        struct stat status;

        keep(place, handle);
        assert_int_equal(files(place, "audit 0\n"), 1);
        assert_int_equal(find(place, &sudo, "deploy-bot"), KSA_NO_SESSION_RECORD);
        assert_null(open_as(place, &session_phase, handle));
        assert_int_equal(files(place, NULL), 1); /* the pending record is gone */
        (void)snprintf(path, sizeof(path), "%s/sessions/7917", place->run);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0600);
        (void)snprintf(path, sizeof(path), "%s/sessions", place->run);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0700);
        assert_int_equal(find(place, &sudo, "deploy-bot"), KSA_OK);
        assert_int_equal(find(place, &sudo, "alice"), KSA_SESSION_OF_ANOTHER);
        assert_non_null(open_as(place, &session_phase, handle)); /* a handle counts once */
        ksa_session_close(&place->env, &session_phase);
        assert_int_equal(files(place, SAMPLE_TOKEN), 0);
        assert_int_equal(files(place, SAMPLE_HEAD), 1);
        assert_int_equal(find(place, &sudo, "deploy-bot"), KSA_SESSION_ENDED);
        ksa_session_close(&place->env, &session_phase);
        assert_int_equal(files(place, SAMPLE_HEAD), 1);
}

static void test_unset(void **state)
{
        const struct place *place = *state;
        struct ksa_tie tie = sudo;

        tie.audit = 0;
        assert_int_equal(find(place, &tie, "deploy-bot"), KSA_NO_SESSION);
        /* and no file of that name can make it a session */
        open_session(place);
        char from[128], to[128];
        (void)snprintf(from, sizeof(from), "%s/sessions/7917", place->run);
        (void)snprintf(to, sizeof(to), "%s/sessions/0", place->run);
        assert_int_equal(rename(from, to), 0);
        assert_int_equal(find(place, &tie, "deploy-bot"), KSA_NO_SESSION);
}

static void test_dead_sshd(void **state)
{
        const struct place *place = *state;

        open_session(place);
        end(place, SSHD);
        assert_int_equal(find(place, &sudo, "deploy-bot"), KSA_SESSION_ENDED);
        start(place, SSHD, "9000000", "4294967295"); /* the pid is used again */
        assert_int_equal(find(place, &sudo, "deploy-bot"), KSA_SESSION_ENDED);
}

/* Text that the user may have put into the PAM environment. */
static void test_handles(void **state)
{
        const struct place *place = *state;
        static const char *const handles[] = {
                "",
                "x",
                "../sessions/7917",
                "7917",
                "0123456789ABCDEF0123456789ABCDEF",
                "0123456789abcdef0123456789abcde/",
                "0123456789abcdef0123456789abcdef",
                "0123456789abcdef0123456789abcdef0",
        };

        open_session(place);
        for (size_t i = 0; i < KSA_COUNT(handles); i++) {
                assert_non_null(open_as(place, &session_phase, handles[i]));
                ksa_session_drop(&place->env, &session_phase, handles[i]);
        }
        assert_int_equal(find(place, &sudo, "deploy-bot"), KSA_OK);
}

/* The handle of a connection that is between its phases, named in another one. */
static void test_handle_of_another_connection(void **state)
{
        const struct place *place = *state;
        char handle[KSA_HANDLE_SIZE];
        struct ksa_tie other = session_phase;

        other.self = (struct ksa_process_id){200, 8279999};
        other.audit = 7918;
        keep(place, handle);
        assert_non_null(open_as(place, &other, handle));
        ksa_session_drop(&place->env, &other, handle);
        assert_null(open_as(place, &session_phase, handle));
        assert_int_equal(find(place, &sudo, "deploy-bot"), KSA_OK);
}

/* A refused attempt on the same connection takes back the record of an earlier one. */
static void test_drop(void **state)
{
        const struct place *place = *state;
        struct ksa_tie second = auth_phase;
        char handle[KSA_HANDLE_SIZE];

        second.self = (struct ksa_process_id){126, 8271999};
        keep(place, handle);
        ksa_session_drop(&place->env, &second, handle);
        assert_int_equal(files(place, NULL), 0);
}

/* An id that has a record, living or not, is not taken over. */
static void test_taken(void **state)
{
        const struct place *place = *state;
        char handle[KSA_HANDLE_SIZE];

        for (unsigned round = 0; round < 2; round++) {
                if (round == 0)
                        open_session(place);
                else
                        ksa_session_close(&place->env, &session_phase);
                start(place, AUTH, "8271941", "4294967295");
                keep(place, handle);
                assert_non_null(open_as(place, &session_phase, handle));
                assert_int_equal(files(place, "audit 0\n"), 0);
                assert_int_equal(find(place, &sudo, "deploy-bot"),
                                 round == 0 ? KSA_OK : KSA_SESSION_ENDED);
        }
}

/* An sshd that was started in the session and has its id ends, and the record stays. */
static void test_close_of_another(void **state)
{
        const struct place *place = *state;
        struct ksa_tie other = session_phase;

        open_session(place);
        other.self.pid = 200;
        ksa_session_close(&place->env, &other);
        other = session_phase;
        other.self.start++;
        ksa_session_close(&place->env, &other);
        other = session_phase;
        other.pid_namespace++;
        ksa_session_close(&place->env, &other);
        assert_int_equal(find(place, &sudo, "deploy-bot"), KSA_OK);
}

/* --- Where nothing is kept ---------------------------------------------------- */

static long file_system; /* 0: the real one */
int __real_fstatfs64(int fd, struct statfs *status);
int __wrap_fstatfs64(int fd, struct statfs *status);
int __wrap_fstatfs64(int fd, struct statfs *status)
{
        int result = __real_fstatfs64(fd, status);

        if (file_system != 0)
                status->f_type = (__typeof__(status->f_type))file_system;
        return result;
}

static void test_file_systems(void **state)
{
        static const struct {
                long type; /* linux/magic.h */
                bool kept;
        } rows[] = {{0x01021994, true},  {0x858458f6, true},  {0xef53, false},
                    {0x9123683e, false}, {0x794c7630, false}, {0x6969, false}};
        const struct place *place = *state;
        const struct ksa_record record = sample_record();
        char handle[KSA_HANDLE_SIZE];

        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                file_system = rows[i].type;
                const char *why =
                        ksa_session_keep(&place->env, &auth_phase, &record, place->token, handle);
                file_system = 0;
                if ((why == NULL) != rows[i].kept)
                        fail_msg("row %zu", i);
        }
        assert_int_equal(files(place, NULL), 2);
}

static void test_unsafe_directory(void **state)
{
        const struct place *place = *state;
        const struct ksa_record record = sample_record();
        char handle[KSA_HANDLE_SIZE], path[128];

        (void)snprintf(path, sizeof(path), "%s/sessions", place->run);
        assert_int_equal(mkdir(path, 0700), 0);
        assert_int_equal(chmod(path, 0770), 0);
        assert_non_null(ksa_session_keep(&place->env, &auth_phase, &record, place->token, handle));
        assert_int_equal(rmdir(path), 0);
        assert_int_equal(symlink("/nowhere", path), 0);
        assert_non_null(ksa_session_keep(&place->env, &auth_phase, &record, place->token, handle));
}

static void test_readable_record(void **state)
{
        const struct place *place = *state;
        char path[128];

        open_session(place);
        (void)snprintf(path, sizeof(path), "%s/sessions/7917", place->run);
        assert_int_equal(chmod(path, 0644), 0);
        assert_int_equal(find(place, &sudo, "deploy-bot"), KSA_NO_SESSION_RECORD);
        assert_int_equal(chmod(path, 0600), 0);
        assert_int_equal(truncate(path, (off_t)strlen(SAMPLE_HEAD) + 9), 0);
        assert_int_equal(find(place, &sudo, "deploy-bot"), KSA_NO_SESSION_RECORD);
}

static void test_no_processes(void **state)
{
        const struct place *place = *state;
        const struct ksa_record record = sample_record();
        const struct ksa_tie nothing = {.pid_namespace = 0};
        char handle[KSA_HANDLE_SIZE];

        assert_non_null(ksa_session_keep(&place->env, &nothing, &record, place->token, handle));
}

/* --- The sweep ---------------------------------------------------------------- */

static void sweep(const struct place *place)
{
        ksa_session_sweep(&place->env, &session_phase, 0);
}

static void test_sweep_pending(void **state)
{
        struct place *place = *state;
        char handle[KSA_HANDLE_SIZE];

        keep(place, handle);
        sweep(place);
        assert_int_equal(files(place, NULL), 1);
        end(place, AUTH); /* keyboard-interactive: it ends before the session opens */
        sweep(place);
        assert_int_equal(files(place, NULL), 1);
        start(place, AUTH, "8271941", "4294967295");
        end(place, SSHD);
        sweep(place);
        assert_int_equal(files(place, NULL), 1);
        end(place, AUTH);
        sweep(place);
        assert_int_equal(files(place, NULL), 0);
}

/* sshd's process verified the password itself; its parent, the listener, outlives the connection. */
static void test_sweep_pending_of_a_password(void **state)
{
        const struct place *place = *state;
        const struct ksa_record record = sample_record();
        struct ksa_tie leader = auth_phase;
        char handle[KSA_HANDLE_SIZE];

        leader.leads = true;
        assert_null(ksa_session_keep(&place->env, &leader, &record, place->token, handle));
        sweep(place);
        assert_int_equal(files(place, NULL), 1);
        end(place, AUTH);
        sweep(place);
        assert_int_equal(files(place, NULL), 0);
}

static void test_sweep_expired(void **state)
{
        struct place *place = *state;
        char handle[KSA_HANDLE_SIZE];

        keep(place, handle);
        place->env.now = 1795464867 + 60;
        sweep(place);
        assert_int_equal(files(place, NULL), 1);
        place->env.now++;
        sweep(place);
        assert_int_equal(files(place, NULL), 0);
}

/* The mark stays while a process has the id, and goes with the last one. */
static void test_sweep_mark(void **state)
{
        const struct place *place = *state;

        open_session(place);
        sweep(place);
        assert_int_equal(find(place, &sudo, "deploy-bot"), KSA_OK);
        ksa_session_close(&place->env, &session_phase);
        end(place, SSHD);
        sweep(place);
        assert_int_equal(find(place, &sudo, "deploy-bot"), KSA_SESSION_ENDED);
        end(place, SHELL);
        sweep(place);
        assert_int_equal(files(place, NULL), 0);
}

/* sshd was killed: its session phase did not close the session. */
static void test_sweep_dead(void **state)
{
        const struct place *place = *state;

        open_session(place);
        end(place, SSHD);
        sweep(place);
        assert_int_equal(files(place, SAMPLE_TOKEN), 0);
        assert_int_equal(files(place, SAMPLE_HEAD), 1);
        end(place, SHELL);
        sweep(place);
        assert_int_equal(files(place, NULL), 0);
}

/* Containers may share /run: their pids mean other processes here. */
static void test_sweep_of_another_container(void **state)
{
        const struct place *place = *state;
        struct ksa_tie other = session_phase;
        char handle[KSA_HANDLE_SIZE];

        open_session(place);
        start(place, AUTH, "8271941", "4294967295");
        keep(place, handle);
        end(place, SSHD);
        end(place, AUTH);
        end(place, SHELL);
        other.pid_namespace++;
        ksa_session_sweep(&place->env, &other, 0);
        other.pid_namespace = 0;
        ksa_session_sweep(&place->env, &other, 0);
        assert_int_equal(files(place, SAMPLE_TOKEN), 2);
}

/* A file that is not a record may be of a later version in another container. */
static void test_sweep_of_unknown_files(void **state)
{
        const struct place *place = *state;

        open_session(place);
        write_file(place->run, "sessions/9", "ksa-session 2\n");
        sweep(place);
        assert_int_equal(files(place, NULL), 2);
}

/* At most 64 files a call; every start reaches others. */
static void test_sweep_limit(void **state)
{
        static const char head[] = SAMPLE_HEAD;
        const struct place *place = *state;
        char name[64];

        open_session(place);
        end(place, SSHD);
        end(place, SHELL);
        for (unsigned i = 1; i <= 2 * KSA_SWEEP_MAX; i++) {
                char text[sizeof(SAMPLE_TEXT) + 8];
                const char *audit = strstr(head, "audit");

                (void)snprintf(text, sizeof(text), "%.*saudit %u\n%s", (int)(audit - head), head, i,
                               strchr(audit, '\n') + 1);
                (void)snprintf(name, sizeof(name), "sessions/%u", i);
                write_file(place->run, name, text);
        }
        ksa_session_sweep(&place->env, &session_phase, 12345);
        assert_int_equal(files(place, NULL), KSA_SWEEP_MAX + 1);
        ksa_session_sweep(&place->env, &session_phase, 40);
        assert_int_equal(files(place, NULL), 1);
        ksa_session_sweep(&place->env, &session_phase, 7);
        assert_int_equal(files(place, NULL), 0);
}

/* Of living records, too, a call reads no more: some calls reach a dead one, and some do not. */
static void test_sweep_among_living(void **state)
{
        const struct place *place = *state;
        unsigned reached = 0;

        open_session(place);
        for (unsigned i = 0; i < 2 * KSA_SWEEP_MAX; i++) {
                char name[64];

                (void)snprintf(name, sizeof(name), "sessions/%u", i);
                write_file(place->run, name, SAMPLE_TEXT);
        }
        for (size_t start = 0; start < 2 * KSA_SWEEP_MAX; start += 8) {
                write_file(place->run, "sessions/dead",
                           "ksa-session 1\npid_namespace 4026532326\nlogin 7 1\nsshd 7 1\naudit 0\n"
                           "keyring 0\nuid 1500\nexpires 1795464867\nuser deploy-bot\nrhost \n"
                           "account prod:ci/deployer\nreference 1a2b3c4d\ntoken x\n");
                ksa_session_sweep(&place->env, &session_phase, start);
                reached += files(place, "sshd 7 1") == 0;
        }
        assert_between(reached, 1, 2 * KSA_SWEEP_MAX / 8 - 1);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* A record that is there, but cannot be read, is not taken for a missing one. */
static void test_no_memory(void **state)
{
        const struct place *place = *state;

        no_memory = true;
        enum ksa_reason missing = find(place, &sudo, "deploy-bot");
        no_memory = false;
        open_session(place);
        no_memory = true;
        enum ksa_reason there = find(place, &sudo, "deploy-bot");
        no_memory = false;
        assert_int_equal(missing, KSA_NO_SESSION_RECORD);
        assert_int_equal(there, KSA_MEMORY);
        assert_int_equal(find(place, &sudo, "deploy-bot"), KSA_OK);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                IN_PLACE(test_life),
                IN_PLACE(test_unset),
                IN_PLACE(test_dead_sshd),
                IN_PLACE(test_handles),
                IN_PLACE(test_handle_of_another_connection),
                IN_PLACE(test_drop),
                IN_PLACE(test_taken),
                IN_PLACE(test_close_of_another),
                IN_PLACE(test_file_systems),
                IN_PLACE(test_unsafe_directory),
                IN_PLACE(test_readable_record),
                IN_PLACE(test_no_processes),
                IN_PLACE(test_no_memory),
                IN_PLACE(test_sweep_pending),
                IN_PLACE(test_sweep_pending_of_a_password),
                IN_PLACE(test_sweep_expired),
                IN_PLACE(test_sweep_mark),
                IN_PLACE(test_sweep_dead),
                IN_PLACE(test_sweep_of_another_container),
                IN_PLACE(test_sweep_of_unknown_files),
                IN_PLACE(test_sweep_limit),
                IN_PLACE(test_sweep_among_living),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

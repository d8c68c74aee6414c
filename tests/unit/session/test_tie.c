/* SPDX-License-Identifier: BSD-2-Clause */
/* tie.c: which process belongs to which record. */
#include "session/tie.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/session_samples.h"
#include "support/support.h"

/* Writes PID's files; AUDIT is the text of sessionid. */
static void write_process(const struct workdir *proc, const char *pid, const char *stat,
                          const char *audit)
{
        char name[64];

        workdir_directory(proc, pid);
        (void)snprintf(name, sizeof(name), "%s/stat", pid);
        workdir_write(proc, name, stat);
        (void)snprintf(name, sizeof(name), "%s/sessionid", pid);
        workdir_write(proc, name, audit);
}

#define FIELDS " 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 "

static void test_read(void **state)
{
        const struct workdir *proc = *state;
        struct ksa_tie tie;
        struct stat namespace;
        char path[128];

        write_process(proc, "self", "125 (sshd) S 119 1" FIELDS "8271941 0\n", "7917");
        write_process(proc, "119", "119 (sshd) S 108 1" FIELDS "8271933 0\n", "4294967295");
        workdir_directory(proc, "self/ns");
        workdir_write(proc, "self/ns/pid", "");
        (void)snprintf(path, sizeof(path), "%s/self/ns/pid", proc->directory);
        assert_int_equal(stat(path, &namespace), 0);
        ksa_tie_read(proc->directory, &tie);
        assert_int_equal(tie.pid_namespace, namespace.st_ino);
        assert_int_equal(tie.self.pid, 125);
        assert_int_equal(tie.self.start, 8271941);
        assert_int_equal(tie.parent.pid, 119);
        assert_int_equal(tie.parent.start, 8271933);
        assert_int_equal(tie.audit, 7917);
        assert_int_equal(tie.parent_audit, 0);
        assert_true(tie.parent_known);
        assert_false(tie.leads);
        /* sshd's process for a connection leads a session */
        workdir_write(proc, "self/stat",
                      "125 (sshd) S 119 125 125 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 8271941\n");
        ksa_tie_read(proc->directory, &tie);
        assert_true(tie.leads);
}

/* The kernel's own files have the form that the others of this test imitate. */
static void test_read_kernel(void **state)
{
        struct ksa_tie tie;

        (void)state;
        ksa_tie_read("/proc", &tie);
        assert_int_equal(tie.self.pid, getpid());
        assert_int_equal(tie.parent.pid, getppid());
        assert_int_not_equal(tie.pid_namespace, 0);
        assert_int_equal(tie.leads, getsid(0) == getpid());
        assert_true(ksa_tie_lives("/proc", &tie.self));
        tie.self.start++;
        assert_false(ksa_tie_lives("/proc", &tie.self));
}

/* Without /proc nothing is known, and so nothing is tied. */
static void test_read_nothing(void **state)
{
        const struct workdir *proc = *state;
        static const struct ksa_tie nothing;
        struct ksa_tie tie;

        memset(&tie, 0xa5, sizeof(tie));
        ksa_tie_read(proc->directory, &tie);
        assert_memory_equal(&tie, &nothing, sizeof(tie));
        assert_false(ksa_tie_is_own(&tie, &(struct ksa_record){.pid_namespace = 0}));
}

static void test_audit(void **state)
{
        static const struct {
                const char *text;
                bool known;
                uint64_t audit;
        } rows[] = {
                {"7917", true, 7917},
                {"7917\n", true, 7917},
                {"4294967295", true, 0},
                {"0", true, 0},
                {"4294967294", true, 4294967294},
                {"4294967296", false, 0},
                {"", false, 0},
                {"-1", false, 0},
                {"7917 ", false, 0},
                {"x", false, 0},
        };
        const struct workdir *proc = *state;
        uint64_t audit;

        workdir_directory(proc, "1");
        assert_false(ksa_tie_audit_of(proc->directory, "1", &audit));
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                workdir_write(proc, "1/sessionid", rows[i].text);
                if (ksa_tie_audit_of(proc->directory, "1", &audit) != rows[i].known)
                        fail_msg("\"%s\"", rows[i].text);
                if (rows[i].known)
                        assert_int_equal(audit, rows[i].audit);
        }
}

/* A process chooses its name, and a pid is used again. */
static void test_lives(void **state)
{
        static const struct {
                const char *stat;
                bool lives;
        } rows[] = {
                {"119 (sshd) S 108 1" FIELDS "8271933 0\n", true},
                {"119 (sshd-session) R 108 1" FIELDS "8271933 0\n", true},
                {"119 (sshd) Z 108 1" FIELDS "8271933 0\n", false},
                {"119 (sshd) X 108 1" FIELDS "8271933 0\n", false},
                {"119 (sshd) S 108 1" FIELDS "8271934 0\n", false},
                {"118 (sshd) S 108 1" FIELDS "8271933 0\n", false},
                {"119 (a) S 1 1" FIELDS "8271933 ) S 108 1" FIELDS "5 0\n", false},
                {"119 (a) Z 1 1 ) S 108 1" FIELDS "8271933 0\n", true},
                {"119 (sshd) S 108 1" FIELDS, false},
                {"119 (sshd) S 108", false},
                {"119", false},
                {") 119 (", false},
                {"", false},
        };
        const struct workdir *proc = *state;
        const struct ksa_process_id sshd = {119, 8271933}, unknown = {0, 0};

        assert_false(ksa_tie_lives(proc->directory, &sshd));
        workdir_directory(proc, "119");
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                workdir_write(proc, "119/stat", rows[i].stat);
                if (ksa_tie_lives(proc->directory, &sshd) != rows[i].lives)
                        fail_msg("%s", rows[i].stat);
        }
        assert_false(ksa_tie_lives(proc->directory, &unknown));
}

/* --- Binding ------------------------------------------------------------------ */

static struct ksa_record pending(void)
{
        struct ksa_record record = sample_record();

        record.audit = record.keyring = 0;
        return record;
}

/* sshd's process for the connection, in the session phase. */
static struct ksa_tie opener(void)
{
        return (struct ksa_tie){
                .pid_namespace = 4026532326,
                .self = {119, 8271933},
                .parent = {108, 8271000},
                .audit = 7917,
                .parent_known = true,
                .keyring = 548727651,
        };
}

static bool binds(const struct ksa_tie *tie, const struct ksa_record *record, const char *user,
                  uint64_t uid)
{
        struct ksa_record bound = {.audit = 0};
        const char *why = ksa_tie_bind(tie, record, user, uid, &bound);

        assert_int_equal(why == NULL, bound.audit != 0);
        return why == NULL;
}

static void test_bind(void **state)
{
        const struct ksa_record record = pending(), expected = sample_record();
        struct ksa_tie tie = opener();
        struct ksa_record bound;

        (void)state;
        /* keyboard-interactive: the record's login was a child */
        assert_null(ksa_tie_bind(&tie, &record, "deploy-bot", 1500, &bound));
        assert_memory_equal(&bound, &expected, sizeof(bound));
        /* password: it was this process */
        tie.self = record.login;
        assert_null(ksa_tie_bind(&tie, &record, "deploy-bot", 1500, &bound));
        assert_int_equal(bound.sshd.pid, 125);
        assert_int_equal(bound.sshd.start, 8271941);
        /* keyctl is blocked: no second tie */
        tie.keyring = 0;
        assert_null(ksa_tie_bind(&tie, &record, "deploy-bot", 1500, &bound));
        assert_int_equal(bound.keyring, 0);
}

static void test_bind_refused(void **state)
{
        const struct ksa_record record = pending(), tied = sample_record();
        const struct ksa_tie good = opener();

        (void)state;
        assert_true(binds(&good, &record, "deploy-bot", 1500));
        assert_false(binds(&good, &tied, "deploy-bot", 1500)); /* not pending */
        assert_false(binds(&good, &record, "alice", 1500));
        assert_false(binds(&good, &record, "deploy-bot", 1501));
#define REFUSED(change)                                                 \
        do {                                                            \
                struct ksa_tie tie = good;                              \
                change;                                                 \
                assert_false(binds(&tie, &record, "deploy-bot", 1500)); \
        } while (0)
        /* a forged handle: the record is of another connection */
        REFUSED(tie.self.pid = 120);
        REFUSED(tie.self.start++);
        REFUSED((tie.parent = tie.self, tie.self.pid = 300));
        REFUSED(tie.pid_namespace++);
        REFUSED(tie.pid_namespace = 0);
        REFUSED(tie.audit = 0);
        /* sshd was started in a login session and has its id */
        REFUSED(tie.parent_audit = 7917);
        REFUSED(tie.parent_known = false);
}

static void test_own(void **state)
{
        const struct ksa_record record = pending();
        struct ksa_tie tie = opener();

        (void)state;
        assert_true(ksa_tie_is_own(&tie, &record));
        tie = (struct ksa_tie){
                .pid_namespace = 4026532326, .self = {130, 9}, .parent = {119, 8271933}};
        assert_true(ksa_tie_is_own(&tie, &record));
        tie.parent.start++;
        assert_false(ksa_tie_is_own(&tie, &record));
        tie.self = record.login;
        assert_true(ksa_tie_is_own(&tie, &record));
        tie.pid_namespace++;
        assert_false(ksa_tie_is_own(&tie, &record));
}

/* --- Using -------------------------------------------------------------------- */

static struct ksa_tie caller(void)
{
        return (struct ksa_tie){
                .pid_namespace = 4026532326,
                .self = {400, 8280000},
                .audit = 7917,
                .keyring = 548727651,
        };
}

static enum ksa_reason check(const struct ksa_tie *tie, const struct ksa_record_text *text,
                             const char *user, uint64_t uid, bool sshd_lives)
{
        struct ksa_error error = {0};
        enum ksa_reason reason = ksa_tie_check(tie, &text->record, user, uid,
                                               text->token != NULL && sshd_lives, &error);

        assert_int_equal(reason == KSA_OK, error.text[0] == '\0');
        return reason;
}

static void test_check(void **state)
{
        const struct ksa_record_text text = {
                .record = sample_record(), .token = "x", .token_length = 1};
        const struct ksa_tie good = caller();

        (void)state;
        assert_int_equal(check(&good, &text, "deploy-bot", 1500, true), KSA_OK);
        assert_int_equal(check(&good, &text, "alice", 1500, true), KSA_SESSION_OF_ANOTHER);
        assert_int_equal(check(&good, &text, "deploy-bot", 1501, true), KSA_SESSION_OF_ANOTHER);
        assert_int_equal(check(&good, &text, "deploy-bot", 0, true), KSA_SESSION_OF_ANOTHER);
        assert_int_equal(check(&good, &text, "deploy-bot", 1500, false), KSA_SESSION_ENDED);
        assert_int_equal(check(&good, &text, NULL, 1500, true), KSA_OK);
        assert_int_equal(check(&good, &text, NULL, 1501, true), KSA_SESSION_OF_ANOTHER);
}

static void test_check_mark(void **state)
{
        const struct ksa_record_text mark = {.record = sample_record()};
        const struct ksa_tie tie = caller();

        (void)state;
        assert_int_equal(check(&tie, &mark, "deploy-bot", 1500, true), KSA_SESSION_ENDED);
}

static void test_check_namespace(void **state)
{
        struct ksa_record_text text = {.record = sample_record(), .token = "x", .token_length = 1};
        struct ksa_tie tie = caller();

        (void)state;
        tie.pid_namespace++;
        assert_int_equal(check(&tie, &text, "deploy-bot", 1500, true), KSA_NO_SESSION_RECORD);
        tie.pid_namespace = text.record.pid_namespace = 0;
        assert_int_equal(check(&tie, &text, "deploy-bot", 1500, true), KSA_NO_SESSION_RECORD);
        tie = caller();
        text.record = sample_record();
        tie.audit++;
        assert_int_equal(check(&tie, &text, "deploy-bot", 1500, true), KSA_NO_SESSION_RECORD);
        tie.audit = text.record.audit = 0;
        assert_int_equal(check(&tie, &text, "deploy-bot", 1500, true), KSA_NO_SESSION);
}

static void test_check_keyring(void **state)
{
        struct ksa_record_text text = {.record = sample_record(), .token = "x", .token_length = 1};
        struct ksa_tie tie = caller();

        (void)state;
        tie.keyring++;
        assert_int_equal(check(&tie, &text, "deploy-bot", 1500, true), KSA_SESSION_LEFT);
        tie.keyring = 0; /* revoked */
        assert_int_equal(check(&tie, &text, "deploy-bot", 1500, true), KSA_SESSION_LEFT);
        text.record.keyring = 0; /* keyctl was blocked at the login: no second tie */
        assert_int_equal(check(&tie, &text, "deploy-bot", 1500, true), KSA_OK);
}

#define WITH_PROC(test) cmocka_unit_test_setup_teardown(test, workdir_setup, workdir_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_PROC(test_read),
                cmocka_unit_test(test_read_kernel),
                WITH_PROC(test_read_nothing),
                WITH_PROC(test_audit),
                WITH_PROC(test_lives),
                cmocka_unit_test(test_bind),
                cmocka_unit_test(test_bind_refused),
                cmocka_unit_test(test_own),
                cmocka_unit_test(test_check),
                cmocka_unit_test(test_check_mark),
                cmocka_unit_test(test_check_namespace),
                cmocka_unit_test(test_check_keyring),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

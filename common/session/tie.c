/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/tie.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"

#define PATH_SIZE 256
/* linux/keyctl.h, which not every C library's headers include */
#define KEYCTL_GET_KEYRING_ID    0
#define KEY_SPEC_SESSION_KEYRING (-3)
/* AUDIT_SID_UNSET. The kernel's counter starts at 1; 0 is treated as unset. */
#define AUDIT_UNSET UINT64_C(4294967295)

/* --- Reading /proc ------------------------------------------------------------ */

/* Reads a short file of the kernel's. False if it cannot be read or does not fit. */
static bool read_file(const char *proc, const char *pid, const char *name, char *out, size_t size)
{
        char path[PATH_SIZE];
        int length = snprintf(path, sizeof(path), "%s/%s/%s", proc, pid, name);

        if (length < 0 || (size_t)length >= sizeof(path))
                return false;
        int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return false;
        ssize_t got = read(fd, out, size - 1);
        (void)close(fd);
        if (got <= 0 || (size_t)got == size - 1)
                return false;
        out[got] = '\0';
        return true;
}

bool ksa_tie_audit_of(const char *proc, const char *pid, uint64_t *ret_audit)
{
        char digits[32];

        if (!read_file(proc, pid, "sessionid", digits, sizeof(digits)))
                return false;
        digits[strcspn(digits, "\n")] = '\0';
        if (!ksa_text_number(digits, 0, AUDIT_UNSET, ret_audit))
                return false;
        if (*ret_audit == AUDIT_UNSET)
                *ret_audit = 0;
        return true;
}

/* The fields of /proc/PID/stat (proc_pid_stat(5)). */
struct stat_fields {
        struct ksa_process_id process;
        uint64_t parent, session;
        char state;
};

/* The second field is a name in parentheses, which the process chooses; it may have any bytes. */
static bool read_stat(const char *proc, const char *pid, struct stat_fields *ret_fields)
{
        char text[1024], *state = NULL;
        unsigned field = 3; /* the first one after the name */

        if (!read_file(proc, pid, "stat", text, sizeof(text)))
                return false;
        char *name = strchr(text, ' '), *end = strrchr(text, ')');
        if (name == NULL || end == NULL || end < name)
                return false;
        *name = '\0';
        if (!ksa_text_number(text, 1, UINT32_MAX, &ret_fields->process.pid))
                return false;
        for (char *word = strtok_r(end + 1, " \n", &state); word != NULL;
             word = strtok_r(NULL, " \n", &state), field++) {
                if (field == 3)
                        ret_fields->state = word[0];
                if (field == 4 && !ksa_text_number(word, 0, UINT32_MAX, &ret_fields->parent))
                        return false;
                if (field == 6 && !ksa_text_number(word, 0, UINT32_MAX, &ret_fields->session))
                        return false;
                if (field == 22)
                        return ksa_text_number(word, 0, INT64_MAX, &ret_fields->process.start);
        }
        return false;
}

static uint64_t session_keyring(void)
{
        long serial = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);

        return serial > 0 ? (uint64_t)serial : 0;
}

void ksa_tie_read(const char *proc, struct ksa_tie *ret_tie)
{
        char path[PATH_SIZE], parent[24];
        struct stat_fields self = {.state = 0}, above = {.state = 0};
        struct stat namespace;
        int length = snprintf(path, sizeof(path), "%s/self/ns/pid", proc);

        memset(ret_tie, 0, sizeof(*ret_tie));
        /* "self", not getpid(): PROC may be of another pid namespace, to which all its pids belong. */
        if (length < 0 || (size_t)length >= sizeof(path) || stat(path, &namespace) != 0 ||
            !read_stat(proc, "self", &self))
                return;
        ret_tie->pid_namespace = namespace.st_ino;
        ret_tie->self = self.process;
        ret_tie->leads = self.session == self.process.pid;
        if (!ksa_tie_audit_of(proc, "self", &ret_tie->audit))
                ret_tie->audit = 0;
        (void)snprintf(parent, sizeof(parent), "%llu", (unsigned long long)self.parent);
        if (self.parent != 0 && read_stat(proc, parent, &above)) {
                ret_tie->parent = above.process;
                ret_tie->parent_known = ksa_tie_audit_of(proc, parent, &ret_tie->parent_audit);
        }
        ret_tie->keyring = session_keyring();
}

bool ksa_tie_lives(const char *proc, const struct ksa_process_id *process)
{
        struct stat_fields fields = {.state = 0};
        char pid[24];

        (void)snprintf(pid, sizeof(pid), "%llu", (unsigned long long)process->pid);
        return process->pid != 0 && read_stat(proc, pid, &fields) &&
               fields.process.pid == process->pid && fields.process.start == process->start &&
               fields.state != 'Z' && fields.state != 'X';
}

/* --- Deciding ----------------------------------------------------------------- */

bool ksa_tie_same(const struct ksa_process_id *left, const struct ksa_process_id *right)
{
        return left->pid != 0 && left->pid == right->pid && left->start == right->start;
}

static bool is_here(const struct ksa_tie *tie, const struct ksa_record *record)
{
        return tie->pid_namespace != 0 && tie->pid_namespace == record->pid_namespace;
}

bool ksa_tie_is_own(const struct ksa_tie *tie, const struct ksa_record *record)
{
        return is_here(tie, record) && (ksa_tie_same(&tie->self, &record->login) ||
                                        ksa_tie_same(&tie->self, &record->sshd) ||
                                        ksa_tie_same(&tie->parent, &record->sshd));
}

const char *ksa_tie_bind(const struct ksa_tie *tie, const struct ksa_record *pending,
                         const char *user, uint64_t uid, struct ksa_record *ret_record)
{
        if (pending->audit != 0 || !is_here(tie, pending) ||
            (!ksa_tie_same(&tie->self, &pending->login) &&
             !ksa_tie_same(&tie->self, &pending->sshd)))
                return "its record is of another connection";
        if (strcmp(pending->user, user) != 0 || pending->uid != uid)
                return "its record is of another user";
        if (tie->audit == 0)
                return "it has no audit session id (pam_loginuid must come before pam_ksa)";
        if (!tie->parent_known || tie->audit == tie->parent_audit)
                return "its audit session id is that of sshd itself";
        *ret_record = *pending;
        ret_record->sshd = tie->self;
        ret_record->audit = tie->audit;
        ret_record->keyring = tie->keyring;
        return NULL;
}

enum ksa_reason ksa_tie_check(const struct ksa_tie *tie, const struct ksa_record *record,
                              const char *user, uint64_t uid, bool is_open, struct ksa_error *err)
{
        if (tie->audit == 0)
                return ksa_fail(err, KSA_NO_SESSION, "this process has no audit session id");
        if (!is_here(tie, record) || tie->audit != record->audit)
                return ksa_fail(err, KSA_NO_SESSION_RECORD,
                                "the record of audit session %llu is of another container",
                                (unsigned long long)tie->audit);
        if ((user != NULL && strcmp(record->user, user) != 0) || record->uid != uid)
                return ksa_fail(err, KSA_SESSION_OF_ANOTHER,
                                "audit session %llu was opened as \"%s\", not as the caller",
                                (unsigned long long)tie->audit, record->user);
        if (!is_open)
                return ksa_fail(err, KSA_SESSION_ENDED,
                                "audit session %llu, to which this process belongs, has ended",
                                (unsigned long long)tie->audit);
        if (record->keyring != 0 && record->keyring != tie->keyring)
                return ksa_fail(err, KSA_SESSION_LEFT,
                                "the session keyring is not that of audit session %llu",
                                (unsigned long long)tie->audit);
        return KSA_OK;
}

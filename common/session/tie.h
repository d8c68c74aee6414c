/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ties a process to the record of its session: the audit session id, the session keyring, and
 * sshd's processes. Reading is separate from deciding, which is pure.
 *
 * Every process inherits the audit session id. A process without CAP_AUDIT_CONTROL can only get a
 * new id, and only if it has none (audit_set_loginuid() in the kernel). It needs no auditd. It is
 * not enough alone: an sshd that was started in a login session passes on that session's id, and a
 * process without an id can let the counter of 32 bits wrap around.
 */
#ifndef KSA_SESSION_TIE_H
#define KSA_SESSION_TIE_H

#include "base/error.h"
#include "session/record.h"

/* What the kernel reports of this process. Zeroed: unknown, which ties nothing. */
struct ksa_tie {
        uint64_t pid_namespace;
        struct ksa_process_id self, parent;
        bool leads;     /* a session leader, as sshd's process for a connection is */
        uint64_t audit; /* audit session id; 0: not set */
        uint64_t parent_audit;
        bool parent_known; /* the parent's audit session id could be read, set or not */
        uint64_t keyring;  /* serial of the session keyring; 0: revoked, or keyctl is blocked */
};

/* Reads it from the directory PROC, which is /proc outside tests. */
void ksa_tie_read(const char *proc, struct ksa_tie *ret_tie);

/* Whether both are known and the same process. */
bool ksa_tie_same(const struct ksa_process_id *left, const struct ksa_process_id *right);

/* Whether PROCESS, and not a later one with its pid, runs. A zombie does not. */
bool ksa_tie_lives(const char *proc, const struct ksa_process_id *process);

/*
 * Reads the audit session id of process PID, which is a name in PROC; 0: not set. False if it
 * cannot be read.
 */
bool ksa_tie_audit_of(const char *proc, const char *pid, uint64_t *ret_audit) KSA_MUST_CHECK;

/*
 * Whether RECORD is of the sshd that this process belongs to: the auth phase runs in sshd's process
 * for the connection (password) or in a child of it (keyboard-interactive).
 */
bool ksa_tie_is_own(const struct ksa_tie *tie, const struct ksa_record *record);

/*
 * Ties PENDING to the session of this process, which is sshd's session phase for USER with UID.
 * Returns NULL, or why it cannot be tied (static): then *RET_RECORD is not changed.
 */
const char *ksa_tie_bind(const struct ksa_tie *tie, const struct ksa_record *pending,
                         const char *user, uint64_t uid,
                         struct ksa_record *ret_record) KSA_MUST_CHECK;

/*
 * Whether this process, started by USER (NULL: any) with UID, may use RECORD, that of its audit session.
 * IS_OPEN: the record has its token, and its sshd lives (ksa_tie_lives()).
 *
 * KSA_NO_SESSION         this process has no audit session id
 * KSA_NO_SESSION_RECORD  of another pid namespace or audit session
 * KSA_SESSION_ENDED
 * KSA_SESSION_OF_ANOTHER
 * KSA_SESSION_LEFT       another session keyring
 */
enum ksa_reason ksa_tie_check(const struct ksa_tie *tie, const struct ksa_record *record,
                              const char *user, uint64_t uid, bool is_open,
                              struct ksa_error *err) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records of sessions in RUN_DIR/sessions, which only root can read: a pending one under its
 * handle, a tied one under its audit session id. They are kept only on tmpfs or ramfs, because they
 * contain tokens.
 *
 * sshd creates a record whole, under a name that did not exist. At the end of the session its token
 * is cut off, which takes no space, no new file and no written byte: sshd's session phase runs with
 * the limits of the user. What is left is the mark of a session that has ended. sudo only reads.
 */
#ifndef KSA_SESSION_STORE_H
#define KSA_SESSION_STORE_H

#include "base/env.h"
#include "session/record.h"
#include "session/tie.h"

/* A handle: 32 hexadecimal digits, with the NUL. */
#define KSA_HANDLE_SIZE 33

/* Files that one sweep reads. */
#define KSA_SWEEP_MAX 64

/* A record that was read. */
struct ksa_session {
        struct ksa_record record;
        struct ksa_secret *token; /* NULL: the session has ended */
        size_t head_length;       /* bytes of the file before its token */
};
void ksa_session_clear(struct ksa_session *session);

/*
 * Keeps RECORD with TOKEN as the pending record of this connection, after a sweep. TIE is that of
 * the auth phase and replaces what RECORD says of processes. Returns NULL, or why it was not kept
 * (static).
 */
const char *ksa_session_keep(const struct ksa_env *env, const struct ksa_tie *tie,
                             const struct ksa_record *record, const struct ksa_secret *token,
                             char ret_handle[KSA_HANDLE_SIZE]) KSA_MUST_CHECK;

/* Removes the pending record of HANDLE, any text, if it is of this connection. */
void ksa_session_drop(const struct ksa_env *env, const struct ksa_tie *tie, const char *handle);

/*
 * Ties the pending record of HANDLE, any text, to the session of this process (ksa_tie_bind()).
 * Returns NULL, or why it was not tied (static): then the session has no record.
 *
 * ret_record  zeroed without a pending record of this connection
 */
const char *ksa_session_open(const struct ksa_env *env, const struct ksa_tie *tie,
                             const char *handle, const char *user, uint64_t uid,
                             struct ksa_record *ret_record) KSA_MUST_CHECK;

/* Turns the record of this process's session into the mark of its end, if this process opened it. */
void ksa_session_close(const struct ksa_env *env, const struct ksa_tie *tie);

/*
 * Finds the record of this process's session, and checks that USER (NULL: any) with UID may use it.
 *
 * ret_session  also filled on failure if there is a record; ksa_session_clear() it always
 *
 * KSA_NO_SESSION_RECORD without a readable one, KSA_MEMORY if there is one but no memory to read it,
 * and the results of ksa_tie_check()
 */
enum ksa_reason ksa_session_find(const struct ksa_env *env, const struct ksa_tie *tie,
                                 const char *user, uint64_t uid, struct ksa_session *ret_session,
                                 struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Removes pending records of connections that have ended or whose token has expired, cuts the
 * tokens of sessions whose sshd has ended, and removes marks whose audit session no process has.
 * Reads at most KSA_SWEEP_MAX files, from number START on. Records of other pid namespaces stay.
 */
void ksa_session_sweep(const struct ksa_env *env, const struct ksa_tie *tie, size_t start);

#endif

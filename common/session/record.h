/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The record of an ssh session that a token opened, as text. It names the processes, the audit
 * session and the user that it is tied to (tie.h), and keeps the token. Pure.
 *
 * The parser accepts only what the formatter writes, byte for byte: each line once, in order, in
 * one spelling. A record that ends before its token is the mark of a session that has ended.
 */
#ifndef KSA_SESSION_RECORD_H
#define KSA_SESSION_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "base/secret.h"
#include "config/value.h"

/* A process. The start time tells it from a later one with the same pid. Zeroed: unknown. */
struct ksa_process_id {
        uint64_t pid;
        uint64_t start; /* field 22 of /proc/PID/stat */
};

/* Bytes of CLUSTER:NAMESPACE/NAME, of PAM_RHOST and of a reference, with the NUL. */
#define KSA_RECORD_ACCOUNT_SIZE   400
#define KSA_RECORD_RHOST_SIZE     256
#define KSA_RECORD_REFERENCE_SIZE 9

struct ksa_record {
        uint64_t pid_namespace;      /* inode of /proc/self/ns/pid: pids are valid only there */
        struct ksa_process_id login; /* the process of the auth phase */
        struct ksa_process_id
                sshd;     /* of the connection; once tied, the process of the session phase */
        uint64_t audit;   /* audit session id; 0: pending, not tied yet */
        uint64_t keyring; /* serial of the session keyring; 0: not known */
        uint64_t uid;
        uint64_t expires; /* exp of the token */
        char user[KSA_USER_MAX + 1];
        char rhost[KSA_RECORD_RHOST_SIZE];         /* the client's address, or "" */
        char account[KSA_RECORD_ACCOUNT_SIZE];     /* whose token was verified at the login */
        char reference[KSA_RECORD_REFERENCE_SIZE]; /* of the login's log line */
};

/* A record that was read. */
struct ksa_record_text {
        struct ksa_record record;
        size_t head_length; /* bytes before the token's line */
        const char *token; /* borrowed from the text, not ended by a NUL; NULL: session has ended */
        size_t token_length;
};

/* Largest text of a record without its token. */
#define KSA_RECORD_HEAD_MAX 1536

/*
 * Formats RECORD with TOKEN; NULL for the mark of a session that has ended. The caller frees the
 * result (ksa_secret_free). NULL if memory runs out or a value cannot be represented.
 */
struct ksa_secret *ksa_record_format(const struct ksa_record *record,
                                     const struct ksa_secret *token) KSA_MUST_CHECK;

/* Parses LENGTH bytes. False, and *RET_TEXT undefined, for anything that was not formatted here. */
bool ksa_record_parse(const char *text, size_t length,
                      struct ksa_record_text *ret_text) KSA_MUST_CHECK;

#endif

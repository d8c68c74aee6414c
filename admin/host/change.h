/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ksactl enable changes on a host, and ksactl disable reverts: the profile of PAM, files of sshd and
 * sudo, timers. Each change is one row of the record STATE/enabled, so that disable reverts these and
 * nothing else.
 */
#ifndef KSA_HOST_CHANGE_H
#define KSA_HOST_CHANGE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/env.h"
#include "base/error.h"

enum ksa_change_kind {
        KSA_CHANGE_PROFILE, /* pam-auth-update; NAME is the profile */
        KSA_CHANGE_SSHD,    /* NAME is a file of sshd_config.d */
        KSA_CHANGE_SUDOERS, /* NAME is a file of sudoers.d */
        KSA_CHANGE_TIMER,   /* NAME is a unit */
        KSA_CHANGE_COUNT,
};

#define KSA_CHANGE_MAX    8
#define KSA_CHECKSUM_SIZE 65 /* SHA-256 in hexadecimal, with the NUL */

struct ksa_change {
        enum ksa_change_kind kind;
        char name[128];
        char *text;   /* of a file that is to be written; owned, NULL for other kinds */
        char *before; /* of a file that this run replaced; owned */
        char checksum[KSA_CHECKSUM_SIZE]; /* of the file as it was written; "" for other kinds */
        bool applied;                     /* in this run */
};

struct ksa_changes {
        struct ksa_change items[KSA_CHANGE_MAX];
        size_t count;
};

/* Adds a change; TEXT is taken over, and freed with the changes. */
void ksa_change_add(struct ksa_changes *changes, enum ksa_change_kind kind, const char *name,
                    char *text);
void ksa_changes_free(struct ksa_changes *changes);

/* Fills the checksums, which the record needs. False if OpenSSL fails. */
bool ksa_changes_sign(struct ksa_changes *changes, struct ksa_error *err) KSA_MUST_CHECK;

/* Prints what CHANGE does, for people: commands, and files with their text. */
void ksa_change_print(const struct ksa_change *change, FILE *out);

/* Prints what the reversal of CHANGE did, as one line. */
void ksa_change_print_reverted(const struct ksa_change *change, FILE *out);

/* Whether CHANGE is a file that enable wrote as RECORD has it, and would write in the same way again. */
bool ksa_change_is_made(const struct ksa_change *change, const struct ksa_changes *record,
                        const struct ksa_env *env);

/*
 * Reads the record at PATH. A missing file is an empty record.
 *
 * KSA_CONFIG_INVALID  a line is not one that ksa_changes_write() writes
 * and the reasons of ksa_file_read()
 */
enum ksa_reason ksa_changes_read(const char *path, const struct ksa_env *env,
                                 struct ksa_changes *ret, struct ksa_error *err) KSA_MUST_CHECK;

/* Writes the record, or removes it if CHANGES is empty. Reasons of ksa_file_replace(). */
enum ksa_reason ksa_changes_write(const char *path, const struct ksa_env *env,
                                  const struct ksa_changes *changes,
                                  struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Applies all changes, in their order; RECORD has those of earlier runs. If one fails, those of this run are
 * reverted in reverse order, and false is returned with the cause in ERR. A file that RECORD does not have,
 * or that was edited since, is never replaced.
 *
 * ret_reverted  whether the host is as it was before, if false is returned
 */
bool ksa_changes_apply(struct ksa_changes *changes, const struct ksa_changes *record,
                       const struct ksa_env *env, bool *ret_reverted,
                       struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Reverts CHANGE of a record. False, with the cause in ERR: the file was edited since, or a
 * command failed.
 */
bool ksa_change_revert(const struct ksa_change *change, const struct ksa_env *env,
                       struct ksa_error *err) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Details of an error: reason, file and line, text, remedy. */
#ifndef KSA_ERROR_H
#define KSA_ERROR_H

#include "base/macros.h"
#include "base/reason.h"

/*
 * Bytes of a text with its NUL. Large enough for every message, because quoted values are cut
 * first.
 */
#define KSA_ERROR_SIZE 512

/*
 * Filled by ksa_fail(); zero it first. TEXT is written for people. Values from outside are quoted
 * with ksa_text_quote(), and it never contains a byte of a token's signature.
 */
struct ksa_error {
        enum ksa_reason reason;
        unsigned line;  /* in file, from 1; 0: the whole file */
        char file[256]; /* "" if the error is not about a file */
        char text[KSA_ERROR_SIZE];
        const char *remedy;              /* static; NULL: the remedy of the reason */
        const char *cluster;             /* replaces CLUSTER in the remedy; borrowed, may be NULL */
        char advice[KSA_REMEDY_MAX + 1]; /* a remedy for this value; "": remedy applies */
};

/*
 * Sets reason and text, clears the remedy and returns REASON: `return ksa_fail(err, KSA_X, "…")`. A
 * text that is too long ends in "...". ERR may be NULL. errno is preserved.
 */
enum ksa_reason ksa_fail(struct ksa_error *err, enum ksa_reason reason, const char *format, ...)
        KSA_PRINTF(3, 4);

/*
 * Sets a remedy that names the value to type, such as "write yes". A text that is too long ends in
 * "...". ERR may be NULL.
 */
void ksa_error_advise(struct ksa_error *err, const char *format, ...) KSA_PRINTF(2, 3);

/* Gives ERR, after ksa_fail(), the remedy of FROM. ERR may be NULL. */
void ksa_error_keep_remedy(struct ksa_error *err, const struct ksa_error *from);

/* Returns the remedy of this error, borrowed. NULL: the remedy of the reason applies. */
const char *ksa_error_remedy(const struct ksa_error *error);

/* Sets the file (copied) and line (0: the whole file) of an error. ERR may be NULL. */
void ksa_error_at(struct ksa_error *err, const char *file, unsigned line);

#endif

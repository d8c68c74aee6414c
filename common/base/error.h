/* SPDX-License-Identifier: BSD-2-Clause */
/* What happened, and where. */
#ifndef KSA_ERROR_H
#define KSA_ERROR_H

#include "base/macros.h"
#include "base/reason.h"

/* Of the log line it is never cut: texts are shorter than this, because the values in them are. */
#define KSA_ERROR_SIZE 512

/*
 * Filled by ksa_fail(); a caller starts with a zeroed one. TEXT is written for
 * people, quotes what came from outside by ksa_text_quote(), and never holds a
 * byte of a token's signature.
 */
struct ksa_error {
        enum ksa_reason reason;
        unsigned line;  /* in FILE, from 1; 0: the whole file */
        char file[256]; /* "" where no file is meant */
        char text[KSA_ERROR_SIZE];
        const char *remedy;  /* static; NULL: that of the reason */
        const char *cluster; /* name that stands for CLUSTER in the remedy; borrowed, may be NULL */
};

/*
 * Sets REASON and the text without a remedy, and returns REASON: `return ksa_fail(err, KSA_X, "…")`.
 * A text too long ends in "...". ERR may be NULL. errno is left alone.
 */
enum ksa_reason ksa_fail(struct ksa_error *err, enum ksa_reason reason, const char *format, ...)
        KSA_PRINTF(3, 4);

/* Names the file (and line, or 0) that an error is about. ERR may be NULL. */
void ksa_error_at(struct ksa_error *err, const char *file, unsigned line);

#endif

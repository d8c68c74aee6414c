/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The strict reader of configuration files: sections, keys, lines, and no meaning.
 *
 * Why not a library: the four that were tried cut long lines and read the tail as a
 * line of its own, skip what they do not understand, or differ between builds.
 *
 *   # a comment has a line of its own
 *   [kind NAME]
 *   key = value
 *
 * No quotes, no escapes, no continuation, no indentation, no control bytes (a tab is
 * one); ASCII outside comments; KSA_INI_LINE bytes a line.
 */
#ifndef KSA_INI_H
#define KSA_INI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/macros.h"

#define KSA_INI_LINE 1024
#define KSA_INI_NAME 64

struct ksa_ini {
        char *at;
        char *end;
        unsigned line; /* of what was returned last, from 1 */
        bool heads;    /* that line was meant to begin a section, valid or not */
};

struct ksa_ini_item {
        const char *kind;  /* of a section; NULL where this is a key */
        const char *name;  /* of a section; "" where it has none */
        const char *key;   /* NULL where this is a section */
        const char *value; /* never empty */
};

/* Starts on LENGTH bytes, followed by a NUL. The reader cuts them up in place. */
void ksa_ini_start(struct ksa_ini *ini, char *bytes, size_t length);

/*
 * The next section or key. Its texts point into the bytes. At the end of the file
 * both kind and key are NULL. After KSA_CONFIG_INVALID the line is skipped and
 * reading may go on.
 */
enum ksa_reason ksa_ini_next(struct ksa_ini *ini, struct ksa_ini_item *ret_item,
                             struct ksa_error *err) KSA_MUST_CHECK;

#endif

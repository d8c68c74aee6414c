/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The strict reader of configuration files. It knows sections, keys and lines, but not their
 * meaning.
 *
 * Existing libraries are not strict enough: the four that were tried cut long lines and read the
 * tail as another line, skip lines that they do not understand, or differ between builds.
 *
 *     # a comment has a line of its own
 *     [kind NAME]
 *     key = value
 *
 * Quotes, escapes, continuation lines, indentation and control characters (such as tabs) are
 * errors. ASCII only, except in comments. A line has at most KSA_INI_LINE bytes.
 */
#ifndef KSA_INI_H
#define KSA_INI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/macros.h"

#define KSA_INI_LINE 1024
#define KSA_INI_NAME 64

/* The remedy of a header that is not valid. */
#define KSA_INI_SECTIONS                                              \
        "write [host], [cluster NAME], [service NAME], [rule NAME], " \
        "[account NAME] or [accounts CLUSTER]"

struct ksa_ini {
        char *at;
        char *end;
        unsigned line;    /* of the last item or error, from 1 */
        bool is_header;   /* the line looks like a section header, valid or not */
        const char *text; /* the line, of LENGTH bytes; after an error it ends in a NUL */
        size_t length;
};

struct ksa_ini_item {
        const char *kind;  /* of a section; NULL: this is a key */
        const char *name;  /* of a section; "" without a name */
        const char *key;   /* NULL: this is a section */
        const char *value; /* never empty */
};

/*
 * Starts to read LENGTH bytes, which are followed by a NUL. They are borrowed and modified in
 * place.
 */
void ksa_ini_start(struct ksa_ini *ini, char *bytes, size_t length);

/*
 * Returns the next section or key. Its texts point into the bytes. At the end of the file both kind
 * and key are NULL. After KSA_CONFIG_INVALID the line is skipped, and reading may continue; the error
 * has a remedy.
 */
enum ksa_reason ksa_ini_next(struct ksa_ini *ini, struct ksa_ini_item *ret_item,
                             struct ksa_error *err) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of options: one row each, which drives parsing, defaults, limits,
 * `ksactl options`, and the test that compares it with ksa.conf(5) and the example.
 */
#ifndef KSA_OPTION_H
#define KSA_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/types.h"

enum {
        KSA_OPTION_LIST = 1, /* values parted by blanks, and the key may repeat */
        KSA_OPTION_REQUIRED = 2,
};

struct ksa_option;

struct ksa_kind {
        const char *name;    /* "is not a valid NAME" */
        const char *syntax;  /* for people: "yes | no" */
        const char *allowed; /* the alphabet, for people; NULL: the syntax is enough */
        size_t size;         /* of one value */
        /* Parses TEXT, which outlives the value and may be cut up, into VALUE. */
        bool (*parse)(const struct ksa_option *option, char *text, void *value);
};

struct ksa_option {
        enum ksa_section section;
        const char *name;
        const struct ksa_kind *kind;
        unsigned flags;
        size_t offset;             /* in the section's struct: a value, or a struct ksa_list */
        uint64_t min, max;         /* for numbers and durations */
        const char *default_value; /* the default as written; NULL for none */
        const char *text;          /* what it is for, in one line */
};

/* All options, section by section in the order of enum ksa_section. */
extern const struct ksa_option ksa_options[];
extern const size_t ksa_option_count;

/* "never" for KSA_REVIEW_NEVER. */
const char *ksa_review_word(enum ksa_review review);

/* NULL where the section has no such option. */
const struct ksa_option *ksa_option_find(enum ksa_section section, const char *name);

/* Whether OPTION was written in a section, rather than left to its default. */
bool ksa_option_given(const struct ksa_section_head *section, const struct ksa_option *option);

/*
 * Puts TEXT into the option's place in SECTION; a list is parted at blanks and each
 * value added to it. TEXT is cut up and stays in use. Returns the value that does not
 * fit, or NULL; *RET_MEMORY tells that memory ran out.
 */
const char *ksa_option_set(const struct ksa_option *option, char *text, void *section,
                           bool *ret_memory) KSA_MUST_CHECK;

#endif

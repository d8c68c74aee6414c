/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of options: one row each, which drives parsing, defaults, limits,
 * `ksactl options`, and the test that compares it with ksa.conf(5) and the example.
 */
#ifndef KSA_OPTION_H
#define KSA_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "macros.h"

enum ksa_section {
        KSA_SECTION_HOST,
        KSA_SECTION_CLUSTER,
        KSA_SECTION_SERVICE,
        KSA_SECTION_RULE,
        KSA_SECTION_ACCOUNT,
        KSA_SECTION_ACCOUNTS,
        KSA_SECTION_COUNT,
};

/* Items of one kind; which, the option's kind says. */
struct ksa_list {
        void *items;
        size_t count;
};

/* An account as a rule names it: cluster:namespace/name; "*" is any whole part. */
struct ksa_pattern {
        const char *cluster;
        const char *namespace;
        const char *name;
};

/* From strict to lax: the smaller one is the stricter. */
enum ksa_review {
        KSA_REVIEW_REQUIRE = 1,
        KSA_REVIEW_PREFER = 2,
        KSA_REVIEW_NEVER = 3,
};

enum ksa_bound {
        KSA_BOUND_ANY = 0,
        KSA_BOUND_POD = 1,
};

struct ksa_uid_range {
        uint32_t min, max;
};

enum {
        KSA_OPTION_LIST = 1,     /* values parted by blanks, and the key may repeat */
        KSA_OPTION_REQUIRED = 2,
};

struct ksa_option;

struct ksa_kind {
        const char *syntax; /* for people: "yes | no" */
        size_t size;        /* of one value */
        /* Parses TEXT, which outlives the value and may be cut up, into VALUE. */
        bool (*parse)(const struct ksa_option *option, char *text, void *value);
};

struct ksa_option {
        enum ksa_section section;
        const char *name;
        const struct ksa_kind *kind;
        unsigned flags;
        size_t offset;          /* in the section's struct: a value, or a struct ksa_list */
        uint64_t min, max;      /* for numbers and durations */
        const char *fallback;   /* the default as written; NULL for none */
        const char *text;       /* what it is for, in one line */
};

/* All options, section by section in the order of enum ksa_section. */
extern const struct ksa_option ksa_options[];
extern const size_t ksa_option_count;

/* Room for one more item of SIZE bytes at the end of a list, not yet counted; NULL when memory
 * runs out. */
void *ksa_list_next(struct ksa_list *list, size_t size) KSA_MUST_CHECK;

/* NULL where the section has no such option. */
const struct ksa_option *ksa_option_find(enum ksa_section section, const char *name);

/* "cluster" for KSA_SECTION_CLUSTER; and whether such a section has a name. */
const char *ksa_section_word(enum ksa_section section);
bool ksa_section_is_named(enum ksa_section section);

/*
 * Puts TEXT into the option's place in SECTION; a list is parted at blanks and each
 * value added to it. TEXT is cut up and stays in use. Returns the value that does not
 * fit, or NULL; *RET_MEMORY tells that memory ran out.
 */
const char *ksa_option_set(const struct ksa_option *option, char *text, void *section,
                           bool *ret_memory) KSA_MUST_CHECK;

#endif

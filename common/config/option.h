/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of options, one row each. It drives parsing, defaults, limits, `ksactl options`, and
 * the test that compares it with ksa.conf(5) and the example.
 */
#ifndef KSA_OPTION_H
#define KSA_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/remedy.h"
#include "config/types.h"

enum {
        KSA_OPTION_LIST = 1, /* values separated by spaces; the key may appear again */
        KSA_OPTION_REQUIRED = 2,
};

struct ksa_option;

struct ksa_kind {
        const char *name;    /* completes "is not a valid NAME" */
        const char *syntax;  /* shown to people: "yes | no" */
        const char *allowed; /* allowed characters, shown to people; NULL: not shown */
        size_t size;         /* bytes of one value */
        /* Parses TEXT into VALUE. TEXT outlives VALUE and may be modified. */
        bool (*parse)(const struct ksa_option *option, char *text, void *value);
        ksa_remedy_function *remedy; /* of a value that parse() refuses */
};

struct ksa_option {
        enum ksa_section section;
        const char *name;
        const struct ksa_kind *kind;
        unsigned flags;
        size_t offset;             /* in the section's struct, of a value or a struct ksa_list */
        uint64_t min, max;         /* of numbers and durations */
        const char *default_value; /* as text; NULL: no default */
        const char *text;          /* the purpose, in one line */
};

/* All options, grouped by section in the order of enum ksa_section. */
extern const struct ksa_option ksa_options[];
extern const size_t ksa_option_count;

/* Returns the value of review= as text, such as "never". Static. */
const char *ksa_review_name(enum ksa_review review);

/* Returns the option, or NULL if the section has no such option. */
const struct ksa_option *ksa_option_find(enum ksa_section section, const char *name);

/* Returns the option of SECTION whose name was meant by NAME, or NULL. */
const struct ksa_option *ksa_option_near(enum ksa_section section, const char *name);

/* The bit of the option's row in `given` and `faulty` of its section. */
uint64_t ksa_option_bit(const struct ksa_option *option);

/* Whether TEXT is valid for the option, all values of a list. */
bool ksa_option_accepts(const struct ksa_option *option, const char *text);

/* Writes the remedy of VALUE, which is not valid. CONFIG is what was read so far. */
void ksa_option_remedy(const struct ksa_option *option, const struct ksa_config *config,
                       const char *value, char out[KSA_REMEDY_MAX + 1]);

/* Whether SECTION sets OPTION; false if it has its default. */
bool ksa_option_given(const struct ksa_section_head *section, const struct ksa_option *option);

/*
 * Parses TEXT and stores it in SECTION. A list is split at spaces, and its values are appended.
 * TEXT is modified and must live as long as SECTION. Returns the value that is not valid, or NULL.
 * *RET_MEMORY becomes true if memory ran out.
 */
const char *ksa_option_set(const struct ksa_option *option, char *text, void *section,
                           bool *ret_memory) KSA_MUST_CHECK;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Remedies of invalid values: what to type in place of the value. One function for each kind of
 * value, which option.c names.
 */
#ifndef KSA_CONFIG_REMEDY_H
#define KSA_CONFIG_REMEDY_H

#include "base/error.h"
#include "config/types.h"

/* All borrowed. */
struct ksa_remedy_context {
        const struct ksa_config *config; /* what was read so far */
        const char *syntax;              /* of the kind: "yes | no" */
        const char *allowed;             /* characters of the kind; may be NULL */
        uint64_t min, max;               /* of numbers and durations */
};

/*
 * Writes the remedy for VALUE, printable ASCII that is not valid. It is an instruction, never
 * empty, and has no password of a URL.
 */
typedef void ksa_remedy_function(const struct ksa_remedy_context *context, const char *value,
                                 char out[KSA_REMEDY_MAX + 1]);

/* Names and words. */
ksa_remedy_function ksa_remedy_account;
ksa_remedy_function ksa_remedy_audience;
ksa_remedy_function ksa_remedy_characters; /* of values that are copied: the characters allowed */
ksa_remedy_function ksa_remedy_choice;     /* of "yes | no" and the like */
ksa_remedy_function ksa_remedy_host_name;
ksa_remedy_function ksa_remedy_keys; /* of keys and source */
ksa_remedy_function ksa_remedy_namespace;
ksa_remedy_function ksa_remedy_path;
ksa_remedy_function ksa_remedy_service;
ksa_remedy_function ksa_remedy_url;
ksa_remedy_function ksa_remedy_user;

/* Numbers. */
ksa_remedy_function ksa_remedy_duration;
ksa_remedy_function ksa_remedy_network;
ksa_remedy_function ksa_remedy_number;
ksa_remedy_function ksa_remedy_uid_range;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of arguments of the PAM line, one row each. */
#ifndef KSA_ARGUMENTS_H
#define KSA_ARGUMENTS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/macros.h"

struct ksa_arguments {
        const char *config;     /* NULL: default path */
        const char *token_file; /* NULL: prompt for the token */
        const char *exempt;     /* user names separated by commas; NULL: not set */
        bool nodelay;
        bool debug;
};

/*
 * Parses the arguments, whose texts are borrowed. KSA_ARGUMENT for one that is unknown, appears
 * twice, or has an invalid value.
 */
enum ksa_reason ksa_arguments_parse(int argc, const char **argv,
                                    struct ksa_arguments *ret_arguments,
                                    struct ksa_error *err) KSA_MUST_CHECK;

/* Whether exempt= names USER. */
bool ksa_arguments_exempt(const struct ksa_arguments *arguments, const char *user);

#endif

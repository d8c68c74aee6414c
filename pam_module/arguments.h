/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of arguments of the PAM line, one row each. */
#ifndef KSA_PAM_ARGUMENTS_H
#define KSA_PAM_ARGUMENTS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/macros.h"

struct arguments {
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
enum ksa_reason parse_arguments(int argc, const char **argv, struct arguments *ret_arguments,
                                struct ksa_error *err) KSA_MUST_CHECK;

/* Whether exempt= names USER. */
bool is_exempt(const struct arguments *arguments, const char *user);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What was meant by a line that is not valid: the line to type instead. */
#ifndef KSA_CONFIG_CORRECT_H
#define KSA_CONFIG_CORRECT_H

#include "config/option.h"

/*
 * Returns the option of SECTION that an invalid line of LENGTH bytes is about, or NULL: "Users: x"
 * is about user.
 */
const struct ksa_option *ksa_correct_option(enum ksa_section section, const char *line,
                                            size_t length);

/*
 * Writes "write KEY = VALUE" for a line about OPTION. False if no valid value is near, or it could
 * have a password.
 */
bool ksa_correct_line(const struct ksa_option *option, const char *line, size_t length,
                      char out[KSA_REMEDY_MAX + 1]);

/* Writes "write [kind NAME]" for a line that should be a header. False if no kind is near. */
bool ksa_correct_header(const char *line, size_t length, char out[KSA_REMEDY_MAX + 1]);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Compiler attributes that C17 does not have. */
#ifndef KSA_MACROS_H
#define KSA_MACROS_H

#define KSA_MUST_CHECK                  __attribute__((warn_unused_result))
#define KSA_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))
/* Calls FREE_FUNCTION with the variable's address when the variable goes out of scope. */
#define KSA_CLEANUP(free_function) __attribute__((cleanup(free_function)))
#define KSA_COUNT(array)           (sizeof(array) / sizeof((array)[0]))

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The only caller of jansson's loader. */
#ifndef KSA_JSON_H
#define KSA_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "error.h"
#include "macros.h"

/*
 * Loads LENGTH bytes that hold one JSON object and nothing else. Duplicate members,
 * NUL bytes, bad UTF-8 and nesting deeper than KSA_JSON_DEPTH are refused; the depth
 * before jansson sees the bytes, because its own limit costs more stack than a thread
 * of the host program may have.
 *
 * ret_object  owned by the caller (ksa_json_free)
 *
 * KSA_NOT_A_TOKEN  no such object; no text of the library, which quotes its input,
 *                  gets into ERR
 */
#define KSA_JSON_DEPTH 16
enum ksa_reason ksa_json_load(const char *bytes, size_t length, json_t **ret_object,
                              struct ksa_error *err) KSA_MUST_CHECK;

void ksa_json_free(json_t **value);

/* The text of a member, or NULL where it is missing or no string. */
const char *ksa_json_text(const json_t *object, const char *member);

#endif

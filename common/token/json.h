/* SPDX-License-Identifier: BSD-2-Clause */
/* The only caller of jansson's loader. */
#ifndef KSA_JSON_H
#define KSA_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"
#include "base/macros.h"

/*
 * Parses LENGTH bytes as one JSON object and nothing else. Duplicate members, NUL bytes, invalid
 * UTF-8 and nesting deeper than KSA_JSON_DEPTH are errors. Depth is checked before jansson parses,
 * because jansson's limit may need more stack than a thread of the host program has.
 *
 * ret_object  owned by the caller (ksa_json_free)
 *
 * KSA_NOT_A_TOKEN  not such an object; ERR contains no text of jansson, which may quote the input
 */
#define KSA_JSON_DEPTH 16
enum ksa_reason ksa_json_load(const char *bytes, size_t length, json_t **ret_object,
                              struct ksa_error *err) KSA_MUST_CHECK;

/*
 * The same for a document of a cluster or an administrator: a key set, a discovery document, the
 * response to a review, a list. A byte order mark is skipped, and ksa_json_replace() is applied
 * first, so that a value in a member that ksa does not read cannot invalidate the document. Not for
 * tokens.
 *
 * KSA_NOT_A_TOKEN  ERR has line and column, or the format of the text (empty, UTF-16, HTML, PEM), or
 *                  the message of an API server's Status
 * KSA_MEMORY
 */
enum ksa_reason ksa_json_load_document(const char *bytes, size_t length, json_t **ret_object,
                                       struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Replaces in place, without changing the length, values that JSON allows and jansson rejects. A
 * number beyond 64 bits or the range of a double becomes 0.5 and spaces; an escape of NUL or of a
 * lone surrogate becomes \ufffd. Readers reject the new values: ksa reads only integers, and no
 * name or URL contains U+FFFD. null would not do, because for some members it means absent. Other
 * bytes stay unchanged, also in invalid JSON.
 */
void ksa_json_replace(char *bytes, size_t length);

void ksa_json_free(json_t **value);

/*
 * Returns the string value of MEMBER, borrowed from OBJECT. NULL if it is missing or not a string.
 */
const char *ksa_json_text(const json_t *object, const char *member);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The only caller of jansson's loader. */
#ifndef KSA_JSON_H
#define KSA_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"
#include "base/macros.h"

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

/*
 * The same for a document of a cluster or an administrator: a key set, a discovery document, the answer to a
 * review, a list. A byte order mark before it is skipped, and ksa_json_replace() removes values that jansson
 * refuses, because one of them in a member that ksa does not read must not refuse the document. Tokens are
 * not documents.
 *
 * KSA_NOT_A_TOKEN  as above; ERR has line and column, or names a text in another form (empty, UTF-16, HTML,
 *                  PEM) and a Status of an API server with its message
 * KSA_MEMORY
 */
enum ksa_reason ksa_json_load_document(const char *bytes, size_t length, json_t **ret_object,
                                       struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Replaces in place, without a change of length, what JSON allows and jansson refuses: a number beyond 64
 * bits or the range of a double becomes 0.5 and spaces, an escape of NUL or of half a surrogate pair becomes
 * \ufffd. A reader refuses both: ksa reads only integers, and no name or URL contains U+FFFD. The number does
 * not become null, which for some members means that they are absent. Other bytes are left alone, also in a
 * text that is not valid JSON.
 */
void ksa_json_replace(char *bytes, size_t length);

void ksa_json_free(json_t **value);

/* The text of a member, or NULL where it is missing or no string. */
const char *ksa_json_text(const json_t *object, const char *member);

#endif

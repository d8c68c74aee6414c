/* SPDX-License-Identifier: BSD-2-Clause */
/* Strict parsers for short texts, Kubernetes names, and quoting for logs. */
#ifndef KSA_TEXT_H
#define KSA_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/macros.h"

/* Largest number of bytes that LENGTH characters of base64url decode to. */
#define KSA_BASE64URL_DECODED(length) ((length) / 4 * 3 + 2)
/* Characters of LENGTH bytes in base64url, with the NUL. */
#define KSA_BASE64URL_ENCODED(length) ((4 * (length) + 2) / 3 + 1)

/*
 * Decodes base64url without padding (RFC 7515 section 2). Other bytes are rejected, and so are
 * unused bits that are not zero: each value has one spelling. OUT has room for
 * KSA_BASE64URL_DECODED(length) bytes.
 */
bool ksa_base64url_decode(const char *text, size_t length, unsigned char *out,
                          size_t *ret_length) KSA_MUST_CHECK;

/*
 * Encodes to base64url without padding. OUT has room for KSA_BASE64URL_ENCODED(length) and ends in
 * a NUL.
 */
void ksa_base64url_encode(const unsigned char *bytes, size_t length, char *out);

/*
 * Parses a decimal number from MIN to MAX: only digits, no sign, no leading zero, at most 18
 * digits.
 */
bool ksa_text_number(const char *text, uint64_t min, uint64_t max,
                     uint64_t *ret_number) KSA_MUST_CHECK;

/* Parses seconds from MIN to MAX: a number, then s, m, h, d or nothing (seconds). */
bool ksa_text_duration(const char *text, uint64_t min, uint64_t max,
                       uint64_t *ret_seconds) KSA_MUST_CHECK;

/*
 * Finds the name that was meant by a mistyped one: the only candidate with at most two insertions,
 * deletions and replacements of a letter (one in names of three letters). Upper case is as lower
 * case. Set `text`, the rest zero.
 */
struct ksa_near {
        const char *text;
        const char *name; /* the nearest candidate, borrowed; NULL: none, or two are as near */
        unsigned distance;
};
void ksa_near_try(struct ksa_near *near, const char *candidate);

/* RFC 1123 label (a namespace; at most 63 bytes) and subdomain (at most 253). */
bool ksa_is_dns_label(const char *text);
bool ksa_is_dns_subdomain(const char *text);

/* Whether the last bytes of TEXT are END. */
bool ksa_text_ends_with(const char *text, const char *end);

/* Whether TEXT is not empty and contains only printable ASCII without spaces. */
bool ksa_is_graphic(const char *text);

/* Bytes of an untrusted value that a log line or message shows before it is cut. */
#define KSA_QUOTE_MAX 384
/* Largest result of ksa_text_quote(): every byte as \xNN, the mark of a cut, a NUL. */
#define KSA_QUOTED_SIZE (KSA_QUOTE_MAX * 4 + 5)

/*
 * Quotes TEXT for a log: `"`, `\` and bytes outside printable ASCII become \xNN. Text after
 * KSA_QUOTE_MAX bytes, or that does not fit into SIZE bytes, is cut; the result then ends in
 * `\...`. No quotation marks are added. Returns OUT.
 */
const char *ksa_text_quote(const char *text, char *out, size_t size);

/*
 * The same for the texts of LIST, separated by spaces. A space in a text becomes \x20, so that a
 * reader can separate them again. A list that does not fit ends in `\...`.
 */
const char *ksa_text_quote_list(const struct ksa_list *list, char *out, size_t size);

/*
 * Room for a value in a log line or message, with the NUL. Unverified values may be an attacker's
 * (a user name, an address, claims before the signature was verified). Verified ones are signed or
 * configured.
 */
#define KSA_UNVERIFIED_SIZE 65
#define KSA_VERIFIED_SIZE   129

/*
 * Makes a whole message safe between quotation marks. Its values from outside are already quoted.
 * `"` becomes ', and bytes outside printable ASCII become ?, so the length stays the same. A text
 * that does not fit into SIZE bytes ends in "...". Returns OUT.
 */
const char *ksa_text_whole(const char *text, char *out, size_t size);

/*
 * Returns USER for a log, or a static text if it may contain a token: people paste tokens at the
 * prompt for a name. "eyJ" is {" in base64.
 */
const char *ksa_text_user(const char *user);

/*
 * Returns URL for a message or log. Text before the last @ may be a password and becomes "***",
 * except for http:// or https://. Returns URL itself if it has no @, else OUT, cut to SIZE bytes.
 */
const char *ksa_text_url(const char *url, char *out, size_t size);

/*
 * Formats SECONDS as "12 s", "4 min 48 s", "23 h 59 min" or "3 d 4 h". Negative values become "0
 * s". Returns OUT.
 */
#define KSA_SPAN_SIZE 32
const char *ksa_text_span(int64_t seconds, char out[KSA_SPAN_SIZE]);

#endif

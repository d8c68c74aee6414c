/* SPDX-License-Identifier: BSD-2-Clause */
/* Small strict parsers, the names of Kubernetes, and quoting for logs. */
#ifndef KSA_TEXT_H
#define KSA_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

/* Bytes that LENGTH bytes of base64url decode to, at most. */
#define KSA_BASE64URL_DECODED(length) ((length) / 4 * 3 + 2)
/* Characters that LENGTH bytes take in base64url, with the NUL. */
#define KSA_BASE64URL_ENCODED(length) ((4 * (length) + 2) / 3 + 1)

/*
 * base64url without padding (RFC 7515 section 2), strict: no other byte, and the
 * unused bits at the end are zero, so that one value has one spelling. OUT has
 * room for KSA_BASE64URL_DECODED(length). False leaves *RET_LENGTH untouched.
 */
bool ksa_base64url_decode(const char *text, size_t length, unsigned char *out,
                          size_t *ret_length) KSA_MUST_CHECK;

/* OUT has room for KSA_BASE64URL_ENCODED(length) and ends in a NUL. */
void ksa_base64url_encode(const unsigned char *bytes, size_t length, char *out);

/* A decimal number between MIN and MAX: digits alone, no sign, no zero in front. */
bool ksa_text_number(const char *text, uint64_t min, uint64_t max,
                     uint64_t *ret_number) KSA_MUST_CHECK;

/* Seconds: a number with s, m, h or d behind it, or with none (seconds). */
bool ksa_text_duration(const char *text, uint64_t min, uint64_t max,
                       uint64_t *ret_seconds) KSA_MUST_CHECK;

/* RFC 1123 label (a namespace, at most 63 bytes) and subdomain (at most 253). */
bool ksa_is_dns_label(const char *text);
bool ksa_is_dns_subdomain(const char *text);

/* Whether TEXT is not empty and holds printable ASCII alone, no blank. */
bool ksa_is_graphic(const char *text);

/* Most bytes of one value from outside that a log line or message shows. */
#define KSA_QUOTE_MAX 384
/* Room that ksa_text_quote() needs at most: every byte as \xNN, the mark of a cut, a NUL. */
#define KSA_QUOTED_SIZE (KSA_QUOTE_MAX * 4 + 5)

/*
 * TEXT as it may stand in a log: bytes outside printable ASCII, `"` and `\` become
 * \xNN; what is longer than KSA_QUOTE_MAX bytes is cut and ends in `\...`. The text
 * is not put in quotation marks. OUT holds SIZE bytes, and what does not fit is cut
 * in the same way. Returns OUT.
 */
const char *ksa_text_quote(const char *text, char *out, size_t size);

/*
 * Room for a value in a log line or message, with the NUL: one that an attacker may have written (a user
 * name, an address, claims of a token before its signature was verified), and one that is verified or
 * configured.
 */
#define KSA_UNVERIFIED_SIZE 65
#define KSA_VERIFIED_SIZE   129

/*
 * A whole message, whose values from outside are quoted already, as it may stand between quotation marks:
 * as long as TEXT, with ' for " and ? for bytes outside printable ASCII. OUT holds SIZE bytes; a text
 * that does not fit ends in "...". Returns OUT.
 */
const char *ksa_text_whole(const char *text, char *out, size_t size);

/*
 * USER as a log may show it: people paste tokens where a name belongs. A name that looks like a
 * token (its first bytes, {" in base64) becomes a text that says so.
 */
const char *ksa_text_user(const char *user);

/*
 * URL as a message or log may show it: "***" in place of all before its last @, which may be a password,
 * except http:// or https://. URL itself if it has no @, else OUT, cut to SIZE bytes.
 */
const char *ksa_text_url(const char *url, char *out, size_t size);

/* SECONDS as people say it: "12 s", "4 min 48 s", "23 h 59 min", "3 d 4 h"; nothing below zero. */
#define KSA_SPAN_SIZE 32
const char *ksa_text_span(int64_t seconds, char out[KSA_SPAN_SIZE]);

#endif

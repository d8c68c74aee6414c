/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The alphabets of values that administrators write, all of them ASCII, and frequent mistakes.
 * No alphabet has a "#" or a ";", so that a comment after a value never becomes part of one.
 */
#ifndef KSA_VALUE_H
#define KSA_VALUE_H

#include <stdbool.h>

/* The NAME of a section. */
bool ksa_is_section_name(const char *text);

/* The name of a user or group. It begins with a letter, a digit or "_". */
#define KSA_USER_MAX     255
#define KSA_USER_ALLOWED "letters, digits, _ . - @ +, and $ at the end"
bool ksa_is_user(const char *text);

/* A PAM service: the name of a file in /etc/pam.d, which begins like a user's. */
#define KSA_SERVICE_ALLOWED "letters, digits, _ . - + @"
bool ksa_is_service(const char *text);

/* An absolute path. */
#define KSA_PATH_ALLOWED "an absolute path of letters, digits, _ . - + @ : = ~ %"
bool ksa_is_path(const char *text);

/*
 * The characters of a URI (RFC 3986) without # $ ' , ; which comments, templates, quotes and
 * lists would leave there. It begins with a letter or digit, unlike "(was" and "//was" in front of the rest
 * of a comment, or with an encoded byte, a % and two hexadecimal digits; or it is "//HOST/PATH".
 */
#define KSA_URI_ALLOWED "letters, digits, - . _ ~ : / ? [ ] @ ! & ( ) * + ="
bool ksa_is_uri(const char *text);

/* The same, except that % is followed by H or h. */
bool ksa_is_audience(const char *text);

/* Host names have no case: puts an ssh:// audience into lower case, except %H. Others are left alone. */
void ksa_lower_audience(char *text);

/* A Kubernetes label selector; its grammar is left to the API server. */
#define KSA_SELECTOR_ALLOWED "letters, digits, spaces, - _ . / = ! , ( )"
bool ksa_is_selector(const char *text);

/* A Kubernetes uid: a UUID, whose shape is not required. */
#define KSA_ACCOUNT_UID_ALLOWED "letters, digits, -"
bool ksa_is_account_uid(const char *text);

/*
 * Whether TEXT has @NAME@ or __NAME__, with NAME in capitals: an unrendered template of characters that many
 * values may have.
 */
bool ksa_value_has_placeholder(const char *text);

struct ksa_mistake {
        const char *text;   /* "comment after a value" */
        const char *remedy; /* an instruction */
};

/* The frequent mistake in TEXT, which is not a valid value; NULL where it is another one. */
const struct ksa_mistake *ksa_value_mistake(const char *text, bool is_list_item);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The alphabets of configuration values, all ASCII, and frequent mistakes. No alphabet contains "#"
 * or ";", so that a comment after a value cannot become part of it.
 */
#ifndef KSA_VALUE_H
#define KSA_VALUE_H

#include <stdbool.h>

/* Whether TEXT may be the NAME of a section. */
bool ksa_is_section_name(const char *text);

/* The name of a user or group. It begins with a letter, a digit or "_". */
#define KSA_USER_MAX     255
#define KSA_USER_ALLOWED "letters, digits, _ . - @ +, and $ at the end"
bool ksa_is_user(const char *text);

/* A PAM service: the name of a file in /etc/pam.d. It begins like a user's name. */
#define KSA_SERVICE_ALLOWED "letters, digits, _ . - + @"
bool ksa_is_service(const char *text);

/* An absolute path. */
#define KSA_PATH_ALLOWED "an absolute path of letters, digits, _ . - + @ : = ~ %"
bool ksa_is_path(const char *text);

/*
 * The characters of a URI (RFC 3986) except # $ ' , ; which comments, unrendered templates, quotes
 * and lists would leave in it. It begins with a letter, a digit, or an encoded byte (% and two
 * hexadecimal digits); or it is "//HOST/PATH". So "(was" and "//was", the rest of a comment, are
 * rejected.
 */
#define KSA_URI_ALLOWED "letters, digits, - . _ ~ : / ? [ ] @ ! & ( ) * + ="
bool ksa_is_uri(const char *text);

/* The same, except that % is followed by H or h. */
bool ksa_is_audience(const char *text);

/*
 * Converts an ssh:// audience, which is a host name, to lower case except for %H. Leaves others
 * unchanged.
 */
void ksa_lower_audience(char *text);

/* A Kubernetes label selector. The API server checks the grammar. */
#define KSA_SELECTOR_ALLOWED "letters, digits, spaces, - _ . / = ! , ( )"
bool ksa_is_selector(const char *text);

/* A Kubernetes uid. Usually a UUID, but that is not required. */
#define KSA_ACCOUNT_UID_ALLOWED "letters, digits, -"
bool ksa_is_account_uid(const char *text);

/*
 * Whether TEXT contains @NAME@ or __NAME__ with NAME in capitals: an unrendered template whose
 * characters are valid in many values.
 */
bool ksa_value_has_placeholder(const char *text);

struct ksa_mistake {
        const char *text;   /* "comment after a value" */
        const char *remedy; /* an instruction */
};

/* Returns the frequent mistake in TEXT, a value that is not valid. NULL for other text. */
const struct ksa_mistake *ksa_value_mistake(const char *text, bool is_list_item);

#endif

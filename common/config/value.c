/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/value.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define DIGITS  "0123456789"
#define UPPER   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LETTERS "abcdefghijklmnopqrstuvwxyz" UPPER
#define ALNUM   LETTERS DIGITS

enum { TEXT_MAX = 512 };

static bool is_made_of(const char *text, const char *alphabet)
{
        size_t length = strspn(text, alphabet);

        return length > 0 && text[length] == '\0';
}

bool ksa_is_section_name(const char *text)
{
        return is_made_of(text, ALNUM "._-");
}

/* Text with another first byte could be an option, a path or a pattern. */
static bool begins_a_name(const char *text)
{
        return strspn(text, ALNUM "_") > 0;
}

bool ksa_is_user(const char *text)
{
        size_t length = strspn(text, ALNUM "_.-@+");

        return begins_a_name(text) && strlen(text) <= KSA_USER_MAX &&
               (text[length] == '\0' || strcmp(text + length, "$") == 0);
}

bool ksa_is_service(const char *text)
{
        return begins_a_name(text) && is_made_of(text, ALNUM "_.-+@") &&
               strlen(text) <= KSA_QUOTE_MAX;
}

bool ksa_is_path(const char *text)
{
        return text[0] == '/' && is_made_of(text, ALNUM "/_.-+@:=~%");
}

/* A scheme, a host, an encoded byte, or a reference without a scheme: "//HOST/PATH". */
static bool begins_a_uri(const char *text)
{
        return strspn(text, ALNUM "%") > 0 ||
               (strncmp(text, "//", 2) == 0 && begins_a_name(text + 2) &&
                strchr(text + 2, '/') != NULL);
}

/* Whether TEXT is a URI in which COUNT bytes of AFTER follow each %. */
static bool is_uri(const char *text, const char *after, size_t count)
{
        for (const char *c = strchr(text, '%'); c != NULL; c = strchr(c + 1, '%')) {
                if (strspn(c + 1, after) < count)
                        return false;
        }
        return is_made_of(text, ALNUM "-._~:/?[]@!&()*+=%") && begins_a_uri(text) &&
               strlen(text) <= TEXT_MAX;
}

bool ksa_is_uri(const char *text)
{
        return is_uri(text, DIGITS "abcdefABCDEF", 2);
}

bool ksa_is_audience(const char *text)
{
        return is_uri(text, "Hh", 1);
}

void ksa_lower_audience(char *text)
{
        if (strncasecmp(text, "ssh://", 6) != 0)
                return;
        for (char *c = text; *c != '\0'; c++) {
                if (c[0] == '%' && c[1] != '\0')
                        c++; /* %H and %h differ: keep the case */
                else if (*c >= 'A' && *c <= 'Z')
                        *c = (char)(*c - 'A' + 'a');
        }
}

bool ksa_is_selector(const char *text)
{
        return is_made_of(text, ALNUM " -_./=!,()") && strlen(text) <= TEXT_MAX;
}

bool ksa_is_account_uid(const char *text)
{
        return is_made_of(text, ALNUM "-") && strlen(text) <= TEXT_MAX;
}

/* --- Mistakes ----------------------------------------------------------------- */

/* Whether TEXT has a name in capitals between two MARKs. */
static bool has_name_between(const char *text, const char *mark)
{
        for (const char *at = strstr(text, mark); at != NULL; at = strstr(at + 1, mark)) {
                const char *name = at + strlen(mark), *end = strstr(name, mark);

                if (end != NULL && strspn(name, UPPER) > 0 &&
                    strspn(name, UPPER DIGITS "_") >= (size_t)(end - name))
                        return true;
        }
        return false;
}

bool ksa_value_has_placeholder(const char *text)
{
        return has_name_between(text, "@") || has_name_between(text, "__");
}

static bool is_template(const char *text)
{
        const char *dollar = strchr(text, '$'), *angle = strchr(text, '<');

        return ksa_value_has_placeholder(text) || strstr(text, "{{") != NULL ||
               (angle != NULL && strchr(angle, '>') != NULL) ||
               (dollar != NULL && dollar[1] != '\0' && strchr(LETTERS "_{(", dollar[1]) != NULL);
}

const struct ksa_mistake *ksa_value_mistake(const char *text, bool is_list_item)
{
        static const struct ksa_mistake template = {
                "unrendered template", "render the template, or write the value in its place"};
        static const struct ksa_mistake comment = {"comment after a value",
                                                   "put the comment on a line of its own"};
        static const struct ksa_mistake comma = {"comma in a list", "separate items with spaces"};
        static const struct ksa_mistake semicolon = {"semicolon in a list",
                                                     "separate items with spaces"};
        const char *mark = strpbrk(text, "#;");

        if (is_template(text))
                return &template;
        if (mark != NULL && is_list_item && *mark == ';' && mark != text && mark[1] != '\0' &&
            strchr(mark, '#') == NULL)
                return &semicolon;
        if (mark != NULL)
                return &comment;
        return is_list_item && strchr(text, ',') != NULL ? &comma : NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/correct.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/ini.h"
#include "config/value.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Room for a line that fits into a remedy, with its NUL. */
enum { TEXT_SIZE = 200 };

/* Text that editors and web pages insert, and what to type instead. */
static const struct {
        const char *bytes, *ascii;
} typed[] = {
        {"\xe2\x80\x9c", ""},
        {"\xe2\x80\x9d", ""},
        {"\xe2\x80\x9e", ""},
        {"\xe2\x80\x98", ""},
        {"\xe2\x80\x99", ""},
        {"\xe2\x80\x8b", ""},
        {"\xe2\x81\xa0", ""},
        {"\xef\xbb\xbf", ""},
        {"\xc2\xa0", " "},
        {"\xe2\x80\xaf", " "},
        {"\xe2\x80\x90", "-"},
        {"\xe2\x80\x91", "-"},
        {"\xe2\x80\x93", "-"},
        {"\xe2\x80\x94", "-"},
        {"\xe2\x88\x92", "-"},
        {"\t", " "},
        {"\r", ""},
        {"\"", ""},
        {"'", ""},
        {"`", ""},
};

/* Copies the line in ASCII, without quotes, and without a comment after it. False if that is not possible. */
static bool copy_typed(const char *line, size_t length, char out[TEXT_SIZE])
{
        size_t at = 0;

        for (size_t i = 0; i < length && line[i] != '\0';) {
                size_t taken = 1, row = 0;

                while (row < KSA_COUNT(typed) &&
                       strncmp(line + i, typed[row].bytes, strlen(typed[row].bytes)) != 0)
                        row++;
                if (at + 2 > TEXT_SIZE)
                        return false;
                if (row < KSA_COUNT(typed)) {
                        taken = strlen(typed[row].bytes);
                        if (*typed[row].ascii != '\0')
                                out[at++] = *typed[row].ascii;
                } else if (line[i] < ' ' || line[i] > '~') {
                        return false;
                } else {
                        out[at++] = line[i];
                }
                i += taken;
        }
        out[at] = '\0';
        char *comment = strstr(out, " #");
        if (comment != NULL)
                at = (size_t)(comment - out);
        while (at > 0 && out[at - 1] == ' ')
                at--;
        out[at] = '\0';
        return at > 0;
}

/* Copies the word at the beginning of TEXT in lower case, with _ for -. Returns its length. */
static size_t take_word(const char *text, char out[KSA_INI_NAME + 1])
{
        size_t length = strspn(text, LETTERS "_-");

        if (length > KSA_INI_NAME)
                length = 0;
        for (size_t i = 0; i < length; i++)
                out[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a'
                                : text[i] == '-'                 ? '_'
                                                                 : text[i]);
        out[length] = '\0';
        return length;
}

const struct ksa_option *ksa_correct_option(enum ksa_section section, const char *line,
                                            size_t length)
{
        char start[KSA_INI_NAME + 1], key[KSA_INI_NAME + 1];
        size_t at = 0;

        while (at < length && (line[at] == '\0' || strchr(LETTERS, line[at]) == NULL))
                at++;
        (void)snprintf(start, sizeof(start), "%.*s",
                       (int)(length - at > KSA_INI_NAME ? KSA_INI_NAME : length - at), line + at);
        if (take_word(start, key) == 0)
                return NULL;
        const struct ksa_option *option = ksa_option_find(section, key);
        return option != NULL ? option : ksa_option_near(section, key);
}

bool ksa_correct_line(const struct ksa_option *option, const char *line, size_t length,
                      char out[KSA_REMEDY_MAX + 1])
{
        char text[TEXT_SIZE], key[KSA_INI_NAME + 1];

        if (!copy_typed(line, length, text))
                return false;
        const char *value = text + strspn(text, " -");
        value += take_word(value, key);
        value += strspn(value, " :=+");
        if (*value == '\0' || !ksa_option_accepts(option, value) ||
            (option->section == KSA_SECTION_CLUSTER && strchr(value, '@') != NULL))
                return false;
        (void)snprintf(out, KSA_REMEDY_MAX + 1, "write %s = %s", option->name, value);
        return true;
}

/* The kind of section that was meant by KIND; KSA_SECTION_COUNT if none is near. */
static enum ksa_section near_section(const char *kind)
{
        struct ksa_near near = {.text = kind};
        unsigned section = 0;

        for (unsigned i = 0; i < KSA_SECTION_COUNT; i++)
                ksa_near_try(&near, ksa_section_name((enum ksa_section)i));
        while (section < KSA_SECTION_COUNT &&
               (near.name == NULL ||
                strcmp(near.name, ksa_section_name((enum ksa_section)section)) != 0))
                section++;
        return (enum ksa_section)section;
}

bool ksa_correct_header(const char *line, size_t length, char out[KSA_REMEDY_MAX + 1])
{
        char text[TEXT_SIZE], kind[KSA_INI_NAME + 1];

        if (!copy_typed(line, length, text))
                return false;
        char *name = text + strspn(text, " [");
        name[strcspn(name, "]")] = '\0';
        name += take_word(name, kind);
        name += strspn(name, " :./=");
        enum ksa_section section = near_section(kind);
        if (section == KSA_SECTION_COUNT)
                return false;
        if (!ksa_section_is_named(section)) {
                (void)snprintf(out, KSA_REMEDY_MAX + 1, "write [%s]", ksa_section_name(section));
                return true;
        }
        for (size_t i = strlen(name); i > 0 && name[i - 1] == ' '; i--)
                name[i - 1] = '\0';
        for (char *c = name; *c != '\0'; c++) {
                const char one[] = {*c, '\0'};

                if (!ksa_is_section_name(one))
                        *c = '-';
        }
        if (strlen(name) > KSA_INI_NAME)
                return false;
        (void)snprintf(out, KSA_REMEDY_MAX + 1, "write [%s %s]", ksa_section_name(section),
                       *name != '\0'                     ? name
                       : section == KSA_SECTION_ACCOUNTS ? "CLUSTER"
                                                         : "NAME");
        return true;
}

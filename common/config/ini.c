/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/ini.h"

#include <string.h>

#include "config/value.h"

static const char key_bytes[] = "abcdefghijklmnopqrstuvwxyz_";

void ksa_ini_start(struct ksa_ini *ini, char *bytes, size_t length)
{
        ini->at = bytes;
        ini->end = bytes + length;
        ini->line = 0;
        ini->is_header = false;
}

static enum ksa_reason invalid(struct ksa_error *err, const char *what)
{
        return ksa_fail(err, KSA_CONFIG_INVALID, "%s", what);
}

/* Rejects bytes that are not allowed in any line. */
static enum ksa_reason check_bytes(const char *line, size_t length, struct ksa_error *err)
{
        if (length > KSA_INI_LINE)
                return invalid(err, "the line is longer than 1024 bytes");
        for (size_t i = 0; i < length; i++) {
                unsigned char c = (unsigned char)line[i];

                if (c == '\t')
                        return invalid(err, "a tab: use spaces");
                if (c == '\r')
                        return invalid(err,
                                       "a carriage return: lines must end in a line feed only");
                if (c < ' ' || c == 0x7f)
                        return invalid(err, "a control character");
                if (c >= 0x80 && line[0] != '#')
                        return invalid(err, "a byte that is not ASCII, outside a comment");
        }
        return KSA_OK;
}

static size_t trimmed(const char *text, size_t length)
{
        while (length > 0 && text[length - 1] == ' ')
                length--;
        return length;
}

static enum ksa_reason parse_section(char *line, size_t length, struct ksa_ini_item *item,
                                     struct ksa_error *err)
{
        if (line[length - 1] != ']')
                return invalid(err, "a section must end in ], and nothing may follow it");
        line[length - 1] = '\0';

        char *kind = line + 1;
        size_t kind_length = strspn(kind, key_bytes);
        char *name = kind + kind_length;
        size_t blanks = strspn(name, " ");

        if (kind_length == 0 || (blanks == 0 && *name != '\0'))
                return invalid(err, "a section is [kind] or [kind NAME]");
        *name = '\0';
        name += blanks;
        if (strlen(name) > KSA_INI_NAME)
                return invalid(err, "a section's name must not be longer than 64 bytes");
        if (blanks > 0 && !ksa_is_section_name(name))
                return invalid(err, "a section's name may contain only letters, digits, and . _ -");
        item->kind = kind;
        item->name = name;
        return KSA_OK;
}

static enum ksa_reason parse_key(char *line, struct ksa_ini_item *item, struct ksa_error *err)
{
        size_t key_length = strspn(line, key_bytes);
        char *equals = line + key_length + strspn(line + key_length, " ");

        if (key_length == 0 || *equals != '=')
                return invalid(err, "neither a comment, nor [kind NAME], nor key = value");

        char *value = equals + 1 + strspn(equals + 1, " ");

        if (*value == '\0')
                return invalid(err, "a key without a value");
        if (strpbrk(value, "\"'\\") != NULL)
                return invalid(err, "a value takes no quotes and no escapes");
        line[key_length] = '\0';
        item->key = line;
        item->value = value;
        return KSA_OK;
}

static enum ksa_reason parse_line(char *line, size_t length, struct ksa_ini_item *item,
                                  struct ksa_error *err)
{
        if (line[0] == ' ')
                return invalid(err, "the line is indented");
        length = trimmed(line, length);
        line[length] = '\0';
        return line[0] == '[' ? parse_section(line, length, item, err) : parse_key(line, item, err);
}

/*
 * Also recognizes a header that is indented, follows a byte order mark or lacks its first bracket.
 */
static bool is_header_line(const char *line, size_t length)
{
        const char *text = line, *end = line + length;

        if (line[0] == '#')
                return false;
        while (text < end && ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x80))
                text++;
        while (end > text && (unsigned char)end[-1] <= ' ')
                end--;
        if (text == end || *text == '[')
                return text != end;
        return end[-1] == ']' && memchr(text, '=', (size_t)(end - text)) == NULL;
}

static bool says_nothing(const char *line, size_t length)
{
        return line[0] == '#' || trimmed(line, length) == 0;
}

enum ksa_reason ksa_ini_next(struct ksa_ini *ini, struct ksa_ini_item *ret_item,
                             struct ksa_error *err)
{
        struct ksa_ini_item item = {0};

        while (ini->at < ini->end) {
                char *line = ini->at;
                char *feed = memchr(line, '\n', (size_t)(ini->end - line));
                size_t length = (size_t)((feed != NULL ? feed : ini->end) - line);

                ini->at = feed != NULL ? feed + 1 : ini->end;
                ini->line++;
                ini->is_header = is_header_line(line, length);
                enum ksa_reason reason = check_bytes(line, length, err);
                if (reason == KSA_OK && says_nothing(line, length))
                        continue;
                if (reason == KSA_OK)
                        reason = parse_line(line, length, &item, err);
                if (reason == KSA_OK)
                        *ret_item = item;
                return reason;
        }
        *ret_item = item;
        return KSA_OK;
}

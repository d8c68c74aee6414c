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
        ini->text = bytes;
        ini->length = 0;
}

/* REMEDY is static. */
static enum ksa_reason invalid(struct ksa_error *err, const char *what, const char *remedy)
{
        (void)ksa_fail(err, KSA_CONFIG_INVALID, "%s", what);
        if (err != NULL)
                err->remedy = remedy;
        return KSA_CONFIG_INVALID;
}

/* Characters that editors and web pages insert. */
static const char *name_of(unsigned character)
{
        switch (character) {
        case 0x201c:
        case 0x201d:
        case 0x201e:
        case 0x2018:
        case 0x2019:
                return ", a curly quote";
        case 0xa0:
        case 0x202f:
                return ", a no-break space";
        case 0x2010:
        case 0x2011:
        case 0x2013:
        case 0x2014:
        case 0x2212:
                return ", a dash that is not a hyphen";
        case 0x200b:
        case 0x2060:
        case 0xfeff:
                return ", an invisible character";
        default:
                return "";
        }
}

/* TEXT begins with a byte that is not ASCII. A NUL follows the file, so no read passes its end. */
static enum ksa_reason not_ascii(const unsigned char *text, struct ksa_error *err)
{
        unsigned character = 0, more = text[0] >= 0xe0 ? 2 : 1;

        character = more == 2 ? text[0] & 0x0fU : text[0] & 0x1fU;
        for (unsigned i = 1; i <= more && character != 0xfffd; i++)
                character = (text[i] & 0xc0) == 0x80 ? character << 6 | (text[i] & 0x3fU) : 0xfffd;
        if (text[0] < 0xc2 || text[0] >= 0xf0 || character == 0xfffd)
                (void)ksa_fail(err, KSA_CONFIG_INVALID,
                               "a byte that is not ASCII (0x%02x), outside a comment", text[0]);
        else
                (void)ksa_fail(err, KSA_CONFIG_INVALID,
                               "a character that is not ASCII (U+%04X%s), outside a comment",
                               character, name_of(character));
        if (err != NULL)
                err->remedy = "use ASCII characters only";
        return KSA_CONFIG_INVALID;
}

/* Rejects bytes that are not allowed in any line. */
static enum ksa_reason check_bytes(const char *line, size_t length, struct ksa_error *err)
{
        if (length > KSA_INI_LINE)
                return invalid(err, "the line is longer than 1024 bytes",
                               "divide a list over several lines of the same option");
        for (size_t i = 0; i < length; i++) {
                unsigned char c = (unsigned char)line[i];

                if (c == '\t')
                        return invalid(err, "a tab", "replace the tab with a space");
                if (c == '\r')
                        return invalid(err, "a carriage return: lines must end in a line feed only",
                                       "remove the carriage return, which cat -v shows as ^M");
                if (c < ' ' || c == 0x7f)
                        return invalid(err, "a control character",
                                       "remove the character, which cat -v shows");
                if (c >= 0x80 && line[0] != '#')
                        return not_ascii((const unsigned char *)line + i, err);
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
                return invalid(err, "a section must end in ], and nothing may follow it",
                               "write the section alone on its line; a comment has its own line");
        line[length - 1] = '\0';

        char *kind = line + 1;
        size_t kind_length = strspn(kind, key_bytes);
        char *name = kind + kind_length;
        size_t blanks = strspn(name, " ");

        if (kind_length == 0 || (blanks == 0 && *name != '\0'))
                return invalid(err, "a section is [kind] or [kind NAME]", KSA_INI_SECTIONS);
        name += blanks;
        if (strlen(name) > KSA_INI_NAME)
                return invalid(err, "a section's name must not be longer than 64 bytes",
                               "choose a shorter name");
        if (blanks > 0 && !ksa_is_section_name(name))
                return invalid(err, "a section's name may contain only letters, digits, and . _ -",
                               "replace other characters with -");
        kind[kind_length] = '\0';
        item->kind = kind;
        item->name = name;
        return KSA_OK;
}

static bool is_template(const char *line)
{
        static const char *const starts[] = {"{%", "{{", "{#", "<%"};

        for (size_t i = 0; i < KSA_COUNT(starts); i++) {
                if (strncmp(line, starts[i], 2) == 0)
                        return true;
        }
        return false;
}

static enum ksa_reason parse_key(char *line, struct ksa_ini_item *item, struct ksa_error *err)
{
        if (is_template(line))
                return invalid(err, "a line of an unrendered template", "render the template");

        size_t key_length = strspn(line, key_bytes);
        char *equals = line + key_length + strspn(line + key_length, " ");

        if (key_length == 0 || *equals != '=')
                return invalid(err, "neither a comment, nor [kind NAME], nor key = value",
                               "begin a comment with #, and write an option as KEY = VALUE");

        char *value = equals + 1 + strspn(equals + 1, " ");

        if (*value == '\0')
                return invalid(err, "a key without a value", "write the value, or remove the line");
        if (strpbrk(value, "\"'\\") != NULL)
                return invalid(err, "a value takes no quotes and no escapes",
                               "write the value without quotes and backslashes");
        line[key_length] = '\0';
        item->key = line;
        item->value = value;
        return KSA_OK;
}

static enum ksa_reason parse_line(char *line, size_t length, struct ksa_ini_item *item,
                                  struct ksa_error *err)
{
        if (line[0] == ' ')
                return invalid(err, "the line is indented",
                               "remove the spaces at the beginning of the line");
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
                ini->text = line;
                ini->length = length;
                ini->is_header = is_header_line(line, length);
                enum ksa_reason reason = check_bytes(line, length, err);
                if (reason == KSA_OK && says_nothing(line, length))
                        continue;
                if (reason == KSA_OK)
                        reason = parse_line(line, length, &item, err);
                if (reason == KSA_OK)
                        *ret_item = item;
                else
                        line[length] = '\0';
                return reason;
        }
        *ret_item = item;
        return KSA_OK;
}

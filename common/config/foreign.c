/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/foreign.h"

#include <string.h>

#include "base/macros.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* The first bytes of a file. */
static const struct start {
        const char *bytes;
        size_t length;
        const char *text, *remedy;
} starts[] = {
#define START(bytes, text, remedy)                     \
        {                                              \
                bytes, sizeof(bytes) - 1, text, remedy \
        }
        START("\xef\xbb\xbf", "the file begins with a byte order mark",
              "save it as UTF-8 without a byte order mark: sed -i '1s/^\\xEF\\xBB\\xBF//' FILE"),
        START("\xff\xfe", "the file is UTF-16 text",
              "save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE"),
        START("\xfe\xff", "the file is UTF-16 text",
              "save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE"),
        START("\0GITCRYPT", "the file is encrypted by git-crypt",
              "run git-crypt unlock in the repository, and install the file again"),
        START("$ANSIBLE_VAULT;", "the file is encrypted by ansible-vault",
              "run ansible-vault decrypt FILE, or deploy it with Ansible's copy or template"),
        START("age-encryption.org/", "the file is encrypted by age",
              "decrypt it (age -d), and install the result"),
        START("-----BEGIN AGE ", "the file is encrypted by age",
              "decrypt it (age -d), and install the result"),
        START("-----BEGIN PGP ", "the file is encrypted or signed by GnuPG",
              "decrypt it (gpg -d), and install the result"),
        START("-----BEGIN ", "the file is PEM, such as a key or certificate",
              "restore the configuration here, and move this text to a file of its own"),
        START("\x1f\x8b", "the file is compressed by gzip", "decompress it (zcat FILE)"),
};

static const struct ksa_foreign utf16 = {"the file is UTF-16 text",
                                         "save it as UTF-8: iconv -f UTF-16LE -t UTF-8 FILE", 1};
static const struct ksa_foreign binary = {"a NUL byte: the file is binary, not text",
                                          "restore it from a backup, or write it again", 1};
static const struct ksa_foreign windows = {"lines end in CR LF (Windows): a carriage return",
                                           "run dos2unix FILE", 1};
static const struct ksa_foreign mac = {"lines end in carriage returns alone (Mac OS)",
                                       "run mac2unix FILE", 1};
static const struct ksa_foreign sops = {"the file is encrypted by sops",
                                        "run sops decrypt, and install the result", 1};
static const struct ksa_foreign conflict = {
        "a merge conflict is not resolved",
        "keep one of the two versions, and remove the lines with "
        "<<<<<<<, ======= and >>>>>>>",
        1};
static const struct ksa_foreign yaml = {
        "the file is YAML", "write sections such as [host], and options as KEY = VALUE", 1};
static const struct ksa_foreign json = {
        "the file is JSON", "write sections such as [host], and options as KEY = VALUE", 1};
static const struct ksa_foreign key_set = {
        "the file is a key set, not a configuration",
        "restore the configuration here, and write keys = file:PATH in [cluster] for the key set",
        1};
static const struct ksa_foreign html = {
        "the file is HTML or XML, such as the error page of a server",
        "restore the configuration from its source", 1};

static bool begins(const char *at, const char *end, const char *text)
{
        size_t length = strlen(text);

        return (size_t)(end - at) >= length && memcmp(at, text, length) == 0;
}

/* Whether the line is one of YAML: "---", "key: value" or "- item". */
static bool is_yaml(const char *line, const char *end)
{
        size_t key = strspn(line, LOWER UPPER "_-");

        return begins(line, end, "---") || begins(line, end, "- ") || begins(line, end, "%YAML") ||
               (key > 0 && line[key] == ':' && (line[key + 1] == ' ' || line[key + 1] == '\n'));
}

/* What the first line is, except empty lines and comments. */
static const struct ksa_foreign *format_of(const char *line, const char *end)
{
        if (*line == '<' && !begins(line, end, "<%"))
                return begins(line, end, "<<<<<<<") ? &conflict : &html;
        if (*line == '{' && !begins(line, end, "{{") && !begins(line, end, "{%") &&
            !begins(line, end, "{#"))
                return memmem(line, (size_t)(end - line), "\"keys\"", 6) != NULL ? &key_set : &json;
        return is_yaml(line, end) ? &yaml : NULL;
}

static const char *line_end(const char *line, const char *end)
{
        const char *feed = memchr(line, '\n', (size_t)(end - line));

        return feed != NULL ? feed : end;
}

static const struct ksa_foreign *format_of_bytes(const char *bytes, size_t length,
                                                 unsigned *ret_line)
{
        const char *nul = memchr(bytes, '\0', length);

        for (const char *c = bytes; nul != NULL && c < nul; c++)
                *ret_line += *c == '\n';
        if (nul != NULL)
                return length > 3 && (bytes[1] == '\0') != (bytes[0] == '\0') &&
                                       (bytes[3] == '\0') != (bytes[2] == '\0')
                               ? &utf16
                               : &binary;
        if (memchr(bytes, '\r', length) != NULL && memchr(bytes, '\n', length) == NULL)
                return &mac;
        return NULL;
}

/* What a line of any file may show. */
static const struct ksa_foreign *format_of_line(const char *line, const char *stop)
{
        size_t length = (size_t)(stop - line);

        if (length > 0 && stop[-1] == '\r' && *stop == '\n')
                return &windows;
        if (length > 0 && line[0] == '#')
                return NULL;
        if (begins(line, stop, "<<<<<<< "))
                return &conflict;
        return memmem(line, length, "ENC[AES256_GCM,", 15) != NULL ? &sops : NULL;
}

bool ksa_foreign_find(const char *bytes, size_t length, struct ksa_foreign *ret_foreign)
{
        const char *end = bytes + length;
        bool is_first = true;
        unsigned number = 0, line_of_bytes = 1;

        for (size_t i = 0; i < KSA_COUNT(starts); i++) {
                if (length >= starts[i].length &&
                    memcmp(bytes, starts[i].bytes, starts[i].length) == 0) {
                        *ret_foreign = (struct ksa_foreign){starts[i].text, starts[i].remedy, 1};
                        return true;
                }
        }
        const struct ksa_foreign *found = format_of_bytes(bytes, length, &line_of_bytes);
        for (const char *line = bytes, *stop; found == NULL && line < end; line = stop + 1) {
                stop = line_end(line, end);
                number++;
                found = format_of_line(line, stop);
                size_t blanks = strspn(line, " \t");
                if (found != NULL || !is_first || line + blanks >= stop || line[blanks] == '#')
                        continue;
                is_first = false;
                found = format_of(line + blanks, end);
        }
        if (found == NULL)
                return false;
        *ret_foreign = *found;
        ret_foreign->line = number > 0 ? number : line_of_bytes;
        return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* foreign.c: files that are not configurations as a whole. */
#include "config/foreign.h"

#include <string.h>

#include "config/ini.h"
#include "support/support.h"

#define HOST "[host]\naudience = ssh://build-7\n"

static const struct row {
        const char *bytes;
        size_t length;
        const char *piece; /* of the text; NULL: the file is a configuration, maybe with errors */
        unsigned line;
} rows[] = {
#define ROW(bytes, piece, line)                       \
        {                                             \
                bytes, sizeof(bytes) - 1, piece, line \
        }
        ROW("", NULL, 0),
        ROW(HOST, NULL, 0),
        ROW("\n\n# text: \xc3\xa4\n\n" HOST, NULL, 0),
        ROW(HOST "user: bot\n", NULL, 0),
        ROW(HOST "# ENC[AES256_GCM,data:x]\n", NULL, 0),
        ROW(HOST "- x\n---\n", NULL, 0),
        ROW("{% if x %}\n" HOST, NULL, 0),
        ROW("{{ x }}\n", NULL, 0),
        ROW("<% x %>\n", NULL, 0),
        ROW("audience = x\n", NULL, 0),
        ROW(HOST "name = a\rb\n", NULL, 0),
        ROW("\xef\xbb\xbf" HOST, "byte order mark", 1),
        ROW("\xef\xbb\xbf# only a comment\n", "byte order mark", 1),
        ROW("\xff\xfe[\0h\0o\0s\0t\0]\0\n\0", "UTF-16", 1),
        ROW("\xfe\xff\0[\0h\0o\0s\0t\0]\0\n", "UTF-16", 1),
        ROW("[\0h\0o\0s\0t\0]\0\n\0", "UTF-16", 1),
        ROW("\0[\0h\0o\0s\0t\0]\0\n", "UTF-16", 1),
        ROW("\0GITCRYPT\0\x12", "git-crypt", 1),
        ROW("$ANSIBLE_VAULT;1.1;AES256\n6638\n", "ansible-vault", 1),
        ROW("age-encryption.org/v1\n", "age", 1),
        ROW("-----BEGIN AGE ENCRYPTED FILE-----\n", "age", 1),
        ROW("-----BEGIN PGP MESSAGE-----\n", "GnuPG", 1),
        ROW("-----BEGIN PUBLIC KEY-----\n", "PEM", 1),
        ROW("\x1f\x8b\x08\0\0", "gzip", 1),
        ROW(HOST "audience = x\0\n", "NUL byte", 3),
        ROW("\0\0\0\0\0\0\0\0", "NUL byte", 1),
        ROW("[host]\r\naudience = x\r\n", "carriage return", 1),
        ROW(HOST "name = a\r\n", "carriage return", 3),
        ROW("[host]\raudience = x\r", "Mac OS", 1),
        ROW("[host]\naudience = ENC[AES256_GCM,data:x]\n", "sops", 2),
        ROW(HOST "<<<<<<< HEAD\n[rule x]\n=======\n>>>>>>> b\n", "merge conflict", 3),
        ROW("<<<<<<< HEAD\n", "merge conflict", 1),
        ROW("---\nhost:\n  audience: x\n", "YAML", 1),
        ROW("# ksa\n\nhost:\n  audience: x\n", "YAML", 3),
        ROW("audience: x\n", "YAML", 1),
        ROW("- audience\n", "YAML", 1),
        ROW("{\"host\": {}}\n", "JSON", 1),
        ROW("{\"keys\": []}\n", "key set", 1),
        ROW("\n<!DOCTYPE html>\n", "HTML", 2),
};

static void test_formats(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_foreign foreign = {0};
                bool found = ksa_foreign_find(rows[i].bytes, rows[i].length, &foreign);

                if (found != (rows[i].piece != NULL))
                        fail_msg("row %zu: %s", i, found ? foreign.text : "none");
                if (!found)
                        continue;
                if (strstr(foreign.text, rows[i].piece) == NULL || foreign.line != rows[i].line)
                        fail_msg("row %zu: line %u: %s", i, foreign.line, foreign.text);
                assert_true(strlen(foreign.remedy) > 3);
        }
}

/* The check only improves the message: the strict reader refuses all of them too. */
static void test_the_reader_refuses_them_too(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                enum ksa_reason reason = KSA_OK;
                struct ksa_ini_item item = {.kind = ""};
                struct ksa_ini ini;
                char bytes[256];

                if (rows[i].piece == NULL)
                        continue;
                memcpy(bytes, rows[i].bytes, rows[i].length + 1);
                ksa_ini_start(&ini, bytes, rows[i].length);
                while (reason == KSA_OK && (item.kind != NULL || item.key != NULL))
                        reason = ksa_ini_next(&ini, &item, NULL);
                /* This one is a valid line, with a value that no option takes. */
                if (reason == KSA_OK && strstr(rows[i].bytes, "ENC[") == NULL)
                        fail_msg("row %zu", i);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_formats),
                cmocka_unit_test(test_the_reader_refuses_them_too),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

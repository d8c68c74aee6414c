/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/record.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "token/token.h"

#define FIRST_LINE "ksa-session 1\n"
#define TOKEN_LINE "token "
/* Digits that ksa_text_number() accepts. */
#define NUMBER_MAX UINT64_C(999999999999999999)
#define UINT32     UINT64_C(4294967295)

enum kind {
        NUMBER,
        PROCESS, /* pid and start time */
        TEXT,
};

static bool is_rhost(const char *text)
{
        return *text == '\0' || ksa_is_graphic(text);
}

static bool is_account(const char *text)
{
        return ksa_is_graphic(text) && strchr(text, ':') != NULL && strchr(text, '/') != NULL;
}

static bool is_reference(const char *text)
{
        return strlen(text) == KSA_RECORD_REFERENCE_SIZE - 1 &&
               strspn(text, "0123456789abcdef") == KSA_RECORD_REFERENCE_SIZE - 1;
}

static const struct row {
        const char *name;
        enum kind kind;
        size_t offset;
        size_t size;                        /* of texts */
        uint64_t max;                       /* of numbers */
        bool (*is_valid)(const char *text); /* of texts */
} rows[] = {
#define ROW_NUMBER(name, field, max)                                           \
        {                                                                      \
                name, NUMBER, offsetof(struct ksa_record, field), 0, max, NULL \
        }
#define ROW_PROCESS(name, field)                                              \
        {                                                                     \
                name, PROCESS, offsetof(struct ksa_record, field), 0, 0, NULL \
        }
#define ROW_TEXT(name, field, is_valid)                                         \
        {                                                                       \
                name, TEXT, offsetof(struct ksa_record, field),                 \
                        sizeof(((struct ksa_record *)NULL)->field), 0, is_valid \
        }
        ROW_NUMBER("pid_namespace", pid_namespace, NUMBER_MAX),
        ROW_PROCESS("login", login),
        ROW_PROCESS("sshd", sshd),
        ROW_NUMBER("audit", audit, UINT32 - 1),
        ROW_NUMBER("keyring", keyring, UINT32),
        ROW_NUMBER("uid", uid, UINT32 - 1),
        ROW_NUMBER("expires", expires, NUMBER_MAX),
        ROW_TEXT("user", user, ksa_is_user),
        ROW_TEXT("rhost", rhost, is_rhost),
        ROW_TEXT("account", account, is_account),
        ROW_TEXT("reference", reference, is_reference),
};

/* --- Formatting --------------------------------------------------------------- */

static int format_value(const struct row *row, const struct ksa_record *record, char *out,
                        size_t size)
{
        const void *value = (const char *)record + row->offset;
        const struct ksa_process_id *process = value;

        if (row->kind == NUMBER)
                return snprintf(out, size, "%s %llu\n", row->name,
                                (unsigned long long)*(const uint64_t *)value);
        if (row->kind == PROCESS)
                return snprintf(out, size, "%s %llu %llu\n", row->name,
                                (unsigned long long)process->pid,
                                (unsigned long long)process->start);
        return snprintf(out, size, "%s %s\n", row->name, (const char *)value);
}

/* Returns the bytes of the head; 0 if they do not fit. */
static size_t format_head(const struct ksa_record *record, char out[KSA_RECORD_HEAD_MAX])
{
        size_t length = strlen(FIRST_LINE);

        memcpy(out, FIRST_LINE, length + 1);
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                int added =
                        format_value(&rows[i], record, out + length, KSA_RECORD_HEAD_MAX - length);

                if (added < 0 || (size_t)added >= KSA_RECORD_HEAD_MAX - length)
                        return 0;
                length += (size_t)added;
        }
        return length;
}

struct ksa_secret *ksa_record_format(const struct ksa_record *record,
                                     const struct ksa_secret *token)
{
        char head[KSA_RECORD_HEAD_MAX];
        struct ksa_record_text again;
        size_t length = format_head(record, head);
        size_t room = token != NULL ? strlen(TOKEN_LINE) + ksa_secret_length(token) + 1 : 0;
        struct ksa_secret *text = length > 0 ? ksa_secret_new(length + room) : NULL;
        bool whole = text != NULL && ksa_secret_append(text, head, length);

        if (whole && token != NULL)
                whole = ksa_secret_append(text, TOKEN_LINE, strlen(TOKEN_LINE)) &&
                        ksa_secret_append(text, ksa_secret_bytes(token),
                                          ksa_secret_length(token)) &&
                        ksa_secret_append(text, "\n", 1);
        /* Only the parser knows which values have a representation. */
        if (!whole || !ksa_record_parse(ksa_secret_bytes(text), ksa_secret_length(text), &again))
                ksa_secret_free(&text);
        return text;
}

/* --- Parsing ------------------------------------------------------------------ */

/* The text that is left. */
struct rest {
        const char *at;
        size_t length;
};

static bool skip(struct rest *rest, const char *text)
{
        size_t length = strlen(text);

        if (rest->length < length || memcmp(rest->at, text, length) != 0)
                return false;
        rest->at += length;
        rest->length -= length;
        return true;
}

/* Copies the text up to the first END and skips both. False if it does not fit or has a NUL. */
static bool take(struct rest *rest, char end, char *out, size_t size)
{
        const char *last = memchr(rest->at, end, rest->length);
        size_t length = last == NULL ? size : (size_t)(last - rest->at);

        if (length >= size || memchr(rest->at, '\0', length) != NULL)
                return false;
        memcpy(out, rest->at, length);
        out[length] = '\0';
        rest->at += length + 1;
        rest->length -= length + 1;
        return true;
}

static bool take_number(struct rest *rest, char end, uint64_t max, uint64_t *ret_number)
{
        char digits[20];

        return take(rest, end, digits, sizeof(digits)) &&
               ksa_text_number(digits, 0, max, ret_number);
}

static bool take_value(struct rest *rest, const struct row *row, struct ksa_record *record)
{
        void *value = (char *)record + row->offset;
        struct ksa_process_id *process = value;

        if (!skip(rest, row->name) || !skip(rest, " "))
                return false;
        if (row->kind == NUMBER)
                return take_number(rest, '\n', row->max, value);
        if (row->kind == PROCESS)
                return take_number(rest, ' ', UINT32, &process->pid) &&
                       take_number(rest, '\n', NUMBER_MAX, &process->start);
        return take(rest, '\n', value, row->size) && row->is_valid(value);
}

/* The last line: a token, or nothing. */
static bool take_token(struct rest *rest, struct ksa_record_text *text)
{
        if (rest->length == 0)
                return true;
        if (!skip(rest, TOKEN_LINE) || rest->length < 2 || rest->length > KSA_TOKEN_MAX + 1 ||
            rest->at[rest->length - 1] != '\n')
                return false;
        for (size_t i = 0; i < rest->length - 1; i++) {
                if (rest->at[i] <= ' ' || rest->at[i] > '~')
                        return false;
        }
        text->token = rest->at;
        text->token_length = rest->length - 1;
        return true;
}

bool ksa_record_parse(const char *text, size_t length, struct ksa_record_text *ret_text)
{
        struct rest rest = {text, length};
        struct ksa_record *record = &ret_text->record;

        memset(ret_text, 0, sizeof(*ret_text));
        if (length == 0 || !skip(&rest, FIRST_LINE))
                return false;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                if (!take_value(&rest, &rows[i], record))
                        return false;
        }
        ret_text->head_length = length - rest.length;
        return record->pid_namespace != 0 && record->login.pid != 0 && record->sshd.pid != 0 &&
               take_token(&rest, ret_text);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* prompt.c: a token from prompt answers. */
#include "token/prompt.h"

#include <stdlib.h>
#include <string.h>

#include "support/support.h"

/* A part of LENGTH bytes C, as text; the caller frees it. */
static char *part_of(char c, size_t length)
{
        char *part = malloc(length + 1);

        assert_non_null(part);
        memset(part, c, length);
        part[length] = '\0';
        return part;
}

/* Gives one answer of each length, filled with 'a', 'b', ...; returns the result. */
static enum ksa_reason answer_with(const size_t *lengths, size_t count, size_t *ret_token_length)
{
        struct ksa_prompt *answers = ksa_prompt_new();
        struct ksa_secret *token = NULL;
        struct ksa_error error = {0};
        bool more = true;

        assert_non_null(answers);
        for (size_t i = 0; i < count; i++) {
                char *part = part_of((char)('a' + i % 26), lengths[i]);

                assert_true(more);
                more = ksa_prompt_add(answers, part);
                free(part);
        }
        assert_false(more);
        enum ksa_reason reason = ksa_prompt_finish(answers, &token, &error);
        *ret_token_length = token == NULL ? 0 : ksa_secret_length(token);
        assert_int_equal(reason == KSA_OK, token != NULL);
        assert_int_equal(reason == KSA_OK, error.text[0] == '\0');
        ksa_secret_free(&token);
        ksa_prompt_free(&answers);
        assert_null(answers);
        return reason;
}

static void test_lengths(void **state)
{
        static const struct {
                size_t lengths[4], count;
                enum ksa_reason reason;
                size_t token;
        } rows[] = {
                {{1}, 1, KSA_OK, 1},
                {{499}, 1, KSA_OK, 499},
                {{501}, 1, KSA_OK, 501},
                {{500, 0}, 2, KSA_OK, 500},
                {{500, 1}, 2, KSA_OK, 501},
                {{500, 500, 499}, 3, KSA_OK, 1499},
                {{500, 501}, 2, KSA_OK, 1001},
                {{16384}, 1, KSA_OK, 16384},
                {{16385}, 1, KSA_TOKEN_TOO_LONG, 0},
                {{500, 15885}, 2, KSA_TOKEN_TOO_LONG, 0},
                {{0}, 1, KSA_EMPTY_ANSWER, 0},
        };
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                size_t length;

                assert_int_equal(answer_with(rows[i].lengths, rows[i].count, &length),
                                 rows[i].reason);
                assert_int_equal(length, rows[i].token);
        }
}

static void test_parts_come_in_their_order(void **state)
{
        struct ksa_prompt *answers = ksa_prompt_new();
        struct ksa_secret *token = NULL;
        struct ksa_error error = {0};
        char *first = part_of('x', KSA_PART);

        (void)state;
        assert_true(ksa_prompt_add(answers, first));
        assert_false(ksa_prompt_add(answers, "end"));
        assert_int_equal(ksa_prompt_finish(answers, &token, &error), KSA_OK);
        assert_memory_equal(ksa_secret_bytes(token), first, KSA_PART);
        assert_string_equal(ksa_secret_bytes(token) + KSA_PART, "end");
        ksa_secret_free(&token);
        ksa_prompt_free(&answers);
        free(first);
}

/* Bug: a token of exactly 16384 bytes needs all 33 parts, and was refused for that. */
static void test_33_parts_make_16384_bytes(void **state)
{
        size_t lengths[KSA_PARTS_MAX], length;

        (void)state;
        for (size_t i = 0; i < KSA_PARTS_MAX - 1; i++)
                lengths[i] = KSA_PART;
        lengths[KSA_PARTS_MAX - 1] = KSA_TOKEN_MAX - (KSA_PARTS_MAX - 1) * KSA_PART;
        assert_int_equal(answer_with(lengths, KSA_PARTS_MAX, &length), KSA_OK);
        assert_int_equal(length, KSA_TOKEN_MAX);
        lengths[KSA_PARTS_MAX - 1]++;
        assert_int_equal(answer_with(lengths, KSA_PARTS_MAX, &length), KSA_TOKEN_TOO_LONG);
        /* The last part is whole too: a 34th prompt does not follow. */
        lengths[KSA_PARTS_MAX - 1] = KSA_PART;
        assert_int_equal(answer_with(lengths, KSA_PARTS_MAX, &length), KSA_TOKEN_TOO_LONG);
}

static enum ksa_reason answer_texts(const char *const *texts, size_t count)
{
        struct ksa_prompt *answers = ksa_prompt_new();
        struct ksa_secret *token = NULL;
        bool more = true;

        for (size_t i = 0; i < count; i++) {
                assert_true(more);
                more = ksa_prompt_add(answers, texts[i]);
        }
        enum ksa_reason reason = ksa_prompt_finish(answers, &token, NULL);
        ksa_secret_free(&token);
        ksa_prompt_free(&answers);
        return reason;
}

static void test_one_answer_repeated(void **state)
{
        char *part = part_of('e', KSA_PART), *other = part_of('f', KSA_PART);
        const char *all[KSA_PARTS_MAX];

        (void)state;
        for (size_t i = 0; i < KSA_PARTS_MAX; i++)
                all[i] = part;
        assert_int_equal(answer_texts(all, KSA_PARTS_MAX), KSA_REPEATED_ANSWER);
        all[KSA_PARTS_MAX - 1] = other;
        assert_int_equal(answer_texts(all, KSA_PARTS_MAX), KSA_TOKEN_TOO_LONG);
        const char *const twice[] = {part, part, ""};
        assert_int_equal(answer_texts(twice, 3), KSA_OK);
        free(part);
        free(other);
}

/* auth-pam.c of OpenSSH: the junk is as long as the answer that it replaces. */
static void test_junk_of_sshd(void **state)
{
        static const char junk[] = "\b\n\r\177INCORRECT";
        char text[KSA_PART + 1];

        (void)state;
        for (size_t length = 1; length <= KSA_PART; length++) {
                for (size_t i = 0; i < length; i++)
                        text[i] = junk[i % (sizeof(junk) - 1)];
                text[length] = '\0';
                const char *const texts[] = {text, ""};
                assert_int_equal(answer_texts(texts, length == KSA_PART ? 2 : 1),
                                 KSA_REFUSED_BY_SSHD);
        }
}

static enum ksa_reason hint_of(char fill, size_t length)
{
        struct ksa_prompt *answers = ksa_prompt_new();

        for (size_t left = length, part;; left -= part) {
                part = left < KSA_PART ? left : KSA_PART;
                char *text = part_of(fill, part);
                bool more = ksa_prompt_add(answers, text);
                free(text);
                if (!more)
                        break;
        }
        enum ksa_reason hint = ksa_prompt_hint(answers);
        ksa_prompt_free(&answers);
        return hint;
}

/* By length alone: sshd's junk for an unknown user has the length of the answer. */
static void test_hint_tells_who_exists(void **state)
{
        static const struct {
                size_t length;
                enum ksa_reason hint;
        } rows[] = {{0, KSA_EMPTY_ANSWER}, {1, KSA_NOT_A_TOKEN},   {255, KSA_NOT_A_TOKEN},
                    {256, KSA_OK},         {510, KSA_OK},          {511, KSA_CUT_SHORT},
                    {1022, KSA_OK},        {1023, KSA_CUT_SHORT},  {1024, KSA_CUT_SHORT},
                    {1205, KSA_OK},        {KSA_TOKEN_MAX, KSA_OK}};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                assert_int_equal(hint_of('e', rows[i].length), rows[i].hint);
                assert_int_equal(hint_of('\b', rows[i].length), rows[i].hint);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lengths),
                cmocka_unit_test(test_parts_come_in_their_order),
                cmocka_unit_test(test_33_parts_make_16384_bytes),
                cmocka_unit_test(test_one_answer_repeated),
                cmocka_unit_test(test_junk_of_sshd),
                cmocka_unit_test(test_hint_tells_who_exists),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

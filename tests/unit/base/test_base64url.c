/* SPDX-License-Identifier: BSD-2-Clause */
/* The base64url of text.c. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/support.h"

/* Decodes into memory of exactly the promised size, so that a sanitizer sees a byte too many. */
static bool decodes(const char *text, size_t length, unsigned char *ret_bytes, size_t *ret_length)
{
        size_t room = KSA_BASE64URL_DECODED(length), decoded = SIZE_MAX;
        unsigned char *out = malloc(room);

        assert_non_null(out);
        bool good = ksa_base64url_decode(text, length, out, &decoded);
        if (good) {
                assert_true(decoded <= room);
                memcpy(ret_bytes, out, decoded);
                *ret_length = decoded;
        } else {
                assert_int_equal(decoded, SIZE_MAX);
        }
        free(out);
        return good;
}

/* RFC 4648 section 10, without the padding. */
static const char *const vectors[][2] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"},
};

static void test_base64url_vectors(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(vectors); i++) {
                unsigned char bytes[16];
                char text[16];
                size_t length;

                assert_true(decodes(vectors[i][1], strlen(vectors[i][1]), bytes, &length));
                assert_int_equal(length, strlen(vectors[i][0]));
                assert_memory_equal(bytes, vectors[i][0], length);
                ksa_base64url_encode((const unsigned char *)vectors[i][0], length, text);
                assert_string_equal(text, vectors[i][1]);
        }
}

static void test_base64url_uses_the_url_alphabet(void **state)
{
        static const unsigned char bytes[] = {0xfb, 0xff, 0xbf};
        unsigned char decoded[8];
        char text[8];
        size_t length;

        (void)state;
        ksa_base64url_encode(bytes, sizeof(bytes), text);
        assert_string_equal(text, "-_-_");
        assert_true(decodes("-_-_", 4, decoded, &length));
        assert_memory_equal(decoded, bytes, sizeof(bytes));
}

static const struct {
        const char *what, *text;
        size_t length;
} not_base64url[] = {
        {"a single character", "Z", 1},
        {"five characters", "Zm9vY", 5},
        {"padding", "Zg==", 4},
        {"one padding", "Zm8=", 4},
        {"padding alone", "=", 1},
        {"plus", "Zm+v", 4},
        {"slash", "Zm/v", 4},
        {"blank in front", " Zm9", 4},
        {"line feed behind", "Zm9v\n", 5},
        {"NUL inside", "Zm\0v", 4},
        {"NUL at the end", "Zm9v\0", 5},
        {"unused bits set, two characters", "Zh", 2},
        {"unused bits set, three characters", "Zm9", 3},
        {"not ASCII", "Zm\xc3\xa4", 4},
        {"dot", "Zm9v.", 5},
};

static void test_base64url_refuses(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(not_base64url); i++) {
                unsigned char bytes[16];
                size_t length;

                if (decodes(not_base64url[i].text, not_base64url[i].length, bytes, &length))
                        fail_msg("%s was taken", not_base64url[i].what);
        }
}

static bool in_alphabet(int c)
{
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
}

/* Each byte at each place of four, whole and rest. */
static void test_base64url_every_byte(void **state)
{
        (void)state;
        for (size_t length = 2; length <= 4; length++) {
                for (size_t workdir = 0; workdir < length; workdir++) {
                        for (int c = 0; c < 256; c++) {
                                char text[4] = {'A', 'A', 'A', 'A'};
                                unsigned char bytes[8];
                                size_t decoded;

                                text[workdir] = (char)c;
                                bool good = decodes(text, length, bytes, &decoded);
                                if (workdir + 1 < length || length == 4)
                                        assert_int_equal(good, in_alphabet(c));
                                else
                                        assert_false(good && !in_alphabet(c));
                        }
                }
        }
}

/* One value has one spelling: of 64 last characters only those with zero in the unused bits. */
static void test_base64url_is_canonical(void **state)
{
        static const struct {
                size_t length;
                unsigned spellings;
        } rests[] = {{2, 4}, {3, 16}};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rests); i++) {
                unsigned taken = 0;

                for (int c = 0; c < 128; c++) {
                        char text[4] = "QQQ", back[8];
                        unsigned char bytes[8];
                        size_t length;

                        text[rests[i].length - 1] = (char)c;
                        if (!decodes(text, rests[i].length, bytes, &length))
                                continue;
                        ksa_base64url_encode(bytes, length, back);
                        assert_memory_equal(back, text, rests[i].length);
                        taken++;
                }
                assert_int_equal(taken, rests[i].spellings);
        }
}

static void test_base64url_round_trip(void **state)
{
        uint32_t seed = 7;

        (void)state;
        for (size_t length = 0; length < 300; length++) {
                unsigned char bytes[300], back[300];
                char *text = malloc(KSA_BASE64URL_ENCODED(length));
                size_t decoded;

                assert_non_null(text);
                for (size_t i = 0; i < length; i++)
                        bytes[i] = (unsigned char)next_random(&seed);
                ksa_base64url_encode(bytes, length, text);
                assert_int_equal(strlen(text) + 1, KSA_BASE64URL_ENCODED(length));
                assert_true(decodes(text, strlen(text), back, &decoded));
                assert_int_equal(decoded, length);
                assert_memory_equal(back, bytes, length);
                free(text);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_base64url_vectors),
                cmocka_unit_test(test_base64url_uses_the_url_alphabet),
                cmocka_unit_test(test_base64url_refuses),
                cmocka_unit_test(test_base64url_every_byte),
                cmocka_unit_test(test_base64url_is_canonical),
                cmocka_unit_test(test_base64url_round_trip),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

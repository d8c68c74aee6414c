/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Value of each character + 1; 0 for characters outside the alphabet. */
static const unsigned char values[256] = {
        ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,
        ['H'] = 8,  ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14,
        ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21,
        ['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28,
        ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35,
        ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
        ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
        ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
        ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['-'] = 63,
        ['_'] = 64,
};

/* Decodes four characters to three bytes. False for a character outside the alphabet. */
static bool decode_four(const unsigned char *text, unsigned char *out)
{
        unsigned a = values[text[0]], b = values[text[1]], c = values[text[2]], d = values[text[3]];

        if (a == 0 || b == 0 || c == 0 || d == 0)
                return false;
        uint32_t bits = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);
        out[0] = (unsigned char)(bits >> 16);
        out[1] = (unsigned char)(bits >> 8);
        out[2] = (unsigned char)bits;
        return true;
}

bool ksa_base64url_decode(const char *text, size_t length, unsigned char *out, size_t *ret_length)
{
        const unsigned char *in = (const unsigned char *)text;
        size_t whole = length / 4, rest = length % 4, decoded = whole * 3;

        for (size_t i = 0; i < whole; i++) {
                if (!decode_four(in + 4 * i, out + 3 * i))
                        return false;
        }
        if (rest == 1)
                return false;
        if (rest > 1) {
                unsigned char last[4] = {'A', 'A', 'A', 'A'}, bytes[3];

                memcpy(last, in + 4 * whole, rest);
                if (!decode_four(last, bytes))
                        return false;
                for (size_t i = rest - 1; i < 3; i++) {
                        if (bytes[i] != 0)
                                return false;
                }
                memcpy(out + decoded, bytes, rest - 1);
                decoded += rest - 1;
        }
        *ret_length = decoded;
        return true;
}

void ksa_base64url_encode(const unsigned char *bytes, size_t length, char *out)
{
        for (size_t i = 0; i < length; i += 3) {
                size_t left = length - i;
                uint32_t bits = (uint32_t)bytes[i] << 16;

                if (left > 1)
                        bits |= (uint32_t)bytes[i + 1] << 8;
                if (left > 2)
                        bits |= bytes[i + 2];
                *out++ = alphabet[bits >> 18];
                *out++ = alphabet[bits >> 12 & 63];
                if (left > 1)
                        *out++ = alphabet[bits >> 6 & 63];
                if (left > 2)
                        *out++ = alphabet[bits & 63];
        }
        *out = '\0';
}

/*
 * Reads digits into *RET_NUMBER and returns the text after them. NULL if it does not begin with a
 * valid number.
 */
static const char *read_digits(const char *text, uint64_t *ret_number)
{
        uint64_t number = 0;
        size_t digits = strspn(text, "0123456789");

        /* 18 digits cannot overflow, and are enough. */
        if (digits == 0 || digits > 18 || (digits > 1 && text[0] == '0'))
                return NULL;
        for (size_t i = 0; i < digits; i++)
                number = number * 10 + (uint64_t)(text[i] - '0');
        *ret_number = number;
        return text + digits;
}

bool ksa_text_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_number)
{
        uint64_t number;
        const char *end = read_digits(text, &number);

        if (end == NULL || *end != '\0' || number < min || number > max)
                return false;
        *ret_number = number;
        return true;
}

static uint64_t unit_seconds(const char *unit)
{
        static const struct {
                const char *name;
                uint64_t seconds;
        } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};

        for (size_t i = 0; i < KSA_COUNT(units); i++) {
                if (strcmp(unit, units[i].name) == 0)
                        return units[i].seconds;
        }
        return 0;
}

bool ksa_text_duration(const char *text, uint64_t min, uint64_t max, uint64_t *ret_seconds)
{
        uint64_t number;
        const char *end = read_digits(text, &number);

        if (end == NULL)
                return false;
        uint64_t unit = unit_seconds(end);
        if (unit == 0 || number > max / unit || number * unit < min)
                return false;
        *ret_seconds = number * unit;
        return true;
}

/* Longer names are not compared. */
enum { NEAR_MAX = 64, NEAR_DISTANCE = 2 };

static char lower(char c)
{
        return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* The Levenshtein distance, row by row. Both texts are shorter than NEAR_MAX. */
static unsigned distance(const char *left, const char *right)
{
        unsigned row[NEAR_MAX];
        size_t width = strlen(right);

        for (size_t i = 0; i <= width; i++)
                row[i] = (unsigned)i;
        for (size_t n = 0; left[n] != '\0'; n++) {
                unsigned diagonal = row[0];

                row[0] = (unsigned)n + 1;
                for (size_t i = 1; i <= width; i++) {
                        unsigned other = lower(left[n]) != lower(right[i - 1]);
                        unsigned replaced = diagonal + other;
                        unsigned added = (row[i] < row[i - 1] ? row[i] : row[i - 1]) + 1;

                        diagonal = row[i];
                        row[i] = replaced < added ? replaced : added;
                }
        }
        return row[width];
}

void ksa_near_try(struct ksa_near *near, const char *candidate)
{
        size_t length = strlen(near->text), other = strlen(candidate);
        size_t shorter = length < other ? length : other;

        if (shorter < 3 || length >= NEAR_MAX || other >= NEAR_MAX)
                return;
        unsigned found = distance(near->text, candidate);
        unsigned max = shorter == 3 ? 1 : NEAR_DISTANCE;
        if (near->name != NULL && strcmp(near->name, candidate) == 0)
                return;
        if (found > max || (near->distance != 0 && found + 1 > near->distance))
                return;
        near->name = found + 1 == near->distance ? NULL : candidate;
        near->distance = found + 1;
}

static bool is_label_byte(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Lower case letters and digits, with hyphens only inside. */
static bool is_label(const char *text, size_t length)
{
        if (length == 0 || !is_label_byte(text[0]) || !is_label_byte(text[length - 1]))
                return false;
        for (size_t i = 0; i < length; i++) {
                if (!is_label_byte(text[i]) && text[i] != '-')
                        return false;
        }
        return true;
}

bool ksa_is_dns_label(const char *text)
{
        size_t length = strlen(text);

        return length <= 63 && is_label(text, length);
}

bool ksa_is_dns_subdomain(const char *text)
{
        /* Kubernetes does not limit a label inside a subdomain to 63 bytes. */
        if (strlen(text) > 253)
                return false;
        for (;;) {
                size_t length = strcspn(text, ".");

                if (!is_label(text, length))
                        return false;
                if (text[length] == '\0')
                        return true;
                text += length + 1;
        }
}

bool ksa_text_ends_with(const char *text, const char *end)
{
        const size_t length = strlen(text), tail = strlen(end);

        return length >= tail && strcmp(text + length - tail, end) == 0;
}

bool ksa_is_graphic(const char *text)
{
        if (*text == '\0')
                return false;
        for (; *text != '\0'; text++) {
                if (*text <= ' ' || *text > '~')
                        return false;
        }
        return true;
}

static const char cut[] = "\\...";

/* Adds TEXT to OUT, which has *AT bytes, with bytes below FIRST_PLAIN as \xNN. False if it was cut. */
static bool add_quoted(const char *text, char first_plain, char *out, size_t size, size_t *at)
{
        for (size_t i = 0; text[i] != '\0'; i++) {
                unsigned char c = (unsigned char)text[i];
                bool plain = c >= first_plain && c <= '~' && c != '"' && c != '\\';

                /* Reserve room for the mark of a cut or the NUL. */
                if (i == KSA_QUOTE_MAX || *at + (plain ? 1 : 4) + sizeof(cut) > size) {
                        (void)snprintf(out + *at, size - *at, "%s", cut);
                        return false;
                }
                if (plain)
                        out[(*at)++] = text[i];
                else
                        *at += (size_t)snprintf(out + *at, size - *at, "\\x%02x", c);
        }
        if (size > 0)
                out[*at] = '\0';
        return true;
}

const char *ksa_text_quote(const char *text, char *out, size_t size)
{
        size_t at = 0;

        (void)add_quoted(text, ' ', out, size, &at);
        return out;
}

const char *ksa_text_quote_list(const struct ksa_list *list, char *out, size_t size)
{
        size_t at = 0;

        if (size > 0)
                out[0] = '\0';
        for (size_t i = 0; i < list->count; i++) {
                if (i > 0 && at + 1 + sizeof(cut) > size) {
                        (void)snprintf(out + at, size - at, "%s", cut);
                        break;
                }
                if (i > 0)
                        out[at++] = ' ';
                if (!add_quoted(ksa_list_text(list, i), '!', out, size, &at))
                        break;
        }
        return out;
}

const char *ksa_text_whole(const char *text, char *out, size_t size)
{
        size_t at = 0;

        for (; text[at] != '\0' && at + 1 < size; at++) {
                bool plain = text[at] >= ' ' && text[at] <= '~';

                out[at] = (char)(text[at] == '"' ? '\'' : plain ? text[at] : '?');
        }
        if (size > 0)
                out[at] = '\0';
        if (text[at] != '\0' && at >= 3)
                memcpy(out + at - 3, "...", 3);
        return out;
}

const char *ksa_text_user(const char *user)
{
        return strstr(user, "eyJ") != NULL ? "[not written: it looks like a token]" : user;
}

const char *ksa_text_url(const char *url, char *out, size_t size)
{
        const char *at = strrchr(url, '@'), *scheme = "";

        if (at == NULL)
                return url;
        if (strncmp(url, "https://", 8) == 0)
                scheme = "https://";
        else if (strncmp(url, "http://", 7) == 0)
                scheme = "http://";
        (void)snprintf(out, size, "%s***%s", scheme, at);
        return out;
}

const char *ksa_text_span(int64_t seconds, char out[KSA_SPAN_SIZE])
{
        static const struct {
                long long seconds;
                const char *name;
        } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
        long long left = seconds > 0 ? seconds : 0;
        size_t i = 0;

        while (i + 1 < KSA_COUNT(units) && left < units[i].seconds)
                i++;
        int length =
                snprintf(out, KSA_SPAN_SIZE, "%lld %s", left / units[i].seconds, units[i].name);
        left %= units[i].seconds;
        if (i + 1 < KSA_COUNT(units) && left >= units[i + 1].seconds)
                (void)snprintf(out + length, KSA_SPAN_SIZE - (size_t)length, " %lld %s",
                               left / units[i + 1].seconds, units[i + 1].name);
        return out;
}

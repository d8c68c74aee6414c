/* SPDX-License-Identifier: BSD-2-Clause */
/* Remedies of invalid durations, numbers, ranges and networks. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "config/remedy.h"

#define DIGITS "0123456789"

#define REMEDY(name)                                                                \
        void name(const struct ksa_remedy_context *context __attribute__((unused)), \
                  const char *value __attribute__((unused)), char out[KSA_REMEDY_MAX + 1])

/* --- Durations -------------------------------------------------------------- */

/* Words for units, by their first letters. */
static const struct unit {
        const char *word;
        uint64_t seconds;
} units[] = {{"s", 1},       {"sec", 1},    {"second", 1},   {"m", 60},      {"min", 60},
             {"minute", 60}, {"h", 3600},   {"hr", 3600},    {"hour", 3600}, {"d", 86400},
             {"day", 86400}, {"w", 604800}, {"week", 604800}};

static uint64_t unit_of(const char *word, size_t length)
{
        for (size_t i = 0; i < KSA_COUNT(units); i++) {
                size_t known = strlen(units[i].word);

                if (strncasecmp(word, units[i].word, known) == 0 &&
                    (length == known ||
                     (length == known + 1 && known > 1 && (word[known] | 32) == 's')))
                        return units[i].seconds;
        }
        return 0;
}

/* SECONDS with the largest unit that divides them. */
static const char *duration(uint64_t seconds, char out[24])
{
        static const struct {
                uint64_t seconds;
                char letter;
        } letters[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
        size_t i = 0;

        while (seconds % letters[i].seconds != 0)
                i++;
        (void)snprintf(out, 24, "%llu%c", (unsigned long long)(seconds / letters[i].seconds),
                       letters[i].letter);
        return out;
}

/* Seconds of a text such as "1 hour", "1h30m" or "1.5 days"; 0 for other text. */
static uint64_t seconds_of(const char *text)
{
        double total = 0;

        while (*text != '\0') {
                char *end = NULL;
                size_t digits = strspn(text, DIGITS "."), length;

                if (digits == 0 || digits > 9)
                        return 0;
                double number = strtod(text, &end);
                text += digits;
                text += strspn(text, " ");
                length = strcspn(text, DIGITS " .");
                uint64_t unit = length == 0 ? 1 : unit_of(text, length);
                if (end == NULL || unit == 0)
                        return 0;
                total += number * (double)unit;
                text += length;
                text += strspn(text, " ");
        }
        return total < 1e12 ? (uint64_t)total : 0;
}

REMEDY(ksa_remedy_duration)
{
        char min[24], max[24], meant[24];
        uint64_t seconds = seconds_of(value);

        if (seconds >= context->min && seconds <= context->max)
                (void)snprintf(out, KSA_REMEDY_MAX + 1, "write %s", duration(seconds, meant));
        else
                (void)snprintf(out, KSA_REMEDY_MAX + 1, "write a duration from %s to %s",
                               duration(context->min, min), duration(context->max, max));
}

/* --- Numbers ---------------------------------------------------------------- */

REMEDY(ksa_remedy_number)
{
        (void)snprintf(out, KSA_REMEDY_MAX + 1, "write a number from %llu to %llu, of digits only",
                       (unsigned long long)context->min, (unsigned long long)context->max);
}

REMEDY(ksa_remedy_uid_range)
{
        size_t first = strspn(value, DIGITS), gap = strcspn(value + first, DIGITS);
        size_t second = strspn(value + first + gap, DIGITS);
        unsigned long long min = 0, max = 0;

        if (first > 0 && first < 12 && second > 0 && second < 12 &&
            value[first + gap + second] == '\0') {
                min = strtoull(value, NULL, 10);
                max = strtoull(value + first + gap, NULL, 10);
        }
        if (min >= context->min && min <= max && max <= context->max)
                (void)snprintf(out, KSA_REMEDY_MAX + 1, "write %llu-%llu", min, max);
        else
                (void)snprintf(out, KSA_REMEDY_MAX + 1, "write MIN-MAX, both from %llu to %llu",
                               (unsigned long long)context->min, (unsigned long long)context->max);
}

/* --- Networks --------------------------------------------------------------- */

struct address {
        int family;
        unsigned width; /* bits */
        unsigned char bytes[16];
        char text[INET6_ADDRSTRLEN];
};

/* The address of LENGTH bytes of TEXT; also in brackets, and an IPv4 address with a port. */
static bool read_address(const char *text, size_t length, struct address *ret_address)
{
        struct address address = {.family = AF_INET, .width = 32};

        if (length > 2 && text[0] == '[' && memchr(text, ']', length) != NULL) {
                text++;
                length = strcspn(text, "]");
        }
        if (length >= sizeof(address.text))
                return false;
        memcpy(address.text, text, length);
        address.text[length] = '\0';
        char *colon = strchr(address.text, ':');
        if (colon != NULL && strchr(address.text, '.') != NULL &&
            strrchr(address.text, ':') == colon)
                *colon = '\0';
        if (inet_pton(AF_INET, address.text, address.bytes) != 1) {
                address.family = AF_INET6;
                address.width = 128;
                if (inet_pton(AF_INET6, address.text, address.bytes) != 1)
                        return false;
        }
        *ret_address = address;
        return true;
}

/* The length of the netmask TEXT; WIDTH + 1 for other text. */
static unsigned mask_length(const char *text, unsigned width)
{
        struct address mask;
        unsigned bits = 0;

        if (!read_address(text, strlen(text), &mask) || mask.width != width)
                return width + 1;
        while (bits < width && (mask.bytes[bits / 8] >> (7 - bits % 8) & 1) != 0)
                bits++;
        for (unsigned bit = bits; bit < width; bit++) {
                if ((mask.bytes[bit / 8] >> (7 - bit % 8) & 1) != 0)
                        return width + 1;
        }
        return bits;
}

static unsigned prefix_of(const char *text, unsigned width)
{
        uint64_t prefix;

        return ksa_text_number(text, 0, width, &prefix) ? (unsigned)prefix
                                                        : mask_length(text, width);
}

/* "10.0.*.*" and "10.0": the network of the parts before. */
static bool say_octets(const char *value, char out[KSA_REMEDY_MAX + 1])
{
        size_t length = strspn(value, DIGITS ".");
        char text[INET6_ADDRSTRLEN];
        struct address address;
        unsigned parts = 0;

        while (length > 0 && value[length - 1] == '.')
                length--;
        size_t stars = strspn(value + length, ".*");
        size_t rest = length + stars;
        if (length == 0 || length >= 16 || (value[rest] != '\0' && value[rest] != '/'))
                return false;
        for (size_t i = 0; i < length; i++)
                parts += value[i] == '.';
        parts++;
        if (parts > 3)
                return false;
        (void)snprintf(text, sizeof(text), "%.*s%s", (int)length, value,
                       parts == 1   ? ".0.0.0"
                       : parts == 2 ? ".0.0"
                                    : ".0");
        if (!read_address(text, strlen(text), &address))
                return false;
        (void)snprintf(out, KSA_REMEDY_MAX + 1, "write %s/%u", text, parts * 8);
        return true;
}

static void say_network(const struct address *address, unsigned prefix,
                        char out[KSA_REMEDY_MAX + 1])
{
        unsigned char masked[16];
        char network[INET6_ADDRSTRLEN];

        memcpy(masked, address->bytes, sizeof(masked));
        for (unsigned bit = prefix; bit < address->width; bit++)
                masked[bit / 8] &= (unsigned char)~(1U << (7 - bit % 8));
        (void)inet_ntop(address->family, masked, network, sizeof(network));
        if (memcmp(masked, address->bytes, address->width / 8) == 0)
                (void)snprintf(out, KSA_REMEDY_MAX + 1, "write %s/%u", network, prefix);
        else
                (void)snprintf(out, KSA_REMEDY_MAX + 1, "write %s/%u, or %s/%u", network, prefix,
                               address->text, address->width);
}

REMEDY(ksa_remedy_network)
{
        size_t length = strcspn(value, "/");
        struct address address;

        if (strcmp(value, "*") == 0 || strcasecmp(value, "any") == 0 ||
            strcasecmp(value, "all") == 0) {
                (void)snprintf(out, KSA_REMEDY_MAX + 1,
                               "remove from: without it a rule admits any address");
        } else if (read_address(value, length, &address)) {
                unsigned prefix = value[length] == '/'
                                          ? prefix_of(value + length + 1, address.width)
                                          : address.width;

                if (value[length] == '\0')
                        (void)snprintf(out, KSA_REMEDY_MAX + 1, "write %s", address.text);
                else if (prefix > address.width)
                        (void)snprintf(out, KSA_REMEDY_MAX + 1,
                                       "write a prefix from 0 to %u, such as %s/%u", address.width,
                                       address.text, address.width);
                else
                        say_network(&address, prefix, out);
        } else if (!say_octets(value, out)) {
                bool is_name =
                        ksa_is_dns_subdomain(value) && value[strspn(value, DIGITS ".-")] != '\0';

                (void)snprintf(out, KSA_REMEDY_MAX + 1,
                               is_name ? "names are not looked up: write the address"
                                       : "write addresses and networks, such as 10.0.0.0/8");
        }
}

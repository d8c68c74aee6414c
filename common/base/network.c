/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/network.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Longer than any address. Longer input is rejected before inet_pton() reads it. */
#define ADDRESS_MAX 64

static bool parse_bytes(const char *text, struct ksa_network *network)
{
        if (inet_pton(AF_INET, text, network->bytes) == 1) {
                network->family = AF_INET;
                network->prefix = 32;
                return true;
        }
        if (inet_pton(AF_INET6, text, network->bytes) == 1) {
                network->family = AF_INET6;
                network->prefix = 128;
                return true;
        }
        return false;
}

static bool bit_is_set(const struct ksa_network *network, unsigned bit)
{
        return (network->bytes[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

static bool host_bits_are_zero(const struct ksa_network *network, unsigned width)
{
        for (unsigned bit = network->prefix; bit < width; bit++) {
                if (bit_is_set(network, bit))
                        return false;
        }
        return true;
}

bool ksa_network_parse(const char *text, struct ksa_network *ret_network)
{
        struct ksa_network network = {0};
        char address[ADDRESS_MAX];
        size_t length = strcspn(text, "/");

        if (length >= sizeof(address))
                return false;
        memcpy(address, text, length);
        address[length] = '\0';
        if (!parse_bytes(address, &network))
                return false;
        if (text[length] == '/') {
                uint64_t prefix;
                unsigned width = network.prefix;

                if (!ksa_text_number(text + length + 1, 0, width, &prefix))
                        return false;
                network.prefix = (unsigned)prefix;
                if (!host_bits_are_zero(&network, width))
                        return false;
        }
        *ret_network = network;
        return true;
}

/* fe80::/10. Only these addresses need a zone (RFC 4007). */
static bool is_link_local(const struct ksa_network *address)
{
        return address->family == AF_INET6 && address->bytes[0] == 0xfe &&
               (address->bytes[1] & 0xc0) == 0x80;
}

/* An interface's name as in the kernel's dev_valid_name(), limited to ASCII, or its number. */
static bool is_interface(const char *text)
{
        return ksa_is_graphic(text) && strlen(text) < IF_NAMESIZE && strpbrk(text, "/:") == NULL &&
               strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

bool ksa_address_parse(const char *text, struct ksa_network *ret_address)
{
        static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
        struct ksa_network parsed = {0};
        char address[ADDRESS_MAX];
        size_t length = strcspn(text, "%");

        if (length >= sizeof(address))
                return false;
        memcpy(address, text, length);
        address[length] = '\0';
        if (!parse_bytes(address, &parsed))
                return false;
        if (text[length] == '%' && !(is_link_local(&parsed) && is_interface(text + length + 1)))
                return false;
        if (parsed.family == AF_INET6 && memcmp(parsed.bytes, mapped, sizeof(mapped)) == 0) {
                memmove(parsed.bytes, parsed.bytes + sizeof(mapped), 4);
                memset(parsed.bytes + 4, 0, sizeof(parsed.bytes) - 4);
                parsed.family = AF_INET;
                parsed.prefix = 32;
        }
        *ret_address = parsed;
        return true;
}

bool ksa_network_contains(const struct ksa_network *outer, const struct ksa_network *inner)
{
        if (outer->family != inner->family || inner->prefix < outer->prefix)
                return false;
        for (unsigned bit = 0; bit < outer->prefix; bit++) {
                if (bit_is_set(outer, bit) != bit_is_set(inner, bit))
                        return false;
        }
        return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* network.c: literal networks, and never a name. */
#include "base/network.h"

#include <string.h>
#include <sys/socket.h>

#include "support/support.h"

static void test_networks(void **state)
{
        static const struct {
                const char *text;
                int family;
                unsigned prefix;
        } rows[] = {
                {"10.0.0.0/8", AF_INET, 8},
                {"10.1.2.3", AF_INET, 32},
                {"10.1.2.3/32", AF_INET, 32},
                {"0.0.0.0/0", AF_INET, 0},
                {"10.128.0.0/9", AF_INET, 9},
                {"255.255.255.254/31", AF_INET, 31},
                {"::/0", AF_INET6, 0},
                {"::1", AF_INET6, 128},
                {"2001:db8::/32", AF_INET6, 32},
                {"2001:DB8::/32", AF_INET6, 32},
                {"fe80::/10", AF_INET6, 10},
                {"::ffff:10.0.0.0/104", AF_INET6, 104},
                {"2001:db8::1/128", AF_INET6, 128},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_network network;

                if (!ksa_network_parse(rows[i].text, &network))
                        fail_msg("%s", rows[i].text);
                assert_int_equal(network.family, rows[i].family);
                assert_int_equal(network.prefix, rows[i].prefix);
        }
}

static const char *const no_networks[] = {
        "",
        "/",
        "/8",
        "build-9",
        "localhost",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/08",
        "10.0.0.0/8/8",
        "10.0.0.0/8 ",
        " 10.0.0.0/8",
        "10.0.0.0/255.0.0.0",
        "10.0.0.1/8",
        "10.0.0.0/6",
        "255.255.255.255/31",
        "10.0.0",
        "10",
        "0x0a.0.0.0",
        "010.0.0.0",
        "10.0.0.256",
        "::/129",
        "::1/127",
        "2001:db8::1/32",
        "fe80::1%eth0",
        "[::1]",
        ":::",
        "1:2:3:4:5:6:7:8:9",
        "10.0.0.0/18446744073709551624", /* 2^64 + 8 */
        "00000000000000000000000000000000000000000000000000000000000000000000000000000010.0.0.0/8",
};

static void test_no_networks(void **state)
{
        (void)state;
        for (size_t i = 0; i < KSA_COUNT(no_networks); i++) {
                struct ksa_network network, before;

                memset(&network, 0xa5, sizeof(network));
                before = network;
                if (ksa_network_parse(no_networks[i], &network))
                        fail_msg("%s", no_networks[i]);
                assert_memory_equal(&network, &before, sizeof(network));
        }
}

static void test_addresses(void **state)
{
        static const struct {
                const char *text;
                int family; /* 0: no address */
                unsigned char first, last;
        } rows[] = {
                {"10.1.2.3", AF_INET, 10, 3},
                {"::ffff:10.1.2.3", AF_INET, 10, 3},
                {"::FFFF:0a01:0203", AF_INET, 10, 3},
                {"::10.1.2.3", AF_INET6, 0, 3},
                {"64:ff9b::10.1.2.3", AF_INET6, 0, 3},
                {"fe80::1", AF_INET6, 0xfe, 1},
                {"fe80::1%eth0", AF_INET6, 0xfe, 1},
                {"fe80::1%2", AF_INET6, 0xfe, 1},
                {"FE80::1%br-lan.7", AF_INET6, 0xfe, 1},
                {"febf:ffff::1%abcdefghijklmno", AF_INET6, 0xfe, 1},
                {"::1", AF_INET6, 0, 1},
                {"", 0, 0, 0},
                {"%eth0", 0, 0, 0},
                {"10.1.2.3/32", 0, 0, 0},
                {"10.1.2.3 ", 0, 0, 0},
                {"10.1.2.3.example.com", 0, 0, 0},
                {"build-9.example.com", 0, 0, 0},
                {"localhost", 0, 0, 0},
                {"10.1.2", 0, 0, 0},
                {"UNKNOWN", 0, 0, 0},
                {"10.1.2.3:22", 0, 0, 0},
                {"[::1]", 0, 0, 0},
                {"010.1.2.3", 0, 0, 0},
                {"0x0a.1.2.3", 0, 0, 0},
                /* a zone is an interface, of an IPv6 link-local address alone */
                {"10.0.0.1%x.evil.example", 0, 0, 0},
                {"10.0.0.1%", 0, 0, 0},
                {"10.0.0.1%eth0", 0, 0, 0},
                {"169.254.1.2%eth0", 0, 0, 0},
                {"::ffff:10.1.2.3%eth0", 0, 0, 0},
                {"2001:db8::1%eth0", 0, 0, 0},
                {"::1%lo", 0, 0, 0},
                {"fec0::1%eth0", 0, 0, 0},
                {"fe7f::1%eth0", 0, 0, 0},
                {"ff02::1%eth0", 0, 0, 0},
                {"fe80::1%", 0, 0, 0},
                {"fe80::1%.", 0, 0, 0},
                {"fe80::1%..", 0, 0, 0},
                {"fe80::1%abcdefghijklmnop", 0, 0, 0},
                {"fe80::1%eth0/64", 0, 0, 0},
                {"fe80::1%eth0:1", 0, 0, 0},
                {"fe80::1%eth0 evil.example", 0, 0, 0},
                {"fe80::1%eth0\n", 0, 0, 0},
                {"fe80::1%\xc3\xa4", 0, 0, 0},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_network address = {.family = -1};
                bool known = ksa_address_parse(rows[i].text, &address);

                if (known != (rows[i].family != 0))
                        fail_msg("%s", rows[i].text);
                assert_int_equal(address.family, known ? rows[i].family : -1);
                if (!known)
                        continue;
                size_t length = address.family == AF_INET ? 4 : 16;
                assert_int_equal(address.prefix, length * 8);
                assert_int_equal(address.bytes[0], rows[i].first);
                assert_int_equal(address.bytes[length - 1], rows[i].last);
        }
}

static void test_contains(void **state)
{
        static const struct {
                const char *outer, *inner;
                bool inside;
        } rows[] = {
                {"10.0.0.0/8", "10.0.0.0", true},
                {"10.0.0.0/8", "10.255.255.255", true},
                {"10.0.0.0/8", "11.0.0.0", false},
                {"10.0.0.0/8", "9.255.255.255", false},
                {"10.128.0.0/9", "10.127.255.255", false},
                {"10.128.0.0/9", "10.128.0.0", true},
                {"10.1.2.3", "10.1.2.3", true},
                {"10.1.2.3", "10.1.2.2", false},
                {"10.1.2.2/31", "10.1.2.3", true},
                {"0.0.0.0/0", "255.255.255.255", true},
                {"0.0.0.0/0", "::1", false},
                {"::/0", "::1", true},
                {"::/0", "10.1.2.3", false},
                {"::/0", "::ffff:10.1.2.3", false}, /* an address of IPv4 in another dress */
                {"10.0.0.0/8", "::ffff:10.1.2.3", true},
                {"2001:db8::/32", "2001:db8:ffff::1", true},
                {"2001:db8::/32", "2001:db9::1", false},
                {"::1", "::1", true},
        };

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                struct ksa_network outer, inner;

                assert_true(ksa_network_parse(rows[i].outer, &outer));
                assert_true(ksa_address_parse(rows[i].inner, &inner));
                if (ksa_network_contains(&outer, &inner) != rows[i].inside)
                        fail_msg("%s in %s", rows[i].inner, rows[i].outer);
        }
}

static void test_networks_in_networks(void **state)
{
        struct ksa_network wide, narrow;

        (void)state;
        assert_true(ksa_network_parse("10.0.0.0/8", &wide));
        assert_true(ksa_network_parse("10.1.0.0/16", &narrow));
        assert_true(ksa_network_contains(&wide, &narrow));
        assert_true(ksa_network_contains(&wide, &wide));
        assert_false(ksa_network_contains(&narrow, &wide));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_networks),
                cmocka_unit_test(test_no_networks),
                cmocka_unit_test(test_addresses),
                cmocka_unit_test(test_contains),
                cmocka_unit_test(test_networks_in_networks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

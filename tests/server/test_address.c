/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses a webhook may lead to. */
#include "support/cmocka_all.h"

#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static bool is_public(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        return address_public((const struct sockaddr *)&v4);
    }
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return address_public((const struct sockaddr *)&v6);
}

static void the_open_internet_is_public(void **state)
{
    static const char *const list[] = {
        "1.1.1.1",          "9.255.255.255",     "11.0.0.0",
        "100.63.255.255",   "100.128.0.0",       "126.255.255.255",
        "128.0.0.0",        "169.253.0.1",       "169.255.0.1",
        "172.15.255.255",   "172.32.0.0",        "192.0.1.1",
        "192.167.255.255",  "192.169.0.0",       "198.17.255.255",
        "198.20.0.0",       "223.255.255.255",   "2606:4700::1111",
        "2a00:1450::1",     "2001:4860::8888",   "::ffff:1.1.1.1",
        "64:ff9b::1.1.1.1", "2002:0101:0101::1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        if (!is_public(list[i])) {
            fail_msg("%s is not public", list[i]);
        }
    }
}

static void special_addresses_are_not(void **state)
{
    static const char *const list[] = {
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.1.2.3",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::169.254.169.254",
        "2002:7f00:0001::",
        "2002:c0a8:0101::1",
        "2001::1",
        "2001:db8::1",
        "100::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "3fff::1",
        "5f00::1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        if (is_public(list[i])) {
            fail_msg("%s is public", list[i]);
        }
    }
}

static void another_family_is_not(void **state)
{
    struct sockaddr_storage unix_socket = {.ss_family = AF_UNIX};

    (void)state;
    assert_false(address_public((const struct sockaddr *)&unix_socket));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_open_internet_is_public),
        cmocka_unit_test(special_addresses_are_not),
        cmocka_unit_test(another_family_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

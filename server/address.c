/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

struct block4 {
    uint8_t first[4];
    uint8_t bits;
};

/* The special-purpose registries of IANA (RFC 6890 and its successors). */
static const struct block4 special4[] = {
    {{0, 0, 0, 0}, 8},      {{10, 0, 0, 0}, 8},     {{100, 64, 0, 0}, 10},
    {{127, 0, 0, 0}, 8},    {{169, 254, 0, 0}, 16}, {{172, 16, 0, 0}, 12},
    {{192, 0, 0, 0}, 24},   {{192, 0, 2, 0}, 24},   {{192, 88, 99, 0}, 24},
    {{192, 168, 0, 0}, 16}, {{198, 18, 0, 0}, 15},  {{198, 51, 100, 0}, 24},
    {{203, 0, 113, 0}, 24}, {{224, 0, 0, 0}, 4},    {{240, 0, 0, 0}, 4},
};

struct block6 {
    uint8_t first[16];
    uint8_t bits;
};

static const struct block6 special6[] = {
    {{0x01, 0x00}, 64},             /* discard */
    {{0x20, 0x01, 0x00}, 23},       /* protocols, Teredo */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x3f, 0xff}, 20},             /* documentation */
    {{0x5f, 0x00}, 16},             /* segment routing */
    {{0xfc, 0x00}, 7},              /* unique local */
    {{0xfe, 0x80}, 10},             /* link-local */
    {{0xfe, 0xc0}, 10},             /* site-local, once */
    {{0xff, 0x00}, 8},              /* multicast */
};

/* IPv6 addresses that carry an IPv4 one at this place. */
static const struct {
    struct block6 block;
    uint8_t at;
} carrier[] = {
    {{{0}, 96}, 12}, /* ::, ::1, and the old compatible ones */
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, 12},
    {{{0x00, 0x64, 0xff, 0x9b}, 96}, 12},             /* NAT64 */
    {{{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48}, 12}, /* of a site */
    {{{0x20, 0x02}, 16}, 2},                          /* 6to4 */
};

static bool inside(const uint8_t *address, const uint8_t *first, uint8_t bits)
{
    uint8_t rest = (uint8_t)(bits % 8);
    uint8_t mask = (uint8_t)(0xFF00 >> rest);

    return memcmp(address, first, bits / 8) == 0 &&
           (rest == 0 || ((address[bits / 8] ^ first[bits / 8]) & mask) == 0);
}

static bool public4(const uint8_t a[4])
{
    for (size_t i = 0; i < sizeof special4 / sizeof special4[0]; i++) {
        if (inside(a, special4[i].first, special4[i].bits)) {
            return false;
        }
    }
    return true;
}

static bool public6(const uint8_t a[16])
{
    for (size_t i = 0; i < sizeof carrier / sizeof carrier[0]; i++) {
        if (inside(a, carrier[i].block.first, carrier[i].block.bits)) {
            return public4(a + carrier[i].at);
        }
    }
    for (size_t i = 0; i < sizeof special6 / sizeof special6[0]; i++) {
        if (inside(a, special6[i].first, special6[i].bits)) {
            return false;
        }
    }
    return true;
}

bool address_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        uint8_t a[4];

        memcpy(&v4, address, sizeof v4);
        memcpy(a, &v4.sin_addr, sizeof a);
        return public4(a);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        uint8_t a[16];

        memcpy(&v6, address, sizeof v6);
        memcpy(a, &v6.sin6_addr, sizeof a);
        return public6(a);
    }
    return false;
}

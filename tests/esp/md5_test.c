/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 1321 A.5, and portions. */
#include "bowline/esp_md5.h"

#include <stdio.h>
#include <string.h>

#include "support/cmocka_all.h"

static void hex_of(const void *data, size_t n, char hex[33])
{
    uint8_t digest[BL_ESP_MD5_SIZE];
    size_t i;

    bl_esp_md5(data, n, digest);
    for (i = 0; i < sizeof digest; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
}

static void the_rfcs_digests_come_out(void **unused)
{
    static const char *const table[][2] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"a", "0cc175b9c0f1b6a831c399e269772661"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
         "d174ab98d277d9f5a5611c2c9f419d9f"},
        {"123456789012345678901234567890123456789012345678901234567890123456"
         "78901234567890",
         "57edf4a22be3c955ac49da2e2107b67a"}};
    char hex[33];
    size_t i;

    (void)unused;
    for (i = 0; i < sizeof table / sizeof table[0]; i++) {
        hex_of(table[i][0], strlen(table[i][0]), hex);
        assert_string_equal(hex, table[i][1]);
    }
}

static void portions_make_no_difference(void **unused)
{
    uint8_t data[300];
    uint8_t whole[BL_ESP_MD5_SIZE];
    uint8_t parts[BL_ESP_MD5_SIZE];
    size_t portion;

    (void)unused;
    memset(data, 0x5A, sizeof data);
    bl_esp_md5(data, sizeof data, whole);
    for (portion = 1; portion <= 130; portion++) {
        struct bl_esp_md5 c;
        size_t at;

        bl_esp_md5_init(&c);
        for (at = 0; at < sizeof data; at += portion) {
            size_t left = sizeof data - at;

            bl_esp_md5_update(&c, data + at, left < portion ? left : portion);
        }
        bl_esp_md5_final(&c, parts);
        assert_memory_equal(parts, whole, sizeof whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfcs_digests_come_out),
        cmocka_unit_test(portions_make_no_difference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

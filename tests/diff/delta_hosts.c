/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delta_hosts FIRST COUNT: made-up pairs there and back on this machine, then
 * the SHA-256 of all their patches, which must be the same on every other.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "round.h"

int main(int argc, char **argv)
{
    struct round r = {0};
    struct error error = {0};
    uint8_t digest[BL_SHA256_SIZE];
    if (argc != 3) {
        fprintf(stderr, "usage: delta_hosts FIRST COUNT\n");
        return 2;
    }
    r.first = (uint32_t)strtoul(argv[1], NULL, 10);
    r.count = (uint32_t)strtoul(argv[2], NULL, 10);
    if (round_all(&r, &error) != 0) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    bl_sha256_final(&r.patches, digest);
    for (size_t k = 0; k < sizeof digest; k++) {
        printf("%02x", digest[k]);
    }
    printf(" %" PRIu64 " %" PRIu64 "\n", r.bytes_new, r.bytes_patches);
    return 0;
}

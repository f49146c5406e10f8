/* SPDX-License-Identifier: Apache-2.0 */
/* Patches in words and numbers. */
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "bowline/delta_in_place.h"
#include "bowline/sha256.h"
#include "delta.h"

enum { WRITE_MOST = 16 }; /* bytes that most flash is written by, at most */

static const char *const isa_name[BL_DELTA_ISAS] = {
    "plain", "thumb", "riscv", "xtensa", "aarch64", "x86-64"};

const char *delta_isa_name(uint8_t isa)
{
    return isa < BL_DELTA_ISAS ? isa_name[isa] : "unknown";
}

uint8_t delta_isa(const char *name)
{
    uint8_t i;

    for (i = 0; i < BL_DELTA_ISAS; i++) {
        if (strcmp(name, isa_name[i]) == 0) {
            return i;
        }
    }
    return DIFF_DETECT;
}

uint32_t delta_work(const struct bl_delta_info *info)
{
    struct bl_flash flash = {.erase_size = info->block,
                             .write_size = WRITE_MOST};

    return bl_in_place_work(info, &flash);
}

uint32_t delta_ram(const struct bl_delta_info *info)
{
    return info->in_place ? bl_in_place_memory(info) : info->ram;
}

void delta_put_head(struct call *c, const struct bl_delta_info *info,
                    json_t *out)
{
    put_number(out, "format", info->format);
    put_text(out, "isa", delta_isa_name(info->isa));
    put_bool(out, "in_place", info->in_place);
    put_bool(out, "deflate", info->deflate);
    put_number(out, "old_size", info->old_size);
    put_number(out, "new_size", info->new_size);
    put_number(out, "ram", delta_ram(info));
    if (info->in_place) {
        put_number(out, "block", info->block);
        put_number(out, "work", delta_work(info));
    }
    put_text(out, "old_check", keep_hex(c, info->old_check, BL_DELTA_CHECK));
    put_text(out, "new_check", keep_hex(c, info->new_check, BL_DELTA_CHECK));
}

const char *delta_head_problem(struct call *c, bl_status status)
{
    return status == BL_BUFFER ? "cut off within its head"
           : status == BL_DELTA
               ? "needs a newer Bowline: a format or an instruction set that "
                 "this one does not know"
               : keep(c, "%s", bl_status_meaning(status));
}

const char *delta_base_problem(struct call *c,
                               const struct bl_delta_info *info, bl_span old)
{
    uint8_t digest[BL_SHA256_SIZE];

    if (old.n != info->old_size) {
        return keep(c, "made for an old image of %lu bytes, not of %zu",
                    (unsigned long)info->old_size, old.n);
    }
    bl_sha256(old.p, old.n, digest);
    if (memcmp(digest, info->old_check, BL_DELTA_CHECK) != 0) {
        return keep(c,
                    "made for another old image: one whose SHA-256 begins "
                    "with %s, not %s",
                    keep_hex(c, info->old_check, BL_DELTA_CHECK),
                    keep_hex(c, digest, BL_DELTA_CHECK));
    }
    return NULL;
}

double delta_percent(uint64_t part, uint64_t whole)
{
    double percent = whole == 0 ? 0.0 : 100.0 * (double)part / (double)whole;

    return (double)(uint64_t)(percent * 100.0 + 0.5) / 100.0;
}

uint64_t delta_peak_memory(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_SELF, &usage) == 0
               ? (uint64_t)usage.ru_maxrss * 1024
               : 0;
}

double delta_seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

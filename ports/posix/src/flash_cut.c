/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power cut. The countdown lives in a file, so that it runs on through
 * resets: boot code and firmware are processes of their own.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "flash_private.h"
#include "host/file.h"
#include "posix/platform.h"

enum { TEXT = 64, UNDEFINED = 0x5A };

static const char *const kind_word[] = {"absent", "partial", "complete"};

int flash_cut_kind_parse(const char *word, enum flash_cut_kind *out)
{
    for (int i = 0; i < 3; i++) {
        if (strcmp(word, kind_word[i]) == 0) {
            *out = (enum flash_cut_kind)i;
            return 0;
        }
    }
    return -1;
}

static int print(char text[TEXT], const struct flash_cut *cut)
{
    return snprintf(text, TEXT, "%010" PRIu32 " %010" PRIu32 " %s\n",
                    cut->after, cut->from, kind_word[cut->kind]);
}

int flash_cut_set(const char *dir, const struct flash_cut *cut,
                  struct error *err)
{
    char path[FLASH_PATH];
    char text[TEXT];
    int n = snprintf(path, sizeof path, "%s/cut", dir);

    if (n < 0 || n >= (int)sizeof path) {
        return error_set(err, "the path %s is too long", dir);
    }
    n = print(text, cut);
    return file_write(path, bl_span_of(text, (size_t)n), 0600, err);
}

static bool read_cut(int fd, struct flash_cut *cut)
{
    char text[TEXT] = "";
    char word[16] = "";

    if (pread(fd, text, sizeof text - 1, 0) <= 0) {
        return false;
    }
    return sscanf(text, "%" SCNu32 " %" SCNu32 " %15s", &cut->after,
                  &cut->from, word) == 3 &&
           flash_cut_kind_parse(word, &cut->kind) == 0;
}

/* Counts one operation; true when the power goes at this one. */
static bool due(const struct flash_file *file, uint32_t offset,
                enum flash_cut_kind *kind)
{
    struct flash_cut cut;
    char text[TEXT];
    int fd = open(file->cut_path, O_RDWR | O_CLOEXEC);
    bool now = false;

    if (fd < 0) {
        return false;
    }
    if (read_cut(fd, &cut) && offset >= cut.from) {
        now = cut.after == 0;
        cut.after -= now ? 0 : 1;
        (void)!pwrite(fd, text, (size_t)print(text, &cut), 0);
        *kind = cut.kind;
    }
    (void)close(fd);
    return now;
}

/* The board is this process's parent, and says so in the environment. */
static _Noreturn void power_off(const struct flash_file *file)
{
    const char *board = getenv("BOWLINE_BOARD_PID");

    (void)unlink(file->cut_path);
    if (file->name != NULL) {
        platform_say(file->name, "board: the power is cut");
    }
    if (board != NULL && strtol(board, NULL, 10) == (long)getppid()) {
        (void)kill(getppid(), SIGKILL);
    }
    (void)raise(SIGKILL);
    _exit(1);
}

void flash_cut_at_write(struct flash_file *file, uint32_t offset,
                        const void *data, uint32_t n)
{
    enum flash_cut_kind kind = FLASH_CUT_ABSENT;
    uint32_t unit = file->flash.write_size;
    uint32_t half = n / 2 / unit * unit;

    if (!due(file, offset, &kind)) {
        return;
    }
    if (kind == FLASH_CUT_COMPLETE) {
        half = n;
    }
    if (kind != FLASH_CUT_ABSENT) {
        (void)flash_file_raw_write(file->fd, offset, data, half);
    }
    if (kind == FLASH_CUT_PARTIAL && half < n) {
        uint8_t undefined[256];

        memset(undefined, UNDEFINED, sizeof undefined);
        (void)flash_file_raw_write(file->fd, offset + half, undefined, unit);
    }
    power_off(file);
}

void flash_cut_at_erase(struct flash_file *file, uint32_t offset)
{
    enum flash_cut_kind kind = FLASH_CUT_ABSENT;
    uint32_t n = file->flash.erase_size;
    const uint8_t undefined = UNDEFINED;

    if (!due(file, offset, &kind)) {
        return;
    }
    if (kind == FLASH_CUT_COMPLETE) {
        (void)flash_file_raw_erase(file->fd, offset, n);
    }
    if (kind == FLASH_CUT_PARTIAL) {
        (void)flash_file_raw_erase(file->fd, offset, n / 2);
        (void)flash_file_raw_write(file->fd, offset + n / 2, &undefined, 1);
    }
    power_off(file);
}

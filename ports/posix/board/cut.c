/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "board.h"

static const char help[] =
    "bowline-device cut --dir DIR --after N [--kind KIND] [--install]\n"
    "\n"
    "Cuts the power of a device, switched on or not, after N more flash\n"
    "operations (writes, erased blocks). The operation then under way is "
    "left\n"
    "absent, partial (default) or complete: KIND. --install counts only\n"
    "operations on the slots. Afterwards the device is off; run it again.\n";

struct wish {
    const char *dir;
    const char *after;
    const char *kind;
    bool install;
};

/* 1 for --help, -1 for wrong usage. */
static int parse(struct wish *wish, int argc, char **argv)
{
    static const struct option options[] = {
        {"dir", required_argument, NULL, 'd'},
        {"after", required_argument, NULL, 'a'},
        {"kind", required_argument, NULL, 'k'},
        {"install", no_argument, NULL, 'i'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    wish->kind = "partial";
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd') {
            wish->dir = optarg;
        } else if (option == 'a') {
            wish->after = optarg;
        } else if (option == 'k') {
            wish->kind = optarg;
        } else if (option == 'i') {
            wish->install = true;
        } else {
            return option == 'h' ? 1 : -1;
        }
    }
    return wish->dir == NULL || wish->after == NULL || optind != argc ? -1 : 0;
}

static int cut_of(const struct wish *wish, struct flash_cut *cut,
                  struct error *err)
{
    char *end = NULL;
    unsigned long after;

    errno = 0;
    after = strtoul(wish->after, &end, 10);
    if (errno != 0 || end == wish->after || *end != '\0' ||
        wish->after[0] == '-' || after > UINT32_MAX) {
        return error_set(err, "--after: \"%s\" is no number", wish->after);
    }
    if (flash_cut_kind_parse(wish->kind, &cut->kind) != 0) {
        return error_set(err,
                         "--kind: \"%s\" is not absent, partial or complete",
                         wish->kind);
    }
    cut->after = (uint32_t)after;
    return 0;
}

int board_cut(int argc, char **argv)
{
    static struct device_config config;
    struct wish wish = {0};
    struct flash_cut cut = {0};
    struct error err = {0};
    int parsed = parse(&wish, argc, argv);
    int failed;

    if (parsed != 0) {
        (void)fputs(help, parsed > 0 ? stdout : stderr);
        return parsed > 0 ? 0 : BOARD_EXIT_USAGE;
    }
    failed = cut_of(&wish, &cut, &err) != 0 ||
             device_config_load(&config, wish.dir, &err) != 0;
    if (!failed) {
        cut.from = wish.install ? config.component[0].area[0].offset : 0;
        failed = flash_cut_set(wish.dir, &cut, &err) != 0;
    }
    device_config_free(&config);
    return failed ? board_fail("cut", &err) : 0;
}

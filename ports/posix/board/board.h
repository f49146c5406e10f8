/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of bowline-device share. */
#ifndef BOARD_H
#define BOARD_H

#include "host/error.h"
#include "posix/config.h"

enum {
    BOARD_EXIT_USAGE = 2,
    BOARD_EXIT_NO_IMAGE = 3, /* nothing that may boot: the recovery */
};

/* What the boot code tells the board over the watchdog's pipe, before the
 * firmware owns it. */
enum { BOARD_NEWS_STARTS = 'S', BOARD_NEWS_NO_IMAGE = 'N' };

/* Each verb: argv behind it; returns an exit status. */
int board_run(int argc, char **argv);
int board_provision(int argc, char **argv);
int board_show(int argc, char **argv);
int board_cut(int argc, char **argv);
int board_set(int argc, char **argv);
int board_consent(int argc, char **argv);

/* The boot code's process: never returns. */
_Noreturn void board_boot(const char *dir, bl_reset_cause cause,
                          int watchdog_fd);

/* The resident agent of a board that holds another chip's image. Returns the
 * exit status of a firmware. */
int board_holder(void);

/* "bowline-device run: ..." on stderr; returns 1. */
int board_fail(const char *verb, const struct error *err);

#endif

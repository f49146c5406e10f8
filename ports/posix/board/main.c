/* SPDX-License-Identifier: Apache-2.0 */
/* bowline-device: a device as a process; one verb, one file. */
#include <stdio.h>
#include <string.h>

#include "board.h"

struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
};

static const struct verb verbs[] = {
    {"provision", board_provision},
    {"run", board_run},
    {"show", board_show},
    {"cut", board_cut},
    {"set", board_set},
    {"consent", board_consent},
};

static const char usage[] =
    "bowline-device: an emulated device. It is a folder: flash.bin is its\n"
    "chip, device.conf what is burnt in.\n"
    "\n"
    "  bowline-device provision --dir DIR ...   what the factory does\n"
    "  bowline-device run --dir DIR             power on: boots, runs, "
    "resets\n"
    "  bowline-device show --dir DIR [--json]   state, slots and journal\n"
    "  bowline-device cut --dir DIR --after N   cut the power at a later\n"
    "                                           flash operation\n"
    "  bowline-device set --dir DIR KEY=VALUE   battery, link, local time,\n"
    "                                           attributes\n"
    "  bowline-device consent --dir DIR yes     what the person at it says\n"
    "                                           of an update: yes, no, "
    "later 1h\n"
    "\n"
    "Each verb explains itself: bowline-device VERB --help.\n"
    "\n"
    "Exit status: 0 done (run: switched off), 1 failed, 2 wrong usage,\n"
    "3 run: no slot holds an image that may boot. A power cut kills it.\n";

int board_fail(const char *verb, const struct error *err)
{
    (void)fprintf(stderr, "bowline-device %s: %s\n", verb, err->text);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fputs(usage, stderr);
        return BOARD_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        (void)fputs(usage, stdout);
        return 0;
    }
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(argv[1], verbs[i].name) == 0) {
            return verbs[i].run(argc - 1, argv + 1);
        }
    }
    (void)fprintf(stderr,
                  "bowline-device: no verb \"%s\"; bowline-device --help "
                  "lists them\n",
                  argv[1]);
    return BOARD_EXIT_USAGE;
}

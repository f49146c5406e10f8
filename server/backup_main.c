/* SPDX-License-Identifier: Apache-2.0 */
/* The options of bowlined backup and bowlined restore. */
#include "backup.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: bowlined backup [--config FILE] [--with-keys] -o FILE.tar\n"
    "       bowlined restore [--config FILE] [--with-keys] FILE.tar\n"
    "\n"
    "Backup writes database and payloads into one archive, while the server\n"
    "runs. Restore checks every byte of it, then fills the data folder of\n"
    "the configuration, which must be empty.\n"
    "  --with-keys  also the configuration and the files it names: ticket\n"
    "               key, TLS key and certificate, operator tokens. Keep such\n"
    "               an archive as you keep those keys. A restore writes "
    "those\n"
    "               that are missing, and replaces none.\n"
    "See docs/OPERATING.md.\n";

static int read_options(int argc, char **argv, struct backup_options *o)
{
    static const struct option list[] = {{"config", 1, NULL, 'c'},
                                         {"with-keys", 0, NULL, 'k'},
                                         {"output", 1, NULL, 'o'},
                                         {"help", 0, NULL, 'h'},
                                         {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "c:o:h", list, NULL)) != -1) {
        if (c == 'c') {
            o->config = optarg;
        } else if (c == 'k') {
            o->with_keys = true;
        } else if (c == 'o') {
            o->file = optarg;
        } else {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? 1 : -1;
        }
    }
    return 0;
}

static int run(bool restore, const struct backup_options *o)
{
    struct error err = {BL_OK, 0, ""};
    int result = restore ? backup_restore(o, &err) : backup_make(o, &err);

    if (result != 0) {
        fprintf(stderr, "bowlined: %s\n", err.text);
        return 1;
    }
    fprintf(stderr,
            restore ? "bowlined: restored from %s\n"
                    : "bowlined: backed up to %s\n",
            o->file);
    return 0;
}

int backup_main(int argc, char **argv, const char *preset)
{
    struct backup_options o = {NULL, NULL, false};
    bool restore = strcmp(argv[0], "restore") == 0;
    int result = read_options(argc, argv, &o);

    if (result != 0) {
        return result < 0 ? 2 : 0;
    }
    if (restore && optind < argc && o.file == NULL) {
        o.file = argv[optind++];
    }
    if (o.file == NULL || optind < argc) {
        fputs(usage, stderr);
        return 2;
    }
    if (o.config == NULL && (access(preset, F_OK) == 0 || restore)) {
        o.config = preset;
    }
    return run(restore, &o);
}

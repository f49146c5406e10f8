/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bowlined backup, bowlined restore. A backup is one tar archive:
 *
 *   bowline.db             a snapshot of the database
 *   payloads/ab/abcd...    those that the snapshot may name, and newer ones
 *   config/NAME            with --with-keys: bowlined.conf, and the file that
 *                          the configuration's key NAME names
 *   MANIFEST.json          size and SHA-256 of each; last
 *
 * It is made while the server runs. A restore looks at the whole archive
 * first and writes nothing when anything in it is not as the manifest says,
 * then fills an empty data folder.
 */
#ifndef SERVER_BACKUP_H
#define SERVER_BACKUP_H

#include "config.h"

#include "bowline/sha256.h"
#include "host/buffer.h"

#include <jansson.h>

#define BACKUP_MANIFEST "MANIFEST.json"
#define BACKUP_DATABASE "bowline.db"
#define BACKUP_CONFIG "config/bowlined.conf"

enum {
    BACKUP_FORMAT = 1,
    BACKUP_NAME = 128,
    BACKUP_PIECE = 65536,
    BACKUP_KEY_MAX = 1 << 20, /* a file of config/ */
    BACKUP_MANIFEST_MAX = 256 << 20
};

/* Files that the configuration names, beside the data. */
struct backup_key {
    const char *name;
    size_t offset; /* in struct config: its path */
};

extern const struct backup_key backup_keys[];
extern const int backup_n_keys;

const char *backup_key_path(const struct config *c, int key);

struct backup_options {
    const char *config; /* NULL: none but the environment */
    const char *file;
    bool with_keys;
};

int backup_make(const struct backup_options *o, struct error *err);
int backup_restore(const struct backup_options *o, struct error *err);
/* The programs: arguments behind "backup" or "restore"; the exit status. */
int backup_main(int argc, char **argv, const char *preset);

#endif

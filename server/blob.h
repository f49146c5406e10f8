/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Payloads on disk by content address: <data>/payloads/ab/abcd..., and
 * patches: <data>/deltas/ab/abcd... A blob appears whole or not at all:
 * written beside, hashed as it comes, fsynced, renamed, directory fsynced.
 * What is there is never changed.
 */
#ifndef SERVER_BLOB_H
#define SERVER_BLOB_H

#include "bowline/sha256.h"
#include "host/error.h"

#include <stdbool.h>
#include <stdint.h>

struct blobs {
    char dir[512];
};

/* Makes the directories, removes what interrupted uploads left. `folder` is
 * in data_dir. */
int blobs_open(struct blobs *b, const char *data_dir, const char *folder,
               struct error *err);

/* A descriptor open for reading, and the size; -1 with err->code ENOENT when
 * there is none. */
int blob_open(const struct blobs *b, const uint8_t sha256[32], uint64_t *size,
              struct error *err);
bool blob_there(const struct blobs *b, const uint8_t sha256[32],
                uint64_t *size);

/* What the file was when its bytes were read; all zero: they never were. */
struct blob_stamp {
    uint64_t size;
    uint64_t inode;
    int64_t seconds; /* of its last change */
    int64_t nanoseconds;
};

/* Are the bytes of an open blob those of its name? They are read only when
 * the file is not what *known says, which is then brought up to date. -1: no;
 * err->code EIO when it could not be read. */
int blob_check(int fd, const uint8_t sha256[32], struct blob_stamp *known,
               struct error *err);

/* Nothing happens when there is none. */
void blob_remove(const struct blobs *b, const uint8_t sha256[32]);

/* Removes what nobody keeps. */
typedef bool (*blob_kept)(void *ctx, const uint8_t sha256[32]);
void blobs_sweep(const struct blobs *b, blob_kept kept, void *ctx);

/* An upload. After blob_begin exactly one of blob_finish, blob_cancel. */
struct blob_upload {
    int fd;
    uint64_t size;
    struct bl_sha256 hash;
    uint8_t expected[32];
    char path[640];
};

int blob_begin(struct blobs *b, struct blob_upload *u,
               const uint8_t sha256[32], struct error *err);
int blob_write(struct blob_upload *u, const void *data, size_t n,
               struct error *err);
/* -1 with err->status BL_PAYLOAD_DIGEST when the bytes are others. */
int blob_finish(struct blobs *b, struct blob_upload *u, struct error *err);
void blob_cancel(struct blob_upload *u);

#endif

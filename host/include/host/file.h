/* SPDX-License-Identifier: Apache-2.0 */
/* Files, hex and time as host programs need them. */
#ifndef HOST_FILE_H
#define HOST_FILE_H

#include "host/buffer.h"

/* Appends a whole file. */
int file_read(const char *path, struct buffer *out, struct error *err);
/* -1 when group or others may touch it: a secret must be its owner's alone.
 * Only of regular files: a pipe has no such mode. */
int file_check_private(const char *path, struct error *err);
/* Written beside, fsynced, renamed, directory fsynced: old or new, whole. */
int file_write(const char *path, bl_span content, int mode, struct error *err);
/* A new file, synced with its folder; one that exists is never replaced. */
int file_create(const char *path, bl_span content, int mode,
                struct error *err);
/* A new folder of one's own, for files that nobody else needs: below $TMPDIR,
 * or else below /tmp. Its path to `out`. */
enum { FILE_TEMP = 256 };
int file_temp_folder(const char *name, char out[FILE_TEMP], struct error *err);
/* mkdir -p. */
int file_make_dirs(const char *path, int mode, struct error *err);

/* 2 * n + 1 characters. */
void hex_encode(const uint8_t *bytes, size_t n, char *out);
/* Exactly `n` bytes from exactly 2 * n digits. */
int hex_decode(const char *text, size_t text_n, uint8_t *out, size_t n);
/* SHA-256 of a file, and its size. */
int file_sha256(const char *path, uint8_t digest[32], uint64_t *size,
                struct error *err);

#endif

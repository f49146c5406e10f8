/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHOR_KEY_FILE_H
#define AUTHOR_KEY_FILE_H

#include "host/buffer.h"

/* A new file of mode 0600, synced with its folder; never replaces one. */
int key_file_create(const char *path, bl_span content, struct error *err);

#endif

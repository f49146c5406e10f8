/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLLOUT_FILE_H
#define ROLLOUT_FILE_H

#include "tool.h"

/* The plan in a file: JSON when its name ends so, else in the syntax of
 * bowline.conf. 0 or EXIT_INPUT; *plan is to be freed. */
int rollout_file_read(struct call *c, const char *path, json_t **plan);

#endif

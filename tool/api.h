/* SPDX-License-Identifier: Apache-2.0 */
/* The operator API of the server, as verbs use it. */
#ifndef API_H
#define API_H

#include <stdio.h>

#include "tool.h"

struct api;

/* Opens what --server, the environment or the project say. NULL: c->err. */
struct api *api_open(struct call *c, int *code);
void api_close(struct api *api);

/*
 * One request to <server>/api/v1<path>. `body` may be NULL; it is not taken.
 * `*answer` is the JSON answer, to be freed; NULL allowed when not wanted.
 * 0, EXIT_SERVER or EXIT_UNREACHABLE.
 */
int api_call(struct api *api, const char *method, const char *path,
             const json_t *body, json_t **answer);
/* The same with raw bytes. */
int api_send(struct api *api, const char *method, const char *path,
             bl_span body, json_t **answer);
/* A file as body, with a progress bar called `what`. */
int api_upload(struct api *api, const char *path, const char *file,
               const char *what, json_t **answer);
/* The bytes of an answer, as they come, into a file. */
int api_download(struct api *api, const char *path, FILE *out);
/* "https://host:port" */
const char *api_base(const struct api *api);
/* HTTP status of the last answer. */
int api_status(const struct api *api);
/* Was the last answer an error with this code of the API? */
bool api_error_is(const struct api *api, const char *code);
/* 1 there, 0 not there, -1 with *code set. */
int api_has(struct api *api, const char *path, int *code);
/* All items of a list, over its pages; at most `limit` when not 0. `path`
 * may have a query. */
int api_list(struct api *api, const char *path, uint64_t limit,
             json_t **items);

/* Text with all but letters, digits and -._~ as %NN. Kept. */
const char *url_part(struct call *c, const char *text);

#endif

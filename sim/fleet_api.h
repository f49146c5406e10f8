/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's side of the simulator: requests to /api/v1. */
#ifndef SIM_FLEET_API_H
#define SIM_FLEET_API_H

#include <jansson.h>

#include "fleet_options.h"
#include "host/http.h"

struct fleet_api {
    struct http *http;
    const struct fleet_options *options;
};

int fleet_api_open(struct fleet_api *api, const struct fleet_options *options,
                   struct error *err);
void fleet_api_close(struct fleet_api *api);

/* `path` begins behind /api/v1. The answer of a status below 300; else NULL
 * with what the server said in *err, and the status in err->code. */
json_t *fleet_api_get(struct fleet_api *api, const char *path,
                      struct error *err);
json_t *fleet_api_post(struct fleet_api *api, const char *path,
                       const json_t *body, struct error *err);
int fleet_api_fetch(struct fleet_api *api, const char *path,
                    struct buffer *out, struct error *err);

/* Calls `each` for every item of a list, page by page; stops when it does not
 * return 0. `path` has a query already. */
int fleet_api_list(struct fleet_api *api, const char *path,
                   int (*each)(void *ctx, const json_t *item,
                               struct error *err),
                   void *ctx, struct error *err);

#endif

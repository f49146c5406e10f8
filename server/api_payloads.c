/* SPDX-License-Identifier: Apache-2.0 */
/* PUT and HEAD /api/v1/payloads/{sha256}. */
#include "api.h"
#include "router.h"

#include "host/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int read_digest(struct http_request *rq, uint8_t sha256[32])
{
    if (hex_decode(rq->param[0], strlen(rq->param[0]), sha256, 32) != 0) {
        api_error(rq, 400, "digest",
                  "the path must end with the 64 hex "
                  "digits of the payload's SHA-256");
        return -1;
    }
    return 0;
}

void payload_begin(struct server *s, struct http_request *rq)
{
    uint64_t most = (uint64_t)s->config.max_payload_mb << 20;
    struct error err = {BL_OK, 0, ""};
    struct blob_upload *u;
    uint8_t sha256[32];

    if (read_digest(rq, sha256) != 0) {
        return;
    }
    if (rq->content_length > most) {
        api_error(rq, 413, "too-large",
                  "the payload has %" PRIu64 " bytes, at most %d MiB are "
                  "taken; raise max_payload_mb",
                  rq->content_length, s->config.max_payload_mb);
        return;
    }
    u = malloc(sizeof *u);
    if (u == NULL || blob_begin(&s->blobs, u, sha256, &err) != 0) {
        free(u);
        api_store_error(rq, &err);
        return;
    }
    rq->upload = u;
}

void payload_data(struct server *s, struct http_request *rq, bl_span piece)
{
    struct error err = {BL_OK, 0, ""};

    (void)s;
    if (blob_write(rq->upload, piece.p, piece.n, &err) != 0) {
        api_store_error(rq, &err);
        payload_end(rq); /* what it took is free again before the answer */
    }
}

/* Cut off or refused: nothing stays. */
void payload_end(struct http_request *rq)
{
    if (rq->upload != NULL) {
        blob_cancel(rq->upload);
        free(rq->upload);
        rq->upload = NULL;
    }
}

void payload_finish(struct server *s, struct http_request *rq)
{
    struct blob_upload *u = rq->upload;
    struct error err = {BL_OK, 0, ""};
    uint64_t there;
    bool known = blob_there(&s->blobs, u->expected, &there);
    uint64_t size = u->size;

    if (blob_finish(&s->blobs, u, &err) != 0) {
        if (err.status == BL_PAYLOAD_DIGEST) {
            api_error(rq, 422, "payload-digest",
                      "%s; they are not the payload %s", err.text,
                      rq->param[0]);
        } else {
            api_store_error(rq, &err);
        }
        return;
    }
    atomic_fetch_add(&s->metrics.uploads, 1);
    api_json(rq, known ? 200 : 201,
             json_pack("{s:o, s:I}", "sha256", api_hex(u->expected, 32),
                       "size", (json_int_t)size));
}

void payload_head(struct server *s, struct http_request *rq)
{
    uint8_t sha256[32];
    uint64_t size;
    int fd;

    if (read_digest(rq, sha256) != 0) {
        return;
    }
    fd = blob_open(&s->blobs, sha256, &size, NULL);
    if (fd < 0) {
        api_error(rq, 404, "not-found", "there is no payload %s",
                  rq->param[0]);
        return;
    }
    http_reply_file(rq, 200, "application/octet-stream", fd, 0, size);
}

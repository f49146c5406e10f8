/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/stream: the hub's notices as server-sent events. */
#include "access.h"
#include "api.h"

#include "host/file.h"

#include <errno.h>
#include <stdlib.h>

enum { CHECK_S = 15 };

/* A stream that is open. */
struct listening {
    struct stream_listener *listener;
    struct server *server;
    uint64_t checked_us;
};

void stream_wake(void *ctx)
{
    http_stream_wake(ctx);
}

/* Who has lost the right to listen since does so for CHECK_S at most. */
static bool still_allowed(struct listening *l, struct http_request *rq)
{
    uint64_t now = monotonic_us();

    if (now - l->checked_us < (uint64_t)CHECK_S * 1000000) {
        return true;
    }
    l->checked_us = now;
    return access_holds(l->server, rq);
}

static int pull_notices(void *ctx, struct http_request *rq, uint8_t *out,
                        size_t room)
{
    struct listening *l = ctx;
    size_t n;

    if (!still_allowed(l, rq)) {
        return HTTP_STREAM_END;
    }
    n = stream_read(l->listener, out, room);
    return n == 0 ? HTTP_STREAM_WAIT : (int)n;
}

static int read_filter(struct http_request *rq, struct stream_filter *filter,
                       uint8_t device[16])
{
    const char *id = http_query(rq, "device");
    const char *rollout = http_query(rq, "rollout");
    char *end = NULL;

    filter->last_id = http_header(rq, "Last-Event-ID");
    if (id != NULL) {
        if (hex_decode(id, strlen(id), device, 16) != 0) {
            api_error(rq, 400, "field", "device must be 32 hex digits");
            return -1;
        }
        filter->device = device;
    }
    if (rollout != NULL) {
        filter->rollout = strtoull(rollout, &end, 10);
        if (rollout[0] < '1' || rollout[0] > '9' || *end != '\0') {
            api_error(rq, 400, "field", "rollout must be its number");
            return -1;
        }
    }
    return 0;
}

static void begin(struct server *s, struct http_request *rq,
                  const struct stream_filter *filter)
{
    struct listening *l = calloc(1, sizeof *l);

    if (l != NULL) {
        l->server = s;
        l->checked_us = monotonic_us();
        l->listener = stream_join(s->stream, filter, rq);
    }
    if (l == NULL || l->listener == NULL) {
        free(l);
        api_error(rq, 503, "memory", "no memory for another stream");
        return;
    }
    rq->stream_ctx = l;
    http_reply_stream(rq, 200, "text/event-stream", pull_notices, l, true);
    http_reply_header(rq, "Cache-Control", "no-store");
    /* nginx would gather it. */
    http_reply_header(rq, "X-Accel-Buffering", "no");
}

void stream_show(struct server *s, struct http_request *rq)
{
    struct stream_filter filter = {NULL, 0, NULL};
    uint8_t device[16];

    if (read_filter(rq, &filter, device) != 0) {
        return;
    }
    /* Devices come first: streams get half of the connections. */
    if (stream_listeners(s->stream) >=
        (uint32_t)s->config.max_connections / 2) {
        api_error(rq, 503, "streams", "too many streams are open");
        http_reply_header(rq, "Retry-After", "30");
        return;
    }
    begin(s, rq, &filter);
}

void stream_end(struct http_request *rq)
{
    struct listening *l = rq->stream_ctx;

    if (l != NULL && rq->route != NULL && rq->route->handle == stream_show) {
        stream_leave(l->listener);
        free(l);
        rq->stream_ctx = NULL;
    }
}

/* --- What is told ---------------------------------------------------------
 */

void stream_rollout(struct server *s, const struct rollout *r,
                    const char *what)
{
    stream_publish(s->stream, "rollout",
                   json_pack("{s:I, s:s, s:s, s:I, s:s}", "id",
                             (json_int_t)r->id, "product", r->product->name,
                             "state", rollout_state_name(r->state), "stage",
                             (json_int_t)r->stage, "what", what));
    stream_fleet(s->stream);
}

void stream_release(struct server *s, const struct release *r)
{
    stream_publish(s->stream, "release",
                   json_pack("{s:o, s:s, s:s}", "manifest",
                             api_hex(r->manifest, 32), "product",
                             r->product->name, "version", r->version));
}

void server_audited(void *server, int64_t number)
{
    const struct server *s = server;

    stream_publish(s->stream, "audit",
                   json_pack("{s:I}", "number", (json_int_t)number));
    webhooks_wake(s->webhooks);
}

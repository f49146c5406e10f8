/* SPDX-License-Identifier: Apache-2.0 */
/* The dashboard's files: page.h. */
#include "page.h"

#include "api.h"
#include "router.h"

static const struct http_field fields[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; "
     "img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
     "form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Vary", "Accept-Encoding"},
    {NULL, NULL}};

static const struct page_file *find(const char *path)
{
    for (size_t i = 0; i < page_files_count; i++) {
        if (strcmp(page_files[i].path, path) == 0) {
            return &page_files[i];
        }
    }
    return NULL;
}

static void reply(struct http_request *rq, const struct page_file *file)
{
    bool root = strcmp(file->path, "/") == 0;
    bool gzip = page_takes_gzip(http_header(rq, "Accept-Encoding"));

    if (page_same(http_header(rq, "If-None-Match"), file->etag)) {
        http_reply_fixed(rq, 304, NULL, bl_span_of(NULL, 0), fields);
    } else {
        http_reply_fixed(rq, 200, file->type, gzip ? file->gzip : file->plain,
                         fields);
        if (gzip) {
            http_reply_header(rq, "Content-Encoding", "gzip");
        }
    }
    http_reply_header(rq, "ETag", file->etag);
    /* The others' names change with their content. */
    http_reply_header(rq, "Cache-Control",
                      root ? "no-cache"
                           : "public, max-age=31536000, immutable");
}

void page_show(struct server *s, struct http_request *rq)
{
    const struct page_file *file = find(rq->path);

    (void)s;
    if (file != NULL) {
        reply(rq, file);
    } else if (page_files_count == 0) {
        api_error(rq, 404, "not-found",
                  "this server was built without the dashboard "
                  "(BOWLINE_WEB=OFF)");
    } else {
        api_error(rq, 404, "not-found", "%s: no such file", rq->path);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* TLS and HTTP of the rogue server; its only trade is bytes. */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/file.h"
#include "rogue.h"

enum { PEM_LIMIT = 65536, BODY_LIMIT = 4096, ANSWER_LIMIT = 8192 };

struct rogue_http {
    struct rogue *rogue;
    struct MHD_Daemon *daemon;
    struct buffer cert;
    struct buffer key;
};

static enum MHD_Result reply(struct MHD_Connection *connection,
                             unsigned status, struct buffer *body)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body->n, body->p, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result = MHD_NO;

    if (response != NULL) {
        result = MHD_queue_response(connection, status, response);
        MHD_destroy_response(response);
    }
    return result;
}

static enum MHD_Result poll_request(struct rogue *rogue,
                                    struct MHD_Connection *connection,
                                    bl_span body)
{
    struct buffer answer = BUFFER(ANSWER_LIMIT);
    struct rogue_poll poll;
    struct error err = {0};
    enum MHD_Result result;
    int failed = rogue_poll_read(body, &poll);

    if (failed == 0 && !rogue_poll_matters(rogue, &poll)) {
        return reply(connection, MHD_HTTP_SERVICE_UNAVAILABLE, &answer);
    }
    if (failed == 0) {
        (void)pthread_mutex_lock(&rogue->lock);
        failed = rogue_poll_answer(rogue, &poll, &answer, &err);
        (void)pthread_mutex_unlock(&rogue->lock);
    }
    if (err.text[0] != '\0') {
        (void)fprintf(stderr, "bowline-rogue: %s\n", err.text);
    }
    result = reply(connection,
                   failed == 0 ? MHD_HTTP_OK : MHD_HTTP_BAD_REQUEST, &answer);
    buffer_free(&answer);
    return result;
}

/* The last part of the path, as a digest. */
static bool named(const char *url, const uint8_t digest[32])
{
    const char *slash = strrchr(url, '/');
    uint8_t name[32];

    return slash != NULL &&
           hex_decode(slash + 1, strlen(slash + 1), name, 32) == 0 &&
           memcmp(name, digest, 32) == 0;
}

static enum MHD_Result get_request(struct rogue *rogue,
                                   struct MHD_Connection *connection,
                                   const char *url)
{
    struct buffer nothing = BUFFER(0);

    for (int i = 0; i < ROGUE_ATTACKS; i++) {
        struct rogue_offer *offer = &rogue->offer[i];

        if (offer->ready && strstr(url, "/manifests/") != NULL &&
            named(url, offer->manifest)) {
            return reply(connection, MHD_HTTP_OK, &offer->envelope);
        }
        if (offer->ready && strstr(url, "/payloads/") != NULL &&
            named(url, offer->sha256)) {
            return reply(connection, MHD_HTTP_OK, &offer->payload);
        }
    }
    return reply(connection, MHD_HTTP_NOT_FOUND, &nothing);
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection,
                              const char *url, const char *method,
                              const char *version, const char *data,
                              size_t *size, void **request)
{
    struct rogue_http *http = ctx;
    struct buffer *body = *request;

    (void)version;
    if (body == NULL) {
        body = calloc(1, sizeof *body);
        if (body == NULL) {
            return MHD_NO;
        }
        body->limit = BODY_LIMIT;
        *request = body;
        return MHD_YES;
    }
    if (*size > 0) {
        int failed = buffer_append(body, data, *size, NULL);

        *size = 0;
        return failed == 0 ? MHD_YES : MHD_NO;
    }
    if (strcmp(method, "POST") == 0) {
        return poll_request(http->rogue, connection, buffer_span(body));
    }
    return get_request(http->rogue, connection, url);
}

static void completed(void *ctx, struct MHD_Connection *connection,
                      void **request, enum MHD_RequestTerminationCode why)
{
    struct buffer *body = *request;

    (void)ctx;
    (void)connection;
    (void)why;
    if (body != NULL) {
        buffer_free(body);
        free(body);
    }
    *request = NULL;
}

struct rogue_http *rogue_http_start(struct rogue *rogue, uint16_t port,
                                    const char *cert_file,
                                    const char *key_file, struct error *err)
{
    struct rogue_http *http = calloc(1, sizeof *http);

    if (http == NULL) {
        (void)error_set(err, "out of memory");
        return NULL;
    }
    http->rogue = rogue;
    http->cert.limit = PEM_LIMIT;
    http->key.limit = PEM_LIMIT;
    if (file_read(cert_file, &http->cert, err) != 0 ||
        file_read(key_file, &http->key, err) != 0) {
        rogue_http_stop(http);
        return NULL;
    }
    http->daemon = MHD_start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_TLS, port, NULL, NULL, handle,
        http, MHD_OPTION_HTTPS_MEM_CERT, (char *)http->cert.p,
        MHD_OPTION_HTTPS_MEM_KEY, (char *)http->key.p,
        MHD_OPTION_HTTPS_PRIORITIES, "NORMAL:-VERS-ALL:+VERS-TLS1.3",
        MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
        MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U, MHD_OPTION_END);
    if (http->daemon == NULL) {
        (void)error_set(err,
                        "port %u cannot be opened; is another server "
                        "running there?",
                        port);
        rogue_http_stop(http);
        return NULL;
    }
    return http;
}

void rogue_http_stop(struct rogue_http *http)
{
    if (http->daemon != NULL) {
        MHD_stop_daemon(http->daemon);
    }
    buffer_free(&http->cert);
    buffer_wipe(&http->key);
    free(http);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "http_internal.h"

#include "fields.h"
#include "host/log.h"
#include "listen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    /* Cleared for each request. */
    CONNECTION_MEMORY = HTTP_HEADER_MAX + HTTP_HEADER_MAX / 2
};

static void on_log(void *ctx, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void on_log(void *ctx, const char *format, va_list args)
{
    char text[256];

    (void)ctx;
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    log_debug("http", LOG_TEXT("text", text));
}

static size_t on_unescape(void *ctx, struct MHD_Connection *mhd, char *text)
{
    (void)ctx;
    (void)mhd;
    return fields_unescape(text);
}

static int start_daemon(struct http *h, struct error *err)
{
    const struct http_config *c = &h->config;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                     MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, string_option(c->certificate)},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, string_option(c->key)},
        {MHD_OPTION_HTTPS_PRIORITIES, 0,
         string_option(c->tls12 ? TLS_PRIORITIES_12 : TLS_PRIORITIES)},
        {c->client_ca == NULL ? MHD_OPTION_END : MHD_OPTION_HTTPS_MEM_TRUST, 0,
         string_option(c->client_ca)},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

    if (c->tls) {
        flags |= MHD_USE_TLS;
    }
    h->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, http_on_request, h, /**/
        MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, /**/
        MHD_OPTION_LISTEN_SOCKET, h->listener,    /**/
        MHD_OPTION_THREAD_POOL_SIZE, c->threads,  /**/
        MHD_OPTION_CONNECTION_LIMIT, c->max_connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, c->per_address,
        MHD_OPTION_CONNECTION_TIMEOUT, c->timeout_s,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL, /**/
        MHD_OPTION_STRICT_FOR_CLIENT, 1,                 /**/
        MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, h,
        MHD_OPTION_NOTIFY_CONNECTION, http_on_connection, h, /**/
        MHD_OPTION_ARRAY, c->tls ? tls : none, MHD_OPTION_END);
    if (h->daemon == NULL) {
        return error_set(err, "the HTTP server could not be started%s",
                         c->tls ? "; do certificate and key match?" : "");
    }
    return 0;
}

struct http *http_start(const struct http_config *config, struct error *err)
{
    struct http *h = calloc(1, sizeof *h);

    if (h == NULL) {
        error_set(err, "no memory");
        return NULL;
    }
    h->config = *config;
    pthread_mutex_init(&h->lock, NULL);
    h->quiesced = MHD_INVALID_SOCKET;
    h->listener = listen_on(config->listen, &h->port, err);
    if (h->listener < 0) {
        free(h);
        return NULL;
    }
    h->tickets = config->tls ? tls_tickets_new() : NULL;
    if (start_daemon(h, err) != 0) {
        close(h->listener);
        tls_tickets_free(h->tickets);
        free(h);
        return NULL;
    }
    return h;
}

uint16_t http_port(const struct http *h)
{
    return h->port;
}

void http_drain(struct http *h, uint32_t seconds)
{
    h->quiesced = MHD_quiesce_daemon(h->daemon);
    if (h->quiesced != MHD_INVALID_SOCKET) {
        shutdown(h->quiesced, SHUT_RDWR);
    }
    http_stream_end_all(h);
    for (uint32_t i = 0; i < seconds * 50; i++) {
        struct timespec pause = {0, 20 * 1000000};

        /* A stream's reader has a second to take the end. */
        if (!http_busy(h, i < 50)) {
            return;
        }
        if (i % 25 == 24) {
            http_reap(h);
        }
        nanosleep(&pause, NULL);
    }
}

void http_stop(struct http *h)
{
    if (h == NULL) {
        return;
    }
    MHD_stop_daemon(h->daemon);
    /* Not before: the library's threads take it out of their epoll sets when
     * they come to it, and end the program when it is gone by then. */
    if (h->quiesced != MHD_INVALID_SOCKET) {
        close(h->quiesced);
    }
    tls_tickets_free(h->tickets);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

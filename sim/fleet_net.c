/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet_net.h"

#include <curl/curl.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS = 64,
    ANSWER_LIMIT = 64 * 1024, /* of a poll */
    CONNECT_S = 10,
    STALL_S = 30,
    LONGEST_S = 600
};

/* Room for one exchange. */
struct line {
    struct fleet_net *net;
    CURL *curl;
    struct curl_slist *headers;
    struct fleet_exchange *x;
    struct buffer body;
    uint64_t received;
    bool begun;
    bool ignored; /* the body of an error is not of interest */
    bool broken;  /* as `break_at` asked for */
    bool counted; /* the connection, if it was a new one */
    struct line *next_free;
};

struct fleet_net {
    struct fleet_net_config config;
    CURLM *multi;
    CURLSH *share;
    int epoll;
    uint64_t timer_ms; /* when curl wants to be called; 0: not */
    struct line *line;
    struct line *free;
    struct fleet_exchange *first; /* those that wait for a line */
    struct fleet_exchange **last;
    struct fleet_net_counts counts;
    char trouble[CURL_ERROR_SIZE];
    char error[CURL_ERROR_SIZE]; /* of the line that failed last */
};

static uint64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000U + (uint64_t)t.tv_nsec / 1000000U;
}

/* --- What comes in ------------------------------------------------------- */

/* Where a partial answer starts; the offset asked for when it does not say. */
static uint64_t part_begins(const struct line *line)
{
    struct curl_header *header = NULL;

    if (curl_easy_header(line->curl, "Content-Range", 0, CURLH_HEADER, -1,
                         &header) != CURLHE_OK ||
        strncmp(header->value, "bytes ", 6) != 0) {
        return UINT64_MAX; /* fits nothing that was asked for */
    }
    return strtoull(header->value + 6, NULL, 10);
}

static int status_of(const struct line *line)
{
    long status = 0;

    (void)curl_easy_getinfo(line->curl, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

/* -1: the exchange is not to go on. */
static int begin(struct line *line)
{
    struct fleet_exchange *x = line->x;
    int status = status_of(line);

    if (line->begun || x->begin == NULL) {
        return 0;
    }
    line->begun = true;
    if (x->begin(x->owner, status, status == 206 ? part_begins(line) : 0) !=
        0) {
        line->ignored = status >= 400;
        return line->ignored ? 0 : -1;
    }
    return 0;
}

static int take(struct line *line, const char *data, size_t n)
{
    struct fleet_exchange *x = line->x;

    if (line->ignored) {
        return 0;
    }
    return x->data != NULL ? x->data(x->owner, data, n)
                           : buffer_append(&line->body, data, n, NULL);
}

static size_t on_body(char *data, size_t one, size_t n, void *ctx)
{
    struct line *line = ctx;
    uint64_t room = line->x->break_at - line->received;
    size_t part = one * n;

    if (line->x->break_at != FLEET_WHOLE && part >= room) {
        line->broken = true;
        part = (size_t)room;
    }
    line->net->counts.bytes += part;
    if (begin(line) != 0 || (part > 0 && take(line, data, part) != 0)) {
        return CURL_WRITEFUNC_ERROR;
    }
    line->received += part;
    return line->broken ? CURL_WRITEFUNC_ERROR : one * n;
}

static void count_connection(struct line *line)
{
    struct curl_tlssessioninfo *tls = NULL;
    long connects = 0;

    line->counted = true;
    (void)curl_easy_getinfo(line->curl, CURLINFO_NUM_CONNECTS, &connects);
    (void)curl_easy_getinfo(line->curl, CURLINFO_TLS_SSL_PTR, &tls);
    if (connects == 0) {
        return;
    }
    line->net->counts.connects++;
    if (tls != NULL && tls->backend == CURLSSLBACKEND_OPENSSL &&
        tls->internals != NULL) {
        line->net->counts.resumed +=
            SSL_session_reused((SSL *)tls->internals) == 1;
    }
}

/* The request has arrived, and the answer never does. */
static size_t on_header(char *data, size_t one, size_t n, void *ctx)
{
    struct line *line = ctx;

    (void)data;
    if (!line->counted) {
        count_connection(line);
    }
    line->broken = line->broken || line->x->break_at == 0;
    return line->broken ? 0 : one * n;
}

/* --- One exchange -------------------------------------------------------- */

static int add_header(struct line *line, const char *format, const char *value)
{
    char text[512];
    struct curl_slist *longer;
    int n = snprintf(text, sizeof text, format, value);

    if (n < 0 || (size_t)n >= sizeof text) {
        return -1;
    }
    longer = curl_slist_append(line->headers, text);
    explicit_bzero(text, sizeof text);
    if (longer == NULL) {
        return -1;
    }
    line->headers = longer;
    return 0;
}

static int add_headers(struct line *line)
{
    const struct fleet_exchange *x = line->x;
    int result = add_header(line, "Authorization: Bearer %s", x->token);

    if (result == 0 && x->body.p != NULL) {
        result = add_header(line, "Content-Type: %s", "application/cbor");
    }
    if (result == 0 && x->offset > 0 && x->etag[0] != '\0') {
        result = add_header(line, "If-Range: %s", x->etag);
    }
    return result;
}

static void set_request(struct line *line)
{
    const struct fleet_exchange *x = line->x;
    CURL *curl = line->curl;
    char text[512];

    (void)snprintf(text, sizeof text, "%s%s", line->net->config.server,
                   x->path);
    curl_easy_setopt(curl, CURLOPT_URL, text);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, line->headers);
    curl_easy_setopt(curl, CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)x->slow);
    if (x->body.p != NULL) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)x->body.n);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)x->body.p);
    } else {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    }
    (void)snprintf(text, sizeof text, "%u-", (unsigned)x->offset);
    curl_easy_setopt(curl, CURLOPT_RANGE, x->offset > 0 ? text : NULL);
}

static void clear(struct line *line)
{
    curl_slist_free_all(line->headers);
    line->headers = NULL;
    line->x = NULL;
    buffer_clear(&line->body);
}

static void finish(struct line *line, CURLcode code)
{
    struct fleet_net *net = line->net;
    struct fleet_exchange *x = line->x;
    struct fleet_end end = {0};
    curl_off_t retry = 0;

    end.whole = code == CURLE_OK && begin(line) == 0;
    end.begun = line->begun;
    /* A body that broke off is still an answer for a GET. */
    end.status = end.whole || line->begun ? status_of(line) : 0;
    (void)curl_easy_getinfo(line->curl, CURLINFO_RETRY_AFTER, &retry);
    end.retry_after_s = retry > 0 && retry < INT32_MAX ? (uint32_t)retry : 0;
    end.body = buffer_span(&line->body);
    net->counts.exchanges++;
    if (!end.whole && !line->begun && !line->broken) {
        net->counts.failed++;
        (void)snprintf(net->trouble, sizeof net->trouble, "%s",
                       net->error[0] != '\0' ? net->error
                                             : curl_easy_strerror(code));
    }
    x->end(x->owner, &end);
    clear(line);
    line->next_free = net->free;
    net->free = line;
}

static void start(struct fleet_net *net, struct fleet_exchange *x)
{
    struct line *line = net->free;

    net->free = line->next_free;
    line->x = x;
    line->received = 0;
    line->begun = false;
    line->ignored = false;
    line->broken = false;
    line->counted = false;
    net->error[0] = '\0';
    if (add_headers(line) != 0) {
        finish(line, CURLE_OUT_OF_MEMORY);
        return;
    }
    set_request(line);
    if (curl_multi_add_handle(net->multi, line->curl) != CURLM_OK) {
        finish(line, CURLE_OUT_OF_MEMORY);
    }
}

static void start_waiting(struct fleet_net *net)
{
    while (net->free != NULL && net->first != NULL) {
        struct fleet_exchange *x = net->first;

        net->first = x->next;
        if (net->first == NULL) {
            net->last = &net->first;
        }
        x->next = NULL;
        start(net, x);
    }
}

void fleet_net_submit(struct fleet_net *net, struct fleet_exchange *x)
{
    x->next = NULL;
    *net->last = x;
    net->last = &x->next;
}

/* --- The loop ------------------------------------------------------------ */

static int on_socket(CURL *curl, curl_socket_t fd, int what, void *ctx,
                     void *known)
{
    struct fleet_net *net = ctx;
    struct epoll_event event = {0};
    static char mark;

    (void)curl;
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(net->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    event.events = ((what & CURL_POLL_IN) != 0 ? (uint32_t)EPOLLIN : 0U) |
                   ((what & CURL_POLL_OUT) != 0 ? (uint32_t)EPOLLOUT : 0U);
    event.data.fd = fd;
    if (epoll_ctl(net->epoll, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD,
                  fd, &event) != 0) {
        return errno == ENOMEM ? -1 : 0;
    }
    (void)curl_multi_assign(net->multi, fd, &mark);
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *ctx)
{
    struct fleet_net *net = ctx;

    (void)multi;
    net->timer_ms = ms < 0 ? 0 : now_ms() + (uint64_t)ms;
    return 0;
}

static void finish_ended(struct fleet_net *net)
{
    CURLMsg *message;
    int left = 0;

    while ((message = curl_multi_info_read(net->multi, &left)) != NULL) {
        CURLcode code = message->data.result;
        CURL *curl = message->easy_handle;
        struct line *line = NULL;

        (void)curl_easy_getinfo(curl, CURLINFO_PRIVATE, &line);
        (void)curl_multi_remove_handle(net->multi, curl);
        finish(line, code);
    }
}

static void serve(struct fleet_net *net, const struct epoll_event *event)
{
    int running = 0;
    int what =
        ((event->events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
        ((event->events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
        ((event->events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);

    (void)curl_multi_socket_action(net->multi, event->data.fd, what, &running);
}

static void serve_timer(struct fleet_net *net)
{
    int running = 0;

    if (net->timer_ms != 0 && now_ms() >= net->timer_ms) {
        net->timer_ms = 0;
        (void)curl_multi_socket_action(net->multi, CURL_SOCKET_TIMEOUT, 0,
                                       &running);
    }
}

void fleet_net_run(struct fleet_net *net, uint32_t ms)
{
    struct epoll_event event[EVENTS];
    uint64_t now;
    int n;

    start_waiting(net);
    serve_timer(net);
    finish_ended(net);
    start_waiting(net);
    now = now_ms();
    if (net->timer_ms != 0 && net->timer_ms < now + ms) {
        ms = net->timer_ms > now ? (uint32_t)(net->timer_ms - now) : 0;
    }
    n = epoll_wait(net->epoll, event, EVENTS, (int)ms);
    for (int i = 0; i < n; i++) {
        serve(net, &event[i]);
    }
    serve_timer(net);
    finish_ended(net);
}

const struct fleet_net_counts *fleet_net_counts(const struct fleet_net *net)
{
    return &net->counts;
}

const char *fleet_net_trouble(const struct fleet_net *net)
{
    return net->trouble;
}

/* --- Life ---------------------------------------------------------------- */

static int line_open(struct fleet_net *net, struct line *line)
{
    CURL *curl = curl_easy_init();

    if (curl == NULL) {
        return -1;
    }
    line->net = net;
    line->curl = curl;
    line->body.limit = ANSWER_LIMIT;
    curl_easy_setopt(curl, CURLOPT_PRIVATE, line);
    curl_easy_setopt(curl, CURLOPT_SHARE, net->share);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
    if (net->config.ca_file != NULL) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, net->config.ca_file);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)LONGEST_S);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "bowline-sim");
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, net->error);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, line);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, line);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, net->config.fresh ? 1L : 0L);
    line->next_free = net->free;
    net->free = line;
    return 0;
}

static int multi_open(struct fleet_net *net)
{
    net->multi = curl_multi_init();
    net->share = curl_share_init();
    net->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (net->multi == NULL || net->share == NULL || net->epoll < 0) {
        return -1;
    }
    curl_share_setopt(net->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_multi_setopt(net->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(net->multi, CURLMOPT_SOCKETDATA, net);
    curl_multi_setopt(net->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(net->multi, CURLMOPT_TIMERDATA, net);
    curl_multi_setopt(net->multi, CURLMOPT_MAXCONNECTS,
                      (long)net->config.connections);
    return 0;
}

struct fleet_net *fleet_net_open(const struct fleet_net_config *config,
                                 struct error *err)
{
    struct fleet_net *net = calloc(1, sizeof *net);

    if (net == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(net);
        (void)error_set(err, "out of memory");
        return NULL;
    }
    net->config = *config;
    net->epoll = -1;
    net->last = &net->first;
    net->line = calloc(config->connections, sizeof *net->line);
    if (net->line == NULL || multi_open(net) != 0) {
        (void)error_set(err, "libcurl could not be started");
        fleet_net_close(net);
        return NULL;
    }
    for (uint32_t i = 0; i < config->connections; i++) {
        if (line_open(net, &net->line[i]) != 0) {
            (void)error_set(err, "out of memory");
            fleet_net_close(net);
            return NULL;
        }
    }
    return net;
}

void fleet_net_close(struct fleet_net *net)
{
    if (net == NULL) {
        return;
    }
    for (uint32_t i = 0; net->line != NULL && i < net->config.connections;
         i++) {
        struct line *line = &net->line[i];

        if (line->curl != NULL) {
            if (line->x != NULL) {
                (void)curl_multi_remove_handle(net->multi, line->curl);
            }
            curl_easy_cleanup(line->curl);
        }
        clear(line);
        buffer_free(&line->body);
    }
    if (net->multi != NULL) {
        (void)curl_multi_cleanup(net->multi);
    }
    if (net->share != NULL) {
        (void)curl_share_cleanup(net->share);
    }
    if (net->epoll >= 0) {
        (void)close(net->epoll);
    }
    free(net->line);
    free(net);
    curl_global_cleanup();
}

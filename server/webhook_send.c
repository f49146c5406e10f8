/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deliveries over libcurl, several at once. The URL is an operator's, the
 * answer a stranger's: no redirects, no proxies, no other protocols, TLS
 * verified, the address looked at when it is connected to (a name may mean
 * another one than before), short times, and nothing of the answer is kept
 * but its status.
 */
#include "webhooks.h"

#include "address.h"

#include "host/buffer.h"
#include "host/file.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#ifndef BOWLINE_VERSION
#define BOWLINE_VERSION "0"
#endif

enum {
    PLACES = 8,
    CONNECT_S = 5,
    WHOLE_S = 10,
    ANSWER_MAX = 65536,
    HEADER = 256
};

struct place {
    struct webhook_sender *sender;
    CURL *curl; /* NULL: free */
    struct curl_slist *headers;
    struct webhook_delivery delivery;
    size_t taken; /* of the answer */
    bool refused; /* the address is not a public one */
    char error[CURL_ERROR_SIZE];
};

struct webhook_sender {
    struct webhook_policy policy;
    CURLM *multi;
    struct place place[PLACES];
};

/* --- URLs -----------------------------------------------------------------
 */

/* "127.0.0.1.", "0x7f.1" and "localhost." mean what they mean without the
 * dot: a resolver leaves it off. */
static bool host_name_private(const char *host)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    char bare[256];
    size_t n = strlen(host);

    while (n > 0 && host[n - 1] == '.') {
        n--;
    }
    if (n == 0 || n >= sizeof bare) {
        return true;
    }
    memcpy(bare, host, n);
    bare[n] = '\0';
    return strcasecmp(bare, "localhost") == 0 ||
           (inet_aton(bare, &v4.sin_addr) != 0 &&
            !address_public((const struct sockaddr *)&v4));
}

/* Wide digits and dots become plain ones on their way to the resolver. */
static bool host_is_ascii(const char *host)
{
    while (*host > 0x20 && *host < 0x7F) {
        host++;
    }
    return *host == '\0';
}

static bool host_literal_private(const char *host)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    char bare[64];
    size_t n = strlen(host);

    if (n < 3 || host[0] != '[' || n - 2 >= sizeof bare) {
        return host_name_private(host);
    }
    snprintf(bare, sizeof bare, "%.*s", (int)(n - 2), host + 1);
    return inet_pton(AF_INET6, bare, &v6.sin6_addr) == 1 &&
           !address_public((const struct sockaddr *)&v6);
}

static char *part(CURLU *u, CURLUPart which)
{
    char *text = NULL;

    return curl_url_get(u, which, &text, 0) == CURLUE_OK ? text : NULL;
}

static const char *parsed_fault(CURLU *u, const struct webhook_policy *p)
{
    char *scheme = part(u, CURLUPART_SCHEME);
    char *host = part(u, CURLUPART_HOST);
    char *user = part(u, CURLUPART_USER);
    char *fragment = part(u, CURLUPART_FRAGMENT);
    const char *fault = NULL;

    if (scheme == NULL || host == NULL) {
        fault = "the URL has no host";
    } else if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0) {
        fault = "the URL must begin with https://";
    } else if (strcmp(scheme, "http") == 0 && !p->allow_http) {
        fault = "the URL must begin with https://; http:// only with "
                "webhook_allow_http in the configuration";
    } else if (user != NULL) {
        fault = "the URL must not hold a user name or password";
    } else if (fragment != NULL) {
        fault = "the URL must not have a fragment (#...)";
    } else if (!host_is_ascii(host)) {
        fault = "write the host in ASCII: xn--... for a name in another "
                "script";
    } else if (!p->allow_private && host_literal_private(host)) {
        fault = "the URL leads to a private address; webhook_allow_private "
                "in the configuration permits that";
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_free(fragment);
    return fault;
}

const char *webhook_url_fault(const char *url, const struct webhook_policy *p)
{
    CURLU *u = curl_url();
    const char *fault;

    if (u == NULL) {
        return "no memory";
    }
    fault = strlen(url) > WEBHOOK_URL ? "the URL is too long"
            : curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK
                ? "that is not a URL"
                : parsed_fault(u, p);
    curl_url_cleanup(u);
    return fault;
}

void webhook_host(const char *url, char *out, size_t size)
{
    CURLU *u = curl_url();
    char *host = NULL;

    if (u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK) {
        host = part(u, CURLUPART_HOST);
    }
    snprintf(out, size, "%s", host == NULL ? "?" : host);
    curl_free(host);
    curl_url_cleanup(u);
}

/* --- One delivery ---------------------------------------------------------
 */

static size_t drop_answer(char *data, size_t one, size_t n, void *ctx)
{
    struct place *p = ctx;

    (void)data;
    p->taken += one * n;
    return p->taken > ANSWER_MAX ? 0 : one * n;
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose,
                                 struct curl_sockaddr *a)
{
    struct place *p = ctx;

    (void)purpose;
    if (!p->sender->policy.allow_private && !address_public(&a->addr)) {
        p->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static int sign(const char *secret, int64_t now, const char *body, char *out,
                size_t size)
{
    struct buffer text = BUFFER(1 << 20);
    uint8_t mac[32];
    char hex[65];
    unsigned n = 0;
    const unsigned char *done = NULL;

    if (buffer_printf(&text, NULL, "%" PRId64 ".%s", now, body) == 0) {
        done = HMAC(EVP_sha256(), secret, (int)strlen(secret), text.p, text.n,
                    mac, &n);
    }
    buffer_free(&text);
    if (done == NULL || n != sizeof mac) {
        return -1;
    }
    hex_encode(mac, sizeof mac, hex);
    snprintf(out, size, "Bowline-Signature: t=%" PRId64 ",v1=%s", now, hex);
    return 0;
}

static int add_header(struct place *p, const char *text)
{
    struct curl_slist *more = curl_slist_append(p->headers, text);

    if (more == NULL) {
        return -1;
    }
    p->headers = more;
    return 0;
}

static int set_headers(struct place *p, const struct webhook *hook)
{
    const struct webhook_delivery *d = &p->delivery;
    char text[HEADER];

    if (add_header(p, "Content-Type: application/json") != 0 ||
        add_header(p, "User-Agent: bowlined/" BOWLINE_VERSION) != 0 ||
        add_header(p, "Expect:") != 0) {
        return -1;
    }
    snprintf(text, sizeof text, "Bowline-Event: %s", d->type);
    if (add_header(p, text) != 0) {
        return -1;
    }
    snprintf(text, sizeof text, "Bowline-Delivery: %" PRId64, d->number);
    if (add_header(p, text) != 0 ||
        sign(hook->secret, (int64_t)time(NULL), d->body, text, sizeof text)) {
        return -1;
    }
    return add_header(p, text);
}

static void set_options(struct place *p, const char *url)
{
    const struct webhook_policy *policy = &p->sender->policy;
    CURL *c = p->curl;

    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR,
                     policy->allow_http ? "http,https" : "https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)WHOLE_S);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (policy->ca[0] != '\0') {
        curl_easy_setopt(c, CURLOPT_CAINFO, policy->ca);
    }
    /* The address is looked at when a connection is made: none is kept. */
    curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, p);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, drop_answer);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, p);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, p->error);
    curl_easy_setopt(c, CURLOPT_PRIVATE, p);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, p->headers);
    curl_easy_setopt(c, CURLOPT_POST, 1L);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, p->delivery.body);
}

static void clear(struct place *p)
{
    if (p->curl != NULL) {
        curl_multi_remove_handle(p->sender->multi, p->curl);
        curl_easy_cleanup(p->curl);
    }
    curl_slist_free_all(p->headers);
    free(p->delivery.body);
    memset(&p->delivery, 0, sizeof p->delivery);
    p->curl = NULL;
    p->headers = NULL;
}

static struct place *free_place(const struct webhook_sender *s)
{
    for (int i = 0; i < PLACES; i++) {
        if (s->place[i].curl == NULL) {
            return (struct place *)(uintptr_t)&s->place[i];
        }
    }
    return NULL;
}

bool webhook_sender_free_place(const struct webhook_sender *s)
{
    return free_place(s) != NULL;
}

int webhook_send(struct webhook_sender *s, const struct webhook *hook,
                 struct webhook_delivery *d)
{
    struct place *p = free_place(s);

    if (p == NULL) {
        return -1;
    }
    p->delivery = *d;
    d->body = NULL;
    p->taken = 0;
    p->refused = false;
    p->error[0] = '\0';
    p->curl = curl_easy_init();
    if (p->curl == NULL || set_headers(p, hook) != 0) {
        clear(p);
        return -1;
    }
    set_options(p, hook->url);
    if (curl_multi_add_handle(s->multi, p->curl) != CURLM_OK) {
        clear(p);
        return -1;
    }
    return 0;
}

/* --- All of them ----------------------------------------------------------
 */

static void tell_fault(const struct place *p, CURLcode code,
                       struct webhook_result *r)
{
    const char *text =
        p->error[0] == '\0' ? curl_easy_strerror(code) : p->error;

    if (p->refused) {
        text = "its name leads to a private address";
    } else if (code == CURLE_WRITE_ERROR) {
        text = "its answer is too long";
    }
    if (code != CURLE_OK) {
        snprintf(r->error, sizeof r->error, "%s", text);
    } else if (r->status >= 300 && r->status < 400) {
        snprintf(r->error, sizeof r->error,
                 "status %ld: redirects are not followed", r->status);
    } else if (r->status < 200 || r->status >= 300) {
        snprintf(r->error, sizeof r->error, "status %ld", r->status);
    }
}

static void end_one(struct place *p, CURLcode code, webhook_ended ended,
                    void *ctx)
{
    struct webhook_result r = {0, 0, ""};
    double spent = 0;

    curl_easy_getinfo(p->curl, CURLINFO_RESPONSE_CODE, &r.status);
    curl_easy_getinfo(p->curl, CURLINFO_TOTAL_TIME, &spent);
    r.ms = (uint32_t)(spent * 1000);
    tell_fault(p, code, &r);
    ended(ctx, &p->delivery, &r);
    clear(p);
}

/* Was there any? */
static bool end_those_done(struct webhook_sender *s, webhook_ended ended,
                           void *ctx)
{
    CURLMsg *message;
    bool any = false;
    int left;

    while ((message = curl_multi_info_read(s->multi, &left)) != NULL) {
        CURLcode code = message->data.result;
        char *private = NULL;

        if (message->msg == CURLMSG_DONE) {
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
                              &private);
            any = true;
            end_one((struct place *)(void *)private, code, ended, ctx);
        }
    }
    return any;
}

void webhook_sender_work(struct webhook_sender *s, int ms, webhook_ended ended,
                         void *ctx)
{
    int running;

    curl_multi_perform(s->multi, &running);
    if (end_those_done(s, ended, ctx)) {
        return; /* what comes next is not known yet */
    }
    curl_multi_poll(s->multi, NULL, 0, ms, NULL);
    curl_multi_perform(s->multi, &running);
    end_those_done(s, ended, ctx);
}

void webhook_sender_wake(struct webhook_sender *s)
{
    curl_multi_wakeup(s->multi);
}

uint32_t webhook_sender_busy(const struct webhook_sender *s, int64_t *out)
{
    uint32_t n = 0;

    for (int i = 0; i < PLACES; i++) {
        if (s->place[i].curl != NULL) {
            out[n++] = s->place[i].delivery.webhook;
        }
    }
    return n;
}

struct webhook_sender *webhook_sender_new(const struct webhook_policy *policy,
                                          struct error *err)
{
    struct webhook_sender *s = calloc(1, sizeof *s);

    if (s == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(s);
        error_set(err, "webhooks: libcurl could not be started");
        return NULL;
    }
    s->policy = *policy;
    s->multi = curl_multi_init();
    for (int i = 0; i < PLACES; i++) {
        s->place[i].sender = s;
    }
    if (s->multi == NULL) {
        free(s);
        error_set(err, "webhooks: no memory");
        return NULL;
    }
    return s;
}

void webhook_sender_free(struct webhook_sender *s)
{
    if (s == NULL) {
        return;
    }
    for (int i = 0; i < PLACES; i++) {
        clear(&s->place[i]);
    }
    curl_multi_cleanup(s->multi);
    free(s);
}

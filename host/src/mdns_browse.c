/* SPDX-License-Identifier: Apache-2.0 */
#include "mdns_private.h"

#include <avahi-client/lookup.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct browse {
    AvahiSimplePoll *poll;
    AvahiClient *client;
    void (*each)(void *ctx, const struct mdns_device *device);
    void *ctx;
    struct error *err;
    bool failed;
};

/* Text of others, for a terminal. */
static void copy(char *out, size_t size, const char *text)
{
    size_t n = 0;

    while (*text != '\0' && n + 1 < size) {
        unsigned char c = (unsigned char)*text++;

        if (c >= ' ' && c != 0x7F) {
            out[n++] = (char)c;
        }
    }
    out[n] = '\0';
}

static void read_texts(AvahiStringList *list, struct mdns_device *device)
{
    for (; list != NULL; list = avahi_string_list_get_next(list)) {
        char *key = NULL;
        char *value = NULL;

        if (avahi_string_list_get_pair(list, &key, &value, NULL) != 0) {
            continue;
        }
        if (value != NULL && strcmp(key, "board") == 0) {
            copy(device->board, sizeof device->board, value);
        } else if (value != NULL && strcmp(key, "auth_upload") == 0) {
            device->password = strcmp(value, "yes") == 0;
        }
        avahi_free(key);
        avahi_free(value);
    }
}

static void resolved(AvahiServiceResolver *resolver, AvahiIfIndex interface,
                     AvahiProtocol protocol, AvahiResolverEvent event,
                     const char *name, const char *type, const char *domain,
                     const char *host, const AvahiAddress *address,
                     uint16_t port, AvahiStringList *texts,
                     AvahiLookupResultFlags flags, void *ctx)
{
    const struct browse *b = ctx;
    struct mdns_device device = {.port = port};

    (void)interface;
    (void)protocol;
    (void)type;
    (void)domain;
    (void)flags;
    if (event == AVAHI_RESOLVER_FOUND) {
        copy(device.name, sizeof device.name, name);
        copy(device.host, sizeof device.host, host);
        (void)avahi_address_snprint(device.address, sizeof device.address,
                                    address);
        read_texts(texts, &device);
        b->each(b->ctx, &device);
    }
    (void)avahi_service_resolver_free(resolver);
}

static void found(AvahiServiceBrowser *browser, AvahiIfIndex interface,
                  AvahiProtocol protocol, AvahiBrowserEvent event,
                  const char *name, const char *type, const char *domain,
                  AvahiLookupResultFlags flags, void *ctx)
{
    struct browse *b = ctx;

    (void)browser;
    (void)flags;
    if (event == AVAHI_BROWSER_NEW) {
        (void)avahi_service_resolver_new(b->client, interface, protocol, name,
                                         type, domain, AVAHI_PROTO_UNSPEC, 0,
                                         resolved, b);
    } else if (event == AVAHI_BROWSER_FAILURE) {
        b->failed = true;
        (void)error_set(b->err, "the avahi daemon: %s",
                        avahi_strerror(avahi_client_errno(b->client)));
    }
}

static void changed(AvahiClient *client, AvahiClientState state, void *ctx)
{
    struct browse *b = ctx;

    if (state == AVAHI_CLIENT_FAILURE) {
        b->failed = true;
        (void)error_set(b->err, "the avahi daemon went away: %s",
                        avahi_strerror(avahi_client_errno(client)));
    }
}

static uint64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void listen_for(struct browse *b, uint32_t ms)
{
    uint64_t until = now_ms() + ms;
    uint64_t now;

    while (!b->failed && (now = now_ms()) < until) {
        if (avahi_simple_poll_iterate(b->poll, (int)(until - now)) != 0) {
            break;
        }
    }
}

int mdns_browse(uint32_t ms,
                void (*each)(void *ctx, const struct mdns_device *device),
                void *ctx, struct error *err)
{
    struct browse b = {.each = each, .ctx = ctx, .err = err};
    AvahiServiceBrowser *browser = NULL;
    int why = 0;

    b.poll = avahi_simple_poll_new();
    if (b.poll == NULL) {
        return error_set(err, "out of memory");
    }
    b.client =
        avahi_client_new(avahi_simple_poll_get(b.poll), 0, changed, &b, &why);
    if (b.client == NULL) {
        avahi_simple_poll_free(b.poll);
        return mdns_no_daemon(err, why);
    }
    browser = avahi_service_browser_new(b.client, AVAHI_IF_UNSPEC,
                                        AVAHI_PROTO_UNSPEC, MDNS_SERVICE, NULL,
                                        0, found, &b);
    if (browser == NULL) {
        b.failed = true;
        (void)error_set(err, "the avahi daemon: %s",
                        avahi_strerror(avahi_client_errno(b.client)));
    }
    listen_for(&b, ms);
    avahi_client_free(b.client);
    avahi_simple_poll_free(b.poll);
    return b.failed ? -1 : 0;
}

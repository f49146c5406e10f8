/* SPDX-License-Identifier: Apache-2.0 */
#include "mdns_private.h"

#include <avahi-client/publish.h>
#include <avahi-common/alternative.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <stdio.h>
#include <stdlib.h>

struct mdns_announcement {
    AvahiSimplePoll *poll;
    AvahiClient *client;
    AvahiEntryGroup *group;
    char *name; /* avahi's */
    char board[MDNS_TEXT + sizeof "board="];
    uint16_t port;
    bool password;
    bool announced;
    bool lost; /* the connection to the daemon: a new client is needed */
};

int mdns_no_daemon(struct error *err, int why)
{
    (void)error_set(err,
                    "no avahi daemon answers (%s), and without it nothing is "
                    "found by mDNS: install and start avahi-daemon",
                    avahi_strerror(why));
    if (err != NULL) {
        err->code = MDNS_NONE;
    }
    return -1;
}

static void add(struct mdns_announcement *a);

static void rename_it(struct mdns_announcement *a)
{
    char *other = avahi_alternative_service_name(a->name);

    if (other != NULL) {
        avahi_free(a->name);
        a->name = other;
        add(a);
    }
}

static void group_changed(AvahiEntryGroup *group, AvahiEntryGroupState state,
                          void *ctx)
{
    struct mdns_announcement *a = ctx;

    a->group = group;
    a->announced = state == AVAHI_ENTRY_GROUP_ESTABLISHED;
    if (state == AVAHI_ENTRY_GROUP_COLLISION) {
        rename_it(a);
    }
}

static void add(struct mdns_announcement *a)
{
    int failed;

    (void)avahi_entry_group_reset(a->group);
    failed = avahi_entry_group_add_service(
        a->group, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, 0, a->name,
        MDNS_SERVICE, NULL, NULL, a->port, a->board, "tcp_check=no",
        "ssh_upload=no", a->password ? "auth_upload=yes" : "auth_upload=no",
        NULL);
    if (failed == AVAHI_ERR_COLLISION) {
        rename_it(a);
    } else if (failed == 0) {
        (void)avahi_entry_group_commit(a->group);
    }
}

static void client_changed(AvahiClient *client, AvahiClientState state,
                           void *ctx)
{
    struct mdns_announcement *a = ctx;

    a->client = client;
    if (state == AVAHI_CLIENT_FAILURE) {
        a->lost = true;
        a->announced = false;
        return;
    }
    if (state == AVAHI_CLIENT_S_RUNNING) {
        if (a->group == NULL) {
            a->group = avahi_entry_group_new(client, group_changed, a);
        }
        if (a->group != NULL) {
            add(a);
        }
    } else if (a->group != NULL) { /* its host name is being settled */
        a->announced = false;
        (void)avahi_entry_group_reset(a->group);
    }
}

/* AVAHI_CLIENT_NO_FAIL: without a daemon it waits for one. */
static bool connect_it(struct mdns_announcement *a, int *why)
{
    a->group = NULL;
    a->lost = false;
    a->client = avahi_client_new(avahi_simple_poll_get(a->poll),
                                 AVAHI_CLIENT_NO_FAIL, client_changed, a, why);
    return a->client != NULL;
}

struct mdns_announcement *mdns_announce(const char *name, const char *board,
                                        uint16_t port, bool password,
                                        struct error *err)
{
    struct mdns_announcement *a = calloc(1, sizeof *a);
    int why = 0;

    if (a == NULL) {
        (void)error_set(err, "out of memory");
        return NULL;
    }
    (void)snprintf(a->board, sizeof a->board, "board=%s", board);
    a->port = port;
    a->password = password;
    a->name = avahi_strdup(name);
    a->poll = avahi_simple_poll_new();
    if (a->name == NULL || a->poll == NULL || !connect_it(a, &why)) {
        (void)mdns_no_daemon(err, why);
        mdns_withdraw(a);
        return NULL;
    }
    return a;
}

void mdns_step(struct mdns_announcement *a)
{
    int why = 0;

    if (a->lost && a->client != NULL) {
        avahi_client_free(a->client);
        a->client = NULL;
        (void)connect_it(a, &why);
    }
    for (int i = 0; i < 16 && a->client != NULL; i++) {
        if (avahi_simple_poll_iterate(a->poll, 0) != 0) {
            return;
        }
    }
}

bool mdns_is_announced(const struct mdns_announcement *a)
{
    return a->announced;
}

void mdns_withdraw(struct mdns_announcement *a)
{
    if (a == NULL) {
        return;
    }
    if (a->client != NULL) {
        avahi_client_free(a->client); /* with its group */
    }
    if (a->poll != NULL) {
        avahi_simple_poll_free(a->poll);
    }
    avahi_free(a->name);
    free(a);
}

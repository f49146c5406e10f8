/* SPDX-License-Identifier: Apache-2.0 */
/* bowline-rogue: the program around the attacks. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "rogue.h"

static const char help[] =
    "bowline-rogue: an update server that was broken into. It holds the\n"
    "ticket key and a certificate that devices trust, but no release key.\n"
    "\n"
    "  --port N --cert FILE --key FILE   as the real server\n"
    "  --ticket-key FILE                 the real server's\n"
    "  --devices N     ends when N devices have said no\n"
    "  --wait SECONDS  ends with 1 when they have not until then (60)\n"
    "  --json          one JSON object a line\n"
    "\n"
    "Attacks; each needs the envelope of a release, those with a payload "
    "that\n"
    "too. New devices get them in turn.\n"
    "\n"
    "  --flip ENVELOPE,PAYLOAD   a genuine release, one bit of its payload\n"
    "                            flipped\n"
    "  --forge ENVELOPE,PAYLOAD  a manifest signed by the attacker's own key\n"
    "  --product ENVELOPE        a genuine manifest of another product\n"
    "  --old ENVELOPE,PAYLOAD    an old genuine release, replayed\n"
    "  --stale ENVELOPE,PAYLOAD  a ticket that was recorded earlier\n"
    "\n"
    "Exit status: 0 every device refused, 1 one fell for it, or was silent,\n"
    "2 wrong usage.\n";

struct options {
    const char *port;
    const char *cert;
    const char *key;
    const char *ticket_key;
    const char *devices;
    const char *wait;
    char *attack[ROGUE_ATTACKS];
    bool json;
};

enum { ATTACK = 1000, HELP = 'h' };

static const struct option long_options[] = {
    {"port", required_argument, NULL, 'p'},
    {"cert", required_argument, NULL, 'c'},
    {"key", required_argument, NULL, 'k'},
    {"ticket-key", required_argument, NULL, 't'},
    {"devices", required_argument, NULL, 'd'},
    {"wait", required_argument, NULL, 'w'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, HELP},
    {"flip", required_argument, NULL, ATTACK + ROGUE_FLIP},
    {"forge", required_argument, NULL, ATTACK + ROGUE_KEY},
    {"product", required_argument, NULL, ATTACK + ROGUE_PRODUCT},
    {"old", required_argument, NULL, ATTACK + ROGUE_OLD},
    {"stale", required_argument, NULL, ATTACK + ROGUE_STALE},
    {NULL, 0, NULL, 0},
};

static const char **place(struct options *o, int option)
{
    switch (option) {
    case 'p':
        return &o->port;
    case 'c':
        return &o->cert;
    case 'k':
        return &o->key;
    case 't':
        return &o->ticket_key;
    case 'd':
        return &o->devices;
    case 'w':
        return &o->wait;
    default:
        return NULL;
    }
}

/* 1 for --help, -1 for wrong usage. */
static int parse(struct options *o, int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        const char **text = place(o, option);

        if (text != NULL) {
            *text = optarg;
        } else if (option >= ATTACK) {
            o->attack[option - ATTACK] = optarg;
        } else if (option == 'j') {
            o->json = true;
        } else {
            return option == HELP ? 1 : -1;
        }
    }
    return o->port == NULL || o->cert == NULL || o->key == NULL ||
                   o->ticket_key == NULL || optind != argc
               ? -1
               : 0;
}

static int number(const char *text, unsigned otherwise, unsigned most,
                  unsigned *out, struct error *err)
{
    char *end = NULL;
    unsigned long value;

    *out = otherwise;
    if (text == NULL) {
        return 0;
    }
    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno != 0 || *end != '\0' || text[0] == '-' || value == 0 ||
        value > most) {
        return error_set(err, "\"%s\" is no number from 1 to %u", text, most);
    }
    *out = (unsigned)value;
    return 0;
}

static int prepare(struct rogue *rogue, struct options *o, struct error *err)
{
    int n = 0;

    rogue->json = o->json;
    rogue->ticket_key = author_key_open(o->ticket_key, err);
    if (rogue->ticket_key == NULL) {
        return -1;
    }
    for (int i = 0; i < ROGUE_ATTACKS; i++) {
        char *comma;

        if (o->attack[i] == NULL) {
            continue;
        }
        comma = strchr(o->attack[i], ',');
        if (comma != NULL) {
            *comma++ = '\0';
        }
        if (rogue_offer_make(&rogue->offer[i], (enum rogue_attack)i,
                             o->attack[i], comma, err) != 0) {
            return -1;
        }
        if (i != ROGUE_PRODUCT) {
            rogue->one_class = true;
            memcpy(rogue->class_id, rogue->offer[i].class_id, BL_ID_SIZE);
        }
        n++;
    }
    return n > 0 ? 0
                 : error_set(err, "no attack was named; --help lists "
                                  "them");
}

/* How many devices said no; -1 when one fell. */
static int count(struct rogue *rogue)
{
    int answered = 0;
    bool fell = false;

    (void)pthread_mutex_lock(&rogue->lock);
    for (uint32_t i = 0; i < rogue->n_devices; i++) {
        answered += rogue->device[i].answered ? 1 : 0;
        fell = fell || rogue->device[i].fell;
    }
    (void)pthread_mutex_unlock(&rogue->lock);
    return fell ? -1 : answered;
}

static int watch(struct rogue *rogue, unsigned devices, unsigned wait_s)
{
    const struct timespec nap = {0, 100 * 1000 * 1000};
    unsigned naps = wait_s * 10;
    int answered = 0;

    while (naps-- > 0 && answered >= 0 && answered < (int)devices) {
        (void)nanosleep(&nap, NULL);
        answered = count(rogue);
    }
    if (answered < 0) {
        (void)fprintf(stderr, "bowline-rogue: a device fell for it\n");
    } else if (answered < (int)devices) {
        (void)fprintf(stderr,
                      "bowline-rogue: %d of %u devices answered within %u s\n",
                      answered, devices, wait_s);
    }
    return answered >= (int)devices ? 0 : 1;
}

static int run(struct rogue *rogue, struct options *o, struct error *err)
{
    struct rogue_http *http;
    unsigned port = 0;
    unsigned devices = 0;
    unsigned wait_s = 0;
    int result;

    if (number(o->port, 0, 65535, &port, err) != 0 ||
        number(o->devices, 1, ROGUE_DEVICES, &devices, err) != 0 ||
        number(o->wait, 60, 86400, &wait_s, err) != 0 ||
        prepare(rogue, o, err) != 0) {
        return -1;
    }
    http = rogue_http_start(rogue, (uint16_t)port, o->cert, o->key, err);
    if (http == NULL) {
        return -1;
    }
    result = watch(rogue, devices, wait_s);
    rogue_http_stop(http);
    return result;
}

int main(int argc, char **argv)
{
    static struct rogue rogue;
    struct options o = {0};
    struct error err = {0};
    int parsed = parse(&o, argc, argv);
    int result;

    if (parsed != 0) {
        (void)fputs(help, parsed > 0 ? stdout : stderr);
        return parsed > 0 ? 0 : 2;
    }
    (void)pthread_mutex_init(&rogue.lock, NULL);
    result = run(&rogue, &o, &err);
    if (result < 0) {
        (void)fprintf(stderr, "bowline-rogue: %s\n", err.text);
    }
    for (int i = 0; i < ROGUE_ATTACKS; i++) {
        rogue_offer_free(&rogue.offer[i]);
    }
    author_key_free(rogue.ticket_key);
    return result == 0 ? 0 : 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client says that knows nothing of Bowline: esp_https_ota, Arduino's
 * httpUpdate, curl. Its own words, checked for form and for nothing else: who
 * says that he is a device is believed to be it. No I/O.
 *
 * Identity, the first that is there: the name in a client certificate, the
 * query's `device`, the field X-Bowline-Device, x-ESP32-STA-MAC or
 * x-ESP8266-STA-MAC, "device=..." in User-Agent. Version, likewise: the
 * query's `version`, x-ESP32-version, "version=..." in User-Agent; chip: the
 * query's `chip`, "chip=..." in User-Agent.
 */
#ifndef SERVER_UNMANAGED_ASK_H
#define SERVER_UNMANAGED_ASK_H

#include "host/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ASK_KEY = 80, ASK_VERSION = 64, ASK_CHIP = 16 };

enum ask_client {
    ASK_OTHER,
    ASK_IDF,     /* esp_http_client, by its User-Agent */
    ASK_ESP32,   /* Arduino's httpUpdate */
    ASK_ESP8266, /* ESP8266httpUpdate */
    ASK_CLIENTS
};

struct ask {
    enum ask_client client;
    char key[ASK_KEY]; /* "mac:a0b1c2d3e4f5", "device:...": "": nobody */
    uint8_t id[16];    /* made of it; zero without a key */
    bool certified;    /* by the client CA */
    char version[ASK_VERSION]; /* "": not told */
    char chip[ASK_CHIP];       /* "esp32c3"; "": not told */
    uint8_t md5[16];           /* of the sketch that runs */
    bool has_md5;
    uint8_t sha256[32]; /* of the image that runs, as esp_partition_get_sha256
                           gives it */
    bool has_sha256;
    uint64_t free_space; /* 0: not told */
    bool filesystem;     /* it asks for the file system's image */
};

/* What a request holds; NULL when it does not. */
struct ask_source {
    void *ctx;
    const char *(*field)(void *ctx, const char *name);
    const char *(*query)(void *ctx, const char *name);
    const char *certificate; /* its verified common name, or NULL */
};

/* -1: malformed, and err says what must be how. */
int ask_read(const struct ask_source *source, struct ask *out,
             struct error *err);

/* "esp_https_ota", ... */
const char *ask_client_name(enum ask_client client);

#endif

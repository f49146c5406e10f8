/* SPDX-License-Identifier: Apache-2.0 */
/* bowline push: a firmware straight to a device on the local network, by
 * ArduinoOTA's protocol. */
#ifndef PUSH_H
#define PUSH_H

#include "bowline/arduino_ota.h"
#include "tool.h"

enum { PUSH_LIMIT = 64 << 20, PUSH_ADDRESS = 64 };

struct push_job {
    const char *host;
    uint16_t port;
    uint16_t listen_port; /* 0: any free one */
    uint16_t command;
    const char *path; /* of what is sent */
    const char *password_file;
    bl_span file;
    bool has_secret;
    struct bl_arduino_secret secret;
    uint32_t answer_s;
};

struct push_result {
    char address[PUSH_ADDRESS]; /* of the device */
    uint16_t listened;          /* the port here */
    bool unreachable;           /* a "port unreachable" came back */
    struct bl_arduino_sender sender;
};

/* push_wire.c: sends it, with a progress bar. An exit code other than 0: it
 * could not be tried, c->err says why. Else see result->sender. */
int push_wire(struct call *c, const struct push_job *job,
              struct push_result *result);

/* push_release.c: what is to be sent of the file at `path`. An envelope gets
 * its payloads behind it (bowline/push_package.h), all else is sent as it
 * is; *release says which. 0 or an exit code. */
int push_read(struct call *c, const char *path, struct buffer *out,
              bool *release);

/* push_words.c: why it failed, and what to do, into c->err; the exit code. */
int push_explain(struct call *c, const struct push_job *job,
                 const struct push_result *result);

/* push_list.c */
int push_list(struct call *c);

#endif

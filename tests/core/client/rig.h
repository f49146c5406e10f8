/* SPDX-License-Identifier: Apache-2.0 */
/* One device and one server, moved by hand. */
#ifndef TESTS_CLIENT_RIG_H
#define TESTS_CLIENT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "device.h"
#include "server.h"

enum { RIG_ROOM = 50000 }; /* behind the images, in each slot */

struct rig {
    struct sim_device device;
    struct sim_server server;
    struct bl_client_config config;
    struct bl_client *client; /* &device.client */
    struct bl_action action;  /* the last one */
    uint8_t answer[SIM_ANSWER_MAX];
    size_t answer_n;
    uint64_t now_ms;
    uint32_t random; /* every random word, when `fixed` */
    bool fixed;
    bl_wait wait; /* what `ready` says */
    bl_health health;
    struct bl_health_check check;
};

extern struct sim_fixture fixture; /* opened by the group's setup */

int rig_group_setup(void **state);
int rig_group_teardown(void **state);
/* A provisioned device that runs SIM_R1; the client is not started. */
int rig_setup(void **state);
int rig_teardown(void **state);

/* bl_client_config.random; its ctx is the rig. */
bl_status rig_random(void *ctx, void *out, size_t n);
/* Starts the client anew, as after a reset. */
void rig_start(struct rig *rig);
/* As above, after the boot code's part: a trial's try is counted. */
void rig_reboot(struct rig *rig);
/* Asks for the next action; when it is sleep, sleeps, and asks again. */
bl_todo rig_next(struct rig *rig);
/* Lets the server answer the poll in hand, into rig->answer. */
void rig_ask(struct rig *rig);
/* Hands rig->answer to the client. */
void rig_give(struct rig *rig);
/* The next action must be a poll; it is answered. */
void rig_poll(struct rig *rig);
/* Serves the GET in hand with these bytes. */
void rig_serve(struct rig *rig, int status, uint32_t offset, bl_span body,
               bool ok);
/* Goes on, serving everything, until the client wants a reset or sleeps with
 * its polls done. Returns the last action. */
bl_todo rig_run(struct rig *rig);
/* How many events of that kind are in the journal, and the last one's code. */
unsigned rig_events(struct rig *rig, bl_device_state state, bl_status *code);
/* The nonce of the poll in hand; n 0 when light. */
bl_span rig_nonce(struct rig *rig);

#define assert_ok(call) assert_int_equal((call), BL_OK)

#endif

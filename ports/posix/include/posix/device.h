/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A firmware's side of a device on this port: what a program needs that is
 * started by the board out of a slot. In order:
 *
 *   device = device_open(bl_firmware.version, &err);
 *   device_check(device, "sensor", sensor_works, &sensor);
 *   device_work(device, measure, &sensor);
 *   return device_run(device, &err);
 *
 * One device a process, one thread. All callbacks are called from device_run
 * and must return soon: while they do not, nobody pets the watchdog.
 */
#ifndef POSIX_DEVICE_H
#define POSIX_DEVICE_H

#include "bowline/client.h"
#include "host/error.h"
#include "posix/config.h"

/* Exit statuses by which a firmware talks to its board; any other one, and
 * any signal, is a crash. */
enum { DEVICE_EXIT_RESET = 75 };

/* Environment of a firmware, set by the board. */
#define DEVICE_ENV_DIR "BOWLINE_DEVICE_DIR"
#define DEVICE_ENV_BOARD "BOWLINE_BOARD_PID"
#define DEVICE_ENV_WATCHDOG "BOWLINE_WATCHDOG_FD"
#define DEVICE_ENV_RESET "BOWLINE_RESET_CAUSE"
#define DEVICE_ENV_SLOT "BOWLINE_SLOT" /* 1 + the slot that was started */

struct device;

/* Opens the device that the board put this process on. `version` is the
 * firmware's own and must live on. NULL with the error set. */
struct device *device_open(const char *version, struct error *err);
void device_close(struct device *device);

/* Registers a health check, at most 8: asked while this firmware is on trial;
 * all must pass before it is confirmed. -1 when there are too many. */
int device_check(struct device *device, const char *name,
                 bl_health (*check)(void *ctx), void *ctx);

/* The application's own work, called several times a second. */
void device_work(struct device *device, void (*work)(void *ctx), void *ctx);

/* May an update go on now (bl_wait)? Without it: always. */
void device_ready(struct device *device, bl_wait (*ready)(void *ctx),
                  void *ctx);

/* Tells the server something of this device: an attribute, by which rollouts
 * can choose (site, model, sensor, ...). Changes are told with the next poll;
 * NULL takes it back. -1 when there are more than 16, or a text is too long.
 * DIR/conditions.conf may tell more (posix/conditions.h). */
int device_report(struct device *device, const char *name, const char *value);

/* Runs the agent and the work, until a restart is due: returns what main has
 * to return, 1 with the error set when the device was never provisioned. */
int device_run(struct device *device, struct error *err);

/* --- For work and checks ------------------------------------------------- */

/* Ready-made health checks; ctx is the device. */
bl_health device_check_network(void *device); /* a route to the server */
bl_health device_check_server(void *device);  /* it answered, freshly signed */

const char *device_name(const struct device *device);
/* Simulated hardware: the group `attributes` of device.conf. */
const char *device_text(const struct device *device, const char *name,
                        const char *otherwise);
double device_number(const struct device *device, const char *name,
                     double otherwise);
bool device_on_trial(const struct device *device);
/* One line for the log. */
void device_say(const struct device *device, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The parts, for an agent that needs more. */
struct bl_client *device_client(struct device *device);
const struct device_config *device_configuration(const struct device *device);

#endif

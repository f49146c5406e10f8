/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thermostat that updates itself: the application is sensor.c and control.c,
 * and everything an update needs is the few lines of main. The board starts
 * this program out of a slot (ports/posix); on a microcontroller main would
 * look the same.
 *
 * FAULT builds the bad releases that a fleet must survive; see CMakeLists.txt.
 */
#include <stdio.h>

#include "bowline/firmware.h"
#include "control.h"
#include "fault.h"
#include "filter.h"
#include "posix/device.h"
#include "sensor.h"

/* The version that tools read in the file, and the server in the reports. */
BL_FIRMWARE("thermostat", THERMOSTAT_VERSION);

struct thermostat {
    struct device *device;
    struct sensor sensor;
    struct control control;
    struct filter filter;
    double celsius;
    bool works; /* the last reading succeeded */
};

/* --- The application -------------------------------------------------------
 */

/* Several times a second: measure, decide, switch. */
static void measure(void *ctx)
{
    struct thermostat *t = ctx;

    t->works = sensor_read(&t->sensor, &t->celsius) && !fault_sensor();
    if (THERMOSTAT_FILTER && t->works) {
        t->celsius = filter_take(&t->filter, t->celsius);
    }
    if (t->works && control_decide(&t->control, t->celsius)) {
        device_say(t->device, "%.1f degrees: heating %s", t->celsius,
                   t->control.heating ? "on" : "off");
    }
}

/* --- Is this firmware any good? Asked while it is on trial. ---------------
 */

static bl_health sensor_works(void *ctx)
{
    const struct thermostat *t = ctx;

    return t->works ? BL_HEALTH_PASS : BL_HEALTH_FAIL;
}

static bl_health settled(void *ctx)
{
    (void)ctx;
    return fault_never_settles() ? BL_HEALTH_PENDING : BL_HEALTH_PASS;
}

static void open_hardware(struct thermostat *t)
{
    sensor_open(&t->sensor, device_number(t->device, "temperature", 20.5),
                device_text(t->device, "sensor", "ok"));
    t->control.target = device_number(t->device, "target", 21.0);
    t->control.hysteresis = 0.3;
    measure(t);
}

/* Rollouts can choose by these: --query "sensor = broken". */
static void tell(struct thermostat *t)
{
    char target[16];

    (void)snprintf(target, sizeof target, "%.1f", t->control.target);
    (void)device_report(t->device, "sensor", t->works ? "ok" : "broken");
    (void)device_report(t->device, "target", target);
}

int main(void)
{
    static struct thermostat t;
    struct error err = {0};
    int result;

    fault_at_start();
    t.device = device_open(bl_firmware.version, &err);
    if (t.device == NULL) {
        (void)fprintf(stderr, "thermostat: %s\n", err.text);
        return 1;
    }
    open_hardware(&t);
    tell(&t);
    (void)device_check(t.device, "sensor", sensor_works, &t);
    (void)device_check(t.device, "settled", settled, &t);
    (void)device_check(t.device, "network", device_check_network, t.device);
    (void)device_check(t.device, "server", device_check_server, t.device);
    device_work(t.device, measure, &t);
    result = device_run(t.device, &err);
    if (result == 1) {
        (void)fprintf(stderr, "thermostat: %s\n", err.text);
    }
    device_close(t.device);
    return result;
}

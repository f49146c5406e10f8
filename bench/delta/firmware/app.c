/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A firmware to make deltas of: the thermostat's application, a console, and
 * the whole update client, for a microcontroller without an operating system.
 * Built in revisions by ../firmware.py and never run.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "bowline/client.h"
#include "bowline/firmware.h"
#include "control.h"
#include "port.h"
#include "sensor.h"

BL_FIRMWARE("bench", VERSION);

static struct bl_client client;
static struct bl_client_config config;
static struct control control = {.target = 21.0, .hysteresis = 0.3};
static struct sensor sensor;
static double history[96];
static unsigned measured;

void app_say(const char *text)
{
    volatile uint32_t *uart = (volatile uint32_t *)UART;

    while (*text != '\0') {
        *uart = (uint8_t)*text++;
    }
}

static void measure(void)
{
    double celsius;
    char line[80];

    if (!sensor_read(&sensor, &celsius)) {
        app_say("sensor: no reading\n");
        return;
    }
#ifdef FIX
    if (isnan(celsius)) {
        return;
    }
#endif
    history[measured++ % 96] = celsius;
    if (control_decide(&control, celsius)) {
        (void)snprintf(line, sizeof line, "%.1f degrees: heating %s\n",
                       celsius, control.heating ? "on" : "off");
        app_say(line);
    }
}

static void say_mean(void)
{
    unsigned n = measured < 96 ? measured : 96;
    double sum = 0.0;
    double square = 0.0;
    char line[80];

    for (unsigned i = 0; i < n; i++) {
        sum += history[i];
        square += history[i] * history[i];
    }
    if (n > 0) {
        (void)snprintf(line, sizeof line, "mean %.2f deviation %.3f\n",
                       sum / n, sqrt(square / n - sum / n * (sum / n)));
        app_say(line);
    }
}

static void say_dew_point(void)
{
    double gamma = log(0.55) + 17.62 * history[0] / (243.12 + history[0]);
    char line[80];

    (void)snprintf(line, sizeof line, "dew point %.2f at %.1f\n",
                   243.12 * gamma / (17.62 - gamma), history[0]);
    app_say(line);
}

static void set_target(void)
{
    control.target = strtod("21.5", NULL);
}

static void say_version(void)
{
    app_say("bench " VERSION " built " BUILT "\n");
}

static const struct command commands[] = {
    {"mean", "mean and deviation of the day", say_mean},
    {"dew", "the dew point at the reading", say_dew_point},
    {"target", "sets the temperature to be held", set_target},
    {"version", "says what runs here", say_version},
#ifdef FEATURE
    {"schedule", "switches by the hour of the week", schedule_say},
    {"holiday", "days on which nobody is at home", schedule_holiday},
#endif
};

void app_command(const char *word)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(word, commands[i].name) == 0) {
            commands[i].run();
            return;
        }
    }
    app_say("commands:\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        app_say(commands[i].name);
        app_say(": ");
        app_say(commands[i].help);
        app_say("\n");
    }
}

static bl_status step(void)
{
    struct bl_action action;

    bl_client_next(&client, port_time(), &action);
    switch (action.todo) {
    case BL_TODO_POLL:
        bl_client_answer(&client, port_time(), 200, action.body, 0);
        break;
    case BL_TODO_GET:
        if (bl_client_body(&client, 200, action.offset) != BL_OK) {
            app_say("update: the server's answer is not to be used\n");
        }
        if (bl_client_data(&client, action.etag, 32) != BL_OK) {
            app_say("update: the payload could not be written\n");
        }
        bl_client_done(&client, port_time(), true, 0);
        break;
    case BL_TODO_SLEEP:
        bl_client_unreachable(&client, port_time());
        break;
    case BL_TODO_RESET:
        return BL_BUSY;
    }
    return BL_OK;
}

int main(void)
{
    bl_status status;

    sensor_open(&sensor, 20.5, "ok");
    config.layout = &port_layout;
    config.crypto = &port_crypto;
    status = bl_client_init(&client, &config, port_time());
    while (status == BL_OK) {
        measure();
#ifdef FEATURE
        schedule_apply(port_time(), &control.target);
#endif
        app_command("version");
        status = step();
    }
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "posix/device.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "posix/conditions.h"
#include "posix/crypto.h"
#include "posix/describe.h"
#include "posix/platform.h"
#include "posix/pump.h"
#include "posix/push.h"

enum {
    CHECKS = 8,
    ENVELOPE = 16384,
    IO = 8192,
    MESSAGE = BL_CLIENT_MESSAGE,
    WORK_EVERY_MS = 200,
    TELL_AGAIN_MS = 3600 * 1000,
    PUSH_WAIT_MS = 50
};

struct device {
    struct device_config config;
    struct flash_file flash;
    const char *version;
    struct bl_client client;
    struct pump pump;
    struct push *push; /* NULL: takes no pushes */
    int watchdog_fd;   /* -1: none */
    struct bl_health_check check[CHECKS];
    uint32_t n_checks;
    void (*work)(void *ctx);
    void *work_ctx;
    uint64_t worked_ms;
    uint64_t looked_ms;
    bl_wait (*ready)(void *ctx);
    void *ready_ctx;
    struct conditions conditions;
    bool asked;          /* the person was, of the update on offer */
    uint32_t told;       /* number of the last event in the log */
    bool trouble;        /* the server does not answer as it should */
    int trouble_code;    /* HTTP status, when it is that */
    uint64_t trouble_ms; /* when the log was told */
    uint8_t *root;
    uint8_t *delta; /* NULL: takes no deltas */
    uint8_t envelope[ENVELOPE];
    uint8_t io[IO];
    uint8_t message[MESSAGE];
};

static int environment_number(const char *name, int otherwise)
{
    const char *text = getenv(name);
    char *end = NULL;
    long value;

    if (text == NULL || text[0] == '\0') {
        return otherwise;
    }
    value = strtol(text, &end, 10);
    return *end != '\0' || value < 0 || value > 0xFFFF ? otherwise
                                                       : (int)value;
}

struct device *device_open(const char *version, struct error *err)
{
    const char *dir = getenv(DEVICE_ENV_DIR);
    struct device *device;

    if (dir == NULL) {
        (void)error_set(err,
                        DEVICE_ENV_DIR " is not set: a firmware is started "
                                       "by its board: bowline-device run");
        return NULL;
    }
    device = calloc(1, sizeof *device);
    if (device == NULL) {
        (void)error_set(err, "out of memory");
        return NULL;
    }
    device->version = version;
    device->flash.fd = -1;
    device->watchdog_fd = environment_number(DEVICE_ENV_WATCHDOG, -1);
    if (device_config_load(&device->config, dir, err) != 0 ||
        device_config_flash(&device->config, &device->flash, err) != 0) {
        device_close(device);
        return NULL;
    }
    if (conditions_open(&device->conditions, &device->config, err) != 0) {
        /* No reason not to run, nor not to be updated. */
        device_say(device, "%s; it is not heeded", err->text);
    }
    device->root = malloc(device->config.layout.root[0].size);
    if (device->config.delta_memory > 0) {
        device->delta = malloc(device->config.delta_memory);
    }
    if (device->root == NULL ||
        (device->delta == NULL && device->config.delta_memory > 0)) {
        (void)error_set(err, "out of memory");
        device_close(device);
        return NULL;
    }
    return device;
}

void device_close(struct device *device)
{
    push_close(device->push);
    pump_close(&device->pump);
    flash_file_close(&device->flash);
    device_config_free(&device->config);
    free(device->root);
    free(device->delta);
    free(device);
}

int device_check(struct device *device, const char *name,
                 bl_health (*check)(void *ctx), void *ctx)
{
    if (device->n_checks == CHECKS) {
        return -1;
    }
    device->check[device->n_checks++] =
        (struct bl_health_check){name, check, ctx};
    return 0;
}

void device_work(struct device *device, void (*work)(void *ctx), void *ctx)
{
    device->work = work;
    device->work_ctx = ctx;
}

void device_ready(struct device *device, bl_wait (*ready)(void *ctx),
                  void *ctx)
{
    device->ready = ready;
    device->ready_ctx = ctx;
}

int device_report(struct device *device, const char *name, const char *value)
{
    return conditions_report(&device->conditions, name, value);
}

/* --- Conditions and consent ---------------------------------------------- */

static void look_around(struct device *device)
{
    struct error err = {0};
    int changed = conditions_look(&device->conditions, &err);

    if (changed < 0) {
        device_say(device, "%s; all stays as it was", err.text);
    } else if (changed > 0) {
        /* The server, or an update that waits, may want to know. */
        bl_client_poke(&device->client);
    }
}

/* DIR/consent: "yes 0", "no 0", "later 3600"; taken away when read. */
static void hear_consent(struct device *device)
{
    struct bl_client *client = &device->client;
    char path[FLASH_PATH];
    char word[8] = "";
    unsigned seconds = 0;
    bl_status status;
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/consent", device->config.dir);
    file = fopen(path, "re");
    if (file == NULL) {
        return;
    }
    if (fscanf(file, "%7s %u", word, &seconds) < 1) {
        word[0] = '\0';
    }
    (void)fclose(file);
    (void)unlink(path);
    if (strcmp(word, "yes") != 0 && strcmp(word, "no") != 0 &&
        strcmp(word, "later") != 0) {
        device_say(device, "%s: not understood", path);
        return;
    }
    status = strcmp(word, "later") == 0
                 ? bl_client_postpone(client, platform_ms(), seconds)
                 : bl_client_consent(client, strcmp(word, "yes") == 0);
    device_say(device, "consent: %s%s", word,
               status == BL_OK ? "" : ", but nothing is on offer");
}

static void ask_consent(struct device *device)
{
    struct bl_client *client = &device->client;
    bool open = client->wait == BL_WAIT_CONSENT &&
                client->consent == BL_CONSENT_OPEN && client->policy.consent;

    if (open && !device->conditions.ask) {
        (void)!bl_client_consent(client, true);
    } else if (open && !device->asked) {
        device_say(device,
                   "an update waits for consent: bowline-device consent "
                   "--dir %s yes",
                   device->config.dir);
    }
    device->asked = open;
}

static void on_conditions(void *ctx, struct bl_conditions *out)
{
    struct device *device = ctx;

    conditions_now(&device->conditions, out);
}

/* --- Running ------------------------------------------------------------- */

static void pet(const struct device *device)
{
    if (device->watchdog_fd >= 0) {
        (void)!write(device->watchdog_fd, "p", 1);
    }
}

/* The work comes first: a firmware whose work hangs is not petted. */
static void live(void *ctx)
{
    struct device *device = ctx;
    uint64_t now = platform_ms();

    if (device->work != NULL && now - device->worked_ms >= WORK_EVERY_MS) {
        device->worked_ms = now;
        device->work(device->work_ctx);
    }
    if (now - device->looked_ms >= WORK_EVERY_MS) {
        device->looked_ms = now;
        look_around(device);
        hear_consent(device);
        ask_consent(device);
    }
    pet(device);
}

static bl_wait ready(void *ctx)
{
    const struct device *device = ctx;

    return device->ready == NULL ? BL_WAIT_NONE
                                 : device->ready(device->ready_ctx);
}

/* While a patch is applied: the client is at work, and not to be asked. */
static void on_busy(void *ctx)
{
    pet(ctx);
}

static void configure(struct device *device, struct bl_client_config *out)
{
    const struct device_config *c = &device->config;

    *out = (struct bl_client_config){
        .layout = &c->layout,
        .crypto = &posix_crypto,
        .timing = c->timing,
        .hardware = c->hardware,
        .version = device->version,
        .boot_tries = c->boot_tries,
        .download_attempts = c->download_attempts,
        .health_failures = c->health_failures,
        .reset_cause = (bl_reset_cause)environment_number(DEVICE_ENV_RESET, 0),
        .started = (uint8_t)environment_number(DEVICE_ENV_SLOT, 0),
        .random = platform_random,
        .ready = ready,
        .conditions = on_conditions,
        .attributes = device->conditions.attribute,
        .n_attributes = BL_ATTRIBUTES,
        .now = c->clock ? platform_now : NULL,
        .ctx = device,
        .health = device->check,
        .n_health = device->n_checks,
        .envelope = device->envelope,
        .envelope_size = sizeof device->envelope,
        .root = device->root,
        .root_size = c->layout.root[0].size,
        .io = device->io,
        .io_size = sizeof device->io,
        .message = device->message,
        .message_size = sizeof device->message,
        .delta = device->delta == NULL ? NULL : &bl_delta_engine,
        .delta_memory = device->delta,
        .delta_memory_size = c->delta_memory,
        .developer = c->push.developer ? &bl_client_developer : NULL,
        .busy = on_busy,
    };
    memcpy(out->device_id, c->id, BL_ID_SIZE);
    memcpy(out->vendor_id, c->vendor_id, BL_ID_SIZE);
    memcpy(out->class_id, c->class_id, BL_ID_SIZE);
}

/* New entries of the journal go into the log, in words. */
static void tell_events(struct device *device)
{
    const struct bl_client *client = &device->client;
    struct bl_event event[8];
    uint32_t n = 1;

    while (n > 0 && client->journal.next - 1 > device->told) {
        n = 0;
        if (bl_journal_read(&client->journal, device->told, event, 8, &n) !=
            BL_OK) {
            return;
        }
        for (uint32_t i = 0; i < n; i++) {
            char text[DESCRIPTION];

            describe_event(&event[i], text);
            device_say(device, "%s", text);
            device->told = event[i].number;
        }
    }
}

static bool is_news(const struct device *device, int code, uint64_t now)
{
    return !device->trouble || code != device->trouble_code ||
           now - device->trouble_ms >= TELL_AGAIN_MS;
}

/* A server that is silent or says no is told once, and then once an hour, not
 * at each try. */
static void tell_transport(struct device *device, bl_todo done)
{
    const struct pump *pump = &device->pump;
    int code = done == BL_TODO_POLL ? pump->error.code : 0;
    uint64_t now = platform_ms();

    if (done != BL_TODO_POLL && done != BL_TODO_GET) {
        return;
    }
    if (pump->error.text[0] == '\0') {
        if (device->trouble) {
            device_say(device, "the server answers again");
        }
        device->trouble = false;
    } else if (is_news(device, code, now)) {
        device_say(device, "%s", pump->error.text);
        device->trouble = true;
        device->trouble_code = code;
        device->trouble_ms = now;
    }
}

/* What a transfer brought: over a link that costs by the byte it matters. */
static void tell_transfer(struct device *device, bl_todo done)
{
    const struct pump *pump = &device->pump;

    if (done == BL_TODO_GET && pump->started) {
        device_say(device, "fetched %llu bytes of %s from %u",
                   (unsigned long long)pump->fetched, pump->uri,
                   (unsigned)pump->offset);
    }
}

static int start(struct device *device, struct error *err)
{
    struct bl_client_config config;
    struct bl_journal before;
    bl_status status;

    configure(device, &config);
    /* What stands in the journal already was told when it happened. */
    if (bl_journal_open(&before, &device->config.layout) == BL_OK) {
        device->told = before.next - 1;
    }
    status = bl_client_init(&device->client, &config, platform_ms());
    if (status != BL_OK) {
        return error_status(err, status,
                            "%s: the device cannot start; was it provisioned?",
                            device->config.dir);
    }
    device->pump.client = &device->client;
    device->pump.config = &device->config;
    device->pump.idle = live;
    device->pump.ctx = device;
    if (pump_open(&device->pump, err) != 0) {
        return -1;
    }
    device_say(device, "runs %s in slot %c%s", device->version,
               describe_slot(device->client.slot),
               device_on_trial(device) ? ", on trial" : "");
    return 0;
}

/* A device that cannot take pushes is still to be updated by its server. */
static void open_push(struct device *device)
{
    const struct device_config *c = &device->config;
    struct error err = {0};

    if (!c->push.on) {
        return;
    }
    device->push = push_open(&device->client, c, on_busy, device, &err);
    if (device->push == NULL) {
        device_say(device, "no pushes are taken: %s", err.text);
    } else if (c->push.developer) {
        (void)device_report(device, "push", "developer");
    }
}

/* While one is under way the server waits; the work goes on. */
static void take_pushes(struct device *device)
{
    while (device->push != NULL && push_step(device->push, PUSH_WAIT_MS)) {
        live(device);
        tell_events(device);
    }
}

int device_run(struct device *device, struct error *err)
{
    bl_todo done;

    pet(device);
    if (start(device, err) != 0) {
        return 1;
    }
    open_push(device);
    do {
        live(device);
        take_pushes(device);
        done = pump_step(&device->pump);
        tell_transfer(device, done);
        tell_events(device);
        tell_transport(device, done);
    } while (done != BL_TODO_RESET);
    return DEVICE_EXIT_RESET;
}

/* --- For work and checks ------------------------------------------------- */

bl_health device_check_server(void *ctx)
{
    const struct device *device = ctx;

    return device->client.reached ? BL_HEALTH_PASS : BL_HEALTH_PENDING;
}

const char *device_name(const struct device *device)
{
    return device->config.name;
}

const char *device_text(const struct device *device, const char *name,
                        const char *otherwise)
{
    return device_config_text(&device->config, name, otherwise);
}

double device_number(const struct device *device, const char *name,
                     double otherwise)
{
    return device_config_number(&device->config, name, otherwise);
}

bool device_on_trial(const struct device *device)
{
    return device->client.state.trial != BL_SLOT_NONE;
}

void device_say(const struct device *device, const char *format, ...)
{
    char line[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    platform_say(device->config.name, "%s", line);
}

struct bl_client *device_client(struct device *device)
{
    return &device->client;
}

const struct device_config *device_configuration(const struct device *device)
{
    return &device->config;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "posix/config.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "bowline/arduino_ota.h"
#include "bowline/cbor.h"
#include "host/file.h"
#include "posix/esp_flash.h"

/* One file being read; the first error is kept. */
struct reader {
    const config_t *file;
    const char *path;
    struct error *err;
    bool failed;
};

static void complain(struct reader *r, const char *name, const char *why)
{
    if (!r->failed) {
        (void)error_set(r->err, "%s: \"%s\" %s", r->path, name, why);
    }
    r->failed = true;
}

static void text(struct reader *r, const char *name, bool needed, char *out,
                 size_t size)
{
    const char *value = NULL;

    out[0] = '\0';
    if (config_lookup_string(r->file, name, &value) == CONFIG_FALSE) {
        if (needed || config_lookup(r->file, name) != NULL) {
            complain(r, name, "must be a text in double quotes");
        }
        return;
    }
    if (strlen(value) >= size) {
        complain(r, name, "is too long");
        return;
    }
    memcpy(out, value, strlen(value) + 1);
}

static void number(struct reader *r, const char *name, uint32_t otherwise,
                   uint32_t most, uint32_t *out)
{
    long long value = otherwise;

    if (config_lookup(r->file, name) != NULL &&
        config_lookup_int64(r->file, name, &value) == CONFIG_FALSE) {
        int small = 0;

        if (config_lookup_int(r->file, name, &small) == CONFIG_FALSE) {
            complain(r, name, "must be a whole number");
            return;
        }
        value = small;
    }
    if (value < 0 || value > (long long)most) {
        complain(r, name, "is out of range");
        return;
    }
    *out = (uint32_t)value;
}

static void small(struct reader *r, const char *name, uint8_t otherwise,
                  uint8_t *out)
{
    uint32_t value = otherwise;

    number(r, name, otherwise, UINT8_MAX, &value);
    *out = (uint8_t)value;
}

static void truth(struct reader *r, const char *name, bool *out)
{
    int value = 0;

    if (config_lookup(r->file, name) != NULL &&
        config_lookup_bool(r->file, name, &value) == CONFIG_FALSE) {
        complain(r, name, "must be true or false");
    }
    *out = value != 0;
}

static void id(struct reader *r, const char *name, uint8_t out[BL_ID_SIZE])
{
    char hex[2 * BL_ID_SIZE + 1];

    text(r, name, true, hex, sizeof hex);
    if (!r->failed && hex_decode(hex, strlen(hex), out, BL_ID_SIZE) != 0) {
        complain(r, name, "must be 32 hex digits");
    }
}

/* A path, made absolute by the device's folder. */
static void path(struct reader *r, const char *dir, const char *name,
                 char *out, size_t size)
{
    char value[DEVICE_TEXT];
    int n;

    text(r, name, false, value, sizeof value);
    if (value[0] == '\0') {
        out[0] = '\0';
        return;
    }
    n = snprintf(out, size, "%s%s%s", value[0] == '/' ? "" : dir,
                 value[0] == '/' ? "" : "/", value);
    if (n < 0 || (size_t)n >= size) {
        complain(r, name, "is too long a path");
    }
}

static void url(struct reader *r, const char *name, bool needed, char *out,
                size_t size)
{
    size_t n;

    text(r, name, needed, out, size);
    n = strlen(out);
    while (n > 0 && out[n - 1] == '/') {
        out[--n] = '\0';
    }
    if (n > 0 && strncmp(out, "https://", 8) != 0 &&
        strncmp(out, "http://", 7) != 0) {
        complain(r, name, "must begin with https://");
    }
}

size_t device_component_id(const char *part, uint8_t *out, size_t size)
{
    struct bl_cbor_writer w;
    bl_span whole;
    uint32_t parts = 1;

    for (const char *p = part; *p != '\0'; p++) {
        parts += *p == '/' ? 1 : 0;
    }
    if (part[0] == '\0' || parts > BL_SUIT_ID_PARTS) {
        return 0;
    }
    bl_cbor_writer_init(&w, out, size);
    bl_cbor_put_array(&w, parts);
    while (parts-- > 0) {
        size_t n = strcspn(part, "/");

        bl_cbor_put_bstr(&w, bl_span_of(part, n));
        part += n + (part[n] == '/' ? 1 : 0);
    }
    return bl_cbor_writer_finish(&w, &whole) == BL_OK ? whole.n : 0;
}

static struct bl_area take(struct device_config *c, uint32_t size)
{
    uint32_t block = c->geometry.erase_size;
    struct bl_area area = {c->geometry.size, (size + block - 1) / block};

    area.size *= block;
    c->geometry.size += area.size;
    return area;
}

static void pair(struct device_config *c, uint32_t size, struct bl_area out[2])
{
    out[0] = take(c, size);
    out[1] = take(c, size);
}

/* flash.components = ( { id = "app"; size = 1048576; }, ... ) */
static void components(struct reader *r, struct device_config *c)
{
    const config_setting_t *list = config_lookup(r->file, "flash.components");
    int n = list == NULL ? 0 : config_setting_length(list);

    if (n < 1 || n > BL_SUIT_COMPONENTS) {
        complain(r, "flash.components", "must list 1 to 4 components");
        return;
    }
    for (int i = 0; i < n; i++) {
        char name[64];
        char part[DEVICE_NAME];
        uint32_t size = 0;
        size_t id_size;

        (void)snprintf(name, sizeof name, "flash.components.[%d].id", i);
        text(r, name, true, part, sizeof part);
        id_size = device_component_id(part, c->component_id[i], DEVICE_NAME);
        if (id_size == 0) {
            complain(r, name, "is no component id");
        }
        (void)snprintf(name, sizeof name, "flash.components.[%d].size", i);
        number(r, name, 0, 64U << 20, &size);
        c->component[i].id = bl_span_of(c->component_id[i], id_size);
        c->component[i].kind = BL_COMPONENT_SLOTS;
        if (c->chip[0] == '\0') {
            pair(c, size, c->component[i].area);
        }
    }
    c->layout.component = c->component;
    c->layout.n_components = (uint32_t)n;
}

static struct bl_component *add(struct device_config *c, const char *name)
{
    uint32_t i = c->layout.n_components++;
    size_t n = device_component_id(name, c->component_id[i], DEVICE_NAME);

    c->component[i].id = bl_span_of(c->component_id[i], n);
    return &c->component[i];
}

/* flash.stage: room for patches that manifests themselves have applied; and
 * the running image as such manifests name it. */
static void stage(struct reader *r, struct device_config *c)
{
    char app[DEVICE_NAME];
    char active[DEVICE_NAME + sizeof "/active"];
    uint32_t size = 0;
    struct bl_component *one;

    number(r, "flash.stage", 0, 64U << 20, &size);
    if (r->failed || size == 0) {
        return;
    }
    text(r, "flash.components.[0].id", true, app, sizeof app);
    (void)snprintf(active, sizeof active, "%s/active", app);
    if (c->layout.n_components + 2 > BL_SUIT_COMPONENTS ||
        device_component_id(active, c->component_id[2], DEVICE_NAME) == 0) {
        complain(r, "flash.stage",
                 "takes two components more: at most two others, and a short "
                 "id of the first");
        return;
    }
    one = add(c, active);
    one->kind = BL_COMPONENT_ACTIVE;
    one->of = 0;
    one = add(c, "stage");
    one->kind = BL_COMPONENT_STAGE;
    one->area[0] = take(c, size);
}

/* The slots of an emulated ESP32 are those of its partition table. */
static void esp_slots(struct reader *r, struct device_config *c)
{
    struct bl_component *app = &c->component[0];

    if (c->chip[0] == '\0') {
        return;
    }
    app->area[0].offset = DEVICE_ESP_SLOT_A;
    app->area[1].offset = DEVICE_ESP_SLOT_B;
    app->area[0].size = DEVICE_ESP_SLOT_SIZE;
    app->area[1].size = DEVICE_ESP_SLOT_SIZE;
    if (c->geometry.size > DEVICE_ESP_STORE + DEVICE_ESP_STORE_SIZE) {
        complain(r, "flash",
                 "has areas that do not fit into the partition "
                 "\"bowline\" of 128 KB");
    }
    if (c->layout.n_components != 1 || c->geometry.erase_size != 4096) {
        complain(r, "flash",
                 "of an ESP32 has one component, no stage, and "
                 "blocks of 4096 bytes");
    }
    c->geometry.size = DEVICE_ESP_FLASH;
}

/* Small areas first, so that "from the first slot on" is one offset. */
static void layout(struct reader *r, struct device_config *c)
{
    uint32_t root = 0;
    uint32_t state = 0;
    uint32_t journal = 0;
    uint32_t manifest = 0;

    number(r, "flash.erase_size", 4096, 1U << 20, &c->geometry.erase_size);
    number(r, "flash.write_size", 4, 256, &c->geometry.write_size);
    number(r, "flash.root", 8192, 1U << 20, &root);
    number(r, "flash.state", 4096, 1U << 20, &state);
    number(r, "flash.journal", 4096, 1U << 20, &journal);
    number(r, "flash.manifest", 16384, 1U << 20, &manifest);
    if (r->failed || c->geometry.erase_size == 0) {
        complain(r, "flash.erase_size", "must not be 0");
        return;
    }
    c->geometry.size = c->chip[0] == '\0' ? 0 : DEVICE_ESP_STORE;
    pair(c, root, c->layout.root);
    pair(c, state, c->layout.state);
    pair(c, journal, c->layout.journal);
    pair(c, manifest, c->layout.manifest);
    components(r, c);
    stage(r, c);
    esp_slots(r, c);
}

static void timing(struct reader *r, struct bl_timing *t)
{
    const uint32_t most = 366U * 86400U;

    *t = bl_timing_default;
    number(r, "timing.poll", t->poll, most, &t->poll);
    number(r, "timing.first_poll", t->first_poll, most, &t->first_poll);
    number(r, "timing.backoff", t->backoff, most, &t->backoff);
    number(r, "timing.backoff_max", t->backoff_max, most, &t->backoff_max);
    number(r, "timing.ticket_interval", t->ticket_interval, most,
           &t->ticket_interval);
    number(r, "timing.confirm_deadline", t->confirm_deadline, most,
           &t->confirm_deadline);
    number(r, "timing.health_interval", t->health_interval, most,
           &t->health_interval);
}

static void identity(struct reader *r, struct device_config *c)
{
    id(r, "id", c->id);
    id(r, "vendor_id", c->vendor_id);
    id(r, "class_id", c->class_id);
    text(r, "name", true, c->name, sizeof c->name);
    text(r, "product", false, c->product, sizeof c->product);
    text(r, "hardware", false, c->hardware, sizeof c->hardware);
}

static void connection(struct reader *r, struct device_config *c)
{
    url(r, "server", true, c->server, sizeof c->server);
    url(r, "backup_server", false, c->backup, sizeof c->backup);
    path(r, c->dir, "ca_file", c->ca_file, sizeof c->ca_file);
    path(r, c->dir, "token_file", c->token_file, sizeof c->token_file);
    path(r, c->dir, "cert_file", c->cert_file, sizeof c->cert_file);
    path(r, c->dir, "key_file", c->key_file, sizeof c->key_file);
    truth(r, "clock", &c->clock);
}

/* A board that holds another chip's image has what a small chip has. */
static void deltas(struct reader *r, struct device_config *c)
{
    number(r, "delta_memory", c->holder ? 12288 : 32768, 1U << 20,
           &c->delta_memory);
    if (c->delta_memory != 0 && c->delta_memory < 6144) {
        complain(r, "delta_memory", "must be 0, or at least 6144 bytes");
    }
}

static void board(struct reader *r, struct device_config *c)
{
    truth(r, "holder", &c->holder);
    text(r, "chip", false, c->chip, sizeof c->chip);
    c->holder = c->holder || c->chip[0] != '\0';
    number(r, "watchdog", 10, 3600, &c->watchdog_s);
    deltas(r, c);
    if (c->watchdog_s == 0) {
        complain(r, "watchdog", "must be at least 1 second");
    }
    small(r, "boot_tries", BL_BOOT_TRIES, &c->boot_tries);
    small(r, "download_attempts", 10, &c->download_attempts);
    small(r, "health_failures", 3, &c->health_failures);
}

static void scheme(struct reader *r, uint8_t *out)
{
    char word[16];

    text(r, "push.scheme", false, word, sizeof word);
    if (word[0] == '\0' || strcmp(word, "pbkdf2") == 0) {
        *out = BL_ARDUINO_PBKDF2;
    } else if (strcmp(word, "md5") == 0) {
        *out = BL_ARDUINO_MD5;
    } else if (strcmp(word, "none") == 0) {
        *out = BL_ARDUINO_OPEN;
    } else {
        complain(r, "push.scheme", "must be pbkdf2, md5 or none");
    }
}

/* push = { password_file = "..."; ... }: it is there, so pushes are taken. */
static void push(struct reader *r, struct device_config *c)
{
    struct device_push *p = &c->push;
    uint32_t port = BL_ARDUINO_PORT_ESP32;

    if (config_lookup(r->file, "push") == NULL) {
        return;
    }
    p->on = true;
    p->announce = true;
    number(r, "push.port", port, UINT16_MAX, &port);
    p->port = (uint16_t)port;
    scheme(r, &p->scheme);
    path(r, c->dir, "push.password_file", p->password_file,
         sizeof p->password_file);
    if (config_lookup(r->file, "push.announce") != NULL) {
        truth(r, "push.announce", &p->announce);
    }
    truth(r, "push.developer", &p->developer);
    if ((p->password_file[0] == '\0') != (p->scheme == BL_ARDUINO_OPEN)) {
        complain(r, "push.password_file",
                 "must name the file of the password; or scheme = \"none\" "
                 "says that none is asked for");
    }
}

int device_config_load(struct device_config *config, const char *dir,
                       struct error *err)
{
    char file[FLASH_PATH];
    struct reader r = {&config->file, file, err, false};

    memset(config, 0, sizeof *config);
    config_init(&config->file);
    if (snprintf(config->dir, sizeof config->dir, "%s", dir) >=
        (int)sizeof config->dir) {
        return error_set(err, "the path %s is too long", dir);
    }
    (void)snprintf(file, sizeof file, "%s/device.conf", dir);
    (void)snprintf(config->flash_path, sizeof config->flash_path,
                   "%s/flash.bin", dir);
    if (access(file, R_OK) != 0) {
        return error_errno(err, "%s cannot be read; is %s a device?", file,
                           dir);
    }
    if (config_read_file(&config->file, file) == CONFIG_FALSE) {
        return error_set(err, "%s: line %d: %s", file,
                         config_error_line(&config->file),
                         config_error_text(&config->file));
    }
    identity(&r, config);
    connection(&r, config);
    board(&r, config);
    timing(&r, &config->timing);
    push(&r, config);
    layout(&r, config);
    return r.failed ? -1 : 0;
}

void device_config_free(struct device_config *config)
{
    config_destroy(&config->file);
}

int device_config_flash(struct device_config *config, struct flash_file *file,
                        struct error *err)
{
    bl_status status;

    if (flash_file_open(file, config->flash_path, &config->geometry, err) !=
        0) {
        return -1;
    }
    file->name = config->name;
    config->layout.flash = &file->flash;
    status = bl_layout_check(&config->layout);
    if (status != BL_OK) {
        flash_file_close(file);
        return error_status(err, status,
                            "%s/device.conf: the areas in \"flash\" are too "
                            "small or not possible",
                            config->dir);
    }
    return 0;
}

static const config_setting_t *attribute(const struct device_config *config,
                                         const char *name)
{
    const config_setting_t *group = config_lookup(&config->file, "attributes");

    return group == NULL ? NULL : config_setting_get_member(group, name);
}

const char *device_config_text(const struct device_config *config,
                               const char *name, const char *otherwise)
{
    const config_setting_t *found = attribute(config, name);
    const char *value =
        found == NULL ? NULL : config_setting_get_string(found);

    return value == NULL ? otherwise : value;
}

double device_config_number(const struct device_config *config,
                            const char *name, double otherwise)
{
    const config_setting_t *found = attribute(config, name);

    if (found == NULL || config_setting_is_number(found) == CONFIG_FALSE) {
        return otherwise;
    }
    if (config_setting_type(found) == CONFIG_TYPE_FLOAT) {
        return config_setting_get_float(found);
    }
    return (double)config_setting_get_int64(found);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "host/file.h"

#include <ctype.h>
#include <errno.h>
#include <libconfig.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum kind { TEXT, PATH, NUMBER, FLAG };

/* The one list of keys. */
struct key {
    const char *name;
    enum kind kind;
    size_t offset;
    const char *preset;
    int least;
    int most;
};

#define AT(field) offsetof(struct config, field)

static const struct key keys[] = {
    {"listen", TEXT, AT(listen), "127.0.0.1:8443", 0, 0},
    {"tls_certificate", PATH, AT(tls_certificate), "", 0, 0},
    {"tls_key", PATH, AT(tls_key), "", 0, 0},
    {"client_ca", PATH, AT(client_ca), "", 0, 0},
    {"plain_http", FLAG, AT(plain_http), "0", 0, 1},
    {"tls12_unmanaged", FLAG, AT(tls12_unmanaged), "0", 0, 1},
    {"unmanaged_devices", NUMBER, AT(unmanaged_devices), "10000", 1, 100000},
    {"data", PATH, AT(data), "/var/lib/bowline", 0, 0},
    {"ticket_key", PATH, AT(ticket_key), "", 0, 0},
    {"operator_tokens", PATH, AT(operator_tokens), "", 0, 0},
    {"ticket_validity", NUMBER, AT(ticket_validity_s), "600", 10, 86400},
    {"poll_interval", NUMBER, AT(poll_interval_s), "0", 0, 604800},
    {"max_downloads", NUMBER, AT(max_downloads), "500", 1, 100000},
    {"polls_per_minute", NUMBER, AT(polls_per_minute), "60", 0, 60000},
    {"events_per_device", NUMBER, AT(events_per_device), "1000", 16, 1000000},
    {"threads", NUMBER, AT(threads), "0", 0, 256},
    {"max_connections", NUMBER, AT(max_connections), "0", 0, 1000000},
    {"connections_per_address", NUMBER, AT(connections_per_address), "2000", 0,
     1000000},
    {"request_timeout", NUMBER, AT(request_timeout_s), "30", 1, 3600},
    {"log_format", TEXT, AT(log_format), "text", 0, 0},
    {"log_level", TEXT, AT(log_level), "info", 0, 0},
    {"max_payload_mb", NUMBER, AT(max_payload_mb), "1024", 1, 4095},
    {"metrics_public", FLAG, AT(metrics_public), "1", 0, 1},
    {"clock_speed", NUMBER, AT(clock_speed), "1", 1, 100000},
    {"silent_after", NUMBER, AT(silent_after_s), "0", 0, 31536000},
    {"webhook_allow_http", FLAG, AT(webhook_allow_http), "0", 0, 1},
    {"webhook_allow_private", FLAG, AT(webhook_allow_private), "0", 0, 1},
    {"webhook_ca", PATH, AT(webhook_ca), "", 0, 0},
    {"webhook_retry", NUMBER, AT(webhook_retry_s), "10", 1, 3600},
    {"four_eyes", FLAG, AT(four_eyes), "0", 0, 1},
    {"deltas", FLAG, AT(deltas), "1", 0, 1},
    {"delta_share", NUMBER, AT(delta_share), "70", 1, 100},
    {"delta_workers", NUMBER, AT(delta_workers), "1", 1, 16},
    {"delta_seconds", NUMBER, AT(delta_seconds), "900", 1, 86400},
    {"delta_memory_mb", NUMBER, AT(delta_memory_mb), "2048", 0, 1048576},
    {"delta_effort", NUMBER, AT(delta_effort), "6", 0, 9},
    {"delta_bases", NUMBER, AT(delta_bases), "16", 1, 1000},
    {"delta_ahead", NUMBER, AT(delta_ahead_s), "3600", 0, 31536000},
    {"delta_store_mb", NUMBER, AT(delta_store_mb), "1024", 1, 16777216},
    {"delta_failures", NUMBER, AT(delta_failures), "2", 1, 1000},
    {"delta_pause", NUMBER, AT(delta_pause_s), "30", 1, 3600},
    {"delta_wait", NUMBER, AT(delta_wait_s), "0", 0, 3600},
    {"delta_program", PATH, AT(delta_program), "", 0, 0},
    {"journal_idle_ms", NUMBER, AT(journal_idle_ms), "50", 1, 10000},
    {"journal_flush_ms", NUMBER, AT(journal_flush_ms), "10", 0, 10000},
    {"journal_sweep", NUMBER, AT(journal_sweep_s), "300", 1, 86400},
};

enum { KEYS = sizeof keys / sizeof keys[0], CONFIG_BYTES = 1 << 20 };

static const struct key *find_key(const char *name)
{
    for (int i = 0; i < KEYS; i++) {
        if (strcmp(keys[i].name, name) == 0) {
            return &keys[i];
        }
    }
    return NULL;
}

static int set_text(struct config *c, const struct key *key, const char *value,
                    const char *dir, struct error *err)
{
    char *out = (char *)c + key->offset;
    bool relative = key->kind == PATH && dir != NULL && value[0] != '/' &&
                    value[0] != '\0';
    int n = relative ? snprintf(out, CONFIG_TEXT, "%s/%s", dir, value)
                     : snprintf(out, CONFIG_TEXT, "%s", value);

    if (n >= CONFIG_TEXT) {
        return error_set(err, "%s: longer than %d characters", key->name,
                         CONFIG_TEXT - 1);
    }
    return 0;
}

static int set_number(struct config *c, const struct key *key, long value,
                      struct error *err)
{
    if (value < key->least || value > key->most) {
        return error_set(err, "%s: %ld is not between %d and %d", key->name,
                         value, key->least, key->most);
    }
    *(int *)(void *)((char *)c + key->offset) = (int)value;
    return 0;
}

static int set_from_text(struct config *c, const struct key *key,
                         const char *value, struct error *err)
{
    char *end;
    long number;

    if (key->kind == TEXT || key->kind == PATH) {
        return set_text(c, key, value, NULL, err);
    }
    if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0) {
        return set_number(c, key, value[0] == 't', err);
    }
    number = strtol(value, &end, 10);
    if (end == value || *end != '\0') {
        return error_set(err, "%s: \"%s\" is not a number", key->name, value);
    }
    return set_number(c, key, number, err);
}

static int set_from_setting(struct config *c, const char *dir,
                            const config_setting_t *s, struct error *err)
{
    const char *name = config_setting_name(s);
    const struct key *key = find_key(name);
    int type = config_setting_type(s);

    if (key == NULL) {
        return error_set(err, "%s: no such key", name);
    }
    if ((key->kind == TEXT || key->kind == PATH) &&
        type == CONFIG_TYPE_STRING) {
        return set_text(c, key, config_setting_get_string(s), dir, err);
    }
    if (key->kind == NUMBER && type == CONFIG_TYPE_INT) {
        return set_number(c, key, config_setting_get_int(s), err);
    }
    if (key->kind == FLAG && type == CONFIG_TYPE_BOOL) {
        return set_number(c, key, config_setting_get_bool(s), err);
    }
    return error_set(err, "%s: must be %s", name,
                     key->kind == NUMBER ? "a number"
                     : key->kind == FLAG ? "true or false"
                                         : "text in quotes");
}

static void dir_of(const char *path, char *out, size_t size)
{
    const char *slash = strrchr(path, '/');
    int n = slash == NULL ? 0 : (int)(slash - path);

    if (slash == NULL) {
        snprintf(out, size, ".");
    } else {
        snprintf(out, size, "%.*s", n == 0 ? 1 : n, path);
    }
}

/* libconfig would say no more than "file I/O error" of what it cannot read,
 * and end the program for a folder. */
static int parse_file(config_t *file, const char *path, struct error *err)
{
    struct buffer text = BUFFER(CONFIG_BYTES);
    int result;

    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return error_set(err,
                         "%s: there is no such file; name another with "
                         "--config, or make one with "
                         "bowline server init",
                         path);
    }
    if (file_read(path, &text, err) != 0 ||
        buffer_append(&text, "", 1, err) != 0) {
        buffer_free(&text);
        return -1;
    }
    result = config_read_string(file, (const char *)text.p);
    buffer_free(&text);
    if (result != CONFIG_TRUE) {
        return error_set(err, "%s: line %d: %s", path, config_error_line(file),
                         config_error_text(file));
    }
    return 0;
}

static int apply_file(struct config *c, const char *path, struct error *err)
{
    config_t file;
    char dir[CONFIG_TEXT];
    int result;

    dir_of(path, dir, sizeof dir);
    config_init(&file);
    result = parse_file(&file, path, err);
    config_setting_t *root = config_root_setting(&file);
    for (int i = 0; result == 0 && i < config_setting_length(root); i++) {
        config_setting_t *s = config_setting_get_elem(root, (unsigned)i);
        int line = (int)config_setting_source_line(s);

        if (set_from_setting(c, dir, s, err) != 0) {
            result = error_prefix(err, "%s: line %d", path, line);
        }
    }
    config_destroy(&file);
    return result;
}

static int apply_environment(struct config *c, struct error *err)
{
    for (int i = 0; i < KEYS; i++) {
        char name[64];
        const char *value;

        snprintf(name, sizeof name, "BOWLINE_%s", keys[i].name);
        for (char *p = name; *p != '\0'; p++) {
            *p = (char)toupper((unsigned char)*p);
        }
        value = getenv(name);
        if (value != NULL && set_from_text(c, &keys[i], value, err) != 0) {
            return error_prefix(err, "environment %s", name);
        }
    }
    return 0;
}

static int one_of(const char *value, const char *const *list)
{
    for (int i = 0; list[i] != NULL; i++) {
        if (strcmp(value, list[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static const char *const levels[] = {"error", "warning", "info", "debug",
                                     NULL};
static const char *const formats[] = {"text", "json", NULL};

static int check(const struct config *c, struct error *err)
{
    if (one_of(c->log_level, levels) < 0) {
        return error_set(err,
                         "log_level: \"%s\" is none of error, warning, "
                         "info, debug",
                         c->log_level);
    }
    if (one_of(c->log_format, formats) < 0) {
        return error_set(err, "log_format: \"%s\" is neither text nor json",
                         c->log_format);
    }
    if (c->max_connections > 0 && c->max_connections < 8) {
        return error_set(err, "max_connections: %d is not 0, and less than 8",
                         c->max_connections);
    }
    if (!c->plain_http &&
        (c->tls_certificate[0] == '\0' || c->tls_key[0] == '\0')) {
        return error_set(err, "tls_certificate and tls_key must be set; or "
                              "plain_http = true behind a TLS proxy");
    }
    if (c->plain_http && c->client_ca[0] != '\0') {
        return error_set(err, "client_ca needs TLS: take plain_http away");
    }
    return 0;
}

enum log_level config_log_level(const struct config *c)
{
    return (enum log_level)one_of(c->log_level, levels);
}

int config_load(struct config *c, const char *path, struct error *err)
{
    memset(c, 0, sizeof *c);
    for (int i = 0; i < KEYS; i++) {
        if (set_from_text(c, &keys[i], keys[i].preset, err) != 0) {
            return -1;
        }
    }
    if (path != NULL && apply_file(c, path, err) != 0) {
        return -1;
    }
    if (apply_environment(c, err) != 0) {
        return -1;
    }
    return check(c, err);
}

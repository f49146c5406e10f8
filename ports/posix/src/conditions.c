/* SPDX-License-Identifier: Apache-2.0 */
#include "posix/conditions.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* One group of settings being read; the first error is kept. */
struct source {
    struct conditions *c;
    const config_setting_t *group;
    const char *path;
    struct error *err;
    bool failed;
};

static void complain(struct source *s, const char *name, const char *why)
{
    if (!s->failed) {
        (void)error_set(s->err, "%s: \"%s\" %s", s->path, name, why);
    }
    s->failed = true;
}

static bool number(struct source *s, const char *name, int least, int most,
                   int *out)
{
    const config_setting_t *found = config_setting_get_member(s->group, name);

    if (found == NULL) {
        return false;
    }
    if (config_setting_type(found) != CONFIG_TYPE_INT ||
        config_setting_get_int(found) < least ||
        config_setting_get_int(found) > most) {
        complain(s, name, "is no whole number that is possible");
        return false;
    }
    *out = config_setting_get_int(found);
    return true;
}

/* Sets or clears a flag, and the one that says that it is known. */
static void flag(struct source *s, const char *name, unsigned bit,
                 unsigned known)
{
    const config_setting_t *found = config_setting_get_member(s->group, name);
    unsigned flags = s->c->now.flags;

    if (found == NULL) {
        return;
    }
    if (config_setting_type(found) != CONFIG_TYPE_BOOL) {
        complain(s, name, "must be true or false");
        return;
    }
    flags = config_setting_get_bool(found) != 0 ? flags | bit : flags & ~bit;
    s->c->now.flags = (uint8_t)(flags | known);
}

static void consent(struct source *s)
{
    const config_setting_t *found =
        config_setting_get_member(s->group, "consent");
    const char *value =
        found == NULL ? NULL : config_setting_get_string(found);

    if (found == NULL) {
        return;
    }
    if (value == NULL ||
        (strcmp(value, "ask") != 0 && strcmp(value, "auto") != 0)) {
        complain(s, "consent", "must be \"ask\" or \"auto\"");
        return;
    }
    s->c->ask = strcmp(value, "ask") == 0;
}

static void reports(struct source *s)
{
    const config_setting_t *group =
        config_setting_get_member(s->group, "report");
    int n = group == NULL ? 0 : config_setting_length(group);

    for (int i = 0; i < n; i++) {
        const config_setting_t *one =
            config_setting_get_elem(group, (unsigned)i);
        const char *name = config_setting_name(one);
        const char *value = config_setting_get_string(one);

        if (name == NULL || value == NULL ||
            conditions_report(s->c, name, value) != 0) {
            complain(s, "report",
                     "holds at most 16 texts of 64 bytes, with names of 24");
            return;
        }
    }
}

static void mark_filed(struct conditions *c, uint32_t from)
{
    for (uint32_t i = from; i < c->n_attributes; i++) {
        c->filed[i] = true;
    }
}

static int take(struct source *s)
{
    struct conditions *c = s->c;
    uint32_t before = c->n_attributes;
    int value;

    if (s->group == NULL) {
        return 0;
    }
    if (number(s, "battery", 0, 100, &value)) {
        c->now.battery = (uint8_t)value;
    }
    if (number(s, "utc_offset", -840, 840, &value)) {
        c->now.utc_offset = (int16_t)value;
        c->local_time = false;
    }
    flag(s, "power", BL_POWERED, BL_POWER_KNOWN);
    flag(s, "metered", BL_METERED, BL_LINK_KNOWN);
    flag(s, "roaming", BL_ROAMING, BL_LINK_KNOWN);
    consent(s);
    reports(s);
    mark_filed(c, before);
    return s->failed ? -1 : 0;
}

static int read_file(struct conditions *c, struct error *err)
{
    struct source s = {c, NULL, c->path, err, false};
    config_t file;
    int failed = 0;

    if (stat(c->path, &c->seen) != 0) {
        memset(&c->seen, 0, sizeof c->seen);
        return 0; /* there need not be one */
    }
    config_init(&file);
    if (config_read_file(&file, c->path) == CONFIG_FALSE) {
        failed = error_set(err, "%s: line %d: %s", c->path,
                           config_error_line(&file), config_error_text(&file));
    } else {
        s.group = config_root_setting(&file);
        failed = take(&s);
    }
    config_destroy(&file);
    return failed;
}

/* Where an attribute's texts lie after the struct was copied or moved. */
static void point(struct conditions *c)
{
    for (uint32_t i = 0; i < BL_ATTRIBUTES; i++) {
        c->attribute[i].name = i < c->n_attributes ? c->name[i] : NULL;
        c->attribute[i].value = i < c->n_attributes ? c->value[i] : NULL;
    }
}

static void drop(struct conditions *c, uint32_t at)
{
    uint32_t behind = --c->n_attributes - at;

    memmove(c->name[at], c->name[at + 1], behind * sizeof c->name[0]);
    memmove(c->value[at], c->value[at + 1], behind * sizeof c->value[0]);
    memmove(&c->filed[at], &c->filed[at + 1], behind * sizeof c->filed[0]);
    point(c);
}

static void forget_files(struct conditions *c)
{
    for (uint32_t i = c->n_attributes; i-- > 0;) {
        if (c->filed[i]) {
            drop(c, i);
        }
    }
    c->now.utc_offset = BL_OFFSET_UNKNOWN;
    c->now.battery = BL_BATTERY_UNKNOWN;
    c->now.flags = 0;
    c->local_time = c->config->clock;
    c->ask = true;
}

static int read_burnt(struct conditions *c, struct error *err)
{
    char path[FLASH_PATH];
    struct source burnt = {c, config_lookup(&c->config->file, "conditions"),
                           path, err, false};

    (void)snprintf(path, sizeof path, "%s/device.conf", c->config->dir);
    forget_files(c);
    return take(&burnt);
}

static int read_both(struct conditions *c, struct error *err)
{
    return read_burnt(c, err) != 0 || read_file(c, err) != 0 ? -1 : 0;
}

static int begin(struct conditions *c, const struct device_config *config,
                 struct error *err)
{
    memset(c, 0, sizeof *c);
    c->config = config;
    if (snprintf(c->path, sizeof c->path, "%s/conditions.conf", config->dir) >=
        (int)sizeof c->path) {
        return error_set(err, "the path %s is too long", config->dir);
    }
    return 0;
}

int conditions_open(struct conditions *c, const struct device_config *config,
                    struct error *err)
{
    return begin(c, config, err) != 0 ? -1 : read_both(c, err);
}

int conditions_check(struct conditions *c, const struct device_config *config,
                     const config_t *file, struct error *err)
{
    struct source s = {c, config_root_setting(file), c->path, err, false};

    if (begin(c, config, err) != 0 || read_burnt(c, err) != 0) {
        return -1;
    }
    return take(&s);
}

int conditions_look(struct conditions *c, struct error *err)
{
    struct conditions before = *c;
    struct stat now;

    if (stat(c->path, &now) != 0) {
        memset(&now, 0, sizeof now);
    }
    if (now.st_ino == c->seen.st_ino &&
        now.st_mtim.tv_sec == c->seen.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == c->seen.st_mtim.tv_nsec &&
        now.st_size == c->seen.st_size) {
        return 0;
    }
    if (read_both(c, err) == 0) {
        return 1;
    }
    *c = before;
    c->seen = now; /* wrong once, told once */
    point(c);
    return -1;
}

void conditions_now(struct conditions *c, struct bl_conditions *out)
{
    time_t now = time(NULL);
    struct tm local;

    *out = c->now;
    if (c->local_time && localtime_r(&now, &local) != NULL) {
        out->utc_offset = (int16_t)(local.tm_gmtoff / 60);
    }
}

static uint32_t find(const struct conditions *c, const char *name)
{
    uint32_t i = 0;

    while (i < c->n_attributes && strcmp(c->name[i], name) != 0) {
        i++;
    }
    return i;
}

int conditions_report(struct conditions *c, const char *name,
                      const char *value)
{
    uint32_t at = find(c, name);

    if (value == NULL) {
        if (at < c->n_attributes) {
            drop(c, at);
        }
        return 0;
    }
    if (at == BL_ATTRIBUTES || strlen(name) > BL_ATTRIBUTE_NAME ||
        strlen(value) > BL_ATTRIBUTE_VALUE) {
        return -1;
    }
    memcpy(c->name[at], name, strlen(name) + 1);
    memcpy(c->value[at], value, strlen(value) + 1);
    if (at == c->n_attributes) {
        c->filed[at] = false;
        c->n_attributes++;
    }
    point(c);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes an image one that must not be released. Which chip, and how high
 * secure_version is, the records of the releases before say.
 */
#include "release_image.h"

#include <string.h>
#include <strings.h>

#include "release.h"

/* --- The image alone -------------------------------------------------------
 */

/* Also what is only odd is said once. */
static void note_oddities(struct call *c, const struct release_image *r)
{
    const struct bl_esp_image *e = &r->image->esp;
    char text[120];
    uint8_t i;

    for (i = 0; i < e->n_faults; i++) {
        image_fault_text(&e->fault[i], text, sizeof text);
        note(c, "%s: %s; %s", r->path, text,
             bl_esp_problem_advice(e->fault[i].problem));
    }
}

int release_image_whole(struct call *c, const struct release_image *r)
{
    const struct image *image = r->image;

    if (!image->valid) {
        return refuse(c, EXIT_INPUT, "%s: %s, damaged: %s; %s", r->path,
                      image->what, image->problem,
                      image->advice == NULL ? "build or copy it again"
                                            : image->advice);
    }
    if (image->kind != IMAGE_ESP32) {
        return 0;
    }
    if (image->esp.role == BL_ESP_BOOTLOADER) {
        return refuse(c, EXIT_INPUT, "%s is a bootloader, not an application",
                      r->path);
    }
    if (image->esp.role == BL_ESP_UNTOLD && image->source != VERSION_RECORD) {
        return refuse(c, EXIT_INPUT,
                      "%s has no application descriptor: it is an old "
                      "bootloader or a program for RAM, and a device would "
                      "not start it from a slot",
                      r->path);
    }
    note_oddities(c, r);
    return 0;
}

/* --- Its chip ---------------------------------------------------------------
 */

static bool is_esp(const struct image *image)
{
    return image->kind == IMAGE_ESP32 || image->kind == IMAGE_ESP8266;
}

/* "an image for ESP32-S3", "a binary" */
static const char *meant_for(struct call *c, const struct image *image)
{
    if (!is_esp(image)) {
        return keep(c, "no image of an ESP chip (%s)", image->what);
    }
    if (image->esp.chip == NULL) {
        return keep(c, "an image for chip number 0x%04x", image->esp.chip_id);
    }
    return keep(c, "an image for %s", image->esp.chip->name);
}

static int check_said_chip(struct call *c, const struct release_image *r,
                           const char *said)
{
    const struct bl_esp_chip *chip = bl_esp_chip_named(said);

    if (strcasecmp(said, "none") == 0) {
        return 0;
    }
    if (chip == NULL) {
        return refuse(c, EXIT_INPUT,
                      "chip \"%s\" is none that is known; say it as "
                      "ESP32, ESP32-S3, ESP8266; or none, to check nothing",
                      said);
    }
    if (!is_esp(r->image) || r->image->esp.chip != chip) {
        return refuse(c, EXIT_INPUT,
                      "%s is %s, but the chip of %s is said to be %s (--chip, "
                      "or chip in bowline.conf); is it the right file?",
                      r->path, meant_for(c, r->image), r->product, chip->name);
    }
    return 0;
}

static bool same_chip(const struct image *image, const json_t *before)
{
    const char *name = json_string_value(json_object_get(before, "chip"));
    const json_t *id = json_object_get(before, "chip_id");

    if (!is_esp(image)) {
        return false;
    }
    if (image->esp.chip == NULL) {
        return json_is_integer(id) &&
               json_integer_value(id) == (json_int_t)image->esp.chip_id;
    }
    return bl_esp_chip_named(name) == image->esp.chip;
}

/* `record` is the newest release before that names a chip. */
static int check_chip_before(struct call *c, const struct release_image *r,
                             const json_t *record)
{
    const json_t *before = json_object_get(record, "image");

    if (before == NULL || same_chip(r->image, before)) {
        return 0;
    }
    return refuse(c, EXIT_INPUT,
                  "%s is %s, but release %s of %s is for %s; another chip "
                  "is another product. If the product has changed its chip, "
                  "say --chip",
                  r->path, meant_for(c, r->image),
                  json_string_value(json_object_get(record, "version")),
                  r->product,
                  json_string_value(json_object_get(before, "chip")));
}

/* --- Its secure version
 * -------------------------------------------------------- */

static int check_steps(struct call *c, const struct release_image *r)
{
    const struct bl_esp_image *e = &r->image->esp;

    if (e->chip != NULL && e->app.secure_version > e->chip->secure_versions) {
        return refuse(c, EXIT_INPUT,
                      "%s has secure_version %u, but %s has eFuses for %u: "
                      "no device could ever confirm it; lower "
                      "CONFIG_BOOTLOADER_APP_SECURE_VERSION",
                      r->path, e->app.secure_version, e->chip->name,
                      e->chip->secure_versions);
    }
    return 0;
}

/* `record` is the release before with the highest one; may be NULL. */
static int check_secure_version(struct call *c, const struct release_image *r,
                                const json_t *record)
{
    const json_t *image = json_object_get(record, "image");
    uint64_t before =
        (uint64_t)json_integer_value(json_object_get(image, "secure_version"));
    uint32_t now = r->image->esp.app.secure_version;
    const char *version =
        json_string_value(json_object_get(record, "version"));

    if (now < before) {
        return refuse(c, EXIT_INPUT,
                      "%s has secure_version %u, but release %s has %llu: "
                      "devices that confirmed that one have burned it and "
                      "would never start this one; set "
                      "CONFIG_BOOTLOADER_APP_SECURE_VERSION=%llu",
                      r->path, now, version, (unsigned long long)before,
                      (unsigned long long)before);
    }
    if (now == before && cli_flag(c, "raise-secure-version")) {
        return refuse(c, EXIT_INPUT,
                      "--raise-secure-version: %s has %u, as before; leave "
                      "the option out",
                      r->path, now);
    }
    if (now > before && !cli_flag(c, "raise-secure-version")) {
        return refuse(c, EXIT_INPUT,
                      "%s has secure_version %u, after %llu: devices that "
                      "confirm it burn eFuses, and never start an older "
                      "release again; if that is meant, say "
                      "--raise-secure-version",
                      r->path, now, (unsigned long long)before);
    }
    if (now > before) {
        note(c,
             "secure_version rises from %llu to %u: devices that confirm "
             "this release never start an older one again.",
             (unsigned long long)before, now);
    }
    return 0;
}

/* --- Both, by the records ---------------------------------------------------
 */

static uint64_t number(const json_t *object, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(object, key));

    return n < 0 ? 0 : (uint64_t)n;
}

/* Of the records with a chip: the newest (what is replaced by --force does
 * not count), and the one with the highest secure_version. Borrowed. */
static void choose(const json_t *records, const char *replaced,
                   const json_t **newest, const json_t **highest)
{
    size_t i;

    *newest = NULL;
    *highest = NULL;
    for (i = 0; i < json_array_size(records); i++) {
        const json_t *row = json_array_get(records, i);
        const json_t *record = json_object_get(row, "record");
        const json_t *image = json_object_get(record, "image");
        const char *path = json_string_value(json_object_get(row, "path"));

        if (!json_is_string(json_object_get(image, "chip"))) {
            continue;
        }
        if (strcmp(path, replaced) != 0 &&
            (*newest == NULL ||
             number(record, "sequence") > number(*newest, "sequence"))) {
            *newest = record;
        }
        if (*highest == NULL ||
            number(image, "secure_version") >
                number(json_object_get(*highest, "image"), "secure_version")) {
            *highest = record;
        }
    }
}

int release_image_chip(struct call *c, const struct release_image *r)
{
    const char *chip = setting(c, "chip");

    return chip == NULL ? 0 : check_said_chip(c, r, chip);
}

int release_image_fits(struct call *c, const struct release_image *r)
{
    const char *chip = setting(c, "chip");
    const json_t *newest;
    const json_t *highest;
    json_t *records = NULL;
    int code = releases_records(c, r->product, &records);

    if (code != 0) {
        return code;
    }
    choose(records, r->record, &newest, &highest);
    code = chip != NULL ? check_said_chip(c, r, chip)
                        : check_chip_before(c, r, newest);
    if (code == 0 && r->image->kind == IMAGE_ESP32 &&
        r->image->esp.role == BL_ESP_APPLICATION) {
        code = check_steps(c, r);
        code = code == 0 ? check_secure_version(c, r, highest) : code;
    }
    json_decref(records);
    return code;
}

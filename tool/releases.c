/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in the releases folder. */
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "author/author.h"
#include "release.h"

const char *releases_folder(struct call *c)
{
    const char *folder = setting(c, "releases");

    return folder == NULL ? "releases" : folder;
}

int product_ids(struct call *c, uint8_t vendor_id[16], uint8_t class_id[16])
{
    const char *product = setting_needed(c, "product");
    const char *vendor =
        product == NULL ? NULL : setting_needed(c, "vendor_domain");

    if (vendor == NULL) {
        return EXIT_INPUT;
    }
    author_vendor_id(vendor, vendor_id);
    author_class_id(vendor_id, product, class_id);
    return 0;
}

/* Is it an envelope for the class? Anything else in the folder is not ours. */
static bool read_one(struct call *c, const char *path, const uint8_t *class_id,
                     uint64_t *sequence)
{
    struct buffer file = BUFFER(ENVELOPE_LIMIT);
    struct bl_suit_envelope envelope;
    struct bl_suit_manifest manifest;
    const uint8_t *vendor;
    const uint8_t *class_found;
    bool found = false;

    if (file_read(path, &file, NULL) == 0 &&
        bl_suit_read(buffer_span(&file), &envelope) == BL_OK &&
        bl_suit_scan(&envelope, NULL, &manifest) == BL_OK &&
        bl_suit_identity(&manifest, &vendor, &class_found) == BL_OK &&
        (class_id == NULL || memcmp(class_id, class_found, 16) == 0)) {
        *sequence = manifest.sequence;
        found = true;
    }
    if (!found) {
        note(c, "%s is no release of this product; passed over", path);
    }
    buffer_free(&file);
    return found;
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name);
    size_t m = strlen(end);

    return n > m && strcmp(name + n - m, end) == 0;
}

static int add_record(struct call *c, const char *path, const char *product,
                      json_t *list)
{
    json_error_t where;
    json_t *record = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    const char *of = json_string_value(json_object_get(record, "product"));

    if (record == NULL) {
        return refuse(c, EXIT_INPUT,
                      "%s:%d: %s; it may be the record that says which chip "
                      "%s has: restore or remove it",
                      path, where.line, where.text, product);
    }
    if (of != NULL && strcmp(of, product) == 0) {
        json_t *row = json_object();

        put_text(row, "path", path);
        put(row, "record", json_incref(record));
        (void)json_array_append_new(list, row);
    }
    json_decref(record);
    return 0;
}

int releases_records(struct call *c, const char *product, json_t **out)
{
    const char *folder = releases_folder(c);
    DIR *dir = opendir(folder);
    json_t *list = json_array();
    const struct dirent *entry;
    int code = 0;

    while (code == 0 && dir != NULL && (entry = readdir(dir)) != NULL) {
        if (ends_with(entry->d_name, ".json")) {
            code = add_record(c, keep(c, "%s/%s", folder, entry->d_name),
                              product, list);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    if (code != 0) {
        json_decref(list);
        return code;
    }
    *out = list;
    return 0;
}

int releases_newest(struct call *c, const uint8_t *class_id,
                    struct release_file *out)
{
    return releases_before(c, class_id, UINT64_MAX, out);
}

int releases_before(struct call *c, const uint8_t *class_id, uint64_t below,
                    struct release_file *out)
{
    const char *folder = releases_folder(c);
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    memset(out, 0, sizeof *out);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        uint64_t sequence = 0;
        const char *path;

        if (!ends_with(entry->d_name, ".suit")) {
            continue;
        }
        path = keep(c, "%s/%s", folder, entry->d_name);
        if (read_one(c, path, class_id, &sequence) && sequence < below &&
            (out->path == NULL || sequence > out->sequence)) {
            out->path = path;
            out->sequence = sequence;
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return 0;
}

static const char *beside(struct call *c, const char *path, const char *uri)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? keep(c, "%s", uri)
                         : keep(c, "%.*s/%s", (int)(slash - path), path, uri);
}

const char *release_payload(struct call *c, const char *envelope,
                            const uint8_t digest[32])
{
    const char *hex = keep_hex(c, digest, 32);
    const char *path = beside(c, envelope, keep(c, "payloads/%s", hex));

    if (access(path, F_OK) == 0) {
        return path;
    }
    path = keep(c, "%s/payloads/%s", releases_folder(c), hex);
    return access(path, F_OK) == 0 ? path : NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* bowline release: image in, signed release out. */
#include "release.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bowline/firmware.h"
#include "bowline/sha256.h"
#include "delta.h"
#include "describe.h"
#include "esp_keys.h"
#include "print.h"
#include "release_delta.h"
#include "release_image.h"

enum { IMAGE_LIMIT = 256 << 20, NOTES_LIMIT = 256 * 1024 };

struct job {
    struct call *c;
    const char *firmware;
    struct buffer file;
    struct image image;
    const char *product;
    const char *version;
    bool version_said; /* by the command, not the image */
    uint8_t vendor_id[16];
    uint8_t class_id[16];
    uint8_t sha256[32];
    uint64_t sequence;
    struct keys keys;
    struct trust trust;
    struct buffer notes;
    struct release_patches patches;
    struct buffer envelope;
    const char *path; /* of the envelope */
    const char *payload;
    const char *record;
    json_t *verified;
};

/* A version becomes part of file names and travels in reports. */
static int check_version(struct job *j)
{
    const char *v = j->version;
    size_t n = strlen(v);
    size_t good = strspn(v, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV"
                            "WXYZ0123456789.-+_");

    if (n == 0 || n > 63 || good != n || v[0] == '.' || v[0] == '-') {
        return refuse(j->c, EXIT_INPUT,
                      "version \"%s\": letters, digits, and . - + _ only, at "
                      "most 63, and a letter or digit first",
                      v);
    }
    return 0;
}

static int version_missing(struct job *j)
{
    struct release_image subject = {j->firmware, &j->image, j->product, NULL};
    int code = release_image_chip(j->c, &subject);

    /* The wrong file, rather than one that needs --version. */
    if (code != 0) {
        return code;
    }
    if (j->image.source == VERSION_SDK) {
        return refuse(
            j->c, EXIT_INPUT,
            "%s: its descriptor is the Arduino SDK's (\"%s\"), which "
            "says nothing of the application; say --version",
            j->firmware, j->image.version);
    }
    return refuse(j->c, EXIT_INPUT,
                  "%s carries no version; say --version, or build it with "
                  "BL_FIRMWARE (bowline/firmware.h)",
                  j->firmware);
}

static int choose_version(struct job *j)
{
    const struct image *image = &j->image;
    const char *said = cli_value(j->c, "version");
    bool embedded =
        image->source == VERSION_RECORD || image->source == VERSION_DESCRIPTOR;

    if (said == NULL && !embedded) {
        return version_missing(j);
    }
    if (said != NULL && embedded && !image_version_equal(image, said)) {
        return refuse(j->c, EXIT_INPUT,
                      "%s carries version %s, not %s; build it anew, or say "
                      "--version %s",
                      j->firmware, image->version, said, image->version);
    }
    j->version = said != NULL ? said : keep(j->c, "%s", image->version);
    j->version_said = !embedded;
    if (embedded && strlen(image->version) < strlen(j->version)) {
        note(j->c, "The image's descriptor has room for 31 characters: %s.",
             image->version);
    }
    if (image->source == VERSION_SDK) {
        note(j->c,
             "The image's descriptor is the Arduino SDK's: version %s "
             "is what you say, not what it says.",
             said);
    }
    return check_version(j);
}

static int check_product(struct job *j)
{
    const char *own = j->image.product;

    j->product = setting_needed(j->c, "product");
    if (j->product == NULL) {
        return EXIT_INPUT;
    }
    if (strchr(j->product, '/') != NULL) {
        return refuse(j->c, EXIT_INPUT,
                      "product \"%s\": no '/' please, it "
                      "becomes part of file names",
                      j->product);
    }
    if (own[0] != '\0' && strcmp(own, j->product) != 0) {
        return refuse(
            j->c, EXIT_INPUT,
            "%s is firmware of product \"%s\", not \"%s\"; is it the "
            "right file?",
            j->firmware, own, j->product);
    }
    return 0;
}

static int read_image(struct job *j)
{
    struct release_image subject = {j->firmware, &j->image, NULL, NULL};
    int code = read_input(j->c, j->firmware, IMAGE_LIMIT, &j->file);

    if (code != 0) {
        return code;
    }
    image_read(buffer_span(&j->file), &j->image);
    code = release_image_whole(j->c, &subject);
    bl_sha256(j->file.p, j->file.n, j->sha256);
    return code;
}

/* Greater than every release before, or devices would refuse it. */
static int choose_sequence(struct job *j)
{
    struct release_file last;
    uint64_t said = 0;
    int code = cli_number(j->c, "sequence", 1, INT64_MAX, &said);

    if (code == 0) {
        code = releases_newest(j->c, j->class_id, &last);
    }
    if (code != 0) {
        return code;
    }
    if (said != 0 && last.path != NULL && said <= last.sequence) {
        return refuse(j->c, EXIT_INPUT,
                      "sequence %llu: %s has %llu already; say a higher one, "
                      "or none",
                      (unsigned long long)said, last.path,
                      (unsigned long long)last.sequence);
    }
    j->sequence = said != 0 ? said : (uint64_t)time(NULL);
    if (last.path != NULL && j->sequence <= last.sequence) {
        j->sequence = last.sequence + 1;
    }
    return 0;
}

static void choose_files(struct job *j)
{
    const char *folder = releases_folder(j->c);
    const char *output = cli_value(j->c, "output");
    const char *stem = keep(j->c, "%s/%s-%s", folder, j->product, j->version);

    j->path = output != NULL ? output : keep(j->c, "%s.suit", stem);
    j->record = keep(j->c, "%s.json", stem);
    j->payload =
        keep(j->c, "%s/payloads/%s", folder, keep_hex(j->c, j->sha256, 32));
}

/* The number in a version's name: "1.4.1" of "v1.4.1-2-g0296947". NULL when
 * there is none, as in "qa-test": devices then cannot compare it. */
static const char *version_number(const char *text)
{
    int32_t number[16];

    if ((text[0] == 'v' || text[0] == 'V') && text[1] >= '0' &&
        text[1] <= '9') {
        text++;
    }
    return bl_version_parse(text, number, 16) > 0 ? text : NULL;
}

static int pack(struct job *j)
{
    const char *component = setting(j->c, "component");
    struct author_image image = {0};
    struct author_manifest manifest = {0};

    image.component = component == NULL ? "app" : component;
    memcpy(image.sha256, j->sha256, 32);
    image.size = (uint32_t)j->file.n;
    manifest.sequence = j->sequence;
    memcpy(manifest.vendor_id, j->vendor_id, 16);
    memcpy(manifest.class_id, j->class_id, 16);
    manifest.version = version_number(j->version);
    manifest.version_text = j->version;
    manifest.vendor_name = setting(j->c, "vendor_domain");
    manifest.model_name = j->product;
    manifest.minimum_version = cli_value(j->c, "min-version");
    manifest.image = &image;
    manifest.n_images = 1;
    manifest.patch = j->patches.entry;
    manifest.n_patches = j->patches.n;
    if (author_envelope(&manifest, j->keys.key, j->keys.n, &j->envelope,
                        &j->c->err) != 0) {
        return EXIT_INPUT;
    }
    return 0;
}

/* What it writes, and what it reads, must be the release role's to name. */
static int check_components(struct job *j, const struct bl_suit_manifest *m)
{
    uint32_t i;

    for (i = 0; i < m->n_components; i++) {
        if (!bl_root_may_write(&j->trust.root, BL_ROLE_RELEASE,
                               m->component[i])) {
            return refuse(j->c, EXIT_INPUT,
                          "%s does not let release keys name the component "
                          "%s; devices would refuse the release",
                          setting(j->c, "root"),
                          describe_component(j->c, m->component[i]));
        }
    }
    return 0;
}

/* Our own work goes through the device's code before anybody gets it. */
static int verify(struct job *j, uint8_t manifest_digest[32])
{
    struct bl_suit_envelope e;
    struct bl_suit_manifest m;
    uint8_t signers;
    int code;
    bl_status status = bl_suit_read(buffer_span(&j->envelope), &e);

    if (status == BL_OK) {
        status = bl_suit_scan(&e, NULL, &m);
    }
    if (status != BL_OK) {
        (void)error_status(&j->c->err, status, "the new envelope");
        return EXIT_LOCAL;
    }
    memcpy(manifest_digest, e.digest, 32);
    j->verified = json_null();
    if (!j->trust.there) {
        return 0;
    }
    status = bl_suit_authenticate(&e, &j->trust.root, &tool_crypto, &signers);
    if (status != BL_OK) {
        (void)error_status(&j->c->err, status,
                           "the release keys are not those of %s; devices "
                           "would refuse the release",
                           setting(j->c, "root"));
        return EXIT_INPUT;
    }
    if (j->sequence < j->trust.root.floor ||
        j->sequence > j->trust.root.ceiling) {
        return refuse(j->c, EXIT_INPUT,
                      "sequence %llu is outside what %s "
                      "allows",
                      (unsigned long long)j->sequence, setting(j->c, "root"));
    }
    code = check_components(j, &m);
    if (code != 0) {
        return code;
    }
    j->verified = json_true();
    return 0;
}

/* Payload first, envelope last: a release is there when its envelope is. */
static int write_files(struct job *j)
{
    struct call *c = j->c;
    char *folder = keep(c, "%s/payloads", releases_folder(c));
    char *text;
    int code;

    if (!cli_flag(c, "force") && access(j->path, F_OK) == 0) {
        return refuse(c, EXIT_INPUT,
                      "%s is there already; a release never "
                      "changes: raise the version",
                      j->path);
    }
    if (file_make_dirs(folder, 0755, &c->err) != 0 ||
        (access(j->payload, F_OK) != 0 &&
         file_write(j->payload, buffer_span(&j->file), 0644, &c->err) != 0)) {
        return EXIT_LOCAL;
    }
    code = release_patches_write(c, &j->patches);
    if (code != 0) {
        return code;
    }
    text = json_dumps(c->result, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    if (text == NULL ||
        file_write(j->record, bl_span_of(text, strlen(text)), 0644, &c->err) !=
            0 ||
        file_write(j->path, buffer_span(&j->envelope), 0644, &c->err) != 0) {
        code = EXIT_LOCAL;
    }
    free(text);
    return code;
}

static void fill_result(struct job *j, const uint8_t manifest_digest[32])
{
    struct call *c = j->c;
    json_t *r = c->result;
    json_t *image = json_object();

    put_text(r, "product", j->product);
    put_text(r, "version", j->version);
    put_number(r, "sequence", j->sequence);
    put_text(r, "manifest", keep_hex(c, manifest_digest, 32));
    put_text(r, "sha256", keep_hex(c, j->sha256, 32));
    put_number(r, "size", j->file.n);
    put(r, "signers", keys_list(c, &j->keys));
    put(r, "verified", j->verified);
    put_text(r, "version_from", j->version_said ? "command" : "image");
    put_text(r, "min_version", cli_value(c, "min-version"));
    put_text(r, "notes", j->notes.n == 0 ? NULL : (const char *)j->notes.p);
    put_text(r, "file", j->path);
    put_text(r, "payload", j->payload);
    release_patches_put(c, &j->patches, (uint32_t)j->file.n);
    put_text(r, "record", j->record);
    describe_image(c, &j->image, image);
    (void)json_object_del(image, "segments");
    put(r, "image", image);
}

static void print_patches(struct job *j)
{
    const struct release_patches *p = &j->patches;
    uint32_t i;

    for (i = 0; i < p->n; i++) {
        field(j->c, "patch", "%s, %.2f %%, from %s",
              keep_size(j->c, p->entry[i].size),
              delta_percent(p->entry[i].size, j->file.n), p->from[i]);
    }
}

static void print_result(struct job *j)
{
    struct call *c = j->c;
    const json_t *chip =
        json_object_get(json_object_get(c->result, "image"), "chip");

    show(c, "%s%s %s%s, sequence %llu", color(c, STRONG), j->product,
         j->version, color(c, PLAIN), (unsigned long long)j->sequence);
    field(c, "image", "%s, %s", j->image.what, keep_size(c, j->file.n));
    if (chip != NULL) {
        field(c, "chip", "%s", json_string_value(chip));
    }
    field(c, "manifest", "%s",
          json_string_value(json_object_get(c->result, "manifest")));
    field(c, "envelope", "%s, %zu bytes", j->path, j->envelope.n);
    field(c, "payload", "%s", j->payload);
    print_patches(j);
    field(c, "signed by", "%s",
          print_list(c, "signers", json_object_get(c->result, "signers")));
    if (!j->trust.there) {
        note(c, "Not checked with a root document: set root in bowline.conf "
                "or say --root.");
    }
    note(c, "Next: bowline publish");
}

static int read_notes(struct job *j)
{
    const char *path = cli_value(j->c, "notes");

    return path == NULL ? 0 : read_input(j->c, path, NOTES_LIMIT, &j->notes);
}

static int make(struct job *j)
{
    struct release_image subject;
    uint8_t digest[32];
    int code = read_image(j);

    code = code == 0 ? check_product(j) : code;
    code = code == 0 ? choose_version(j) : code;
    code = code == 0 ? product_ids(j->c, j->vendor_id, j->class_id) : code;
    code = code == 0 ? choose_sequence(j) : code;
    code = code == 0
               ? esp_check_image(j->c, j->firmware, buffer_span(&j->file),
                                 j->class_id, j->sequence)
               : code;
    code = code == 0 ? read_notes(j) : code;
    code = code == 0 ? trust_load(j->c, &j->trust) : code;
    if (code != 0) {
        return code;
    }
    choose_files(j);
    subject.path = j->firmware;
    subject.image = &j->image;
    subject.product = j->product;
    subject.record = j->record;
    code = release_image_fits(j->c, &subject);
    if (code != 0) {
        return code;
    }
    /* Before the keys sign: some can sign only so often. */
    if (!cli_flag(j->c, "force") && access(j->path, F_OK) == 0) {
        return refuse(j->c, EXIT_INPUT,
                      "%s is there already; a release never "
                      "changes: raise the version",
                      j->path);
    }
    code = release_patches_make(j->c, buffer_span(&j->file), &j->patches);
    code = code == 0 ? keys_open_release(j->c, &j->keys) : code;
    code = code == 0 ? pack(j) : code;
    code = code == 0 ? verify(j, digest) : code;
    if (code == 0) {
        fill_result(j, digest);
        code = write_files(j);
    }
    return code;
}

int verb_release(struct call *c)
{
    struct job j = {0};
    int code;

    j.c = c;
    j.firmware = c->argument[0];
    j.envelope.limit = ENVELOPE_LIMIT;
    code = make(&j);
    if (code == 0) {
        print_result(&j);
    }
    keys_close(&j.keys);
    trust_free(&j.trust);
    buffer_free(&j.file);
    buffer_free(&j.notes);
    release_patches_free(&j.patches);
    buffer_free(&j.envelope);
    return code;
}

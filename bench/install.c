/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One installation, by core or by the floor under it, with its cost.
 *
 *   bench_install prepare DIR IMAGE   keys, root document, signed envelope
 *   bench_install floor   DIR IMAGE   read, SHA-256 (OpenSSL), write,
 * fdatasync bench_install bowline DIR IMAGE   authenticate, erase, install,
 * read back, verify, activate
 *
 * Prints "cpu_s wall_s peak_rss_kb". The floor and core read the same file in
 * the same portions and write to the same file system.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "author/author.h"
#include "bowline/slot.h"
#include "host/file.h"
#include "posix/crypto.h"
#include "slot_file.h"

enum { PORTION = 256 * 1024, IO = 16 * 1024, ENVELOPE = 8192, HEAD = 16384 };

static uint8_t portion[PORTION];
static uint8_t io[IO];
static const uint8_t app_id[] = {0x81, 0x43, 'a', 'p', 'p'};
static uint8_t vendor[16];
static uint8_t class[16];

static void die(const char *what, const struct error *err)
{
    fprintf(stderr, "bench_install: %s: %s\n", what,
            err != NULL ? err->text : strerror(errno));
    exit(1);
}

static void check(bl_status status, const char *what)
{
    if (status != BL_OK) {
        fprintf(stderr, "bench_install: %s: %s\n", what,
                bl_status_name(status));
        exit(1);
    }
}

static char *in(const char *dir, const char *name)
{
    static char path[4][4096];
    static int turn;

    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
    return path[turn];
}

static void identity(void)
{
    author_vendor_id("bench.example", vendor);
    author_class_id(vendor, "bench", class);
}

static void prepare(const char *dir, const char *image)
{
    struct error err = {0};
    struct buffer root = BUFFER(65536);
    struct buffer signed_root = BUFFER(65536);
    struct buffer envelope = BUFFER(65536);
    struct author_image file = {.component = "app"};
    struct author_manifest manifest = {.sequence = 2, .version = "2.0.0"};
    struct author_root document = {.version = 1, .issued = 1};
    struct author_key *key;
    uint64_t size;

    unlink(in(dir, "key.pem"));
    if (author_key_create(in(dir, "key.pem"), "esp256", &err) != 0 ||
        (key = author_key_open(in(dir, "key.pem"), &err)) == NULL ||
        file_sha256(image, file.sha256, &size, &err) != 0) {
        die("prepare", &err);
    }
    for (int role = 1; role <= 3; role++) {
        document.role[role].threshold = 1;
        document.role[role].n_keys = 1;
        document.role[role].key[0] = key;
    }
    file.size = (uint32_t)size;
    memcpy(manifest.vendor_id, vendor, 16);
    memcpy(manifest.class_id, class, 16);
    manifest.image = &file;
    manifest.n_images = 1;
    if (author_root_new(&document, &root, &err) != 0 ||
        author_root_sign(buffer_span(&root), bl_span_of(NULL, 0), key,
                         &signed_root, &err) != 0 ||
        author_envelope(&manifest, &key, 1, &envelope, &err) != 0 ||
        file_write(in(dir, "root"), buffer_span(&signed_root), 0600, &err) !=
            0 ||
        file_write(in(dir, "envelope"), buffer_span(&envelope), 0600, &err) !=
            0) {
        die("prepare", &err);
    }
    author_key_free(key);
    buffer_free(&root);
    buffer_free(&signed_root);
    buffer_free(&envelope);
}

static void floor_run(const char *dir, const char *image)
{
    int from = open(image, O_RDONLY);
    int to = open(in(dir, "floor.slot"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    uint8_t digest[32];
    ssize_t n;

    if (from < 0 || to < 0 || hash == NULL ||
        EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1) {
        die("floor", NULL);
    }
    while ((n = read(from, portion, sizeof(portion))) > 0) {
        EVP_DigestUpdate(hash, portion, (size_t)n);
        if (write(to, portion, (size_t)n) != n) {
            die("write", NULL);
        }
    }
    EVP_DigestFinal_ex(hash, digest, NULL);
    if (fdatasync(to) != 0) {
        die("fdatasync", NULL);
    }
    EVP_MD_CTX_free(hash);
    close(from);
    close(to);
}

static uint32_t slot_size(const char *image)
{
    int fd = open(image, O_RDONLY);
    off_t n = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

    if (n < 0 || n > (off_t)1 << 30) {
        die(image, NULL);
    }
    close(fd);
    return ((uint32_t)n + 4095) / 4096 * 4096;
}

static void make_layout(struct bl_layout *layout, struct bl_component *app,
                        uint32_t size)
{
    uint32_t at = 0;

    for (int i = 0; i < 2; i++) {
        layout->root[i] = (struct bl_area){at, HEAD};
        layout->state[i] = (struct bl_area){at + HEAD, HEAD};
        layout->journal[i] = (struct bl_area){at + 2 * HEAD, HEAD};
        layout->manifest[i] = (struct bl_area){at + 3 * HEAD, HEAD};
        app->area[i] = (struct bl_area){at + 4 * HEAD, size};
        at += 4 * HEAD + size;
    }
    app->id = bl_span_of(app_id, sizeof(app_id));
    app->kind = BL_COMPONENT_SLOTS;
    layout->component = app;
    layout->n_components = 1;
}

struct device {
    struct bl_layout layout;
    struct bl_component app;
    struct slot_file file;
    struct bl_state state;
    struct bl_install install;
    struct bl_root root;
    struct bl_suit_envelope envelope;
    struct bl_suit_manifest manifest;
    struct bl_suit_platform platform;
    struct bl_suit_run run;
};

static bl_status component(void *ctx, bl_span id,
                           struct bl_suit_component *out)
{
    struct device *device = ctx;

    if (!bl_span_equal(id, device->app.id)) {
        return BL_COMPONENT;
    }
    out->slot = BL_SLOT_B;
    out->writable = true;
    out->capacity = device->app.area[1].size;
    return BL_OK;
}

static bl_status image_match(void *ctx, bl_span id, const uint8_t digest[32],
                             uint32_t size, bl_verdict *verdict)
{
    struct bl_install *install = &((struct device *)ctx)->install;
    bool same = bl_span_equal(id, install->verified_id) &&
                size == install->verified_size &&
                memcmp(digest, install->verified_digest, 32) == 0;

    *verdict = same ? BL_GOOD : BL_BAD;
    return BL_OK;
}

static void fetch(struct device *device, const char *image)
{
    const struct bl_suit_fetch *wanted = &device->run.fetch;
    int from = open(image, O_RDONLY);
    uint32_t offset;
    ssize_t n;

    check(bl_install_begin(&device->install, wanted->component, wanted->size,
                           wanted->digest, &offset),
          "begin");
    while ((n = read(from, portion, sizeof(portion))) > 0) {
        check(bl_install_data(&device->install, portion, (size_t)n), "data");
    }
    check(bl_install_end(&device->install), "end");
    close(from);
}

static void authenticate(struct device *device, const char *dir,
                         struct buffer *root, struct buffer *envelope)
{
    struct error err = {0};

    if (file_read(in(dir, "root"), root, &err) != 0 ||
        file_read(in(dir, "envelope"), envelope, &err) != 0) {
        die("bowline", &err);
    }
    check(
        bl_root_accept(buffer_span(root), NULL, &posix_crypto, &device->root),
        "root");
    check(bl_suit_read(buffer_span(envelope), &device->envelope), "read");
    check(bl_suit_authenticate(&device->envelope, &device->root, &posix_crypto,
                               NULL),
          "authenticate");
    check(
        bl_suit_scan(&device->envelope, &device->platform, &device->manifest),
        "scan");
}

static void bowline_run(const char *dir, const char *image)
{
    static struct device device;
    struct buffer root = BUFFER(65536);
    struct buffer envelope = BUFFER(65536);
    uint32_t size = slot_size(image);
    bl_suit_event event = BL_SUIT_FETCH;
    bool resumed;

    make_layout(&device.layout, &device.app, size);
    if (slot_file_open(&device.file, in(dir, "device"),
                       2 * (4 * HEAD + size)) != 0) {
        die("device", NULL);
    }
    device.layout.flash = &device.file.flash;
    device.platform.ctx = &device;
    device.platform.vendor_id = vendor;
    device.platform.class_id = class;
    device.platform.n_class_ids = 1;
    device.platform.component = component;
    device.platform.image_match = image_match;
    authenticate(&device, dir, &root, &envelope);
    device.state.trial = BL_SLOT_NONE;
    check(bl_install_open(&device.install, &device.layout, &device.state,
                          BL_SLOT_B, device.envelope.digest,
                          device.manifest.sequence, 1, false, io, sizeof(io),
                          &resumed),
          "open");
    check(bl_suit_start(&device.run, &device.envelope, &device.manifest,
                        &device.platform, BL_SUIT_UPDATE),
          "start");
    for (;;) {
        check(bl_suit_step(&device.run, &event), "step");
        if (event == BL_SUIT_DONE) {
            break;
        }
        fetch(&device, image);
    }
    check(bl_install_close(&device.install, buffer_span(&envelope)), "close");
    check(bl_state_try(&device.state, BL_SLOT_B, 3), "try");
    check(bl_state_save(&device.layout, &device.state), "save");
    slot_file_close(&device.file);
    buffer_free(&root);
    buffer_free(&envelope);
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* Peak resident kilobytes. Not ru_maxrss: that one counts the program that
 * forked this one, too. */
static long peak_kb(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    long kb = 0;

    while (status != NULL && fgets(line, sizeof(line), status) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) {
            kb = strtol(line + 6, NULL, 10);
        }
    }
    if (status != NULL) {
        fclose(status);
    }
    return kb;
}

int main(int argc, char **argv)
{
    struct timespec begin;
    struct timespec end;
    struct rusage usage;

    if (argc != 4) {
        fprintf(stderr, "usage: bench_install prepare|floor|bowline DIR "
                        "IMAGE\n");
        return 2;
    }
    identity();
    clock_gettime(CLOCK_MONOTONIC, &begin);
    if (strcmp(argv[1], "prepare") == 0) {
        prepare(argv[2], argv[3]);
        return 0;
    }
    if (strcmp(argv[1], "floor") == 0) {
        floor_run(argv[2], argv[3]);
    } else {
        bowline_run(argv[2], argv[3]);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    getrusage(RUSAGE_SELF, &usage);
    printf("%.6f %.6f %ld\n",
           seconds(usage.ru_utime) + seconds(usage.ru_stime),
           (double)(end.tv_sec - begin.tv_sec) +
               (double)(end.tv_nsec - begin.tv_nsec) / 1e9,
           peak_kb());
    return 0;
}

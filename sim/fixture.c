/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "fixture.h"

#include "bowline/sha256.h"
#include "bowline/suit.h"
#include "host/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- Keys ------------------------------------------------------------------
 */

static void base64(const uint8_t *in, size_t n, char *out)
{
    static const char digit[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)in[i] << 16 |
                     (i + 1 < n ? (uint32_t)in[i + 1] << 8 : 0U) |
                     (i + 2 < n ? in[i + 2] : 0U);

        *out++ = digit[v >> 18];
        *out++ = digit[v >> 12 & 63];
        *out++ = i + 1 < n ? digit[v >> 6 & 63] : '=';
        *out++ = i + 2 < n ? digit[v & 63] : '=';
    }
    *out = '\0';
}

/* PKCS#8 up to the 32 bytes of the key: Ed25519 (RFC 8410 section 7), and
 * P-256 without its public part (RFC 5915). */
static const uint8_t ed25519_head[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30,
                                       0x05, 0x06, 0x03, 0x2b, 0x65, 0x70,
                                       0x04, 0x22, 0x04, 0x20};
static const uint8_t p256_head[] = {
    0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
    0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20};

/* From a fixed seed. */
static void key_text(unsigned number, bl_span head, char *out, size_t size)
{
    uint8_t der[sizeof(p256_head) + 32];
    char seed[32];
    char text[96];

    (void)snprintf(seed, sizeof(seed), "simulated key %u", number);
    memcpy(der, head.p, head.n);
    bl_sha256(seed, strlen(seed), der + head.n);
    base64(der, head.n + 32, text);
    (void)snprintf(out, size,
                   "-----BEGIN %s KEY-----\n%s\n-----END %s "
                   "KEY-----\n",
                   "PRIVATE", text, "PRIVATE");
}

static int key_open(struct sim_fixture *f, unsigned number, bl_span head,
                    const char *folder, struct error *err)
{
    char path[FILE_TEMP + 32];
    char text[256];

    (void)snprintf(path, sizeof(path), "%s/key%u.pem", folder, number);
    key_text(number, head, text, sizeof(text));
    if (file_write(path, bl_span_of(text, strlen(text)), 0600, err) != 0) {
        return -1;
    }
    f->key[number] = author_key_open(path, err);
    (void)unlink(path);
    return f->key[number] == NULL ? -1 : 0;
}

static int keys_open(struct sim_fixture *f, bl_span head, struct error *err)
{
    char folder[FILE_TEMP];
    int r = 0;

    if (file_temp_folder("sim", folder, err) != 0) {
        return -1;
    }
    for (unsigned i = 0; r == 0 && i < SIM_KEYS; i++) {
        r = key_open(f, i, head, folder, err);
    }
    (void)rmdir(folder);
    return r;
}

/* --- Root documents
 * ---------------------------------------------------------- */

static void role_set(struct author_role *role, const struct author_key *key)
{
    role->threshold = 1;
    role->n_keys = 1;
    role->key[0] = key;
}

static int root_make(struct sim_fixture *f, unsigned version,
                     struct error *err)
{
    struct author_root root = {.version = version, .issued = SIM_TIME};
    struct buffer unsigned_one = BUFFER(4096);
    struct buffer *out = &f->root[version - 1];
    bl_span previous = bl_span_of(NULL, 0);
    int r;

    role_set(&root.role[BL_ROLE_ROOT], f->key[SIM_KEY_ROOT]);
    role_set(&root.role[BL_ROLE_RELEASE],
             f->key[version == 1 ? SIM_KEY_RELEASE : SIM_KEY_RELEASE_2]);
    role_set(&root.role[BL_ROLE_TICKET], f->key[SIM_KEY_TICKET]);
    if (version > 1) {
        previous = buffer_span(&f->root[version - 2]);
    }
    out->limit = 4096;
    r = author_root_new(&root, &unsigned_one, err);
    if (r == 0) {
        r = author_root_sign(buffer_span(&unsigned_one), previous,
                             f->key[SIM_KEY_ROOT], out, err);
    }
    buffer_free(&unsigned_one);
    return r;
}

/* --- Releases
 * ------------------------------------------------------------------ */

static const struct plan {
    uint64_t sequence;
    const char *version;
    enum sim_behaviour behaviour;
    int key;
    bool has_net;
    bool other_class;
} plans[SIM_RELEASES] = {
    [SIM_R1] = {1, "1.0.0", SIM_GOOD, SIM_KEY_RELEASE, false, false},
    [SIM_R2] = {2, "1.1.0", SIM_GOOD, SIM_KEY_RELEASE, false, false},
    [SIM_R3] = {3, "1.2.0", SIM_GOOD, SIM_KEY_RELEASE, false, false},
    [SIM_R_CRASHES] = {4, "1.3.0", SIM_CRASHES, SIM_KEY_RELEASE, false, false},
    [SIM_R_UNHEALTHY] = {5, "1.3.1", SIM_UNHEALTHY, SIM_KEY_RELEASE, false,
                         false},
    [SIM_R_SILENT] = {6, "1.3.2", SIM_SILENT, SIM_KEY_RELEASE, false, false},
    [SIM_R_PARTS] = {7, "1.4.0", SIM_GOOD, SIM_KEY_RELEASE, true, false},
    [SIM_R_NEW_KEY] = {8, "1.5.0", SIM_GOOD, SIM_KEY_RELEASE_2, false, false},
    [SIM_R_NEW_CRASHES] = {9, "1.6.0", SIM_CRASHES, SIM_KEY_RELEASE_2, false,
                           false},
    [SIM_R_OTHER_CLASS] = {10, "1.7.0", SIM_GOOD, SIM_KEY_RELEASE, false,
                           true},
    [SIM_R_STRANGER] = {11, "1.8.0", SIM_GOOD, SIM_KEY_STRANGER, false, false},
    [SIM_R_FULL] = {12, "2.0.0", SIM_GOOD, SIM_KEY_RELEASE, false, false},
    [SIM_R_NEAR] = {13, "2.0.1", SIM_GOOD, SIM_KEY_RELEASE, false, false},
    [SIM_R_PATCHED] = {14, "2.1.0", SIM_GOOD, SIM_KEY_RELEASE, false, false},
};

static void fill(uint8_t *out, size_t n, unsigned which, unsigned part)
{
    uint32_t x = 2463534242U + which * 977 + part * 31;

    for (size_t i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        out[i] = (uint8_t)(x >> 11);
    }
}

/* Firmware has long runs that look erased: there, what a cut left behind is
 * hardest to tell. One for each kind of flash, longer than two blocks. */
static void runs_make(struct sim_release *r)
{
    memset(r->app + 900, 0xFF, 8600);
    memset(r->app + 10000, 0x00, 1500);
}

/* New bytes all over it: a patch to it gives its output bit by bit. */
static void near_make(struct sim_release *r)
{
    fill(r->app, sizeof(r->app), SIM_R_FULL, 0);
    for (size_t at = 500; at + 130 < sizeof(r->app); at += 1000) {
        fill(r->app + at, 130, SIM_R_NEAR, (unsigned)at);
    }
}

static void images_make(struct sim_release *r, unsigned which)
{
    fill(r->app, sizeof(r->app), which, 0);
    if (which == SIM_R_NEAR) {
        near_make(r);
    } else if (which != SIM_R_FULL) {
        runs_make(r);
    }
    bl_sha256(r->app, sizeof(r->app), r->app_sha256);
    fill(r->net, sizeof(r->net), which, 1);
    bl_sha256(r->net, sizeof(r->net), r->net_sha256);
}

/* Another content here and there, over the whole image. */
static void change(struct sim_release *r, const struct sim_release *from)
{
    memcpy(r->app, from->app, sizeof(r->app));
    for (size_t i = 100; i + 16 < sizeof(r->app); i += 500) {
        fill(r->app + i, 16, SIM_R_PATCHED, (unsigned)i);
    }
    bl_sha256(r->app, sizeof(r->app), r->app_sha256);
}

static int envelope_make(struct sim_fixture *f, struct sim_release *r,
                         const struct plan *plan, struct error *err)
{
    struct author_image image[2] = {
        {.component = "app", .size = SIM_APP_SIZE},
        {.component = "cfg/net",
         .integrated = {r->net, SIM_NET_SIZE},
         .size = SIM_NET_SIZE},
    };
    struct author_manifest m = {.sequence = plan->sequence,
                                .version = plan->version,
                                .vendor_name = "example.com",
                                .model_name = "simulated",
                                .image = image,
                                .n_images = plan->has_net ? 2 : 1};
    struct author_patch patch = {.base_size = SIM_APP_SIZE,
                                 .size = (uint32_t)r->patch.n};
    struct bl_suit_envelope envelope;
    bl_status s;

    if (r->patch.n > 0) {
        bl_sha256(r->patch.p, r->patch.n, patch.sha256);
        memcpy(patch.base_sha256, f->release[SIM_R2].app_sha256, 32);
        m.patch = &patch;
        m.n_patches = 1;
    }
    memcpy(image[0].sha256, r->app_sha256, 32);
    memcpy(image[1].sha256, r->net_sha256, 32);
    memcpy(m.vendor_id, f->vendor_id, 16);
    memcpy(m.class_id, f->class_id, 16);
    if (plan->other_class) {
        author_class_id(f->vendor_id, "another product", m.class_id);
    }
    r->envelope.limit = SIM_ENVELOPE_MAX;
    if (author_envelope(&m, &f->key[plan->key], 1, &r->envelope, err) != 0) {
        return -1;
    }
    s = bl_suit_read(buffer_span(&r->envelope), &envelope);
    if (s != BL_OK) {
        return error_status(err, s, "envelope of %s", plan->version);
    }
    memcpy(r->manifest, envelope.digest, 32);
    return 0;
}

static int permits_make(struct sim_fixture *f, struct sim_release *r,
                        struct error *err)
{
    struct author_permit permit = {.expiry = SIM_TIME + 86400,
                                   .issued = SIM_TIME};

    memcpy(permit.class_id, f->class_id, 16);
    memcpy(permit.manifest, r->manifest, 32);
    for (unsigned i = 0; i < 2; i++) {
        r->permit[i].limit = 512;
        if (author_permit(&permit, &f->key[SIM_KEY_RELEASE + i], 1,
                          &r->permit[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int release_make(struct sim_fixture *f, unsigned which,
                        struct error *err)
{
    const struct plan *plan = &plans[which];
    struct sim_release *r = &f->release[which];

    r->sequence = plan->sequence;
    r->version = plan->version;
    r->behaviour = plan->behaviour;
    r->has_net = plan->has_net;
    images_make(r, which);
    if (which == SIM_R_PATCHED) {
        change(r, &f->release[SIM_R2]);
    }
    if (envelope_make(f, r, plan, err) != 0) {
        return -1;
    }
    return permits_make(f, r, err);
}

/* --- All
 * ---------------------------------------------------------------------------
 */

static int open_with(struct sim_fixture *f, bl_span head, struct error *err)
{
    int r;

    memset(f, 0, sizeof(*f));
    author_vendor_id("example.com", f->vendor_id);
    author_class_id(f->vendor_id, "simulated", f->class_id);
    memcpy(f->device_id, "simulated device", 16);
    r = keys_open(f, head, err);
    if (r == 0) {
        r = root_make(f, 1, err);
    }
    if (r == 0) {
        r = root_make(f, 2, err);
    }
    for (unsigned i = 0; r == 0 && i < SIM_RELEASES; i++) {
        r = release_make(f, i, err);
    }
    if (r != 0) {
        sim_fixture_close(f);
        return error_prefix(err, "simulated product");
    }
    return 0;
}

int sim_fixture_open(struct sim_fixture *f, struct error *err)
{
    return open_with(f, bl_span_of(ed25519_head, sizeof(ed25519_head)), err);
}

int sim_fixture_open_p256(struct sim_fixture *f, struct error *err)
{
    return open_with(f, bl_span_of(p256_head, sizeof(p256_head)), err);
}

int sim_fixture_patch(struct sim_fixture *f, bl_span patch, struct error *err)
{
    struct sim_release *r = &f->release[SIM_R_PATCHED];

    r->patch.limit = SIM_APP_SIZE;
    buffer_clear(&r->envelope);
    for (unsigned i = 0; i < 2; i++) {
        buffer_clear(&r->permit[i]);
    }
    if (buffer_append(&r->patch, patch.p, patch.n, err) != 0 ||
        envelope_make(f, r, &plans[SIM_R_PATCHED], err) != 0) {
        return -1;
    }
    return permits_make(f, r, err);
}

void sim_fixture_close(struct sim_fixture *f)
{
    for (unsigned i = 0; i < SIM_KEYS; i++) {
        author_key_free(f->key[i]);
        f->key[i] = NULL;
    }
    for (unsigned i = 0; i < 2; i++) {
        buffer_free(&f->root[i]);
    }
    for (unsigned i = 0; i < SIM_RELEASES; i++) {
        buffer_free(&f->release[i].envelope);
        buffer_free(&f->release[i].patch);
        buffer_free(&f->release[i].permit[0]);
        buffer_free(&f->release[i].permit[1]);
    }
}

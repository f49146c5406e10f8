/* SPDX-License-Identifier: Apache-2.0 */
#include "conformance_device.h"

#include <string.h>

#include "bowline/sha256.h"
#include "diff/diff.h"

/* The vectors' clock: when they do not say otherwise, September 2026. */
static const uint64_t vectors_now = 1790000000;

static const struct known {
    const char *name;
    const char *id; /* encoded */
    size_t n;
    bool writable;
} known[DEVICE_COMPONENTS] = {
    {"app",
     "\x81\x43"
     "app",
     5, true},
    {"app/active",
     "\x82\x43"
     "app"
     "\x46"
     "active",
     12, false},
    {"stage",
     "\x81\x45"
     "stage",
     7, true},
    {"radio",
     "\x81\x45"
     "radio",
     7, true},
    {"cfg/net",
     "\x82\x43"
     "cfg"
     "\x43"
     "net",
     9, true},
};
enum { APP = 0, ACTIVE = 1, STAGE = 2 };

static struct device_image *image_of(struct device *d, bl_span id, size_t *i)
{
    for (*i = 0; *i < DEVICE_COMPONENTS; ++*i) {
        if (bl_span_equal(id, bl_span_of(known[*i].id, known[*i].n))) {
            return &d->image[*i];
        }
    }
    return NULL;
}

static bl_status component(void *ctx, bl_span id,
                           struct bl_suit_component *out)
{
    struct device *d = ctx;
    size_t i;

    if (image_of(d, id, &i) == NULL) {
        return BL_COMPONENT;
    }
    out->slot = i == ACTIVE ? (uint8_t)(1 - d->target) : d->target;
    out->writable = known[i].writable;
    out->fleeting = i == ACTIVE || i == STAGE;
    out->capacity = DEVICE_CAPACITY;
    return BL_OK;
}

static bl_status image_match(void *ctx, bl_span id, const uint8_t digest[32],
                             uint32_t size, bl_verdict *verdict)
{
    struct device *d = ctx;
    uint8_t own[32];
    size_t i;
    struct device_image *image = image_of(d, id, &i);

    *verdict = BL_BAD;
    if (image == NULL) {
        return BL_COMPONENT;
    }
    if (i == ACTIVE) {
        if (size == d->active_size) {
            *verdict = bl_equal(digest, d->active_digest, 32);
        }
    } else if (image->present && size <= DEVICE_CAPACITY) {
        bl_sha256(image->bytes, size, own);
        *verdict = bl_equal(digest, own, 32);
    }
    return BL_OK;
}

static bl_status store(struct device *d, bl_span id, bl_span content)
{
    size_t i;
    struct device_image *image = image_of(d, id, &i);

    if (image == NULL || !known[i].writable) {
        return BL_COMPONENT_FORBIDDEN;
    }
    if (content.n > DEVICE_CAPACITY) {
        return BL_NO_SPACE;
    }
    if (image->bytes == NULL) {
        image->bytes = remember(d->check, DEVICE_CAPACITY);
    }
    memset(image->bytes, 0xFF, DEVICE_CAPACITY);
    memcpy(image->bytes, content.p, content.n);
    image->size = (uint32_t)content.n;
    image->present = true;
    return BL_OK;
}

static bl_status write_content(void *ctx, bl_span id, bl_span content)
{
    return store(ctx, id, content);
}

static bl_status copy(void *ctx, bl_span to, bl_span from, uint32_t size)
{
    struct device *d = ctx;
    size_t i;
    const struct device_image *source = image_of(d, from, &i);

    if (source == NULL || !source->present || source->size < size) {
        return BL_FLASH;
    }
    return store(d, to, bl_span_of(source->bytes, size));
}

/* --- Deltas ----------------------------------------------------------------
 */

static bl_status apply_patch(struct device *d, const struct bl_suit_apply *a,
                             const struct device_image *patch)
{
    struct buffer image = BUFFER(DEVICE_CAPACITY);
    struct error error = {0};
    bl_status status = BL_DELTA_FORMAT;

    if (diff_apply(d->active.p, d->active.n, patch->bytes, a->patch_size,
                   &image, &error) == 0 &&
        image.n == a->size) {
        status = store(d, a->component, buffer_span(&image));
    }
    buffer_free(&image);
    return status;
}

/* The payload with this digest, of any vector in the file. */
static bl_span find_image(struct device *d, const uint8_t digest[32])
{
    const json_t *vector;
    const char *uri;
    json_t *hex;
    size_t i;

    json_array_foreach(d->check->all, i, vector)
    {
        json_t *payloads = json_object_get(vector, "payloads");

        json_object_foreach(payloads, uri, hex)
        {
            bl_span content = hex_of(d->check, payloads, uri);
            uint8_t own[32];

            bl_sha256(content.p, content.n, own);
            if (bl_equal(own, digest, sizeof own) == BL_GOOD) {
                return content;
            }
        }
    }
    return bl_span_of(NULL, 0);
}

static bl_status play(struct device *d, const struct bl_suit_apply *a)
{
    bl_span image = find_image(d, a->digest);

    if (image.p == NULL || image.n != a->size) {
        return BL_DELTA_FORMAT;
    }
    d->played = true;
    return store(d, a->component, image);
}

static bl_status apply(void *ctx, const struct bl_suit_apply *a)
{
    struct device *d = ctx;
    size_t i;
    const struct device_image *patch = image_of(d, a->patch, &i);
    size_t base;
    bl_status status;

    if (patch == NULL || !patch->present || patch->size != a->patch_size ||
        image_of(d, a->base, &base) == NULL || base != ACTIVE ||
        a->base_size != d->active_size ||
        bl_equal(a->base_digest, d->active_digest, 32) != BL_GOOD) {
        return BL_DELTA_BASE;
    }
    status = d->active.n > 0 ? apply_patch(d, a, patch) : play(d, a);
    d->applied = d->applied || status == BL_OK;
    return status;
}

static bl_status content_match(void *ctx, bl_span id, bl_span content,
                               bl_verdict *verdict)
{
    struct device *d = ctx;
    size_t i;
    const struct device_image *image = image_of(d, id, &i);

    *verdict = image != NULL && image->present && image->size == content.n
                   ? bl_equal(image->bytes, content.p, content.n)
                   : BL_BAD;
    return BL_OK;
}

static const uint8_t *id_of(struct check *c, const json_t *state,
                            const char *key)
{
    bl_span id = hex_of(c, state, key);

    if (id.n != 16) {
        fail(c, "\"%s\" is not 16 bytes", key);
    }
    return id.p;
}

static void read_version(struct device *d, const json_t *state)
{
    const json_t *version = json_object_get(state, "current_version");
    size_t i;
    const json_t *element;

    json_array_foreach(version, i, element)
    {
        if (i < DEVICE_VERSION) {
            d->version[i] = (int32_t)json_integer_value(element);
        }
    }
    d->platform.version = d->version;
    d->platform.n_version = (uint32_t)json_array_size(version);
    if (d->platform.n_version > DEVICE_VERSION) {
        fail(d->check, "\"current_version\" has too many elements");
    }
}

void device_init(struct device *d, struct check *c, const json_t *vector)
{
    const json_t *state = json_object_get(vector, "device_state");
    bl_span digest = hex_of(c, state, "active_image_sha256");

    memset(d, 0, sizeof *d);
    d->check = c;
    d->payloads = json_object_get(vector, "payloads");
    d->target = number_of(c, state, "active_slot") == 0 ? 1 : 0;
    d->sequence = number_of(c, state, "current_sequence_number");
    d->active_size = (uint32_t)number_of(c, state, "active_image_size");
    if (digest.n == sizeof d->active_digest) {
        memcpy(d->active_digest, digest.p, digest.n);
    } else {
        fail(c, "\"active_image_sha256\" is not 32 bytes");
    }
    d->platform.ctx = d;
    d->platform.vendor_id = id_of(c, state, "vendor_id");
    d->platform.class_id = id_of(c, state, "class_id");
    d->platform.n_class_ids = 1;
    d->platform.now = vectors_now;
    d->platform.component = component;
    d->platform.image_match = image_match;
    d->platform.write = write_content;
    d->platform.copy = copy;
    d->platform.apply = apply;
    d->platform.content_match = content_match;
    read_version(d, state);
    if (json_object_get(state, "active_image") != NULL) {
        d->active = hex_of(c, state, "active_image");
    }
}

bl_status device_fetch(struct device *d, const struct bl_suit_fetch *fetch)
{
    bl_span payload = fetch->integrated;
    uint8_t digest[32];
    char uri[BL_SUIT_URI + 1];

    if (payload.p == NULL) {
        memcpy(uri, fetch->uri.p, fetch->uri.n);
        uri[fetch->uri.n] = '\0';
        if (json_object_get(d->payloads, uri) == NULL) {
            return BL_HTTP;
        }
        payload = hex_of(d->check, d->payloads, uri);
    }
    if (payload.n != fetch->size) {
        return payload.n > fetch->size ? BL_PAYLOAD_LONG : BL_PAYLOAD_SHORT;
    }
    bl_sha256(payload.p, payload.n, digest);
    if (bl_equal(digest, fetch->digest, sizeof digest) != BL_GOOD) {
        return BL_PAYLOAD_DIGEST;
    }
    return store(d, fetch->component, payload);
}

bool device_digest(const struct device *d, const char *name,
                   uint8_t digest[32])
{
    size_t i;

    for (i = 0; i < DEVICE_COMPONENTS; i++) {
        if (strcmp(known[i].name, name) == 0 && d->image[i].present) {
            bl_sha256(d->image[i].bytes, d->image[i].size, digest);
            return true;
        }
    }
    return false;
}

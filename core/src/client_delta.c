/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A payload that comes as a patch to the running image. The patch is fetched
 * instead of the payload; the decoder's output takes the way of a payload's
 * bytes. Whether it was right is the payload's digest to say, so that nothing
 * here needs to be trusted, and every failure has one answer: the whole
 * payload.
 */
#include "client_delta.h"

#include "bowline/delta.h"
#include "frame.h"
#include "install_apply.h"
#include "storage.h"

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* --- What the decoder reads and writes ------------------------------------
 */

static bl_status on_old(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    const struct bl_client *c = ctx;
    const struct bl_layout *layout = c->config.layout;
    const struct bl_area *area = &layout->component[0].area[c->slot];

    if (offset > c->image_size || n > c->image_size - offset) {
        return BL_DELTA_FORMAT;
    }
    return layout->flash->read(layout->flash->ctx, area->offset + offset, out,
                               n);
}

static bl_status on_written(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    const struct bl_client *c = ctx;

    return bl_install_written(&c->install, offset, out, n);
}

static bl_status on_write(void *ctx, const void *data, uint32_t n)
{
    struct bl_client *c = ctx;
    uint32_t drop = least(n, c->delta.drop);

    c->delta.drop -= drop;
    return n == drop ? BL_OK
                     : bl_install_data(&c->install,
                                       (const uint8_t *)data + drop, n - drop);
}

/* --- The offer -------------------------------------------------------------
 */

static uint32_t sets(void)
{
    return bl_delta_isas();
}

static void offer(struct bl_client *c, const struct bl_delta_offer *o)
{
    struct bl_client_delta *d = &c->delta;

    d->size = 0;
    d->why = BL_OK;
    if (o->patch.p == NULL || o->size == 0 || c->image_size == 0) {
        return;
    }
    if (memcmp(o->base.p, c->image_digest, 32) != 0) {
        d->why = BL_DELTA_BASE; /* not for this device */
        return;
    }
    d->size = o->size;
    memcpy(d->payload, o->payload.p, 32);
    memcpy(d->patch, o->patch.p, 32);
}

/* Once is enough for one release, also over a reset. */
static BL_APART bool failed_before(const struct bl_client *c)
{
    struct bl_event event[2];
    uint32_t after = 0;
    uint32_t n = 0;

    while (bl_journal_read(&c->journal, after, event, 2, &n) == BL_OK &&
           n > 0) {
        for (uint32_t i = 0; i < n; i++) {
            if (event[i].sequence == c->sequence &&
                event[i].state == BL_STATE_DOWNLOADING &&
                event[i].code == BL_DELTA_FAILED) {
                return true;
            }
        }
        after = event[n - 1].number;
    }
    return false;
}

static void tell_failure(struct bl_client *c, bl_status why)
{
    struct bl_client_delta *d = &c->delta;

    d->on = false;
    d->size = 0;
    d->why = why;
    d->decoder = NULL;
    bl_client_enter(c, BL_STATE_DOWNLOADING, BL_DELTA_FAILED);
}

/* Is the running image still what its manifest and the offer say? */
static bool base_is_good(const struct bl_client *c)
{
    const struct bl_client_config *config = &c->config;
    uint8_t digest[32];

    return bl_slot_digest(config->layout, c->slot,
                          config->layout->component[0].id, c->image_size,
                          config->io, config->io_size, digest) == BL_OK &&
           bl_equal(digest, c->image_digest, 32) == BL_GOOD;
}

static void start(struct bl_client *c)
{
    struct bl_client_delta *d = &c->delta;

    d->io.ctx = c;
    d->io.old = on_old;
    d->io.written = on_written;
    d->io.write = on_write;
    d->decoder = NULL;
    d->received = 0;
    d->again = 0;
    d->ram = 0;
    d->kept = 0;
    d->drop = c->install.done;
    if (c->install.done > 0 && bl_client_delta_find(c)) {
        d->drop -= bl_delta_written(d->decoder);
    }
}

static bool begin(struct bl_client *c)
{
    struct bl_client_delta *d = &c->delta;
    uint32_t left = c->install.size - c->install.done;

    if (d->size == 0 || memcmp(d->payload, c->install.digest, 32) != 0 ||
        failed_before(c)) {
        return false;
    }
    if (!base_is_good(c)) {
        tell_failure(c, BL_DELTA_BASE);
        return false;
    }
    start(c);
    return d->size - d->received < left; /* else the rest is shorter */
}

/* --- The transfer ---------------------------------------------------------
 */

static bool has_all(const struct bl_client *c)
{
    return c->delta.received == c->delta.size;
}

static void get(struct bl_client *c, struct bl_action *action)
{
    const struct bl_client_delta *d = &c->delta;

    action->uri = bl_client_uri(c, "deltas/", d->patch);
    action->size = d->size;
    action->offset = d->received;
    memcpy(action->etag, d->patch, 32);
}

/* Busy or broken servers are asked again; one that has no such patch, or that
 * says no, is not. */
static bool is_passing(int status)
{
    return status == 408 || status == 429 || status >= 500;
}

static bl_status body(struct bl_client *c, int status, uint32_t offset)
{
    struct bl_client_delta *d = &c->delta;

    d->again = 0;
    if (status == 206) {
        return offset == d->received ? BL_OK : BL_HTTP;
    }
    if (status == 200 && offset == 0) {
        d->again = d->received; /* Range was ignored */
        return BL_OK;
    }
    return is_passing(status) ? BL_HTTP : BL_DELTA_FAILED;
}

/* One quantum after the other. */
static bl_status feed(struct bl_client *c, const uint8_t *data, size_t n)
{
    bl_status s = BL_OK;

    while (n > 0 && s == BL_OK) {
        size_t taken = 0;

        s = bl_delta_data(c->delta.decoder, data, n, &taken);
        data += taken;
        n -= taken;
        if (s == BL_OK) {
            bl_client_delta_keep(c);
        }
        if (c->config.busy != NULL) {
            c->config.busy(c->config.ctx);
        }
    }
    return s;
}

/* The decoder starts with a head that is whole; until then its bytes wait in
 * what will be the decoder's memory. */
static BL_APART bl_status open_patch(struct bl_client *c)
{
    struct bl_client_delta *d = &c->delta;
    const struct bl_client_config *config = &c->config;
    uint8_t first[BL_DELTA_HEAD];
    struct bl_delta_info info;
    bl_status s = bl_delta_head(config->delta_memory, d->received, &info);

    if (s == BL_BUFFER && d->received < least(BL_DELTA_HEAD, d->size)) {
        return BL_OK;
    }
    if (s == BL_OK) {
        s = bl_delta_fits(&info, c->image_size, c->image_digest,
                          c->install.size, c->install.digest);
    }
    if (s != BL_OK) {
        return s == BL_BUFFER ? BL_DELTA_FORMAT : s;
    }
    memcpy(first, config->delta_memory, d->received);
    s = bl_delta_start(&info, &d->io, c->image_size, c->install.size,
                       config->delta_memory, config->delta_memory_size,
                       &d->decoder);
    if (s != BL_OK) {
        d->decoder = NULL;
        return s;
    }
    d->ram = info.ram;
    return feed(c, first, d->received);
}

static bl_status data(struct bl_client *c, const uint8_t *p, size_t n)
{
    struct bl_client_delta *d = &c->delta;
    uint32_t again =
        n < d->again ? (uint32_t)n : d->again; /* had them already */
    bl_status s = BL_OK;

    d->again -= again;
    p += again;
    n -= again;
    if (n > d->size - d->received) {
        return BL_DELTA_FORMAT;
    }
    while (s == BL_OK && n > 0 && d->decoder == NULL) {
        c->config.delta_memory[d->received++] = *p++;
        n--;
        s = open_patch(c);
    }
    if (s == BL_OK && n > 0) {
        s = feed(c, p, n);
        d->received += (uint32_t)n;
    }
    return s;
}

/* --- The end ---------------------------------------------------------------
 */

static bl_status finish(struct bl_client *c)
{
    struct bl_client_delta *d = &c->delta;
    bl_status s = BL_OK;
    bool whole = false;

    if (d->decoder == NULL || d->received != d->size) {
        return BL_DELTA_FORMAT;
    }
    while (s == BL_OK && !whole) {
        s = bl_delta_end(d->decoder, &whole);
        if (s == BL_OK && !whole) {
            bl_client_delta_keep(c);
        }
        if (c->config.busy != NULL) {
            c->config.busy(c->config.ctx);
        }
    }
    if (s != BL_OK) {
        return s;
    }
    bl_client_enter(c, BL_STATE_VERIFYING, BL_OK);
    return bl_install_end(&c->install);
}

/*
 * From here on the payload comes whole. When the patch cannot be had, or gave
 * nothing in this boot, what is in flash stays: if that was wrong after all,
 * the digest says so, and there is one more try in one piece.
 */
static bl_status fall_back(struct bl_client *c, bl_status why)
{
    bool absent =
        why == BL_HTTP || why == BL_DELTA_FAILED || c->delta.decoder == NULL;
    bl_status s = BL_OK;

    tell_failure(c, why);
    c->attempt = 0;
    if (absent) {
        c->stitched = bl_install_pause(&c->install) > 0;
    } else {
        c->stitched = false;
        s = bl_install_restart(&c->install);
    }
    return s == BL_OK ? BL_TO_BE_FETCHED : s;
}

/* Flash that fails would fail a whole payload as well. */
static bool flash_failed(const struct bl_client *c)
{
    return c->install.status == BL_FLASH || c->install.status == BL_READ_BACK;
}

static bl_status done(struct bl_client *c, bl_status broken, bool ok)
{
    bool last = c->attempt + 1U >= c->config.download_attempts;
    bl_status s = broken;

    if (s == BL_OK && !ok && !has_all(c)) {
        s = BL_TRANSPORT;
    }
    if (s == BL_TRANSPORT || (s == BL_HTTP && !last)) {
        return s;
    }
    if (s == BL_OK) {
        s = finish(c);
    }
    if (s != BL_OK && !flash_failed(c)) {
        return fall_back(c, s);
    }
    c->delta.on = false;
    return s;
}

/* --- A manifest's own -----------------------------------------------------
 */

static bl_status apply(struct bl_client *c, const struct bl_suit_apply *a)
{
    struct bl_workspace space;

    space.memory = c->config.delta_memory;
    space.size = c->config.delta_memory_size;
    space.busy = c->config.busy;
    space.ctx = c->config.ctx;
    return bl_install_apply(&c->install, a, &space);
}

const struct bl_delta_engine bl_delta_engine = {
    sets, offer, begin, has_all, get, body, data, done, apply};

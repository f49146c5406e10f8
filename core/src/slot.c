/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/slot.h"

#include "bowline/cbor.h"
#include "frame.h"
#include "label.h"
#include "storage.h"
#include "suit_private.h"

/* --- Where things lie ---------------------------------------------------- */

bl_status bl_component_find(const struct bl_layout *layout, bl_span id,
                            uint32_t *index)
{
    uint32_t i;

    for (i = 0; i < layout->n_components; i++) {
        if (bl_span_equal(layout->component[i].id, id)) {
            *index = i;
            return BL_OK;
        }
    }
    return BL_COMPONENT;
}

bl_status bl_slot_area(const struct bl_layout *layout, uint8_t slot,
                       bl_span component_id, struct bl_area *area,
                       bool *writable)
{
    const struct bl_component *c;
    uint32_t i;
    bl_status status = bl_component_find(layout, component_id, &i);

    if (status != BL_OK) {
        return status;
    }
    if (slot > BL_SLOT_B) {
        return BL_ARGUMENT;
    }
    c = &layout->component[i];
    *writable = c->kind != BL_COMPONENT_ACTIVE;
    if (c->kind == BL_COMPONENT_ACTIVE) {
        *area = layout->component[c->of].area[1 - slot];
    } else {
        *area = c->area[c->kind == BL_COMPONENT_STAGE ? 0 : slot];
    }
    return BL_OK;
}

bl_status bl_slot_component(const struct bl_layout *layout, uint8_t slot,
                            bl_span component_id,
                            struct bl_suit_component *out)
{
    struct bl_area area;
    uint32_t i;
    bl_status status =
        bl_slot_area(layout, slot, component_id, &area, &out->writable);

    if (status == BL_OK) {
        status = bl_component_find(layout, component_id, &i);
    }
    if (status == BL_OK) {
        out->fleeting = layout->component[i].kind != BL_COMPONENT_SLOTS;
        out->slot = slot;
        out->capacity = area.size;
    }
    return status;
}

bl_status bl_slot_envelope(const struct bl_layout *layout, uint8_t slot,
                           uint8_t *buffer, size_t size, bl_span *out)
{
    const struct bl_flash *flash = layout->flash;
    const struct bl_area *area;
    uint8_t head[4];
    uint32_t n;

    if (slot > BL_SLOT_B) {
        return BL_ARGUMENT;
    }
    area = &layout->manifest[slot];
    if (flash->read(flash->ctx, area->offset, head, sizeof head) != BL_OK) {
        return BL_FLASH;
    }
    n = bl_get32(head);
    if (n == 0 || n > area->size - sizeof head) {
        return BL_NO_IMAGE;
    }
    if (n > size) {
        return BL_BUFFER;
    }
    if (flash->read(flash->ctx, area->offset + (uint32_t)sizeof head, buffer,
                    n) != BL_OK) {
        return BL_FLASH;
    }
    *out = bl_span_of(buffer, n);
    return BL_OK;
}

bl_status bl_slot_digest(const struct bl_layout *layout, uint8_t slot,
                         bl_span component_id, uint32_t size, uint8_t *io,
                         size_t io_size, uint8_t digest[32])
{
    const struct bl_flash *flash = layout->flash;
    struct bl_sha256 hash;
    struct bl_area area;
    bool writable;
    uint32_t at = 0;
    bl_status status =
        bl_slot_area(layout, slot, component_id, &area, &writable);

    if (status != BL_OK) {
        return status;
    }
    if (size > area.size) {
        return BL_NO_SPACE;
    }
    if (io_size == 0) {
        return BL_BUFFER;
    }
    bl_sha256_init(&hash);
    while (at < size) {
        uint32_t n = size - at < io_size ? size - at : (uint32_t)io_size;

        if (flash->read(flash->ctx, area.offset + at, io, n) != BL_OK) {
            return BL_FLASH;
        }
        bl_sha256_update(&hash, io, n);
        at += n;
    }
    bl_sha256_final(&hash, digest);
    return BL_OK;
}

/* --- A slot's verdict ---------------------------------------------------- */

struct checker {
    const struct bl_layout *layout;
    uint8_t slot;
    uint8_t *io;
    size_t io_size;
    struct bl_slot_facts *facts;
    bool matched;    /* component 0 */
    bl_status flash; /* an error that says nothing about the slot's content */
};

static bl_status on_component(void *ctx, bl_span id,
                              struct bl_suit_component *out)
{
    const struct checker *checker = ctx;

    return bl_slot_component(checker->layout, checker->slot, id, out);
}

static bl_status on_image_match(void *ctx, bl_span id,
                                const uint8_t digest[32], uint32_t size,
                                bl_verdict *verdict)
{
    struct checker *checker = ctx;
    uint8_t stored[32];
    bl_status status = bl_slot_digest(checker->layout, checker->slot, id, size,
                                      checker->io, checker->io_size, stored);

    if (status == BL_FLASH) {
        checker->flash = status;
    }
    if (status != BL_OK) {
        return status;
    }
    *verdict = bl_equal(stored, digest, sizeof stored);
    if (*verdict == BL_GOOD &&
        bl_span_equal(id, checker->layout->component[0].id)) {
        checker->matched = true;
        checker->facts->image_size = size;
        memcpy(checker->facts->image_digest, stored, sizeof stored);
    }
    return BL_OK;
}

static bl_status on_content_match(void *ctx, bl_span id, bl_span content,
                                  bl_verdict *verdict)
{
    struct checker *checker = ctx;
    struct bl_area area;
    bool writable;
    bl_status status =
        bl_slot_area(checker->layout, checker->slot, id, &area, &writable);

    if (status != BL_OK) {
        return status;
    }
    *verdict = BL_BAD;
    if (content.n > area.size) {
        return BL_OK;
    }
    status = bl_flash_compare(checker->layout->flash, area.offset, content.p,
                              (uint32_t)content.n);
    if (status == BL_FLASH) {
        checker->flash = status;
        return status;
    }
    *verdict = status == BL_OK ? BL_GOOD : BL_BAD;
    return BL_OK;
}

/* Checking changes nothing: these two are there for the scan, which refuses a
 * manifest whose commands the device does not know. */
static bl_status on_write(void *ctx, bl_span id, bl_span content)
{
    (void)ctx;
    (void)id;
    (void)content;
    return BL_COMPONENT_FORBIDDEN;
}

static bl_status on_copy(void *ctx, bl_span to, bl_span from, uint32_t size)
{
    (void)ctx;
    (void)to;
    (void)from;
    (void)size;
    return BL_COMPONENT_FORBIDDEN;
}

static void make_platform(struct bl_suit_platform *platform,
                          const struct bl_suit_platform *identity,
                          struct checker *checker)
{
    memset(platform, 0, sizeof *platform);
    platform->ctx = checker;
    platform->vendor_id = identity->vendor_id;
    platform->class_id = identity->class_id;
    platform->n_class_ids = identity->n_class_ids;
    platform->device_id = identity->device_id;
    platform->component = on_component;
    platform->image_match = on_image_match;
    platform->write = on_write;
    platform->copy = on_copy;
    platform->content_match = on_content_match;
    platform->installed = true;
}

/* Runs validate and load; good when the invocation of component 0 comes. */
static BL_APART bl_verdict invoke(struct checker *checker,
                                  const struct bl_suit_envelope *envelope,
                                  const struct bl_suit_manifest *manifest,
                                  const struct bl_suit_platform *platform)
{
    struct bl_suit_run run;
    bl_suit_event event = BL_SUIT_FETCH;

    if (bl_suit_start(&run, envelope, manifest, platform, BL_SUIT_INVOKE) !=
            BL_OK ||
        bl_suit_step(&run, &event) != BL_OK) {
        return BL_BAD;
    }
    return event == BL_SUIT_JUMP && checker->matched &&
                   bl_span_equal(run.fetch.component,
                                 checker->layout->component[0].id)
               ? BL_GOOD
               : BL_BAD;
}

static BL_APART void check_manifest(struct checker *checker,
                                    const struct bl_suit_envelope *envelope,
                                    const struct bl_suit_platform *identity)
{
    struct bl_suit_platform platform;
    struct bl_suit_manifest manifest;
    struct bl_slot_facts *facts = checker->facts;

    make_platform(&platform, identity, checker);
    memcpy(facts->manifest, envelope->digest, sizeof facts->manifest);
    if (bl_suit_wrapped_match(envelope->manifest, envelope->digest) ==
            BL_GOOD &&
        bl_suit_scan(envelope, &platform, &manifest) == BL_OK) {
        facts->sequence = manifest.sequence;
        facts->whole = invoke(checker, envelope, &manifest, &platform);
    }
}

bl_status bl_slot_check(const struct bl_layout *layout, uint8_t slot,
                        const struct bl_root *root,
                        const struct bl_suit_platform *identity,
                        const struct bl_crypto *crypto,
                        uint8_t *envelope_buffer, size_t envelope_size,
                        uint8_t *io, size_t io_size, struct bl_slot_facts *out)
{
    struct bl_suit_envelope envelope;
    struct checker checker = {layout, slot, io, io_size, out, false, BL_OK};
    bl_span bytes;
    bl_status status =
        bl_slot_envelope(layout, slot, envelope_buffer, envelope_size, &bytes);

    memset(out, 0, sizeof *out);
    out->whole = BL_BAD;
    out->signed_ok = BL_BAD;
    if (status != BL_OK) {
        return status;
    }
    if (bl_suit_read(bytes, &envelope) == BL_OK) {
        if (bl_suit_authenticate(&envelope, root, crypto, NULL) == BL_OK) {
            out->signed_ok = BL_GOOD;
        }
        check_manifest(&checker, &envelope, identity);
    }
    if (checker.flash != BL_OK) {
        out->whole = BL_BAD;
    }
    return checker.flash;
}

/* --- The root document --------------------------------------------------- */

enum { ROOT_HEAD = 8, ROOT_PEEK = 64 };

struct copy {
    bool valid;
    uint32_t n;
    uint64_t version;
};

static bl_status copy_crc(const struct bl_flash *flash, uint32_t offset,
                          uint32_t n, uint32_t *crc)
{
    uint8_t chunk[BL_IO_CHUNK];

    *crc = 0;
    while (n > 0) {
        uint32_t part = n < sizeof chunk ? n : (uint32_t)sizeof chunk;

        if (flash->read(flash->ctx, offset, chunk, part) != BL_OK) {
            return BL_FLASH;
        }
        *crc = bl_crc32(*crc, chunk, part);
        offset += part;
        n -= part;
    }
    return BL_OK;
}

/*
 * The version of a document of which only the beginning is at hand: io may be
 * smaller than a document. 0 when it is not to be had; a document that was
 * accepted has one.
 */
static uint64_t peek_version(bl_span start)
{
    struct bl_cbor r;
    bl_span skip;
    uint64_t tag;
    uint64_t version;
    uint32_t n;

    bl_cbor_init(&r, start);
    if (bl_cbor_tag(&r, &tag) != BL_OK || bl_cbor_array(&r, &n) != BL_OK ||
        bl_cbor_bstr(&r, &skip) != BL_OK || bl_cbor_item(&r, &skip) != BL_OK ||
        r.end - r.p < 3 || (*r.p >> 5) != BL_CBOR_BSTR) {
        return 0;
    }
    /* Step over the head only: the content ends behind `start`. */
    r.p += (*r.p & 31) == 25 ? 3 : (*r.p & 31) == 24 ? 2 : 1;
    return bl_cbor_map(&r, &n) == BL_OK && bl_label_uint(&r, 1, &version) &&
                   bl_label_uint(&r, 2, &version)
               ? version
               : 0;
}

static bl_status copy_look(const struct bl_layout *layout, uint32_t i,
                           struct copy *copy)
{
    const struct bl_flash *flash = layout->flash;
    const struct bl_area *area = &layout->root[i];
    uint8_t start[ROOT_HEAD + ROOT_PEEK];
    uint32_t crc;
    uint32_t peek;

    memset(copy, 0, sizeof *copy);
    if (flash->read(flash->ctx, area->offset, start, sizeof start) != BL_OK) {
        return BL_FLASH;
    }
    copy->n = bl_get32(start);
    if (copy->n == 0 || copy->n > area->size - ROOT_HEAD) {
        return BL_OK;
    }
    if (copy_crc(flash, area->offset + ROOT_HEAD, copy->n, &crc) != BL_OK) {
        return BL_FLASH;
    }
    copy->valid = crc == bl_get32(start + 4);
    peek = copy->n < ROOT_PEEK ? copy->n : (uint32_t)ROOT_PEEK;
    copy->version = peek_version(bl_span_of(start + ROOT_HEAD, peek));
    return BL_OK;
}

/* Looks at both; `*best` is the valid one with the higher version. */
static bl_status copies_look(const struct bl_layout *layout,
                             struct copy copy[2], uint32_t *best)
{
    bl_status status = copy_look(layout, 0, &copy[0]);

    if (status == BL_OK) {
        status = copy_look(layout, 1, &copy[1]);
    }
    if (status == BL_OK) {
        *best = copy[1].valid &&
                        (!copy[0].valid || copy[1].version > copy[0].version)
                    ? 1
                    : 0;
    }
    return status;
}

static bl_status copy_read(const struct bl_layout *layout, uint32_t i,
                           const struct copy *copy, uint8_t *buffer,
                           size_t size, struct bl_root *out)
{
    const struct bl_flash *flash = layout->flash;

    if (!copy->valid) {
        return BL_ROOT;
    }
    if (copy->n > size) {
        return BL_BUFFER;
    }
    if (flash->read(flash->ctx, layout->root[i].offset + ROOT_HEAD, buffer,
                    copy->n) != BL_OK) {
        return BL_FLASH;
    }
    return bl_root_read(bl_span_of(buffer, copy->n), out);
}

bl_status bl_root_load(const struct bl_layout *layout, uint8_t *buffer,
                       size_t size, bl_span *document, struct bl_root *out)
{
    struct copy copy[2];
    uint32_t i;
    bl_status status = copies_look(layout, copy, &i);

    if (status != BL_OK) {
        return status;
    }
    status = copy_read(layout, i, &copy[i], buffer, size, out);
    if (status != BL_OK && status != BL_FLASH && copy[1 - i].valid) {
        /* A copy that is whole but no root document: the other may be. */
        i = 1 - i;
        status = copy_read(layout, i, &copy[i], buffer, size, out);
    }
    if (status == BL_OK) {
        *document = bl_span_of(buffer, copy[i].n);
    }
    return status;
}

/* Power cut: the copy that is written is not the one that counts, so the old
 * document is read until the new one is whole. */
bl_status bl_root_save(const struct bl_layout *layout, bl_span document,
                       uint8_t *io, size_t io_size)
{
    struct copy copy[2];
    uint8_t head[ROOT_HEAD];
    uint32_t best;
    bl_status status = copies_look(layout, copy, &best);

    if (status != BL_OK) {
        return status;
    }
    if (document.n == 0) {
        return BL_ARGUMENT;
    }
    bl_put32(head, (uint32_t)document.n);
    bl_put32(head + 4, bl_crc32(0, document.p, document.n));
    return bl_flash_store(
        layout->flash, &layout->root[copy[best].valid ? 1 - best : 0],
        bl_span_of(head, sizeof head), document, io, io_size);
}

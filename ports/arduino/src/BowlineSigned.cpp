/* SPDX-License-Identifier: Apache-2.0 */
#include "BowlineSigned.h"

#include <Update.h>

#include <new>

/* ["app"], the component that `bowline release` makes. */
static const uint8_t app_id[] = {0x81, 0x43, 'a', 'p', 'p'};

static bool is_app(bl_span id)
{
    return bl_span_equal(id, bl_span_of(app_id, sizeof app_id));
}

static const char *why(bl_status status)
{
    return status == BL_OK ? nullptr : bl_status_meaning(status);
}

/* --- What core may ask of this device ------------------------------------ */

bl_status BowlineSigned::component(void *ctx, bl_span id,
                                   struct bl_suit_component *out)
{
    if (!is_app(id)) {
        return BL_COMPONENT;
    }
    out->writable = true;
    out->capacity = static_cast<BowlineSigned *>(ctx)->capacity_;
    return BL_OK;
}

/* Of the bytes that went to Update. Before they are all there, nothing is in
 * the slot that could match. */
bl_status BowlineSigned::match(void *ctx, bl_span, const uint8_t digest[32],
                               uint32_t size, bl_verdict *verdict)
{
    const BowlineSigned *s = static_cast<BowlineSigned *>(ctx);

    *verdict = s->size_ != 0 && s->done_ == s->size_ && size == s->size_
                   ? bl_equal(s->digest_, digest, 32)
                   : BL_BAD;
    return BL_OK;
}

/* An image inside the manifest: larger than what fits into the buffer. */
bl_status BowlineSigned::write(void *, bl_span, bl_span)
{
    return BL_COMPONENT_FORBIDDEN;
}

bl_status BowlineSigned::content(void *, bl_span, bl_span, bl_verdict *verdict)
{
    *verdict = BL_BAD;
    return BL_OK;
}

/* --- The manifest -------------------------------------------------------- */

BowlineSigned::~BowlineSigned()
{
    delete[] envelope_;
}

const char *BowlineSigned::begin(const BowlineTrust &trust, uint32_t capacity)
{
    bl_status s;

    if (trust.root == nullptr || trust.vendor == nullptr ||
        trust.product == nullptr) {
        return "No Root Document Or Product";
    }
    if (bowline_crypto_open() != ESP_OK ||
        bowline_vendor_id(trust.vendor, vendor_id_) != ESP_OK ||
        bowline_class_id(vendor_id_, trust.product, class_id_) != ESP_OK) {
        return "Crypto Failed";
    }
    s = bl_root_accept(bl_span_of(trust.root, trust.root_n), nullptr,
                       &bowline_crypto, &root_);
    if (s != BL_OK) {
        return why(s);
    }
    envelope_ = new (std::nothrow) uint8_t[ENVELOPE];
    if (envelope_ == nullptr) {
        return "Not Enough Memory";
    }
    bl_push_reader_init(&reader_, envelope_, ENVELOPE);
    bl_sha256_init(&hash_);
    floor_ = trust.floor;
    capacity_ = capacity;
    return nullptr;
}

bl_status BowlineSigned::start()
{
    bl_suit_event event = BL_SUIT_DONE;
    bl_status s =
        bl_suit_start(&run_, &suit_, &manifest_, &platform_, BL_SUIT_UPDATE);

    if (s == BL_OK) {
        s = bl_suit_step(&run_, &event);
    }
    if (s == BL_OK &&
        (event != BL_SUIT_FETCH || !is_app(run_.fetch.component) ||
         run_.fetch.integrated.p != nullptr)) {
        s = BL_COMPONENT;
    }
    return s;
}

bl_status BowlineSigned::judge(bl_span envelope)
{
    bl_status s = bl_suit_read(envelope, &suit_);

    memset(&platform_, 0, sizeof platform_);
    platform_.ctx = this;
    platform_.vendor_id = vendor_id_;
    platform_.class_id = class_id_;
    platform_.n_class_ids = 1;
    platform_.now = root_.issued;
    platform_.component = component;
    platform_.image_match = match;
    platform_.write = write;
    platform_.content_match = content;
    if (s == BL_OK) {
        s = bl_suit_authenticate(&suit_, &root_, &bowline_crypto, nullptr);
    }
    if (s == BL_OK) {
        s = bl_suit_scan(&suit_, &platform_, &manifest_);
    }
    for (uint32_t i = 0; s == BL_OK && i < manifest_.n_components; i++) {
        if (!bl_root_may_write(&root_, BL_ROLE_RELEASE,
                               manifest_.component[i])) {
            s = BL_COMPONENT_FORBIDDEN;
        }
    }
    if (s == BL_OK && manifest_.sequence < root_.floor) {
        s = BL_SECURITY_FLOOR;
    }
    if (s == BL_OK && manifest_.sequence > root_.ceiling) {
        s = BL_SEQUENCE_HIGH;
    }
    if (s == BL_OK && manifest_.sequence < floor_) {
        s = BL_SEQUENCE_LOW;
    }
    return s == BL_OK ? start() : s;
}

/* --- The payload --------------------------------------------------------- */

const char *BowlineSigned::payload(uint32_t size)
{
    if (!judged_ || size_ != 0 || size != run_.fetch.size) {
        return "Not The Release's Payload";
    }
    if (!Update.begin(size)) {
        return Update.errorString();
    }
    size_ = size;
    return nullptr;
}

const char *BowlineSigned::data(bl_span bytes)
{
    bl_sha256_update(&hash_, bytes.p, bytes.n);
    done_ += (uint32_t)bytes.n;
    /* Update wants it writable, and does not write. */
    return Update.write(const_cast<uint8_t *>(bytes.p), bytes.n) == bytes.n
               ? nullptr
               : Update.errorString();
}

const char *BowlineSigned::part(const bl_push_part &part)
{
    switch (part.what) {
    case BL_PUSH_ENVELOPE:
        judged_ = true;
        return why(judge(part.bytes));
    case BL_PUSH_PAYLOAD:
        return payload(part.size);
    case BL_PUSH_DATA:
        return data(part.bytes);
    default:
        return nullptr;
    }
}

const char *BowlineSigned::take(const uint8_t *data, size_t n)
{
    bl_span left = bl_span_of(data, n);
    bl_push_part next;

    while (left.n > 0) {
        bl_status s = bl_push_take(&reader_, &left, &next);
        const char *no = s == BL_OK ? part(next) : why(s);

        if (no != nullptr) {
            return no;
        }
    }
    return nullptr;
}

const char *BowlineSigned::end()
{
    bl_suit_event event = BL_SUIT_FETCH;
    bl_status s;

    if (size_ == 0 || done_ != size_ || !bl_push_is_whole(&reader_)) {
        return "Not A Whole Release";
    }
    bl_sha256_final(&hash_, digest_);
    s = bl_suit_step(&run_, &event);
    if (s != BL_OK) {
        return why(s);
    }
    if (event != BL_SUIT_DONE) {
        return "The Release Wants More Than One Payload";
    }
    return Update.end() ? nullptr : Update.errorString();
}

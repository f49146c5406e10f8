/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pushed release (bowline/push_package.h): its manifest is run by core as on
 * any device, and what it fetches is the payload behind it. The bytes of that
 * go to Update; Update is ended only when core has said that all holds.
 * Private to the library.
 */
#ifndef BOWLINE_SIGNED_H
#define BOWLINE_SIGNED_H

#include "BowlineCrypto.h"

extern "C" {
#include "bowline/push_package.h"
#include "bowline/sha256.h"
#include "bowline/suit.h"
}

/* What a release is judged by. */
struct BowlineTrust {
    const uint8_t *root; /* document */
    size_t root_n;
    const char *vendor;
    const char *product;
    uint64_t floor; /* lowest sequence number that may be installed */
};

class BowlineSigned
{
  public:
    BowlineSigned()
    {
    }
    ~BowlineSigned();

    /* NULL, or why not: as all functions here. `capacity`: of the slot. */
    const char *begin(const BowlineTrust &trust, uint32_t capacity);
    /* The next bytes of the file. */
    const char *take(const uint8_t *data, size_t n);
    /* All have come: does the release hold? Ends Update when it does. */
    const char *end();

    uint64_t sequence() const
    {
        return manifest_.sequence;
    }

  private:
    enum { ENVELOPE = 8192 };

    bl_status judge(bl_span envelope);
    bl_status start();
    const char *payload(uint32_t size);
    const char *data(bl_span bytes);
    const char *part(const bl_push_part &part);

    static bl_status component(void *ctx, bl_span id,
                               struct bl_suit_component *out);
    static bl_status match(void *ctx, bl_span id, const uint8_t digest[32],
                           uint32_t size, bl_verdict *verdict);
    static bl_status write(void *ctx, bl_span id, bl_span content);
    static bl_status content(void *ctx, bl_span id, bl_span content,
                             bl_verdict *verdict);

    uint8_t *envelope_ = nullptr;
    uint64_t floor_ = 0;
    uint32_t capacity_ = 0;
    uint32_t size_ = 0; /* of the payload, 0: none has begun */
    uint32_t done_ = 0;
    bool judged_ = false;
    uint8_t digest_[32];
    uint8_t vendor_id_[16];
    uint8_t class_id_[16];
    struct bl_sha256 hash_;
    struct bl_push_reader reader_;
    struct bl_root root_;
    struct bl_suit_envelope suit_;
    struct bl_suit_manifest manifest_ = {};
    struct bl_suit_platform platform_;
    struct bl_suit_run run_;
};

#endif

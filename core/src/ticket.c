/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/ticket.h"

#include "label.h"

enum {
    CLAIM_EXPIRY = 4,
    CLAIM_ISSUED = 6,
    CLAIM_NONCE = 10,
    CLAIM_DEVICE = -65537,
    CLAIM_MANIFEST = -65538,
    CLAIM_ROOT = -65539,
    CLAIM_CLASS = -65540
};

static const char ticket_aad[] = "Bowline-Ticket-1";
static const char permit_aad[] = "Bowline-Permit-1";

static bool id(struct bl_cbor *r, int32_t name, bl_span *out)
{
    return bl_label_bstr(r, name, out) && out->n == BL_ID_SIZE;
}

/* A SUIT_Digest: [-16, 32 bytes]. */
static bool digest(struct bl_cbor *r, int32_t name, bl_span *out)
{
    uint32_t items;

    return bl_label(r, name) && bl_cbor_array(r, &items) == BL_OK &&
           items == 2 && bl_label_bstr(r, BL_ALG_SHA256, out) && out->n == 32;
}

/* As in CWT: not valid on or after its expiry. */
static bool expired(uint64_t expiry, uint64_t now)
{
    return now != 0 && now >= expiry;
}

struct ticket_content {
    uint64_t expiry, issued, root_version;
    bl_span nonce, device, manifest;
};

static bl_status ticket_read(bl_span payload, struct ticket_content *t)
{
    struct bl_cbor r;
    uint32_t pairs;

    bl_cbor_init(&r, payload);
    if (bl_cbor_map(&r, &pairs) != BL_OK || pairs != 6 ||
        !bl_label_uint(&r, CLAIM_EXPIRY, &t->expiry) ||
        !bl_label_uint(&r, CLAIM_ISSUED, &t->issued) ||
        !bl_label_bstr(&r, CLAIM_NONCE, &t->nonce) ||
        t->nonce.n < BL_NONCE_MIN || t->nonce.n > BL_NONCE_MAX ||
        !id(&r, CLAIM_DEVICE, &t->device) ||
        !digest(&r, CLAIM_MANIFEST, &t->manifest) ||
        !bl_label_uint(&r, CLAIM_ROOT, &t->root_version) ||
        bl_cbor_finish(&r) != BL_OK) {
        return BL_TICKET;
    }
    return BL_OK;
}

bl_status bl_ticket_check(bl_span ticket, const struct bl_root *root,
                          const uint8_t device_id[BL_ID_SIZE], bl_span nonce,
                          uint64_t now, const struct bl_crypto *crypto,
                          struct bl_ticket *out)
{
    struct bl_cose_sign1 message;
    struct ticket_content t;

    if (bl_cose_sign1_read(ticket, &message) != BL_OK || !message.attached) {
        return BL_TICKET;
    }
    if (bl_root_check(root, BL_ROLE_TICKET, &message, 1,
                      bl_span_of(ticket_aad, sizeof ticket_aad - 1),
                      message.payload, crypto, NULL) != BL_OK) {
        return BL_TICKET_SIGNATURE;
    }
    if (ticket_read(message.payload, &t) != BL_OK) {
        return BL_TICKET;
    }
    if (bl_equal(t.device.p, device_id, BL_ID_SIZE) != BL_GOOD) {
        return BL_TICKET_DEVICE;
    }
    if (t.nonce.n != nonce.n ||
        bl_equal(t.nonce.p, nonce.p, nonce.n) != BL_GOOD) {
        return BL_TICKET_NONCE;
    }
    if (expired(t.expiry, now)) {
        return BL_TICKET_EXPIRED;
    }
    out->expiry = t.expiry;
    out->issued = t.issued;
    out->root_version = t.root_version;
    memcpy(out->manifest, t.manifest.p, sizeof out->manifest);
    return t.root_version > root->version ? BL_TICKET_ROOT : BL_OK;
}

struct permit_content {
    uint64_t expiry, issued;
    bl_span device; /* empty: every device of the class */
    bl_span manifest, class_id;
};

static bl_status permit_read(bl_span payload, struct permit_content *p)
{
    struct bl_cbor r;
    uint32_t pairs;

    p->device = bl_span_of(NULL, 0);
    bl_cbor_init(&r, payload);
    if (bl_cbor_map(&r, &pairs) != BL_OK || pairs < 4 || pairs > 5 ||
        !bl_label_uint(&r, CLAIM_EXPIRY, &p->expiry) ||
        !bl_label_uint(&r, CLAIM_ISSUED, &p->issued) ||
        (pairs == 5 && !id(&r, CLAIM_DEVICE, &p->device)) ||
        !digest(&r, CLAIM_MANIFEST, &p->manifest) ||
        !id(&r, CLAIM_CLASS, &p->class_id) || bl_cbor_finish(&r) != BL_OK) {
        return BL_PERMIT;
    }
    return BL_OK;
}

bl_status bl_permit_check(bl_span permit, const struct bl_root *root,
                          const uint8_t device_id[BL_ID_SIZE],
                          const uint8_t class_id[BL_ID_SIZE],
                          const uint8_t manifest[32], uint64_t now,
                          const struct bl_crypto *crypto)
{
    struct bl_cose_sign message;
    struct permit_content p;

    if (bl_cose_sign_read(permit, &message) != BL_OK) {
        return BL_PERMIT;
    }
    if (bl_root_check_sign(root, BL_ROLE_RELEASE, &message,
                           bl_span_of(permit_aad, sizeof permit_aad - 1),
                           crypto, NULL) != BL_OK) {
        return BL_PERMIT_SIGNATURE;
    }
    if (permit_read(message.payload, &p) != BL_OK) {
        return BL_PERMIT;
    }
    if ((p.device.n != 0 &&
         bl_equal(p.device.p, device_id, BL_ID_SIZE) != BL_GOOD) ||
        bl_equal(p.class_id.p, class_id, BL_ID_SIZE) != BL_GOOD ||
        bl_equal(p.manifest.p, manifest, 32) != BL_GOOD) {
        return BL_PERMIT_TARGET;
    }
    return expired(p.expiry, now) ? BL_PERMIT_EXPIRED : BL_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/cbor.h"
#include "bowline/ticket.h"
#include "cmocka_all.h"
#include "posix/crypto.h"
#include "sign.h"
#include "vectors.h"

static struct vectors tickets; /* the ticket key, Ed25519 */
static struct vectors profile; /* the release keys */
static struct bl_root root;
static bl_span device, nonce, manifest, ticket_secret;

enum { NOW = 1790000060, ISSUED = 1790000000, EXPIRY = 1790086400 };

static const uint8_t class_id[16] = {0xA4, 0xB4, 0xDD};

/* --- Published tickets -------------------------------------------------- */

static const struct {
    const char *name;
    bl_status status;
} expected[] = {
    {"ticket-good", BL_OK},
    {"ticket-expired", BL_TICKET_EXPIRED},
    {"ticket-other-device", BL_TICKET_DEVICE},
    {"ticket-other-nonce", BL_TICKET_NONCE},
    {"ticket-other-manifest", BL_OK}, /* and the caller compares */
    {"ticket-root-too-new", BL_TICKET_ROOT},
    {"ticket-no-aad", BL_TICKET_SIGNATURE},
    {"ticket-release-key", BL_TICKET_SIGNATURE},
    {"ticket-bit-flip", BL_TICKET_SIGNATURE},
};

static bl_status check(bl_span bytes, uint64_t now, struct bl_ticket *out)
{
    return bl_ticket_check(bytes, &root, device.p, nonce, now, &posix_crypto,
                           out);
}

static void published_tickets_have_their_verdict(void **state)
{
    json_t *list = vectors_member(tickets.json, "vectors");
    json_t *vector;
    size_t i;

    (void)state;
    assert_int_equal(json_array_size(list),
                     sizeof expected / sizeof expected[0]);
    json_array_foreach(list, i, vector)
    {
        struct bl_ticket t;
        bl_status s = check(vectors_hex(&tickets, vector, "ticket"), NOW, &t);
        bool accepted =
            s == BL_OK && bl_equal(t.manifest, manifest.p, 32) == BL_GOOD;

        assert_string_equal(vectors_text(vector, "name"), expected[i].name);
        if (s != expected[i].status) {
            fail_msg("%s: %s", expected[i].name, bl_status_name(s));
        }
        assert_int_equal(
            accepted, strcmp(vectors_text(vector, "expected"), "accept") == 0);
    }
}

static bl_span good_ticket(void)
{
    return vectors_hex(
        &tickets, json_array_get(vectors_member(tickets.json, "vectors"), 0),
        "ticket");
}

static void a_device_without_a_clock_goes_by_the_nonce(void **state)
{
    json_t *late = json_array_get(vectors_member(tickets.json, "vectors"), 1);
    struct bl_ticket t;

    (void)state;
    assert_int_equal(check(vectors_hex(&tickets, late, "ticket"), 0, &t),
                     BL_OK);
    assert_true(t.expiry < NOW);
}

static void expiry_is_the_first_second_that_is_too_late(void **state)
{
    struct bl_ticket t;

    (void)state;
    assert_int_equal(check(good_ticket(), NOW, &t), BL_OK);
    assert_int_equal(check(good_ticket(), t.expiry - 1, &t), BL_OK);
    assert_int_equal(check(good_ticket(), t.expiry, &t), BL_TICKET_EXPIRED);
    assert_int_equal(check(good_ticket(), UINT64_MAX, &t), BL_TICKET_EXPIRED);
}

static void a_nonce_of_another_length_is_another(void **state)
{
    bl_span whole = nonce;
    struct bl_ticket t;

    (void)state;
    for (nonce.n = 0; nonce.n < whole.n; nonce.n++) {
        assert_int_equal(check(good_ticket(), NOW, &t), BL_TICKET_NONCE);
    }
    nonce = whole;
}

static void any_changed_or_missing_byte_is_refused(void **state)
{
    bl_span all = good_ticket();
    uint8_t *copy = vectors_copy(&tickets, all);
    struct bl_ticket t;
    size_t at;

    (void)state;
    for (at = 0; at < all.n; at++) {
        bl_span part =
            bl_span_of(vectors_copy(&tickets, bl_span_of(all.p, at)), at);

        assert_int_equal(check(part, NOW, &t), BL_TICKET);
        copy[at] ^= (uint8_t)(1u << at % 8);
        assert_int_not_equal(check(bl_span_of(copy, all.n), NOW, &t), BL_OK);
        copy[at] ^= (uint8_t)(1u << at % 8);
    }
}

/* --- Messages built here ------------------------------------------------ */

static bl_span finish(struct bl_cbor_writer *w)
{
    bl_span out = {NULL, 0};

    assert_int_equal(bl_cbor_writer_finish(w, &out), BL_OK);
    return out;
}

/* Sig_structure; `body` is NULL for a COSE_Sign1. */
static bl_span to_be_signed(uint8_t *buffer, size_t size, const bl_span *body,
                            bl_span header, const char *aad, bl_span payload)
{
    struct bl_cbor_writer w;

    bl_cbor_writer_init(&w, buffer, size);
    bl_cbor_put_array(&w, body == NULL ? 4 : 5);
    bl_cbor_put_tstr(&w, body == NULL ? "Signature1" : "Signature");
    if (body != NULL) {
        bl_cbor_put_bstr(&w, *body);
    }
    bl_cbor_put_bstr(&w, header);
    bl_cbor_put_bstr(&w, bl_span_of(aad, strlen(aad)));
    bl_cbor_put_bstr(&w, payload);
    return finish(&w);
}

static const uint8_t header_ed25519[] = {0xA1, 0x01, 0x32};
static const uint8_t header_p256[] = {0xA1, 0x01, 0x28};

/* A well signed ticket of any content. */
static bl_span ticket_of(bl_span payload, bool attached)
{
    bl_span header = bl_span_of(header_ed25519, 3);
    uint8_t tbs[512], signature[64], out[512];
    struct bl_cbor_writer w;
    bl_span whole;

    sign_ed25519(ticket_secret,
                 to_be_signed(tbs, sizeof tbs, NULL, header,
                              "Bowline-Ticket-1", payload),
                 signature);
    bl_cbor_writer_init(&w, out, sizeof out);
    bl_cbor_put_tag(&w, 18);
    bl_cbor_put_array(&w, 4);
    bl_cbor_put_bstr(&w, header);
    bl_cbor_put_map(&w, 0);
    if (attached) {
        bl_cbor_put_bstr(&w, payload);
    } else {
        bl_cbor_put_nil(&w);
    }
    bl_cbor_put_bstr(&w, bl_span_of(signature, 64));
    whole = finish(&w);
    return bl_span_of(vectors_copy(&tickets, whole), whole.n);
}

/* What a payload's numbers and lengths shall be. */
struct content {
    uint32_t pairs;
    size_t nonce, device, digest, class_id;
    int64_t alg;
    bool has_device, swapped, trailing;
};

static const struct content ticket_content = {6,   16,   16,    32,   16,
                                              -16, true, false, false};

static void put_digest(struct bl_cbor_writer *w, const struct content *c)
{
    uint8_t longer[40] = {0};

    memcpy(longer, manifest.p, 32);
    bl_cbor_put_int(w, -65538);
    bl_cbor_put_array(w, 2);
    bl_cbor_put_int(w, c->alg);
    bl_cbor_put_bstr(w, bl_span_of(longer, c->digest));
}

static bl_span ticket_payload(uint8_t *buffer, size_t size,
                              const struct content *c)
{
    struct bl_cbor_writer w;
    uint8_t longer[40] = {0};

    memcpy(longer, nonce.p, 16);
    bl_cbor_writer_init(&w, buffer, size);
    bl_cbor_put_map(&w, c->pairs);
    bl_cbor_put_uint(&w, c->swapped ? 6 : 4);
    bl_cbor_put_uint(&w, c->swapped ? ISSUED : EXPIRY);
    bl_cbor_put_uint(&w, c->swapped ? 4 : 6);
    bl_cbor_put_uint(&w, c->swapped ? EXPIRY : ISSUED);
    bl_cbor_put_uint(&w, 10);
    bl_cbor_put_bstr(&w, bl_span_of(longer, c->nonce));
    bl_cbor_put_int(&w, -65537);
    memset(longer, 0, sizeof longer);
    memcpy(longer, device.p, 16);
    bl_cbor_put_bstr(&w, bl_span_of(longer, c->device));
    put_digest(&w, c);
    bl_cbor_put_int(&w, -65539);
    bl_cbor_put_uint(&w, 2);
    if (c->trailing) {
        bl_cbor_put_nil(&w);
    }
    return finish(&w);
}

static bl_status check_ticket_content(struct content c)
{
    uint8_t buffer[300];
    struct bl_ticket t;

    return check(ticket_of(ticket_payload(buffer, sizeof buffer, &c), true),
                 NOW, &t);
}

static void a_well_signed_ticket_of_a_wrong_form_is_refused(void **state)
{
    struct content c = ticket_content;

    (void)state;
    assert_int_equal(check_ticket_content(c), BL_OK);
    c.pairs = 5;
    assert_int_equal(check_ticket_content(c), BL_TICKET);
    c.pairs = 7;
    assert_int_equal(check_ticket_content(c), BL_TICKET);
    c = ticket_content;
    c.nonce = 7;
    assert_int_equal(check_ticket_content(c), BL_TICKET);
    c.nonce = 33;
    assert_int_equal(check_ticket_content(c), BL_TICKET);
    c.nonce = 17;
    assert_int_equal(check_ticket_content(c), BL_TICKET_NONCE);
    c = ticket_content;
    c.device = 15;
    assert_int_equal(check_ticket_content(c), BL_TICKET);
    c = ticket_content;
    c.digest = 31;
    assert_int_equal(check_ticket_content(c), BL_TICKET);
    c = ticket_content;
    c.alg = -43;
    assert_int_equal(check_ticket_content(c), BL_TICKET);
    c = ticket_content;
    c.swapped = true;
    assert_int_equal(check_ticket_content(c), BL_TICKET);
    c = ticket_content;
    c.trailing = true;
    assert_int_equal(check_ticket_content(c), BL_TICKET);
}

static void a_detached_ticket_is_refused(void **state)
{
    uint8_t buffer[300];
    struct bl_ticket t;
    bl_span payload = ticket_payload(buffer, sizeof buffer, &ticket_content);

    (void)state;
    assert_int_equal(check(ticket_of(payload, false), NOW, &t), BL_TICKET);
}

/* --- Permits ------------------------------------------------------------ */

static const struct content permit_content = {5,   0,    16,    32,   16,
                                              -16, true, false, false};

static bl_span permit_payload(uint8_t *buffer, size_t size,
                              const struct content *c)
{
    struct bl_cbor_writer w;

    bl_cbor_writer_init(&w, buffer, size);
    bl_cbor_put_map(&w, c->pairs);
    bl_cbor_put_uint(&w, 4);
    bl_cbor_put_uint(&w, EXPIRY);
    bl_cbor_put_uint(&w, 6);
    bl_cbor_put_uint(&w, ISSUED);
    if (c->has_device) {
        bl_cbor_put_int(&w, -65537);
        bl_cbor_put_bstr(&w, bl_span_of(device.p, c->device));
    }
    put_digest(&w, c);
    bl_cbor_put_int(&w, -65540);
    bl_cbor_put_bstr(&w, bl_span_of(class_id, c->class_id));
    if (c->trailing) {
        bl_cbor_put_nil(&w);
    }
    return finish(&w);
}

static json_t *release_key(const char *name)
{
    return vectors_member(vectors_member(profile.json, "keys"), name);
}

static void put_signer(struct bl_cbor_writer *w, bl_span payload, bool p256,
                       const char *aad)
{
    static const bl_span empty = {NULL, 0};
    bl_span header = bl_span_of(p256 ? header_p256 : header_ed25519, 3);
    uint8_t tbs[512], signature[64];
    bl_span message =
        to_be_signed(tbs, sizeof tbs, &empty, header, aad, payload);

    if (p256) {
        json_t *k = release_key("release-esp256");

        sign_p256(vectors_hex(&profile, k, "d"), vectors_hex(&profile, k, "x"),
                  vectors_hex(&profile, k, "y"), message, signature);
    } else {
        sign_ed25519(
            vectors_hex(&profile, release_key("release-ed25519"), "d"),
            message, signature);
    }
    bl_cbor_put_array(w, 3);
    bl_cbor_put_bstr(w, header);
    bl_cbor_put_map(w, 0);
    bl_cbor_put_bstr(w, bl_span_of(signature, 64));
}

/* Signed with P-256, and with Ed25519 when there are two signatures. */
static bl_span permit_of(struct content c, unsigned n, const char *aad)
{
    uint8_t buffer[300], out[700];
    bl_span payload = permit_payload(buffer, sizeof buffer, &c);
    struct bl_cbor_writer w;
    bl_span whole;
    unsigned i;

    bl_cbor_writer_init(&w, out, sizeof out);
    bl_cbor_put_tag(&w, 98);
    bl_cbor_put_array(&w, 4);
    bl_cbor_put_bstr(&w, bl_span_of(NULL, 0));
    bl_cbor_put_map(&w, 0);
    bl_cbor_put_bstr(&w, payload);
    bl_cbor_put_array(&w, n);
    for (i = 0; i < n; i++) {
        put_signer(&w, payload, i == 0, aad);
    }
    whole = finish(&w);
    return bl_span_of(vectors_copy(&profile, whole), whole.n);
}

static bl_status check_permit(bl_span permit)
{
    return bl_permit_check(permit, &root, device.p, class_id, manifest.p, NOW,
                           &posix_crypto);
}

static const char permit_aad[] = "Bowline-Permit-1";

static void a_permit_needs_the_release_role_s_threshold(void **state)
{
    struct bl_root_role *role = &root.role[BL_ROLE_RELEASE];

    (void)state;
    assert_int_equal(check_permit(permit_of(permit_content, 1, permit_aad)),
                     BL_OK);
    assert_int_equal(check_permit(permit_of(permit_content, 2, permit_aad)),
                     BL_OK);
    role->threshold = 2;
    assert_int_equal(check_permit(permit_of(permit_content, 1, permit_aad)),
                     BL_PERMIT_SIGNATURE);
    assert_int_equal(check_permit(permit_of(permit_content, 2, permit_aad)),
                     BL_OK);
    role->threshold = 1;
    role->keys = 1; /* only Ed25519: the ticket key is another role's */
    assert_int_equal(check_permit(permit_of(permit_content, 1, permit_aad)),
                     BL_PERMIT_SIGNATURE);
    role->keys = 3;
}

static void a_permit_is_bound_to_its_purpose(void **state)
{
    (void)state;
    assert_int_equal(
        check_permit(permit_of(permit_content, 1, "Bowline-Root-1")),
        BL_PERMIT_SIGNATURE);
    assert_int_equal(check_permit(permit_of(permit_content, 1, "")),
                     BL_PERMIT_SIGNATURE);
}

static void a_permit_is_for_its_device_class_and_release(void **state)
{
    bl_span permit = permit_of(permit_content, 1, permit_aad);
    struct content all = permit_content;
    uint8_t other[32] = {0};
    bl_span class_wide;

    (void)state;
    assert_int_equal(bl_permit_check(permit, &root, other, class_id,
                                     manifest.p, NOW, &posix_crypto),
                     BL_PERMIT_TARGET);
    assert_int_equal(bl_permit_check(permit, &root, device.p, other,
                                     manifest.p, NOW, &posix_crypto),
                     BL_PERMIT_TARGET);
    assert_int_equal(bl_permit_check(permit, &root, device.p, class_id, other,
                                     NOW, &posix_crypto),
                     BL_PERMIT_TARGET);
    all.pairs = 4;
    all.has_device = false;
    class_wide = permit_of(all, 1, permit_aad);
    assert_int_equal(check_permit(class_wide), BL_OK);
    assert_int_equal(bl_permit_check(class_wide, &root, other, class_id,
                                     manifest.p, NOW, &posix_crypto),
                     BL_OK);
    assert_int_equal(bl_permit_check(class_wide, &root, device.p, other,
                                     manifest.p, NOW, &posix_crypto),
                     BL_PERMIT_TARGET);
}

static void a_permit_expires(void **state)
{
    bl_span permit = permit_of(permit_content, 1, permit_aad);

    (void)state;
    assert_int_equal(bl_permit_check(permit, &root, device.p, class_id,
                                     manifest.p, EXPIRY - 1, &posix_crypto),
                     BL_OK);
    assert_int_equal(bl_permit_check(permit, &root, device.p, class_id,
                                     manifest.p, EXPIRY, &posix_crypto),
                     BL_PERMIT_EXPIRED);
}

static void a_well_signed_permit_of_a_wrong_form_is_refused(void **state)
{
    struct content c = permit_content;

    (void)state;
    c.pairs = 4;
    assert_int_equal(check_permit(permit_of(c, 1, permit_aad)), BL_PERMIT);
    c.pairs = 6;
    assert_int_equal(check_permit(permit_of(c, 1, permit_aad)), BL_PERMIT);
    c = permit_content;
    c.has_device = false;
    assert_int_equal(check_permit(permit_of(c, 1, permit_aad)), BL_PERMIT);
    c = permit_content;
    c.device = 0; /* is not "every device" */
    assert_int_equal(check_permit(permit_of(c, 1, permit_aad)), BL_PERMIT);
    c = permit_content;
    c.class_id = 15;
    assert_int_equal(check_permit(permit_of(c, 1, permit_aad)), BL_PERMIT);
    c = permit_content;
    c.digest = 33;
    assert_int_equal(check_permit(permit_of(c, 1, permit_aad)), BL_PERMIT);
    c = permit_content;
    c.trailing = true;
    assert_int_equal(check_permit(permit_of(c, 1, permit_aad)), BL_PERMIT);
}

static void a_changed_or_cut_permit_is_refused(void **state)
{
    bl_span all = permit_of(permit_content, 2, permit_aad);
    uint8_t *copy = vectors_copy(&profile, all);
    size_t at;

    (void)state;
    for (at = 0; at < all.n; at++) {
        bl_span part =
            bl_span_of(vectors_copy(&profile, bl_span_of(all.p, at)), at);

        assert_int_equal(check_permit(part), BL_PERMIT);
        copy[at] ^= (uint8_t)(1u << at % 8);
        assert_int_not_equal(check_permit(bl_span_of(copy, all.n)), BL_OK);
        copy[at] ^= (uint8_t)(1u << at % 8);
    }
}

/* Key 0: the ticket key, Ed25519, which is also a release key's twin in the
 * published files; key 1: the release key, P-256. */
static int open_all(void **state)
{
    json_t *key, *context, *p256;

    (void)state;
    vectors_open(&tickets, "bowline-profile/tickets.json");
    vectors_open(&profile, "bowline-profile/positive.json");
    context = vectors_member(tickets.json, "context");
    assert_int_equal(json_integer_value(vectors_member(context, "now")), NOW);
    device = vectors_hex(&tickets, context, "device_id");
    nonce = vectors_hex(&tickets, context, "device_nonce");
    manifest = vectors_hex(&tickets, context, "manifest_digest");
    key = vectors_member(tickets.json, "key");
    ticket_secret = vectors_hex(&tickets, key, "d");
    root.n_keys = 2;
    root.key[0].key.alg = BL_ALG_ED25519;
    root.key[0].key.x = vectors_hex(&tickets, key, "x");
    p256 = release_key("release-esp256");
    root.key[1].key.alg = BL_ALG_ESP256;
    root.key[1].key.x = vectors_hex(&profile, p256, "x");
    root.key[1].key.y = vectors_hex(&profile, p256, "y");
    root.role[BL_ROLE_RELEASE].threshold = 1;
    root.role[BL_ROLE_RELEASE].keys = 3;
    root.role[BL_ROLE_TICKET].threshold = 1;
    root.role[BL_ROLE_TICKET].keys = 1;
    root.version =
        (uint64_t)json_integer_value(vectors_member(context, "root_version"));
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    vectors_close(&tickets);
    vectors_close(&profile);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_tickets_have_their_verdict),
        cmocka_unit_test(a_device_without_a_clock_goes_by_the_nonce),
        cmocka_unit_test(expiry_is_the_first_second_that_is_too_late),
        cmocka_unit_test(a_nonce_of_another_length_is_another),
        cmocka_unit_test(any_changed_or_missing_byte_is_refused),
        cmocka_unit_test(a_well_signed_ticket_of_a_wrong_form_is_refused),
        cmocka_unit_test(a_detached_ticket_is_refused),
        cmocka_unit_test(a_permit_needs_the_release_role_s_threshold),
        cmocka_unit_test(a_permit_is_bound_to_its_purpose),
        cmocka_unit_test(a_permit_is_for_its_device_class_and_release),
        cmocka_unit_test(a_permit_expires),
        cmocka_unit_test(a_well_signed_permit_of_a_wrong_form_is_refused),
        cmocka_unit_test(a_changed_or_cut_permit_is_refused),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}

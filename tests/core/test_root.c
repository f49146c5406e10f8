/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/root.h"
#include "cmocka_all.h"
#include "posix/crypto.h"
#include "vectors.h"

static struct vectors v;
static struct vectors profile;

static json_t *named(const char *name)
{
    json_t *vector;
    size_t i;

    json_array_foreach(vectors_member(v.json, "vectors"), i, vector)
    {
        if (strcmp(vectors_text(vector, "name"), name) == 0) {
            return vector;
        }
    }
    fail_msg("no vector %s", name);
    return NULL;
}

static bl_span document(const char *name)
{
    return vectors_hex(&v, named(name), "root");
}

static const struct {
    const char *name;
    bl_status status;
} expected[] = {
    {"root-1-initial", BL_OK},
    {"root-2", BL_OK},
    {"root-2-old-only", BL_ROOT_NEW_THRESHOLD},
    {"root-2-new-only", BL_ROOT_OLD_THRESHOLD},
    {"root-2-same-key-twice", BL_ROOT_OLD_THRESHOLD},
    {"root-3-skip", BL_ROOT_VERSION},
    {"root-1-replay", BL_ROOT_VERSION},
    {"root-2-threshold-0", BL_ROOT},
    {"root-2-no-root-role", BL_ROOT},
};

/* Version 1 or 2 as the device trusts it; NULL for "none". */
static const struct bl_root *trusted(const json_t *vector,
                                     struct bl_root *root)
{
    const json_t *version = json_object_get(vector, "trusted_root_version");

    if (!json_is_integer(version)) {
        return NULL;
    }
    assert_int_equal(bl_root_read(document(json_integer_value(version) == 1
                                               ? "root-1-initial"
                                               : "root-2"),
                                  root),
                     BL_OK);
    return root;
}

static void published_documents_have_their_verdict(void **state)
{
    json_t *vector;
    size_t i;

    (void)state;
    assert_int_equal(json_array_size(vectors_member(v.json, "vectors")),
                     sizeof expected / sizeof expected[0]);
    json_array_foreach(vectors_member(v.json, "vectors"), i, vector)
    {
        struct bl_root before, after;
        bl_status s =
            bl_root_accept(vectors_hex(&v, vector, "root"),
                           trusted(vector, &before), &posix_crypto, &after);

        assert_string_equal(vectors_text(vector, "name"), expected[i].name);
        if (s != expected[i].status) {
            fail_msg("%s: %s", expected[i].name, bl_status_name(s));
        }
        assert_int_equal(s == BL_OK, strcmp(vectors_text(vector, "expected"),
                                            "accept") == 0);
    }
}

static void read_gives_what_the_document_says(void **state)
{
    struct bl_root r;
    json_t *kids = vectors_member(v.json, "kids");
    static const char *const letters[] = {"A", "B", "C"};
    size_t i;

    (void)state;
    assert_int_equal(bl_root_read(document("root-1-initial"), &r), BL_OK);
    assert_true(r.version == 1);
    assert_true(r.issued == 1790000000);
    assert_true(r.floor == 0);
    assert_true(r.ceiling == UINT64_MAX);
    assert_int_equal(r.n_keys, 3);
    for (i = 0; i < 3; i++) {
        assert_true(bl_span_equal(bl_span_of(r.key[i].kid, BL_KID_SIZE),
                                  vectors_hex(&v, kids, letters[i])));
    }
    assert_int_equal(r.key[0].key.alg, BL_ALG_ESP256);
    assert_int_equal(r.key[1].key.alg, BL_ALG_ED25519);
    assert_int_equal(r.key[2].key.alg, BL_ALG_HSS_LMS);
    assert_int_equal(r.role[BL_ROLE_ROOT].threshold, 2);
    assert_int_equal(r.role[BL_ROLE_ROOT].keys, 7);
}

/* One changed bit anywhere: never accepted, whatever the reader made of it.
 * The kids in the unprotected headers alone are not signed. */
static void a_changed_document_is_refused(void **state)
{
    struct bl_root r;
    bl_span all = document("root-1-initial");
    uint8_t *copy = vectors_copy(&v, all);
    size_t at, accepted = 0;

    (void)state;
    assert_int_equal(bl_root_accept(all, NULL, &posix_crypto, &r), BL_OK);
    for (at = 0; at < all.n; at++) {
        copy[at] ^= (uint8_t)(1u << at % 8);
        accepted += bl_root_accept(bl_span_of(copy, all.n), NULL,
                                   &posix_crypto, &r) == BL_OK;
        copy[at] ^= (uint8_t)(1u << at % 8);
    }
    assert_true(accepted <= 2 * BL_KID_SIZE);
}

static void a_cut_document_is_refused_and_leaves_nothing(void **state)
{
    static const struct bl_root zero;
    struct bl_root r;
    bl_span all = document("root-1-initial");
    size_t n;

    (void)state;
    for (n = 0; n < all.n; n++) {
        bl_span part = bl_span_of(vectors_copy(&v, bl_span_of(all.p, n)), n);

        memset(&r, 0x5A, sizeof r);
        assert_int_equal(bl_root_read(part, &r), BL_ROOT);
        assert_memory_equal(&r, &zero, sizeof r);
    }
}

/* --- Documents built here, unsigned ------------------------------------- */

static const char key_a[] =
    "a601020248ca9e35f23b2b525f0328200121582084968"
    "11aae0baaabd26157189eecda26beaa8bf11b6f3fe6e2b5659c85dbc0ad2258203b1f2a"
    "4b6c098131c0a36dacd1d78bd381dcdfb09c052db33991db7338b4a896";
static const char key_b[] =
    "a501010248866eefbd6718c884033220062158"
    "20d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

#define KID_A "48ca9e35f23b2b525f"
#define KID_B "48866eefbd6718c884"
#define ROLE_A "a201010281" KID_A
#define ROLE_B "a201010281" KID_B

/* Content from hex parts, wrapped with one signature that says nothing. */
static bl_status read_content(const char *head, const char *keys,
                              const char *roles, const char *tail,
                              struct bl_root *out)
{
    char content[2048], whole[2200];
    unsigned n;

    snprintf(content, sizeof content, "%s04%s05%s%s", head, keys, roles, tail);
    n = (unsigned)strlen(content) / 2;
    snprintf(whole, sizeof whole,
             n < 256 ? "d8628440a058%02x%s818343a10128a04100"
                     : "d8628440a059%04x%s818343a10128a04100",
             n, content);
    return bl_root_read(vectors_bytes(&v, whole), out);
}

static char keys_ab[512];

static bl_status read_roles(const char *roles, struct bl_root *out)
{
    return read_content("a5010102010300", keys_ab, roles, "", out);
}

static void form_of_the_content_is_checked(void **state)
{
    static const char roles[] = "a301" ROLE_A "02" ROLE_A "03" ROLE_B;
    struct bl_root r;

    (void)state;
    assert_int_equal(read_roles(roles, &r), BL_OK);
    /* format 2, a text as version, no issue date */
    assert_int_equal(read_content("a5010202010300", keys_ab, roles, "", &r),
                     BL_ROOT);
    assert_int_equal(read_content("a501010260"
                                  "0300",
                                  keys_ab, roles, "", &r),
                     BL_ROOT);
    assert_int_equal(read_content("a401010201", keys_ab, roles, "", &r),
                     BL_ROOT);
    /* floor and ceiling: either, both, in order, floor not above */
    assert_int_equal(
        read_content("a6010102010300", keys_ab, roles, "0605", &r), BL_OK);
    assert_true(r.floor == 5 && r.ceiling == UINT64_MAX);
    assert_int_equal(
        read_content("a6010102010300", keys_ab, roles, "0705", &r), BL_OK);
    assert_true(r.floor == 0 && r.ceiling == 5);
    assert_int_equal(
        read_content("a7010102010300", keys_ab, roles, "06050705", &r), BL_OK);
    assert_int_equal(
        read_content("a7010102010300", keys_ab, roles, "06060705", &r),
        BL_ROOT);
    assert_int_equal(
        read_content("a7010102010300", keys_ab, roles, "07050605", &r),
        BL_ROOT);
    assert_int_equal(read_content("a6010102010300", keys_ab, roles,
                                  "0605"
                                  "0705",
                                  &r),
                     BL_ROOT);
    assert_int_equal(
        read_content("a6010102010300", keys_ab, roles, "0805", &r), BL_ROOT);
    assert_int_equal(read_content("a5010102010300", keys_ab, roles, "00", &r),
                     BL_ROOT);
}

static void roles_must_be_reachable_and_whole(void **state)
{
    static const char *const bad[] = {
        /* a role missing, in another order, unknown */
        "a201" ROLE_A "02" ROLE_A, "a302" ROLE_A "01" ROLE_A "03" ROLE_B,
        "a401" ROLE_A "02" ROLE_A "03" ROLE_B "04" ROLE_B,
        "a301" ROLE_A "02" ROLE_A "04" ROLE_B,
        /* threshold 0, above the number of keys, huge */
        "a301a201000281" KID_A "02" ROLE_A "03" ROLE_B,
        "a301a201020281" KID_A "02" ROLE_A "03" ROLE_B,
        "a301a2011b00000001000000010281" KID_A "02" ROLE_A "03" ROLE_B,
        /* the same key twice, no key, a kid that no key has, a short one */
        "a301a201020282" KID_A KID_A "02" ROLE_A "03" ROLE_B,
        "a301a201010280"
        "02" ROLE_A "03" ROLE_B,
        "a301a201010281480000000000000000"
        "02" ROLE_A "03" ROLE_B,
        "a301a20101028147ca9e35f23b2b52"
        "02" ROLE_A "03" ROLE_B,
        /* a ticket has one signature */
        "a301" ROLE_A "02" ROLE_A "03a201020282" KID_A KID_B,
        "a301" ROLE_A "02" ROLE_A "03a301010282" KID_A KID_B "04822832",
        /* a kind that no key of the role has, unknown, twice, none */
        "a301" ROLE_A "02a301010281" KID_A "048132"
        "03" ROLE_B,
        "a301" ROLE_A "02a301010281" KID_A "048126"
        "03" ROLE_B,
        "a301" ROLE_A "02a301010281" KID_A "04822828"
        "03" ROLE_B,
        "a301" ROLE_A "02a301010281" KID_A "0480"
        "03" ROLE_B,
        /* prefixes: none, not an array, not byte strings, five */
        "a301" ROLE_A "02a301010281" KID_A "0380"
        "03" ROLE_B,
        "a301" ROLE_A "02a301010281" KID_A "0381"
        "4161"
        "03" ROLE_B,
        "a301" ROLE_A "02a301010281" KID_A "03818101"
        "03" ROLE_B,
        "a301" ROLE_A "02a301010281" KID_A "03858080808080"
        "03" ROLE_B,
        /* an element that is not known */
        "a301" ROLE_A "02a301010281" KID_A "0500"
        "03" ROLE_B};
    struct bl_root r;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (read_roles(bad[i], &r) != BL_ROOT) {
            fail_msg("read: %s", bad[i]);
        }
    }
    assert_int_equal(read_roles("a301" ROLE_A "02a401020282" KID_A KID_B
                                "03818141610482"
                                "2832"
                                "03" ROLE_B,
                                &r),
                     BL_OK);
    assert_int_equal(r.role[2].n_kinds, 2);
    assert_int_equal(r.role[2].n_prefixes, 1);
    assert_int_equal(r.role[2].keys, 3);
}

/* The keys A, B and C of a published document, as hex. */
static void keys_of_three(char *hex, size_t size)
{
    bl_span all = document("root-1-initial");
    bl_span a = vectors_bytes(&v, key_a);
    const uint8_t *from = all.p;
    const uint8_t *to;

    while (memcmp(from, a.p, a.n) != 0) {
        from++;
    }
    for (to = from; to[0] != 5 || to[1] != 0xA3 || to[2] != 1;) {
        to++;
    }
    from--; /* the array's head */
    assert_int_equal(*from, 0x83);
    assert_true((size_t)(to - from) * 2 < size);
    for (; from < to; from++, hex += 2) {
        (void)snprintf(hex, 3, "%02x", *from);
    }
}

/* An envelope carries two signatures: no release would be taken any more. */
static void release_role_that_no_envelope_satisfies_is_refused(void **state)
{
    static const struct {
        const char *release; /* before and behind the third key's kid */
        const char *rest;
        bl_status status;
    } table[] = {
        {"a201020283" KID_A KID_B, "", BL_OK},
        {"a201030283" KID_A KID_B, "", BL_ROOT},
        {"a301010283" KID_A KID_B, "04822832", BL_OK},
        {"a301010283" KID_A KID_B, "04832832382d", BL_ROOT},
    };
    bl_span c = vectors_hex(&v, vectors_member(v.json, "kids"), "C");
    char keys[1024];
    char kid[2 * BL_KID_SIZE + 1];
    char roles[600];
    struct bl_root r;

    (void)state;
    keys_of_three(keys, sizeof keys);
    for (size_t i = 0; i < BL_KID_SIZE; i++) {
        (void)snprintf(kid + 2 * i, 3, "%02x", c.p[i]);
    }
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        (void)snprintf(roles, sizeof roles,
                       "a301" ROLE_A "02%s48%s%s03" ROLE_B, table[i].release,
                       kid, table[i].rest);
        assert_int_equal(read_content("a5010102010300", keys, roles, "", &r),
                         table[i].status);
    }
}

static bl_status read_key(const char *key)
{
    static const char roles[] = "a301" ROLE_A "02" ROLE_A "03" ROLE_A;
    char keys[600];
    struct bl_root r;

    snprintf(keys, sizeof keys, "82%s%s", key_a, key);
    return read_content("a5010102010300", keys, roles, "", &r);
}

static void keys_are_of_the_three_kinds_with_their_own_kid(void **state)
{
    char key[300];

    (void)state;
    assert_int_equal(read_key(key_b), BL_OK);
    assert_int_equal(read_key(key_a), BL_ROOT); /* twice */
    memcpy(key, key_b, sizeof key_b);
    key[10] ^= 1; /* another kid than its thumbprint */
    assert_int_equal(read_key(key), BL_ROOT);
    memcpy(key, key_b, sizeof key_b);
    key[sizeof key_b - 2] = '0'; /* another key than its kid's */
    assert_int_equal(read_key(key), BL_ROOT);
    /* EdDSA -8, which leaves the curve open; curve X25519; a secret key */
    assert_int_equal(
        read_key("a501010248866eefbd6718c88403272006215820d75a980182b10ab7d5"
                 "4bfed3c964073a0ee172f3daa62325af021a68f707511a"),
        BL_ROOT);
    assert_int_equal(
        read_key("a501010248866eefbd6718c88403322004215820d75a980182b10ab7d5"
                 "4bfed3c964073a0ee172f3daa62325af021a68f707511a"),
        BL_ROOT);
    assert_int_equal(
        read_key("a601010248866eefbd6718c88403322006215820d75a980182b10ab7d5"
                 "4bfed3c964073a0ee172f3daa62325af021a68f707511a234100"),
        BL_ROOT);
    assert_int_equal(read_key("a0"), BL_ROOT);
}

static void key_id_refuses_other_keys(void **state)
{
    static const uint8_t bytes[64] = {0};
    struct bl_key key = {-7, bl_span_of(bytes, 32), bl_span_of(bytes, 32)};
    uint8_t kid[BL_KID_SIZE];

    (void)state;
    assert_int_equal(bl_key_id(&key, kid), BL_ALGORITHM);
    key.alg = BL_ALG_ED25519;
    assert_int_equal(bl_key_id(&key, kid), BL_ALGORITHM);
    key.alg = BL_ALG_HSS_LMS;
    assert_int_equal(bl_key_id(&key, kid), BL_ALGORITHM);
    key.alg = BL_ALG_ESP256;
    assert_int_equal(bl_key_id(&key, kid), BL_OK);
}

static bool may_write(const struct bl_root *r, const char *id)
{
    return bl_root_may_write(r, BL_ROLE_RELEASE, vectors_bytes(&v, id));
}

static void prefixes_bound_what_a_role_may_write(void **state)
{
    struct bl_root r;

    (void)state;
    /* ['usr','bin'] and ['app'] */
    assert_int_equal(read_roles("a301" ROLE_A "02a301010281" KID_A "038282"
                                "43757372"
                                "4362696e"
                                "8143617070"
                                "03" ROLE_B,
                                &r),
                     BL_OK);
    assert_true(may_write(&r, "8143617070"));
    assert_true(may_write(&r, "82436170704100"));
    assert_true(may_write(&r, "824375737243"
                              "62696e"));
    assert_true(may_write(&r, "834375737243"
                              "62696e4100"));
    assert_false(may_write(&r, "8143757372"));
    assert_false(may_write(&r, "814461707070"));
    assert_false(may_write(&r, "82437573724362696f"));
    assert_false(may_write(&r, "80"));
    assert_false(may_write(&r, "43617070"));
    assert_false(may_write(&r, ""));
    /* what the prefix holds as two parts, as one */
    assert_false(may_write(&r, "814875737243"
                               "62696e00"));
    /* no prefixes: all */
    assert_true(
        bl_root_may_write(&r, BL_ROLE_ROOT, vectors_bytes(&v, "8141ff")));
}

/* --- Roles and blocks --------------------------------------------------- */

/* The COSE_Sign1 blocks of a profile envelope, found as bl_suit_read would:
 * 107({2: bstr [bstr digest, bstr block, ...], ...}). */
struct signed_digest {
    struct bl_cose_sign1 block[2];
    size_t n;
    bl_span payload;
};

static bl_span wrapped(const uint8_t **p)
{
    size_t head = **p == 0x59 ? 3 : **p == 0x58 ? 2 : 1;
    size_t n = head == 3   ? (size_t)(*p)[1] << 8 | (*p)[2]
               : head == 2 ? (*p)[1]
                           : (size_t)(**p & 31);
    bl_span s = bl_span_of(*p + head, n);

    *p += head + n;
    return s;
}

static void read_blocks(const char *name, struct signed_digest *out)
{
    json_t *vector;
    size_t i, k;

    json_array_foreach(vectors_member(profile.json, "vectors"), i, vector)
    {
        if (strcmp(vectors_text(vector, "name"), name) == 0) {
            const uint8_t *p = vectors_hex(&profile, vector, "envelope").p + 4;
            bl_span wrapper = wrapped(&p);

            out->n = (wrapper.p[0] & 31u) - 1;
            p = wrapper.p + 1;
            out->payload = wrapped(&p);
            for (k = 0; k < out->n; k++) {
                assert_int_equal(
                    bl_cose_sign1_read(wrapped(&p), &out->block[k]), BL_OK);
            }
            return;
        }
    }
    fail_msg("no vector %s", name);
}

static struct bl_key profile_key(const char *name, int32_t alg)
{
    json_t *k = vectors_member(vectors_member(profile.json, "keys"), name);
    struct bl_key key = {alg, {NULL, 0}, {NULL, 0}};

    key.x = vectors_hex(&profile, k, alg == BL_ALG_HSS_LMS ? "pub" : "x");
    if (alg == BL_ALG_ESP256) {
        key.y = vectors_hex(&profile, k, "y");
    }
    return key;
}

/* By hand, as a caller may: P-256, HSS with SHA-256, Ed25519. */
static void fill_root(struct bl_root *r, uint32_t threshold, uint8_t keys)
{
    memset(r, 0, sizeof *r);
    r->n_keys = 3;
    r->key[0].key = profile_key("release-esp256", BL_ALG_ESP256);
    r->key[1].key = profile_key("release-hss-sha256-m32", BL_ALG_HSS_LMS);
    r->key[2].key = profile_key("release-ed25519", BL_ALG_ED25519);
    r->role[BL_ROLE_RELEASE].threshold = threshold;
    r->role[BL_ROLE_RELEASE].keys = keys;
}

static bl_status check(const struct bl_root *r, const struct signed_digest *d,
                       uint8_t *signers)
{
    return bl_root_check(r, BL_ROLE_RELEASE, d->block, d->n,
                         bl_span_of(NULL, 0), d->payload, &posix_crypto,
                         signers);
}

static void one_of_several_keys_satisfies_threshold_one(void **state)
{
    struct signed_digest d;
    struct bl_root r;
    uint8_t signers = 0;

    (void)state;
    fill_root(&r, 1, 7);
    read_blocks("full-image", &d);
    assert_int_equal(check(&r, &d, &signers), BL_OK);
    assert_int_equal(signers, 1);
    read_blocks("sign-ed25519", &d);
    assert_int_equal(check(&r, &d, &signers), BL_OK);
    assert_int_equal(signers, 4);
    read_blocks("sign-hss-m32", &d);
    assert_int_equal(check(&r, &d, NULL), BL_OK);
    read_blocks("sign-hss-m24", &d);
    assert_int_equal(check(&r, &d, &signers), BL_SIGNATURE);
    assert_int_equal(signers, 4);
}

static void a_foreign_kid_is_no_obstacle(void **state)
{
    struct signed_digest d;
    struct bl_root r;

    (void)state;
    fill_root(&r, 1, 7);
    read_blocks("sign-kid", &d);
    assert_true(d.block[0].kid.n > 0);
    assert_int_equal(check(&r, &d, NULL), BL_OK);
    assert_int_equal(bl_key_id(&r.key[0].key, r.key[0].kid), BL_OK);
    assert_int_equal(check(&r, &d, NULL), BL_OK);
    /* a known kid names the one key to try */
    d.block[0].kid = bl_span_of(r.key[0].kid, BL_KID_SIZE);
    assert_int_equal(check(&r, &d, NULL), BL_OK);
    /* the kid of a key of another kind is as good as none */
    assert_int_equal(bl_key_id(&r.key[1].key, r.key[1].kid), BL_OK);
    d.block[0].kid = bl_span_of(r.key[1].kid, BL_KID_SIZE);
    assert_int_equal(check(&r, &d, NULL), BL_OK);
}

static void a_key_outside_the_role_does_not_count(void **state)
{
    struct signed_digest d;
    struct bl_root r;

    (void)state;
    read_blocks("full-image", &d);
    fill_root(&r, 1, 6);
    assert_int_equal(check(&r, &d, NULL), BL_SIGNATURE);
    fill_root(&r, 1, 0);
    assert_int_equal(check(&r, &d, NULL), BL_SIGNATURE);
}

static void a_threshold_counts_distinct_keys(void **state)
{
    struct signed_digest d;
    struct bl_root r;
    uint8_t signers = 0;

    (void)state;
    fill_root(&r, 2, 7);
    read_blocks("full-image", &d);
    assert_int_equal(check(&r, &d, NULL), BL_THRESHOLD);
    d.block[1] = d.block[0];
    d.n = 2;
    assert_int_equal(check(&r, &d, NULL), BL_THRESHOLD);
    d.n = 0;
    assert_int_equal(check(&r, &d, NULL), BL_THRESHOLD);
    read_blocks("sign-hybrid", &d);
    assert_int_equal(check(&r, &d, &signers), BL_OK);
    assert_int_equal(signers, 3);
    fill_root(&r, 3, 7);
    assert_int_equal(check(&r, &d, NULL), BL_THRESHOLD);
    fill_root(&r, 0, 7); /* a role of nothing is not open to all */
    assert_int_equal(check(&r, &d, NULL), BL_THRESHOLD);
}

static void every_required_kind_must_have_signed(void **state)
{
    struct signed_digest d;
    struct bl_root r;
    struct bl_root_role *role = &r.role[BL_ROLE_RELEASE];

    (void)state;
    fill_root(&r, 1, 7);
    role->n_kinds = 2;
    role->kind[0] = BL_ALG_ESP256;
    role->kind[1] = BL_ALG_HSS_LMS;
    read_blocks("sign-hybrid", &d);
    assert_int_equal(check(&r, &d, NULL), BL_OK);
    d.n = 1;
    assert_int_equal(check(&r, &d, NULL), BL_THRESHOLD);
    role->kind[1] = BL_ALG_ED25519;
    d.n = 2;
    assert_int_equal(check(&r, &d, NULL), BL_THRESHOLD);
}

/* Vector hybrid-second-block-bad, and its mirror image. */
static void one_bad_block_fails_the_whole(void **state)
{
    struct signed_digest d;
    struct bl_root r;
    uint8_t *copy;
    int i;

    (void)state;
    for (i = 0; i < 2; i++) {
        fill_root(&r, 1, 7);
        read_blocks("sign-hybrid", &d);
        copy = vectors_copy(&profile, d.block[i].signature);
        copy[40] ^= 1;
        d.block[i].signature.p = copy;
        assert_int_equal(check(&r, &d, NULL), BL_SIGNATURE);
    }
}

static void an_algorithm_that_no_key_names_is_not_accepted(void **state)
{
    struct signed_digest d;
    struct bl_root r;

    (void)state;
    fill_root(&r, 1, 7);
    read_blocks("full-image", &d);
    d.block[0].alg = -7;
    assert_int_equal(check(&r, &d, NULL), BL_ALGORITHM);
    d.block[0].alg = -35;
    assert_int_equal(check(&r, &d, NULL), BL_ALGORITHM);
    assert_int_equal(bl_root_check(&r, 0, d.block, 1, bl_span_of(NULL, 0),
                                   d.payload, &posix_crypto, NULL),
                     BL_ARGUMENT);
    assert_int_equal(bl_root_check(&r, 4, d.block, 1, bl_span_of(NULL, 0),
                                   d.payload, &posix_crypto, NULL),
                     BL_ARGUMENT);
}

static int open_all(void **state)
{
    (void)state;
    vectors_open(&v, "bowline-profile/roots.json");
    vectors_open(&profile, "bowline-profile/positive.json");
    snprintf(keys_ab, sizeof keys_ab, "82%s%s", key_a, key_b);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    vectors_close(&v);
    vectors_close(&profile);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_documents_have_their_verdict),
        cmocka_unit_test(read_gives_what_the_document_says),
        cmocka_unit_test(a_changed_document_is_refused),
        cmocka_unit_test(a_cut_document_is_refused_and_leaves_nothing),
        cmocka_unit_test(form_of_the_content_is_checked),
        cmocka_unit_test(roles_must_be_reachable_and_whole),
        cmocka_unit_test(release_role_that_no_envelope_satisfies_is_refused),
        cmocka_unit_test(keys_are_of_the_three_kinds_with_their_own_kid),
        cmocka_unit_test(key_id_refuses_other_keys),
        cmocka_unit_test(prefixes_bound_what_a_role_may_write),
        cmocka_unit_test(one_of_several_keys_satisfies_threshold_one),
        cmocka_unit_test(a_foreign_kid_is_no_obstacle),
        cmocka_unit_test(a_key_outside_the_role_does_not_count),
        cmocka_unit_test(a_threshold_counts_distinct_keys),
        cmocka_unit_test(every_required_kind_must_have_signed),
        cmocka_unit_test(one_bad_block_fails_the_whole),
        cmocka_unit_test(an_algorithm_that_no_key_names_is_not_accepted),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
